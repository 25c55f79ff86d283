"""`audit`: is the trail whole, and does what is shown agree with it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli import trail
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(no_args_is_help=True, help="The trail: whole or not.", rich_markup_mode=None)
    group.command("verify")(verify)
    trail.add_to(group)
    app.add_typer(group, name="audit")


def verify(ctx: typer.Context) -> None:
    """Recompute every hash of the trail, rebuild every subject from it, and compare. Exit code 1 when they differ.

    Example: ketnap audit verify --json
    """
    from engine.verifying import verify as verify_trail

    session: Session = ctx.obj
    report = verify_trail(session.service)
    document: dict[str, Any] = {
        "ok": report.ok,
        "events": report.events,
        "checkpoints": report.checkpoints,
        "problems": [{"event": p.event, "kind": p.kind, "message": p.text(session.translate)} for p in report.problems],
    }
    session.write(document, lambda console: _show(session, console, document))
    if not report.ok:
        raise typer.Exit(1)


def _show(session: Session, console: Console, document: dict[str, Any]) -> None:
    for p in document["problems"]:
        console.print(f"{session.translate(p['kind'])}: {p['message']}", soft_wrap=True)
    message = (
        "The trail is whole: {events} events." if document["ok"] else "The trail does not verify: {events} events read."
    )
    console.print(session.say(message, events=document["events"]))
