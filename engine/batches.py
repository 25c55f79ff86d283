"""A step that moves many: a sitting's decisions, line by line, all recorded or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from engine import steps
from engine.core import events
from engine.core.commands import Line, Move
from engine.core.decision import Decision
from engine.core.errors import BadInput, Denied
from engine.core.machine import Step
from engine.core.views import read_facts
from engine.steps import Answer, By, LineAnswer
from engine.work import Case, Work


def move_batch(work: Work, command: Move, by: By) -> Answer:
    """Takes a step that moves many. The step itself is decided first, then every line; all are recorded or none.

    A line set aside is noted and not carried out. Raises BadInput, Denied and Conflict, naming the line.
    """
    case = work.case(command.subject)
    steps.check_version(case, command.version)
    step = steps.check_trigger(case, command.trigger, by)
    assert step.batch is not None
    on = steps.day(work, command.on, case.subject)
    decision = steps.decided(work, case, step.trigger, command.facts, on, command.reason, by)
    if not decision.allowed:
        return steps.answered(case, decision, None)
    day = decision.facts.get(step.batch.day)
    if not isinstance(day, date):
        raise BadInput("{trigger} asks for {fact}", trigger=step.trigger, fact=step.batch.day)
    if day > work.today:
        raise BadInput("{fact}: on {on} has not come yet", fact=step.batch.day, on=day.isoformat())
    event = steps.record(work, case, decision, on, command.reason, by, steps.Extra())
    lines, failed = _lines(work, case, step, decision, command.lines, day, by, event)
    if failed:
        refused = steps.answered(case, decision, None)
        answer = replace(refused, to=None, lines=lines)
        work.discard()
        denied = next((line for line in lines if line.state == "denied"), None)
        if denied is not None and not any(line.state == "refused" for line in lines):
            raise Denied(
                "line {line} ({subject}, {do}): {why}",
                why=denied.why or "role",
                line=denied.index + 1,
                subject=denied.subject,
                do=denied.do,
            )
        return answer
    opened = steps.open_other(work, case, decision, by, event)
    done = steps.answered(work.case(case.subject.id), decision, event, opened=opened)
    return replace(done, lines=lines)


def _lines(
    work: Work, case: Case, step: Step, decision: Decision, lines: Sequence[Line], day: date, by: By, event: str
) -> tuple[list[LineAnswer], bool]:
    batch = step.batch
    assert batch is not None
    below = set(work.office.tree.below(case.subject.org))
    work.fetch(line.subject for line in lines)
    seen: set[tuple[str, str]] = set()
    answers: list[LineAnswer] = []
    for i, line in enumerate(lines):
        if (line.subject, line.do) in seen:
            raise BadInput(
                "line {line}: {subject} stands twice with {do}", line=i + 1, subject=line.subject, do=line.do
            )
        seen.add((line.subject, line.do))
        answers.append(_line(work, step, decision, line, i, below, day, by, event))
    failed = any(a.state in ("refused", "denied") for a in answers)
    if batch.rest is not None and not failed:
        named = {line.subject for line in lines}
        rows = work.tx.find_subjects(workflow=batch.workflow, orgs=sorted(below), states=batch.rest.in_)
        for other in work.adopt(rows):
            if other.subject.id not in named:
                _write_line(work, step, decision, other, batch.rest.do, None, day, by, event, mentioned=False)
                answers.append(LineAnswer(index=-1, subject=other.subject.id, do=batch.rest.do, state="kept"))
    return answers, failed


def _line(
    work: Work, step: Step, decision: Decision, line: Line, i: int, below: set[str], day: date, by: By, event: str
) -> LineAnswer:
    batch = step.batch
    assert batch is not None
    spec = batch.each.get(line.do)
    if spec is None:
        raise BadInput("line {line}: {do} is not one of {known}", line=i + 1, do=line.do, known=", ".join(batch.each))
    other = work.case(line.subject)
    if other.subject.workflow != batch.workflow or other.subject.org not in below:
        raise BadInput("line {line}: {subject} does not belong to this unit", line=i + 1, subject=line.subject)
    if line.set_aside:
        return LineAnswer(index=i, subject=line.subject, do=line.do, state="set_aside")
    if other.subject.state not in batch.in_:
        raise BadInput(
            "line {line}: {subject} is in {state}, not in {known}",
            line=i + 1,
            subject=line.subject,
            state=other.subject.state,
            known=", ".join(batch.in_),
        )
    if spec.step is None:
        _write_line(work, step, decision, other, line.do, line, day, by, event)
        return LineAnswer(index=i, subject=line.subject, do=line.do, state="done")
    try:
        alone = By(officer=by.officer)  # the command's id belongs to the batch's own event
        answer = steps.move_one(work, other, spec.step, line.facts, day, line.reason, alone, steps.Extra(batch=event))
    except Denied as error:
        return LineAnswer(index=i, subject=line.subject, do=line.do, state="denied", why=error.why)
    except BadInput as error:
        raise BadInput(
            "line {line} ({subject}): {error}", line=i + 1, subject=line.subject, error=error.text()
        ) from error
    state = "done" if answer.allowed else "refused"
    return LineAnswer(index=i, subject=line.subject, do=line.do, state=state, judgements=answer.judgements)


def _write_line(
    work: Work,
    step: Step,
    decision: Decision,
    other: Case,
    do: str,
    line: Line | None,
    day: date,
    by: By,
    event: str,
    *,
    mentioned: bool = True,
) -> None:
    """Records what a line that is no transition writes. Whoever may take the batch's step may record it."""
    changes: dict[str, object] = {f: e.evaluate(decision.facts, work.calendar) for f, e in step.line_sets[do]}
    raw = {**changes, **(line.facts if line is not None else {})}
    read = read_facts(other.definition, raw, work.calendar)
    written = work.ledger.append(
        events.FACTS_SET,
        key_id=other.key_id,
        payload=steps.payload(read, line.reason if line is not None else None),
        subject=other.subject.id,
        workflow=other.subject.workflow,
        org=other.subject.org,
        on=day.isoformat(),
        definition=other.definition.id,
        batch=event,
        line=do,
        mentioned=None if mentioned else False,
        **steps.who(decision.acting, By(officer=by.officer)),
    )
    work.change(other, written, read, on=day)
