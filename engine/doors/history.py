"""The door to what happened before this program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine import recording
from engine.core.events import unstamp
from engine.core.marks import Mark, marks
from engine.doors import OpenWork
from engine.ledger import entries
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
