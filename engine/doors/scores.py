"""The door to scores: plan, target and result of each unit, read and never written."""

from __future__ import annotations

from datetime import date

from engine.doors import OpenWork
from engine.figures import Item, items
from engine.scores import Standing, standings


class Scores:
    """What units planned, were given as a target and reached."""

    def __init__(self, open_work: OpenWork) -> None:
        self._work = open_work

    def standings(
        self, name: str, first: date, last: date, *, day: date | None = None, below: str | None = None
    ) -> list[Standing]:
        """Returns the standing of every unit that has the score, or of those at and below one unit, on a day.

        See `engine.scores.standings`. Raises NotFound and BadInput.
        """
        with self._work() as work:
            return standings(work, name, first, last, day=day, below=below)

    def items(self, figure: str, first: date, last: date) -> list[Item]:
        """Returns what the subjects of a WORKFLOW.FIGURE count in a period, one by one. Raises BadInput."""
        with self._work() as work:
            return items(work, figure, first, last)
