"""A person's data: held while it must be kept, erased on a lawful request or when its time is over, copied for them.

A person is everything that one key seals: the subject whose key it is, and those sealed with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from engine import drafts, outcomes, permits
from engine.core import events
from engine.core.calendar import add_months
from engine.core.errors import BadInput, KetnapError
from engine.core.events import Entry, unstamp
from engine.core.values import Json, Value, from_json, to_json
from engine.core.views import facts_of
from engine.ledger import entries
from engine.reading import history
from engine.steps import By
from engine.store.rows import EventSearch, OutboxRow
from engine.texts import open_text
from engine.work import Case, Work

PERMISSION = "persons"
AGAIN = "erased before; restored from an older copy"


class StillNeeded(KetnapError):
    """This person's data is still needed; nothing was erased."""


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A person's data is to be kept until a day (None: until released), whoever asks for its erasure."""

    person: str
    event: str
    placed_at: str
    by: str | None
    until: date | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What an erasure did."""

    person: str
    event: str
    subjects: Sequence[str]
    cancelled: int  # notices that had not gone out


@dataclass(frozen=True, kw_only=True)
class Overdue:
    """A person whose data has been kept as long as it may be, by the workflow's own rule."""

    person: str
    subject: str
    state: str
    since: date
    past: date  # the last day it may be kept
    source: str
    hold: Hold | None


@dataclass(frozen=True, kw_only=True)
class Copy:
    """All that is kept about a person, for that person."""

    person: str
    erased: bool
    cases: Sequence[Case]
    facts: Mapping[str, Mapping[str, Value]]
    histories: Mapping[str, Sequence[Entry]]
    notices: Sequence[tuple[OutboxRow, Mapping[str, str]]]
    hold: Hold | None


# ---- who ----


def person_of(work: Work, subject: str) -> tuple[str, list[Case]]:
    """Returns a person's id and all subjects sealed with their key, the one named first. Raises NotFound."""
    named = work.case(subject)
    owner = named.key_id
    found: dict[str, Case] = {subject: named}
    waiting = [owner]
    while waiting:
        id = waiting.pop()
        if id not in found:
            found[id] = work.case(id)
        for case in work.adopt(work.tx.find_subjects(refers=id)):
            if case.key_id == owner and case.subject.id not in found:
                waiting.append(case.subject.id)
    return owner, list(found.values())


def permit(work: Work, cases: Sequence[Case], by: By) -> By:
    """Sees that the officer may decide about this person's data; returns who does. Raises Denied."""
    return permits.permit_at(work, PERMISSION, by, dict.fromkeys(c.subject.org for c in cases))


def _must(name: str, text: str | None) -> str:
    if not (text or "").strip():
        raise BadInput("{name} is missing", name=name)
    return (text or "").strip()


# ---- holds ----


def hold_of(work: Work, person: str) -> Hold | None:
    """Returns the hold on a person's data today, or None."""
    wanted = EventSearch(subjects=(person,), kinds=(events.HELD, events.RELEASED))
    last = next(entries(work.tx.search_events(wanted, limit=1), None, work.kit.sealer), None)
    if last is None or last.kind == events.RELEASED:
        return None
    until = last.detail.get("until")
    day = date.fromisoformat(until) if isinstance(until, str) else None
    if day is not None and day < work.today:
        return None
    reason = str((last.payload or {}).get("reason", ""))
    return Hold(person=person, event=last.id, placed_at=last.at, by=last.actor, until=day, reason=reason)


def hold(work: Work, subject: str, reason: str | None, until: date | None, by: By) -> Hold:
    """Has a person's data kept. The reason stays readable, so it names nobody. Raises BadInput and Denied."""
    person, cases = person_of(work, subject)
    by = permit(work, cases, by)
    why = _must("reason", reason)
    if until is not None and until < work.today:
        raise BadInput("until: {until} lies in the past", until=until.isoformat())
    event = _note(work, events.HELD, person, cases, by, {"reason": why}, until=until.isoformat() if until else None)
    return Hold(person=person, event=event, placed_at=work.ledger.at, by=by.officer, until=until, reason=why)


def release(work: Work, subject: str, reason: str | None, by: By) -> str:
    """Ends a hold; returns the person. Raises BadInput (there is none, no reason) and Denied."""
    person, cases = person_of(work, subject)
    by = permit(work, cases, by)
    if hold_of(work, person) is None:
        raise BadInput("{person} is not held", person=person)
    _note(work, events.RELEASED, person, cases, by, {"reason": _must("reason", reason)})
    return person


def _note(
    work: Work, kind: str, person: str, cases: Sequence[Case], by: By, payload: Mapping[str, Json], **plain: Any
) -> str:
    owner = next((c for c in cases if c.subject.id == person), cases[0])
    return work.ledger.append(
        kind,
        payload=payload,  # not sealed: it must stay readable once the person's key is gone
        subject=person,
        workflow=owner.subject.workflow,
        org=owner.subject.org,
        on=work.today.isoformat(),
        actor=by.officer,
        behalf=by.behalf,
        **plain,
    )


# ---- erasing ----


def erase(
    work: Work, subject: str, reason: str | None, basis: str | None, by: By, request: str | None = None
) -> Erased:
    """Erases a person: their key, and what stands plain about them outside the trail.

    Reason and legal basis stay readable, so they name nobody. What the definitions mark as statistical, and which
    subjects belong together, is kept in the tombstone. Raises BadInput, Denied, and StillNeeded while a case is open or
    the data is held.
    """
    person, cases = person_of(work, subject)
    by = permit(work, cases, by)
    why, law = _must("reason", reason), _must("basis", basis)
    if request is not None:
        work.case(request)
    check_needed(work, person, cases)
    stays = {c.subject.id: _kept(c) for c in cases}
    said = {"reason": why, "basis": law}
    before = list(_before(work, cases))
    event, cancelled = _tombstone(work, person, cases, stays, by, said, request=request)
    erased = list(stays)
    for id in before:
        other, theirs = person_of(work, id)
        if work.keys.get(other) is None:
            continue  # erased already
        check_needed(work, other, theirs)
        kept = {c.subject.id: _kept(c) for c in theirs}
        cancelled += _tombstone(work, other, theirs, kept, by, said, request=request)[1]
        erased += kept
    return Erased(person=person, event=event, subjects=erased, cancelled=cancelled)


def _before(work: Work, cases: Sequence[Case]) -> Iterator[str]:
    """Yields the subjects about the same person, under keys of their own, whose steps began some of these."""
    for case in cases:
        begun = next(entries(work.tx.events(subject=case.subject.id, kind=events.STARTED), None, work.kit.sealer))
        for definition in work.library.all_newest().values():
            steps = definition.file.transitions.values()
            if not any(s.opens and s.opens.same_person and s.opens.workflow == case.subject.workflow for s in steps):
                continue
            for row in work.tx.events(workflow=definition.workflow, kind=events.MOVED):
                if row.id == begun.detail.get("opened_by") and row.subject is not None:
                    yield row.subject


def erase_again(work: Work, person: str, kept: Mapping[str, Any]) -> bool:
    """Erases a person who was erased before in the life of this trail, of which an old copy does not know.

    `kept` is what the tombstone of then keeps of each subject. Returns whether there was something to erase.
    """
    if not work.tx.keys([person]) or (work.keys.get(person) is None and kept_facts(work, person, person) is not None):
        return False
    _, cases = person_of(work, person)
    stays = {c.subject.id: _kept(c) or _read(c, kept.get(c.subject.id, {})) for c in cases}
    _tombstone(work, person, cases, stays, By(officer=None), {"reason": AGAIN, "basis": AGAIN}, again=True)
    return True


def _read(case: Case, kept: Mapping[str, Json]) -> dict[str, Value]:
    types = case.definition.types
    found = {n: from_json(types[n], v) for n, v in kept.items() if n in types}
    return {n: v for n, v in found.items() if v is not None}


def _tombstone(
    work: Work,
    person: str,
    cases: Sequence[Case],
    stays: Mapping[str, Mapping[str, Value]],
    by: By,
    payload: Mapping[str, Json],
    **plain: Any,
) -> tuple[str, int]:
    """Erases, and says so; returns the event and how many notices were cancelled."""
    shown: dict[str, Json] = {id: {n: to_json(v) for n, v in facts.items()} for id, facts in stays.items()}
    event = _note(work, events.ERASED, person, cases, by, payload, subjects=list[Json](stays), kept=shown, **plain)
    for case in cases:
        work.blank(case, stays[case.subject.id])
    cancelled = _cancel(work, list(stays), by)
    drafts.forget(work, stays)
    work.keys.erase(person, work.ledger.at, work.kit.sealer)
    return event, cancelled


def check_needed(work: Work, person: str, cases: Sequence[Case]) -> None:
    """Raises StillNeeded while a case is open or the data is held, BadInput when it is erased already."""
    if work.keys.get(person) is None and work.tx.keys([person]):
        raise BadInput("the data of {person} is erased already", person=person)
    for case in cases:
        state = case.subject.state
        if state not in _ended(case):
            raise StillNeeded(
                "{subject} is still open ({state}); nothing was erased",
                subject=case.subject.id,
                state=case.definition.file.states[state].label,
            )
    held = hold_of(work, person)
    if held is not None:
        raise StillNeeded(
            "{person} is held since {day}: {reason}; nothing was erased",
            person=person,
            day=work.calendar.day_of(unstamp(held.placed_at)).strftime("%d/%m/%Y"),
            reason=held.reason,
        )


def _ended(case: Case) -> set[str]:
    """Returns the states in which a subject is not open any more."""
    kept = (s for rule in case.definition.file.retention for s in rule.states)
    return {events.VOID, *case.definition.final, *kept}


def _kept(case: Case) -> dict[str, Value]:
    """Returns the facts that stay: for statistics, and the ids of units and subjects."""
    spec = case.definition.file.facts
    stays = {n for n, f in spec.items() if not f.sensitive and (f.statistical or f.type in ("org", "subject"))}
    return {n: v for n, v in case.subject.facts.items() if n in stays}


def _cancel(work: Work, subjects: Sequence[str], by: By) -> int:
    waiting = [r for s in subjects for r in work.tx.outbox(subject=s, states=["queued", "claimed"])]
    if waiting:
        gone = [replace(r, state="cancelled", next_try_at=None, detail="erased") for r in waiting]
        work.tx.update_outbox(gone)
        outcomes.cancelled(work, gone, by)
    return len(waiting)


def kept_facts(work: Work, person: str, subject: str) -> Mapping[str, Json] | None:
    """Returns what the tombstone keeps of an erased person's subject; None where there is no tombstone."""
    wanted = EventSearch(subjects=(person,), kinds=(events.ERASED,))
    for entry in entries(work.tx.search_events(wanted, limit=1), None, work.kit.sealer):
        kept = entry.detail.get("kept")
        found = kept.get(subject) if isinstance(kept, dict) else None
        return found if isinstance(found, dict) else {}
    return None


# ---- how long it may be kept ----


def overdue(work: Work) -> Iterator[Overdue]:
    """Yields whose data is past the time that its workflow lets it be kept, the longest past first of each workflow."""
    for definition in work.library.all_newest().values():
        for rule in definition.file.retention:
            rows = work.tx.find_subjects(workflow=definition.workflow, states=rule.states)
            late = sorted((add_months(date.fromisoformat(r.entered_on), rule.months), r.id, r) for r in rows)
            for past, _, row in late:
                if past >= work.today or work.keys.get(row.key_id) is None:
                    continue
                yield Overdue(
                    person=row.key_id,
                    subject=row.id,
                    state=row.state,
                    since=date.fromisoformat(row.entered_on),
                    past=past,
                    source=rule.source,
                    hold=hold_of(work, row.key_id),
                )


# ---- a copy for the person ----


def copy_of(work: Work, subject: str, by: By) -> Copy:
    """Returns all that is kept about a person, to be given to them. Raises NotFound and Denied."""
    person, cases = person_of(work, subject)
    permit(work, cases, by)
    ids = [c.subject.id for c in cases]
    return Copy(
        person=person,
        erased=work.keys.get(person) is None,
        cases=cases,
        facts={c.subject.id: facts_of(c.definition, c.subject, work.moment()) for c in cases},
        histories={id: history(work, id, openings=True) for id in ids},
        notices=[(r, open_text(work, r)) for id in ids for r in work.tx.outbox(subject=id)],
        hold=hold_of(work, person),
    )
