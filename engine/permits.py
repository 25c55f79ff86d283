"""Who may change the office: the permissions of the area, tried over the units that a change touches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engine.core.authority import Office, authorise
from engine.core.errors import Denied, NotFound
from engine.officework import OfficerChange, OrgChange
from engine.steps import By
from engine.work import Work


def permit(work: Work, what: str, by: By, unit: str | None = None) -> By:
    """Sees that the officer may change `what` (a field of the area's permissions); returns who does it, and for whom.

    Without a unit: where they serve, or where the absent officer serves for whom they stand in. A database without
    officers is open: the first are added by whoever sets it up. Raises Denied.
    """
    if is_open(work, by):
        return by
    officer, office = by.officer or "", work.office
    grants = work.library.area.permissions[what]
    refused: Denied | None = None
    for place in [unit] if unit is not None else _served(office, by):
        try:
            acting = authorise(office, officer, grants, place, facts={}, on=work.today, behalf=by.behalf)
            return replace(by, behalf=acting.behalf)
        except Denied as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _served(office: Office, by: By) -> list[str]:
    """Returns where an officer serves, and then where those do for whom the officer stands in."""
    own = by.officer or ""
    chosen = [own, *office.absent_for(own)] if by.behalf is None else [by.behalf]
    return list(dict.fromkeys(office.officers[o].org if o in office.officers else "" for o in chosen))


def permit_at(work: Work, what: str, by: By, units: Iterable[str | None]) -> By:
    """Sees that the officer may change `what` at each of these units; returns who does it. Raises Denied."""
    found = [permit(work, what, by, unit) for unit in units]
    return next((f for f in found if f.behalf is not None), by)


def permit_officers(work: Work, what: str, by: By, changes: Iterable[OfficerChange]) -> By:
    """Sees that the officer may do so where each of these officers serves, and is to serve; returns who does it.

    Raises Denied.
    """
    known = work.office.officers
    places: dict[str | None, None] = {}
    for change in changes:
        old = known.get(change.id)
        held = [h.org for h in old.holdings if h.period.holds(work.today)] if old is not None else []
        places.update(
            dict.fromkeys([*([old.org] if old is not None else []), *held, *([change.org] if change.org else [])])
        )
    tree = work.office.tree.by_id
    return permit_at(work, what, by, [place if place in tree else None for place in places or {None: None}])


def permit_org(work: Work, by: By, change: OrgChange) -> By:
    """Sees that a unit may be changed: over it or where it is founded, and over those it comes to; returns who does it.

    Raises Denied.
    """
    tree = work.office.tree.by_id
    home = change.id if change.id in tree else change.parent
    old = tree[change.id].parent if change.id in tree else None
    units = [home, change.parent if change.parent != old else None, change.merge_into]
    places: list[str | None] = [u for u in dict.fromkeys(units) if u in tree]
    return permit_at(work, "organisations", by, places or [None])


def is_open(work: Work, by: By) -> bool:
    """Tells whether the database has no officers yet, so that whoever sets it up adds the first."""
    return not work.office.officers and by.officer is None


def may(work: Work, what: str, by: By, unit: str | None = None) -> bool:
    """Tells whether an officer may change `what`, at a unit or where they serve."""
    try:
        permit(work, what, by, unit)
    except (Denied, NotFound):
        return False
    return True


def reach(work: Work, what: str, by: By) -> frozenset[str]:
    """Returns the units over which an officer may change `what`."""
    return frozenset(unit for unit in work.office.tree.by_id if may(work, what, by, unit))


def nobody_may(work: Work, what: str) -> tuple[str, ...]:
    """Returns the roles that may change `what`, when no officer of today holds one where it counts; else nothing."""
    grants = work.library.area.permissions[what]
    for officer in work.office.officers.values():
        for holding, org in work.office.holdings(officer):
            if any(holding.role in g.roles and org.kind in g.kinds for g in grants):
                return ()
    return roles_that_may(work, what)


def roles_that_may(work: Work, what: str) -> tuple[str, ...]:
    """Returns the roles that may change `what`."""
    return tuple(sorted(frozenset().union(*(g.roles for g in work.library.area.permissions[what]))))
