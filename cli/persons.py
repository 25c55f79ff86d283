"""`person`: holding, erasing and copying out what is kept about one person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import As, Reason, Subject, Token
from cli.session import Session

if TYPE_CHECKING:
    from engine.steps import By

FORMATS = (".html", ".json")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(no_args_is_help=True, help="What is kept about one person.", rich_markup_mode=None)
    for command in (hold, release, erase, export, retention):
        group.command(command.__name__)(command)
    app.add_typer(group, name="person")


def _by(session: Session, as_: str | None, token: str | None) -> By:
    from cli.identity import acting

    return acting(session, session.service, as_, token)


def hold(
    ctx: typer.Context,
    subject: Subject,
    reason: Reason = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DAY", help="The last day; none: until released.")
    ] = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Keep a person's data, whoever asks for its erasure. The reason stays readable, so it must name nobody.

    Example: ketnap person hold u1 --reason "Đang giải quyết khiếu nại số 12" --until 2026-12-31 --as lan
    """
    from cli.inputs import read_day

    session: Session = ctx.obj
    service = session.changing()
    held = service.persons.hold(subject, reason, read_day("until", until), _by(session, as_, token))
    document = {"person": held.person, "event": held.event, "until": held.until.isoformat() if held.until else None}
    session.write(document, lambda console: console.print(session.say("{person} is held.", person=held.person)))


def release(ctx: typer.Context, subject: Subject, reason: Reason = None, as_: As = None, token: Token = None) -> None:
    """End a hold.

    Example: ketnap person release u1 --reason "Đã giải quyết xong" --as lan
    """
    session: Session = ctx.obj
    service = session.changing()
    person = service.persons.release(subject, reason, _by(session, as_, token))
    session.write(
        {"person": person}, lambda console: console.print(session.say("{person} is not held any more.", person=person))
    )


def erase(
    ctx: typer.Context,
    subject: Subject,
    reason: Reason = None,
    basis: Annotated[
        str | None, typer.Option("--basis", metavar="TEXT", help="The legal basis: document, number, clause.")
    ] = None,
    request: Annotated[
        str | None, typer.Option("--request", metavar="SUBJECT", help="The subject that records the request.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is really meant.")] = False,
    as_: As = None,
    token: Token = None,
) -> None:
    """Erase what tells who a person was, for good: everywhere in the database.

    The trail still verifies and statistics still count. Refused while a case is open or the data is held. Reason and
    basis stay readable, so they must name nobody.

    Example: ketnap person erase u1 --reason "Theo đơn số 5" --basis "Luật số 91/2025/QH15" --as lan
    """
    from cli.backups import erase_from_backups

    session: Session = ctx.obj
    service = session.changing()
    by = _by(session, as_, token)
    if not yes and not session.as_json:
        typer.confirm(session.say("Erase {subject} for good? Nobody can undo this.", subject=subject), abort=True)
    done = service.persons.erase(subject, reason, basis, by, request)
    copies = erase_from_backups(session.settings, service)
    document: dict[str, Any] = {
        "person": done.person,
        "event": done.event,
        "subjects": list(done.subjects),
        "cancelled": done.cancelled,
        "backups": copies,
    }
    session.write(
        document,
        lambda console: console.print(
            session.say(
                "{person} is erased: {n} subjects, and the key in {copies} backups.",
                person=done.person,
                n=len(done.subjects),
                copies=copies,
            )
        ),
    )


def export(
    ctx: typer.Context,
    subject: Subject,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="A new file, .html or .json.")],
    as_: As = None,
    token: Token = None,
) -> None:
    """Write a copy of all that is kept about a person, for that person: facts and why, what was done, who looked.

    Example: ketnap person export u1 --out ban-sao.html --as lan
    """
    from cli.outputs import write_new
    from engine.core.errors import BadInput
    from reports import person_copy

    session: Session = ctx.obj
    if out.suffix.lower() not in FORMATS:
        raise BadInput("{file}: the name must end in one of {known}", file=str(out), known=", ".join(FORMATS))
    copy = session.service.persons.copy(subject, _by(session, as_, token))
    if out.suffix.lower() == ".json":
        told = person_copy.document(copy, session.teller)
        text = json.dumps(told, ensure_ascii=False, indent=1, default=str) + "\n"
    else:
        text = person_copy.page(copy, session.teller)
    write_new(out, text)
    document = {"person": copy.person, "subjects": [c.subject.id for c in copy.cases], "file": str(out)}
    session.write(document, lambda console: console.print(session.say("Written: {file}", file=str(out))))


def retention(ctx: typer.Context) -> None:
    """Whose data is past the time that it may be kept, by the workflow's rule. It is erased with `person erase`.

    Example: ketnap person retention --json
    """
    from rich.table import Table

    session: Session = ctx.obj
    found = session.service.persons.overdue()
    document = [
        {
            "person": o.person,
            "subject": o.subject,
            "state": o.state,
            "since": o.since.isoformat(),
            "past": o.past.isoformat(),
            "source": o.source,
            "held": o.hold is not None,
        }
        for o in found
    ]

    def show(console: Any) -> None:
        table = Table(*(session.say(h) for h in ("Subject", "State", "Since", "Kept until", "Held", "Source")))
        for o in found:
            held = session.say("yes") if o.hold is not None else ""
            days = [d.strftime("%d/%m/%Y") for d in (o.since, o.past)]
            state = session.teller.state(session.service.reading.definition(o.subject), o.state)
            table.add_row(o.subject, state, *days, held, o.source)
        console.print(table if found else session.say("Nobody's data is past its time."))

    session.write(document, show)
