"""`why`, `show` and `history`: what stands, what may be done, what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Subject
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from engine.core.machine import Definition


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(why)
    app.command()(show)
    app.command()(history)


def why(
    ctx: typer.Context,
    subject: Subject,
    trigger: Annotated[str | None, typer.Argument(metavar="[TRIGGER]", help="Only this step.")] = None,
    as_: Annotated[str | None, typer.Option("--as", metavar="OFFICER", help="May this officer do it?")] = None,
    on: Annotated[str | None, typer.Option("--on", metavar="DAY", help="As of this day instead of today.")] = None,
) -> None:
    """What may be done now, what stands in the way, and what to do next. Changes nothing.

    Examples: ketnap why u1
              ketnap why u1 admit --as hoa --json
    """
    from cli.inputs import read_day

    session: Session = ctx.obj
    service = session.service
    stands, prospects = service.why(subject, trigger, officer=as_, on=read_day("on", on))
    definition = service.reading.definition(subject)
    document = session.teller.why(definition, stands, prospects)
    session.write(document, lambda console: _show_why(session, console, document))


def _show_why(session: Session, console: Console, document: Mapping[str, Any]) -> None:
    from cli.stepping import show_rules

    console.print(f"{document['subject']}: {document['state_label']}")
    if not document["transitions"]:
        console.print(session.say("Nothing leads on from here."))
    for step in document["transitions"]:
        verdict = session.say("may be done now") if step["allowed"] else session.say("not yet")
        console.print(f"\n{step['label']} ({step['trigger']}): {verdict}")
        for line in step["next"]:
            console.print(f"  → {line}")
        show_rules(session, console, [g for g in step["guards"] if g["result"] != "pass"])


def show(
    ctx: typer.Context,
    subject: Subject,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="TIME", help="As it was known then: YYYY-MM-DD [HH:MM], office time."),
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DAY", help="As it was on this day, by what is known (then).")
    ] = None,
    purpose: Annotated[
        str | None, typer.Option("--purpose", metavar="TEXT", help="Why it is opened; kept beside the opening.")
    ] = None,
) -> None:
    """The state and the facts: now, as they were known at a time, or as they were on a day. The opening is noted.

    Examples: ketnap show u1
              ketnap show u1 --as-of "2024-03-01 12:00" --json
              ketnap show u1 --as-of 2024-06-30 --on 2024-03-01
    """
    from engine.core.marks import corrections

    session: Session = ctx.obj
    service, teller = session.service, session.teller
    if as_of is None and on is None:
        case, facts = service.show(subject, purpose=purpose)
        definition, document = case.definition, teller.shown(case, facts)
        found = corrections(service.past.marks(subject))
        document["corrected"] = [teller.corrected(c) for c in found]
    else:
        from cli.bootstrap import read_moment
        from cli.inputs import read_day

        at = read_moment("as-of", as_of, session.opened.zone) if as_of is not None else service.kit.clock.now()
        day = read_day("on", on)
        definition, standing = service.show_as_of(subject, at, day)
        document = teller.stood(subject, at, definition, standing)
        document["on"] = day.isoformat() if day is not None else None
    session.write(document, lambda console: _show_subject(session, console, definition, document))


def _names_of(session: Session, definition: Definition, document: Mapping[str, Any]) -> dict[str, str]:
    """Returns the names of the units and subjects that stand in a document: its own unit, and the keys of maps."""
    keyed = {n: document["facts"][n] for n, s in definition.file.facts.items() if s.keys and n in document["facts"]}
    keys = {k for value in keyed.values() if isinstance(value, dict) for k in value}
    with session.service.work() as work:
        units = {o.id: o.name for o in work.office.tree.by_id.values() if o.id in keys or o.id == document["org"]}
        work.fetch(keys - set(units))
        known = [work.case(id) for id in sorted(work.tx.subjects(keys - set(units)))]
        titles = {c.subject.id: session.teller.title(c.definition, c.subject.facts) for c in known}
    return {**{id: title for id, title in titles.items() if title}, **units}


def _show_subject(session: Session, console: Console, definition: Definition, document: Mapping[str, Any]) -> None:
    from rich.table import Table

    names = _names_of(session, definition, document)
    what = document["title"]
    if what == document["subject"]:
        what = session.teller.text(definition.file.title)
    unit = names.get(document["org"], document["org"])
    console.print(f"{what} ({document['subject']}): {document['state_label']}", soft_wrap=True)
    console.print(f"{unit} ({document['org']})", soft_wrap=True)
    table = Table(session.say("Fact"), session.say("Value"), session.say("Id"))
    for name, value in document["facts"].items():
        for key, item in value.items() if isinstance(value, dict) else [("", value)]:
            full = f"{name}.{key}" if key else name
            label = session.teller.fact(definition, full)
            if key in names:
                label = f"{session.teller.fact(definition, name)}: {names[key]}"
            table.add_row(label, shown_value(session, definition, name, item), full)
    if table.row_count:
        console.print(table)
    _show_corrected(session, console, definition, document.get("corrected", ()))


def _show_corrected(
    session: Session, console: Console, definition: Definition, corrected: Sequence[Mapping[str, Any]]
) -> None:
    """Shows the values that were put right: both of them, by whom, when."""
    from rich.table import Table

    if not corrected:
        return
    table = Table(
        session.say("Corrected"), session.say("It said"), session.say("It says"), session.say("Who"),
        session.say("Recorded"),
    )  # fmt: skip
    for c in corrected:
        name = c["fact"].partition(".")[0]
        was, now = (("" if v is None else shown_value(session, definition, name, v)) for v in (c["was"], c["now"]))
        who = c["actor"] or session.say("the clock")
        table.add_row(session.teller.fact(definition, c["fact"]), was, now, who, session.moment(c["at"]))
    console.print(table)


def shown_value(session: Session, definition: Definition, name: str, value: Any) -> str:
    """Returns a value as people read it: days as dd/mm/yyyy, choices by their labels, yes and no."""
    spec = definition.file.facts.get(name)
    kind = spec.type if spec is not None else "text"
    if isinstance(value, bool):
        return session.say("yes") if value else session.say("no")
    if spec is not None and kind == "choice" and spec.of:
        entry = definition.area.file.lists.get(spec.of[0], {}).get(str(value))
        return session.teller.text(entry.label) if entry is not None else str(value)
    of = spec.of[0] if spec is not None and kind == "map" and spec.of else kind
    if (entry := definition.area.file.lists.get(of, {}).get(str(value))) is not None:
        return session.teller.text(entry.label)
    if isinstance(value, str) and of == "date":
        return session.day(value)
    if isinstance(value, str) and of == "datetime":
        return session.moment(value)
    return str(value)


def history(
    ctx: typer.Context,
    subject: Subject,
    openings: Annotated[bool, typer.Option("--openings", help="Who looked at it, too.")] = False,
) -> None:
    """What happened to a subject, oldest first. The opening is noted.

    Examples: ketnap history u1 --json
              ketnap history u1 --openings
    """
    from engine.sheet_documents import line_document

    session: Session = ctx.obj
    service = session.service
    found = service.history(subject, openings=openings)
    marks = service.past.marks(subject)
    entries = [session.teller.entry(e, marks.get(e.id)) for e in found]
    definition = service.reading.definition(subject)
    with service.work() as work:
        newest = work.library.all_newest()
    for e in entries:
        e["line"] = line_document(session.teller, e["detail"], newest)
    session.write(entries, lambda console: _show_history(session, console, definition, entries))


def _marked(session: Session, definition: Definition, e: Mapping[str, Any]) -> list[str]:
    """Returns what is to be seen of an entry at a glance."""
    lines: list[str] = []
    if e["line"] is not None:
        lines.append(e["line"]["label"])
    if "origin" in e["detail"]:
        lines.append(session.say("from an export, recorded there {time}", time=session.moment(e["entered"])))
    elif e["history"] and e["kind"] != "recorded":
        lines.append(session.translate("recorded"))
    if e["delay_days"]:
        lines.append(session.say("entered {n} days late", n=e["delay_days"]))
    if e["undone_by"]:
        lines.append(session.say("undone later"))
    if e["corrected_by"]:
        lines.append(session.say("corrected later"))
    for c in e["corrects"]:
        name = c["fact"].partition(".")[0]
        was, now = (("?" if v is None else shown_value(session, definition, name, v)) for v in (c["was"], c["now"]))
        lines.append(f"{session.teller.fact(definition, c['fact'])}: {was} → {now}")
    return lines


def _show_history(session: Session, console: Console, definition: Definition, entries: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(
        session.say("Recorded"), session.say("On"), session.say("Who"), session.say("What"), session.say("From → to")
    )
    for e in entries:
        who = e["actor"] or (e["kind"] == "opened" and e["account"]) or ", ".join(e["detail"].get("by") or ())
        who = who or session.say("the clock")
        if e["on_behalf_of"]:
            who = session.say("{who} for {absent}", who=who, absent=e["on_behalf_of"])
        what = session.teller.trigger(definition, e["trigger"] or e["kind"])
        if e["kind"] == "opened":
            what = f"{session.translate('opened')}: {session.translate(str(e['detail'].get('through')))}"
        elif e["trigger"] in ("set", "undo", None):
            what = session.translate(e["kind"])
        elif e["kind"] in ("refused", "denied"):
            what = f"{what}: {session.translate(e['kind'])}"
        if e["reason"]:
            what += f" ({e['reason']})"
        what += "".join(f"\n  {line}" for line in _marked(session, definition, e))
        states = [session.teller.state(definition, s) if s else "" for s in (e["from"], e["to"])]
        table.add_row(
            session.moment(e["at"]),
            session.day(e["on"]),
            who,
            what,
            " → ".join(s for s in states if s),
        )
    console.print(table)
