"""Reads lists of people as offices keep them: titles, deep headings, group rows, totals and signatures around the rows.

Nothing is guessed: a cell that cannot be read rejects its row where a date, a name or the branch is at stake, and is
left out with a warning elsewhere. A list with one rejected row is rejected whole; that is for the caller to keep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from engine.core.errors import BadInput
from reports.days import Unreadable
from reports.headings import Heading, Table, find_table
from reports.people import Known, PersonRow, Reading, same_person
from reports.profiles import Profile
from reports.readers import Context, Doubtful, Fact, is_blank, merge, read_cell, shown
from reports.remarks import Remark, other_row, remark, same_person_as
from reports.rows import Row, RowKind, is_numbered, tell, unit_forms
from reports.sheets import Cell, Sheet
from reports.units import match_unit
from reports.words import starts, tidy, words


def read_people(
    sheets: Sequence[Sheet],
    profile: Profile,
    *,
    file: str,
    today: date,
    branches: Mapping[str, str],
    organisations: Mapping[str, str],
    own: str | None = None,
    above: Mapping[str, str] | None = None,
) -> Reading:
    """Reads the people of all visible sheets.

    `branches` (id to name) are the units that a row may belong to, `organisations` those that may have introduced
    someone, both as far as the officer reaches; `own` is the unit of rows that name none, where the officer's own unit
    is a branch; `above` names the unit above a branch, for those that are called the same. Raises BadInput where no
    sheet of a file has a heading that the profile knows.
    """
    reader = _Reader(
        profile=profile, today=today, branches=branches, organisations=organisations, own=own, above=above or {}
    )
    tables = dict.fromkeys((sheet.file for sheet in sheets), 0)
    for sheet in sheets:
        tables[sheet.file] += 0 if sheet.blank else reader.read_sheet(sheet)
    if 0 in (tables or {"": 0}).values():
        column = profile.column(profile.required)
        heading = profile.name if column is None else column.to
        raise BadInput(
            "{file}: no row with headings was found; name the columns, among them the one of {fact}",
            file=next((name for name, count in tables.items() if name and not count), file),
            fact=heading,
        )
    return Reading(
        rows=tuple(reader.rows),
        rejected=tuple(reader.rejected),
        names=reader.names,
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
        above: Mapping[str, str],
    ) -> None:
        self.profile, self.today, self.own, self.above = profile, today, own, above
        self.branches, self.organisations = branches, organisations
        self.rows: list[PersonRow] = []
        self.rejected: list[Remark] = []
        self.names: dict[tuple[str, int], str] = {}
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
            person = place is not None and is_numbered(sheet, place.table, row)
            if not person and (table := find_table(sheet, row, self.profile)):
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
                    found.update(self._group_units(tidy(cell)))
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
        told = tell(place.sheet, place.table, row, self.profile, lambda text: bool(self._units(text, branch=True)))
        match told.kind:
            case RowKind.GROUP:
                self._open_group(place, row, told)
            case RowKind.END:
                place.over = True
            case RowKind.PERSON:
                # below the signature, a name in the signer's place is no person of the list
                if not place.over or told.certain:
                    self._read_person(place, row)
            case _:
                pass

    def _open_group(self, place: _Place, row: int, told: Row) -> None:
        units = self._group_units(told.text)
        place.over, place.unit, place.group = False, None, None
        place.above.clear()
        if len(units) == 1:
            place.unit = units[0]
        else:
            message, params = self._unit_fault(told.text, units)
            place.group = remark(place.sheet.name, row, told.number, "", message, params)

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
                    faults.append(self._at(place, row, heading, *self._unit_fault(shown(cell), found)))
                continue
            try:
                merge(heading.column, facts, self._read(place, heading, cell), self.profile)
            except Unreadable as error:
                faults.append(self._at(place, row, heading, error.message, error.params))
            except Doubtful as error:
                facts.update(error.facts)
                self._warn(self._at(place, row, heading, error.message, error.params))
        self._finish(place, row, facts, unit if has_branch else self._unit(place, row, faults), faults)

    def _cell(self, place: _Place, row: int, number: int, heading: Heading) -> Cell:
        """Returns what a person sees there: merged cells count for all their rows, except for names."""
        is_name = heading.column is not None and heading.column.to == self.profile.required
        top, left = place.sheet.anchor(row, number)
        cell = place.sheet.at(row, number) if is_name or left != number else place.sheet.at(top, number)
        if isinstance(cell, str) and tidy(cell).strip("-\u2013. ").casefold() in self.profile.same_as_above:
            cell = place.above.get(number)
        place.above[number] = cell
        return cell

    def _read(self, place: _Place, heading: Heading, cell: Cell) -> dict[str, Fact]:
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
        if faults and required in facts:
            self.names[place.sheet.name, row] = str(facts[required])
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
            here, elsewhere = "the same as row {row}; read once", "the same as {sheet}, row {row}; read once"
            said = other_row(place.sheet.name, twin.sheet, twin.row, here, elsewhere)
            self._warn(self._at(place, row, name_at, *said))
        else:
            said = same_person_as(place.sheet.name, twin.sheet, twin.row)
            self.rejected.append(self._at(place, row, name_at, *said))

    # ---- units and remarks ----

    def _group_units(self, text: str) -> list[str]:
        return next((units for form in unit_forms(text) if (units := self._units(form, branch=True))), [])

    def _units(self, text: str, *, branch: bool) -> list[str]:
        key = (text, branch)
        if key not in self._found:
            self._found[key] = match_unit(
                text,
                self.branches if branch else self.organisations,
                prefixes=self.profile.unit_prefixes if branch else (),
                abbreviations=self.profile.abbreviations,
                beginnings=not branch,
                above=self.above if branch else None,
            )
        return self._found[key]

    def _unit_fault(self, text: str, found: Sequence[str]) -> tuple[str, dict[str, object]]:
        if not found:
            return "{value} is no branch known here", {"value": text[:80]}
        named = {i: ", ".join(filter(None, (self.branches[i], self.above.get(i)))) for i in found}
        names = "; ".join(f"{name} ({i})" for i, name in named.items())
        return "{value} may be {names}; write the full name", {"value": text[:80], "names": names}

    def _at(
        self, place: _Place, row: int, heading: Heading, message: str, params: dict[str, object] | None = None
    ) -> Remark:
        return remark(place.sheet.name, row, heading.number, heading.label, message, params)

    def _warn(self, warning: Remark) -> None:
        self._warnings.append(warning)

    def gathered(self) -> list[Remark]:
        """Returns the warnings, equal ones of one column once, at their first row, with how often."""
        alike: dict[tuple[str, str, str, str], list[Remark]] = {}
        for warning in self._warnings:
            key = (warning.sheet, warning.column, warning.message, repr(warning.params))
            alike.setdefault(key, []).append(warning)
        return [replace(same[0], times=len(same)) for same in alike.values()]
