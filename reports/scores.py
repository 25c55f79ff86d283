"""Scores in a report: plan, target and result of its unit, of each unit, or of each year."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import date

from engine.scores import Standing, standings
from engine.work import Work
from reports.document import Value
from reports.layouts import Scored
from reports.periods import Span

WHOLE = "whole"  # the group of everything


class Scores:
    """The standings of units in a period and its years, each read once."""

    def __init__(self, work: Work, span: Span, last: date, unit: str | None, units: frozenset[str]) -> None:
        self._work, self._span, self._last, self._unit, self._units = work, span, last, unit, units
        self._read: dict[tuple[str, date, date], dict[str, Standing]] = {}

    def values(self, spec: Scored, by: str | None) -> Iterable[tuple[Hashable, Value]]:
        """Yields the value of the whole, and those of each unit or year where the groups are these."""
        first, last = self._span.first, self._span.last
        if first is None:
            first, last = date(last.year, 1, 1), date(last.year, 12, 31)
        found = self._standings(spec.score, first, last)
        if self._unit is not None and self._unit in found:
            yield WHOLE, part_of(found[self._unit], spec.part)
        if by == "unit":
            for unit, standing in found.items():
                if unit in self._units and (value := part_of(standing, spec.part)) is not None:
                    yield unit, value
        elif by == "year" and self._unit is not None:
            for year in range(first.year, last.year + 1):
                of_year = self._standings(spec.score, date(year, 1, 1), date(year, 12, 31)).get(self._unit)
                if of_year is not None:
                    yield str(year), part_of(of_year, spec.part)

    def _standings(self, score: str, first: date, last: date) -> dict[str, Standing]:
        key = (score, first, last)
        if key not in self._read:
            day = max(min(self._last, last), first)
            self._read[key] = {s.unit: s for s in standings(self._work, score, first, last, day=day)}
        return self._read[key]


def part_of(standing: Standing, part: str) -> Value:
    """Returns one part of a unit's standing."""
    match part:
        case "plan":
            return standing.plan
        case "least":
            return standing.least
        case "most":
            return standing.most if standing.most is not None else standing.least
        case "result":
            return standing.result
        case "number":
            return standing.number
        case _:
            return "; ".join(head.name for head in standing.leaders if head.then) or None
