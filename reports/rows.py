"""Tells what a row below the heading is: a person, a heading for the rows below it, a total, a signature, nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from reports.headings import Table
from reports.profiles import Profile
from reports.readers import is_blank, shown
from reports.sheets import Sheet
from reports.words import Words, holds_in_order, starts, words

_INDEX = re.compile(r"(\d{1,5}|[ivxlc]{1,7}|[a-zđ])[.):]?\Z", re.IGNORECASE)
_INDEXED = re.compile(r"\A(\d{1,3}|[IVXLC]{1,7}|[A-ZĐ])\s*[.):\-/]\s*")  # `II. Chi bộ thôn 3`
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
    """A row told apart: a group's name and column (`text`, `number`).

    `certain` is a person's row that a signer's name could not be: numbered, or with digits in its known cells.
    """

    kind: RowKind
    text: str = ""
    number: int = 0
    certain: bool = False


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
        if any(is_unit(form) for form in unit_forms(text)) or _begins(unit_forms(text)[0], profile.groups):
            return Row(kind=RowKind.GROUP, text=text, number=number)
    name = next((shown(c) for n, c in cells if _goes_to(table, n, profile.required)), "")
    numbered = is_numbered(sheet, table, row)
    if not numbered:
        alone = not name or len(texts) == 1
        if _is_end(name, profile) or (alone and any(_is_end(text, profile) for _, text in texts)):
            return Row(kind=RowKind.END)
        if alone and texts and _begins(texts[0][1], profile.totals):
            return Row(kind=RowKind.TOTAL)
    said = [shown(c) for n, c in cells if _is_known(table, n) and not is_blank(c, profile)]
    if not said:
        return Row(kind=RowKind.NOTHING)
    return Row(kind=RowKind.PERSON, certain=bool(name) and (numbered or any(map(str.isdigit, "".join(said)))))


def unit_forms(text: str) -> list[str]:
    """Returns what may be the name of a unit in a heading: without the number before it, then without a count after."""
    name = _INDEXED.sub("", text)
    shorter = _COUNT.sub("", name)
    return [name] if shorter in ("", name) else [name, shorter]


def is_numbered(sheet: Sheet, table: Table, row: int) -> bool:
    """Whether a number or a letter stands in a column outside the known ones, as before each person of a list."""
    outside = (n for n, h in table.headings.items() if h.column is None)
    return any((text := shown(sheet.at(row, n))) and _INDEX.match(text) for n in outside)


def _goes_to(table: Table, number: int, to: str) -> bool:
    heading = table.headings.get(number)
    return heading is not None and heading.column is not None and heading.column.to == to


def _is_known(table: Table, number: int) -> bool:
    heading = table.headings.get(number)
    return heading is not None and heading.column is not None


def _begins(text: str, known: Sequence[Words]) -> bool:
    typed = words(text)
    return any(starts(typed, phrase) for phrase in known)


def _is_end(text: str, profile: Profile) -> bool:
    typed = words(text)
    return any(holds_in_order(typed, parts) if len(parts) > 1 else starts(typed, parts[0]) for parts in profile.ends)
