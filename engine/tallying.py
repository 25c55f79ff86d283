"""Facts that are worked out from a score for the subject's own unit, on the day they are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.core.machine import Definition
from engine.core.values import Json, Value, from_json, to_json
from engine.figures import Number, Trees, by_unit, items, sums

if TYPE_CHECKING:
    from engine.store.rows import SubjectRow
    from engine.work import Work


COUNTED = "counted"  # where the payload of a step's event keeps them

# (score, part, first day, last day) -> how much of it each unit has
Counted = dict[tuple[str, str, date, date], Mapping[str, Number]]


def tallied(work: Work, definition: Definition, row: SubjectRow) -> dict[str, Value]:
    """Returns the facts of a subject that are worked out from scores; one whose period is not known is unknown."""
    if not definition.tallies:
        return {}
    stored = json.loads(row.facts_json)
    view: dict[str, Value] = dict(definition.defaults)
    for name, value in stored.items():
        type_ = definition.types.get(name)
        if type_ is not None and (read := from_json(type_, value)) is not None:
            view[name] = read
    found: dict[str, Value] = {}
    for tally in definition.tallies:
        first, last = tally.first.evaluate(view, work.calendar), tally.last.evaluate(view, work.calendar)
        if isinstance(first, date) and isinstance(last, date):
            key = (tally.spec.score, tally.spec.part, first, last)
            if key not in work.counted:
                work.counted[key] = _part(work, *key)
            value = work.counted[key].get(row.org, 0 if tally.spec.part == "result" else None)
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


def _part(work: Work, score: str, part: str, first: date, last: date) -> Mapping[str, Number]:
    """Returns what each unit has of one part of a score; a unit without is not in it."""
    spec = work.library.area.file.scores[score]
    past = last if last < work.today else None
    if part == "result":
        upto = min(work.today, last)
        return sums(Trees(work.tx.orgs()), items(work, spec.result, first, upto, as_of=past), spec.gathers)
    refs = spec.plan if part == "plan" else [spec.target]
    found = by_unit([i for ref in refs for i in items(work, ref, first, last, as_of=past)], first, last)
    return {unit: (i.most or i.amount) if part == "most" else i.amount for unit, i in found.items()}
