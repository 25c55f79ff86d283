"""The office as the rows say: organisations on a day, officers with their roles, the calendar."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, time, tzinfo
from zoneinfo import ZoneInfo

from engine.core.authority import Holding, Office, Officer, Org, Period, Substitution, Tree
from engine.core.calendar import Calendar
from engine.core.machine import Area
from engine.days_off import national_days_off
from engine.store.ports import Transaction
from engine.store.rows import DayRow, OfficerRow, OrgRow, RoleRow

ALWAYS_FROM = "0001-01-01"


def day(text: str | None) -> date | None:
    """Reads a stored day."""
    return None if text is None else date.fromisoformat(text)


def period(first: str | None, last: str | None) -> Period:
    """Reads a stored period."""
    return Period(from_=None if first in (None, ALWAYS_FROM) else day(first), until=day(last))


def org_of(row: OrgRow, exists: Period) -> Org:
    """Returns an organisation as a row of it says; `exists` spans all its rows."""
    marks = json.loads(row.marks_json)
    return Org(
        id=row.id,
        kind=row.kind,
        name=row.name,
        parent=row.parent,
        period=exists,
        merged_into=row.merged_into,
        marks={m: period(p.get("from"), p.get("until")) for m, p in marks.items()},
        created_at=row.created_at,
    )


def tree_on(rows: Iterable[OrgRow], on: date) -> Tree:
    """Returns the tree of a day.

    An organisation that is closed, or not yet founded, keeps its last (or first) place in it, with the period in which
    it exists; one that was merged stands under the one that follows. So what belongs to it can still be reached.
    """
    by_id: dict[str, list[OrgRow]] = {}
    for row in rows:
        by_id.setdefault(row.id, []).append(row)
    orgs: list[Org] = []
    for versions in by_id.values():
        versions.sort(key=lambda r: r.from_day)
        current = versions[0]
        for row in versions:
            if row.from_day <= on.isoformat():
                current = row
        exists = period(versions[0].from_day, versions[-1].until_day)
        org = org_of(current, exists)
        if org.merged_into is not None and exists.ended(on):
            org = replace(org, parent=org.merged_into)
        orgs.append(org)
    return Tree(orgs)


def officers_of(officers: Iterable[OfficerRow], roles: Iterable[RoleRow]) -> list[Officer]:
    """Returns the officers with their roles."""
    held: dict[str, list[Holding]] = {}
    for r in roles:
        held.setdefault(r.officer, []).append(Holding(role=r.role, org=r.org, period=period(r.from_day, r.until_day)))
    return [
        Officer(
            id=o.id,
            name=o.name,
            org=o.org,
            holdings=tuple(held.get(o.id, ())),
            email=o.email,
            phone=o.phone,
            webhook=o.webhook,
            channels=tuple(o.channels.split(",")) if o.channels else (),
            period=period(o.from_day, o.until_day),
            disabled=o.disabled,
            bad=frozenset(one for one in (o.bad_email, o.bad_phone, o.bad_webhook) if one),
        )
        for o in officers
    ]


def read_office(tx: Transaction, area: Area, today: date) -> Office:
    """Returns the office as it stands on a day."""
    return Office(
        day=today,
        tree=tree_on(tx.orgs(), today),
        officers=officers_of(tx.officers(), tx.roles()),
        substitutions=[
            Substitution(officer=s.officer, stand_in=s.stand_in, period=period(s.from_day, s.until_day))
            for s in tx.substitutes()
        ],
        parent_reach=area.parent_reach,
    )


def calendar_of(area: Area, days: Sequence[DayRow], zone: tzinfo | None = None) -> Calendar:
    """Returns the calendar: national days off, then the office's own days; in the area's zone unless said otherwise."""
    spec = area.file.calendar
    hours: tuple[time, time] = (spec.office_hours.from_, spec.office_hours.until)
    return Calendar(
        zone=zone or ZoneInfo(spec.zone),
        days_off=lambda year: national_days_off(spec.days_off, [year]),
        own_off=frozenset(date.fromisoformat(d.day) for d in days if d.off),
        own_work=frozenset(date.fromisoformat(d.day) for d in days if not d.off),
        weekend=frozenset(spec.weekend),
        office_hours=hours,
    )
