"""Lists that come in: tried first, then taken in whole or not at all."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from engine.core.errors import BadInput
from reports.incoming import KINDS, Errand, Incoming
from reports.profiles import profile_in
from reports.sheets import read_sheets
from web.api.caller import Caller, Imports, once_only
from web.api.problems import problem
from web.api.shapes import Document
from web.words import error_text

router = APIRouter(tags=["import"])
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TYPES = {"text/csv": "list.csv", XLSX: "list.xlsx"}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in TYPES},
    }
}


@router.post("/imports/{kind}", openapi_extra=BODY, response_model=None)
async def bring(
    caller: Imports,
    request: Request,
    kind: Literal["candidates", "orgs", "officers", "terms"],
    dry_run: Annotated[bool, Query(description="Everything is tried, nothing is written.")] = True,
    on: Annotated[date | None, Query(description="The day from which people of an old list count.")] = None,
) -> Any:
    """Takes in a list, .xlsx or .csv, all of it or nothing; it is only tried unless `dry_run=false`.

    The same list again changes nothing. Rows that stand in the way are named in the error.
    """
    once_only(caller)
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent not in TYPES:
        raise BadInput("{field}: send a list as {known}", field="Content-Type", known=", ".join(TYPES))
    data = await request.body()
    return await run_in_threadpool(_bring, caller, kind, data, TYPES[sent], dry_run, on)


def _bring(caller: Caller, kind: str, data: bytes, file: str, dry_run: bool, on: date | None) -> Any:
    errand = Errand(
        service=caller.service,
        by=caller.by,
        profile=profile_in(caller.folder / "imports", kind),
        sheets=read_sheets(data, file),
        file=file,
        account=f"token:{caller.bearer.row.id[:12]}",
        rehearse=dry_run,
        on=on,
    )
    found = KINDS[kind].bring(errand)
    document = _told(caller, found, dry_run)
    if found.stands:
        return document
    text = caller.teller.say("Nothing was changed: a list comes in whole or not at all.")
    return problem(400, "bad_list", text, caller.lang, None, **document)


def _told(caller: Caller, found: Incoming, dry_run: bool) -> Document:
    translate = caller.teller.translate
    remarks = {
        name: [{"sheet": r.sheet, "row": r.row, "column": r.column, "detail": r.text(translate)} for r in rows]
        for name, rows in (("rejected", found.rejected), ("warnings", found.warnings))
    }
    refused = [
        {"sheet": r.row.sheet, "row": r.row.row, "column": "", "detail": error_text(r.error, caller.lang)}
        for r in found.done.refused
    ]
    done = found.done
    return {
        "read": found.read,
        "created": done.created,
        "updated": done.updated,
        "unchanged": done.unchanged,
        "rejected": remarks["rejected"] + refused,
        "warnings": remarks["warnings"],
        "dry_run": dry_run,
        "ids": [] if dry_run else done.ids,
        "similar": [
            {"sheet": row.sheet, "row": row.row, **caller.teller.alike(other)}
            for row, other in done.similar
            if caller.sees(other.subject)
        ],
    }
