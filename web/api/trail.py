"""The trail: finding events, verifying, checkpoints and proofs, a bundle to take away."""

from __future__ import annotations

import base64
import io
import tempfile
import zipfile
from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Response

from engine.bundling import Wanted, export
from engine.core.errors import BadInput
from engine.reading import Query as Asked
from engine.verifying import verify as verify_trail
from web.answers import HEADERS
from web.api.caller import Audits, once_only
from web.api.cursors import after_number
from web.api.shapes import Document, ExportBody
from web.api.subjects import PLAIN, Cursor, Limit, _cursor

router = APIRouter(prefix="/audit", tags=["audit"])
Word = Annotated[str | None, Query(max_length=200, pattern=PLAIN)]
Number = Annotated[int, Query(ge=0, lt=2**53)]


@router.get("/events")
def events(
    caller: Audits,
    org: Annotated[str, Query(max_length=200, pattern=PLAIN, description="This unit and all below it.")],
    subject: Word = None,
    officer: Word = None,
    rule: Word = None,
    kind: Annotated[list[str] | None, Query(max_length=30)] = None,
    trigger: Word = None,
    since: Annotated[date | None, Query(alias="from")] = None,
    until: Annotated[date | None, Query(alias="to")] = None,
    late: Annotated[int | None, Query(ge=1, le=10_000, description="Entered at least so many days late.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Document:
    """Events of a unit that the officer reads, newest first: codes and ids, never what is sealed.

    Events of subjects that the officer does not read any more are left out.
    """
    query = Asked(
        subject=subject,
        officer=officer,
        unit=caller.over(org),
        rule=rule,
        kinds=tuple(kind or ()),
        trigger=trigger,
        since=since,
        until=until,
        late_days=late,
        before=after_number(cursor),
        limit=limit,
    )
    page = caller.service.reading.search(query)
    seen: dict[str, bool] = {}
    items = []
    for entry in page.entries:
        if entry.subject is not None and entry.subject not in seen:
            seen[entry.subject] = caller.sees(entry.subject)
        if entry.subject is None or seen[entry.subject]:
            items.append(caller.teller.found(entry))
    return {"items": items, "next": _cursor(page.before)}


@router.post("/verify")
def verify(caller: Audits) -> Document:
    """Verifies the whole trail. For an officer who reads everything."""
    caller.over_all()
    once_only(caller)
    found = verify_trail(caller.service)
    problems = [
        {"event": p.event, "kind": p.kind, "message": caller.teller.translate(p.message)} for p in found.problems
    ]
    return {"ok": not problems, "events": found.events, "checkpoints": found.checkpoints, "problems": problems}


@router.get("/keys")
def keys(caller: Audits) -> Document:
    """The public keys that sign the trail's checkpoints, oldest first."""
    found = caller.service.trail.keys()
    return {"items": [{"key": str(t.key), "since": t.since, "until": t.until} for t in found]}


@router.get("/exposure")
def exposure(caller: Audits) -> Document:
    """How many events no checkpoint outside this machine covers."""
    found = caller.service.trail.exposure()
    age = None if found.age is None else int(found.age.total_seconds())
    return {"events": found.events, "size": found.size, "seconds": age}


@router.post("/checkpoints")
def checkpoint(caller: Audits) -> Document:
    """Signs a checkpoint of all there is, or gives the one that stands. For an officer who reads everything."""
    caller.over_all()
    once_only(caller)
    signed = caller.service.trail.sign(caller.by)
    return {"size": signed.checkpoint.size, "root": signed.checkpoint.root.hex(), "note": signed.note}


@router.get("/proof")
def proof(
    caller: Audits,
    event: Annotated[int | None, Query(ge=0, lt=2**53)] = None,
    since: Annotated[int | None, Query(ge=0, lt=2**53)] = None,
    size: Annotated[int | None, Query(ge=0, lt=2**53)] = None,
) -> Document:
    """Proves that an event is in the trail, or that the trail goes on from an earlier size (RFC 6962)."""
    caller.over_all()
    if (event is None) == (since is None):
        raise BadInput("{field}: name an event, or since", field="event")
    door = caller.service.trail
    made = door.inclusion(event, size) if event is not None else door.consistency(since or 0, size)
    return {
        "size": made.size,
        "root": base64.b64encode(made.root).decode(),
        "event": made.index,
        "since": made.old,
        "body": None if made.body is None else made.body.decode(),
        "hashes": [base64.b64encode(h).decode() for h in made.hashes],
    }


@router.post("/export", response_class=Response)
def bundle(caller: Audits, body: ExportBody) -> Response:
    """A bundle (zip) that anybody verifies with Python alone: of a unit that the officer reads, or of everything."""
    once_only(caller)
    if body.org is None:
        caller.over_all()
    else:
        caller.over(body.org)
    wanted = Wanted(org=body.org, first=body.from_, last=body.to)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "bundle"
        export(caller.service, folder, wanted, caller.by, caller.lang)
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                archive.write(path, path.relative_to(folder).as_posix())
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="bundle.zip"'}
    return Response(data.getvalue(), 200, headers, "application/zip")
