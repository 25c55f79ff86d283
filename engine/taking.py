"""Which steps an officer may take, as far as that is known before the step brings its input."""

from __future__ import annotations

from engine import scope
from engine.core.machine import Step
from engine.steps import By
from engine.work import Case, Work


def named_unit(step: Step) -> str | None:
    """Returns the fact by which a step names the unit below whose officers may take it too; None without one."""
    asked = [step.batch.within] if step.batch is not None else [*step.asks, *step.asks_anew]
    return next((g.over for g in step.grants if g.over is not None and g.over in asked), None)


def may_take(work: Work, case: Case, step: Step, by: By, unit: str | None) -> bool:
    """Tells whether an officer may take a step, for a unit where the step asks for one."""
    fact = step.batch.within if step.batch is not None else named_unit(step)
    view = work.view(case)
    if fact is not None and unit is not None:
        view = {**view, fact: unit}
    return any(
        work.office.allows(o, step.grants, case.subject.org, view, work.today) is None
        for o in scope.readers(work.office, by)
        if by.behalf in (None, o.id)
    )


def receivers(work: Work, case: Case, step: Step, by: By) -> list[tuple[str, str]]:
    """Returns (fact, value) for each kind of unit in whose place an officer may take a step that has to name it."""
    facts = list(dict.fromkeys(g.kind_is for g in step.grants if g.kind_is is not None))
    view = work.view(case)
    found: dict[tuple[str, str], None] = {}
    for officer in scope.readers(work.office, by):
        if by.behalf not in (None, officer.id):
            continue
        for _, org in work.office.holdings(officer):
            for fact in facts:
                named = {**view, fact: org.kind}
                if work.office.allows(officer, step.grants, case.subject.org, named, work.today) is None:
                    found[(fact, org.kind)] = None
    return list(found)


def steps_of(work: Work, case: Case, by: By) -> list[str]:
    """Returns the steps out of a subject's state that an officer may take."""
    found = []
    for trigger in case.definition.triggers_from(case.subject.state):
        step = case.definition.steps[trigger]
        if step.by_clock:
            continue
        if may_take(work, case, step, by, None) or receivers(work, case, step, by):
            found.append(trigger)
    return found
