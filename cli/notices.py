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

Id = Annotated[str, typer.Argument(metavar="ID", help="The notice's id, from `notices list`.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(no_args_is_help=True, help="Notices: sent, waiting, expected.", rich_markup_mode=None)
    group.command("list")(list_)
    group.command("forecast")(forecast)
    group.command("preview")(preview)
    group.command("retry")(retry)
    group.command("resolve")(resolve)
    group.command("cancel")(cancel)
    group.command("correct")(correct)
    group.command("remind")(remind)
    group.command("test-channel")(try_)
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
    rows = session.service.outbox.rows(states=states, subject=subject)
    session.service.access.listed("notices", len(rows), subject=subject)
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
    now = session.service.kit.clock.now().astimezone(session.opened.zone).date()
    if ends < now:
        raise BadInput(
            "to: {last} is past, today is {today}; what went out stands in `notices list`",
            last=ends.isoformat(),
            today=now.isoformat(),
        )
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


def preview(
    ctx: typer.Context,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The notice rule of the workflow.")],
    subject: Annotated[str, typer.Option("--subject", metavar="SUBJECT", help="The subject it is about.")],
) -> None:
    """What a notice rule would say of a subject today, and to whom. Nothing is written and nothing sent.

    Example: ketnap notices preview plan_reminder --subject annual_plan-xa1-2026 --lang en
    """
    from cli.trying import preview

    session: Session = ctx.obj
    session.service.access.opened(subject, "preview")
    found = preview(session, rule, subject)
    document = {
        "rule": rule,
        "subject": subject,
        "would_send": found.why is None,
        "why": None,
        "notices": found.notices,
    }
    if found.why is not None:
        document["why"] = session.translate(found.why)

    def show(console: Console) -> None:
        if found.why is not None:
            console.print(session.say("It would not be sent now: {why}", why=found.why))
        if not found.notices:
            console.print(session.say("Nobody is to be told."))
        for d in found.notices:
            console.rule(f"{d['to']} ({d['channel']})")
            if d["channel"] != "sms":
                console.print(d["subject_line"], style="bold")
            console.print(d["body"] or session.translate(d["detail"] or ""))
            if d["channel"] == "sms":
                console.print(session.say("SMS parts: {n}", n=d["segments"]))

    session.write(document, show)


def retry(ctx: typer.Context, id_: Id, reason: Reason = None, as_: As = None, token: Token = None) -> None:
    """Send a notice again that failed, was refused, or is not known to have arrived. Its contact is trusted again.

    Example: ketnap notices retry 5f0c... --as minh
    """
    _settle(ctx.obj, id_, "again", reason, as_, token)


def resolve(
    ctx: typer.Context,
    id_: Id,
    outcome: Annotated[str, typer.Argument(metavar="sent|again", help="What a person found out.")],
    reason: Reason = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Say of a notice nobody knows the end of that it was sent, or is to be sent again.

    Example: ketnap notices resolve 5f0c... again --as minh
    """
    from engine.core.errors import BadInput

    if outcome not in ("sent", "again"):
        raise BadInput("{value} is not one of {known}", value=outcome, known="sent, again")
    _settle(ctx.obj, id_, outcome, reason, as_, token)


def correct(
    ctx: typer.Context,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of notices that went out.")],
    reason: Reason = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Tell those who got these notices that they do not hold, with the reason. Each is corrected once.

    Example: ketnap notices correct 3f2a9c --reason "Kế hoạch đã đến ngày 24/01" --as minh
    """
    from cli.identity import acting

    session: Session = ctx.obj
    service = session.changing()
    rows = service.outbox.correct(ids, reason, acting(session, service, as_, token))
    document = {"corrections": [{"id": r.id, "notice": r.occurrence, "to": r.recipient} for r in rows]}
    session.write(
        document, lambda console: console.print(session.say("Corrections that will go out: {n}", n=len(rows)))
    )


def remind(
    ctx: typer.Context,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The notice rule, one about a date.")],
    subjects: Annotated[list[str], typer.Argument(metavar="SUBJECT...", help="Subjects it is about.")],
    as_: As = None,
    token: Token = None,
) -> None:
    """Send a rule's notice about subjects now, once a day at most. Whoever takes their next step may.

    Example: ketnap notices remind plan_reminder annual_plan-xa1-2025 annual_plan-xa2-2025 --as minh
    """
    from cli.identity import acting

    session: Session = ctx.obj
    service = session.changing()
    came = service.owing.remind(subjects, rule, acting(session, service, as_, token))
    document = [
        {
            "subject": r.subject,
            "messages": [{"id": row.id, "to": row.recipient, "channel": row.channel} for row in r.rows],
            "why": session.teller.invalid(r.why) if r.why is not None else None,
        }
        for r in came
    ]

    def show(console: Console) -> None:
        for r in came:
            console.print(f"{r.subject}: {len(r.rows) if r.why is None else session.teller.invalid(r.why)}")

    session.write(document, show)
    if all(r.why is not None for r in came):
        raise typer.Exit(1)


def cancel(ctx: typer.Context, id_: Id, reason: Reason = None, as_: As = None, token: Token = None) -> None:
    """Cancel a notice that waits or is not known to have arrived, with the reason.

    Example: ketnap notices cancel 5f0c... --reason "told in person" --as minh
    """
    _settle(ctx.obj, id_, "cancel", reason, as_, token)


def _settle(session: Session, id_: str, outcome: str, reason: str | None, as_: str | None, token: str | None) -> None:
    from cli.identity import acting

    service = session.changing()
    changed = service.outbox.resolve([id_], outcome, acting(session, service, as_, token), reason)
    document = {"id": id_, "outcome": outcome, "changed": changed}
    session.write(document, lambda console: console.print(session.say("{n} notices", n=changed)))


def try_(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="email, sms, kannel, smpp, gammu, webhook, maildir or bounces."),
    ],
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="ADDRESS", help="Really send one message to this address or number."),
    ] = None,
) -> None:
    """Try a channel: connect, look at the certificate, sign in. Sends nothing to anybody, unless --to says to whom.

    Examples: ketnap notices test-channel email
              ketnap notices test-channel kannel --to +84900000001
    """
    from cli.trying import try_channel

    session: Session = ctx.obj
    outcome = try_channel(session, name, to)
    well = outcome.state in ("accepted", "delivered")
    document = {
        "channel": name,
        "to": to,
        "ok": well,
        "state": outcome.state,
        "detail": outcome.detail,
        "message": session.translate(outcome.detail),
        "code": outcome.code,
    }
    code = f" ({outcome.code})" if outcome.code else ""
    session.write(document, lambda console: console.print(f"{session.translate(outcome.detail)}{code}"))
    if not well:
        raise typer.Exit(1)
