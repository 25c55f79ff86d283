"""Lists that come in: every row is shown with what it would do, and nothing is recorded before that was seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePath
from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.errors import BadInput, NotFound
from engine.service import Service
from engine.steps import By
from reports.incoming import KINDS, Errand, Incoming
from reports.profiles import profile_in
from reports.sheets import MAX_FILE, Sheet, read_sheets
from web.access import Listed
from web.asked import Asked
from web.forms import Field
from web.jobs import Job
from web.site import Site, Visit
from web.words import error_text

NAME = "imports"
TRIED, TAKEN = "list-tried", "list-taken"
SHOWN = 500  # rows on the page; all of them are counted
TITLES = {
    "candidates": "People",
    "orgs": "Organisations",
    "officers": "Officers",
    "terms": "Roles with their days",
}


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/imports", show, Listed(NAME), name=NAME),
        site.post("/imports", attempt, Listed(NAME), files=True),
        site.get("/imports/{job}/preview", preview, Listed(NAME)),
        site.post("/imports/{job}/preview", take, Listed(NAME)),
        site.get("/imports/{job}/done", done, Listed(NAME)),
    ]


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A list that was tried, with all that is needed to take it in."""

    kind: str
    name: str
    sheets: list[Sheet]
    on: date | None
    found: Incoming


def _kinds(visit: Visit) -> list[tuple[str, str]]:
    """Returns the kinds of list that the visitor may bring: by a permission, or as one who sees subjects."""
    if visit.site.wired.folder is None:
        return []
    sees = not visit.reading_roles.isdisjoint(visit.roles)
    may = [k for k, kind in KINDS.items() if (visit.may(kind.permission) if kind.permission else sees)]
    return [(k, visit.say(TITLES[k])) for k in may]


def _fields(visit: Visit) -> list[Field]:
    kinds = _kinds(visit)
    hint = visit.say("for people from a list of years ago: the day of the list; else empty")
    return [
        Field(
            name="kind",
            label=visit.say("What the list holds"),
            kind="choice",
            options=kinds,
            required=True,
            value=kinds[0][0] if len(kinds) == 1 else "",
        ),
        Field(name="on", label=visit.say("They count from"), kind="day", hint=hint),
    ]


def show(visit: Visit) -> Response:
    """Shows what may be brought, and the form that takes a file."""
    return _page(visit, Asked(visit, _fields(visit)), "", 200)


def _page(visit: Visit, asked: Asked, error: str, status: int) -> Response:
    return visit.page("imports.html", status, fields=asked.fields, error=error, limit=MAX_FILE // 2**20)


def attempt(visit: Visit) -> Response:
    """Reads a file and tries all of it; nothing is written."""
    asked = Asked(visit, _fields(visit))
    if not asked.read():
        return _page(visit, asked, visit.say("Look at the fields marked below."), 400)
    try:
        name, sheets = read_list(visit.form.files.get("list"))
    except BadInput as error:
        return _page(visit, asked, error_text(error, visit.lang), 400)
    kind, on = asked.text("kind") or "", asked.day("on")
    errand = _errand(visit, kind, name, sheets, on)

    def run(service: Service, job: Job) -> Tried:
        found = KINDS[kind].bring(replace(errand, service=service, count=_counting(visit, job)))
        return Tried(kind=kind, name=name, sheets=sheets, on=on, found=found)

    title = visit.say("The list is tried: {file}", file=name)
    return visit.work_on(TRIED, title, run, to="/imports/{job}/preview", back="/imports")


def read_list(upload: UploadFile | None) -> tuple[str, list[Sheet]]:
    """Returns the name and the sheets of a file. Raises BadInput: none, too large, of another kind, damaged."""
    name = PurePath((upload.filename or "").replace("\\", "/")).name[:120] if upload is not None else ""
    if upload is None or not name:
        raise BadInput("Choose a file first.")
    return name, read_sheets(upload.file.read(MAX_FILE + 1), name)


def _errand(visit: Visit, kind: str, name: str, sheets: list[Sheet], on: date | None) -> Errand:
    folder = visit.site.wired.folder
    if folder is None:
        raise NotFound("There is no such page.")
    own = By(officer=visit.session.officer.id, behalf=visit.session.row.behalf)
    return Errand(
        service=visit.service, by=own, profile=profile_in(folder / "imports", kind), sheets=sheets, file=name, on=on
    )


def _counting(visit: Visit, job: Job) -> Any:
    part = visit.say("rows")
    return lambda done, all: job.count(part, done, all)


def preview(visit: Visit) -> Response:
    """Shows what each row would do."""
    tried: Tried = visit.worked(TRIED)
    return visit.page("import.html", **_told(visit, tried.found), name=tried.name, kind=visit.say(TITLES[tried.kind]),
                      job=visit.path("job"), taken=False)  # fmt: skip


def _told(visit: Visit, found: Incoming) -> dict[str, Any]:
    outcomes = {
        "created": (visit.say("new"), "good"),
        "updated": (visit.say("changed"), "soon"),
        "unchanged": (visit.say("as it was"), ""),
        "rejected": (visit.say("rejected"), "late"),
    }
    notes: dict[tuple[str, int], list[str]] = {}
    for remark in found.warnings:
        notes.setdefault((remark.sheet, remark.row), []).append(_remark(visit, remark))
    faults: dict[tuple[str, int], list[str]] = {}
    for fault in found.rejected:
        faults.setdefault((fault.sheet, fault.row), []).append(_remark(visit, fault))
    for refused in found.done.refused:
        faults.setdefault((refused.row.sheet, refused.row.row), []).append(error_text(refused.error, visit.lang))
    names = {**found.names, **{(s, n): name for s, n, name, _ in found.rows}}
    wrong = [(s, n, names.get((s, n), ""), "rejected", texts) for (s, n), texts in sorted(faults.items())]
    alike = {(row.sheet, row.row): visit.teller.alike(other) for row, other in found.done.similar}
    right = [(s, n, name, o, notes.pop((s, n), [])) for s, n, name, o in sorted(found.rows, key=lambda r: r[:2])]
    counts = {o: sum(r[3] == o for r in [*wrong, *right]) for o in outcomes}
    return {
        "rows": [*wrong, *right][:SHOWN],
        "more": max(0, len(wrong) + len(right) - SHOWN),
        "notes": [(s, n, text) for (s, n), texts in notes.items() for text in texts],
        "outcomes": outcomes,
        "counts": counts,
        "alike": alike,
        "stands": found.stands,
        "read": found.read,
    }


def _remark(visit: Visit, remark: Any) -> str:
    place = f"{remark.cell}: " if remark.column else ""
    more = visit.say(" (and {n} more rows)", n=remark.times - 1) if remark.times > 1 else ""
    return f"{place}{remark.text(visit.translate)}{more}"


def take(visit: Visit) -> Response:
    """Takes the list in, all of it or nothing: tried again on what stands now."""
    tried: Tried = visit.worked(TRIED)
    if not tried.found.stands or tried.kind not in dict(_kinds(visit)):
        raise BadInput("This list has rows that are rejected. Mend them in the file and bring it again.")
    errand = replace(_errand(visit, tried.kind, tried.name, tried.sheets, tried.on), rehearse=False)

    def run(service: Service, job: Job) -> Tried:
        found = KINDS[tried.kind].bring(replace(errand, service=service, count=_counting(visit, job)))
        return replace(tried, sheets=[], found=found)

    title = visit.say("The list comes in: {file}", file=tried.name)
    return visit.work_on(TAKEN, title, run, to="/imports/{job}/done", back="/imports")


def done(visit: Visit) -> Response:
    """Shows what came in."""
    taken: Tried = visit.worked(TAKEN)
    return visit.page("import.html", **_told(visit, taken.found), name=taken.name, kind=visit.say(TITLES[taken.kind]),
                      job=visit.path("job"), taken=True)  # fmt: skip
