"""Deciding again: every step that was taken is put to the rules that were in force when it was taken.

Each step sees what its subject was by the events before it, the definitions loaded and the days off entered until
then, and its own day and time. It must lead to the same state by the same results of the same versions of the rules.
Who might take it is not asked again: that was the office of that time, which the events of the office tell.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from engine.comparing import UNREADABLE, Problem
from engine.core import events
from engine.core.authority import ALWAYS, Org
from engine.core.calendar import Calendar
from engine.core.decision import Decision, decide
from engine.core.errors import KetnapError
from engine.core.events import Entry, Standing, changes_from_json, changes_json, replay, rule_codes, step, unstamp
from engine.core.machine import Area, Definition
from engine.core.subject import Changes, Subject
from engine.core.values import Value
from engine.core.views import Moment
from engine.ledger import entries
from engine.library import Library
from engine.office import calendar_of, tree_on
from engine.store.rows import DayRow, OrgRow
from engine.tallying import read_counted
from engine.work import Work


@dataclass(frozen=True, kw_only=True)
class Again:
    """A step as it was taken, and as it is decided again. `decision` is None where it cannot be, for the reason; where
    what the rules read of another subject was erased there is none. `now` is what its subject was before it, `brought`
    what it brought."""

    entry: Entry
    decision: Decision | None
    now: Standing
    brought: Changes = field(default_factory=dict)
    why: str = ""

    @property
    def same(self) -> bool:
        """Tells whether both agree."""
        return self.decision is not None and self.decision.to == self.entry.to


class Past:
    """The definitions, days off and organisations as they were at any event. Nothing is read twice."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._rows = work.tx.definitions()
        loaded = list(entries(work.tx.events(kind=events.DEFINITION), None, work.kit.sealer))
        self._loads = [e.seq for e in loaded]
        self._loaded = [e.definition for e in loaded]
        told = list(entries(work.tx.events(kind=events.OFFICE), None, work.kit.sealer))
        self._days = [
            (e.seq, DayRow(day=str(e.detail["day"]), off=bool(e.detail["off"])))
            for e in told
            if e.detail.get("what") == "day"
        ]
        self._orgs: dict[str, list[tuple[int, OrgRow]]] = {}
        for seq, row in ((e.seq, row) for e in told for row in _org_rows(e)):
            self._orgs.setdefault(row.id, []).append((seq, row))
        self._libraries: dict[int, Library] = {}
        self._calendars: dict[tuple[int, int], Calendar] = {}

    def library(self, seq: int) -> Library:
        """Returns the definitions that were loaded before an event."""
        count = bisect_left(self._loads, seq)
        if count not in self._libraries:
            there = set(self._loaded[:count])
            self._libraries[count] = Library([r for r in self._rows if r.id in there], self._work.kit.compiled)
        return self._libraries[count]

    def calendar(self, seq: int) -> Calendar:
        """Returns the calendar with the days that were entered before an event."""
        key = (bisect_left(self._loads, seq), self.days_entered(seq))
        if key not in self._calendars:
            self._calendars[key] = self.calendar_in(self.library(seq).area, seq)
        return self._calendars[key]

    def days_entered(self, seq: int) -> int:
        """Returns how many days off and working days were entered before an event."""
        return sum(1 for at, _ in self._days if at < seq) if self._days else 0

    def calendar_in(self, area: Area, seq: int) -> Calendar:
        """Returns the calendar of an area, made now, with the days that were entered before an event."""
        days = {row.day: row for at, row in self._days if at < seq}
        return calendar_of(area, list(days.values()), self._work.kit.zone)

    def unit(self, seq: int, id: str, on: date) -> Org | None:
        """Returns an organisation as it was known before an event, on a day."""
        rows = {row.from_day: row for at, row in self._orgs.get(id, ()) if at < seq}
        return tree_on(rows.values(), on).by_id.get(id)


def _org_rows(entry: Entry) -> list[OrgRow]:
    if not str(entry.detail.get("what")).startswith("org_"):
        return []
    shown: Any = entry.detail["orgs"]
    return [OrgRow(**row, created_at="") for row in shown]


class Redecider:
    """Decides the steps of subjects again. `steps` counts them, `seconds` is the time it took."""

    def __init__(self, work: Work) -> None:
        self._work, self.past = work, Past(work)
        self.steps, self.seconds = 0, 0.0

    def look(self, told: Sequence[Entry]) -> Problem | None:
        """Returns the first step of a subject that its rules did not allow as it was taken, or None."""
        if self.erased(told):
            return None  # what the rules read of an erased person, nobody can read any more
        start = time.perf_counter()
        try:
            for again in self.again(told):
                self.steps += again.decision is not None or bool(again.why)
                if again.why:
                    return Problem(
                        event=again.entry.seq,
                        kind="decision",
                        message="event {event}: {trigger} of {subject} is decided otherwise by its rules: {why}",
                        params={
                            "event": again.entry.seq,
                            "trigger": again.entry.trigger,
                            "subject": again.entry.subject,
                            "why": again.why,
                        },
                    )
            return None
        finally:
            self.seconds += time.perf_counter() - start

    def erased(self, told: Sequence[Entry]) -> bool:
        """Tells whether these are events of somebody who was erased."""
        return bool(told) and self._gone(told[0].subject)

    def _gone(self, subject: str | None) -> bool:
        """Tells whether a subject's person was erased."""
        if subject is None:
            return False
        key_id = self._work.case(subject).key_id
        row = self._work.tx.keys([key_id]).get(key_id)
        return row is not None and row.wrapped is None

    def again(self, told: Sequence[Entry]) -> Iterator[Again]:
        """Yields every step among the events of a subject, decided again. Entries need their payload."""
        now: Standing | None = None
        types: Mapping[str, Any] = {}
        for n, entry in enumerate(told):
            if entry.kind not in events.CHANGING:
                continue
            if now is None:
                types = self.past.library(entry.seq).pinned(entry.workflow or "", entry.definition or "").types
            elif entry.kind == events.MOVED:
                yield self._again(entry, now)
            if entry.kind == events.UNDONE:
                now = replay(told[: n + 1], None, types)
            else:
                now = step(now, entry, types)

    def under(self, again: Again, definition: Definition, calendar: Calendar) -> Decision | None:
        """Decides a step under another definition: same subject, day and time, and what it brought.

        None where what it reads of another subject was erased. Raises BadInput where the step makes no sense there.
        """
        if any(self._gone(other) for other in _lenders(definition, again.now)):
            return None
        subject = self._subject(again.entry, again.now, definition)
        return self._decide(definition, subject, again.entry, again.brought, calendar)

    def _again(self, entry: Entry, now: Standing) -> Again:
        brought: Changes = {}
        try:
            definition = self.past.library(entry.seq).pinned(now.workflow, now.definition)
            if any(self._gone(other) for other in _lenders(definition, now)):
                return Again(entry=entry, decision=None, now=now)
            subject = self._subject(entry, now, definition)
            stored = (entry.payload or {}).get("facts") or {}
            assert isinstance(stored, dict)
            changes = changes_from_json(definition.types, stored)
            why = ""
            decision = None
            for brought in _brought(definition, entry.trigger or "", changes):
                decision = self._decide(definition, subject, entry, brought, self.past.calendar(entry.seq))
                why = _differs(entry, decision, stored)
                if not why:
                    break
        except UNREADABLE as error:
            told = error.text() if isinstance(error, KetnapError) else str(error)
            return Again(entry=entry, decision=None, now=now, why=told)
        return Again(entry=entry, decision=decision, now=now, brought=brought, why=why)

    def _decide(
        self, definition: Definition, subject: Subject, entry: Entry, changes: Changes, calendar: Calendar
    ) -> Decision:
        reason = (entry.payload or {}).get("reason")
        on = date.fromisoformat(entry.on or entry.at[:10])
        moment = Moment(now=unstamp(entry.at), on=on, calendar=calendar)
        return decide(
            definition,
            subject,
            entry.trigger or "",
            moment=moment,
            changes=changes,
            reason=reason if isinstance(reason, str) else None,
            asking=True,
        )

    def _subject(self, entry: Entry, now: Standing, definition: Definition) -> Subject:
        today = self.past.calendar(entry.seq).day_of(unstamp(entry.at))
        org = self.past.unit(entry.seq, now.org, today)
        return Subject(
            id=entry.subject or "",
            workflow=now.workflow,
            org=now.org,
            org_kind=org.kind if org is not None else "",
            state=now.state,
            version=now.version,
            facts=now.facts,
            borrowed=self._borrowed(entry, now, definition),
            doers=now.doers,
            started_on=now.started_on,
            entered_on=now.entered_on,
            person_on=now.person_on,
            unit_stands=org.period if org is not None else ALWAYS,
        )

    def _borrowed(self, entry: Entry, now: Standing, definition: Definition) -> dict[str, Value]:
        """Returns the facts that are read from another subject, as they were before the event."""
        wanted = [(n, f.reads) for n, f in definition.file.facts.items() if f.reads is not None]
        named = {reads.from_: now.facts.get(reads.from_) for _, reads in wanted}
        found = read_counted(definition, entry.payload)  # what scores counted then stands in the event itself
        for fact, other in named.items():
            if not isinstance(other, str):
                continue
            rows = self._work.tx.events(subject=other, until=entry.seq - 1)
            told = list(entries(rows, self._work.keys, self._work.kit.sealer))
            if not told:
                continue
            theirs = self.past.library(entry.seq).pinned(told[0].workflow or "", told[0].definition or "")
            standing = replay(told, None, theirs.types)
            facts = standing.facts if standing is not None else {}
            found.update((n, facts[r.fact]) for n, r in wanted if r.from_ == fact and r.fact in facts)
        return found


def _lenders(definition: Definition, now: Standing) -> list[str]:
    """Returns the subjects from which facts are read."""
    named = (now.facts.get(f.reads.from_) for f in definition.file.facts.values() if f.reads is not None)
    return [other for other in dict.fromkeys(named) if isinstance(other, str)]


def _brought(definition: Definition, trigger: str, changes: Changes) -> Iterator[Changes]:
    """Yields what the officer may have brought to the step: an event holds it together with what the step itself set
    and made unknown, which the rules had not seen yet."""
    taken = definition.steps.get(trigger)
    sets = {s.fact for s in taken.sets} if taken is not None else set()
    kept: dict[str, Any] = {}
    for name, change in changes.items():
        if isinstance(change, dict):
            entries_ = {k: v for k, v in change.items() if v is not None}
            if entries_:
                kept[name] = entries_
        elif change is not None:
            kept[name] = change
    yield {n: c for n, c in kept.items() if n not in sets}
    yield kept
    yield changes


def _differs(entry: Entry, decision: Decision, stored: Mapping[str, Any]) -> str:
    """Returns what differs between a step as it was taken and as it is decided again, or nothing."""
    if decision.to != entry.to:
        blocked = [*decision.blocking("fail"), *decision.blocking("unknown")]
        return ", ".join(blocked) or f"{entry.to} / {decision.to}"
    codes = [list(c) for c in rule_codes(decision.judgements) if isinstance(c, list)]
    was = [list(c) for c in entry.rules]
    if codes != was:
        return ", ".join(str(c[0]) for c in was if c not in codes) or ", ".join(str(c[0]) for c in codes)
    if list(decision.breaches) != list(entry.breaches):
        return ", ".join({*decision.breaches} ^ {*entry.breaches})
    now = changes_json(decision.changes)
    return ", ".join(sorted(k for k in {*now, *stored} if now.get(k) != stored.get(k)))
