"""Reads lists of people as offices keep them: titles, deep headings, group rows, totals and signatures around the rows.

Nothing is guessed: a cell that cannot be read rejects its row where a date, a name or the branch is at stake, and is
left out with a warning elsewhere. A list with one rejected row is rejected whole; that is for the caller to keep.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from engine.core.errors import BadInput
from reports.days import Unreadable
from reports.headings import Heading, Table, find_table
from reports.people import Known, same_person
from reports.profiles import Profile
from reports.readers import Context, Doubtful, Fact, highest, is_blank, read_cell, shown
from reports.remarks import Remark, remark
from reports.sheets import Cell, Sheet
from reports.units import match_unit
from reports.words import Words, holds_in_order, starts, tidy, words

_INDEX = re.compile(r"(\d{1,5}|[ivxlc]{1,7}|[a-zđ])[.):]?\Z", re.IGNORECASE)
_INDEXED = re.compile(r"(\d{1,3}|[IVXLC]{1,7}|[A-ZĐ])\s*[.):\-/]\s*")
_COLUMN_NUMBER = re.compile(r"\(?(\d{1,2}|[A-Za-z])\)?\Z")
_COUNT = re.compile(r"\s*(\(.*\)|[:;,\-\u2013].*)\s*\Z")  # `Chi bộ thôn 3 (12 đ/c)`, `Chi bộ thôn 3: 12`


@dataclass(frozen=True, kw_only=True)
class PersonRow:
    """One person read: where from, the unit, and the facts as `engine.core.values.parse` takes them."""

    sheet: str
    row: int
    org_id: str
    facts: dict[str, Fact]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a file gave. `read` counts the rows that stand for a person, rejected ones included."""

    rows: tuple[PersonRow, ...]
    rejected: tuple[Remark, ...]
    warnings: tuple[Remark, ...]
    read: int


def read_people(
    sheets: Sequence[Sheet],
    profile: Profile,
    *,
    file: str,
    today: date,
    branches: Mapping[str, str],
    organisations: Mapping[str, str],
    own: str | None = None,
) -> Reading:
    """Reads the people of all visible sheets.

    `branches` (id to name) are the units that a row may belong to, `organisations` those that may have introduced
    someone, both as far as the officer reaches; `own` is the unit of rows that name none, where the officer's own unit
    is a branch. Raises BadInput where no sheet has a heading that the profile knows.
    """
    reader = _Reader(profile=profile, today=today, branches=branches, organisations=organisations, own=own)
    tables = sum(reader.read_sheet(sheet) for sheet in sheets if not sheet.blank)
    if not tables:
        column = profile.column(profile.required)
        heading = profile.name if column is None else column.to
        raise BadInput(
            "{file}: no row with headings was found; name the columns, among them the one of {fact}",
            file=file,
            fact=heading,
        )
    return Reading(
        rows=tuple(reader.rows),
        rejected=tuple(reader.rejected),
        warnings=tuple(reader.gathered()),
        read=reader.read,
    )


@dataclass(kw_only=True)
class _Place:
    """Where the reading of a sheet stands: the table, the group that its rows belong to, whether the list is over."""

    sheet: Sheet
    table: Table
    unit: str | None = None
    group: Remark | None = None  # why the group's heading names no unit; said only when a row needs it
    over: bool = False
    above: dict[int, Cell] = field(default_factory=dict)


class _Reader:
    def __init__(
        self,
        *,
        profile: Profile,
        today: date,
        branches: Mapping[str, str],
        organisations: Mapping[str, str],
        own: str | None,
    ) -> None:
        self.profile, self.today, self.own = profile, today, own
        self.branches, self.organisations = branches, organisations
        self.rows: list[PersonRow] = []
        self.rejected: list[Remark] = []
        self.read = 0
        self._warnings: list[Remark] = []
        self._found: dict[tuple[str, bool], list[str]] = {}
        self._seen: dict[tuple[str, str], list[PersonRow]] = {}

    # ---- sheets ----

    def read_sheet(self, sheet: Sheet) -> int:
        """Reads one sheet; returns how many tables it has."""
        if sheet.hidden:
            self._warn(remark(sheet.name, 1, None, "", "the sheet is hidden and was not read"))
            return 0
        place: _Place | None = None
        tables, row = 0, 1
        while row <= len(sheet.rows):
            if table := find_table(sheet, row, self.profile):
                unit = place.unit if place else self._title_unit(sheet, row)
                group = place.group if place else None
                place = _Place(sheet=sheet, table=table, unit=unit, group=group)
                self._warn_of_columns(place, first=not tables)
                tables, row = tables + 1, table.bottom + 1
                continue
            if place:
                self._read_row(place, row)
            row += 1
        if not tables:
            self._warn(remark(sheet.name, 1, None, "", "the sheet has no row with headings and was not read"))
        return tables

    def _title_unit(self, sheet: Sheet, top: int) -> str | None:
        """Returns the one unit that the lines above the table name, for a branch's own list."""
        found: set[str] = set()
        for cells in sheet.rows[: top - 1]:
            for cell in cells:
                if isinstance(cell, str) and any(starts(words(cell), p) for p in self.profile.unit_prefixes):
                    found.update(self._units(_COUNT.sub("", tidy(cell)), branch=True))
        return found.pop() if len(found) == 1 else None

    def _warn_of_columns(self, place: _Place, *, first: bool) -> None:
        if not first:
            return
        for number, heading in place.table.headings.items():
            if heading.column is None and not heading.ignored:
                below = range(place.table.bottom + 1, len(place.sheet.rows) + 1)
                if any(place.sheet.at(row, number) is not None for row in below):
                    self._warn(
                        remark(
                            place.sheet.name,
                            place.table.top,
                            number,
                            heading.label,
                            "the column {heading} is not known; what it holds was left out",
                            {"heading": heading.label},
                        )
                    )

    # ---- rows ----

    def _read_row(self, place: _Place, row: int) -> None:
        cells = [(n, c) for n, c in enumerate(place.sheet.rows[row - 1], 1) if c is not None]
        if not cells or all(_COLUMN_NUMBER.match(shown(c)) for _, c in cells):
            return  # nothing, a prepared number without a person, or the columns numbered
        texts = [shown(c) for _, c in cells if not _INDEX.match(shown(c))]
        numbered = any(_INDEX.match(shown(c)) for n, c in cells if self._is_index(place.table, n))
        if len(texts) == 1 and self._is_group(place, texts[0]):
            return
        named = any(self._is_name(place.table, n) for n, _ in cells)
        if not numbered and self._is_around(texts, alone=not named or len(texts) == 1):
            place.over = place.over or self._ends(texts)
            return
        facts = self._known(place, cells)
        if place.over and not (named and len(facts) > 1):
            return  # below the signature: a name in the signer's place is no person of the list
        if named or facts:
            self._read_person(place, row)

    def _is_index(self, table: Table, number: int) -> bool:
        heading = table.headings.get(number)
        return heading is None or heading.ignored

    def _is_name(self, table: Table, number: int) -> bool:
        heading = table.headings.get(number)
        return heading is not None and heading.column is not None and heading.column.to == self.profile.required

    def _known(self, place: _Place, cells: Sequence[tuple[int, Cell]]) -> list[Heading]:
        """Returns the headings of the known columns in which the row says something."""
        headings = ((place.table.headings.get(n), c) for n, c in cells)
        return [h for h, c in headings if h and h.column and not is_blank(c, self.profile)]

    def _is_group(self, place: _Place, text: str) -> bool:
        """Whether the row names the unit of the rows below it; if so, takes it."""
        cleaned = _COUNT.sub("", _INDEXED.sub("", text, count=1))
        typed = words(cleaned)
        units = self._units(cleaned, branch=True)
        if not units and not any(starts(typed, group) for group in self.profile.groups):
            return False
        place.over = False
        place.above.clear()
        place.unit = units[0] if len(units) == 1 else None
        place.group = None
        if len(units) != 1:
            row = next(r for r in range(1, len(place.sheet.rows) + 1) if text in map(shown, place.sheet.rows[r - 1]))
            place.group = self._unit_remark(place, row, None, text, units)
        return True

    def _is_around(self, texts: Sequence[str], *, alone: bool) -> bool:
        """Whether the row counts or signs, and is no person."""
        first = words(texts[0]) if texts else None
        total = first is not None and any(starts(first, known) for known in self.profile.totals)
        return alone and (total or self._ends(texts))

    def _ends(self, texts: Sequence[str]) -> bool:
        return any(_ends(words(text), self.profile) for text in texts)

    # ---- people ----

    def _read_person(self, place: _Place, row: int) -> None:
        self.read += 1
        facts: dict[str, Fact] = {}
        unit: str | None = None
        faults: list[Remark] = []
        has_branch = False
        for number, heading in sorted(place.table.headings.items()):
            cell = self._cell(place, row, number, heading)
            if heading.column is None or is_blank(cell, self.profile):
                if heading.column and (row, number) in place.sheet.uncomputed:
                    faults.append(
                        self._at(place, row, heading, "the formula has no result; open the file in Excel and save it")
                    )
                continue
            if heading.column.read == "branch":
                has_branch = True
                found = self._units(shown(cell), branch=True)
                unit = found[0] if len(found) == 1 else None
                if unit is None:
                    faults.append(self._unit_remark(place, row, heading, shown(cell), found))
                continue
            try:
                self._merge(place, row, heading, facts, self._read(place, row, heading, cell))
            except Unreadable as error:
                faults.append(self._at(place, row, heading, error.message, error.params))
            except Doubtful as error:
                self._warn(self._at(place, row, heading, error.message, error.params))
        self._finish(place, row, facts, unit if has_branch else self._unit(place, row, faults), faults)

    def _cell(self, place: _Place, row: int, number: int, heading: Heading) -> Cell:
        """Returns what a person sees there: merged cells count for all their rows, except for names."""
        is_name = self._is_name(place.table, number)
        top, left = place.sheet.anchor(row, number)
        cell = place.sheet.at(row, number) if is_name or left != number else place.sheet.at(top, number)
        if isinstance(cell, str) and tidy(cell).strip("-\u2013. ").casefold() in self.profile.same_as_above:
            cell = place.above.get(number)
        place.above[number] = cell
        return cell

    def _read(self, place: _Place, row: int, heading: Heading, cell: Cell) -> dict[str, Fact]:
        assert heading.column is not None
        if heading.column.read == "unit":
            found = self._units(shown(cell), branch=False)
            if len(found) == 1:
                return {heading.column.to: found[0]}
            if found:
                names = ", ".join(f"{self.organisations[id_]} ({id_})" for id_ in found)
                raise Doubtful("{value} may be {names}; left unknown", value=shown(cell)[:80], names=names)
            raise Doubtful("{value} is no organisation known here; left unknown", value=shown(cell)[:80])
        context = Context(profile=self.profile, today=self.today, serial_shift=place.sheet.serial_shift)
        return read_cell(heading.column, cell, context, heading.half)

    def _merge(
        self, place: _Place, row: int, heading: Heading, facts: dict[str, Fact], more: Mapping[str, Fact]
    ) -> None:
        """Adds the facts of one more cell: parts of a name in their order, the highest of several levels."""
        for fact, value in more.items():
            before = facts.get(fact)
            if before is None or before == value:
                facts[fact] = value
            elif heading.column and heading.column.read == "name":
                facts[fact] = f"{before} {value}"
            elif heading.column and heading.column.read == "level":
                facts[fact] = highest([str(before), str(value)], self.profile)
            else:
                raise Unreadable(
                    "{fact} is {one} in one column and {other} here", fact=fact, one=str(before), other=str(value)
                )

    def _unit(self, place: _Place, row: int, faults: list[Remark]) -> str | None:
        """Returns the unit of a row that names none itself."""
        if place.unit or place.group:
            if place.group and place.group not in self.rejected:
                self.rejected.append(place.group)  # once for the group, not again for each row below it
            return place.unit
        if self.own is None:
            faults.append(remark(place.sheet.name, row, None, "", "no branch is named for this row"))
        return self.own

    def _finish(self, place: _Place, row: int, facts: dict[str, Fact], unit: str | None, faults: list[Remark]) -> None:
        required = self.profile.required
        name_at = next(h for h in place.table.headings.values() if h.column and h.column.to == required)
        if required not in facts and not any(f.heading == name_at.label for f in faults):
            faults.append(self._at(place, row, name_at, "there is no name"))
        self.rejected.extend(faults)
        if faults or unit is None:
            return
        person = PersonRow(sheet=place.sheet.name, row=row, org_id=unit, facts=facts)
        known = Known.of(facts, unit)
        twins = self._seen.setdefault(known.key, [])
        twin = next((t for t in twins if same_person(Known.of(t.facts, t.org_id), known)), None)
        if twin is None:
            twins.append(person)
            self.rows.append(person)
        elif twin.facts == facts:
            self._warn(self._at(place, row, name_at, "the same as row {row}; read once", {"row": twin.row}))
        else:
            message = "the same person as in row {row}, with other data; leave one of the two"
            self.rejected.append(self._at(place, row, name_at, message, {"row": twin.row}))

    # ---- units and remarks ----

    def _units(self, text: str, *, branch: bool) -> list[str]:
        key = (text, branch)
        if key not in self._found:
            self._found[key] = match_unit(
                text,
                self.branches if branch else self.organisations,
                prefixes=self.profile.unit_prefixes if branch else (),
                abbreviations=self.profile.abbreviations,
                beginnings=not branch,
            )
        return self._found[key]

    def _unit_remark(self, place: _Place, row: int, heading: Heading | None, text: str, found: Sequence[str]) -> Remark:
        if found:
            names = ", ".join(f"{self.branches[id_]} ({id_})" for id_ in found)
            message, params = "{value} may be {names}; write the full name", {"value": text[:80], "names": names}
        else:
            message, params = "{value} is no branch known here", {"value": text[:80]}
        if heading is None:
            cells = place.sheet.rows[row - 1]
            number = next((n for n, cell in enumerate(cells, 1) if shown(cell) == text), None)
            return remark(place.sheet.name, row, number, "", message, dict(params))
        return self._at(place, row, heading, message, dict(params))

    def _at(
        self, place: _Place, row: int, heading: Heading, message: str, params: dict[str, object] | None = None
    ) -> Remark:
        return remark(place.sheet.name, row, heading.number, heading.label, message, params)

    def _warn(self, warning: Remark) -> None:
        self._warnings.append(warning)

    def gathered(self) -> list[Remark]:
        """Returns the warnings, equal ones of one column once, at their first row."""
        first: dict[tuple[str, str, str, str], Remark] = {}
        for warning in self._warnings:
            first.setdefault((warning.sheet, warning.column, warning.message, repr(warning.params)), warning)
        return list(first.values())


def _ends(typed: Words, profile: Profile) -> bool:
    for parts in profile.ends:
        if len(parts) > 1 and holds_in_order(typed, parts):
            return True
        if len(parts) == 1 and starts(typed, parts[0]):
            return True
    return False
