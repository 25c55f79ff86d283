"""`user`: officers and the accounts by which they are known."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import As, Token
from cli.session import Session

if TYPE_CHECKING:
    from engine.officework import OfficerChange
    from engine.steps import By

Id = Annotated[str, typer.Argument(metavar="ID", help="The officer's id.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    from cli import tokens

    group = typer.Typer(no_args_is_help=True, help="Officers and their accounts.", rich_markup_mode=None)
    group.command("add")(add)
    group.command("show")(show)
    group.command("disable")(disable)
    group.command("password")(password)
    group.command("factor")(factor)
    group.command("code")(code)
    tokens.add(group)
    app.add_typer(group, name="user")


def add(
    ctx: typer.Context,
    id_: Id,
    name: Annotated[str | None, typer.Option("--name", help="The officer's name.")] = None,
    org: Annotated[str | None, typer.Option("--org", metavar="ORG", help="The officer's organisation.")] = None,
    roles: Annotated[
        list[str] | None, typer.Option("--role", metavar="ROLE", help="A role held there; may stand several times.")
    ] = None,
    email: Annotated[str | None, typer.Option("--email", help="Address for notices.")] = None,
    phone: Annotated[str | None, typer.Option("--phone", help="Number for text messages.")] = None,
    account: Annotated[
        str | None, typer.Option("--account", metavar="OS_ACCOUNT", help="The operating-system account that is theirs.")
    ] = None,
    webhook: Annotated[
        str | None, typer.Option("--webhook", metavar="URL", help="Address of a program that takes the notices.")
    ] = None,
    channels: Annotated[
        list[str] | None,
        typer.Option(
            "--channel",
            metavar="CHANNEL",
            help="email, sms or webhook: tried first; several in their order, `office` for the office's order.",
        ),
    ] = None,
    with_token: Annotated[bool, typer.Option("--token", help="Make a new token and print it, once.")] = False,
    as_: As = None,
) -> None:
    """Add an officer, or change one: what is not named stays as it is. Officers may set their own channels.

    For the web pages give a password with `ketnap user password`; the officer exchanges it for their own at the first
    sign-in.

    Examples: ketnap user add lan --name "Nguyễn Thị Lan" --org xa1 --role secretary --account lan
              ketnap user add lan --channel sms --channel email --as lan
    """
    from cli.identity import new_token, token_hash
    from engine.officework import OfficerChange

    session: Session = ctx.obj
    made = new_token() if with_token else None
    change = OfficerChange(
        id=id_,
        name=name,
        org=org,
        roles=roles,
        email=email,
        phone=phone,
        account=account,
        token=token_hash(made) if made is not None else None,
        webhook=webhook,
        channels=[] if channels == ["office"] else channels,
    )
    counts = _put(session, change, as_, None)
    document: dict[str, Any] = {
        "officer": id_, "created": counts.created, "updated": counts.updated, "unchanged": counts.unchanged
    }  # fmt: skip
    if made is not None:
        document["token"] = made
    lines = [
        "{officer} is added." if counts.created else "{officer} is changed." if counts.updated else "{officer} stays."
    ]

    def show(console: Any) -> None:
        console.print(session.say(lines[0], officer=id_))
        if made is not None:
            console.print(session.say("The token, shown this once: {token}", token=made), soft_wrap=True)

    session.write(document, show)


def show(ctx: typer.Context, id_: Id) -> None:
    """An officer: organisation, roles, contacts, and the channels in the order in which they are tried.

    Example: ketnap user show lan
    """
    from engine.core.errors import NotFound

    session: Session = ctx.obj
    with session.service.work() as work:
        officer = work.office.officers.get(id_)
        if officer is None:
            raise NotFound("{officer} is not an officer here", officer=id_)
        held = [(h.role, at.id) for h, at in work.office.holdings(officer)]
        order = officer.order(work.library.area.file.channels)
        unit = work.office.tree.by_id.get(officer.org)
        stand_ins = work.office.stand_ins(id_)
        today = work.today
        labels = {r: session.teller.text(v.label) for r, v in work.library.area.file.roles.items()}
        present = officer.present(work.today)
    contacts = [
        {
            "channel": c,
            "to": officer.contact(c),
            "refused": officer.contact(c) is not None and officer.address(c) is None,
        }
        for c in order
    ]
    document = {
        "id": id_,
        "name": officer.name,
        "org": officer.org,
        "roles": [{"role": r, "org": o} for r, o in held],
        "present": present,
        "substitutes": list(stand_ins),
        "channels": contacts,
        "own_order": list(officer.channels),
    }

    def lines(console: Any) -> None:
        console.print(f"{officer.name} ({id_})", style="bold")
        told = ", ".join(f"{labels[r]} ({r})" if r in labels else r for r, _ in held) or session.say("no role today")
        console.print(f"{unit.name if unit is not None else officer.org}: {told}")
        if unit is not None and unit.period.ended(today):
            console.print(session.say("This unit stands no more: give a role at the unit that follows it."))
        if not present:
            console.print(session.say("Not in office."))
        for stand_in in stand_ins:
            console.print(session.say("Substitute today: {officer}", officer=stand_in))
        for n, one in enumerate(contacts, start=1):
            told = session.say("refused") if one["refused"] else ""
            console.print(f"{n}. {one['channel']}: {one['to'] or '-'} {told}".rstrip())

    session.write(document, lines)


def _put(session: Session, change: OfficerChange, as_: str | None, token: str | None) -> Any:
    from engine.accounts import put_account

    service = session.changing()
    return put_account(service, change, _by(session, change, as_, token))


def _by(session: Session, change: OfficerChange, as_: str | None, token: str | None) -> By:
    """Who changes an account. While nobody can show who they are, the one named with --as is taken at their word."""
    from cli.identity import acting
    from engine.accounts import nobody_signs_in
    from engine.steps import By

    service = session.service
    if as_ is not None and not session.opened.sandbox:
        with service.work() as work:
            rows = work.tx.officers()
        if rows and nobody_signs_in(rows) and as_ == change.id:
            return By(officer=as_)
    return acting(session, service, as_, token, founding=True)


def disable(ctx: typer.Context, id_: Id, as_: As = None, token: Token = None) -> None:
    """Take an officer's access away from now on; what they did stays.

    Example: ketnap user disable lan --as quan-tri
    """
    from engine.officework import OfficerChange

    session: Session = ctx.obj
    counts = _put(session, OfficerChange(id=id_, disabled=True, token="", account=""), as_, token)
    document = {"officer": id_, "disabled": True, "changed": bool(counts.updated)}
    session.write(
        document, lambda console: console.print(session.say("{officer} has no access any more.", officer=id_))
    )


def password(
    ctx: typer.Context,
    id_: Id,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read it from standard input, for programs.")] = False,
    as_: As = None,
    token: Token = None,
) -> None:
    """Set an officer's password for the web pages. Officers may set their own.

    A password that somebody else set ends the officer's sessions, and at the next sign-in the officer chooses their own
    before anything else.

    Examples: ketnap user password lan --as lan
              ketnap user password lan --as quan-tri
    """
    from engine.accounts import put_account
    from engine.officework import OfficerChange
    from engine.passwords import hash_password

    session: Session = ctx.obj
    if stdin:
        typed = sys.stdin.readline().rstrip("\r\n")
    else:
        typed = typer.prompt(
            session.say("New password"), hide_input=True, confirmation_prompt=session.say("Once more"), err=True
        )
    change = OfficerChange(id=id_, password=hash_password(typed))
    service, by = session.changing(), _by(session, change, as_, token)
    if by.officer in (None, id_):
        put_account(service, change, by)
        document: dict[str, Any] = {"officer": id_, "chooses_own": False}
        said = session.say("{officer} has a new password.", officer=id_)
    else:
        ended = service.accounts.reset_password(id_, typed, by)
        document = {"officer": id_, "chooses_own": True, "sessions_ended": ended}
        said = session.say(
            "{officer} has a new password, and chooses their own at the next sign-in. Sessions ended: {n}.",
            officer=id_, n=ended,
        )  # fmt: skip
    session.write(document, lambda console: console.print(said))


def factor(
    ctx: typer.Context,
    id_: Id,
    give: Annotated[bool, typer.Option("--give", help="Give a new one and print its key, once.")] = False,
    take: Annotated[bool, typer.Option("--take", help="Take it away, as when the telephone is lost.")] = False,
    as_: As = None,
    token: Token = None,
) -> None:
    """Give an officer the one-time codes of a telephone, or take them away; their sessions end then.

    Example: ketnap user factor lan --take --as quan-tri
    """
    from cli.identity import acting
    from engine.core.errors import BadInput
    from web.codes import TimedCodes

    session: Session = ctx.obj
    if give == take:
        raise BadInput("say either --give or --take")
    service = session.changing()
    by = acting(session, service, as_, token)
    if take:
        service.accounts.take_factor(id_, by)
        session.write(
            {"officer": id_, "factor": None},
            lambda console: console.print(session.say("{officer} has no second factor any more.", officer=id_)),
        )
        return
    secret = TimedCodes(service.kit.clock.now).secret()
    service.accounts.give_factor(id_, secret, by)
    session.write(
        {"officer": id_, "factor": secret},
        lambda console: console.print(session.say("The key, shown this once: {key}", key=secret), soft_wrap=True),
    )


def code(ctx: typer.Context, id_: Id) -> None:
    """Show an officer's one-time code of now, in a sandbox, where nobody has a telephone.

    Example: ketnap user code bithu
    """
    from engine.clock import SystemClock
    from web.codes import TimedCodes

    session: Session = ctx.obj
    found = TimedCodes(SystemClock().now).code(session.service.accounts.shown_secret(id_))
    session.write({"officer": id_, "code": found}, lambda console: console.print(found))
