"""The door to persons' data: holds, erasures, copies for the person, and what is past its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine import permits, persons
from engine.core import events
from engine.core.errors import BadInput, Denied, KetnapError, NotFound
from engine.doors import OpenWork
from engine.doors.access import Access
from engine.ledger import entries
from engine.persons import Copy, Erased, Hold, Overdue, StillNeeded
from engine.steps import By
from engine.store.ports import Store
from engine.work import Case


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a person's data stands. `needed` says why it is not erased now; None: it may be."""

    person: str
    cases: Sequence[Case]
    hold: Hold | None
    needed: KetnapError | None


class Persons:
    """What may be done with a person's data as a whole. Who may is the area's permission `persons`."""

    def __init__(self, open_work: OpenWork, access: Access, store: Store) -> None:
        self._work, self._access, self._store = open_work, access, store

    def hold(self, subject: str, reason: str | None, until: date | None, by: By) -> Hold:
        """Has a person's data kept, whoever asks for its erasure. Raises BadInput and Denied."""
        with self._work(write=True) as work:
            return persons.hold(work, subject, reason, until, by)

    def release(self, subject: str, reason: str | None, by: By) -> str:
        """Ends a hold; returns the person. Raises BadInput and Denied."""
        with self._work(write=True) as work:
            return persons.release(work, subject, reason, by)

    def erase(self, subject: str, reason: str | None, basis: str | None, by: By, request: str | None = None) -> Erased:
        """Erases a person, and leaves no byte of their key in the database's files; a refused attempt is noted.

        Raises BadInput, Denied, and StillNeeded while a case is open or the data is held.
        """
        refused: Denied | StillNeeded | None = None
        done: Erased | None = None
        with self._work(write=True) as work:
            try:
                done = persons.erase(work, subject, reason, basis, by, request)
            except (Denied, StillNeeded) as error:
                work.discard()
                refused = error
                case = work.case(subject)
                work.ledger.append(
                    events.DENIED if isinstance(error, Denied) else events.REFUSED,
                    subject=subject,
                    workflow=case.subject.workflow,
                    org=case.subject.org,
                    trigger="erase",
                    why=error.why if isinstance(error, Denied) else "still_needed",
                    actor=by.officer,
                    behalf=by.behalf,
                )
        if refused is not None:
            raise refused
        assert done is not None
        self._store.scrub()
        return done

    def standing(self, subject: str, by: By) -> Standing:
        """Returns how a person's data stands. Raises NotFound, also for whoever may not decide about it."""
        with self._work() as work:
            person, cases = persons.person_of(work, subject)
            try:
                persons.permit(work, cases, by)
            except Denied:
                raise NotFound("there is no subject {subject}", subject=subject) from None
            needed: KetnapError | None = None
            try:
                persons.check_needed(work, person, cases)
            except (StillNeeded, BadInput) as error:
                needed = error
            return Standing(person=person, cases=cases, hold=persons.hold_of(work, person), needed=needed)

    def overdue_for(self, by: By) -> list[tuple[Overdue, Case]]:
        """Returns whose data is past its time, of the units over which the officer decides about it."""
        with self._work() as work:
            reach = permits.reach(work, persons.PERMISSION, by)
            found = [(o, work.case(o.subject)) for o in persons.overdue(work)]
            return [(o, case) for o, case in found if case.subject.org in reach]

    def overdue(self) -> list[Overdue]:
        """Returns whose data is past the time that it may be kept."""
        with self._work() as work:
            return list(persons.overdue(work))

    def copy(self, subject: str, by: By) -> Copy:
        """Returns all that is kept about a person, for them; noted as given out. Raises NotFound and Denied."""
        with self._work() as work:
            found = persons.copy_of(work, subject, by)
        self._access.exported("person", len(found.cases), by, person=found.person)
        return found

    def erased(self) -> list[Mapping[str, Any]]:
        """Returns everybody who was erased: person, at, and what stays; a restored copy must not bring them back."""
        with self._work() as work:
            found = entries(work.tx.events(kind=events.ERASED), None, work.kit.sealer)
            return [{"person": e.subject, "at": e.at, "kept": e.detail.get("kept", {})} for e in found]
