"""Asking without doing: what may be done with a subject now, and what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from engine import steps
from engine.core.authority import authorise
from engine.core.decision import Decision, decide
from engine.core.errors import BadInput, Denied
from engine.core.machine import Step
from engine.steps import By
from engine.work import Case, Work


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """One transition out of the state: what the rules say of it now, who may not, and what makes no sense of it."""

    step: Step
    decision: Decision | None
    denied: Denied | None
    invalid: BadInput | None

    @property
    def allowed(self) -> bool:
        """Tells whether the step would go through as things stand, with nothing added."""
        if self.step.batch is not None and self.step.batch.required:
            return False  # it asks for lines
        return self.decision is not None and self.decision.allowed and self.denied is None


def prospects(
    work: Work,
    case: Case,
    *,
    officer: str | None = None,
    on: date | None = None,
    trigger: str | None = None,
    behalf: str | None = None,
) -> Sequence[Prospect]:
    """Returns every transition out of the subject's state (or the one named), with what `decide` says of it now.

    Without an officer nobody's authority is asked. Raises BadInput for a trigger that does not leave the state.
    """
    day = steps.day(work, on, None)
    if trigger is not None:
        steps.check_trigger(case, trigger, By(officer=None))
    triggers = [trigger] if trigger is not None else case.definition.triggers_from(case.subject.state)
    return [_prospect(work, case, t, day, officer, behalf) for t in triggers]


def _prospect(work: Work, case: Case, trigger: str, day: date, officer: str | None, behalf: str | None) -> Prospect:
    step = case.definition.steps[trigger]
    decision: Decision | None = None
    denied: Denied | None = None
    invalid: BadInput | None = None
    moment = work.moment(day)
    try:
        decision = decide(case.definition, case.subject, trigger, moment=moment, asking=True)
    except BadInput as error:
        invalid = error
    if officer is not None:
        try:
            steps.check_trigger(case, trigger, By(officer=officer))
            view = decision.facts if decision is not None else case.subject.facts
            authorise(
                work.office,
                officer,
                step.grants,
                case.subject.org,
                facts=view,
                on=day,
                doers=case.subject.doers,
                never=step.never,
                behalf=behalf,
            )
        except Denied as error:
            denied = error
    return Prospect(step=step, decision=decision, denied=denied, invalid=invalid)
