"""Who may do what, by hand: a unit reaches itself and all below it, an agency reaches what its committee reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tests.world import DECIDES, OFFICERS, UNITS

COMMITTEES = ("town_committee", "grassroots_committee")
CELLS = ("branch", "grassroots_branch")
AGENCIES = ("organisation_agency", "political_centre")
Grant = tuple[tuple[str, ...], tuple[str, ...]]  # roles, kinds of unit
KEEPERS: tuple[Grant, ...] = ((("secretary", "deputy", "clerk"), CELLS + COMMITTEES),)
HEADS: tuple[Grant, ...] = ((("secretary", "deputy"), (*COMMITTEES, "grassroots_branch")),)
TRAINERS: tuple[Grant, ...] = ((("trainer",), ("political_centre",)), (("clerk",), COMMITTEES))
DECIDERS: tuple[Grant, ...] = ((("standing_committee",), COMMITTEES),)


def path(unit: str | None) -> list[str]:
    """The unit and all above it."""
    found = []
    while unit is not None:
        found.append(unit)
        unit = UNITS[unit][1]
    return found


def _own(officer: str, grants: Sequence[Grant], unit: str, on: date) -> str | None:
    """None where the officer's own roles suffice, else role or scope."""
    home, roles = OFFICERS[officer]
    kind, above = UNITS[home]
    fits = False
    for wanted, kinds in grants:
        if kind not in kinds or not set(roles) & set(wanted):
            continue
        if wanted == ("standing_committee",) and kind == "grassroots_committee":
            first, last = DECIDES.get(home, (date.max, date.min))
            if not first <= on <= last:
                continue
        fits = True
        if (above if kind in AGENCIES else home) in path(unit):
            return None
    return "scope" if fits else "role"


@dataclass(frozen=True)
class Permission:
    """Whether the officer may: the persons that act, or why not (one of these)."""

    persons: tuple[str, ...] = ()
    why: frozenset[str] = frozenset()


def permission(
    officer: str,
    grants: Sequence[Grant],
    unit: str,
    on: date,
    absent: Sequence[str],
    barred: frozenset[str] = frozenset(),
) -> Permission:
    """The officer's own authority is tried first, then that of those whom the officer stands in for today."""
    why = set()
    for behalf in (None, *absent):
        refused = _own(behalf or officer, grants, unit, on)
        persons = (officer,) if behalf is None else (officer, behalf)
        if refused is None and barred & set(persons):
            refused = "separation_of_duties"
        if refused is None:
            return Permission(persons)
        why.add(refused)
    return Permission(why=frozenset(why))
