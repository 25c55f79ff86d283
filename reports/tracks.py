"""Tracks: what happened to each subject up to a day, read from the plain part of the trail, and its facts on that day.

Steps count by the day they happened. What was undone never happened; a correction counts whenever it was entered.
Facts are opened only where they are asked for: from the projection, or, when a subject went on after the day, by
replaying its events up to that day.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from engine.core import events
from engine.core.authority import Org, Period
from engine.core.events import Origin
from engine.core.machine import Definition
from engine.core.values import Value, from_json
from engine.core.views import derive, unit_days
from engine.ledger import entries
from engine.store.rows import EventRow, SubjectRow
from engine.tallying import tallied
from engine.work import Work

START = "start"
_KINDS = events.CHANGING - {events.UNDONE, events.VOIDED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A step that happened: the beginning, a transition, or going over to another unit."""

    id: str
    on: date
    at: str  # when it was entered, here or where an export brought it from
    trigger: str | None
    source: str | None
    to: str | None
    org: str
    breached: bool
    history: bool  # entered as history: no rule was asked
    restored: bool  # history that an export brought from a database where it was none
    begins: bool  # the subject's beginning
    moves_over: bool  # the subject only went over to another unit, with the one it belonged to

    @property
    def entered(self) -> datetime:
        """When it was entered."""
        return events.unstamp(self.at)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stay:
    """The time a subject spent in a state; `until` is None while it goes on."""

    state: str
    since: date
    until: date | None
    org: str


@dataclass(kw_only=True, slots=True)
class Track:
    """A subject's steps up to a day, in the order of the trail."""

    subject: str
    workflow: str
    org: str
    state: str
    since: date  # since when it is in this state
    began: date
    steps: list[Step] = field(default_factory=list)
    went_on: bool = False  # something happened after the day
    _stays: list[Stay] | None = None

    def stays(self) -> Sequence[Stay]:
        """Returns the times spent in each state. No step is added after they were asked for."""
        if self._stays is None:
            self._stays = list(self._stayed())
        return self._stays

    def _stayed(self) -> Iterator[Stay]:
        state, since, org = self.steps[0].to or "", self.steps[0].on, self.steps[0].org
        for step in self.steps[1:]:
            if step.to is not None and step.to != state:
                yield Stay(state=state, since=since, until=max(step.on, since), org=org)
                state, since = step.to, max(step.on, since)
            org = step.org
        yield Stay(state=state, since=since, until=None, org=org)


def read_tracks(rows: Iterable[EventRow], last: date) -> dict[str, Track]:
    """Returns the tracks of the events' subjects up to and with `last`, in the order in which they began.

    The events are read once and not kept: there may be very many.
    """
    limit = last.isoformat()
    undone: set[str] = set()
    gone: set[str] = set()
    steps: list[tuple[str, str, Step]] = []  # subject, workflow
    later: list[tuple[str, str]] = []  # subject, event
    for row in rows:
        if row.subject is None:
            continue
        if row.kind in _KINDS:
            on = row.on or row.at[:10]
            if on > limit:
                later.append((row.subject, row.id))
            elif row.kind != events.FACTS_SET:
                steps.append((row.subject, row.workflow or "", _step(row, date.fromisoformat(on))))
        elif row.kind == events.UNDONE:
            undone.add(json.loads(row.body.decode()).get("undoes", ""))
        elif row.kind == events.VOIDED:
            gone.add(row.subject)
    tracks: dict[str, Track] = {}
    for subject, workflow, step in steps:
        if step.id not in undone and subject not in gone:
            _take(tracks, subject, workflow, step)
    for subject, event in later:
        if event not in undone and subject in tracks:
            tracks[subject].went_on = True
    return tracks


def _step(row: EventRow, on: date) -> Step:
    body = json.loads(row.body.decode())
    return Step(
        id=row.id,
        on=on,
        at=str(body["recorded_at"]) if "origin" in body else row.at,
        trigger=START if row.kind == events.STARTED else row.trigger,
        source=body.get("from"),
        to=body.get("to"),
        org=row.org or "",
        breached=bool(body.get("breaches")),
        history=bool(body.get("history")) or row.kind == events.RECORDED,
        restored=body.get("origin") == Origin.LIVE,
        begins=row.kind == events.STARTED,
        moves_over=row.kind == events.TAKEN_OVER,
    )


def _take(tracks: dict[str, Track], subject: str, workflow: str, step: Step) -> None:
    track = tracks.get(subject)
    if step.begins:
        track = tracks[subject] = Track(
            subject=subject, workflow=workflow, org=step.org, state=step.to or "", since=step.on, began=step.on
        )
    if track is None:
        return  # the subject began after the day, so nothing was known of it then
    if step.org:
        track.org = step.org
    if step.to is not None and step.to != track.state:
        track.state, track.since = step.to, max(step.on, track.since)
    track.steps.append(step)


class FactBook:
    """The facts of the subjects of one workflow on a day: those that are needed, opened when asked for."""

    def __init__(
        self, work: Work, definition: Definition, last: date, tracks: Mapping[str, Track], needed: frozenset[str]
    ) -> None:
        self.work, self.definition, self.last, self._tracks, self._needed = work, definition, last, tracks, needed
        self._rows: dict[str, SubjectRow] | None = None
        self._known: dict[str, dict[str, Value]] = {}
        self._lent: dict[str, FactBook] = {}
        self._derived = tuple((n, e) for n, e in definition.derived if n in needed)
        self._tallies = any(t.fact in needed for t in definition.tallies)
        self._borrowed = tuple(
            (name, fact.reads) for name, fact in definition.file.facts.items() if fact.reads and name in needed
        )

    def view(self, subject: str, unit: Org | None = None) -> dict[str, Value]:
        """Returns what expressions see of a subject on the day, derived facts too; no facts once its key is erased."""
        found = self._known.get(subject)
        if found is None:
            found = self._known[subject] = self._view(subject, unit)
        return found

    def reason(self, subject: str, step: Step) -> str | None:
        """Returns the reason given for a step, opened from its event."""
        for entry in self._entries(subject):
            if entry.id == step.id and entry.payload is not None:
                given = entry.payload.get("reason")
                return given if isinstance(given, str) else None
        return None

    def entries(self, subject: str, fact: str) -> dict[str, tuple[Value, date]]:
        """Returns the entries that a map fact had on the day, each with the day on which it was first written."""
        of = self.definition.types[fact].of
        assert of is not None
        found: dict[str, tuple[Value, date]] = {}
        for key, (stored, on) in events.written_entries(self._until(subject), fact).items():
            if (value := from_json(of, stored)) is not None:
                found[key] = (value, on)
        return found

    def _entries(self, subject: str) -> list[events.Entry]:
        work = self.work
        return list(entries(work.tx.events(subject=subject), work.keys, work.kit.sealer))

    def _view(self, subject: str, unit: Org | None) -> dict[str, Value]:
        view: dict[str, Value] = {**self.definition.defaults, **self._written(subject)}
        for name, reads in self._borrowed:
            if (value := self._read(view, reads.from_, reads.fact)) is not None:
                view[name] = value
        track = self._tracks.get(subject)
        view |= {"today": self.last, "day": self.last, "subject": subject}
        view["moment"] = self.work.calendar.start_of(self.last + timedelta(days=1)) - timedelta(seconds=1)
        if track is not None:
            if self._tallies:
                view |= tallied(self.work, self.definition, track.org, view, self.last)
            view |= {"state": track.state, "org": track.org, "began": track.began, "entered": track.since}
        if unit is not None:
            view |= {"org_kind": unit.kind, **unit_days(self._stood(unit.period))}
        derive(view, self._derived, self.work.calendar)
        return view

    def _stood(self, period: Period) -> Period:
        """Returns when a unit existed, as it was on the day: that it was closed later, nobody knew."""
        return period if period.ended(self.last) else replace(period, until=None)

    def _written(self, subject: str) -> Mapping[str, Value]:
        if not self._needed:
            return {}
        track = self._tracks.get(subject)
        if track is not None and track.went_on:
            return self._replayed(subject)
        if self._rows is None:
            self._rows = {r.id: r for r in self.work.tx.find_subjects(workflow=self.definition.workflow)}
            if self._needed & self.definition.sensitive:
                self.work.keys.fetch(r.key_id for r in self._rows.values())
        row = self._rows.get(subject)
        return {} if row is None else self.work.written_facts(self.definition, row, self._needed)

    def _until(self, subject: str) -> list[events.Entry]:
        limit = self.last.isoformat()
        return [e for e in self._entries(subject) if e.kind == events.UNDONE or (e.on or e.at[:10]) <= limit]

    def _replayed(self, subject: str) -> Mapping[str, Value]:
        until = self._until(subject)
        if self.work.keys.get(self._key_of(subject)) is None:
            return {}  # erased
        standing = events.replay(until, None, self.definition.types)
        return {} if standing is None else standing.facts

    def _key_of(self, subject: str) -> str:
        row = self.work.tx.subjects([subject]).get(subject)
        return "" if row is None else row.key_id

    def _read(self, view: Mapping[str, Value], naming: str, fact: str) -> Value | None:
        other, workflows = view.get(naming), self.definition.file.facts[naming].of or []
        if not isinstance(other, str):
            return None
        for workflow in workflows:
            if workflow not in self._lent:
                tracks = read_tracks(self.work.tx.events(workflow=workflow), self.last)
                definition = self.work.library.newest(workflow)
                self._lent[workflow] = FactBook(self.work, definition, self.last, tracks, frozenset(definition.types))
            found = self._lent[workflow].view(other).get(fact)
            if found is not None:
                return found
        return None
