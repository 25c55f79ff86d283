"""The calendar feed, read back by rules of RFC 5545 that are written here anew."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.channels.ics import CalendarEvent, escape, feed, fold_line

THEN = datetime(2026, 1, 2, 7, 30, tzinfo=timezone(timedelta(hours=7)))


def an_event(**changed):
    given: dict[str, Any] = {
        "uid": "n-1@ketnap.test",
        "first_day": date(2026, 1, 24),
        "last_day": date(2026, 1, 24),
        "summary": "Hạn nộp kế hoạch năm, Phường Đông; khối 2",
        "changed_at": THEN,
    }
    return CalendarEvent(**(given | changed))


def read(text):
    """Returns the lines of a feed, unfolded, as (name with parameters, value)."""
    assert text.endswith("\r\n")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    whole = text.replace("\r\n ", "")
    return [tuple(line.split(":", 1)) for line in whole.split("\r\n") if line]


def unescape(text):
    out, at = "", 0
    while at < len(text):
        if text[at] == "\\":
            out += "\n" if text[at + 1] in "nN" else text[at + 1]
            at += 2
        else:
            out += text[at]
            at += 1
    return out


def test_a_day_ends_on_the_next_day_which_no_longer_belongs_to_it():
    lines = read(feed([an_event()], name="Việc đến hạn", zone="Asia/Ho_Chi_Minh"))
    assert ("DTSTART;VALUE=DATE", "20260124") in lines
    assert ("DTEND;VALUE=DATE", "20260125") in lines


def test_the_last_day_of_the_year_ends_in_the_next():
    lines = read(feed([an_event(first_day=date(2026, 12, 30), last_day=date(2026, 12, 31))], name="x", zone="UTC"))
    assert ("DTEND;VALUE=DATE", "20270101") in lines


def test_stamps_are_in_utc_and_the_zone_of_the_office_is_named():
    lines = read(feed([an_event()], name="x", zone="Asia/Ho_Chi_Minh"))
    assert ("DTSTAMP", "20260102T003000Z") in lines
    assert ("X-WR-TIMEZONE", "Asia/Ho_Chi_Minh") in lines


def test_the_same_events_make_the_same_feed_in_any_order():
    events = [an_event(), an_event(uid="n-2@ketnap.test"), an_event(uid="n-0@k.test", first_day=date(2026, 1, 3))]
    one, other = (feed(order, name="x", zone="UTC") for order in (events, events[::-1]))
    assert one == other
    uids = [value for name, value in read(one) if name == "UID"]
    assert uids == ["n-0@k.test", "n-1@ketnap.test", "n-2@ketnap.test"]


def test_an_event_that_fell_away_is_cancelled_and_not_forgotten():
    lines = read(feed([an_event(cancelled=True, sequence=2)], name="x", zone="UTC"))
    assert ("STATUS", "CANCELLED") in lines
    assert ("SEQUENCE", "2") in lines


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_text_makes_another_line_and_each_comes_back_as_it_was(summary, description):
    attack = "\r\nEND:VEVENT\r\nBEGIN:VALARM"
    text = feed([an_event(summary=summary + attack, description=description)], name=summary, zone="UTC")
    lines = read(text)
    assert [name for name, _ in lines if name in ("BEGIN", "END")] == ["BEGIN", "BEGIN", "END", "END"]
    kept = "".join(c for c in summary.replace("\r\n", "\n").replace("\r", "\n") if c == "\n" or c.isprintable())
    assert unescape(dict(lines)["SUMMARY"]) == kept + "\nEND:VEVENT\nBEGIN:VALARM"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=400))
def test_a_folded_line_is_the_line_again_when_unfolded(line):
    assert fold_line(line).replace("\r\n ", "") == line


def test_commas_semicolons_and_backslashes_are_escaped():
    assert escape("a,b;c\\d\ne") == "a\\,b\\;c\\\\d\\ne"


def test_an_event_that_ends_before_it_begins_is_a_fault_of_the_program():
    with pytest.raises(ValueError, match="before it begins"):
        feed([an_event(last_day=date(2026, 1, 23))], name="x", zone="UTC")
    with pytest.raises(ValueError, match="no zone"):
        feed([an_event(changed_at=datetime(2026, 1, 1))], name="x", zone="UTC")


def test_the_stamp_is_the_same_whatever_zone_it_came_in():
    utc = feed([an_event(changed_at=THEN.astimezone(UTC))], name="x", zone="UTC")
    assert utc == feed([an_event()], name="x", zone="UTC")
