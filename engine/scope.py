"""What an officer may read: subjects of the units that the officer's roles reach, and those that name such a unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.core.authority import Office, Officer
from engine.core.machine import Area, Definition
from engine.steps import By
from engine.work import Case, Work


def readers(office: Office, by: By) -> Iterator[Officer]:
    """Yields the officer, and those in whose place the officer acts today (only the one chosen, if one is)."""
    own = office.officers.get(by.officer or "")
    if own is None or not own.present(office.day):
        return
    yield own
    for absent in office.absent_for(own.id):
        if by.behalf in (None, absent) and (found := office.officers.get(absent)) is not None:
            yield found


def roots(office: Office, area: Area, by: By, roles: frozenset[str] | None = None) -> list[str]:
    """Returns the tops of the trees over which the officer reads; `roles` narrows it to some of them."""
    wanted = area.reading_roles if roles is None else roles
    return list(dict.fromkeys(top for officer in readers(office, by) for top in _tops(office, officer, wanted)))


def _tops(office: Office, officer: Officer, roles: frozenset[str]) -> list[str]:
    return [office.root(org) for holding, org in office.holdings(officer) if holding.role in roles]


def units(office: Office, area: Area, by: By, roles: frozenset[str] | None = None) -> frozenset[str]:
    """Returns every unit that the officer reads."""
    return frozenset(u for root in roots(office, area, by, roles) for u in office.tree.below(root))


def places(case: Case) -> list[str]:
    """Returns the units from which a subject is read: its own, and those that its facts under `seen_by` name."""
    named = (case.subject.facts.get(f) for f in case.definition.file.seen_by)
    return [case.subject.org, *(n for n in named if isinstance(n, str))]


def named(work: Work, definition: Definition, units: frozenset[str]) -> bool:
    """Tells whether a subject elsewhere may name one of these units, and so be seen from there."""
    tree = work.office.tree.by_id
    kinds = {tree[u].kind for u in units if u in tree}
    for name in definition.file.seen_by:
        of = definition.file.facts[name].of
        if not of or kinds & set(definition.area.kinds(of)):
            return True
    return False


def reads(work: Work, case: Case, by: By) -> bool:
    """Tells whether an officer may read a subject."""
    return _reached(work, case, roots(work.office, work.library.area, by))


def _reached(work: Work, case: Case, tops: Iterable[str]) -> bool:
    wanted = set(tops)
    return any(not wanted.isdisjoint(work.office.tree.path(place)) for place in places(case))


def through(work: Work, case: Case, by: By) -> str | None:
    """Returns for which absent officer somebody reads a subject: as chosen, or where their own roles do not reach."""
    if by.behalf is not None:
        return by.behalf
    for reader in readers(work.office, by):
        if _reached(work, case, _tops(work.office, reader, work.library.area.reading_roles)):
            return None if reader.id == by.officer else reader.id
    return None


def holds(office: Office, by: By) -> frozenset[str]:
    """Returns the roles that the officer has today, and those of whom the officer acts for."""
    return frozenset(h.role for o in readers(office, by) for h, _ in office.holdings(o))
