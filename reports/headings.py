"""Finds the table in a sheet: its heading, one to three rows deep, and what each column holds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reports.profiles import Column, Profile
from reports.sheets import Cell, Sheet
from reports.words import Words, like, tidy, words

MAX_DEPTH = 3  # rows of one heading
_PARENTHESES = re.compile(r"\([^)]*\)")


@dataclass(frozen=True, kw_only=True)
class Heading:
    """One column of a table: its number in the sheet, the heading as people read it, and what it means.

    `column` is None for a heading nobody knows (or one that says again what another does); `ignored` for one that the
    profile leaves out. `half` is the value that the column itself says, such as the sex of who stands in it.
    """

    number: int
    label: str
    column: Column | None
    half: str | None = None
    ignored: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """A heading found: its first and last row, and the columns by number."""

    top: int
    bottom: int
    headings: dict[int, Heading]


def find_table(sheet: Sheet, row: int, profile: Profile) -> Table | None:
    """Returns the table whose heading begins in this row, or None where the row is no heading."""
    main = next((n for n in range(1, sheet.width + 1) if _is_required(sheet, row, n, profile)), None)
    if main is None:
        return None
    bottom = row
    while bottom - row + 1 < MAX_DEPTH and _continues(sheet, row, bottom + 1, main, profile):
        bottom += 1
    headings: dict[int, Heading] = {}
    taken: set[tuple[str, str | None]] = set()
    for number in range(1, sheet.width + 1):
        path = _path(sheet, row, bottom, number)
        if not path:
            continue
        heading = _resolve(path, number, profile)
        if heading.column is not None and not heading.column.joined:
            key = (heading.column.to, heading.half)
            if key in taken:
                heading = Heading(number=number, label=heading.label, column=None)
            taken.add(key)
        headings[number] = heading
    known = sum(1 for heading in headings.values() if heading.column or heading.ignored)
    return Table(top=row, bottom=bottom, headings=headings) if known >= 2 else None


def _is_required(sheet: Sheet, row: int, number: int, profile: Profile) -> bool:
    cell = sheet.at(row, number)
    if not isinstance(cell, str):
        return False
    column = _named(_forms(cell), profile)
    return column is not None and column.to == profile.required


def _continues(sheet: Sheet, top: int, row: int, main: int, profile: Profile) -> bool:
    """Whether the row below is one more row of the heading: nothing new over the names, known words elsewhere."""
    if sheet.at(row, main) is not None and not _is_required(sheet, row, main, profile):
        return False
    cells = [(n, sheet.at(row, n)) for n in range(1, sheet.width + 1)]
    filled = [(n, cell) for n, cell in cells if cell is not None]
    if not filled or not all(isinstance(cell, str) and not any(map(str.isdigit, cell)) for _, cell in filled):
        return False  # a sub-heading has no digits; a person's row without a name has
    known = (_resolve(_path(sheet, top, row, n), n, profile) for n, _ in filled)
    return any(heading.column is not None for heading in known)


def _path(sheet: Sheet, top: int, bottom: int, number: int) -> list[str]:
    """Returns the texts over a column from the top down, each once."""
    path: list[str] = []
    for row in range(top, bottom + 1):
        cell = sheet.filled(row, number)
        if cell is None and row < bottom and sheet.at(row + 1, number) is not None:
            cell = _parent(sheet, row, number)
        if cell is not None and (text := tidy(str(cell))) and text not in path[-1:]:
            path.append(text)
    return path


def _parent(sheet: Sheet, row: int, number: int) -> Cell:
    """Returns the heading to the left that a sub-heading without one of its own stands under, as in a CSV."""
    for left in range(number - 1, 0, -1):
        if sheet.at(row + 1, left) is None:
            return None
        if (cell := sheet.filled(row, left)) is not None:
            return cell
    return None


def _resolve(path: list[str], number: int, profile: Profile) -> Heading:
    label = ": ".join(path)
    whole = " ".join(path)
    forms = _forms(whole)
    if any(like(form, known) for form in forms for known in profile.ignored):
        return Heading(number=number, label=label, column=None, ignored=True)
    half: str | None = None
    column = _named(forms[:1], profile)
    if column is None and (halved := _halved(forms[:1], profile)):
        column, half = halved
    column = column or _named(forms[1:], profile) or (_named(_forms(path[-1]), profile) if len(path) > 1 else None)
    return Heading(number=number, label=label, column=column, half=half)


def _named(forms: list[Words], profile: Profile) -> Column | None:
    """Returns the column that a heading names: exact accents first, so that `Năm sinh` and `Nam sinh` stay apart."""
    known = [(heading, column) for column in profile.columns for heading in column.headings]
    exact = (column for form in forms for heading, column in known if form.marked == heading.marked)
    near = (column for form in forms for heading, column in known if like(form, heading))
    return next(exact, None) or next(near, None)


def _forms(text: str) -> list[Words]:
    """Returns the words of a heading, whole and without what stands in parentheses."""
    whole, bare = words(text), words(_PARENTHESES.sub(" ", text))
    return [form for form in ([whole] if whole == bare else [whole, bare]) if len(form)]


def _halved(forms: list[Words], profile: Profile) -> tuple[Column, str] | None:
    """Returns the column and the value of a heading such as `Ngày sinh: Nữ`, `Ngày sinh (nữ)` or `Nữ` alone."""
    if profile.halves is None or not forms:
        return None
    last = forms[0]
    for value, phrases in profile.halves.values.items():
        for phrase in phrases:
            rest = last.slice(0, len(last) - len(phrase))
            if not like(last.slice(len(rest)), phrase):
                continue
            if not len(rest):
                column = profile.column(profile.halves.to)
                return (column, value) if column else None
            for column in profile.columns:
                if column.halved and any(like(rest, known) for known in column.headings):
                    return column, value
    return None
