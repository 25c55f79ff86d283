"""Emails as bytes."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.channels.letter import good_address, id_of, message_id, one_line, stuffed, write
from tests.unit.channels.helpers import HTML, NOON, SENDER, SUBJECT, TEXT, a_message


def read(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


def as_typed(part):
    """Returns a body with the line ends of a program; on the wire they are CRLF (RFC 2046 4.1.1)."""
    return part.get_content().replace("\r\n", "\n")


def test_subject_names_and_both_bodies_come_out_as_they_went_in():
    mail = read(write(a_message(), SENDER))
    assert mail["Subject"] == SUBJECT
    assert mail["To"].addresses[0].display_name == "Nguyễn Thị Hường"
    assert mail["From"].addresses[0].display_name == SENDER.name
    assert as_typed(mail.get_body(("plain",))) == TEXT
    assert as_typed(mail.get_body(("html",))) == HTML
    assert mail.get_content_type() == "multipart/alternative"
    assert not mail.defects


def test_the_same_message_is_the_same_bytes_at_every_attempt():
    assert write(a_message(), SENDER) == write(a_message(), SENDER)


def test_every_line_is_ascii_with_crlf_and_within_the_limit_of_rfc_5322():
    raw = write(a_message(subject=SUBJECT * 5, to_name="Nguyễn " * 30, text="ế" * 5_000), SENDER)
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert read(raw)["Subject"] == SUBJECT * 5


def test_the_longest_id_stands_in_the_message_id_unbroken():
    id_ = "a" * 128
    raw = write(a_message(id=id_), SENDER)
    assert f"Message-ID: <{id_}@ketnap.test>\r\n".encode() in raw
    assert id_of(read(raw)["Message-ID"], "ketnap.test") == id_


def test_the_date_is_that_of_the_message_with_its_zone():
    there = NOON.astimezone(timezone(timedelta(hours=7)))
    assert read(write(a_message(created_at=there), SENDER))["Date"] == "Tue, 20 Jan 2026 12:00:00 +0700"


def test_it_says_that_no_person_wrote_it():
    mail = read(write(a_message(), SENDER))
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Importance"] is None
    assert read(write(a_message(urgent=True), SENDER))["Importance"] == "high"


@given(st.text(max_size=200), st.text(max_size=100), st.text(max_size=100))
def test_no_text_in_a_header_makes_another_header(subject, name, value):
    attack = "x\r\nBcc: all@example.test\n\n"
    try:
        raw = write(
            a_message(subject=subject + attack, to_name=attack + name, headers={"X-Matter": value + attack}), SENDER
        )
    except UnicodeError:
        return  # half a surrogate pair cannot be written, and the channel refuses it
    mail = read(raw)
    assert mail["Bcc"] is None
    assert [name.lower() for name in mail.keys()] == [  # noqa: SIM118 - a Message is no dict
        "message-id", "date", "from", "to", "subject", "auto-submitted", "x-auto-response-suppress", "x-matter",
        "mime-version", "content-type",
    ]  # fmt: skip
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_a_header_of_the_channels_own_cannot_be_given():
    with pytest.raises(ValueError, match="given twice"):
        write(a_message(headers={"Message-ID": "<x@y.test>"}), SENDER)


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("<a.b-1@ketnap.test>", "a.b-1"),
        ("<x@other.test>\r\n <mine@KETNAP.test>", "mine"),
        ("<x@other.test>", None),
        ("<x@evil.ketnap.test>", None),
        ("", None),
    ],
)
def test_only_our_own_message_ids_are_found(text, id_):
    assert id_of(text, "ketnap.test") == id_


@pytest.mark.parametrize("good", ["a@b.vn", "a.b+c@phuong-dong.test", "O'Neil@x.y.z"])
def test_addresses_that_every_server_takes(good):
    assert good_address(good)


@pytest.mark.parametrize(
    "bad",
    ["", "a", "a@b", "@b.vn", "a@b.vn\r\nRCPT TO:<x@y.vn>", "a b@c.vn", "hường@b.vn", "a@đông.vn", ".a@b.vn", "a.@b.vn",
     "a..b@c.vn", "a@b.vn>", "x" * 65 + "@b.vn", "a@" + "b." * 130 + "vn", "a@b.vn\n"],
)  # fmt: skip
def test_what_is_no_address_is_not_taken(bad):
    assert not good_address(bad)


def test_one_line_keeps_words_and_drops_control_signs():
    assert one_line(" Hạn\x00 24/01\r\n\tđã   tới ") == "Hạn 24/01 đã tới"


def test_the_message_id_is_well_formed():
    assert re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", message_id(a_message().id, "ketnap.test"))


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n"),
        (b".a\r\n..b\r\nc.d\r\n", b"..a\r\n...b\r\nc.d\r\n"),
        (b"a", b"a\r\n"),
    ],
)
def test_a_dot_that_begins_a_line_never_ends_the_mail(raw, sent):
    assert stuffed(raw) == sent
