"""What every channel promises, asked of every channel."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from notifications.channels.email import EmailChannel, EmailSettings
from notifications.channels.gammu import GammuChannel, GammuSettings
from notifications.channels.kannel import KannelChannel, KannelSettings
from notifications.channels.maildir import MaildirChannel, MaildirSettings
from notifications.channels.port import Channel, Outcome
from notifications.channels.record import RecordChannel
from notifications.channels.smpp import SmppChannel, SmppSettings
from notifications.channels.webhook import WebhookChannel, WebhookSettings
from tests.servers.http import WebServer
from tests.servers.scripted import ScriptedServer, SmtpScript
from tests.servers.wait import free_ports
from tests.unit.channels.helpers import NOON, SENDER, a_message

NAMES = ("record", "maildir", "email", "kannel", "smpp", "gammu", "webhook")
TO = {"kannel": "+84912345678", "smpp": "+84912345678", "gammu": "+84912345678"}


def build(name, port, folder):
    """Returns a channel of a name that talks to `port` or writes into `folder`."""
    match name:
        case "record":
            return RecordChannel(idempotent=True)
        case "maildir":
            return MaildirChannel(MaildirSettings(root=folder / "mail", sender=SENDER))
        case "email":
            return EmailChannel(EmailSettings(host="127.0.0.1", port=port, tls="none", sender=SENDER, timeout_s=1))
        case "kannel":
            url = f"http://127.0.0.1:{port}/cgi-bin/sendsms"
            return KannelChannel(KannelSettings(url=url, user="u", password="p", timeout_s=1))
        case "smpp":
            centre = SmppSettings(host="127.0.0.1", port=port, system_id="u", password="p", sender="K", timeout_s=1)
            return SmppChannel(centre, on_receipt=lambda _: None)
        case "gammu":
            folders = {one: folder / one for one in ("outbox", "sent", "error")}
            return GammuChannel(GammuSettings(**folders), clock=lambda: NOON)
        case _:
            settings = WebhookSettings(secret=b"x" * 24, hosts=(f"127.0.0.1:{port}",), timeout_s=1)
            return WebhookChannel(settings, clock=lambda: NOON)


def message_for(name, port=1, **changed):
    to = TO.get(name, f"http://127.0.0.1:{port}/" if name == "webhook" else "huong@dong.test")
    return a_message(**({"to": to, "text": "Nhắc việc"} | changed))


@pytest.mark.parametrize("name", NAMES)
def test_a_channel_is_one(name, tmp_path):
    channel = build(name, 1, tmp_path)
    assert isinstance(channel, Channel)
    assert channel.kind in ("email", "sms", "webhook")
    channel.close()
    channel.close()


@pytest.mark.parametrize("name", ["email", "kannel", "smpp", "webhook"])
def test_a_server_that_is_off_means_failed_and_try_again(name, tmp_path):
    (port,) = free_ports(1)
    channel = build(name, port, tmp_path)
    outcome = channel.send(message_for(name, port))
    assert (outcome.state, outcome.retry, outcome.bad_contact, outcome.setup) == ("failed", True, False, False)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("to", ["", "\x00", "\r\n", "a" * 5_000, "đ@đ", "+", "http://[", "\ud83d"])
def test_no_recipient_however_odd_makes_it_raise(name, to, tmp_path):
    outcome = build(name, 1, tmp_path).send(message_for(name, to=to))
    assert isinstance(outcome, Outcome)
    if name != "record":
        assert (outcome.state, outcome.bad_contact) == ("refused", True)


@pytest.mark.parametrize("name", ["email", "kannel", "smpp", "webhook"])
@pytest.mark.parametrize(
    "words", [b"\xff\xfe\x00\x00 what\r\n", b"\x00\x00\x00\x10\x80\x00\x00\x09" + b"\xff" * 8, b"\r\n" * 200]
)
def test_a_server_that_talks_nonsense_makes_it_neither_raise_nor_believe(name, words, tmp_path):
    with ScriptedServer(lambda _: words, greeting=words) as server:
        channel = build(name, server.port, tmp_path)
        outcome = channel.send(message_for(name, server.port))
        checked = channel.check() if name != "webhook" else outcome
        channel.close()
    assert outcome.state in ("failed", "unknown")
    assert checked.state in ("failed", "unknown")


@pytest.mark.parametrize("name", ["record", "maildir", "gammu"])
def test_an_idempotent_channel_delivers_one_of_two(name, tmp_path):
    for folder in ("outbox", "sent", "error"):
        (tmp_path / folder).mkdir()
    channel = build(name, 1, tmp_path)
    assert channel.idempotent
    first, second = channel.send(message_for(name)), channel.send(message_for(name))
    assert (first.state, second.state) == ("accepted", "accepted")
    assert first.provider_id == second.provider_id
    kept = len(channel.sent) if name == "record" else sum(file.is_file() for file in tmp_path.rglob("*"))
    assert kept == 1


@pytest.mark.parametrize("name", ["email", "kannel", "webhook"])
def test_what_a_server_says_never_brings_the_recipient_into_the_outbox(name, tmp_path):
    if name == "email":
        with ScriptedServer(SmtpScript(rcpt="550 5.1.1 <huong@dong.test> is not here")) as server:
            channel = build(name, server.port, tmp_path)
            outcome = channel.send(message_for(name))
            channel.close()
    else:
        with WebServer() as server:
            server.answers.append((400, {"X-Said": "huong@dong.test +84912345678"}))
            outcome = build(name, server.port, tmp_path).send(message_for(name, server.port))
    assert outcome.state == "refused"
    assert not re.search(r"huong|91234", repr(outcome))


def test_the_recording_channel_follows_its_script():
    channel = RecordChannel()
    channel.script("temporary", "permanent", "bad_contact", "lost_before", "lost_after", "setup", None)
    outcomes = [channel.send(a_message(id=f"n{at}")) for at in range(8)]
    assert [one.state for one in outcomes] == [
        "failed", "refused", "refused", "unknown", "unknown", "failed", "accepted", "accepted"
    ]  # fmt: skip
    assert [message.id for message in channel.sent] == ["n4", "n6", "n7"]
    assert channel.attempts == 8


def test_a_message_without_a_zone_or_with_an_odd_id_is_a_fault_of_the_program():
    with pytest.raises(ValueError, match="zone"):
        a_message(created_at=datetime(2026, 1, 1))
    for id_ in ("", "a b", "a@b", "đ", "x" * 129, "-a", "a\n"):
        with pytest.raises(ValueError, match="id of a message"):
            a_message(id=id_)
