"""The door to what units owe period by period, and to reminding them now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.core.errors import NotFound
from engine.core.sending import Drafter
from engine.doors import OpenWork
from engine.owed import Owed, Period, owed, periods_of
from engine.reminding import Reminded, remind
from engine.steps import By


class Owing:
    """What opens by itself for each unit: who has done it, who has not."""

    def __init__(self, open_work: OpenWork, drafter: Drafter) -> None:
        self._work, self._drafter = open_work, drafter

    def periods(self, workflow: str) -> list[Period]:
        """Returns the periods that have begun, the newest first. Raises NotFound."""
        with self._work() as work:
            return periods_of(work, workflow)

    def rows(
        self, workflow: str, period: str, by: By, *, told: Sequence[str] = (), take: str | None = None
    ) -> list[Owed]:
        """Returns what the units that an officer reads owe in a period; see `engine.owed.owed`. Raises NotFound."""
        with self._work() as work:
            found = next((p for p in periods_of(work, workflow) if p.name == period), None)
            if found is None:
                raise NotFound("there is no period {period}", period=period)
            return owed(work, workflow, found, by, told=told, take=take)

    def remind(self, subjects: Iterable[str], rule: str, by: By) -> list[Reminded]:
        """Sends the notice of a rule about subjects now, once a day at most. Raises NotFound and Denied."""
        with self._work(write=True) as work:
            return remind(work, self._drafter, subjects, rule, by)
