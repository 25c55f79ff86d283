"""`whatif`: what other workflow files would decide otherwise."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import As, Token
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from engine.supposing import Otherwise, Outcome, Supposed, Turned


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(whatif)


def whatif(
    ctx: typer.Context,
    workflows: Annotated[Path, typer.Option("--workflows", metavar="DIR", help="The folder with the other files.")],
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="DAY", help="The day for which those on the way are asked, also one to come."),
    ] = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """What other workflow files would decide otherwise: steps that were taken, and those on the way. Writes nothing.

    Names subjects by their ids, and the rules with their sources; no facts. With --as: only what that officer reads.
    Attempts that were refused are not asked again, and times of the clock and notices are not compared.

    Examples: ketnap whatif --workflows my-workflows/
              ketnap whatif --workflows my-workflows/ --on 2027-01-01 --as hoa --json
    """
    from cli.bootstrap import workflow_sources
    from cli.identity import reader
    from cli.inputs import read_day

    session: Session = ctx.obj
    sources = workflow_sources(session.settings, workflows)
    by = None if as_ is None else reader(session, as_, token)
    found = session.service.supposing.differences(sources, by, read_day("on", on))
    session.write(_document(session, found), lambda console: _show(session, console, found))


def _document(session: Session, found: Supposed) -> dict[str, Any]:
    return {
        "changed": list(found.changed),
        "on": found.on.isoformat(),
        "past": {
            "steps": found.steps,
            "undecided": found.undecided,
            "differ": len(found.past),
            "decisions": [_step(session, o) for o in found.past],
        },
        "running": {
            "subjects": found.running,
            "differ": len({o.subject for o in found.now}),
            "decisions": [_step(session, o) for o in found.now],
        },
        "counts": [
            {"workflow": workflow, "org": org, "past": past, "running": now}
            for (workflow, org), (past, now) in found.counts().items()
        ],
    }


def _step(session: Session, o: Otherwise) -> dict[str, Any]:
    entry = o.entry
    return {
        "subject": o.subject,
        "workflow": o.workflow,
        "org": o.org,
        "trigger": o.trigger,
        "event": entry.id if entry is not None else None,
        "seq": entry.seq if entry is not None else None,
        "on": entry.on if entry is not None else None,
        "from": o.source,
        "was": o.was.to,
        "now": o.now.to,
        "error": session.teller.invalid(o.now.error) if o.now.error is not None else None,
        "asks": list(o.asks),
        "rules": [_rule(session, t) for t in o.rules],
    }


def _rule(session: Session, turned: Turned) -> dict[str, Any]:
    judgement = turned.now or turned.was
    assert judgement is not None
    sides: dict[str, Any] = {}
    for name, j in (("was", turned.was), ("now", turned.now)):
        version = j.version if j is not None else None
        sides[name] = j.result if j is not None else None
        sides[f"source_{name}"] = version.source if version is not None else None
    label = session.teller.text(judgement.rule.label)
    return {"rule": judgement.rule.id, "kind": judgement.force, "label": label, **sides}


# ---- for people ----


def _show(session: Session, console: Console, found: Supposed) -> None:
    if not found.changed:
        console.print(session.say("These files are the ones that are loaded."))
    console.print(session.say("Steps taken: {n}, decided otherwise: {m}", n=found.steps, m=len(found.past)))
    if found.undecided:
        console.print(session.say("Steps that cannot be decided any more: {n}", n=found.undecided))
    for o in found.past:
        _show_step(session, console, o)
    concerned = len({o.subject for o in found.now})
    console.print(session.say("On the way: {n}, decided otherwise: {m}", n=found.running, m=concerned))
    for o in found.now:
        _show_step(session, console, o)
    counts = found.counts()
    if not counts:
        return
    from rich.table import Table

    with session.service.work() as work:
        names = {id: org.name for id, org in work.office.tree.by_id.items()}
    titles = ("Workflow", "Unit", "Steps taken", "On the way")
    table = Table(*(session.translate(t) for t in titles))
    for (workflow, org), (past, now) in counts.items():
        table.add_row(workflow, names.get(org, org), str(past), str(now))
    console.print(table)


def _show_step(session: Session, console: Console, o: Otherwise) -> None:
    label = session.teller.trigger(o.definition, o.trigger)
    head = f"{o.subject}: {label}"
    if o.entry is not None and o.entry.on is not None:
        head += f", {date.fromisoformat(o.entry.on).strftime('%d/%m/%Y')}"
    console.print(f"  {head}: {_outcome(session, o, o.was)} → {_outcome(session, o, o.now)}", soft_wrap=True)
    if o.now.error is not None:
        console.print(f"    {session.teller.invalid(o.now.error)}", soft_wrap=True)
    if o.asks:
        what = session.teller.facts(o.other, o.asks)
        console.print(f"    {session.say('asks for: {what}', what=what)}", soft_wrap=True)
    for turned in o.rules:
        rule = _rule(session, turned)
        was, now = (session.translate(rule[side] or "not asked") for side in ("was", "now"))
        sources = dict.fromkeys(s for s in (rule["source_was"], rule["source_now"]) if s)
        told = f"{rule['label']} ({rule['rule']}): {was} → {now}"
        console.print(f"    {told}. {session.say('Source')}: {' → '.join(sources)}", soft_wrap=True)


def _outcome(session: Session, o: Otherwise, outcome: Outcome) -> str:
    if outcome.to is None:
        return session.say("not taken")
    return session.teller.state(o.definition if outcome is o.was else o.other, outcome.to)
