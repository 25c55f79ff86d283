"""`notices`: what was sent, what waits, what will go out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import As, Reason, Token
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

STATES = ("queued", "claimed", "accepted", "delivered", "refused", "failed", "unknown", "cancelled")
SENT = "sent"  # accepted or delivered


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(no_args_is_help=True, help="Notices: sent, waiting, expected.", rich_markup_mode=None)
    group.command("list")(list_)
    group.command("forecast")(forecast)
    group.command("resolve")(resolve)
    app.add_typer(group, name="notices")


def list_(
    ctx: typer.Context,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="Only these; `sent` is accepted or delivered.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="SUBJECT", help="Only about this subject.")
    ] = None,
) -> None:
    """The notices that are in the outbox: waiting, sent, refused, or not known to have arrived.

    Example: ketnap notices list --state unknown
    """
    from engine.core.errors import BadInput

    session: Session = ctx.obj
    if state is not None and state not in (*STATES, SENT):
        raise BadInput("{value} is not one of {known}", value=state, known=", ".join((*STATES, SENT)))
    states = None if state is None else ["accepted", "delivered"] if state == SENT else [state]
    rows = session.service.notices(states=states, subject=subject)
    documents = [session.teller.notice(row, text) for row, text in rows]
    session.write(documents, lambda console: _show(session, console, documents))


def _show(session: Session, console: Console, documents: Sequence[dict[str, Any]]) -> None:
    from rich.table import Table

    columns = ("At", "To", "Channel", "State", "Notice", "Id")
    table = Table(*(session.say(c) for c in columns))
    for d in documents:
        state = session.translate(d["state"]) if "state" in d else ""
        table.add_row(session.moment(d["at"]), d["to"], d["channel"], state, d["subject_line"], d.get("id", ""))
    if documents:
        console.print(table)
    console.print(session.say("{n} notices", n=len(documents)))


def forecast(
    ctx: typer.Context,
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="The first day.")],
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="The last day.")],
) -> None:
    """What would go out from a day to a day if nothing changed. Nothing is written and nothing sent.

    Example: ketnap notices forecast --from 2026-01-01 --to 2026-01-31
    """
    from cli.bootstrap import forecast_on
    from cli.inputs import need_day
    from engine.core.errors import BadInput

    session: Session = ctx.obj
    begins, ends = need_day("from", first), need_day("to", last)
    if ends < begins:
        raise BadInput("to: {last} is before from: {first}", last=ends.isoformat(), first=begins.isoformat())
    teller = session.teller
    documents = [
        {
            "at": teller.time(e.at),
            "rule": e.row.rule,
            "subject": e.row.subject,
            "to": e.row.recipient,
            "on_behalf_of": e.row.behalf,
            "channel": e.row.channel,
            "urgent": e.row.urgent,
            "subject_line": e.subject_line,
            "body": e.body,
        }
        for e in forecast_on(session.opened, begins, ends, session.lang)
    ]
    session.write(documents, lambda console: _show(session, console, documents))


def resolve(
    ctx: typer.Context,
    id_: Annotated[str, typer.Argument(metavar="ID", help="The notice's id, from `notices list`.")],
    outcome: Annotated[str, typer.Argument(metavar="sent|again|cancel", help="What a person found out.")],
    reason: Reason = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Say of a notice nobody knows the end of: it was sent, send it again, or (with a reason) it is not wanted.

    Example: ketnap notices resolve 5f0c... again --as minh
    """
    from cli.identity import acting

    session: Session = ctx.obj
    service = session.changing()
    changed = service.resolve([id_], outcome, acting(session, service, as_, token), reason)
    document = {"id": id_, "outcome": outcome, "changed": changed}
    session.write(document, lambda console: console.print(session.say("{n} notices", n=changed)))
