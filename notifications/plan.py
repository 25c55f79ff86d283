"""Which notices there are about a subject, when they fall due, whether they still hold, and who gets them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from engine.core.authority import Office, Officer
from engine.core.calendar import Calendar, add_months
from engine.core.definition import Recipient
from engine.core.machine import Area, Definition, Told
from engine.core.sending import People, Person
from engine.core.timers import NOTICE, Planned
from engine.core.values import Value

NO_FACTS: Mapping[str, Value] = {}
_OFFSET = re.compile(r"(\d+) (day|working day|month)s? (before|after)")


def nominal_day(due: date, offset: str, calendar: Calendar) -> date:
    """Returns the day an offset names, before it is moved off a day off."""
    n, unit = _read_offset(offset)
    if unit == "day":
        return due + timedelta(days=n)
    if unit == "month":
        return add_months(due, n)
    return calendar.add_working_days(due, n)


@lru_cache(maxsize=1024)
def _read_offset(offset: str) -> tuple[int, str]:
    """Returns how far from the due day, and in what; a workflow has a handful of them, read at every step."""
    m = _OFFSET.fullmatch(offset)
    if m is None:
        return 0, "day"
    return (int(m[1]) if m[3] == "after" else -int(m[1])), m[2]


def sending_day(due: date, offset: str, calendar: Calendar) -> date:
    """Returns the working day an offset names: before and on the day moved earlier, after moved later."""
    return _working(nominal_day(due, offset, calendar), offset, calendar)


def _working(day: date, offset: str, calendar: Calendar) -> date:
    return calendar.working_on_or_after(day) if offset.endswith("after") else calendar.working_on_or_before(day)


class Notices:
    """Answers what the engine asks (`engine.core.timers.Notifier`)."""

    def plan(
        self, definition: Definition, state: str, view: Mapping[str, Value], calendar: Calendar
    ) -> Sequence[Planned]:
        """Returns the notices about dates of a subject in `state`, past ones too."""
        planned: list[Planned] = []
        for told in definition.notices:
            if told.due is None or (told.states and state not in told.states):
                continue
            due = told.due.evaluate(view, calendar)
            if isinstance(due, date):
                planned += [p for o in told.spec.send if (p := _planned(told, due, o, calendar)) is not None]
        return planned

    def told(self, definition: Definition, trigger: str) -> Sequence[Told]:
        """Returns the rules told at this step (`start` for the beginning)."""
        return [t for t in definition.notices if trigger in t.spec.on]

    def holds(self, told: Told, state: str, view: Mapping[str, Value], calendar: Calendar, day: date) -> str | None:
        """Returns None while the rule's condition is true, else in a word why the notice is not to be sent."""
        spec = told.spec
        if told.states and state not in told.states:
            return "state"
        if (spec.from_ is not None and day < spec.from_) or (spec.until is not None and day > spec.until):
            return "not_in_force"
        if told.condition is not None and told.condition.evaluate(view, calendar) is not True:
            return "condition"
        return None


def _planned(told: Told, due: date, offset: str, calendar: Calendar) -> Planned | None:
    try:
        nominal = nominal_day(due, offset, calendar)
        day = _working(nominal, offset, calendar)
    except OverflowError:
        return None
    start = calendar.start_of(day) if told.spec.urgent else calendar.opening(day)
    code = offset.replace(" ", "_")
    return Planned(name=told.rule, occurrence=f"{due.isoformat()}/{code}", kind=NOTICE, nominal=nominal, due_at=start)


NOBODY: People = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Addressee:
    """Who gets a notice: the officer, and the absent one in whose place (None: in their own).

    `place` is the unit for which they get it; `people` those of its list whom the notice names to them.
    """

    officer: str
    behalf: str | None = None
    place: str = ""
    people: tuple[Person, ...] = ()


def recipients(
    area: Area,
    told: Told,
    unit: str,
    office: Office,
    facts: Mapping[str, Value] = NO_FACTS,
    people: People = NOBODY,
) -> list[Addressee]:
    """Returns who gets a notice today: holders of the roles at the places named, each once.

    An absent officer's notice goes to their substitutes instead. Never everyone with the role.
    """
    return named(area, told.spec.to or area.file.told, unit, office, facts=facts, people=people)


def named(
    area: Area,
    specs: Sequence[Recipient],
    unit: str,
    office: Office,
    *,
    but: str | None = None,
    facts: Mapping[str, Value] = NO_FACTS,
    people: People = NOBODY,
) -> list[Addressee]:
    """Returns the officers that these recipients mean today, seen from a unit; never the officer `but`."""
    found: dict[str, Addressee] = {}
    for spec in specs:
        for start, listed in _seen_from(spec, unit, facts, people):
            for org in _places(area, spec, start, office, but):
                for officer in _holders(office, spec, org):
                    if officer.id != but:
                        _add(found, office, officer, org, listed)
    return list(found.values())


def _add(found: dict[str, Addressee], office: Office, officer: Officer, place: str, people: tuple[Person, ...]) -> None:
    """Adds an officer, or those who stand in; one who is there already also gets the people of this place."""
    stand_ins = [s for s in office.stand_ins(officer.id) if _present(office, s)]
    for id in stand_ins or [officer.id]:
        old = found.get(id)
        behalf = officer.id if stand_ins else None
        if old is None or (old.behalf is not None and behalf is None):
            kept = old.people if old is not None else ()
            found[id] = Addressee(officer=id, behalf=behalf, place=place, people=_union(kept, people))
        else:
            found[id] = replace(old, people=_union(old.people, people))


def _union(a: tuple[Person, ...], b: tuple[Person, ...]) -> tuple[Person, ...]:
    return tuple(dict.fromkeys((*a, *b)))


def left(
    area: Area,
    told: Told,
    unit: str,
    office: Office,
    facts: Mapping[str, Value] = NO_FACTS,
    people: People = NOBODY,
) -> list[str]:
    """Returns the officers who held the roles at a place named there and have left, where nobody holds them now."""
    gone: dict[str, None] = {}
    for spec in told.spec.to or area.file.told:
        for start, _ in _seen_from(spec, unit, facts, people):
            for org in _places(area, spec, start, office, None):
                if not _holders(office, spec, org):
                    gone.update(dict.fromkeys(_held_before(office, spec, org)))
    return list(gone)


def _held_before(office: Office, spec: Recipient, org: str) -> Iterator[str]:
    for officer in office.members(org):
        held = any(h.org == org and h.role in spec.roles and h.period.holds(office.day) for h in officer.holdings)
        if held and not officer.present(office.day):
            yield officer.id


def _seen_from(
    spec: Recipient, unit: str, facts: Mapping[str, Value], people: People
) -> list[tuple[str | None, tuple[Person, ...]]]:
    """Returns the organisations from which a recipient's place is looked for, each with those of it who are named."""
    if spec.of is None:
        return [(unit, ())]
    listed = people.get((spec.of, spec.being))
    if listed is None:
        named_there = facts.get(spec.of)
        return [(named_there if isinstance(named_there, str) else None, ())]
    units: dict[str, list[Person]] = {}
    for person in listed:
        units.setdefault(person.unit, []).append(person)
    return [(at, tuple(those)) for at, those in units.items()]


def _places(area: Area, spec: Recipient, unit: str | None, office: Office, but: str | None) -> list[str]:
    if unit is None or unit not in office.tree.by_id:
        return []
    unit = office.tree.successor(unit, office.day)
    if spec.at == "nearest":
        return _nearest(area, spec, unit, office, but)
    if spec.at == "below":
        orgs = (office.tree.by_id[o] for o in office.tree.below(office.root(office.tree.by_id[unit])))
        return [o.id for o in orgs if spec.kind in (None, o.kind) and o.id != unit and o.period.holds(office.day)]
    above = office.tree.above(unit, area.above) if spec.at == "above" else None
    place = unit if spec.at == "unit" else above.id if above is not None else None
    if place is None or spec.kind is None:
        return [] if place is None else [place]
    return [o.id for o in office.tree.children(place) if o.kind == spec.kind and o.period.holds(office.day)]


def _nearest(area: Area, spec: Recipient, unit: str, office: Office, but: str | None) -> list[str]:
    """Returns the first unit upwards, or those that act for it, where a holder of the roles can be reached."""
    for org in office.tree.path(unit):
        acting = [o.id for o in office.tree.children(org) if o.kind in area.parent_reach]
        for places in ([org], acting):
            found = [
                p
                for p in places
                if any(o.id != but and channels(area, o, urgent=True) for o in _holders(office, spec, p))
            ]
            if found:
                return found
    return []


def _present(office: Office, officer: str) -> bool:
    found = office.officers.get(officer)
    return found is not None and found.present(office.day)


def _holders(office: Office, spec: Recipient, org: str) -> list[Officer]:
    return [
        officer
        for officer in office.members(org)
        if any(h.role in spec.roles and at.id == org for h, at in office.holdings(officer))
    ]


def channels(area: Area, officer: Officer, *, urgent: bool) -> list[str]:
    """Returns the channels for an officer: the first in their order with an address that works; all when urgent."""
    have = [c for c in officer.order(area.file.channels) if officer.address(c) is not None]
    return have if urgent else have[:1]
