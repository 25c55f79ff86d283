"""Reads plain tables, one thing a row: the organisations and the officers of an office."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from engine.core.errors import BadInput
from engine.core.suggestions import suggest
from reports.days import Unreadable
from reports.headings import Heading, Table, find_table
from reports.profiles import Profile
from reports.readers import Context, Doubtful, is_blank, read_cell
from reports.remarks import Remark, other_row, remark
from reports.rows import RowKind, tell
from reports.sheets import Sheet


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One row read: its fields, those left empty absent. Several ids in one field are separated by single spaces."""

    sheet: str
    row: int
    fields: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class TableReading:
    """What a table gave. `read` counts its rows, rejected ones included."""

    rows: tuple[TableRow, ...]
    rejected: tuple[Remark, ...]
    warnings: tuple[Remark, ...]
    read: int


def read_table(
    sheets: Sequence[Sheet], profile: Profile, *, file: str, today: date, known: Mapping[str, Collection[str]]
) -> TableReading:
    """Reads all visible sheets that have the profile's headings.

    `known` says for a field which values (for a field with several, which of each) there are; a column that `refers`
    to another may also name a value of that column in the same file. Where rows refer to each other (a parent), each
    comes after the one it names, and rows that name each other in a circle are rejected. Raises BadInput where no
    sheet of a file has a heading, or a required column is missing.
    """
    rows: list[tuple[TableRow, dict[str, Heading]]] = []
    rejected: list[Remark] = []
    warnings: list[Remark] = []
    tables = dict.fromkeys((sheet.file for sheet in sheets), 0)
    for sheet in sheets:
        table: Table | None = None
        for row in range(1, len(sheet.rows) + 1) if not sheet.hidden else ():
            if table is None:
                table = find_table(sheet, row, profile)
                if table is not None:
                    tables[sheet.file] += 1
                    _ask_for_columns(table, profile, sheet.file or file)
                    warnings.extend(_unknown_columns(sheet, table))
            elif row > table.bottom and tell(sheet, table, row, profile).kind == RowKind.PERSON:
                fields, faults, doubts = _read_row(sheet, table, row, profile, today)
                rejected.extend(faults)
                warnings.extend(doubts)
                headings = {h.column.to: h for h in table.headings.values() if h.column}
                rows.append((TableRow(sheet=sheet.name, row=row, fields=fields), headings))
    if 0 in (tables or {"": 0}).values():
        raise BadInput(
            "{file}: no row with headings was found; the columns are {columns}",
            file=next((name for name, count in tables.items() if name and not count), file),
            columns=", ".join(column.to for column in profile.columns),
        )
    rejected.extend(_across(rows, profile, known))
    ordered, circular = _ordered([row for row, _ in rows], profile)
    rejected.extend(circular)
    return TableReading(
        rows=tuple(ordered),
        rejected=tuple(sorted(rejected, key=lambda r: (r.sheet, r.row))),
        warnings=tuple(warnings),
        read=len(rows),
    )


def _ask_for_columns(table: Table, profile: Profile, file: str) -> None:
    there = {heading.column.to for heading in table.headings.values() if heading.column}
    missing = [column.to for column in profile.columns if column.required and column.to not in there]
    if missing:
        raise BadInput("{file}: the column {columns} is missing", file=file, columns=", ".join(missing))


def _unknown_columns(sheet: Sheet, table: Table) -> list[Remark]:
    return [
        remark(
            sheet.name,
            table.top,
            number,
            heading.label,
            "the column {heading} is not known; what it holds was left out",
            {"heading": heading.label},
        )
        for number, heading in table.headings.items()
        if heading.column is None and not heading.ignored
    ]


def _read_row(
    sheet: Sheet, table: Table, row: int, profile: Profile, today: date
) -> tuple[dict[str, str], list[Remark], list[Remark]]:
    fields: dict[str, str] = {}
    faults: list[Remark] = []
    doubts: list[Remark] = []
    context = Context(profile=profile, today=today, serial_shift=sheet.serial_shift)
    for number, heading in table.headings.items():
        column = heading.column
        if column is None:
            continue
        cell = sheet.at(row, number)
        if is_blank(cell, profile):
            if column.required:
                faults.append(remark(sheet.name, row, number, heading.label, "the cell is empty"))
            continue
        try:
            fields.update({to: str(value) for to, value in read_cell(column, cell, context).items()})
        except Unreadable as error:
            faults.append(remark(sheet.name, row, number, heading.label, error.message, error.params))
        except Doubtful as error:
            doubts.append(remark(sheet.name, row, number, heading.label, error.message, error.params))
    return fields, faults, doubts


def _across(
    rows: Sequence[tuple[TableRow, Mapping[str, Heading]]], profile: Profile, known: Mapping[str, Collection[str]]
) -> list[Remark]:
    """Rejects values that are not known, and those that two rows share but must not."""
    rejected: list[Remark] = []
    for column in profile.columns:
        own = {row.fields[column.refers] for row, _ in rows if column.refers in row.fields}
        first: dict[str, TableRow] = {}
        for row, headings in rows:
            if (value := row.fields.get(column.to)) is None:
                continue
            heading = headings[column.to]
            values = value.split() if column.read == "codes" else [value]
            if column.to in known or column.refers:
                missing = [v for v in values if v not in known.get(column.to, ()) and v not in own]
                for each in missing:
                    near = suggest(each, [*known.get(column.to, ()), *own])
                    message = "{value} is not known as {fact}" + ("; did you mean {near}?" if near else "")
                    params: dict[str, object] = {"value": each[:80], "fact": heading.label}
                    if near:
                        params["near"] = near
                    rejected.append(remark(row.sheet, row.row, heading.number, heading.label, message, params))
            key = "|".join([value, *(row.fields.get(to, "") for to in column.together)])
            if column.unique and (other := first.setdefault(key, row)) is not row:
                here, elsewhere = "{value} stands in row {row} too", "{value} stands in {sheet}, row {row} too"
                message, params = other_row(row.sheet, other.sheet, other.row, here, elsewhere)
                params["value"] = value[:80]
                rejected.append(remark(row.sheet, row.row, heading.number, heading.label, message, params))
    return rejected


def _ordered(rows: Sequence[TableRow], profile: Profile) -> tuple[list[TableRow], list[Remark]]:
    """Returns the rows, each after the one it refers to and else as they stood, and remarks on those in a circle."""
    column = next((c for c in profile.columns if c.refers), None)
    if column is None:
        return list(rows), []
    by_id = {row.fields[column.refers]: row for row in reversed(rows) if column.refers in row.fields}  # its first row
    ordered: list[TableRow] = []
    placed: set[int] = set()
    circular: list[Remark] = []
    for row in rows:
        chain: list[TableRow] = []
        at: TableRow | None = row
        while at is not None and id(at) not in placed:
            if any(at is before for before in chain):
                message = "{value} stands below itself"
                circular.append(remark(row.sheet, row.row, None, "", message, {"value": at.fields[column.refers]}))
                break
            chain.append(at)
            at = by_id.get(at.fields.get(column.to, ""))
        for each in reversed(chain):
            placed.add(id(each))
            ordered.append(each)
    return ordered, circular
