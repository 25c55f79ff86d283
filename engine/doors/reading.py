"""The door for reading the trail: other times, differences, finding events."""

from __future__ import annotations

from datetime import date, datetime

from engine import reading
from engine.core.machine import Definition
from engine.doors import OpenWork
from engine.doors.access import Access
from engine.reading import Difference, Page, Query
from engine.steps import By
from engine.supervision import Supervision, supervise


class Reading:
    """What the trail says. A search shows ids and codes only; what shows a person is noted as an opening."""

    def __init__(self, open_work: OpenWork, access: Access) -> None:
        self._work, self._access = open_work, access

    def search(self, query: Query) -> Page:
        """Returns a page of events, newest first. Raises BadInput and NotFound."""
        with self._work() as work:
            return reading.search(work, query)

    def difference(self, subject: str, first: datetime, second: datetime, by: By | None = None) -> Difference:
        """Returns what differs in a subject between what was known at two times. Raises BadInput and NotFound."""
        self._access.opened(subject, "difference", by)
        with self._work() as work:
            return reading.difference(work, subject, first, second)

    def supervision(self, unit: str, first: date, last: date, by: By = By(officer=None)) -> Supervision:
        """Returns what an inspector asks of a unit and a period. Who gets it is for `access` to note.

        Raises BadInput, NotFound and Denied.
        """
        with self._work() as work:
            return supervise(work, unit, first, last, by)

    def definition(self, subject: str) -> Definition:
        """Returns the definition under which a subject runs; says nothing about the person. Raises NotFound."""
        with self._work() as work:
            return work.case(subject).definition
