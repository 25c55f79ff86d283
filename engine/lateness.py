"""Steps entered later than they happened, over a step that the clock has taken meanwhile."""

from __future__ import annotations

from datetime import date

from engine.core import events
from engine.core.errors import BadInput
from engine.core.events import Entry
from engine.core.machine import Step
from engine.ledger import entries
from engine.work import Case, Work


def check_late(work: Work, case: Case, step: Step, on: date) -> None:
    """Sees that a late entry does not prove the clock's last step wrong: that one is to be undone first.

    Raises BadInput.
    """
    last = proved_wrong(work, case, step, on)
    if last is not None:
        raise BadInput(
            "on: {on} is before {clock}, which the clock took on {day} and this proves wrong; undo that first",
            on=on.isoformat(),
            clock=last.trigger,
            day=last.on,
        )


def proved_wrong(work: Work, case: Case, step: Step, on: date) -> Entry | None:
    """Returns the clock's last step where a step of an earlier day proves it wrong.

    It does when the step could have been taken from the state before, and would have led where the clock's step does
    not leave from.
    """
    if on >= case.subject.entered_on:
        return None
    last = _clock_step_after(work, case, on)
    if last is None or last.source not in step.sources or last.trigger is None:
        return None
    clock_step = case.definition.steps[last.trigger]
    led = {last.source if target == "same" else target for target, _ in step.targets}
    return None if led <= clock_step.sources else last


def in_the_way(work: Work, case: Case, trigger: str, on: date) -> Entry | None:
    """Returns the clock's last step where, were it undone, a step of an earlier day could be taken."""
    step = case.definition.steps.get(trigger)
    if step is None:
        return None
    if case.subject.state in step.sources:
        return proved_wrong(work, case, step, on)
    last = _clock_step_after(work, case, on)
    return last if last is not None and last.source in step.sources else None


def explained(work: Work, case: Case, trigger: str, on: date | None) -> BadInput | None:
    """Returns what to say of a step that cannot be taken any more because the clock took one after it happened."""
    step = case.definition.steps.get(trigger)
    if step is None or on is None or case.subject.state in step.sources:
        return None
    last = in_the_way(work, case, trigger, on)
    if last is None:
        return None
    return BadInput(
        "{trigger} does not leave {state}: on {day} the clock took {clock}, after {on}; undo that first, then this",
        trigger=trigger,
        state=case.subject.state,
        day=last.on,
        clock=last.trigger,
        on=on.isoformat(),
    )


def _clock_step_after(work: Work, case: Case, on: date) -> Entry | None:
    """Returns the subject's last step when the clock took it, on a later day."""
    found = list(entries(work.tx.events(subject=case.subject.id), None, work.kit.sealer))
    last = events.last_step(found, frozenset(e.undoes for e in found if e.undoes))
    if last is None or last.by_person or (last.on or "") <= on.isoformat():
        return None
    return last
