"""`user token`: tokens by which programs act for an officer over the interface under `/api`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import As, Token
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

Id = Annotated[str, typer.Argument(metavar="ID", help="The officer's id.")]


def add(group: typer.Typer) -> None:
    """Adds the commands."""
    own = typer.Typer(no_args_is_help=True, help="Tokens for programs.", rich_markup_mode=None)
    own.command("make")(make)
    own.command("list")(list_)
    own.command("end")(end)
    group.add_typer(own, name="token")


def make(
    ctx: typer.Context,
    id_: Id,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="What the program is called.")],
    scopes: Annotated[
        list[str], typer.Option("--scope", metavar="read|steps|import|office|audit", help="May stand several times.")
    ],
    days: Annotated[int, typer.Option("--days", metavar="N", help="How long it lives, up to 366.")] = 90,
    as_: As = None,
    token: Token = None,
) -> None:
    """Make a token for a program that acts for you, and print it, once. Officers make their own only.

    Example: ketnap user token make lan --name "Tổng hợp tháng" --scope read --as lan
    """
    from cli.identity import acting

    session: Session = ctx.obj
    service = session.changing()
    secret, row = service.tokens.make(id_, name, scopes, days, acting(session, service, as_, token))
    document = {"officer": id_, "token": secret, **_shown(session, row)}
    session.write(
        document,
        lambda console: console.print(session.say("The token, shown this once: {token}", token=secret), soft_wrap=True),
    )


def list_(ctx: typer.Context, id_: Id, as_: As = None, token: Token = None) -> None:
    """An officer's tokens that have not ended: what each is for and until when. Never the secrets.

    Example: ketnap user token list lan --as lan
    """
    from cli.identity import acting

    session: Session = ctx.obj
    rows = session.service.tokens.of(id_, acting(session, session.service, as_, token))
    document = [_shown(session, r) for r in rows]

    def show(console: Console) -> None:
        from rich.table import Table

        table = Table(session.say("Id"), session.say("Program"), session.say("For what"), session.say("Ends"))
        for d in document:
            table.add_row(d["id"], d["name"], " ".join(d["scopes"]), session.moment(d["expires_at"]))
        console.print(table)

    session.write(document, show)


def end(
    ctx: typer.Context,
    id_: Id,
    tokens: Annotated[list[str], typer.Argument(metavar="TOKEN...", help="Ids of tokens, from `list`.")],
    as_: As = None,
    token: Token = None,
) -> None:
    """End tokens of an officer. Officers end their own, whoever keeps the accounts anybody's.

    Example: ketnap user token end lan 3f2a9c01b7de --as lan
    """
    from cli.identity import acting

    session: Session = ctx.obj
    service = session.changing()
    ended = service.tokens.end(id_, tokens, acting(session, service, as_, token))
    session.write(
        {"officer": id_, "ended": ended},
        lambda console: console.print(session.say("Tokens that ended: {n}", n=ended)),
    )


def _shown(session: Session, row: Any) -> dict[str, Any]:
    return {
        "id": row.id[:12],
        "name": row.name,
        "scopes": row.scopes.split(),
        "created_at": session.teller.time(row.created_at),
        "expires_at": session.teller.time(row.expires_at),
    }
