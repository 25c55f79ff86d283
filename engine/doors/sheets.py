"""The door to sheets of steps that move many, their rehearsal, and the register of numbers given."""

from __future__ import annotations

from collections.abc import Mapping

from engine import batches
from engine.core.commands import Move
from engine.core.errors import BadInput
from engine.doors import OpenWork
from engine.register import Given, numbers_given
from engine.sheets import Nameable, Sheet, make_sheet, nameable
from engine.steps import Answer, By


class _Stop(Exception):
    """Leaves the transaction with nothing written."""


class Sheets:
    """What a step that moves many would be about, and what would come of it. Changes nothing."""

    def __init__(self, open_work: OpenWork) -> None:
        self._work = open_work

    def sheet(
        self,
        subject: str,
        trigger: str | None = None,
        *,
        officer: str | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> Sheet:
        """Returns the sheet of a step (None: the first that takes decisions from here). Raises BadInput."""
        with self._work() as work:
            return make_sheet(work, work.case(subject), trigger, officer=officer, facts=facts)

    def nameable(self, subject: str, trigger: str) -> Nameable:
        """Returns whom the lines of a step may name, to be found by what a list says of them. Raises BadInput."""
        with self._work() as work:
            return nameable(work, work.case(subject), trigger)

    def rehearse(self, command: Move, by: By) -> Answer:
        """Returns what a step that moves many would answer; nothing is written, nor is a refusal.

        Raises BadInput, Denied and Conflict as the step itself would.
        """
        answer: Answer | None = None
        try:
            with self._work(write=True) as work:
                step = work.case(command.subject).definition.steps.get(command.trigger)
                if step is None or step.batch is None:
                    raise BadInput("{trigger} takes no decisions", trigger=command.trigger)
                answer = batches.move_batch(work, command, By(officer=by.officer))
                raise _Stop
        except _Stop:
            pass
        assert answer is not None
        return answer

    def numbers(self, workflow: str, *, text: str = "") -> list[Given]:
        """Returns the numbers that subjects of a workflow gave or spoiled, where `text` is part of the number, of whom
        it was given to, or of the subject that gave it. Raises BadInput when the workflow gives none."""
        with self._work() as work:
            return numbers_given(work, workflow, text)
