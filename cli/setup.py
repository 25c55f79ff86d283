"""`init` and `status`: making a database, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import As, Token
from cli.session import Session
from engine.core.events import unstamp

if TYPE_CHECKING:
    from rich.console import Console

    from engine.core.machine import Definition
    from engine.trail import Left

LATE_S = 600  # what is due waits this long only where no scheduler runs


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(init)
    app.command()(status)


def init(
    ctx: typer.Context,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="To try things: its clock may be set.")] = False,
    workflows: Annotated[
        Path | None, typer.Option("--workflows", metavar="DIR", help="Load these instead of the shipped workflows.")
    ] = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Make the database, its keys and its workflows; safe to call again after an upgrade.

    Example: ketnap init --sandbox
    """
    from cli.bootstrap import make_database, workflow_sources
    from cli.files import check_sources
    from engine.core.errors import BadInput
    from engine.core.reader import FindingsError
    from engine.steps import By

    session: Session = ctx.obj
    session.new_sandbox = sandbox
    sources = workflow_sources(session.settings, workflows)
    faults = [f for f in check_sources(sources) if f.severity == "error"]
    if faults:  # before anything is made, so that a fault in a file leaves nothing behind
        raise FindingsError(tuple(faults))
    made = make_database(session.settings)
    service = session.opened.service
    if not made.new and sandbox and not session.opened.sandbox:
        raise BadInput("this is a real database; it cannot become a sandbox")
    by = By(officer=None)
    if as_ is not None:
        from cli.identity import acting

        by = acting(session, service, as_, token)
    changed = service.load(sources, by=by, sandbox=sandbox if made.new else None)
    service.trail.begin()
    document = {
        "db": session.settings.db,
        "sandbox": service.is_sandbox(),
        "created": made.new,
        "workflows": [s.workflow for s in sources],
        "loaded": changed,
        "keys": [str(k) for k in made.keys],
        "folder": str(workflows) if workflows is not None and session.settings.workflows is None else None,
    }
    session.write(document, lambda console: _show_init(session, console, document))


def _show_init(session: Session, console: Console, document: dict[str, Any]) -> None:
    if document["created"]:
        kind = session.say("a sandbox") if document["sandbox"] else session.say("a real database")
        console.print(session.say("{db} is ready: {kind}.", db=document["db"], kind=kind))
    else:
        console.print(session.say("{db} is up to date.", db=document["db"]))
    if document["loaded"]:
        console.print(session.say("Workflows loaded: {names}.", names=", ".join(document["loaded"])))
    else:
        console.print(session.say("No workflow has changed."))
    for key in document["keys"]:
        console.print(session.say("A key was made in {file}. Keep a copy of it in a safe place.", file=key))
    if document["folder"] is not None:
        console.print(
            session.say(
                "Reports, forms and lists are read from {folder} too: name it in ketnap.toml (`workflows`) or in "
                "KETNAP_WORKFLOWS.",
                folder=document["folder"],
            )
        )


def status(ctx: typer.Context) -> None:
    """How the database stands: subjects by state, notices and how old the oldest are, what is due next.

    Example: ketnap status --json
    """
    from engine.metrics import status as delivery

    session: Session = ctx.obj
    service, opened = session.service, session.opened
    stand = delivery(service)
    due = service.next_due()
    with service.work() as work:
        states: dict[str, dict[str, int]] = {}
        for row in work.tx.find_subjects():
            by_state = states.setdefault(row.workflow, {})
            by_state[row.state] = by_state.get(row.state, 0) + 1
        events = stand.exposure.size
        document: dict[str, Any] = {
            "db": session.settings.db,
            "sandbox": opened.sandbox,
            "now": session.teller.time(work.now),
            "workflows": {w: work.library.newest(w).id for w in work.library.workflows},
            "organisations": len(work.office.tree.by_id),
            "officers": len(work.office.officers),
            "subjects": states,
            "events": events,
            "notices": work.tx.outbox_counts(),
            "notices_oldest_s": {state: int(age.total_seconds()) for state, age in stand.ages.items()},
            "gateways_held": [
                {"channel": lane.channel, "domain": lane.domain, "until": session.teller.time(lane.until)}
                for lane in stand.held
            ],
            "bad_contacts": stand.bad_contacts,
            "exposed": stand.exposure.events,
            "checkpoint_left": None if stand.exposure.last is None else vars_of(stand.exposure.last, session),
            "timers_late_s": int(stand.late.total_seconds()),
            "next_due": session.teller.time(due),
        }
        definitions = work.library.all_newest()
    session.write(document, lambda console: _show_status(session, console, document, definitions))


def _show_status(
    session: Session, console: Console, document: dict[str, Any], definitions: Mapping[str, Definition]
) -> None:
    from rich.table import Table

    kind = session.say("a sandbox") if document["sandbox"] else session.say("a real database")
    console.print(f"{document['db']} ({kind})  {session.moment(document['now'])}")
    counts = session.say(
        "{organisations} organisations, {officers} officers, {events} events",
        organisations=document["organisations"],
        officers=document["officers"],
        events=document["events"],
    )
    console.print(counts)
    table = Table(session.say("Workflow"), session.say("State"), session.say("Subjects"))
    for workflow, states in document["subjects"].items():
        definition = definitions.get(workflow)
        for state, n in states.items():
            if definition is None:
                table.add_row(workflow, state, str(n))
                continue
            title = f"{session.teller.text(definition.file.title)} ({workflow})"
            table.add_row(title, session.teller.state(definition, state), str(n))
    if table.row_count:
        console.print(table)
    _show_delivery(session, console, document)
    _show_exposure(session, console, document)
    if document["next_due"]:
        console.print(session.say("Next due: {at}", at=session.moment(document["next_due"])))


def vars_of(left: Left, session: Session) -> dict[str, Any]:
    """Returns the document of a checkpoint that left."""
    return {"size": left.size, "at": session.teller.time(unstamp(left.at)), "way": left.way, "to": left.to}


def _show_exposure(session: Session, console: Console, document: dict[str, Any]) -> None:
    """Says how much of the trail no checkpoint outside this machine covers."""
    left, n = document["checkpoint_left"], document["exposed"]
    if left is None:
        line = "Checkpoints: none has left this machine; {n} events could still be rewritten"
        console.print(session.say(line, n=n))
        return
    line = "Checkpoints: {n} events since the last one that left this machine ({at}, {way})"
    console.print(session.say(line, n=n, at=session.moment(left["at"]), way=session.translate(left["way"])))


def _show_delivery(session: Session, console: Console, document: dict[str, Any]) -> None:
    """Says what waits or failed, and for how long."""
    for state, n in document["notices"].items():
        if not n:
            continue
        line = session.say("Notices {state}: {n}", state=session.translate(state), n=n)
        age = document["notices_oldest_s"].get(state)
        oldest = "" if age is None else session.say(", the oldest due {age} ago", age=_age(session, age))
        console.print(line + oldest)
    for lane in document["gateways_held"]:
        where = " ".join(filter(None, (lane["channel"], lane["domain"])))
        console.print(session.say("Held until {at}: {where}", at=session.moment(lane["until"]), where=where))
    if document["bad_contacts"]:
        console.print(session.say("Addresses and numbers that were refused: {n}", n=document["bad_contacts"]))
    if document["timers_late_s"] >= LATE_S:
        late = _age(session, document["timers_late_s"])
        console.print(session.say("What was due {age} ago is not done: is `ketnap run` at work?", age=late))


def _age(session: Session, seconds: int) -> str:
    minutes = seconds // 60
    if minutes < 60:
        return session.say("{n} minutes", n=minutes)
    if minutes < 48 * 60:
        return session.say("{n} hours", n=minutes // 60)
    return session.say("{n} days", n=minutes // (24 * 60))
