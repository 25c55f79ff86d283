"""`audit search` and `audit diff`: finding events, and what differs between two times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Subject
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from engine.core.machine import Definition


def add_to(group: typer.Typer) -> None:
    """Adds the commands to `audit`."""
    group.command("search")(search)
    group.command("diff")(diff)


def search(
    ctx: typer.Context,
    subject: Annotated[str | None, typer.Option("--subject", metavar="ID", help="Of this subject.")] = None,
    person: Annotated[
        str | None, typer.Option("--person", metavar="NAME", help="Of persons with a name like this; accents or not.")
    ] = None,
    officer: Annotated[
        str | None, typer.Option("--officer", metavar="OFFICER", help="Done by this officer, or on their behalf.")
    ] = None,
    unit: Annotated[str | None, typer.Option("--unit", metavar="ORG", help="Of this unit and those below.")] = None,
    rule: Annotated[str | None, typer.Option("--rule", metavar="RULE", help="In which this rule was judged.")] = None,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", metavar="KIND", help="Of this kind; may stand several times.")
    ] = None,
    trigger: Annotated[str | None, typer.Option("--trigger", metavar="TRIGGER", help="Of this step.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DAY", help="Recorded on or after this day.")] = None,
    last: Annotated[str | None, typer.Option("--until", metavar="DAY", help="Recorded on or before this day.")] = None,
    late: Annotated[
        int | None, typer.Option("--late", metavar="DAYS", help="Recorded at least so many days after it happened.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="So many on a page, at most 1000.")] = 50,
    before: Annotated[
        int | None, typer.Option("--before", metavar="SEQ", help="Go on from an earlier page: its `before`.")
    ] = None,
) -> None:
    """Find events in the trail, newest first, a page at a time: codes and ids, never what is sealed.

    Examples: ketnap audit search --officer lan --from 2024-01-01
              ketnap audit search --person "tran van an" --kind opened
              ketnap audit search --unit xa1 --late 7 --json
    """
    from cli.inputs import read_day
    from engine.reading import Query

    session: Session = ctx.obj
    query = Query(
        subject=subject,
        person=person,
        officer=officer,
        unit=unit,
        rule=rule,
        kinds=tuple(kind or ()),
        trigger=trigger,
        since=read_day("from", first),
        until=read_day("until", last),
        late_days=late,
        before=before,
        limit=limit,
    )
    page = session.service.reading.search(query)
    document: dict[str, Any] = {"events": [session.teller.found(e) for e in page.entries], "before": page.before}
    session.write(document, lambda console: _show_found(session, console, document))


def _show_found(session: Session, console: Console, document: Mapping[str, Any]) -> None:
    from rich.table import Table

    table = Table(
        "#", session.say("Recorded"), session.say("On"), session.say("Days late"), session.say("Who"),
        session.say("What"), session.say("Subject"), session.say("Organisation"),
    )  # fmt: skip
    for e in document["events"]:
        who = e["actor"] or e["account"] or session.say("the clock")
        if e["on_behalf_of"]:
            who = session.say("{who} for {absent}", who=who, absent=e["on_behalf_of"])
        what = " ".join(filter(None, (session.translate(e["kind"]), e["trigger"], e["detail"].get("through"))))
        table.add_row(
            str(e["seq"]), session.moment(e["at"]), "/".join(reversed((e["on"] or "").split("-"))),
            str(e["days_late"] or ""), who, what, e["subject"] or "", e["org"] or "",
        )  # fmt: skip
    console.print(table if document["events"] else session.say("Nothing was found."))
    if document["before"] is not None:
        console.print(session.say("There is more: --before {seq}", seq=document["before"]))


def diff(
    ctx: typer.Context,
    subject: Subject,
    first: Annotated[str, typer.Option("--from", metavar="TIME", help="YYYY-MM-DD [HH:MM], office time.")],
    last: Annotated[str | None, typer.Option("--until", metavar="TIME", help="The later time, else now.")] = None,
) -> None:
    """What differs in a subject between what was known at two times, and which events lie between. The opening is
    noted.

    Example: ketnap audit diff u1 --from 2024-01-01 --until 2024-06-30
    """
    from cli.bootstrap import read_moment

    session: Session = ctx.obj
    service, teller, zone = session.service, session.teller, session.opened.zone
    begins = read_moment("from", first, zone)
    ends = read_moment("until", last, zone) if last is not None else service.kit.clock.now()
    found = service.reading.difference(subject, begins, ends)
    document: dict[str, Any] = {
        "subject": subject,
        "from": teller.time(begins),
        "until": teller.time(ends),
        "state": [found.before.state if found.before is not None else None, found.after.state],
        "org": [found.before.org if found.before is not None else None, found.after.org],
        "facts": {n: [teller.value(a), teller.value(b)] for n, (a, b) in found.facts.items()},
        "events": [teller.found(e) for e in found.between],
    }
    session.write(document, lambda console: _show_difference(session, console, found.definition, document))


def _show_difference(session: Session, console: Console, definition: Definition, document: Mapping[str, Any]) -> None:
    from rich.table import Table

    from cli.asking import shown_value

    states = [session.teller.state(definition, s) if s else "–" for s in document["state"]]
    console.print(f"{document['subject']}: {' → '.join(dict.fromkeys(states))}")
    table = Table(
        session.say("Fact"), session.moment(document["from"]), session.moment(document["until"]), session.say("Id")
    )
    for name, (old, new) in document["facts"].items():
        shown = ["–" if v is None else shown_value(session, definition, name, v) for v in (old, new)]
        table.add_row(session.teller.fact(definition, name), *shown, name)
    console.print(table if document["facts"] else session.say("No fact differs."))
    console.print(session.say("Events between: {n}", n=len(document["events"])))
