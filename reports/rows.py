"""Tells what a row below the heading is: a person, a heading for the rows below it, a total, a signature, nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from reports.headings import Table
from reports.profiles import Profile
from reports.readers import is_blank, shown
from reports.sheets import Cell, Sheet
from reports.words import Words, holds_in_order, starts, words

_INDEX = re.compile(r"(\d{1,5}|[ivxlc]{1,7}|[a-zđ])[.):]?\Z", re.IGNORECASE)
_INDEXED = re.compile(r"(\d{1,3}|[IVXLC]{1,7}|[A-ZĐ])\s*[.):\-/]\s*")  # `II. Chi bộ thôn 3`
_COLUMN_NUMBER = re.compile(r"\(?(\d{1,2}|[A-Za-z])\)?\Z")
_COUNT = re.compile(r"\s*(\(.*\)|[:;,\-\u2013].*)\s*\Z")  # `Chi bộ thôn 3 (12 đ/c)`, `Chi bộ thôn 3: 12`


class RowKind(Enum):
    """What a row is."""

    NOTHING = auto()  # empty, prepared without a person, or the columns numbered
    GROUP = auto()
    TOTAL = auto()
    END = auto()
    PERSON = auto()


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row told apart: a group's name and column (`text`, `number`), how many known cells a person's row fills."""

    kind: RowKind
    text: str = ""
    number: int = 0
    named: bool = False
    said: int = 0


def tell(
    sheet: Sheet, table: Table, row: int, profile: Profile, is_unit: Callable[[str], bool] = lambda _: False
) -> Row:
    """Tells what a row is; `is_unit` answers whether a text names a unit that people may belong to."""
    cells = [(n, c) for n, c in enumerate(sheet.rows[row - 1], 1) if c is not None]
    if not cells or all(_COLUMN_NUMBER.match(shown(c)) for _, c in cells):
        return Row(kind=RowKind.NOTHING)
    texts = [(n, shown(c)) for n, c in cells if not _INDEX.match(shown(c))]
    if len(texts) == 1:
        number, text = texts[0]
        if is_unit(unit_text(text)) or any(starts(words(unit_text(text)), known) for known in profile.groups):
            return Row(kind=RowKind.GROUP, text=text, number=number)
    named = any(_goes_to(table, n, profile.required) for n, _ in cells)
    if not is_numbered(sheet, table, row) and (not named or len(texts) == 1):
        if any(_is_end(words(text), profile) for _, text in texts):
            return Row(kind=RowKind.END)
        if texts and any(starts(words(texts[0][1]), known) for known in profile.totals):
            return Row(kind=RowKind.TOTAL)
    said = _said(table, cells, profile)
    return Row(kind=RowKind.PERSON if named or said else RowKind.NOTHING, named=named, said=said)


def unit_text(text: str) -> str:
    """Returns the name of a unit without the number before it and the count after it."""
    return _COUNT.sub("", _INDEXED.sub("", text, count=1))


def is_numbered(sheet: Sheet, table: Table, row: int) -> bool:
    """Whether a number or a letter stands in a column outside the known ones, as before each person of a list."""
    outside = (n for n, h in table.headings.items() if h.column is None)
    return any((text := shown(sheet.at(row, n))) and _INDEX.match(text) for n in outside)


def _goes_to(table: Table, number: int, to: str) -> bool:
    heading = table.headings.get(number)
    return heading is not None and heading.column is not None and heading.column.to == to


def _said(table: Table, cells: Sequence[tuple[int, Cell]], profile: Profile) -> int:
    known = (c for n, c in cells if (heading := table.headings.get(n)) and heading.column)
    return sum(1 for cell in known if not is_blank(cell, profile))


def _is_end(typed: Words, profile: Profile) -> bool:
    return any(holds_in_order(typed, parts) if len(parts) > 1 else starts(typed, parts[0]) for parts in profile.ends)
