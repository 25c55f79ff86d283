"""Facts that are worked out from a score for the subject's own unit, on the day they are read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.core.machine import Definition
from engine.core.values import Json, Value, from_json, to_json
from engine.figures import Number, Trees, by_unit, items, latest, sums

if TYPE_CHECKING:
    from engine.work import Work


COUNTED = "counted"  # where the payload of a step's event keeps them

# (score, part, first day, last day, day it is read for) -> what each unit has of it
Counted = dict[tuple[str, str, date, date, date], Mapping[str, Number | date]]


def tallied(
    work: Work, definition: Definition, org: str, facts: Mapping[str, Value], day: date | None = None
) -> dict[str, Value]:
    """Returns the facts of a unit's subject that are worked out from scores, as of a day, else today; one whose period
    is not known is unknown. `facts` are those that are written."""
    if not definition.tallies:
        return {}
    view: dict[str, Value] = {**definition.defaults, **facts}
    found: dict[str, Value] = {}
    for tally in definition.tallies:
        first, last = tally.first.evaluate(view, work.calendar), tally.last.evaluate(view, work.calendar)
        if isinstance(first, date) and isinstance(last, date):
            key = (tally.spec.score, tally.spec.part, first, last, day or work.today)
            if key not in work.counted:
                work.counted[key] = _part(work, *key)
            value = work.counted[key].get(org, 0 if tally.spec.part == "result" else None)
            if value is not None:
                found[tally.fact] = int(value) if isinstance(value, Decimal) else value
    return found


def counted(definition: Definition, facts: Mapping[str, Value]) -> dict[str, Json]:
    """Returns what the event of a step says of the facts worked out from scores, as they were when it was decided."""
    return {t.fact: to_json(facts[t.fact]) for t in definition.tallies if t.fact in facts}


def read_counted(definition: Definition, payload: Mapping[str, Json] | None) -> dict[str, Value]:
    """Returns these facts from an event's payload."""
    stored = (payload or {}).get(COUNTED)
    if not isinstance(stored, dict):
        return {}
    read = {t.fact: from_json(definition.types[t.fact], stored.get(t.fact)) for t in definition.tallies}
    return {fact: value for fact, value in read.items() if value is not None}


def _part(work: Work, score: str, part: str, first: date, last: date, day: date) -> Mapping[str, Number | date]:
    """Returns what each unit has of one part of a score on a day; a unit without is not in it."""
    spec = work.library.area.file.scores[score]
    upto = min(day, last)
    past = upto if upto < work.today else None
    if part in ("result", "latest"):
        found, trees = items(work, spec.result, first, upto, as_of=past), Trees(work.tx.orgs())
        return (sums if part == "result" else latest)(trees, found, spec.gathers)
    refs = spec.plan if part == "plan" else [spec.target]
    units = by_unit([i for ref in refs for i in items(work, ref, first, last, as_of=past)], first, last)
    return {unit: (i.most or i.amount) if part == "most" else i.amount for unit, i in units.items()}
