"""Notices: what went out, what will, what becomes of those nobody knows the end of; the officer's calendar feed."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from engine import outbox, scope
from engine.core.errors import BadInput, NotFound
from engine.store.rows import OutboxRow
from engine.work import Work
from web.api.caller import Caller, Office, Reads, once_only
from web.api.cursors import after_text
from web.api.shapes import CorrectBody, Document, ResolveBody
from web.api.subjects import Cursor, Limit, _cursor

router = APIRouter(tags=["notices"])
STATES = ("queued", "claimed", "accepted", "delivered", "refused", "failed", "unknown", "cancelled")
SENT = ("accepted", "delivered")
DAYS = 400  # of a forecast


@router.get("/notices")
def notices(
    caller: Reads,
    state: Annotated[str | None, Query(max_length=20, description="A state, or `sent`.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Document:
    """The notices about what the officer reads, and the officer's own, the earliest first."""
    if state is not None and state not in (*STATES, "sent"):
        raise BadInput("{value} is not one of {known}", value=state, known=", ".join((*STATES, "sent")), field="state")
    after = after_text(cursor)
    states = None if state is None else SENT if state == "sent" else (state,)
    with caller.service.work() as work:
        rows = sorted(work.tx.outbox(states=states), key=_place)
        waiting = (r for r in rows if _place(r) > after and _sees(work, caller, r))
        found = [row for row, _ in zip(waiting, range(limit + 1), strict=False)]
        page = found[:limit]
        work.keys.fetch(r.key_id for r in page)
        items = [caller.teller.notice(r, outbox.open_text(work, r)) for r in page]
    if items:
        caller.service.access.listed("notices", len(items), caller.by)
    return {"items": items, "next": _cursor(_place(page[-1]) if len(found) > limit else None)}


def _place(row: OutboxRow) -> str:
    return f"{row.due_at} {row.id}"


def _sees(work: Work, caller: Caller, row: OutboxRow) -> bool:
    if row.recipient == caller.officer:
        return True
    try:
        return scope.reads(work, work.case(row.subject), caller.by)
    except NotFound:
        return False


@router.post("/notices/resolve")
def resolve(caller: Office, body: ResolveBody) -> Document:
    """Says of notices that they were sent, are to be sent again, or are not wanted (with a reason)."""
    once_only(caller)
    return {"changed": caller.service.outbox.resolve(body.ids, body.outcome, caller.by, body.reason)}


@router.post("/notices/correct")
def correct(caller: Office, body: CorrectBody) -> Document:
    """Tells those who got these notices that they do not hold. Each is corrected once."""
    once_only(caller)
    rows = caller.service.outbox.correct(body.ids, body.reason, caller.by)
    return {"corrections": [{"id": r.id, "notice": r.occurrence, "to": r.recipient} for r in rows]}


@router.get("/notices/forecast")
def forecast(
    caller: Reads, first: Annotated[date, Query(alias="from")], last: Annotated[date, Query(alias="to")]
) -> Document:
    """What would go out to officers of the units that the caller reads, if nothing changed. Writes nothing."""
    today = caller.service.desk.calendar()[0]
    if last < first or last < today:
        raise BadInput("to: {last} is before from: {first}", last=last, first=max(first, today), field="to")
    if (last - today).days > DAYS:
        raise BadInput("{field}: a period of up to {n} days", field="to", n=DAYS)
    with caller.service.work() as work:
        units = scope.units(work.office, work.library.area, caller.by)
        near = {o.id for o in work.office.officers.values() if o.org in units} | {caller.officer}
    teller, ahead = caller.teller, caller.setup.wired.forecast
    if ahead is None:
        raise NotFound()
    items = [
        {
            "at": teller.time(e.at),
            "rule": e.row.rule,
            "subject": e.row.subject,
            "to": e.row.recipient,
            "channel": e.row.channel,
            "subject_line": e.subject_line,
            "body": e.body,
        }
        for e in ahead(first, last, caller.lang)
        if e.row.recipient in near
    ]
    caller.service.access.listed("forecast", len(items), caller.by)
    return {"items": items}


@router.post("/feed")
def open_feed(caller: Office) -> Document:
    """Makes a secret address for the officer's calendar program, told once. The one before ends."""
    once_only(caller)
    return {"address": f"/calendar/{caller.service.feeds.open(caller.officer, caller.by)}.ics"}


@router.delete("/feed")
def close_feed(caller: Office) -> Document:
    """Closes the officer's calendar feed."""
    once_only(caller)
    caller.service.feeds.close(caller.officer, caller.by)
    return {"closed": True}
