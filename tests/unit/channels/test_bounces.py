"""Mails that come back, as several servers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.channels.bounces import read_bounce
from notifications.channels.letter import write
from tests.unit.channels.helpers import SENDER, a_message

ID = a_message().id


def found(raw):
    """Returns the bounce that must be in a mail."""
    bounce = read_bounce(raw, "ketnap.test")
    assert bounce is not None
    return bounce


def notification(*, action="failed", status="5.1.1", original=None, kind="text/rfc822-headers", extra=""):
    """Returns a DSN as RFC 3464 has it."""
    returned = (
        original if original is not None else f"Message-ID: <{ID}@ketnap.test>\r\nSubject: =?utf-8?b?Tmjhuq9j?=\r\n"
    )
    return (
        "From: MAILER-DAEMON@mail.dong.test\r\nTo: nhac-viec@ketnap.test\r\nSubject: Undelivered Mail\r\n"
        f"MIME-Version: 1.0\r\n{extra}"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.dong.test\r\n\r\n"
        f"Final-Recipient: rfc822; Huong@dong.test\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
        f"--b\r\nContent-Type: {kind}\r\n\r\n{returned}\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("action", "status", "state", "bad_contact", "final"),
    [
        ("failed", "5.1.1", "refused", True, True),
        ("Failed", "5.2.2 (mailbox full)", "refused", True, True),
        ("failed", "5.7.1", "refused", False, True),
        ("failed", "4.4.1", "failed", False, True),
        ("failed", "", "refused", True, True),
        ("delayed", "4.4.1", "accepted", False, False),
        ("delivered", "2.0.0", "delivered", False, True),
        ("relayed", "2.0.0", "accepted", False, False),
    ],
)
def test_each_notification_has_its_outcome(action, status, state, bad_contact, final):
    bounce = found(notification(action=action, status=status))
    assert (bounce.message_id, bounce.recipient) == (ID, "huong@dong.test")
    assert (bounce.outcome.state, bounce.outcome.bad_contact, bounce.final) == (state, bad_contact, final)
    assert not bounce.outcome.retry


def test_the_whole_mail_sent_back_is_matched_too():
    raw = notification(kind="message/rfc822", original=write(a_message(), SENDER).decode())
    assert found(raw).message_id == ID


def test_a_server_that_returns_nothing_is_matched_by_what_it_answers_to():
    raw = notification(original="", extra=f"In-Reply-To: <{ID}@ketnap.test>\r\n")
    assert found(raw).message_id == ID


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: hello\r\n\r\nI am away.\r\n",
        write(a_message(), SENDER),
        notification(original="Message-ID: <x@somebody-else.test>\r\n"),
        notification(original=""),
        notification(action=""),
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n",
    ],
)
def test_any_other_mail_is_no_bounce_of_ours(raw):
    assert read_bounce(raw, "ketnap.test") is None


def test_a_holiday_reply_that_quotes_the_notice_is_no_bounce():
    raw = f"Auto-Submitted: auto-replied\r\nIn-Reply-To: <{ID}@ketnap.test>\r\nSubject: Away\r\n\r\nBack on Monday.\r\n"
    assert read_bounce(raw.encode(), "ketnap.test") is None


@given(st.binary(max_size=400), st.integers(0, len(notification())), st.integers(0, 60))
def test_no_mail_however_broken_raises(octets, at, cut):
    raw = notification()
    bounce = read_bounce(raw[:at] + octets + raw[at + cut :], "ketnap.test")
    assert bounce is None or bounce.message_id
