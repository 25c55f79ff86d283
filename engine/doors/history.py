"""The door to what happened before this program."""

from __future__ import annotations

from collections.abc import Sequence

from engine import recording
from engine.doors import OpenWork
from engine.recording import Record
from engine.steps import By


class History:
    """Subjects entered with their past: no rule is asked, and every entry says that it is history."""

    def __init__(self, open_work: OpenWork) -> None:
        self._work = open_work

    def record(self, commands: Sequence[Record], by: By) -> list[str]:
        """Enters subjects with their history, all or none; returns their ids. Raises BadInput and Denied."""
        with self._work(write=True) as work:
            return [recording.record(work, c, By(officer=by.officer)) for c in commands]
