"""What happened: the layout of an event, and the subject that a row of events makes.

An event's body is a plain mapping that becomes canonical JSON once, is hashed, and never changes. Ids, codes and days
stand plain in it; facts, reasons and texts stand in its payload, sealed under the subject's own key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from engine.core.errors import Damaged
from engine.core.guards import Judgement
from engine.core.subject import Changes, MapChange, changed
from engine.core.values import Json, Type, Value, from_json, to_json

STARTED, MOVED, FACTS_SET, UNDONE, VOIDED = "started", "moved", "facts_set", "undone", "voided"
TAKEN_OVER = "taken_over"  # a subject goes over to the unit that its own was merged into
RECORDED = "recorded"  # a step taken before this program, entered as history: no rule was asked
VOID = "void"  # the state of a subject whose beginning was undone; no definition may declare it
REFUSED, DENIED = "refused", "denied"
OFFICE = "office_changed"
NOTICE = "notice"
DEFINITION = "definition_loaded"
ACCESS = "access"  # what else becomes of sessions, passwords and second factors
ERASED = "key_erased"
HELD, RELEASED = "held", "released"  # a person's data is to be kept for a while, whoever asks for its erasure
OPENED, LISTED, EXPORTED = "opened", "listed", "exported"  # who saw a subject, who got a list or a file of them
SIGNED_IN, SIGN_IN_FAILED = "signed_in", "sign_in_failed"
BACKED_UP, RESTORED = "backed_up", "restored"
SIGNING_KEY = "signing_key"  # the key that signs checkpoints from now on
CHECKPOINT = "checkpoint"  # how far the trail went and what it held, signed
CHECKPOINT_LEFT = "checkpoint_left"  # a checkpoint went where this machine cannot change it any more


class Origin:
    """How what an export brought was entered where it comes from: as it happened, or as history out of the files."""

    LIVE, FILES = "live", "files"


# Events that change a subject, each its version by one.
CHANGING = frozenset({STARTED, MOVED, FACTS_SET, UNDONE, VOIDED, TAKEN_OVER, RECORDED})
STEPS = frozenset({MOVED, RECORDED})  # transitions: those that rules were asked about, and those of history
COUNTED = frozenset({STARTED, MOVED, FACTS_SET})


def stamp(time: datetime) -> str:
    """Returns a time as it is stored: UTC, microseconds, `Z`; always 27 letters."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"  # a third of what strftime costs


def unstamp(text: str) -> datetime:
    """Reads back a stored time."""
    return datetime.fromisoformat(text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One event as it is read back. `payload` is None when its key is erased or was not asked for."""

    id: str
    kind: str
    at: str
    on: str | None
    actor: str | None
    behalf: str | None
    channel: str
    account: str | None
    command: str | None
    subject: str | None
    workflow: str | None
    org: str | None
    trigger: str | None
    source: str | None
    to: str | None
    definition: str | None
    rules: Sequence[Sequence[Json]] = ()
    breaches: Sequence[str] = ()
    undoes: str | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)
    payload: Mapping[str, Json] | None = None
    hash: str = ""
    seq: int = -1

    @property
    def by_person(self) -> bool:
        """Tells whether a person, not the clock, did it."""
        if self.history:
            return self.detail.get("by_clock") is not True
        return self.actor is not None

    @property
    def history(self) -> bool:
        """Tells whether it was entered as history: it happened before this program, and no rule was asked."""
        return self.detail.get("history") is True

    @property
    def restored(self) -> bool:
        """Tells whether an export brought it from where it was no history; no rule was asked about it here."""
        return self.history and self.detail.get("origin") == Origin.LIVE

    @property
    def entered(self) -> str:
        """When it was first recorded: here, or in the database that an export brought it from, as that says."""
        at = self.detail.get("recorded_at")
        return at if isinstance(at, str) and "origin" in self.detail else self.at

    @property
    def happened(self) -> str | None:
        """The day it really happened, as far as it says so; else the day it was entered for."""
        day = self.detail.get("happened")
        return day if isinstance(day, str) else self.on

    @property
    def persons(self) -> tuple[str, ...]:
        """Who took the step, for separation of duties; of history only those it names."""
        named = self.detail.get("by")
        if self.history:
            return tuple(str(p) for p in named) if isinstance(named, list) else ()
        return tuple(p for p in (self.actor, self.behalf) if p is not None)


def rule_codes(judgements: Iterable[Judgement]) -> list[Json]:
    """Returns what an event keeps of the rules, plain: id, force, result, first day of the version (or None)."""
    return [[j.rule.id, j.force, j.result, j.version.from_.isoformat() if j.version else None] for j in judgements]


def changes_json(changes: Changes) -> dict[str, Json]:
    """Returns changes as JSON."""
    return {
        name: {k: to_json(v) for k, v in change.items()} if isinstance(change, dict) else to_json(change)
        for name, change in changes.items()
    }


def changes_from_json(types: Mapping[str, Type], stored: Mapping[str, Json]) -> dict[str, Value | MapChange | None]:
    """Reads changes back. A fact that the definition no longer declares is left out."""
    changes: dict[str, Value | MapChange | None] = {}
    for name, value in stored.items():
        type_ = types.get(name)
        if type_ is None:
            continue
        if isinstance(value, dict) and type_.of is not None:
            of = type_.of
            change: MapChange = {}
            for key, item in value.items():
                read = from_json(of, item)
                change[key] = None if isinstance(read, dict) else read
            changes[name] = change
        else:
            changes[name] = from_json(type_, value)
    return changes


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the events of one subject make of it."""

    workflow: str
    org: str
    state: str
    version: int
    definition: str
    facts: Mapping[str, Value]
    doers: Mapping[str, tuple[str, ...]]
    started_on: date
    entered_on: date
    person_on: date  # the day of the start or the last transition made by a person
    last_event: str
    undone: frozenset[str] = frozenset()


def replay(
    entries: Iterable[Entry],
    types_of: Mapping[str, Mapping[str, Type]] | None,
    types: Mapping[str, Type],
    *,
    but: str | None = None,
) -> Standing | None:
    """Returns the subject that its events, oldest first, make; what was undone does not count, nor the event `but`.

    `types_of` gives the fact types by definition, where it differs from `types`. Entries need their payload. None
    without events.
    """
    all_ = [e for e in entries if e.kind in CHANGING]
    undone = frozenset(u for u in (but, *(e.undoes for e in all_ if e.kind == UNDONE)) if u is not None)
    now: Standing | None = None
    for version, entry in enumerate(all_, start=1):
        if entry.kind != UNDONE and entry.id not in undone:
            known = (types_of or {}).get(entry.definition or "", types)
            now = step(now, entry, known)
        if now is not None:
            now = replace(now, version=version, last_event=entry.id, undone=undone)
    return now


def written_entries(told: Iterable[Entry], fact: str) -> dict[str, tuple[Json, date]]:
    """Returns the entries that a subject's events, oldest first, left in a map fact, each with the day on which it was
    first written; what was undone does not count. Entries need their payload."""
    all_ = [e for e in told if e.kind in CHANGING]
    undone = {e.undoes for e in all_ if e.kind == UNDONE}
    found: dict[str, tuple[Json, date]] = {}
    for entry in all_:
        facts = (entry.payload or {}).get("facts")
        if entry.id in undone or not isinstance(facts, dict) or fact not in facts:
            continue
        written = facts[fact]
        if not isinstance(written, dict):
            found = {}
            continue
        on = date.fromisoformat(entry.on or entry.at[:10])
        for key, value in written.items():
            if value is None:
                found.pop(key, None)
            else:
                found[key] = (value, found[key][1] if key in found else on)
    return found


def step(now: Standing | None, entry: Entry, types: Mapping[str, Type]) -> Standing:
    """Returns the subject after one event more. Raises Damaged when the event cannot follow."""
    stored = (entry.payload or {}).get("facts") or {}
    assert isinstance(stored, dict)
    changes = changes_from_json(types, stored)
    on = date.fromisoformat(entry.on or entry.at[:10])
    if now is None:
        if entry.kind != STARTED or entry.workflow is None or entry.org is None or entry.to is None:
            raise Damaged(
                "{subject} does not begin with a start (event {event})", subject=entry.subject, event=entry.id
            )
        return Standing(
            workflow=entry.workflow,
            org=entry.org,
            state=entry.to,
            version=1,
            definition=entry.definition or "",
            facts=changed({}, changes),
            doers={},
            started_on=on,
            entered_on=on,
            person_on=on if entry.by_person else date.min,
            last_event=entry.id,
        )
    moved = entry.kind in STEPS
    if entry.kind == VOIDED:
        return replace(now, state=VOID, entered_on=on)
    to = entry.to if moved and entry.to is not None else now.state
    doers = now.doers
    if moved and entry.by_person and entry.trigger is not None and entry.persons:
        doers = {**doers, entry.trigger: tuple(sorted({*doers.get(entry.trigger, ()), *entry.persons}))}
    return replace(
        now,
        org=entry.org if entry.org is not None and entry.kind in (*STEPS, TAKEN_OVER) else now.org,
        state=to,
        facts=changed(now.facts, changes),
        doers=doers,
        entered_on=on if to != now.state else now.entered_on,
        person_on=max(on, now.person_on) if moved and entry.by_person else now.person_on,
    )


def last_step(entries: Sequence[Entry], undone: frozenset[str]) -> Entry | None:
    """Returns the last transition that is not undone, or None."""
    for entry in reversed(entries):
        if entry.kind in STEPS and entry.id not in undone:
            return entry
    return None
