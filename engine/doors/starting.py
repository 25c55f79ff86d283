"""The door to beginning a subject: where an officer may, and who may be the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine import scope
from engine.core.collation import name_key
from engine.core.errors import NotFound
from engine.core.events import VOID
from engine.core.machine import Definition
from engine.core.subject import changed
from engine.core.views import read_facts
from engine.doors import OpenWork
from engine.doors.access import Access
from engine.likeness import alike
from engine.register import Given, numbers_given
from engine.roster import title_of
from engine.steps import By
from engine.taking import steps_of
from engine.work import Case, Work

ADOPTED = 500  # cases that are read at once


@dataclass(frozen=True, kw_only=True)
class Same:
    """Those who may be the same as somebody new: the ones the officer reads, and how many others there are."""

    cases: Sequence[Case]
    elsewhere: int


@dataclass(frozen=True, kw_only=True)
class Matter:
    """A subject of a workflow, with the steps that the officer may take."""

    case: Case
    steps: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody whom the maps of a subject name, with what stands under their key."""

    case: Case
    entries: Mapping[str, object]


class Starting:
    """Beginning subjects by hand, and the subjects of a workflow as one officer may see them."""

    def __init__(self, open_work: OpenWork, access: Access) -> None:
        self._work, self._access = open_work, access

    def definition(self, workflow: str) -> Definition:
        """Returns the newest definition of a workflow. Raises NotFound."""
        with self._work() as work:
            return work.library.newest(workflow)

    def places(self, workflow: str, by: By) -> list[str]:
        """Returns the units at which an officer may begin a subject of a workflow, by name. Raises NotFound."""
        with self._work() as work:
            definition = work.library.newest(workflow)
            if not definition.file.start.by_hand:
                return []
            found = [
                o
                for o in work.office.tree.by_id.values()
                if o.kind in definition.kinds and o.period.holds(work.today) and _may(work, definition, o.id, by)
            ]
            return [o.id for o in sorted(found, key=lambda o: (o.name, o.id))]

    def alike(self, workflow: str, facts: Mapping[str, object], by: By) -> Same:
        """Returns who may be the same as somebody with these facts, as typed. Raises NotFound and BadInput."""
        with self._work() as work:
            definition = work.library.newest(workflow)
            found = alike(work, definition, changed({}, read_facts(definition, facts, work.calendar)))
            cases = [work.case(a.subject) for a in found]
            mine = [c for c in cases if scope.reads(work, c, by)]
        if mine:
            self._access.listed("alike", len(mine), by, workflow=workflow)
        return Same(cases=mine, elsewhere=len(cases) - len(mine))

    def matters(self, workflow: str, by: By, *, ended: bool, limit: int) -> tuple[list[Matter], bool]:
        """Returns the subjects of a workflow that an officer reads, the latest first, and whether these are all.

        Those of other units that name one of the officer's are among them, except where the workflow has a list.

        `ended`: also those in a state where nothing is left to do. Raises NotFound.
        """
        with self._work() as work:
            definition = work.library.newest(workflow)
            units = scope.units(work.office, work.library.area, by)
            states = [s for s in definition.file.states if ended or s not in definition.final]
            elsewhere = definition.file.listing is None and scope.named(work, definition, units)
            rows = work.tx.find_subjects(workflow=workflow, orgs=None if elsewhere else units, states=states)
            latest = sorted((r for r in rows if r.state != VOID), key=lambda r: (r.entered_on, r.id), reverse=True)
            near: list[Case] = []
            for at in range(0, len(latest), ADOPTED):
                near += [c for c in work.adopt(latest[at : at + ADOPTED]) if scope.reads(work, c, by)]
                if len(near) > limit:
                    break
            found = [Matter(case=c, steps=steps_of(work, c, by)) for c in near[:limit]]
        self._access.listed("matters", len(found), by, workflow=workflow)
        return found, len(near) <= limit

    def people(self, subject: str, by: By) -> list[Person]:
        """Returns those whom the maps of a subject name and the officer reads, by unit and name. Raises NotFound."""
        with self._work() as work:
            case = work.case(subject)
            if not scope.reads(work, case, by):
                raise NotFound("there is no subject {subject}", subject=subject)
            facts = case.definition.file.facts
            maps = {n: held for n, spec in facts.items() if spec.keys == "subjects"
                    and isinstance(held := case.subject.facts.get(n), dict)}  # fmt: skip
            ids = list(dict.fromkeys(id for held in maps.values() for id in held))
            work.fetch(ids)
            names = {o.id: o.name for o in work.office.tree.by_id.values()}
            others = [c for c in (work.case(id) for id in ids) if scope.reads(work, c, by)]
            others.sort(key=lambda c: (names.get(c.subject.org, ""), _name(c)))
            return [
                Person(case=c, entries={n: held[c.subject.id] for n, held in maps.items() if c.subject.id in held})
                for c in others
            ]

    def register(self, workflow: str, by: By, text: str = "") -> list[Given]:
        """Returns the register of numbers as far as the officer reads it. Raises NotFound and BadInput."""
        with self._work() as work:
            units = scope.units(work.office, work.library.area, by)
            found = [
                g
                for g in numbers_given(work, workflow, text)
                if (g.org if g.org is not None else work.case(g.by).subject.org) in units
            ]
        self._access.listed("register", len(found), by, workflow=workflow)
        return found


def _name(case: Case) -> tuple[object, str]:
    return name_key(title_of(case)), case.subject.id


def _may(work: Work, definition: Definition, unit: str, by: By) -> bool:
    return any(
        work.office.allows(o, definition.start_grants, unit, {}, work.today) is None
        for o in scope.readers(work.office, by)
        if by.behalf in (None, o.id)
    )
