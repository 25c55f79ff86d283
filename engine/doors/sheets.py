"""The door to sheets of steps that move many, their rehearsal, and the register of numbers given."""

from __future__ import annotations

from collections.abc import Mapping

from engine import batches, drafts
from engine.core.commands import Move
from engine.core.errors import BadInput
from engine.doors import OpenWork
from engine.doors.access import Access
from engine.drafts import Draft, Pairs
from engine.register import Given, numbers_given
from engine.sheets import Nameable, Sheet, make_sheet, nameable
from engine.sitting import Offered, Sitting, check_may, draft_name, offered, reach, sitting
from engine.steps import Answer, By


class _Stop(Exception):
    """Leaves the transaction with nothing written."""


class Sheets:
    """What a step that moves many would be about, what would come of it, and its draft. Records nothing."""

    def __init__(self, open_work: OpenWork, access: Access) -> None:
        self._work, self._access = open_work, access

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

    def nameable(
        self, subject: str, trigger: str, *, unit: str | None = None, facts: Mapping[str, object] | None = None
    ) -> Nameable:
        """Returns whom the lines of a step may name, to be found by what a list says of them.

        `unit` is the one that the lines are within, where the step asks for one; `facts` are what the step would
        bring. Raises BadInput.
        """
        with self._work() as work:
            return nameable(work, work.case(subject), trigger, unit=unit, facts=facts)

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
                answer = batches.move_batch(work, command, By(officer=by.officer, behalf=by.behalf))
                raise _Stop
        except _Stop:
            pass
        assert answer is not None
        return answer

    # -- as an officer fills it in

    def sees(self, subject: str, trigger: str, by: By, unit: str | None = None) -> None:
        """Sees that an officer may see the sheet of a step. Raises NotFound."""
        with self._work() as work:
            reach(work, subject, trigger, by, unit)

    def sitting(
        self,
        subject: str,
        trigger: str,
        by: By,
        *,
        unit: str | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> Sitting:
        """Returns a sheet as an officer sees it; that its list was shown is noted. Raises NotFound and BadInput."""
        with self._work() as work:
            found = sitting(work, subject, trigger, by, unit=unit, facts=facts)
        if found.sheet is not None:
            self._access.listed("sheet", len(found.sheet.rows), by, subject=subject, trigger=trigger)
        return found

    def offered(self, workflow: str, by: By) -> list[Offered]:
        """Returns the steps of units above that an officer may take for their own. Raises NotFound."""
        with self._work() as work:
            return offered(work, workflow, by)

    def keep(self, subject: str, trigger: str, pairs: Pairs, by: By, *, seen: int, unit: str | None = None) -> Draft:
        """Keeps what was filled in, over the version that was seen (0: none).

        Raises NotFound, BadInput, and DraftChanged where somebody else saved meanwhile.
        """
        with self._work(write=True) as work:
            case = work.case(subject)
            check_may(work, case, trigger, by, unit)
            return drafts.save(work, case, draft_name(trigger, unit), pairs, by.officer or "", seen)

    def put_aside(self, subject: str, trigger: str, by: By, *, unit: str | None = None) -> None:
        """Throws a draft away. Raises NotFound and BadInput."""
        with self._work(write=True) as work:
            check_may(work, work.case(subject), trigger, by, unit)
            drafts.drop(work, subject, draft_name(trigger, unit))

    def units_of(self, org: str) -> list[str]:
        """Returns the units right below the one whose tree an organisation acts on, by name."""
        with self._work() as work:
            tree = work.office.tree
            found = tree.by_id.get(org)
            children = tree.children(work.office.root(found)) if found is not None else ()
            near = [o for o in children if o.period.holds(work.today) and o.id != org]
            return [o.id for o in sorted(near, key=lambda o: (o.name, o.id))]

    # -- numbers

    def numbers(self, workflow: str, *, text: str = "") -> list[Given]:
        """Returns the numbers that subjects of a workflow gave or spoiled, where `text` is part of the number, of whom
        it was given to, or of the subject that gave it. Raises BadInput when the workflow gives none."""
        with self._work() as work:
            return numbers_given(work, workflow, text)
