"""A subject: one case of a workflow, as its events made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from engine.core.authority import ALWAYS, Period
from engine.core.values import Facts, Scalar, Value

# What a step does to facts: name -> value, None (unknown from now on), or for a map its change key by key.
MapChange = dict[str, Scalar | None]
Changes = Mapping[str, Value | MapChange | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """One case. `facts` are those written; `borrowed` those read from the subjects that facts name."""

    id: str
    workflow: str
    org: str
    org_kind: str
    state: str
    version: int
    facts: Facts
    borrowed: Facts = field(default_factory=dict)
    doers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    started_on: date
    entered_on: date
    person_on: date
    unit_stands: Period = ALWAYS  # when its unit exists


def changed(facts: Facts, changes: Changes) -> dict[str, Value]:
    """Returns the facts after `changes`. A map is changed key by key; one left without a key is unknown."""
    after = dict(facts)
    for name, change in changes.items():
        if isinstance(change, dict):
            old = after.get(name)
            merged: dict[str, Scalar] = dict(old) if isinstance(old, dict) else {}
            for key, value in change.items():
                if value is None:
                    merged.pop(key, None)
                else:
                    merged[key] = value
            if merged:
                after[name] = merged
            else:
                after.pop(name, None)
        elif change is None:
            after.pop(name, None)
        else:
            after[name] = change
    return after
