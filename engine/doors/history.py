"""The door to what happened before this program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine import exporting, recording, restoring
from engine.core import events
from engine.core.errors import Denied
from engine.core.events import unstamp
from engine.core.marks import Mark, marks
from engine.doors import OpenWork
from engine.ledger import entries
from engine.permits import permit
from engine.recording import Record
from engine.steps import By


class History:
    """Subjects entered with their past, and what is to be seen of an entry at a glance.

    Of the past no rule is asked, and every entry says that it is history.
    """

    def __init__(self, open_work: OpenWork) -> None:
        self._work = open_work

    def record(self, commands: Sequence[Record], by: By) -> list[str]:
        """Enters subjects with their history, all or none; returns their ids. Raises BadInput and Denied."""
        with self._work(write=True) as work:
            return [recording.record(work, c, By(officer=by.officer)) for c in commands]

    def marks(self, subject: str) -> Mapping[str, Mark]:
        """Returns the marks of a subject's entries by event: entered late, history, corrected, undone.

        Raises NotFound.
        """
        with self._work() as work:
            case = work.case(subject)
            found = list(entries(work.tx.events(subject=case.subject.id), work.keys, work.kit.sealer))
            return marks(found, lambda at: work.calendar.day_of(unstamp(at)))

    def export(self, by: By) -> dict[str, Any]:
        """Returns everything that the office entered, for another database. Raises Denied.

        For whoever keeps the office and reads every subject.
        """
        with self._work(write=True) as work:
            by = permit(work, "notices", by)
            officer = work.office.officers.get(by.officer or "")
            roles = work.library.area.reading_roles
            roots = [o.id for o in work.office.tree.by_id.values() if o.parent not in work.office.tree.by_id]
            if officer is not None and not all(work.office.reads(officer, roles, [root]) for root in roots):
                message = "{officer} does not read everything, and so may not export it"
                raise Denied(message, why="scope", officer=officer.id)
            document = exporting.exported(work)
            work.ledger.append(
                events.EXPORTED, count=len(document["subjects"]), what="everything", actor=by.officer, behalf=by.behalf
            )
            return document

    def restore(self, document: object) -> dict[str, int]:
        """Takes an export into an empty database, all or nothing. Raises BadInput."""
        with self._work(write=True) as work:
            return restoring.restore(work, document)
