"""What falls to one person on one day, as one message; and the HTML part of a message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from engine.core.timers import Item
from notifications.phrases import Phrases
from notifications.segments import count, units

SUBJECT_LIMIT = 200  # letters
IN_FULL = 100  # notices of one message whose texts are given; of the others only what they are about
SMS_LIMIT = 134  # UTF-16 units: two segments of 67, 3GPP TS 23.038

_LINK = re.compile(r"https?://[^\s<>\"']+")
_AFTER_LINK = ".,;:!?)"


@dataclass(frozen=True, kw_only=True)
class DigestItem:
    """One notice among those of a person and day. `group` is the rule's label; `waiting_days` since the state began."""

    subject_line: str
    body: str
    group: str
    due: date | None
    waiting_days: int
    late: bool
    urgent: bool


def ordered(items: Sequence[DigestItem]) -> list[tuple[str, list[DigestItem]]]:
    """Returns the notices by matter. The matter with the most urgent comes first, and in it the most urgent.

    Urgent ones first, then the earliest due, then those that wait longest; what has no due date comes last.
    """
    groups: dict[str, list[DigestItem]] = {}
    for item in sorted(items, key=_rank):
        groups.setdefault(item.group, []).append(item)
    return list(groups.items())


def _rank(item: DigestItem) -> tuple[bool, date, int, str]:
    return not item.urgent, item.due or date.max, -item.waiting_days, item.subject_line


def digest(items: Sequence[DigestItem], *, recipient: str, today: date, lang: str) -> Item:
    """Returns what falls to one person on one day as one message; one notice alone keeps its own words.

    Raises ValueError when there is nothing to say.
    """
    if not items:
        raise ValueError("a message needs a notice")
    if len(items) == 1:
        return Item(subject_line=items[0].subject_line, body=items[0].body)
    words = Phrases.of(lang)
    groups = ordered(items)
    tasks = words.tasks.format(n=len(items))
    overdue = sum(i.due is not None and i.due < today for i in items)
    head = words.tasks_today.format(day=f"{today:%d/%m/%Y}", n=len(items))
    if overdue:
        head += ", " + words.of_them_overdue.format(n=overdue)
    lines = [words.to.format(name=recipient), "", head + "."]
    number = 0
    for group, members in groups:
        lines += ["", f"{group.upper()} ({len(members)})"]
        for item in members:
            number += 1
            lines += ["", f"{number}. {item.subject_line}", *_standing(item, today, words)]
            if number <= IN_FULL:
                lines += ["   " + line if line else "" for line in item.body.splitlines()]
    subject = f"{tasks}: {', '.join(group for group, _ in groups)}"
    return Item(subject_line=cut(subject, SUBJECT_LIMIT), body="\n".join(lines))


def _standing(item: DigestItem, today: date, words: Phrases) -> Iterator[str]:
    """Gives the line that says by when, and how long it has waited."""
    parts: list[str] = []
    if item.due is not None:
        left = (item.due - today).days
        parts.append(words.due.format(day=f"{item.due:%d/%m/%Y}"))
        if left < 0:
            parts.append(words.overdue_days.format(n=-left))
        else:
            parts.append(words.days_left.format(n=left) if left else words.last_day_today)
    if item.waiting_days > 0:
        parts.append(words.waiting.format(n=item.waiting_days))
    if parts:
        text = ", ".join(parts)
        yield f"   {text[0].upper()}{text[1:]}."


def digest_sms(items: Sequence[DigestItem], *, lang: str) -> str:
    """Returns several notices as one text message of at most two segments; one alone keeps its own words.

    The most urgent stand in full as long as there is room; the rest is counted.
    """
    if len(items) == 1:
        return cut(items[0].body, SMS_LIMIT)
    words = Phrases.of(lang)
    texts = [" ".join(item.body.split()) for _, members in ordered(items) for item in members]
    for shown in range(len(texts), 0, -1):
        rest = len(texts) - shown
        text = "\n".join(texts[:shown]) + (f"\n({words.more.format(n=rest)})" if rest else "")
        if count(text, "ucs2") <= 2:
            return text
    tail = f"\n({words.more.format(n=len(texts) - 1)})"
    return cut(texts[0], SMS_LIMIT - len(tail)) + tail


def cut(text: str, limit: int) -> str:
    """Returns the text, its end replaced by an ellipsis when it is longer than `limit` UTF-16 units."""
    if sum(units(letter, "ucs2") for letter in text) <= limit:
        return text
    kept, used = [], 1  # the ellipsis
    for letter in text:
        used += units(letter, "ucs2")
        if used > limit:
            break
        kept.append(letter)
    return "".join(kept).rstrip() + "…"


def html(item: Item, *, lang: str = "vi") -> str:
    """Returns the same text as a page for mail programs: links to be clicked, nothing loaded from anywhere."""
    text = item.body + (f"\n\n{item.note}" if item.note else "")
    paragraphs = [f"<p>{_linked(p)}</p>" for p in re.split(r"\n\s*\n", text.strip()) if p.strip()]
    return (
        f'<!doctype html>\n<html lang="{escape(lang)}">\n<head><meta charset="utf-8">'
        f"<title>{escape(item.subject_line)}</title></head>\n"
        '<body style="font-family:sans-serif;font-size:16px;line-height:1.5">\n'
        f'<h1 style="font-size:20px">{escape(item.subject_line)}</h1>\n'
        + "\n".join(paragraphs)
        + "\n</body>\n</html>\n"
    )


def _linked(text: str) -> str:
    parts: list[str] = []
    at = 0
    for found in _LINK.finditer(text):
        address = found[0].rstrip(_AFTER_LINK)
        parts += [escape(text[at : found.start()]), f'<a href="{escape(address)}">{escape(address)}</a>']
        at = found.start() + len(address)
    return "".join([*parts, escape(text[at:])]).replace("\n", "<br>\n")
