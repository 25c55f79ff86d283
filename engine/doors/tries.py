"""The door for trying: what a step would do with what is given, for one subject or many. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from engine import scope, steps
from engine.core import events
from engine.core.decision import Decision
from engine.core.errors import KetnapError, NotFound
from engine.doors import OpenWork
from engine.lateness import check_late
from engine.steps import By
from engine.work import Case, Work


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What a step would do: the rules' decision, or the error by which it would be refused."""

    case: Case
    decision: Decision | None
    error: KetnapError | None

    @property
    def allowed(self) -> bool:
        """Tells whether the step would be taken."""
        return self.error is None and self.decision is not None and self.decision.allowed


class Tries:
    """Steps tried."""

    def __init__(self, open_work: OpenWork) -> None:
        self._work = open_work

    def steps(
        self,
        subjects: Sequence[str],
        trigger: str,
        facts: Mapping[str, Mapping[str, object]],
        by: By,
        *,
        on: date | None = None,
        reason: str | None = None,
    ) -> list[Tried]:
        """Returns what the step would do with each subject, with its facts. Raises NotFound for one that the officer
        cannot read."""
        with self._work() as work:
            work.fetch(subjects)
            return [self._one(work, id, trigger, facts.get(id, {}), by, on, reason) for id in subjects]

    def _one(
        self,
        work: Work,
        id: str,
        trigger: str,
        facts: Mapping[str, object],
        by: By,
        on: date | None,
        reason: str | None,
    ) -> Tried:
        case = work.case(id)
        if case.subject.state == events.VOID or not scope.reads(work, case, by):
            raise NotFound("there is no subject {subject}", subject=id)
        try:
            step = steps.check_trigger(case, trigger, by)
            when = steps.day(work, on, case.subject)
            check_late(work, case, step, when)
            decision = steps.decided(work, case, trigger, facts, when, reason, by)
        except KetnapError as error:
            return Tried(case=case, decision=None, error=error)
        return Tried(case=case, decision=decision, error=None)
