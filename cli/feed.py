"""`feed`: an officer's calendar feed, at a secret address that can be closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import As, Token
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

Officer = Annotated[str, typer.Argument(metavar="OFFICER", help="The officer whose due dates they are.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(no_args_is_help=True, help="Calendar feeds of officers.", rich_markup_mode=None)
    group.command("open")(open_)
    group.command("close")(close)
    app.add_typer(group, name="feed")


def open_(ctx: typer.Context, officer: Officer, as_: As = None, token: Token = None) -> None:
    """Make a secret address for an officer's calendar program, and print it, once. The one before ends.

    Example: ketnap feed open lan --as lan
    """
    from cli.identity import acting

    session: Session = ctx.obj
    service = session.changing()
    secret = service.feeds.open(officer, acting(session, service, as_, token))
    settings = session.settings
    base = settings.base_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    address = f"{base}/calendar/{secret}.ics"

    def show(console: Console) -> None:
        console.print(
            session.say("The address of the feed, shown this once: {address}", address=address), soft_wrap=True
        )
        console.print(session.say("Whoever has it can read these dates. Close it with: ketnap feed close {officer}",
                                  officer=officer))  # fmt: skip

    session.write({"officer": officer, "address": address}, show)


def close(ctx: typer.Context, officer: Officer, as_: As = None, token: Token = None) -> None:
    """Close an officer's calendar feed: its address opens nothing any more.

    Example: ketnap feed close lan --as lan
    """
    from cli.identity import acting

    session: Session = ctx.obj
    service = session.changing()
    service.feeds.close(officer, acting(session, service, as_, token))
    session.write(
        {"officer": officer, "closed": True},
        lambda console: console.print(session.say("The feed of {officer} is closed.", officer=officer)),
    )
