"""Lists of lines for a sitting or a class: each row's person is found by name, birth date and unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.core.commands import Line
from engine.sheets import Nameable
from reports.remarks import Remark
from reports.tables import TableRow

OWN = ("subject", "org", "do", "reason")  # columns that are neither facts of people nor of lines


def lines_of(rows: Sequence[TableRow], people: Nameable, do: str | None) -> tuple[tuple[Line, ...], list[Remark]]:
    """Returns the line of each row, and what is wrong with the rows: nobody so called, several, or somebody twice."""
    lines: list[Line] = []
    wrong: list[Remark] = []
    rows_of: dict[str, TableRow] = {}
    for row in rows:
        fields = {k: v for k, v in row.fields.items() if v}
        found = people.matching(fields)
        name = fields.get(people.title_fact, fields.get("subject", ""))
        line = fields.get("do") or do
        message, params = "", {"name": name, "n": len(found)}
        if not found:
            message = "{name}: nobody so called may be named here"
        elif len(found) > 1:
            message = "{name}: {n} people are so called; give the birth date, the unit or the id"
        elif found[0] in rows_of:
            first = rows_of[found[0]]
            message = "{name} stands in {sheet}, row {row}, too"
            params = {"name": name, "sheet": first.sheet, "row": first.row}
        elif line is None:
            message = "{name}: no line is named; give --do"
        if message or line is None:
            wrong.append(Remark(sheet=row.sheet, row=row.row, message=message, params=dict(params)))
            continue
        rows_of[found[0]] = row
        lines.append(Line(subject=found[0], do=line, facts=_brought(fields, people), reason=fields.get("reason")))
    return tuple(lines), wrong


def _brought(fields: Mapping[str, str], people: Nameable) -> dict[str, object]:
    return {k: v for k, v in fields.items() if k not in OWN and k not in people.telling}
