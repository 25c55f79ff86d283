"""The office: organisations, officers, days off, substitutes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query

from engine import permits, scope
from engine.core.authority import Officer
from engine.core.errors import BadInput, Denied, NotFound
from engine.doors.organisations import standing
from engine.officework import OfficerChange, OrgChange
from engine.organising import Split
from engine.work import Work
from web.api.caller import Caller, Office, Reads, once_only
from web.api.shapes import CloseBody, DayBody, Document, OfficerBody, OrgBody, SplitBody, SubstituteBody
from web.api.subjects import PLAIN

router = APIRouter(tags=["office"])
Id = Annotated[str, Path(max_length=200, pattern=PLAIN)]
SPAN = timedelta(days=800)


def _reach(work: Work, caller: Caller) -> frozenset[str]:
    """Returns the units over which the officer holds any role at all."""
    office = work.office
    roots = [office.root(org) for o in scope.readers(office, caller.by) for _, org in office.holdings(o)]
    return frozenset(u for root in roots for u in office.tree.below(root))


@router.get("/orgs")
def orgs(caller: Reads, on: date | None = None) -> Document:
    """The organisations over which the officer holds a role, and those above them, as they stand on a day."""
    day, tree = caller.service.organisations.on(on)
    with caller.service.work() as work:
        near = _reach(work, caller)
    near |= {up for unit in near for up in tree.path(unit)}
    shown = [o for o in standing(tree, day) if o.id in near]
    items = [{"id": o.id, "kind": o.kind, "name": o.name, "parent": o.parent} for o in shown]
    return {"on": day.isoformat(), "items": items}


@router.post("/orgs")
def put_org(caller: Office, body: OrgBody) -> Document:
    """Founds, renames, moves or merges an organisation; given twice it changes nothing."""
    once_only(caller)
    marks: dict[str, dict[str, str | None]] = {
        mark: {str(k): d.isoformat() if d is not None else None for k, d in period.items()}
        for mark, period in (body.marks or {}).items()
    }
    given = body.model_dump(exclude={"marks"})
    counts = caller.service.organisations.put([OrgChange(**given, marks=marks or None)], caller.by)
    return {"created": counts.created, "updated": counts.updated, "unchanged": counts.unchanged}


@router.post("/orgs/{org}/close")
def close_org(caller: Office, org: Id, body: CloseBody) -> Document:
    """Closes a unit that has nothing left."""
    once_only(caller)
    caller.service.organisations.close(org, body.on, body.decision, caller.by)
    return {"org": org, "closed": True}


@router.post("/orgs/{org}/split")
def split_org(caller: Office, org: Id, body: SplitBody) -> Document:
    """Splits a unit; returns where each subject went."""
    once_only(caller)
    command = Split(org=org, into=body.into, assign=body.assign, on=body.on, decision=body.decision)
    return {"org": org, "assigned": dict(caller.service.organisations.split(command, caller.by))}


# ---- officers ----


@router.get("/officers")
def officers(caller: Reads) -> Document:
    """The officers of the units over which the caller holds a role. Contacts only for whoever keeps the accounts."""
    with caller.service.work() as work:
        near = _reach(work, caller)
        found = sorted((o for o in work.office.officers.values() if o.org in near), key=lambda o: o.id)
        return {"items": [_officer(work, caller, o) for o in found]}


@router.get("/officers/{officer}")
def officer(caller: Reads, officer: Id) -> Document:
    """One officer."""
    with caller.service.work() as work:
        found = work.office.officers.get(officer)
        if found is None or (found.org not in _reach(work, caller) and found.id != caller.officer):
            raise NotFound("{officer} is not an officer here", officer=officer)
        return _officer(work, caller, found)


def _officer(work: Work, caller: Caller, found: Officer) -> Document:
    document: Document = {
        "id": found.id,
        "name": found.name,
        "org": found.org,
        "roles": [{"role": h.role, "org": o.id} for h, o in work.office.holdings(found)],
        "present": found.present(work.today),
        "substitutes": list(work.office.stand_ins(found.id)),
    }
    if found.id == caller.officer or _keeps(work, caller, found.org):
        order = found.order(work.library.area.file.channels)
        document["channels"] = [{"channel": c, "to": found.contact(c)} for c in order]
    return document


def _keeps(work: Work, caller: Caller, org: str) -> bool:
    try:
        permits.permit(work, "accounts", caller.by, org)
    except (Denied, NotFound):
        return False
    return True


@router.put("/officers/{officer}")
def put_officer(caller: Office, officer: Id, body: OfficerBody) -> Document:
    """Adds or changes an officer; given twice it changes nothing. Passwords and tokens are not given here."""
    once_only(caller)
    counts = caller.service.put_officers([OfficerChange(id=officer, **body.model_dump())], caller.by)
    return {"created": counts.created, "updated": counts.updated, "unchanged": counts.unchanged}


# ---- days, substitutes ----


@router.get("/calendar")
def calendar(
    caller: Reads, first: Annotated[date, Query(alias="from")], last: Annotated[date, Query(alias="to")]
) -> Document:
    """The days of a period that are not worked, Saturdays and Sundays left out, and the working ones among these."""
    if not first <= last or last - first > SPAN:
        raise BadInput("{field}: a period of up to {n} days", field="to", n=SPAN.days)
    today, _, days = caller.service.desk.calendar()
    items = []
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        works = days.is_working(day)
        if works == (day.weekday() >= 5):
            items.append({"day": day.isoformat(), "off": not works})
    return {"today": today.isoformat(), "items": items}


@router.post("/calendar")
def put_day(caller: Office, body: DayBody) -> Document:
    """Declares a day off, or a working day; given twice it changes nothing."""
    once_only(caller)
    return {"changed": caller.service.put_days([(body.day, body.off)], caller.by)}


@router.post("/substitutes")
def put_substitute(caller: Office, body: SubstituteBody) -> Document:
    """Lets one officer act for another in a period. Officers may name their own; given twice it changes nothing."""
    once_only(caller)
    with caller.service.work() as work:
        near = _reach(work, caller) | {caller.bearer.officer.org}
        away = work.office.officers.get(body.officer)
        if away is None or away.org not in near:
            raise NotFound("{officer} is not an officer here", officer=body.officer)
    id = caller.service.add_substitute(body.officer, body.stand_in, body.from_, body.until, caller.by)
    return {"substitute": id}
