"""`sheet` and `numbers`: what a step that moves many would be about, and the register of numbers given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Facts, On, Reason, Subject
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(sheet)
    app.command()(numbers)


def sheet(
    ctx: typer.Context,
    subject: Subject,
    trigger: Annotated[str | None, typer.Option("--trigger", metavar="TRIGGER", help="Another step.")] = None,
    facts: Facts = None,
    decisions: Annotated[
        Path | None, typer.Option("--decisions", metavar="FILE", help="Rehearse these lines, .yaml or .csv.")
    ] = None,
    on: On = None,
    reason: Reason = None,
    as_: Annotated[str | None, typer.Option("--as", metavar="OFFICER", help="May this officer do it?")] = None,
) -> None:
    """The sheet of a sitting or a class: who is on it, what is proposed, what would fail. Changes nothing.

    With --decisions the lines are rehearsed: every line says what would come of it, and nothing is written.

    Examples: ketnap sheet monthly_review-xa1-2024-03 --as lan
              ketnap sheet lop1 --trigger enrol --as tam --decisions danh-sach.csv
    """
    from cli.inputs import read_facts
    from engine.sheet_documents import sheet_document
    from engine.steps import By

    session: Session = ctx.obj
    if decisions is not None:
        _rehearse(session, subject, trigger, decisions, facts or [], on, reason, as_)
        return
    service = session.service
    given = read_facts(facts or ())
    found = service.sheets.sheet(subject, trigger, officer=as_, facts=given)
    with service.work() as work:
        definition = work.case(subject).definition
        others = {row.workflow: work.library.newest(row.workflow) for row in found.rows}
    if found.rows:
        service.access.listed("sheet", len(found.rows), By(officer=as_), subject=subject, trigger=trigger)
    document = sheet_document(session.teller, found, definition, others)
    session.write(document, lambda console: _show(session, console, document))


def _show(session: Session, console: Console, document: Mapping[str, Any]) -> None:
    from rich.table import Table

    console.print(f"{document['subject']}: {document['label']}, {session.day(document['on'])}")
    table = Table(session.say("Full name"), session.say("State"), session.say("Known"), session.say("Lines"))
    for row in document["rows"]:
        known = [f"{e['label']}: {e['value']}" for e in (*row["shown"], *row["entries_shown"])]
        table.add_row(
            f"{row['title']} ({row['subject']})\n{row['org_name']}",
            row["state_label"],
            "\n".join(known),
            "\n".join(_line(session, row, choice) for choice in row["choices"]),
        )
    console.print(table)
    for unit in document["units"]:
        entries = "; ".join(f"{e['label']}: {e['value']}" for e in unit["entries_shown"])
        console.print(f"{unit['name']} ({unit['org']}): {entries or session.say('nothing was said')}")


def _line(session: Session, row: Mapping[str, Any], choice: Mapping[str, Any]) -> str:
    mark = "✓" if choice["possible"] else "✗"
    text = f"{mark} {choice['label']} ({choice['line']})"
    if row["suggested"] == choice["line"]:
        text += " ← " + session.say("proposed")
    if row["otherwise"] == choice["line"]:
        text += " ← " + session.say("if not mentioned")
    if choice["denied"]:
        text += ": " + session.translate("denied")
    return text + "".join(f"\n  → {todo}" for todo in choice["next"])


def _rehearse(
    session: Session,
    subject: str,
    trigger: str | None,
    decisions: Path,
    facts: list[str],
    on: str | None,
    reason: str | None,
    as_: str | None,
) -> None:
    from cli.inputs import read_day, read_decisions, read_facts
    from cli.stepping import document_of, show_moved
    from engine.core.commands import Move
    from engine.core.errors import BadInput
    from engine.steps import By

    service = session.service
    if as_ is None:
        raise BadInput("--as: say which officer would do it")
    given = read_facts(facts)
    name = trigger or service.sheets.sheet(subject, officer=as_, facts=given).trigger
    lines = read_decisions(decisions)
    command = Move(subject=subject, trigger=name, facts=given, on=read_day("on", on), reason=reason, lines=lines)
    answer = service.sheets.rehearse(command, By(officer=as_))
    service.access.listed("rehearsal", len(answer.lines), By(officer=as_), subject=subject, trigger=name)
    document = {**document_of(session, service, answer), "rehearsed": True, "event": None}

    def show(console: Console) -> None:
        console.print(session.say("A rehearsal: nothing was changed."))
        show_moved(session, console, service, answer, document)

    session.write(document, show)
    if not answer.allowed:
        raise typer.Exit(1)


def numbers(
    ctx: typer.Context,
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="The workflow that gives numbers.")],
    find: Annotated[str, typer.Option("--find", metavar="TEXT", help="Part of a number, of a name, of an id.")] = "",
) -> None:
    """The register of numbers given once: to whom, when, which were spoiled, later copies. That it was shown is noted.

    Examples: ketnap numbers training_class
              ketnap numbers training_class --find "Lê Văn An"
    """
    from engine.sheet_documents import register_document

    session: Session = ctx.obj
    document = register_document(session.service.sheets.numbers(workflow, text=find))
    if document:
        session.service.access.listed("numbers", len(document), workflow=workflow)

    def show(console: Console) -> None:
        from rich.table import Table

        table = Table(session.say("Number given"), session.say("Given to"), session.say("On"), session.say("By"))
        for g in document:
            spoiled = session.say("spoiled: {why}", why=g["spoiled"]) if g["spoiled"] is not None else ""
            who = f"{g['title'] or g['subject']} ({g['subject']}, {g['org']})" if g["subject"] else spoiled
            if g["copy_of"] is not None:
                who += "\n" + session.say("copy of {number}: {why}", number=g["copy_of"], why=g["why"])
            table.add_row(g["number"], who, session.day(g["on"]), f"{g['by_title'] or g['by']} ({g['by']})")
        console.print(table)

    session.write(document, show)
