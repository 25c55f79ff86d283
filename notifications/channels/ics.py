"""A calendar feed (RFC 5545) of all-day dates: what a calendar program subscribes to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_LINE_LIMIT = 75  # octets, RFC 5545 3.1


@dataclass(frozen=True, kw_only=True)
class CalendarEvent:
    """One or more whole days. `uid` is the same in every edition of the feed, or the program shows the event twice."""

    uid: str
    first_day: date  # days of the office's own calendar: no zone moves them
    last_day: date  # inclusive
    summary: str
    description: str = ""
    url: str = ""
    sequence: int = 0  # counts the changes of the event's days
    changed_at: datetime  # aware
    cancelled: bool = False


def feed(events: Iterable[CalendarEvent], *, name: str, zone: str, refresh_hours: int = 6) -> str:
    """Returns the feed as text with CRLF, its events by day and uid. Raises ValueError for an event that ends early.

    `zone` is the office's (`Asia/Ho_Chi_Minh`): it tells the program where the feed belongs. Whole days carry none.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//ketnap//notices//VI",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{escape(name)}",  # RFC 7986 5.1; the X- lines are what older programs read
        f"X-WR-CALNAME:{escape(name)}",
        f"X-WR-TIMEZONE:{zone}",
        f"REFRESH-INTERVAL;VALUE=DURATION:PT{refresh_hours}H",
        f"X-PUBLISHED-TTL:PT{refresh_hours}H",
    ]
    for event in sorted(events, key=lambda one: (one.first_day, one.uid)):
        lines += _event(event)
    lines.append("END:VCALENDAR")
    return "".join(fold_line(line) + "\r\n" for line in lines)


def _event(event: CalendarEvent) -> list[str]:
    if event.last_day < event.first_day:
        raise ValueError("an event ends before it begins")
    if event.changed_at.tzinfo is None:
        raise ValueError("changed_at has no zone")
    stamp = event.changed_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = [
        "BEGIN:VEVENT",
        f"UID:{escape(event.uid)}",
        f"DTSTAMP:{stamp}",
        f"LAST-MODIFIED:{stamp}",
        f"SEQUENCE:{event.sequence}",
        f"DTSTART;VALUE=DATE:{event.first_day:%Y%m%d}",
        # The end is the first day that no longer belongs to it (RFC 5545 3.6.1).
        f"DTEND;VALUE=DATE:{event.last_day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{escape(event.summary)}",
    ]
    if event.description:
        lines.append(f"DESCRIPTION:{escape(event.description)}")
    if event.url:
        lines.append(f"URL:{''.join(event.url.split())}")
    lines.append(f"STATUS:{'CANCELLED' if event.cancelled else 'CONFIRMED'}")
    lines.append("TRANSP:TRANSPARENT")  # a due date does not make its officer "busy"
    lines.append("END:VEVENT")
    return lines


def escape(text: str) -> str:
    """Returns a TEXT value (RFC 5545 3.3.11): a comma or a line break in a name ends nothing."""
    clean = "".join(c for c in text.replace("\r\n", "\n").replace("\r", "\n") if c == "\n" or c.isprintable())
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        clean = clean.replace(plain, written)
    return clean


def fold_line(line: str) -> str:
    """Returns the line in pieces of at most 75 octets, never cut within a letter (RFC 5545 3.1)."""
    pieces: list[str] = []
    start = used = 0
    for at, letter in enumerate(line):
        size = len(letter.encode("utf-8", "replace"))
        if used + size > _LINE_LIMIT:
            pieces.append(line[start:at])
            start, used = at, 1  # the space that begins the next piece counts
        used += size
    return "\r\n ".join([*pieces, line[start:]])
