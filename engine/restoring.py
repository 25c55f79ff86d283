"""An export into an empty database: the office as it stood, and every subject as history.

When each thing was recorded where it comes from, and that it was no history there, is taken from the export as data:
late entries stay marked as such in reports. It proves nothing: the trail of the database it comes from does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from engine import officework, recording
from engine.core import events
from engine.core.errors import BadInput
from engine.core.events import Origin, stamp, unstamp
from engine.core.values import Json
from engine.exporting import KEPT, check_format, day_of
from engine.recording import Past, Record
from engine.steps import By
from engine.store.rows import OfficerRow, OrgRow, RoleRow
from engine.work import Work


def restore(work: Work, document: object) -> dict[str, int]:
    """Takes in an export; returns how much of each. All or nothing.

    Raises BadInput where the database is not empty, or the document is not one that this program made.
    """
    given = check_format(document)
    if work.tx.orgs() or work.tx.officers() or work.tx.find_subjects(limit=1):
        raise BadInput("an export comes into an empty database only; make one with: ketnap init")
    nobody = By(officer=None)
    try:
        _office(work, given)
        ids: dict[str, str] = {}
        for subject in given["subjects"]:
            recording.record(work, _record(work, subject), nobody, unasked=True, restored=ids)
        for s in given["substitutes"]:
            first, last = date.fromisoformat(s["from_day"]), date.fromisoformat(s["until_day"])
            officework.add_substitute(work, s["officer"], s["stand_in"], first, last, nobody)
        officework.put_days(work, [(date.fromisoformat(d["day"]), bool(d["off"])) for d in given["days"]], nobody)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput("the export was changed since it was made: {why}", why=repr(error)) from error
    return {k: len(given[k]) for k in ("orgs", "officers", "terms", "substitutes", "days", "subjects")}


def _office(work: Work, given: Mapping[str, Any]) -> None:
    orgs = [OrgRow(**row, created_at=work.ledger.at) for row in given["orgs"]]
    work.tx.put_orgs(orgs)
    for id in dict.fromkeys(r.id for r in orgs):
        rows: list[Json] = [r for r in given["orgs"] if r["id"] == id]
        work.ledger.append(events.OFFICE, what="org_restored", orgs=rows, org=id)
    nothing = dict.fromkeys(("token", "password", "password_by", "feed", "bad_email", "bad_phone"))
    officers = [OfficerRow(**{**row, **nothing}) for row in given["officers"]]
    roles = [RoleRow(**row) for row in given["terms"]]
    work.tx.put_officers(officers)
    work.tx.put_roles(roles)
    for officer in officers:
        officework.officer_event(work, officer, [r for r in roles if r.officer == officer.id], By(officer=None))
    work.office_changed()


def _record(work: Work, subject: Mapping[str, Any]) -> Record:
    first, *rest = subject["events"]
    org = first["org"]
    past = []
    for entry in rest:
        past.append(_past(work, entry, org))
        org = entry["org"] or org
    return Record(
        id=subject["id"],
        workflow=subject["workflow"],
        org=first["org"],
        on=date.fromisoformat(day_of(work, first)),
        facts=_typed(first["facts"]),
        reason=first["reason"],
        past=past,
        detail={**_detail(work, first), **({"by": first["by"]} if first["by"] else {}), **_clock(first)},
        was=first["id"],
    )


def _clock(entry: Mapping[str, Any]) -> dict[str, Json]:
    return {"by_clock": True} if entry["by_clock"] else {}


def _past(work: Work, entry: Mapping[str, Any], org: str) -> Past:
    moved = entry["kind"] in events.STEPS
    return Past(
        on=date.fromisoformat(day_of(work, entry)),
        trigger=entry["trigger"] if moved else None,
        to=entry["to"] if moved else None,
        facts=_typed(entry["facts"]),
        org=entry["org"] if entry["org"] != org and entry["kind"] != events.FACTS_SET else None,
        by=tuple(entry["by"]),
        by_clock=bool(entry["by_clock"]),
        reason=entry["reason"],
        breaches=tuple(entry["breaches"]),
        detail=_detail(work, entry),
        was=entry["id"],
    )


def _detail(work: Work, entry: Mapping[str, Any]) -> dict[str, Json]:
    """Returns what an event keeps beside its facts. Raises ValueError for what no export holds: judged rules."""
    detail: dict[str, Json] = entry["detail"]
    if foreign := set(detail) - set(KEPT):
        raise ValueError(", ".join(sorted(foreign)))
    at, happened = detail["recorded_at"], detail.get("happened")
    if not isinstance(at, str) or stamp(unstamp(at)) != at or work.calendar.day_of(unstamp(at)) > work.today:
        raise ValueError(at)  # the clocks of two machines may differ, but not by a day
    if happened is not None:
        date.fromisoformat(str(happened))
    return {**detail, "origin": Origin.FILES if entry["history"] else Origin.LIVE}


def _typed(facts: Mapping[str, Any]) -> dict[str, object]:
    """Returns facts as people would type them."""
    return {n: {k: _text(v) for k, v in f.items()} if isinstance(f, dict) else _text(f) for n, f in facts.items()}


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
