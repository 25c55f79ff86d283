"""Lists of history as records: who took which step when, before the program came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from engine.core.errors import BadInput
from engine.recording import Past, Record
from reports.people import PersonRow
from reports.profiles import PastStep, Profile
from reports.readers import Fact


def record_of(row: PersonRow, profile: Profile, workflow: str, *, opens: bool) -> Record:
    """Returns the history that a row tells. `opens`: what a step opens is opened also where its end is not known.

    Raises BadInput for a row without any day.
    """
    facts = dict(row.facts)
    past = [_past(step, facts, opens=opens) for step in profile.steps if isinstance(facts.get(step.day), date)]
    begun = [d for name in profile.begins if isinstance(d := facts.get(name), date)]
    days = [*begun[:1], *(p.on for p in past)]
    if not days:
        raise BadInput("no day of any step is known: {columns}", columns=", ".join(s.day for s in profile.steps))
    written = {f for s in _all(profile.steps) for f in (*s.facts, s.day)}
    begins = {n: v for n, v in facts.items() if n not in written}
    return Record(workflow=workflow, org=row.org_id, on=days[0], facts=begins, past=past)


def _past(step: PastStep, facts: Mapping[str, Fact], *, opens: bool) -> Past:
    on = facts[step.day]
    assert isinstance(on, date)
    after = [_past(s, facts, opens=opens) for s in step.opens if isinstance(facts.get(s.day), date)]
    given = {name: facts[name] for name in step.facts if name in facts}
    return Past(on=on, trigger=step.trigger, facts=given, opens=tuple(after) if after or opens else None)


def _all(steps: Sequence[PastStep]) -> list[PastStep]:
    return [s for step in steps for s in (step, *_all(step.opens))]
