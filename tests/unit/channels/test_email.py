"""Email: what each moment of a conversation that goes wrong means for the message."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

import pytest

from notifications.channels.email import EmailChannel, EmailSettings
from notifications.channels.letter import write
from tests.servers.scripted import ScriptedServer, SmtpScript
from tests.unit.channels.helpers import SENDER, a_message


@contextmanager
def talking_to(script, *, timeout_s=5.0, **settings):
    with ScriptedServer(script) as server:
        given: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": server.port,
            "tls": "none",
            "sender": SENDER,
            "timeout_s": timeout_s,
        }
        channel = EmailChannel(EmailSettings(**(given | settings)))
        try:
            yield channel, server
        finally:
            channel.close()


def test_a_message_arrives_byte_for_byte():
    script = SmtpScript()
    with talking_to(script) as (channel, _):
        outcome = channel.send(a_message())
    assert (outcome.state, outcome.code) == ("accepted", "250 2.0.0")
    assert script.mails == [write(a_message(), SENDER)]


@pytest.mark.parametrize("moment", ["ehlo", "mail", "rcpt", "data", "line"])
def test_a_line_cut_before_the_end_of_data_means_that_nothing_was_handed_over(moment):
    script = SmtpScript(**{moment: None})
    # The body is longer than the buffers between, so that the cut is noticed while it is being sent.
    message = a_message(text="dài " * 3_000_000) if moment == "line" else a_message()
    with talking_to(script) as (channel, _):
        outcome = channel.send(message)
    assert (outcome.state, outcome.retry, outcome.bad_contact) == ("failed", True, False)
    assert script.mails == []


def test_a_line_cut_after_the_end_of_data_leaves_it_unknown():
    script = SmtpScript(end=None)
    with talking_to(script) as (channel, _):
        outcome = channel.send(a_message())
    assert (outcome.state, outcome.retry) == ("unknown", False)
    assert len(script.mails) == 1


def test_no_answer_after_the_end_of_data_leaves_it_unknown():
    script = SmtpScript(end="")
    with talking_to(script, timeout_s=0.3) as (channel, _):
        assert channel.send(a_message()).state == "unknown"
    assert len(script.mails) == 1


def test_no_answer_to_rcpt_means_that_nothing_was_handed_over():
    with talking_to(SmtpScript(rcpt=""), timeout_s=0.3) as (channel, _):
        outcome = channel.send(a_message())
    assert (outcome.state, outcome.retry) == ("failed", True)


@pytest.mark.parametrize(
    ("moment", "answer", "state", "retry", "bad_contact", "setup"),
    [
        ("mail", "421 4.3.2 closing", "failed", True, False, False),
        ("mail", "451 4.3.0 later", "failed", True, False, False),
        ("mail", "530 5.7.0 sign in first", "failed", True, False, True),
        ("mail", "553 5.1.8 sender unknown", "refused", False, False, False),
        ("rcpt", "421 closing", "failed", True, False, False),
        ("rcpt", "450 4.2.1 greylisted", "failed", True, False, False),
        ("rcpt", "550 5.1.1 <huong@dong.test> unknown", "refused", False, True, False),
        ("rcpt", "550 5.4.1 access denied", "refused", False, True, False),
        ("rcpt", "553 no such mailbox", "refused", False, True, False),
        ("rcpt", "554 5.7.1 relay access denied", "failed", True, False, True),
        ("data", "451 4.3.0 later", "failed", True, False, False),
        ("data", "554 5.5.1 no", "refused", False, False, False),
        ("end", "452 4.3.1 disk full", "failed", True, False, False),
        ("end", "421 4.3.2 closing", "failed", True, False, False),
        ("end", "552 5.3.4 too big", "refused", False, False, False),
        ("end", "554 5.7.1 looks like spam", "refused", False, False, False),
        ("end", "354 what", "unknown", False, False, False),
    ],
)
def test_each_answer_of_the_server_has_its_outcome(moment, answer, state, retry, bad_contact, setup):
    with talking_to(SmtpScript(**{moment: answer})) as (channel, _):
        outcome = channel.send(a_message())
    assert (outcome.state, outcome.retry, outcome.bad_contact, outcome.setup) == (state, retry, bad_contact, setup)
    assert "huong" not in outcome.code + outcome.detail


def test_one_refused_recipient_does_not_spoil_the_connection_for_the_next():
    script = SmtpScript(rcpt="550 5.1.1 unknown")
    with talking_to(script) as (channel, server):
        first = channel.send(a_message())
        script.say = {}
        second = channel.send(a_message(id="two"))
        third = channel.send(a_message(id="three"))
    assert [first.state, second.state, third.state] == ["refused", "accepted", "accepted"]
    assert server.connections == 1


def test_a_connection_that_the_server_dropped_meanwhile_is_opened_anew():
    script = SmtpScript()
    with talking_to(script) as (channel, server):
        assert channel.send(a_message()).state == "accepted"
        script.say = {"noop": None}
        assert channel.send(a_message(id="two")).state == "accepted"
    assert server.connections == 2
    assert len(script.mails) == 2


def test_a_server_that_greets_with_no_is_tried_again_later():
    with ScriptedServer(SmtpScript(), greeting=b"554 5.3.2 full house\r\n") as server:
        settings = EmailSettings(host="127.0.0.1", port=server.port, tls="none", sender=SENDER)
        outcome = EmailChannel(settings).send(a_message())
    assert (outcome.state, outcome.retry, outcome.code) == ("failed", True, "554 5.3.2")


def test_a_password_is_never_sent_in_the_open():
    with talking_to(SmtpScript(), user="a", password="s3cret") as (channel, server):
        outcome = channel.send(a_message())
    assert (outcome.state, outcome.setup) == ("failed", True)
    assert not any(b"AUTH" in line for line in server.heard)


def test_an_address_that_is_none_is_refused_before_the_wire():
    with talking_to(SmtpScript()) as (channel, server):
        outcome = channel.send(a_message(to="hường"))
    assert (outcome.state, outcome.bad_contact) == ("refused", True)
    assert server.connections == 0


def test_a_name_that_cannot_be_written_is_refused_and_raises_nothing():
    with talking_to(SmtpScript()) as (channel, _):
        assert channel.send(a_message(text="nửa \ud83d")).state == "refused"


def test_a_file_of_certificates_that_is_not_there_is_a_fault_of_the_setup(tmp_path):
    with talking_to(SmtpScript(ehlo="250-here\r\n250 STARTTLS"), tls="starttls", ca_file=tmp_path / "no.pem") as (c, _):
        outcome = c.check()
    assert (outcome.state, outcome.setup) == ("failed", True)
    assert "certificates cannot be read" in outcome.detail


def test_check_signs_in_and_sends_nothing():
    script = SmtpScript()
    with talking_to(script) as (channel, server):
        assert channel.check().state == "accepted"
    assert not any(line.startswith((b"mail", b"MAIL")) for line in server.heard)
