"""`import decisions`: the lines of a sitting or a class from a list that names people as offices do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import As, Facts, On, Reason, Subject, Token
from cli.session import Session

if TYPE_CHECKING:
    from engine.core.commands import Line
    from engine.sheets import Nameable
    from reports.remarks import Remark
    from reports.tables import TableRow

OWN = ("subject", "org", "do", "reason")  # columns that are neither facts of people nor of lines


def import_decisions(
    ctx: typer.Context,
    subject: Subject,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The list, .xlsx or .csv.")],
    trigger: Annotated[str, typer.Option("--trigger", metavar="TRIGGER", help="The step that takes the lines.")],
    do: Annotated[str | None, typer.Option("--do", metavar="LINE", help="The line of rows that name none.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")] = False,
    facts: Facts = None,
    on: On = None,
    reason: Reason = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Take a step that moves many with the lines of a list; people are found by name, birth date and unit.

    Examples: ketnap import decisions lop1 ket-qua.xlsx --trigger record_results --as tam
              ketnap import decisions lop1 danh-sach.xlsx --trigger enrol --do enrol --as tam --dry-run
    """
    from dataclasses import replace

    from cli.inputs import read_day, read_facts
    from cli.lists import begin, finish, profile_of
    from cli.stepping import document_of, show_moved
    from engine.core.commands import Move
    from engine.importing import Imported
    from reports.sheets import open_sheets
    from reports.tables import read_table

    session: Session = ctx.obj
    sheets = open_sheets(file)
    service, by = begin(session, as_, token, dry_run=dry_run, founding=False)
    with service.work() as work:
        area, today = work.library.area.file.area, work.today
    profile = profile_of(session, area, "decisions")
    reading = read_table(sheets, profile, file=str(file), today=today, known={})
    people = service.sheets.nameable(subject, trigger)
    found, rejected = lines_of(reading.rows, people, do or people.only_line)
    reading = replace(reading, rejected=(*reading.rejected, *rejected))
    if reading.rejected:
        finish(session, reading, Imported(), dry_run=dry_run)
        return
    given = read_facts(facts or ())
    command = Move(subject=subject, trigger=trigger, facts=given, on=read_day("on", on), reason=reason, lines=found)
    answer = service.sheets.rehearse(command, by) if dry_run else service.move(command, by)
    document = {**document_of(session, service, answer), "read": reading.read, "rejected": [], "dry_run": dry_run}
    session.write(document, lambda console: show_moved(session, console, service, answer, document))
    if not answer.allowed:
        raise typer.Exit(1)


def lines_of(rows: Sequence[TableRow], people: Nameable, do: str | None) -> tuple[tuple[Line, ...], list[Remark]]:
    """Returns the line of each row, and what is wrong with the rows: nobody so called, several, or somebody twice."""
    from engine.core.commands import Line
    from reports.remarks import Remark

    lines: list[Line] = []
    wrong: list[Remark] = []
    rows_of: dict[str, int] = {}
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
            message, params = "{name} stands in row {row}, too", {"name": name, "row": rows_of[found[0]]}
        elif line is None:
            message = "{name}: no line is named; give --do"
        if message or line is None:
            wrong.append(Remark(sheet=row.sheet, row=row.row, message=message, params=dict(params)))
            continue
        rows_of[found[0]] = row.row
        lines.append(Line(subject=found[0], do=line, facts=_brought(fields, people), reason=fields.get("reason")))
    return tuple(lines), wrong


def _brought(fields: Mapping[str, str], people: Nameable) -> dict[str, object]:
    return {k: v for k, v in fields.items() if k not in OWN and k not in people.telling}
