"""Subjects: begin, find, show, what may be done, steps, facts, undo, history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Response

from engine.core.commands import Line, Move, SetFacts, Start, Undo
from engine.core.errors import BadInput, Conflict
from engine.core.marks import corrections
from engine.doors.tokens import SCOPES
from engine.likeness import Alike
from engine.steps import Answer
from web.api.caller import Caller, IfMatch, Reads, Steps, cover, etag, once_only, version_of
from web.api.cursors import after_number, after_text, cursor
from web.api.problems import OtherVersion, Unmet
from web.api.shapes import (
    Document,
    FactsBody,
    FindBody,
    LikeBody,
    ManyBody,
    OpenBody,
    StartBody,
    StepBody,
    UndoBody,
)

router = APIRouter()
PLAIN = r"^[^\x00-\x1f\x7f]*$"
SubjectId = Annotated[str, Path(max_length=200, pattern=PLAIN, description="The subject's id.")]
Workflow = Annotated[str, Query(max_length=200, pattern=PLAIN)]
Cursor = Annotated[str | None, Query(max_length=600, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500)]


# ---- who am I ----


@router.get("/whoami", tags=["account"])
def whoami(caller: Reads) -> Document:
    """Whose token this is, for what, until when; the roles of today, and for whom the officer may act."""
    officer, row = caller.bearer.officer, caller.bearer.row
    with caller.service.work() as work:
        roles = [{"role": h.role, "org": o.id} for h, o in work.office.holdings(officer)]
        sandbox = work.tx.setting("sandbox") == "true"
    return {
        "officer": officer.id,
        "name": officer.name,
        "org": officer.org,
        "roles": roles,
        "acts_for": list(caller.bearer.absent),
        "scopes": sorted(caller.bearer.scopes, key=SCOPES.index),
        "expires_at": caller.teller.time(row.expires_at),
        "sandbox": sandbox,
    }


@router.get("/tokens", tags=["account"])
def tokens(caller: Reads) -> Document:
    """The officer's tokens that have not ended; never the secrets."""
    rows = caller.service.tokens.of(caller.officer, caller.by)
    return {"items": [_token(caller, r) for r in rows]}


@router.delete("/tokens/{token}", tags=["account"])
def end_token(
    caller: Reads, token: Annotated[str, Path(min_length=8, max_length=64, pattern="^[0-9a-f]+$")]
) -> Document:
    """Ends a token of the officer's own, also the one that asks."""
    return {"ended": caller.service.tokens.end(caller.officer, [token], caller.by)}


def _token(caller: Caller, row: Any) -> Document:
    return {
        "id": row.id[:12],
        "name": row.name,
        "scopes": row.scopes.split(),
        "created_at": caller.teller.time(row.created_at),
        "expires_at": caller.teller.time(row.expires_at),
    }


# ---- what runs here ----


@router.get("/workflows", tags=["subjects"])
def workflows(caller: Reads) -> Document:
    """The workflows: their states, steps and facts, in the reader's words."""
    with caller.service.work() as work:
        found = work.library.all_newest()
    return {"items": [_workflow(caller, d) for d in found.values()]}


def _workflow(caller: Caller, definition: Any) -> Document:
    teller, file = caller.teller, definition.file
    return {
        "workflow": file.workflow,
        "title": teller.text(file.title),
        "states": {s: teller.state(definition, s) for s in file.states},
        "triggers": {t: teller.trigger(definition, t) for t in definition.steps},
        "facts": {
            n: {"label": teller.text(f.label), "type": f.type, "sensitive": f.sensitive} for n, f in file.facts.items()
        },
        "definition": definition.id,
    }


# ---- lists ----


@router.get("/subjects", tags=["subjects"])
def listed(
    caller: Reads,
    workflow: Workflow,
    org: Annotated[str | None, Query(max_length=200, pattern=PLAIN)] = None,
    state: Annotated[list[str] | None, Query(max_length=50)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Document:
    """The subjects that the officer reads, by id, a page at a time."""
    return _page(caller, workflow, org, state or [], {}, limit, cursor)


@router.post("/subjects/find", tags=["subjects"])
def find(caller: Reads, body: FindBody) -> Document:
    """The subjects with these facts. What is looked for never stands in an address."""
    return _page(caller, body.workflow, body.org, body.states, body.facts, body.limit, body.cursor)


def _page(
    caller: Caller,
    workflow: str,
    org: str | None,
    states: list[str],
    facts: Mapping[str, object],
    limit: int,
    at: str | None,
) -> Document:
    asked = sorted(caller.definition(workflow).sensitive & set(facts))
    if asked:
        raise BadInput("{fact} is sensitive and not looked for", fact=asked[0])
    found = caller.service.catalogue.page(
        workflow, caller.by, org=org, states=states, facts=facts, after=after_text(at), limit=limit
    )
    teller = caller.teller
    items = [
        {
            "subject": c.subject.id,
            "workflow": c.subject.workflow,
            "title": teller.title(c.definition, c.subject.facts) or c.subject.id,
            "org": c.subject.org,
            "state": c.subject.state,
            "state_label": teller.state(c.definition, c.subject.state),
            "version": c.subject.version,
            "entered_on": c.subject.entered_on.isoformat(),
        }
        for c in found.cases
    ]
    return {"items": items, "next": cursor(found.after)}


@router.post("/subjects/similar", tags=["subjects"])
def similar(caller: Reads, body: LikeBody) -> Document:
    """Who with these facts is followed already, among those whom the officer reads. That they were shown is noted."""
    found = _alike(caller, caller.service.likeness.of_facts(body.workflow, body.facts))
    if found:
        caller.service.access.listed("similar", len(found), caller.by, workflow=body.workflow)
    return {"items": found}


def _alike(caller: Caller, found: list[Alike] | tuple[Alike, ...]) -> list[Document]:
    return [caller.teller.alike(a) for a in found if caller.sees(a.subject)]


# ---- one subject ----


@router.get("/subjects/{subject}", tags=["subjects"])
def show(
    caller: Reads,
    response: Response,
    subject: SubjectId,
    as_of: Annotated[datetime | None, Query(description="As it was known then.")] = None,
    on: Annotated[date | None, Query(description="As it was on this day, by what is known.")] = None,
) -> Document:
    """State and facts. Sensitive facts are null: open them with a purpose. That it was opened is noted."""
    service = caller.service
    service.desk.sees(subject, caller.by)
    if as_of is None and on is None:
        case, facts = service.show(subject, caller.by)
        document = caller.teller.shown(case, facts)
        document["corrected"] = [caller.teller.corrected(c) for c in corrections(service.past.marks(subject))]
        response.headers.update(etag(case.subject.version))
        return _covered(document, case.definition.sensitive)
    at = caller.in_zone(as_of) if as_of is not None else service.kit.clock.now()
    definition, standing = service.show_as_of(subject, at, on, caller.by)
    document = caller.teller.stood(subject, at, definition, standing)
    document["on"] = on.isoformat() if on is not None else None
    return _covered(document, definition.sensitive)


def _covered(document: Document, hidden: frozenset[str]) -> Document:
    known = [n for n, v in document["facts"].items() if n in hidden and v is not None]
    covered: Document = cover(document, hidden)
    return {**covered, "covered": known}


@router.post("/subjects/{subject}/openings", tags=["subjects"])
def opened(caller: Reads, subject: SubjectId, body: OpenBody) -> Document:
    """All facts, the sensitive ones too. Who opened them, and what for, stands in the trail first."""
    caller.service.desk.opened(subject, body.purpose, caller.by)
    case, facts = caller.service.show(subject, caller.by)
    return caller.teller.shown(case, facts)


@router.get("/subjects/{subject}/why", tags=["subjects"])
def why(
    caller: Reads,
    response: Response,
    subject: SubjectId,
    trigger: Annotated[str | None, Query(max_length=200, pattern=PLAIN)] = None,
    on: date | None = None,
) -> Document:
    """What the officer may do now, what stands in the way, and what to do next."""
    service = caller.service
    service.desk.sees(subject, caller.by)
    stands, prospects = service.why(subject, trigger, officer=caller.officer, on=on, by=caller.by)
    definition = service.reading.definition(subject)
    response.headers.update(etag(stands.version))
    document: Document = cover(caller.teller.why(definition, stands, prospects), definition.sensitive)
    return document


@router.get("/subjects/{subject}/history", tags=["subjects"])
def history(caller: Reads, subject: SubjectId, limit: Limit = 200, cursor: Cursor = None) -> Document:
    """What happened, oldest first, a page at a time. Sensitive values are null."""
    service = caller.service
    service.desk.sees(subject, caller.by)
    found = service.history(subject, caller.by)
    marks = service.past.marks(subject)
    first = after_number(cursor) or 0
    shown = [caller.teller.entry(e, marks.get(e.id)) for e in found[first : first + limit]]
    more = first + limit if first + limit < len(found) else None
    return {"items": cover(shown, service.reading.definition(subject).sensitive), "next": _cursor(more)}


_cursor = cursor  # the parameter of the same name hides it


@router.get("/subjects/{subject}/notices", tags=["notices"])
def notices(caller: Reads, subject: SubjectId) -> Document:
    """What was told about a subject, and what waits to be told."""
    dossier = caller.service.desk.dossier(subject, caller.by)
    return {"items": [caller.teller.notice(row, text) for row, text in dossier.notices]}


# ---- changing ----


@router.post("/subjects", status_code=201, tags=["steps"])
def start(caller: Steps, response: Response, body: StartBody) -> Document:
    """Begins a subject."""
    command = Start(workflow=body.workflow, org=body.org, id=body.id, facts=body.facts, on=body.on, reason=body.reason)
    answer = caller.service.start(command, caller.by)
    document = caller.teller.started(answer)
    document["similar"] = _alike(caller, tuple(answer.similar))
    response.headers.update(etag(answer.version))
    response.headers["Location"] = f"/api/subjects/{answer.subject}" if answer.subject.isascii() else ""
    return document


@router.post("/subjects/{subject}/steps", tags=["steps"])
def move(caller: Steps, response: Response, subject: SubjectId, body: StepBody, if_match: IfMatch = None) -> Document:
    """Takes a step. When the rules refuse it, the error has every rule's result, and nothing was changed."""
    version = version_of(if_match)
    caller.service.desk.sees(subject, caller.by)
    command = Move(
        subject=subject,
        trigger=body.trigger,
        facts=body.facts,
        on=body.on,
        reason=body.reason,
        lines=[Line(**line.model_dump()) for line in body.lines],
        version=version,
        over_clock=body.over_clock,
        correct=body.correct,
    )
    answer = _checked(version, lambda: caller.service.move(command, caller.by))
    document = _moved(caller, answer)
    if not answer.allowed:
        raise Unmet(document)
    response.headers.update(etag(answer.version))
    return document


@router.post("/steps", tags=["steps"])
def move_many(caller: Steps, body: ManyBody) -> Document:
    """Takes steps of several subjects in one go: all of them, or none. Each names the version that you saw."""
    once_only(caller)
    for step in body.steps:
        caller.service.desk.sees(step.subject, caller.by)
    commands = [Move(**step.model_dump()) for step in body.steps]
    answers = _checked(1, lambda: caller.service.move_many(commands, caller.by))
    document = {"items": [_moved(caller, a) for a in answers]}
    if not all(a.allowed for a in answers):
        raise Unmet(document)
    return document


@router.patch("/subjects/{subject}/facts", tags=["steps"])
def set_facts(
    caller: Steps, response: Response, subject: SubjectId, body: FactsBody, if_match: IfMatch = None
) -> Document:
    """Writes facts without a step; null makes one unknown."""
    version = version_of(if_match)
    caller.service.desk.sees(subject, caller.by)
    command = SetFacts(subject=subject, facts=body.facts, on=body.on, reason=body.reason, version=version)
    answer = _checked(version, lambda: caller.service.set_facts(command, caller.by))
    response.headers.update(etag(answer.version))
    return {**caller.teller.started(answer), "similar": []}


@router.post("/subjects/{subject}/undo", tags=["steps"])
def undo(caller: Steps, response: Response, subject: SubjectId, body: UndoBody, if_match: IfMatch = None) -> Document:
    """Undoes the last step by an entry that takes it back; nothing is erased."""
    version = version_of(if_match)
    caller.service.desk.sees(subject, caller.by)
    command = Undo(subject=subject, reason=body.reason, version=version, deep=body.deep, correct=body.correct)
    answer = _checked(version, lambda: caller.service.undo(command, caller.by))
    response.headers.update(etag(answer.version))
    return caller.teller.undone(answer)


T = TypeVar("T")


def _checked(version: int | None, run: Callable[[], T]) -> T:
    """Runs a command; that the subject is at another version than was seen is an error of its own."""
    try:
        return run()
    except Conflict as error:
        if version is not None and "seen" in error.params:
            raise OtherVersion(error.message, **error.params) from None
        raise


def _moved(caller: Caller, answer: Answer) -> Document:
    with caller.service.work() as work:
        definition = work.library.newest(answer.workflow)
        step = definition.steps.get(answer.trigger)
        of = step.batch.workflow if step is not None and step.batch is not None else ()
        of_lines = {w: work.library.newest(w) for w in of}
    hidden = definition.sensitive.union(*(d.sensitive for d in of_lines.values()))
    document: Document = cover(caller.teller.moved(answer, definition, of_lines), hidden)
    return document


@router.get("/subjects/{subject}/sheet", tags=["steps"])
def sheet(
    caller: Reads,
    subject: SubjectId,
    trigger: Annotated[str, Query(max_length=200, pattern=PLAIN)],
    unit: Annotated[str | None, Query(max_length=200, pattern=PLAIN)] = None,
) -> Document:
    """Who a sitting or a class is about: the lines that a step which moves many would take; `unit`: within which."""
    caller.service.desk.sees(subject, caller.by)
    people = caller.service.sheets.nameable(subject, trigger, unit=unit)
    seen = [{"subject": id, "org": org, "unit": name} for id, org, name, _ in people.people if caller.sees(id)]
    return {"subject": subject, "trigger": trigger, "only_line": people.only_line, "people": seen}
