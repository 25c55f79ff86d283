"""A small office on a set clock, for tests of the whole engine: units, officers, the service as it is wired."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cli.bootstrap import build_service
from engine.clock import Clock
from engine.core.events import Entry
from engine.ledger import Via, entries
from engine.library import Compiled, Source, find_sources
from engine.officework import OfficerChange, OrgChange
from engine.service import Service
from engine.store.ports import Store

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MASTER = b"\x07" * 32

# id -> (kind, the unit above)
UNITS: dict[str, tuple[str, str | None]] = {
    "tu": ("town_committee", None),
    "tcnv": ("organisation_agency", "tu"),
    "ttct": ("political_centre", "tu"),
    "xa1": ("grassroots_committee", "tu"),
    "xa2": ("grassroots_committee", "tu"),
    "cb1": ("branch", "xa1"),
    "cb2": ("branch", "xa1"),
    "cb3": ("branch", "xa2"),
    "cs1": ("grassroots_branch", "tu"),
    "doan1": ("youth_union", "xa1"),
}
# unit -> the days on which its standing committee may decide admissions
DECIDES: dict[str, tuple[date, date]] = {"xa1": (date(2024, 3, 1), date(2026, 3, 31))}

# id -> (unit, roles)
OFFICERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "tu_secretary": ("tu", ("secretary",)),
    "tu_clerk": ("tu", ("clerk",)),
    "tu_standing": ("tu", ("standing_committee",)),
    "tu_both": ("tu", ("clerk", "standing_committee")),
    "tu_inspector": ("tu", ("inspector",)),
    "tu_admin": ("tu", ("admin",)),
    "tcnv_clerk": ("tcnv", ("clerk",)),
    "ttct_trainer": ("ttct", ("trainer",)),
    "xa1_secretary": ("xa1", ("secretary",)),
    "xa1_deputy": ("xa1", ("deputy",)),
    "xa1_clerk": ("xa1", ("clerk",)),
    "xa1_both": ("xa1", ("clerk", "standing_committee")),
    "xa1_standing": ("xa1", ("standing_committee",)),
    "xa2_secretary": ("xa2", ("secretary",)),
    "xa2_standing": ("xa2", ("standing_committee",)),
    "cb1_secretary": ("cb1", ("secretary",)),
    "cb1_deputy": ("cb1", ("deputy",)),
    "cb1_clerk": ("cb1", ("clerk",)),
    "cb2_clerk": ("cb2", ("clerk",)),
    "cb3_secretary": ("cb3", ("secretary",)),
    "cs1_secretary": ("cs1", ("secretary",)),
    "doan1_secretary": ("doan1", ("secretary",)),
}

_COMPILED = Compiled()  # definitions are compiled once a process: they never change


def office_time(day: date, at: time = time(9, 0)) -> datetime:
    """Returns a time of the office's day."""
    return datetime.combine(day, at, ZONE)


def wire(store: Store, clock: Clock, channel: str = "scenario") -> Service:
    """Returns the service as the program wires it."""
    service = build_service(store, clock, Via(channel=channel), master=MASTER)
    service.kit.compiled = _COMPILED
    return service


def found_office(
    store: Store, clock: Clock, workflows: Iterable[str] = ("candidate",), sources: Iterable[Source] | None = None
) -> Service:
    """Makes the database with these shipped workflows and the whole office, and returns its service."""
    store.create()
    service = wire(store, clock)
    service.load(list(sources) if sources is not None else find_sources(list(workflows)), sandbox=True)
    hand = service.set_up()
    hand.orgs(
        OrgChange(id=id, kind=kind, name=id, parent=parent, marks=_marks(id)) for id, (kind, parent) in UNITS.items()
    )
    hand.officers(
        OfficerChange(id=id, name=id, org=unit, roles=roles, email=f"{id}@example.org")
        for id, (unit, roles) in OFFICERS.items()
    )
    return service


def _marks(unit: str) -> dict[str, dict[str, str | None]] | None:
    if unit not in DECIDES:
        return None
    first, last = DECIDES[unit]
    return {"decides_admissions": {"from": first.isoformat(), "until": last.isoformat()}}


def trail(store: Store, after: int = -1) -> list[Entry]:
    """Returns the events after a number, without their payloads."""
    from engine.audit.seal import Sealer

    with store.transaction(write=False) as unit:
        rows = list(unit.events(after=after))
    return list(entries(rows, None, Sealer(bytes)))


def minutes(n: int) -> timedelta:
    """Returns a length of time."""
    return timedelta(minutes=n)


START = office_time(date(2025, 3, 3)).astimezone(UTC)
