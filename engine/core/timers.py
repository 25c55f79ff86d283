"""What is to be done and when: the timers that a subject ought to have, set against those it has.

A timer is a row written in the step's own transaction. Working it out again after every step, and after a change of the
days off, gives the same rows unless something they rest on has changed; so nothing is missed and nothing comes twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, Protocol

from engine.core.calendar import Calendar
from engine.core.machine import Definition, Told
from engine.core.values import Value

Kind = Literal["fire", "notice", "told"]
FIRE: Literal["fire"] = "fire"
NOTICE: Literal["notice"] = "notice"
TOLD: Literal["told"] = "told"


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """One timer that ought to be. `nominal` is the day before it was moved, by which those of one rule are ordered."""

    name: str
    occurrence: str
    kind: Kind
    nominal: date
    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One timer that is."""

    name: str
    occurrence: str
    kind: str
    due_at: datetime
    planned_at: datetime
    done: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """A notice as it is shown to one officer."""

    subject_line: str
    body: str
    note: str = ""


class Notifier(Protocol):
    """What notices the engine asks for. `notifications` answers; the wiring hands it over."""

    def plan(
        self, definition: Definition, state: str, view: Mapping[str, Value], calendar: Calendar
    ) -> Sequence[Planned]:
        """Returns the notices about dates of a subject in `state`, past ones too."""

    def told(self, definition: Definition, trigger: str) -> Sequence[Told]:
        """Returns the rules told at this step (`start` for the beginning)."""

    def holds(self, told: Told, state: str, view: Mapping[str, Value], calendar: Calendar, day: date) -> str | None:
        """Returns None while the rule's condition is true, else in a word why the notice is not to be sent."""


def fires(definition: Definition, state: str, view: Mapping[str, Value], calendar: Calendar) -> list[Planned]:
    """Returns the steps that the clock is to make of a subject in `state`."""
    planned: list[Planned] = []
    for timer in definition.timers:
        if state not in timer.states:
            continue
        day = timer.at.evaluate(view, calendar)
        if isinstance(day, date):
            planned.append(
                Planned(
                    name=timer.name, occurrence=day.isoformat(), kind=FIRE, nominal=day, due_at=calendar.start_of(day)
                )
            )
    return planned


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """What has to change: rows to write (new, or their due time moved, or armed again) and rows to take away."""

    put: tuple[tuple[Planned, datetime], ...]
    delete: tuple[Kept, ...]


def reconcile(planned: Iterable[Planned], kept: Sequence[Kept], now: datetime, calendar: Calendar) -> Difference:
    """Sets the timers that ought to be against those that are.

    A step of the clock whose day is past is due at the next 00:00. A notice whose day is past is due at the next
    sending time, of several of one rule only the last; none when a later one of the rule is done already. Told
    notices are moved when the days off have changed, never planned here.
    """
    rows = {(k.name, k.occurrence): k for k in kept}
    wanted: dict[tuple[str, str], tuple[Planned, datetime]] = {}
    for p, due in [*_due_fires(planned, rows, now, calendar), *_due_notices(planned, kept, now, calendar)]:
        wanted[(p.name, p.occurrence)] = (p, due)
    put = [pair for key, pair in wanted.items() if (row := rows.get(key)) is None or row.done or row.due_at != pair[1]]
    delete = [k for k in kept if not k.done and k.kind != TOLD and (k.name, k.occurrence) not in wanted]
    return Difference(put=tuple(put), delete=tuple(delete))


def _due_fires(
    planned: Iterable[Planned], rows: Mapping[tuple[str, str], Kept], now: datetime, calendar: Calendar
) -> Iterable[tuple[Planned, datetime]]:
    midnight = calendar.start_of(calendar.day_of(now) + timedelta(days=1))
    for p in planned:
        if p.kind != FIRE:
            continue
        row = rows.get((p.name, p.occurrence))
        if p.due_at > now:
            yield p, p.due_at
        elif row is not None and not row.done:
            yield p, row.due_at  # waiting already
        else:
            yield p, midnight


def _due_notices(
    planned: Iterable[Planned], kept: Sequence[Kept], now: datetime, calendar: Calendar
) -> Iterable[tuple[Planned, datetime]]:
    by_rule: dict[str, list[Planned]] = {}
    for p in planned:
        if p.kind == NOTICE:
            by_rule.setdefault(p.name, []).append(p)
    done_by: dict[str, set[str]] = {}
    waiting: dict[tuple[str, str], Kept] = {}
    for k in kept:
        if k.done:
            done_by.setdefault(k.name, set()).add(k.occurrence)
        else:
            waiting[(k.name, k.occurrence)] = k
    for rule, all_ in by_rule.items():
        done = done_by.get(rule, set())
        reminded = max((p.nominal for p in all_ if p.occurrence in done), default=date.min) if done else date.min
        meeting: dict[datetime, list[Planned]] = {}
        for p in all_:
            meeting.setdefault(p.due_at, []).append(p)
        past: Planned | None = None
        for due, group in sorted(meeting.items()):
            last = group[0] if len(group) == 1 else max(group, key=lambda p: p.nominal)
            if done and any(p.occurrence in done for p in group):
                continue
            if due >= now:
                yield last, due
            elif last.nominal > reminded:
                past = last
        if past is not None:
            row = waiting.get((rule, past.occurrence))
            yield past, row.due_at if row is not None and row.due_at <= now else calendar.next_sending(now)
