"""A step that moves many: a sitting's decisions, line by line, all recorded or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from engine import steps
from engine.core import events
from engine.core.commands import Move
from engine.core.decision import Decision
from engine.core.errors import BadInput, BadLines, Denied
from engine.core.guards import Judgement, judge
from engine.core.machine import Step
from engine.core.subject import Changes
from engine.core.values import Json
from engine.core.views import derive, read_facts, view_of
from engine.input import check_named
from engine.keyed import check_written
from engine.roster import Item, Roster, check_state, named
from engine.steps import Answer, By, Extra, LineAnswer
from engine.work import Case, Work


def move_batch(work: Work, command: Move, by: By) -> Answer:
    """Takes a step that moves many. The step itself is decided first, then every line; all are recorded or none.

    A line set aside is noted and not carried out. Raises BadInput (of several lines: BadLines), Denied and Conflict,
    naming the lines.
    """
    case = work.case(command.subject)
    steps.check_version(case, command.version)
    step = steps.check_trigger(case, command.trigger, by)
    assert step.batch is not None
    on = steps.day(work, command.on, case.subject)
    decision = steps.decided(work, case, step.trigger, command.facts, on, command.reason, by)
    if not decision.allowed:
        return steps.answered(case, decision, None)
    if step.batch.required and not command.lines:
        raise BadInput("{trigger} asks for at least one line", trigger=step.trigger)
    roster = Roster(work, case, step, decision, line_day(work, step, decision, on))
    roster.read(command.lines)
    roster.read_rest(command.lines)
    raise_bad(roster.errors)
    decision = replace(decision, changes=roster.changes, facts=roster.view)
    check_written(work, case.definition, case.subject.id, case.subject.org, case.subject.facts, decision.changes)
    event = steps.record(work, case, decision, on, command.reason, by, Extra())
    lines = _carry_out(work, decision, roster, by, event)
    if any(line.state in ("refused", "denied") for line in lines):
        refused = replace(steps.answered(case, decision, None), to=None, lines=lines)
        work.discard()
        denied = next((line for line in lines if line.state == "denied"), None)
        if denied is not None and not any(line.state == "refused" for line in lines):
            raise Denied(
                "line {line} ({subject}, {do}): {why}",
                why=denied.why or "role",
                line=denied.index + 1 or "-",
                subject=denied.subject,
                do=denied.do,
            )
        return refused
    opened = steps.open_other(work, case, decision, by, event)
    done = steps.answered(work.case(case.subject.id), decision, event, opened=opened)
    return replace(done, lines=lines)


def line_day(work: Work, step: Step, decision: Decision, on: date) -> date:
    """Returns the day of every line. Raises BadInput."""
    assert step.batch is not None
    if step.batch.day is None:
        return on
    day = decision.facts.get(step.batch.day)
    if not isinstance(day, date):
        raise BadInput("{trigger} asks for {fact}", trigger=step.trigger, fact=step.batch.day)
    if day > work.today:
        raise BadInput("{fact}: on {on} has not come yet", fact=step.batch.day, on=day.isoformat())
    return day


def raise_bad(errors: Sequence[BadInput]) -> None:
    """Raises the one error, or all of several in one."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise BadLines(errors)


def _carry_out(work: Work, decision: Decision, roster: Roster, by: By, event: str) -> list[LineAnswer]:
    errors: list[BadInput] = []
    answers: list[LineAnswer] = []
    for item in roster.items:
        try:
            answers.append(carry_out(work, decision, item, roster.day, by, event))
        except BadInput as error:
            errors.append(named(item.index, item.line.subject, error))
    raise_bad(errors)
    return answers


def carry_out(work: Work, decision: Decision, item: Item, day: date, by: By, event: str) -> LineAnswer:
    """Does what one line says. Raises BadInput."""
    answer = LineAnswer(
        index=item.index,
        subject=item.line.subject,
        workflow=item.other.subject.workflow,
        do=item.do,
        state=item.done,
    )
    if item.line.set_aside:
        return replace(answer, state="set_aside")
    spec = item.spec.spec
    other = work.case(item.line.subject)  # an earlier line may have moved it
    if other.subject.state != item.other.subject.state:
        check_state(other, item.states)
    if spec.step is not None:
        alone = By(officer=by.officer, behalf=by.behalf)  # the command's id belongs to the batch's own event
        extra = Extra(batch=event, detail=_detail(item))
        brought = {**item.gives, **item.facts}
        try:
            moved = steps.move_one(work, other, spec.step, brought, day, item.line.reason, alone, extra)
        except Denied as error:
            return replace(answer, state="denied", why=error.why)
        return replace(answer, state=item.done if moved.allowed else "refused", judgements=moved.judgements)
    judged = judge_record(work, other, item, day)
    if any(j.result != "pass" for j in judged):
        return replace(answer, state="refused", judgements=judged)
    if spec.sets or spec.clears or item.facts:
        _write(work, decision, item, other, day, by, event, judged)
    return replace(answer, judgements=judged)


def _detail(item: Item) -> dict[str, Json]:
    """Returns what the event of a line says of the step that it belongs to; `mentioned` is false for the rest."""
    said: dict[str, Json] = {"line": item.do, "batch_of": list(item.of)}
    return said if item.index >= 0 else {**said, "mentioned": False}


def judge_record(work: Work, other: Case, item: Item, day: date) -> tuple[Judgement, ...]:
    """Returns what the rules say that a record must meet, of the other subject as it stands before it."""
    if not item.spec.spec.guards:
        return ()
    view = view_of(other.definition, other.subject, work.moment(day), item.line.reason)
    view.update(item.gives)
    derive(view, other.definition.derived, work.calendar)
    return tuple(judge(other.definition.rules[r], "guard", item.do, view, work.calendar) for r in item.spec.spec.guards)


def _write(
    work: Work,
    decision: Decision,
    item: Item,
    other: Case,
    day: date,
    by: By,
    event: str,
    judged: Sequence[Judgement],
) -> None:
    """Records what a line that is no transition writes. Whoever may take the batch's step may record it."""
    raw: Mapping[str, object] = {**item.sets, **dict.fromkeys(item.spec.spec.clears), **item.facts}
    read: Changes = read_facts(other.definition, raw, work.calendar)
    check_named(work, other.definition, read)
    written = work.ledger.append(
        events.FACTS_SET,
        key_id=other.key_id,
        payload=steps.payload(read, item.line.reason),
        subject=other.subject.id,
        workflow=other.subject.workflow,
        org=other.subject.org,
        on=day.isoformat(),
        definition=other.definition.id,
        rules=events.rule_codes(judged) or None,
        batch=event,
        **_detail(item),
        **steps.who(decision.acting, By(officer=by.officer)),
    )
    work.change(other, written, read, on=day)
