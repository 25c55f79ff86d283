"""Comparing what is shown with what the events say: definitions, the office, every subject."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from engine import listing, trail
from engine.core import events
from engine.core.errors import KetnapError
from engine.core.events import CHANGING, Entry, Standing, replay
from engine.core.values import to_json
from engine.ledger import entries, entry_of
from engine.library import source_of
from engine.naming import unique_key
from engine.persons import kept_facts
from engine.store.rows import SubjectRow
from engine.work import Work, refers

CHUNK = 500  # subjects replayed together
UNREADABLE = (KetnapError, ValueError, KeyError, TypeError, AttributeError, AssertionError)  # rows edited past the door


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something in the trail that is not as it was written. `event` is its number, or None for a subject's row.

    `message` is an English template over `params`, as in KetnapError.
    """

    event: int | None
    kind: str
    message: str
    params: Mapping[str, object] = field(default_factory=dict)

    def text(self, translate: Callable[[str], str] = str) -> str:
        """Returns the message in the language of `translate`."""
        return translate(self.message).format_map(self.params)


# ---- definitions and the office ----


def definitions(work: Work) -> Iterator[Problem]:
    """Compares every definition with the hash that is its id, and those loaded with those there are."""
    there = {row.id: source_of(row).id for row in work.tx.definitions()}
    for entry in entries(work.tx.events(kind=events.DEFINITION), None, work.kit.sealer):
        if entry.definition is not None and entry.definition not in there:
            yield _problem(
                "definition", "the definition of {workflow} that was loaded is missing", workflow=entry.workflow
            )
    for row in work.tx.definitions():
        if there[row.id] != row.id:
            yield _problem(
                "definition", "the definition of {workflow} was changed since it was loaded", workflow=row.workflow
            )


def _problem(kind: str, message: str, **params: object) -> Problem:
    return Problem(event=None, kind=kind, message=message, params=params)


class _Office:
    """The office as its events make it."""

    def __init__(self) -> None:
        self.orgs: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.roles: dict[tuple[Any, ...], Any] = {}
        self.officers: dict[str, dict[str, Any]] = {}
        self.substitutes: dict[tuple[Any, ...], None] = {}
        self.days: dict[str, Any] = {}

    def take(self, entry: Entry) -> None:
        """Takes in one event."""
        detail: Mapping[str, Any] = entry.detail
        what = str(detail.get("what"))
        if what.startswith("org_"):
            for row in detail["orgs"]:
                self.orgs[(row["id"], row["from_day"])] = row
        elif what == "officer":
            self._officer(entry, detail)
        elif what == "substitute":
            self.substitutes[tuple(detail[k] for k in ("officer", "stand_in", "from_day", "until_day"))] = None
        elif what == "day":
            self.days[str(detail["day"])] = detail["off"]

    def _officer(self, entry: Entry, detail: Mapping[str, Any]) -> None:
        known = {"org": entry.org, "from_day": detail["from_day"], "until_day": detail.get("until_day")}
        known["disabled"] = bool(detail.get("disabled"))
        known["channels"] = detail.get("channels")
        names = ("name", "email", "phone", "account", "webhook")
        personal = {k: entry.payload.get(k) for k in names} if entry.payload else {}
        self.officers[str(detail["officer"])] = {**known, **personal}
        for role, org, first, last in detail.get("roles", ()):
            self.roles[(detail["officer"], org, role, first)] = last


def office(work: Work) -> Iterator[Problem]:
    """Compares organisations, officers, roles, substitutes and days off with the events that made them."""
    made = _Office()
    try:
        for entry in entries(work.tx.events(kind=events.OFFICE), work.keys, work.kit.sealer):
            made.take(entry)
    except UNREADABLE as error:
        yield _problem("office", "an entry about the office cannot be read: {error}", error=str(error))
        return
    orgs = {(r.id, r.from_day): {k: v for k, v in asdict(r).items() if k != "created_at"} for r in work.tx.orgs()}
    yield from _differences("organisation", made.orgs, orgs)
    roles = {(r.officer, r.org, r.role, r.from_day): r.until_day for r in work.tx.roles()}
    yield from _differences("role", made.roles, roles)
    officers = {r.id: asdict(r) for r in work.tx.officers()}
    shown = {id: {k: officers[id][k] for k in said} for id, said in made.officers.items() if id in officers}
    shown.update((id, {}) for id in officers if id not in made.officers)
    yield from _differences("officer", made.officers, shown)
    substitutes = {(s.officer, s.stand_in, s.from_day, s.until_day): None for s in work.tx.substitutes()}
    yield from _differences("substitute", made.substitutes, substitutes)
    yield from _differences("day", made.days, {d.day: d.off for d in work.tx.days()})


def _differences(what: str, said: Mapping[Any, Any], shown: Mapping[Any, Any]) -> Iterator[Problem]:
    for key in [*said, *(k for k in shown if k not in said)]:
        if key not in shown or key not in said or said[key] != shown[key]:
            name = " ".join(str(k) for k in key) if isinstance(key, tuple) else str(key)
            yield _problem("office", "{what} {name} differs from what the events say", what=what, name=name)


def settings(work: Work) -> Iterator[Problem]:
    """Compares the settings that repeat the trail with it: the keys, and which checkpoint left the machine."""
    tx, sealer = work.tx, work.kit.sealer
    keys = [e.detail for e in entries(tx.events(kind=events.SIGNING_KEY), None, sealer)]
    said = None if not keys else (str(keys[0]["verifier"]), tuple(str(k["note"]) for k in keys[1:]))
    try:
        chain = trail.key_chain(tx)
        shown = None if chain is None else (str(chain[0]), chain[1])
        left = trail.last_left(tx)
    except UNREADABLE as error:
        yield _problem("settings", "a setting of the trail cannot be read: {error}", error=str(error))
        return
    if said != shown:
        yield _problem("settings", "the setting {name} is not what the events say", name=trail.KEYS)
    if keys and keys[0].get("sandbox", trail.is_sandbox(tx)) != trail.is_sandbox(tx):
        yield _problem("settings", "the setting {name} is not what the events say", name=trail.SANDBOX)
    made = {e.detail.get("size") for e in entries(tx.events(kind=events.CHECKPOINT), None, sealer)}
    if left is not None and left.size not in made:
        yield _problem("settings", "the setting {name} is not what the events say", name=trail.LEFT)


# ---- subjects ----


Look = Callable[[Sequence[Entry]], Problem | None]  # a further look at the events of a subject


def subjects(
    work: Work, look: Look | None = None, progress: Callable[[str, int], None] | None = None
) -> Iterator[Problem]:
    """Compares every subject with its events' replay; `look` sees the events too, opened."""
    seen: set[str] = set()
    after = ""
    while True:
        rows = work.tx.find_subjects(after=after, limit=CHUNK)
        if not rows:
            break
        after = rows[-1].id
        work.keys.fetch(r.key_id for r in rows)
        for row in rows:
            seen.add(row.id)
            problem = _compare(work, row, look)
            if problem is not None:
                yield problem
        yield from _listings(work, rows)
        work.forget()
        work.keys.forget()
        if progress is not None:
            progress("subjects", len(seen))
    yield from _orphans(work, seen)
    yield from _revived(work)


def _listings(work: Work, rows: Sequence[SubjectRow]) -> Iterator[Problem]:
    """Compares how subjects stand in lists with what is made of them, where it was made by this version."""
    if listing.is_old(work):
        return
    ids = [r.id for r in rows]
    stand: dict[str, tuple[list[object], list[object]]] = {id: ([], []) for id in ids}
    for listed in work.tx.listings(ids):
        stand[listed.subject][0].append(listed)
    for due in work.tx.dues(ids):
        stand[due.subject][1].append(due)
    astray = set(work.tx.terms_astray(ids))
    for row in rows:
        try:
            rows_, dues = listing.rows_of(work, work.adopt([row])[0])
        except UNREADABLE:
            continue  # said of the subject itself
        if stand[row.id] != (rows_, sorted(dues, key=lambda d: d.rule)) or row.id in astray:
            yield _problem("projection", "{subject} does not stand in lists as its facts say", subject=row.id)


def _revived(work: Work) -> Iterator[Problem]:
    """Finds keys of erased persons that are there again, as out of an old copy."""
    for row in work.tx.events(kind=events.ERASED):
        if row.subject is not None and work.keys.get(row.subject) is not None:
            yield Problem(
                event=row.seq,
                kind="key",
                message="the key of {subject}, who was erased, is back",
                params={"subject": row.subject},
            )


def _orphans(work: Work, seen: set[str]) -> Iterator[Problem]:
    for row in work.tx.events(kind=events.STARTED):
        if row.subject is not None and row.subject not in seen:
            yield Problem(
                event=row.seq,
                kind="projection",
                message="{subject} has events but is not shown any more",
                params={"subject": row.subject},
            )


def _compare(work: Work, row: SubjectRow, look: Look | None) -> Problem | None:
    at_subject = {"subject": row.id}
    try:
        definition = work.library.pinned(row.workflow, row.definition)
        found = list(work.tx.events(subject=row.id))
        told = [entry_of(e, work.keys, work.kit.sealer) for e in found]
        erased = None
        if work.keys.get(row.key_id) is None:
            erased = kept_facts(work, row.key_id, row.id)
            if erased is None:
                return _problem("key", "the key of {subject} is missing, its facts cannot be read", **at_subject)
        standing = replay(told, None, definition.types)
        if standing is None:
            return Problem(
                event=None, kind="projection", message="{subject} is shown but has no events", params=at_subject
            )
        case = work.adopt([row])[0]
        sides = {**_sides(row, case.subject.facts, standing, told), **_pins(row, found[0].body, standing)}
        sides["refers"] = (row.refers, refers(case))
        wanted = None if standing.state == events.VOID else unique_key(definition, standing.org, standing.facts)
        sides["unique_key"] = (row.unique_key, wanted)
        if erased is not None:  # what is left is what the tombstone says
            sides |= {"facts": ({n: to_json(v) for n, v in case.subject.facts.items()}, dict(erased))}
            sides |= {"unique_key": (row.unique_key, None)}
    except UNREADABLE as error:
        return _problem("projection", "{subject}: {error}", **at_subject, error=str(error))
    differs = [n for n, (a, b) in sides.items() if a != b]
    if not differs:
        return None if look is None else look(told)
    if differs:
        return Problem(
            event=None,
            kind="projection",
            message="{subject}: {what} differ from what its events say",
            params={**at_subject, "what": ", ".join(differs)},
        )
    return None


def _sides(row: SubjectRow, facts: object, standing: Standing, told: list[Entry]) -> dict[str, tuple[object, object]]:
    return {
        "state": (row.state, standing.state),
        "org": (row.org, standing.org),
        "version": (row.version, sum(e.kind in CHANGING for e in told)),
        "facts": (facts, standing.facts),
        "doers": ({t: tuple(p) for t, p in json.loads(row.doers_json).items()}, dict(standing.doers)),
        "last_event": (row.last_event, standing.last_event),
        "entered_on": (row.entered_on, standing.entered_on.isoformat()),
        "person_on": (row.person_on, standing.person_on.isoformat()),
    }


def _pins(row: SubjectRow, started: bytes, standing: Standing) -> dict[str, tuple[object, object]]:
    """Returns what the first event fixes for good."""
    first = json.loads(started)
    return {
        "workflow": (row.workflow, first["workflow"]),
        "definition": (row.definition, first["definition"]),
        "key": (row.key_id, first.get("key", row.key_id)),
        "started_on": (row.started_on, standing.started_on.isoformat()),
    }
