"""Whom a notice names: the subjects under the keys of a map, each with its unit and what people call it."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.machine import Told
from engine.core.sending import People, Person
from engine.core.values import Value
from engine.ledger import entries
from engine.roster import title_of
from engine.work import Case, Work


def people_of(work: Work, case: Case, told: Told, view: Mapping[str, Value], event: str | None = None) -> People:
    """Returns, by map and value asked for, those whom a notice's recipients name.

    `event`: the step it is told at; then only those whom this step wrote into the map.
    """
    found: dict[tuple[str, str | None], tuple[Person, ...]] = {}
    for spec in told.spec.to:
        if spec.of is None or case.definition.types[spec.of].name != "map":
            continue
        held = view.get(spec.of)
        ids = [k for k, v in held.items() if spec.being in (None, str(v))] if isinstance(held, dict) else []
        if event is not None:
            written = _written(work, case, event, spec.of)
            ids = [id for id in ids if id in written]
        work.fetch(ids)
        found[(spec.of, spec.being)] = tuple(_person(work.case(id)) for id in ids)
    return found


def _person(case: Case) -> Person:
    return Person(subject=case.subject.id, unit=case.subject.org, title=title_of(case))


def _written(work: Work, case: Case, event: str, fact: str) -> set[str]:
    for entry in entries(work.tx.events(subject=case.subject.id), work.keys, work.kit.sealer):
        if entry.id == event and entry.payload is not None:
            facts = entry.payload.get("facts")
            change = facts.get(fact) if isinstance(facts, dict) else None
            return set(change) if isinstance(change, dict) else set()
    return set()
