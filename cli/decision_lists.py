"""`import decisions`: the lines of a sitting or a class from a list that names people as offices do."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import As, Facts, ListFiles, On, Reason, Subject, Token
from cli.session import Session


def import_decisions(
    ctx: typer.Context,
    subject: Subject,
    files: ListFiles,
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
              ketnap import decisions lop1 xa1.xlsx xa2.xlsx --trigger enrol --do enrol --as tam --dry-run
    """
    from dataclasses import replace

    from cli.inputs import read_day, read_facts
    from cli.lists import begin, finish, open_lists, profile_of
    from cli.stepping import document_of, show_moved
    from engine.core.commands import Move
    from engine.importing import Imported
    from reports.line_lists import lines_of
    from reports.tables import read_table

    session: Session = ctx.obj
    name, sheets = open_lists(files)
    service, by = begin(session, as_, token, dry_run=dry_run, founding=False)
    with service.work() as work:
        area, today = work.library.area.file.area, work.today
    profile = profile_of(session, area, "decisions")
    reading = read_table(sheets, profile, file=name, today=today, known={})
    given = read_facts(facts or ())
    people = service.sheets.nameable(subject, trigger, facts=given)
    found, rejected = lines_of(reading.rows, people, do or people.only_line)
    reading = replace(reading, rejected=(*reading.rejected, *rejected))
    if reading.rejected:
        finish(session, reading, Imported(), dry_run=dry_run)
        return
    command = Move(subject=subject, trigger=trigger, facts=given, on=read_day("on", on), reason=reason, lines=found)
    answer = service.sheets.rehearse(command, by) if dry_run else service.move(command, by)
    document = {**document_of(session, service, answer), "read": reading.read, "rejected": [], "dry_run": dry_run}
    session.write(document, lambda console: show_moved(session, console, service, answer, document))
    if not answer.allowed:
        raise typer.Exit(1)
