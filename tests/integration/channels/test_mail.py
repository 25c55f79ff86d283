"""Email through a real postfix and dovecot."""

from __future__ import annotations

import email
import email.policy
import re
from typing import Any

import pytest

from notifications.channels.bounces import Bounce, BounceBox, BounceSettings
from notifications.channels.email import EmailChannel, EmailSettings
from notifications.channels.letter import Sender, write
from tests.servers.mail import PASSWORD, USER
from tests.servers.proxy import LossyLine
from tests.servers.wait import until
from tests.unit.channels.helpers import HTML, SENDER, SUBJECT, TEXT, a_message

pytestmark = pytest.mark.xdist_group("mail")


@pytest.fixture
def channel(mail_server):
    one = EmailChannel(settings(mail_server))
    yield one
    one.close()


def settings(server, **changed):
    given: dict[str, Any] = {
        "host": "localhost",
        "port": server.smtp,
        "tls": "starttls",
        "user": USER,
        "password": PASSWORD,
        "ca_file": server.ca_file,
        "sender": SENDER,
        "timeout_s": 15.0,
    }
    return EmailSettings(**(given | changed))


def sent_with(server, message=None, **changed):
    one = EmailChannel(settings(server, **changed))
    try:
        return one.send(message or a_message())
    finally:
        one.close()


def one_mail(server, address):
    (raw,) = server.wait_for(address)
    return email.message_from_bytes(raw, policy=email.policy.default)


def test_a_reminder_arrives_in_the_maildir_right_to_the_byte(mail_server, channel):
    message = a_message(id="byte-right", to="byte-right@dong.test")
    outcome = channel.send(message)
    assert (outcome.state, outcome.code) == ("accepted", "250 2.0.0")
    (raw,) = mail_server.wait_for(message.to)
    # The server puts its own headers in front; what follows is what was sent, but for the line ends of the disk.
    sent = write(message, SENDER).replace(b"\r\n", b"\n")
    assert raw.replace(b"\r\n", b"\n").endswith(sent)
    mail = one_mail(mail_server, message.to)
    assert mail["Subject"] == SUBJECT
    # A body has CRLF on the wire (RFC 2046 4.1.1).
    assert mail.get_body(("plain",)).get_payload(decode=True) == TEXT.replace("\n", "\r\n").encode()
    assert mail.get_body(("html",)).get_payload(decode=True) == HTML.replace("\n", "\r\n").encode()
    assert mail["Message-ID"] == "<byte-right@ketnap.test>"
    assert mail["Return-Path"].strip("<>") == SENDER.address


def test_tls_from_the_first_byte_works_too(mail_server):
    outcome = sent_with(mail_server, a_message(to="smtps@dong.test"), tls="tls", port=mail_server.smtps)
    assert outcome.state == "accepted"
    assert one_mail(mail_server, "smtps@dong.test")["Subject"] == SUBJECT


def test_a_batch_goes_over_one_connection_and_each_message_arrives(mail_server, channel):
    for at in range(20):
        assert channel.send(a_message(id=f"batch-{at}", to="batch@dong.test")).state == "accepted"
    mails = mail_server.wait_for("batch@dong.test", 20)
    ids = {email.message_from_bytes(raw)["Message-ID"] for raw in mails}
    assert ids == {f"<batch-{at}@ketnap.test>" for at in range(20)}
    log = (mail_server.work / "mail.log").read_text()
    queue_ids = set(re.findall(r"(\w+): message-id=<batch-\d+@ketnap.test>", log))
    takers = {line.split()[4] for line in log.splitlines() if ": client=" in line and line.split()[5][:-1] in queue_ids}
    assert len(queue_ids) == 20
    assert len(takers) == 1  # each connection has a process of its own


@pytest.mark.parametrize(
    ("address", "state", "code", "retry", "bad_contact"),
    [
        ("temp.lan@dong.test", "failed", "451 4.3.2", True, False),
        ("full.lan@dong.test", "failed", "452 4.2.2", True, False),
        ("perm.lan@dong.test", "refused", "550 5.1.1", False, True),
        ("policy.lan@dong.test", "refused", "550 5.7.1", False, False),
    ],
)
def test_451_452_and_550_at_the_recipient(mail_server, channel, address, state, code, retry, bad_contact):
    outcome = channel.send(a_message(to=address))
    assert (outcome.state, outcome.code, outcome.retry, outcome.bad_contact) == (state, code, retry, bad_contact)
    assert mail_server.mails(address) == []
    assert channel.send(a_message(id=f"after-{code[:3]}", to="after@dong.test")).state == "accepted"


def test_a_greylisted_message_arrives_at_the_second_attempt(mail_server, channel):
    message = a_message(id="grey", to="grey@dong.test")
    mail_server.answer(message.to, "450 4.2.1 greylisted, come back")
    first = channel.send(message)
    assert (first.state, first.retry, first.code) == ("failed", True, "450 4.2.1")
    mail_server.answer(message.to, None)
    channel.close()
    assert channel.send(message).state == "accepted"
    assert len(mail_server.wait_for(message.to)) == 1


def test_a_message_that_is_too_big_is_refused_and_the_address_is_not_blamed(channel):
    outcome = channel.send(a_message(text="dài " * 100_000))
    assert (outcome.state, outcome.bad_contact, outcome.code[:3]) == ("refused", False, "552")


def test_no_tls_offered_means_nothing_is_sent_and_the_setup_is_blamed(mail_server):
    outcome = sent_with(mail_server, a_message(to="no-tls@dong.test"), port=mail_server.plain)
    assert (outcome.state, outcome.retry, outcome.setup) == ("failed", True, True)
    assert outcome.detail == "The mail server offers no STARTTLS."
    assert mail_server.mails("no-tls@dong.test") == []


def test_a_certificate_of_a_stranger_is_not_trusted(mail_server):
    for tls, port in (("starttls", mail_server.smtp), ("tls", mail_server.smtps)):
        outcome = sent_with(mail_server, ca_file=None, tls=tls, port=port)
        assert (outcome.state, outcome.setup) == ("failed", True)
        assert outcome.detail == "The mail server's certificate is not trusted."


def test_a_wrong_password_blames_the_setup(mail_server):
    outcome = sent_with(mail_server, password="wrong")
    assert (outcome.state, outcome.setup, outcome.code) == ("failed", True, "535 5.7.8")
    assert outcome.retry_after_s >= 600


def test_no_sign_in_where_one_is_wanted_blames_the_setup_and_not_the_address(mail_server):
    outcome = sent_with(mail_server, user=None, password=None)
    assert (outcome.state, outcome.setup, outcome.bad_contact) == ("failed", True, False)


def test_a_server_that_is_down_for_a_while_gets_the_message_when_it_is_back(mail_server, channel):
    message = a_message(id="down", to="down@dong.test")
    assert channel.check().state == "accepted"
    mail_server.stop_postfix()
    try:
        outcomes = [channel.send(message), channel.check()]
    finally:
        mail_server.start_postfix()
    assert [(one.state, one.retry, one.setup) for one in outcomes] == [("failed", True, False)] * 2
    assert channel.send(message).state == "accepted"
    assert len(mail_server.wait_for(message.to)) == 1


def test_an_answer_that_is_lost_leaves_unknown_what_has_arrived_all_the_same(mail_server):
    message = a_message(id="lost", to="lost@dong.test")
    with LossyLine(mail_server.plain, lambda sent: sent.endswith(b"\r\n.\r\n")) as line:
        outcome = sent_with(mail_server, message, host="127.0.0.1", port=line.port, tls="none", user=None)
        assert outcome.state == "unknown"
        assert line.lost == 1
    assert len(mail_server.wait_for(message.to)) == 1


@pytest.mark.parametrize(
    ("prefix", "state", "bad_contact", "code"),
    [("bounce", "refused", True, "5.1.1"), ("delay", "failed", False, "4.4.1")],
)
def test_a_bounce_is_read_by_imap_and_matched_to_its_message(mail_server, prefix, state, bad_contact, code):
    sender = Sender(address=f"{prefix}-box@ketnap.test", name="x", domain="ketnap.test")
    message = a_message(id=f"{prefix}-1", to=f"{prefix}.hoa@dong.test")
    assert sent_with(mail_server, message, sender=sender).state == "accepted"
    mail_server.wait_for(sender.address)
    assert sent_with(mail_server, a_message(id=f"other-{prefix}", to=sender.address)).state == "accepted"
    mail_server.wait_for(sender.address, 2)
    box = BounceBox(imap(mail_server, sender.address))
    found: list[Bounce] = []
    assert box.read(found.append).code == "1"
    (bounce,) = found
    assert (bounce.message_id, bounce.recipient) == (message.id, message.to)
    assert (bounce.outcome.state, bounce.outcome.bad_contact, bounce.outcome.code) == (state, bad_contact, code)
    # Neither this reader nor another after a restart reports it again; mail of people stays unread.
    assert box.read(found.append).code == "0"
    assert BounceBox(imap(mail_server, sender.address)).read(found.append).code == "0"
    maildir = mail_server.work / "mail" / sender.address / "Maildir"
    seen = [
        path for folder in ("new", "cur") for path in (maildir / folder).iterdir() if "S" in path.name.split(",")[-1]
    ]
    assert len(seen) == 1


def test_a_bounce_that_could_not_be_recorded_is_shown_again(mail_server):
    sender = Sender(address="crash-box@ketnap.test", name="x", domain="ketnap.test")
    assert sent_with(mail_server, a_message(id="crash", to="bounce.x@dong.test"), sender=sender).state == "accepted"
    mail_server.wait_for(sender.address)
    box = BounceBox(imap(mail_server, sender.address))

    def crash(_):
        raise RuntimeError("no room in the database")

    with pytest.raises(RuntimeError):
        box.read(crash)
    found: list[Bounce] = []
    assert box.read(found.append).code == "1"
    assert [one.message_id for one in found] == ["crash"]


def test_bounces_are_read_over_tls_from_the_first_byte_too(mail_server):
    one = BounceBox(imap(mail_server, "nobody@ketnap.test", tls="tls", port=mail_server.imaps))
    assert one.read(lambda _: None).code == "0"


@pytest.mark.parametrize(
    ("changed", "setup"), [({"password": "wrong"}, True), ({"ca_file": None}, True), ({"port": 1}, False)]
)
def test_a_mailbox_that_cannot_be_read_says_why(mail_server, changed, setup):
    outcome = BounceBox(imap(mail_server, "x@ketnap.test", **changed)).read(lambda _: None)
    assert (outcome.state, outcome.setup) == ("failed", setup)


def imap(server, user, **changed):
    given: dict[str, Any] = {
        "host": "localhost", "port": server.imap, "tls": "starttls", "user": user, "password": PASSWORD,
        "domain": "ketnap.test", "ca_file": server.ca_file, "timeout_s": 15.0,
    }  # fmt: skip
    return BounceSettings(**(given | changed))


def test_nothing_leaves_this_machine(mail_server):
    log = mail_server.work / "mail.log"
    until(log.exists, what="the log of postfix")
    assert "postfix/smtp[" not in log.read_text()
