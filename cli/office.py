"""`calendar` and `substitute`: the office's own days, and who acts for whom."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import As, Token
from cli.session import Session


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    calendar = typer.Typer(
        no_args_is_help=True, help="The office's own days off and working days.", rich_markup_mode=None
    )
    calendar.command("add")(add_day)
    app.add_typer(calendar, name="calendar")
    substitute = typer.Typer(no_args_is_help=True, help="Who acts for whom, and when.", rich_markup_mode=None)
    substitute.command("add")(add_substitute)
    app.add_typer(substitute, name="substitute")


def add_day(
    ctx: typer.Context,
    day: Annotated[str, typer.Argument(metavar="DAY", help="YYYY-MM-DD or dd/mm/yyyy.")],
    off: Annotated[bool | None, typer.Option("--off/--work", help="A day off, or one worked.")] = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Declare a day off, or a working day. What is planned around it moves.

    Examples: ketnap calendar add 2026-01-02 --off --as minh
              ketnap calendar add 2026-01-10 --work --as minh
    """
    from cli.identity import acting
    from cli.inputs import need_day
    from engine.core.errors import BadInput

    session: Session = ctx.obj
    if off is None:
        raise BadInput("say --off for a day off, or --work for a working day")
    wanted = need_day("day", day)
    service = session.changing()
    changed = service.put_days([(wanted, off)], acting(session, service, as_, token))
    document = {"day": wanted.isoformat(), "off": off, "changed": bool(changed)}
    message = "{day} is a day off." if off else "{day} is a working day."
    session.write(document, lambda console: console.print(session.say(message, day=wanted.strftime("%d/%m/%Y"))))


def add_substitute(
    ctx: typer.Context,
    officer: Annotated[str, typer.Argument(metavar="OFFICER", help="Who is away.")],
    stand_in: Annotated[str, typer.Argument(metavar="STAND_IN", help="Who acts.")],
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="The first day.")],
    last: Annotated[str, typer.Option("--until", metavar="DAY", help="The last day.")],
    as_: As = None,
    token: Token = None,
) -> None:
    """Let one officer act for another, from the first to the last day, both included.

    Example: ketnap substitute add lan hoa --from 2024-05-01 --until 2024-05-15 --as lan
    """
    from cli.identity import acting
    from cli.inputs import need_day

    session: Session = ctx.obj
    begins, ends = need_day("from", first), need_day("until", last)
    service = session.changing()
    id_ = service.add_substitute(officer, stand_in, begins, ends, acting(session, service, as_, token))
    document = {
        "id": id_, "officer": officer, "stand_in": stand_in, "from": begins.isoformat(), "until": ends.isoformat()
    }  # fmt: skip
    session.write(
        document,
        lambda console: console.print(
            session.say(
                "{stand_in} acts for {officer} from {first} to {last}.",
                stand_in=stand_in,
                officer=officer,
                first=begins.strftime("%d/%m/%Y"),
                last=ends.strftime("%d/%m/%Y"),
            )
        ),
    )
