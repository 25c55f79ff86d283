"""Reads one cell of a list into facts, as its column's `read` says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from engine.core.errors import KetnapError
from reports.days import Unreadable, read_day
from reports.profiles import Column, Profile
from reports.sheets import Cell
from reports.words import holds, like, starts, tidy, title_case, words

MAX_TEXT = 2_000  # letters of one cell of a list

_EXCEL_ERRORS = frozenset(("#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"))
_CLASS = re.compile(r"(\d{1,2})\s*/\s*(\d{1,2})(?!\d)")
_SEGMENTS = re.compile(r"[,;+\n()]|\s-\s")
_NOT_IN_A_NAME = frozenset('=<>@|{}[]\\#$%^*_~"!?;:')
_EMAIL = re.compile(r"[^@\s,;<>()\"]{1,64}@[^@\s,;<>()\".]+(\.[^@\s,;<>()\".]+)+\Z")
_MOBILE = re.compile(r"\+?\d{9,15}\Z")
_CODE = re.compile(r"[^\W_][\w.-]{0,63}\Z")

Fact = str | int | date


class Doubtful(KetnapError):
    """The cell cannot be read and is left out, but for `facts`; the row stands."""

    def __init__(self, message: str, /, facts: dict[str, Fact] | None = None, **params: object) -> None:
        self.facts: dict[str, Fact] = facts or {}
        super().__init__(message, **params)


@dataclass(frozen=True, kw_only=True)
class Context:
    """What reading a cell needs besides the cell."""

    profile: Profile
    today: date
    serial_shift: int = 0


def shown(cell: Cell) -> str:
    """Returns a cell's text as a person reads it: whole numbers without `.0`, dates ISO 8601."""
    if isinstance(cell, float) and cell == int(cell):
        cell = int(cell)
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        cell = cell.date()
    return "" if cell is None else tidy(str(cell))


def is_blank(cell: Cell, profile: Profile) -> bool:
    """Whether a cell says nothing: empty, or one of the signs offices put for it."""
    return not (text := shown(cell)) or text.casefold() in profile.blanks


def read_cell(column: Column, cell: Cell, context: Context, half: str | None = None) -> dict[str, Fact]:
    """Returns the facts of one cell that is not blank. Raises Unreadable (the row cannot stand) or Doubtful.

    `half` is what the column itself says: a fact beside the cell's own, and the only one where the cell is a mark.
    """
    text = shown(cell)
    if text in _EXCEL_ERRORS and column.read not in ("name", "birth", "day"):
        raise Doubtful("{value} is an error of Excel", value=text)
    if len(text) > MAX_TEXT:
        raise Doubtful("longer than {limit} letters", limit=MAX_TEXT)
    facts = _half(context, half)
    if facts and (text.casefold() in context.profile.marks or column.to in facts):
        return facts
    try:
        return facts | _read(column, cell, text, context)
    except Doubtful as doubt:
        doubt.facts = facts | doubt.facts
        raise


def merge(column: Column, facts: dict[str, Fact], more: Mapping[str, Fact], profile: Profile) -> None:
    """Adds what one more cell of a row says: parts of a name in their order, the highest of several levels.

    Raises Unreadable where two columns contradict each other.
    """
    for fact, value in more.items():
        before = facts.get(fact)
        if before is None or before == value:
            facts[fact] = value
        elif column.read == "name":
            facts[fact] = f"{before} {value}"
        elif column.read == "level":
            facts[fact] = highest([str(before), str(value)], profile)
        else:
            raise Unreadable("{fact} is {one} in one column and {other} here", fact=fact, one=before, other=value)


def _half(context: Context, half: str | None) -> dict[str, Fact]:
    return {context.profile.halves.to: half} if half is not None and context.profile.halves else {}


def _read(column: Column, cell: Cell, text: str, context: Context) -> dict[str, Fact]:
    match column.read:
        case "birth":
            return _birth(column, cell, context)
        case "day":
            return {column.to: _day(cell, context)}
        case "level":
            typed = words(text)
            if any(like(typed, nothing) for nothing in context.profile.not_levels):
                return {}
            return {column.to: read_level(cell, context.profile)}
        case "digits":
            return {column.to: _digits(column, cell, text)}
        case "name":
            return {column.to: _name(text)}
        case "person":
            return {column.to: _person(text, context.profile)}
        case "choice":
            if (value := chosen(column, text)) is None:
                refused = Unreadable if column.strict else Doubtful
                raise refused(
                    "{value} is none of {known}", value=text[:40], known=", ".join(column.called or column.values)
                )
            return {column.to: value}
        case "code" | "codes" | "email" | "mobile":
            return {column.to: _strict(column, cell, text)}
        case _:
            return {column.to: chosen(column, text) or text}


def chosen(column: Column, text: str) -> str | None:
    """Returns the value of `values` that a text says, None where it says none."""
    typed = words(text)
    return next((value for value, known in column.values.items() if any(like(typed, k) for k in known)), None)


def _birth(column: Column, cell: Cell, context: Context) -> dict[str, Fact]:
    day = read_day(cell, today=context.today, date_words=context.profile.date_words, serial_shift=context.serial_shift)
    if day.month and not day.whole:
        year: dict[str, Fact] = {column.year_to: day.year}
        raise Doubtful("{value} names no day; only the year was kept", year, value=shown(cell)[:40])
    return {column.to: day.whole} if day.whole else {column.year_to: day.year}


def _day(cell: Cell, context: Context) -> date:
    day = read_day(cell, today=context.today, date_words=context.profile.date_words, serial_shift=context.serial_shift)
    if day.whole is None:
        raise Unreadable("{value} names no day; write day, month and year", value=shown(cell)[:40])
    return day.whole


def _name(text: str) -> str:
    if not text[:1].isalpha() or _NOT_IN_A_NAME & set(text):
        raise Unreadable("{value} is no name", value=text[:40])
    return title_case(text)


def _person(text: str, profile: Profile) -> str:
    typed = words(text)
    for title in profile.titles:
        if starts(typed, title) and len(typed) > len(title):
            text = _after(text, len(title))
            break
    if not any(map(str.isalpha, text)):
        raise Doubtful("{value} is no name", value=text[:40])
    return title_case(text)


def _after(text: str, count: int) -> str:
    """Returns the text after its first `count` words."""
    found = list(re.finditer(r"\d+|[^\W\d_]+", text))
    return text[found[count].start() :]


def _digits(column: Column, cell: Cell, text: str) -> str:
    """Returns the digits as text; a number cell has lost its leading zeros, which its length gives back."""
    digits = re.sub(r"[\s.\-]", "", text)
    if isinstance(cell, int | float) and digits.isdigit() and len(digits) not in column.lengths:
        longer = [length for length in column.lengths if length > len(digits)]
        if longer and longer[0] - len(digits) <= 2:  # no number that is used begins with three zeros
            digits = digits.zfill(longer[0])
    plain = digits.removeprefix("+")
    if not (plain.isascii() and plain.isdigit()) or (digits == plain and len(plain) not in column.lengths):
        expected = ", ".join(map(str, column.lengths))
        raise Doubtful("{value} is no number of {lengths} digits", value=text[:40], lengths=expected)
    return digits


def read_level(cell: Cell, profile: Profile) -> str:
    """Returns the highest level of education that a cell says: `N/12`, words, or both. Raises Doubtful.

    `9/12` typed into Excel may have become the day 9 December: it is read back.
    """
    text = shown(cell)
    if isinstance(cell, date):
        text = _undated(cell, profile)
    found = [level for part in _SEGMENTS.split(text) if (level := _level_of(part, profile)) is not None]
    if not found:
        raise Doubtful("{value} says no level of education", value=text[:40])
    return highest(found, profile)


def _undated(day: date, profile: Profile) -> str:
    """Returns the `N/12` that Excel took for a day, whichever of the two it took for the month."""
    for of in sorted(profile.schooling, reverse=True):
        if day.month == of:
            return f"{day.day}/{of}"
        if day.day == of:
            return f"{day.month}/{of}"
    return day.isoformat()


def highest(found: list[str], profile: Profile) -> str:
    """Returns the highest of some levels, in the order of the profile."""
    order = [level.value for level in profile.levels]
    return min(found, key=order.index)


def _level_of(part: str, profile: Profile) -> str | None:
    if match := _CLASS.search(part):
        completed, of = int(match[1]), int(match[2])
        steps: Mapping[int, str] = profile.schooling.get(of, {})
        reached = [step for step in steps if step <= completed]
        return steps[max(reached)] if reached and completed <= of else None
    typed = words(part)
    for level in profile.levels:
        if any(like(typed, known) for known in level.words):
            return level.value
    if any(holds(typed, cancel) for cancel in profile.not_levels):
        return None
    return next((level.value for level in profile.levels if any(holds(typed, known) for known in level.words)), None)


def _strict(column: Column, cell: Cell, text: str) -> str:
    """Reads what a program relies on: ids, addresses, numbers to call. Raises Unreadable."""
    if column.read == "email":
        if not _EMAIL.match(text):
            raise Unreadable("{value} is no email address", value=text[:80])
        return text
    if column.read == "mobile":
        number = re.sub(r"[\s.\-()]", "", text)
        if isinstance(cell, int | float) and len(number) == 9:
            number = "0" + number  # a number cell loses the 0 that every number within the country begins with
        if not _MOBILE.match(number):
            raise Unreadable("{value} is no telephone number", value=text[:40])
        return number
    if column.read == "code":
        known = chosen(column, text)
        if known is None and column.values and not _CODE.match(text):
            raise Unreadable("{value} is none of {known}", value=text[:40], known=", ".join(column.values))
        if known is None and not _CODE.match(text):
            raise Unreadable("{value} is no id: letters, digits, - _ . and no spaces", value=text[:40])
        return known or text
    if known := chosen(column, text):
        return known
    parts = [part.strip() for part in re.split(r"[,;/\n]", text) if part.strip()]
    codes = [chosen(column, part) or part for part in parts]
    return " ".join(dict.fromkeys(" ".join(codes).split()))
