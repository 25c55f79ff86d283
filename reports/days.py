"""Days as offices write them: text with slashes, dots or hyphens, date cells, Excel's serial numbers, a year alone."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from engine.core.errors import KetnapError
from reports.sheets import Cell
from reports.words import tidy, words

FIRST_YEAR = 1900  # no one on a list of today was born, and nothing on it happened, before
_SERIAL_ZERO = date(1899, 12, 30)  # Excel's day 0; right from 1900-03-01 (serial 61) on
_SERIALS = range(10_000, 80_000)  # 1927 to 2119: below stand years, above nothing sensible

_SEP = r"\s*[/.\-\u2013]\s*"
_DAY_FIRST = re.compile(rf"(\d{{1,2}}){_SEP}(\d{{1,2}}){_SEP}(\d{{2}}|\d{{4}})\Z")
_YEAR_FIRST = re.compile(rf"(\d{{4}}){_SEP}(\d{{1,2}}){_SEP}(\d{{1,2}})\Z")
_MONTH = re.compile(rf"(\d{{1,2}}){_SEP}(\d{{4}})\Z")
_YEAR = re.compile(r"(\d{2}|\d{4})(?:\.0)?\Z")
_CLOCK = re.compile(r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\Z")


class Unreadable(KetnapError):
    """The cell cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Day:
    """What a cell says of a day: the whole date, or the year with or without its month."""

    year: int
    month: int | None = None
    whole: date | None = None


def read_day(cell: Cell, *, today: date, date_words: Collection[str] = (), serial_shift: int = 0) -> Day:
    """Reads a cell as a day not after `today`. Raises Unreadable.

    `date_words` are the bare words that may stand around the numbers (`ngay`, `sinh`); `serial_shift` is 1462 in a
    workbook that counts days from 1904.
    """
    day = _from_cell(cell, date_words, serial_shift)
    shown = cell.isoformat() if isinstance(cell, date) else tidy(str(cell))[:40]
    if day.year < FIRST_YEAR:
        raise Unreadable("{value} lies before {first}", value=shown, first=FIRST_YEAR)
    latest = (day.year, day.month or 0, day.whole.day if day.whole else 0)
    if latest > (today.year, today.month, today.day):
        raise Unreadable("{value} lies in the future", value=shown)
    return day


def _from_cell(cell: Cell, date_words: Collection[str], serial_shift: int) -> Day:
    if isinstance(cell, datetime):
        cell = cell.date()
    if isinstance(cell, date):
        return _whole(cell)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _from_number(cell, serial_shift)
    if isinstance(cell, str):
        return _from_text(tidy(cell), date_words)
    raise Unreadable("{value} is not a date", value=str(cell)[:40])


def _whole(day: date) -> Day:
    return Day(year=day.year, month=day.month, whole=day)


def _from_number(number: float, serial_shift: int) -> Day:
    if not math.isfinite(number):
        raise Unreadable("{value} is not a date", value=str(number))
    if int(number) in _SERIALS:  # a time of day after the point is left out
        return _whole(_SERIAL_ZERO + timedelta(days=int(number) + serial_shift))
    if number == int(number):
        return _from_text(str(int(number)), ())
    raise Unreadable("{value} is not a date", value=str(number)[:40])


def _from_text(shown: str, date_words: Collection[str]) -> Day:
    text = _CLOCK.sub("", shown).strip(" .,;")
    if any(c.isalpha() for c in text):
        found = words(text).bare
        if not all(word.isdigit() or word in date_words for word in found):
            raise Unreadable("{value} is not a date", value=shown[:40])
        text = "/".join(re.findall(r"\d+", text))
    if m := _DAY_FIRST.match(text):
        return _calendar(shown, m[3], m[2], m[1])
    if m := _YEAR_FIRST.match(text):
        return _calendar(shown, m[1], m[2], m[3])
    if m := _MONTH.match(text):
        return _calendar(shown, m[2], m[1], None)
    if m := _YEAR.match(text):
        return _calendar(shown, m[1], None, None)
    raise Unreadable("{value} is not a date", value=shown[:40])


def _calendar(shown: str, year: str, month: str | None, day: str | None) -> Day:
    if len(year) == 2:
        raise Unreadable("{value}: a year of two digits may mean two centuries; write all four", value=shown[:40])
    try:
        whole = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        raise Unreadable("{value} is not a day of the calendar", value=shown[:40]) from None
    if day is not None:
        return _whole(whole)
    return Day(year=whole.year, month=whole.month if month else None)
