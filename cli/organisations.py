"""`org`: organisations over time: founded, renamed, moved, merged, split, closed; as they stood on a day."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import As, Token
from cli.session import Session

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console

    from engine.core.authority import Org, Tree
    from engine.officework import OrgChange

Id = Annotated[str, typer.Argument(metavar="ORG", help="The organisation's id.")]
Day = Annotated[
    str | None, typer.Option("--on", metavar="DAY", help="From this day on: YYYY-MM-DD or dd/mm/yyyy; else today.")
]
AsOf = Annotated[str | None, typer.Option("--on", metavar="DAY", help="As they stood on this day; else today.")]
Decision = Annotated[str | None, typer.Option("--decision", metavar="TEXT", help="The number of the decision.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(no_args_is_help=True, help="Organisations and how they change.", rich_markup_mode=None)
    for command in (found, rename, move, merge, split, close, mark, show, tree):
        group.command(command.__name__)(command)
    group.command("list")(list_)
    app.add_typer(group, name="org")
    app.command()(transfers)


def found(
    ctx: typer.Context,
    org: Id,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="Its kind.")],
    name: Annotated[str, typer.Option("--name", help="Its name.")],
    parent: Annotated[str | None, typer.Option("--parent", metavar="ORG", help="What it stands under.")] = None,
    on: Day = None,
    decision: Decision = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Found an organisation from a day on.

    Example: ketnap org found px1 --kind grassroots_committee --name "Đảng ủy phường 1" --parent tinh --on 2025-07-01
             --decision "12-QĐ/TU" --as quan-tri
    """
    from engine.officework import OrgChange

    first = _day(ctx, on)
    change = OrgChange(id=org, kind=kind, name=name, parent=parent, from_=first, decision=decision)
    _put(ctx, change, as_, token, "{org} is founded from {day} on.", first, new=True)


def rename(
    ctx: typer.Context,
    org: Id,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    on: Day = None,
    decision: Decision = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Give an organisation another name from a day on; earlier reports keep the old one.

    Example: ketnap org rename xa1 "Đảng ủy phường Bình Minh" --on 2025-07-01 --as quan-tri
    """
    from engine.officework import OrgChange

    first = _day(ctx, on)
    change = OrgChange(id=org, name=name, from_=first, decision=decision)
    _put(ctx, change, as_, token, "{org} has its new name from {day} on.", first)


def move(
    ctx: typer.Context,
    org: Id,
    under: Annotated[str, typer.Option("--under", metavar="ORG", help="What it stands under from then on.")],
    on: Day = None,
    decision: Decision = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Put an organisation under another, with all below it.

    Example: ketnap org move cb1 --under xa2 --on 2025-07-01 --decision "12-QĐ/TU" --as quan-tri
    """
    from engine.officework import OrgChange

    first = _day(ctx, on)
    change = OrgChange(id=org, parent=under, from_=first, decision=decision)
    _put(ctx, change, as_, token, "{org} stands in its new place from {day} on.", first)


def merge(
    ctx: typer.Context,
    org: Id,
    into: Annotated[str, typer.Option("--into", metavar="ORG", help="The organisation that follows.")],
    on: Day = None,
    decision: Decision = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Merge an organisation into another: what still runs there, and the units under it, go along on the day.

    Example: ketnap org merge xa1 --into px1 --on 2025-07-01 --decision "12-QĐ/TU" --as quan-tri
    """
    from engine.officework import OrgChange

    first = _day(ctx, on)
    change = OrgChange(id=org, merge_into=into, from_=first, decision=decision)
    _put(ctx, change, as_, token, "{org} is merged from {day} on.", first)


def mark(
    ctx: typer.Context,
    org: Id,
    name: Annotated[str, typer.Argument(metavar="MARK", help="What it carries, such as a power delegated to it.")],
    first: Annotated[str | None, typer.Option("--from", metavar="DAY", help="The first day.")] = None,
    last: Annotated[str | None, typer.Option("--until", metavar="DAY", help="The last day.")] = None,
    decision: Decision = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Let an organisation carry a mark for a period.

    Example: ketnap org mark px1 decides_admissions --from 2025-07-01 --decision "12-QĐ/TU" --as quan-tri
    """
    from cli.inputs import read_day
    from engine.officework import OrgChange

    begins, ends = read_day("from", first), read_day("until", last)
    period = {"from": begins.isoformat() if begins else None, "until": ends.isoformat() if ends else None}
    change = OrgChange(id=org, marks={name: period}, decision=decision)
    _put(ctx, change, as_, token, "{org} carries the mark.", None)


def _day(ctx: typer.Context, text: str | None) -> date:
    from cli.inputs import read_day

    session: Session = ctx.obj
    given = read_day("on", text)
    if given is not None:
        return given
    with session.service.work() as work:
        return work.today


def _put(
    ctx: typer.Context,
    change: OrgChange,
    as_: str | None,
    token: str | None,
    said: str,
    day: date | None,
    *,
    new: bool = False,
) -> None:
    from cli.identity import acting
    from engine.core.errors import BadInput, NotFound

    session: Session = ctx.obj
    service = session.changing()
    by = acting(session, service, as_, token, founding=True)
    there = change.id in service.organisations.on()[1].by_id
    if new and there:
        raise BadInput("{org} stands already", org=change.id)
    if not new and not there:
        raise NotFound("there is no organisation {org}", org=change.id)
    counts = service.organisations.put([change], by)
    document = {
        "org": change.id,
        "on": day.isoformat() if day else None,
        "decision": change.decision,
        "changed": not counts.unchanged,
    }
    text = said if not counts.unchanged else "{org}: it was so already."
    shown = day.strftime("%d/%m/%Y") if day else ""
    session.write(document, lambda console: console.print(session.say(text, org=change.id, day=shown)))


def close(
    ctx: typer.Context,
    org: Id,
    on: Day = None,
    decision: Decision = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Close an organisation that has nothing left: nobody to follow, no unit under it.

    Example: ketnap org close cb9 --on 2025-07-01 --decision "12-QĐ/TU" --as quan-tri
    """
    from cli.identity import acting

    session: Session = ctx.obj
    day = _day(ctx, on)
    service = session.changing()
    service.organisations.close(org, day, decision, acting(session, service, as_, token))
    document = {"org": org, "on": day.isoformat(), "decision": decision}
    shown = day.strftime("%d/%m/%Y")
    session.write(
        document, lambda console: console.print(session.say("{org} is closed from {day} on.", org=org, day=shown))
    )


def split(
    ctx: typer.Context,
    org: Id,
    into: Annotated[list[str], typer.Option("--into", metavar="ORG", help="A unit that follows; several times.")],
    assign: Annotated[
        Path | None, typer.Option("--assign", metavar="FILE", help="Where each goes: columns id, to (.xlsx or .csv).")
    ] = None,
    on: Day = None,
    decision: Decision = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Split an organisation into others that stand already. The list says where each person and each unit goes;
    refused while somebody is left out. The organisation itself goes on where it is named among --into.

    Example: ketnap org split cb1 --into cb1a --into cb1b --assign phan-ve.csv --decision "12-QĐ/TU" --as quan-tri
    """
    from cli.identity import acting
    from engine.organising import Split

    session: Session = ctx.obj
    day = _day(ctx, on)
    places = _assignments(session, assign) if assign is not None else {}
    service = session.changing()
    by = acting(session, service, as_, token)
    went = service.organisations.split(Split(org=org, into=into, assign=places, on=day, decision=decision), by)
    document = {"org": org, "into": into, "on": day.isoformat(), "decision": decision, "went": dict(went)}

    def show(console: Console) -> None:
        console.print(session.say("{org} is split from {day} on.", org=org, day=day.strftime("%d/%m/%Y")))
        for id_, to in went.items():
            console.print(f"{id_} → {to}")

    session.write(document, show)


def _assignments(session: Session, path: Path) -> dict[str, str]:
    from cli.lists import profile_of
    from engine.core.errors import FileRefused
    from reports.sheets import open_sheets
    from reports.tables import read_table
    from web.words import fill

    with session.service.work() as work:
        area, today = work.library.area.file.area, work.today
    reading = read_table(
        open_sheets(path), profile_of(session, area, "assignments"), file=str(path), today=today, known={}
    )
    if reading.rejected:
        first = reading.rejected[0]
        why = fill(first.message, first.params, session.translate)
        raise FileRefused("{why}", file=str(path), line=first.row, why=why)
    return {r.fields["id"]: r.fields["to"] for r in reading.rows}


# ---- reading ----


def list_(ctx: typer.Context, on: AsOf = None) -> None:
    """The organisations as they stood on a day, each below the one it stands under.

    Example: ketnap org list --on 2024-12-31
    """
    from rich.table import Table

    session: Session = ctx.obj
    day, orgs, _ = _standing(session, on)
    documents = [_document(o) for o in orgs]

    def show(console: Console) -> None:
        table = Table(session.say("Id"), session.say("Kind"), session.say("Name"), session.say("Under"))
        for org in orgs:
            table.add_row(org.id, _kind(session, org), org.name, org.parent or "")
        console.print(table)

    session.write({"on": day.isoformat(), "orgs": documents}, show)


def tree(ctx: typer.Context, on: AsOf = None) -> None:
    """The tree of the organisations as it stood on a day.

    Example: ketnap org tree --on 2024-12-31
    """
    session: Session = ctx.obj
    day, orgs, stood = _standing(session, on)

    def show(console: Console) -> None:
        for org in orgs:
            depth = len(stood.path(org.id)) - 1
            console.print(f"{'  ' * depth}{org.name} ({org.id})")

    documents = [{**_document(o), "depth": len(stood.path(o.id)) - 1} for o in orgs]
    session.write({"on": day.isoformat(), "orgs": documents}, show)


def _standing(session: Session, on: str | None) -> tuple[date, list[Org], Tree]:
    from cli.inputs import read_day
    from engine.doors.organisations import standing

    day, found = session.service.organisations.on(read_day("on", on))
    return day, standing(found, day), found


def _document(org: Org) -> dict[str, Any]:
    return {
        "id": org.id,
        "kind": org.kind,
        "name": org.name,
        "parent": org.parent,
        "from": org.period.from_.isoformat() if org.period.from_ else None,
        "until": org.period.until.isoformat() if org.period.until else None,
        "merged_into": org.merged_into,
    }


def _kind(session: Session, org: Org) -> str:
    with session.service.work() as work:
        kind = work.library.area.file.kinds.get(org.kind)
    return session.teller.text(kind.label) if kind is not None else org.kind


def show(ctx: typer.Context, org: Id) -> None:
    """An organisation's periods, and what changed it: from which day, by which decision, entered by whom.

    Example: ketnap org show xa1
    """
    from rich.table import Table

    session: Session = ctx.obj
    rows, chapters = session.service.organisations.story(org)
    document: dict[str, Any] = {
        "org": org,
        "periods": [
            {
                "name": r.name,
                "kind": r.kind,
                "parent": r.parent,
                "from": None if r.from_day == "0001-01-01" else r.from_day,
                "until": r.until_day,
                "merged_into": r.merged_into,
            }
            for r in rows
        ],
        "changes": [
            {
                "what": c.what,
                "on": c.on,
                "decision": c.decision,
                "at": session.teller.time(c.at),
                "actor": c.actor,
                "event": c.event,
            }
            for c in chapters
        ],
    }

    def show(console: Console) -> None:
        table = Table(session.say("From"), session.say("Until"), session.say("Name"), session.say("Under"))
        for p in document["periods"]:
            under = p["parent"] or ""
            if p["merged_into"] is not None:
                under += "\n" + session.say("merged into {org}", org=p["merged_into"])
            table.add_row(session.day(p["from"]) or "…", session.day(p["until"]) or "…", p["name"], under)
        console.print(table)
        table = Table(session.say("Recorded"), session.say("On"), session.say("What"), session.say("Decision"))
        for c in document["changes"]:
            what = session.translate(f"organisation {c['what']}")
            table.add_row(session.moment(c["at"]), session.day(c["on"]), what, c["decision"] or "")
        console.print(table)

    session.write(document, show)


def transfers(
    ctx: typer.Context,
    org: Annotated[
        str | None, typer.Option("--org", metavar="ORG", help="Only into or out of this unit and below.")
    ] = None,
) -> None:
    """Those who are to go over to another unit and wait for its answer, the longest first.

    Example: ketnap transfers --org xa1
    """
    from rich.table import Table

    session: Session = ctx.obj
    with session.service.work() as work:
        today = work.today
    found = session.service.organisations.waiting(org)
    documents = [
        {
            "subject": w.subject, "workflow": w.workflow, "title": w.title, "state": w.state, "from": w.org, "to": w.to,
            "since": w.since.isoformat(), "days": (today - w.since).days,
        }
        for w in found
    ]  # fmt: skip

    def show(console: Console) -> None:
        table = Table(
            session.say("Id"), session.say("Name"), session.say("From unit"), session.say("To unit"),
            session.say("Asked on"), session.say("Days"),
        )  # fmt: skip
        for w in found:
            since = w.since.strftime("%d/%m/%Y")
            table.add_row(w.subject, w.title, w.org, w.to, since, str((today - w.since).days))
        console.print(table)

    session.write(documents, show)
