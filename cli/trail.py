"""`audit search`, `diff` and `supervise`: finding events, what differs between two times, a unit under supervision."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import As, Subject, Token
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from engine.core.machine import Definition
    from reports.document import Report


def add_to(group: typer.Typer) -> None:
    """Adds the commands to `audit`."""
    group.command("search")(search)
    group.command("diff")(diff)
    group.command("supervise")(supervise)


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
            str(e["seq"]), session.moment(e["at"]), session.day(e["on"]),
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


def supervise(
    ctx: typer.Context,
    unit: Annotated[str, typer.Option("--org", metavar="ORG", help="This unit and all below.")],
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="The first day.")],
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="The last day, else today.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="A new file: .html, .xlsx, .docx, .pdf or .json.")
    ] = None,
    cases: Annotated[bool, typer.Option("--cases/--no-cases", help="One page a case, too.")] = True,
    purpose: Annotated[str | None, typer.Option("--purpose", metavar="TEXT", help="Why it is made; is noted.")] = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """What an inspector asks of a unit and a period: cases by stage, each step against its time limit, exceptions with
    their reasons, what is overdue, late entries, who decided what, separation of duties, refused attempts, who opened
    dossiers, why cases ended, and each case on a page. That it was given out is noted. With --as it is made only for an
    officer who reads all of that unit.

    Example: ketnap audit supervise --org xa1 --from 2024-01-01 --to 2024-12-31 --out giam-sat.docx
    """
    from cli.identity import reader
    from cli.inputs import need_day, read_day
    from cli.outputs import write_new
    from engine.core.errors import BadInput
    from reports import supervision
    from reports.handing import FORMATS

    session: Session = ctx.obj
    service = session.service
    writers = {**FORMATS, "html": supervision.page}
    form = out.suffix.removeprefix(".").lower() if out is not None else None
    if form is not None and form not in writers:
        raise BadInput("{file}: the name must end in one of {known}", file=str(out), known=", ".join(writers))
    with service.work() as work:
        today, now = work.today, work.now
        name = work.office.tree.by_id[unit].name if unit in work.office.tree.by_id else unit
    begins, ends = need_day("from", first), read_day("to", last) or today
    by = reader(session, as_, token)
    found = service.reading.supervision(unit, begins, ends, by)
    sandbox = session.opened.sandbox
    report = supervision.make(found, session.teller, unit_name=name, now=now, today=today, sandbox=sandbox, cases=cases)
    about = {"unit": unit, "from": begins.isoformat(), "to": ends.isoformat(), "purpose": purpose, "form": form}
    note = service.access.listed if out is None else service.access.exported
    note(supervision.NAME, len(found.stories), by, **about)
    if out is not None and form is not None:
        write_new(out, writers[form](report))
        told = {"file": str(out), "report": report.id, "cases": len(found.stories)}
        session.write(told, lambda console: console.print(session.say("Written: {file}", file=str(out))))
        return
    session.write(report.json(), lambda console: _show_supervision(session, console, report))


def _show_supervision(session: Session, console: Console, report: Report) -> None:
    from cli.reporting import show

    show(session, console, report)
