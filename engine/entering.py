"""Entering a step, also a late one: over the clock in one go, with what went out wrongly meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from engine import batches, lateness, steps
from engine.core.authority import authorise
from engine.core.commands import Move
from engine.core.errors import BadInput
from engine.core.events import unstamp
from engine.core.views import read_facts, view_of
from engine.steps import Answer, By
from engine.store.rows import OutboxRow
from engine.undoing import WENT_OUT, TakingBack, events_of, holds_no_more
from engine.work import Case, Work


def enter(work: Work, command: Move, by: By) -> Answer:
    """Takes a step. With `over_clock` the steps of the clock that it proves wrong are undone first: all or nothing.

    The answer lists the notices that went out since it really happened and would not have gone out had it been known.
    Raises BadInput, Denied and Conflict.
    """
    case = work.case(command.subject)
    day = _happened(work, case, command)
    undone: list[TakingBack] = []
    if command.over_clock and day is not None:
        steps.check_version(case, command.version)
        undone = _undo_clock(work, command, day, by)
        command = replace(command, version=None)
    answer = _take(work, command, by, day)
    if not answer.allowed:
        work.discard()
        return replace(answer, version=case.subject.version)
    for back in undone:
        back.finish()
    now = work.case(command.subject)
    told = wrongly_sent(work, now, day) if day is not None and day < work.today else []
    sent = {row.id: row for row in (*(r for b in undone for r in b.sent), *told)}
    return replace(answer, sent=tuple(sent.values()))


def _take(work: Work, command: Move, by: By, day: date | None) -> Answer:
    case = work.case(command.subject)
    step = case.definition.steps.get(command.trigger)
    try:
        if step is not None and step.batch is not None:
            return batches.move_batch(work, command, by)
        return steps.move(work, command, by)
    except BadInput as error:
        late = lateness.explained(work, case, command.trigger, day)
        if late is None:
            raise
        raise late from error


def _happened(work: Work, case: Case, command: Move) -> date | None:
    """Returns the day on which a step happened, as far as the command says so."""
    step = case.definition.steps.get(command.trigger)
    said = None
    fact = step.happened if step is not None else None
    if step is not None and fact is not None and fact in command.facts:
        try:
            facts = read_facts(case.definition, {fact: command.facts[fact]}, work.calendar)
        except BadInput:
            return command.on  # the step itself says what is wrong with it
        said = steps.happened_day(work, step, facts)
    days = [d for d in (command.on, said) if d is not None]
    return min(days, default=None)


def _undo_clock(work: Work, command: Move, day: date, by: By) -> list[TakingBack]:
    """Undoes the clock's steps that stand in the way of a step of an earlier day. Whoever may take the step may."""
    undone: list[TakingBack] = []
    while (wrong := lateness.in_the_way(work, work.case(command.subject), command.trigger, day)) is not None:
        case = work.case(command.subject)
        if not (command.reason or "").strip():
            raise BadInput("undo asks for a reason")
        view = view_of(case.definition, case.subject, work.moment())
        view.update(case.subject.facts)
        grants = case.definition.steps[command.trigger].grants
        acting = authorise(work.office, by.officer or "", grants, case.subject.org, facts=view, on=day)
        back = TakingBack(work=work, reason=command.reason, acting=acting, by=By(officer=by.officer))
        found = events_of(work, case)
        last = next(e for e in found if e.id == wrong.id)
        back.step(case, last, found)
        undone.append(back)
    return undone


def wrongly_sent(work: Work, case: Case, day: date) -> list[OutboxRow]:
    """Returns the notices about dates that went out after a day and would not be sent as things stand now."""
    return [
        row
        for row in work.tx.outbox(subject=case.subject.id)
        if row.state in WENT_OUT
        and work.calendar.day_of(unstamp(row.sent_at or row.due_at)) > day
        and holds_no_more(work, case, row) is not None
    ]
