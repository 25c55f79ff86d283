"""`start`, `move`, `set` and `undo`: what changes a subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import As, Command, Facts, IfVersion, On, Reason, Subject, Token
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from engine.answers import Document
    from engine.core.commands import Start
    from engine.core.machine import Definition
    from engine.service import Service
    from engine.steps import Answer, By


Correct = Annotated[
    bool, typer.Option("--correct", help="Tell those to whom notices went out wrongly that they do not hold.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(start)
    app.command()(move)
    app.command("set")(set_)
    app.command()(undo)


def start(
    ctx: typer.Context,
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="Which workflow begins.")],
    org: Annotated[str, typer.Option("--org", metavar="ORG", help="The organisation it belongs to.")],
    id_: Annotated[str | None, typer.Option("--id", metavar="ID", help="The subject's id; else one is made.")] = None,
    facts: Facts = None,
    on: On = None,
    reason: Reason = None,
    as_: As = None,
    token: Token = None,
    command: Command = None,
) -> None:
    """Begin a workflow for a new subject.

    Example: ketnap start candidate --id u1 --org cb1 --as lan --fact "full_name=Trần Văn An"
    """
    from cli.identity import acting
    from cli.inputs import read_day, read_facts
    from engine.core.commands import Start

    session: Session = ctx.obj
    wanted = Start(
        workflow=workflow, org=org, id=id_, facts=read_facts(facts or ()), on=read_day("on", on), reason=reason
    )
    service = session.changing()
    by = acting(session, service, as_, token, command=command)
    _look_first(session, service, wanted, by)
    answer = service.start(wanted, by)
    document = session.teller.started(answer)
    definition = _definition(service, answer.workflow)
    state = session.teller.state(definition, answer.to or "")
    session.write(
        document,
        lambda console: console.print(
            session.say("{subject} has begun: {state}", subject=answer.subject, state=state), soft_wrap=True
        ),
    )


def _look_first(session: Session, service: Service, wanted: Start, by: By) -> None:
    """Shows who may be the same before another is made; where a person types, asks whether to go on.

    Of those in units that the officer does not read, only how many there are is told.
    """
    import sys

    if session.as_json:
        return  # a program reads `similar` in the answer, or asks `ketnap similar` before
    same = service.starting.alike(wanted.workflow, wanted.facts, by)
    if not same.cases and not same.elsewhere:
        return
    console = session.console(err=True)
    console.print(session.say("Followed already, perhaps the same:"))
    with service.work() as work:
        names = {o.id: o.name for o in work.office.tree.by_id.values()}
    for case in same.cases:
        state = session.teller.state(case.definition, case.subject.state)
        org = names.get(case.subject.org, case.subject.org)
        text = session.say("{subject}, {org}: {state}", subject=case.subject.id, org=org, state=state)
        console.print(text, soft_wrap=True)
    if same.elsewhere:
        text = session.say("In units that you do not see: {n}. Ask the agency before you go on.", n=same.elsewhere)
        console.print(text, soft_wrap=True)
    if sys.stdin.isatty() and not typer.confirm(session.say("Enter another all the same?")):
        raise typer.Exit(1)


def _definition(service: Service, workflow: str) -> Any:
    with service.work() as work:
        return work.library.newest(workflow)


def move(
    ctx: typer.Context,
    subject: Subject,
    trigger: Annotated[str, typer.Argument(metavar="TRIGGER", help="The step to take.")],
    facts: Facts = None,
    on: On = None,
    reason: Reason = None,
    decisions: Annotated[
        Path | None, typer.Option("--decisions", metavar="FILE", help="A batch's lines, .yaml or .csv.")
    ] = None,
    over_clock: Annotated[
        bool,
        typer.Option("--over-clock", help="Undo first what the clock did after that day and this proves wrong."),
    ] = False,
    correct: Correct = False,
    as_: As = None,
    token: Token = None,
    version: IfVersion = None,
    command: Command = None,
) -> None:
    """Take a step. When the rules refuse it, every rule says why, and the exit code is 1.

    Examples: ketnap move u1 recognise --as lan --fact branch_proposed_on=2024-03-01
              ketnap move monthly_review-xa1-2024-03 hold --as lan --fact held_on=2024-03-20 --decisions kq.csv
              ketnap move u1 branch_review --on 2024-09-28 --over-clock --reason "Chi bộ đã họp ngày 28/9" --as binh
    """
    from cli.identity import acting
    from cli.inputs import read_day, read_decisions, read_facts
    from engine.core.commands import Move

    session: Session = ctx.obj
    wanted = Move(
        subject=subject,
        trigger=trigger,
        facts=read_facts(facts or ()),
        on=read_day("on", on),
        reason=reason,
        lines=read_decisions(decisions) if decisions is not None else (),
        version=version,
        over_clock=over_clock,
        correct=correct,
    )
    service = session.changing()
    answer = service.move(wanted, acting(session, service, as_, token, command=command))
    document = document_of(session, service, answer)
    session.write(document, lambda console: show_moved(session, console, service, answer, document))
    if not answer.allowed:
        raise typer.Exit(1)


def document_of(session: Session, service: Service, answer: Answer) -> Document:
    """Returns what a step answers, with the lines of one that moves many."""
    with service.work() as work:
        definition = work.library.newest(answer.workflow)
        step = definition.steps.get(answer.trigger)
        batch = step.batch.workflow if step is not None and step.batch is not None else ()
        of_lines = {workflow: work.library.newest(workflow) for workflow in batch}
    return session.teller.moved(answer, definition, of_lines)


def show_moved(session: Session, console: Console, service: Service, answer: Answer, document: Document) -> None:
    """Shows what a step answered, line by line where it moves many."""
    definition = _definition(service, answer.workflow)
    teller = session.teller
    label = teller.trigger(definition, answer.trigger)
    if answer.allowed:
        state = teller.state(definition, answer.to or "")
        console.print(
            session.say("{subject}: {step} is done. Now: {state}", subject=answer.subject, step=label, state=state)
        )
    else:
        console.print(
            session.say("{subject}: {step} is refused; nothing was changed.", subject=answer.subject, step=label)
        )
    show_rules(session, console, document["guards"])
    _show_lines(session, console, service, definition, document)
    for other in answer.opened:
        console.print(session.say("Opened: {subject}", subject=other))
    _show_sent(session, console, service, answer)


def _show_lines(
    session: Session, console: Console, service: Service, definition: Definition, document: Document
) -> None:
    """Shows the lines of a step that moves many: who, what, and of those in the way why; the others are counted."""
    step = definition.steps.get(document["trigger"])
    if not document["lines"] or step is None or step.batch is None:
        return
    labels = {do: session.teller.text(line.label) for do, line in step.batch.each.items()}
    with service.work() as work:
        ids = list(dict.fromkeys(line["subject"] for line in document["lines"]))
        work.fetch(ids)
        names = {id: session.teller.title(work.case(id).definition, work.case(id).subject.facts) for id in ids}
    unnamed: Counter[str] = Counter()
    for line in document["lines"]:
        id, what, stopped = line["subject"], labels.get(line["do"], line["do"]), line["state"] in ("refused", "denied")
        if line["line"] is None and not stopped:
            unnamed[what] += 1
            continue
        number = f"{line['line']}." if line["line"] is not None else "-"
        console.print(
            f"{number} {f'{names[id]} ({id})' if names[id] else id}: {what}: {session.translate(line['state'])}"
        )
        show_rules(session, console, [g for g in line["guards"] if g["result"] != "pass"])
    for what, n in unnamed.items() if document["to"] is not None else ():
        console.print(session.say("No line names them: {what}: {n}", what=what, n=n))


def _show_sent(session: Session, console: Console, service: Service, answer: Answer) -> None:
    """Names the notices that went out wrongly, and says whether their readers are told so."""
    rules = _definition(service, answer.workflow).file.notices
    for row in answer.sent:
        console.print(
            session.say(
                "Sent already, a correction may be due: {rule} to {to} ({notice})",
                rule=session.teller.text(rules[row.rule].label) if row.rule in rules else row.rule,
                to=row.recipient,
                notice=row.id,
            )
        )
    if answer.corrections:
        console.print(session.say("Corrections that will go out: {n}", n=len(answer.corrections)))


def show_rules(session: Session, console: Console, guards: Sequence[Mapping[str, Any]]) -> None:
    """Shows what the rules said, those in the way first."""
    if not guards:
        return
    from rich.table import Table

    table = Table(session.say("Result"), session.say("Rule"), session.say("Source"))
    for guard in sorted(guards, key=lambda g: ("fail", "unknown", "pass").index(g["result"])):
        result = session.translate("breach" if guard["breach"] else guard["result"])
        if guard["kind"] == "warn" and guard["result"] != "pass":
            result = f"{result} ({session.translate('a warning only')})"
        source = guard["source"] or ""
        if guard["unverified"]:
            source += f" ({session.translate('unverified')})"
        text = guard["message"] + (f"\n→ {guard['mend']}" if guard["mend"] else "")
        table.add_row(result, text, source)
    console.print(table)


def set_(
    ctx: typer.Context,
    subject: Subject,
    facts: Annotated[list[str], typer.Argument(metavar="FACT=VALUE...", help="Facts; no VALUE makes one unknown.")],
    on: On = None,
    reason: Reason = None,
    as_: As = None,
    token: Token = None,
    version: IfVersion = None,
    command: Command = None,
) -> None:
    """Write facts without a step.

    Example: ketnap set u1 education=upper_secondary papers.application=2024-05-01 --as lan
    """
    from cli.identity import acting
    from cli.inputs import read_day, read_facts
    from engine.core.commands import SetFacts

    session: Session = ctx.obj
    wanted = SetFacts(subject=subject, facts=read_facts(facts), on=read_day("on", on), reason=reason, version=version)
    service = session.changing()
    answer = service.set_facts(wanted, acting(session, service, as_, token, command=command))
    document = session.teller.started(answer)
    session.write(
        document,
        lambda console: console.print(session.say("{subject}: written.", subject=answer.subject)),
    )


def undo(
    ctx: typer.Context,
    subject: Subject,
    reason: Reason = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Close what the step opened even where it has gone on since.")
    ] = False,
    correct: Correct = False,
    as_: As = None,
    token: Token = None,
    version: IfVersion = None,
    command: Command = None,
) -> None:
    """Undo the last step by an entry that takes it back; nothing is erased. A sitting is undone with all its lines.

    What the step opened is closed, notices that wait are cancelled, those that went out are listed.

    Example: ketnap undo u1 --as lan --reason "Nhập nhầm người" --correct
    """
    from cli.identity import acting
    from engine.core.commands import Undo

    session: Session = ctx.obj
    service = session.changing()
    by = acting(session, service, as_, token, command=command)
    answer = service.undo(Undo(subject=subject, reason=reason, version=version, deep=deep, correct=correct), by)
    document = session.teller.undone(answer)

    def show(console: Console) -> None:
        state = session.teller.state(_definition(service, answer.workflow), answer.to or "")
        console.print(session.say("{subject}: the last step is undone. Now: {state}", subject=subject, state=state))
        for other in answer.closed:
            console.print(session.say("Closed: {subject}", subject=other))
        _show_sent(session, console, service, answer)

    session.write(document, show)
