"""The door to who may be entered twice; read and never written."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.events import VOID
from engine.core.subject import changed
from engine.core.views import read_facts
from engine.doors import OpenWork
from engine.likeness import Alike, alike


class Likeness:
    """Looks for subjects with the same facts."""

    def __init__(self, open_work: OpenWork) -> None:
        self._work = open_work

    def of_facts(self, workflow: str, facts: Mapping[str, object]) -> list[Alike]:
        """Returns the subjects that may be the one with these facts, as typed. Raises NotFound and BadInput."""
        with self._work() as work:
            definition = work.library.newest(workflow)
            return alike(work, definition, changed({}, read_facts(definition, facts, work.calendar)))

    def of_subject(self, subject: str) -> list[Alike]:
        """Returns the other subjects that may be the same as this one. Raises NotFound."""
        with self._work() as work:
            case = work.case(subject)
            if case.subject.state == VOID:
                return []
            return alike(work, case.definition, case.subject.facts, but=[subject])
