"""What the clock does: opens what opens by itself, takes the steps that timers fire.

Late, twice or from two processes, the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from engine import steps, trail
from engine.core.calendar import add_months
from engine.core.commands import Start
from engine.core.errors import BadInput
from engine.core.events import stamp, unstamp
from engine.core.machine import Definition, Opening
from engine.core.timers import FIRE
from engine.core.values import Value
from engine.naming import unique_key
from engine.steps import By
from engine.store.rows import TimerRow
from engine.work import Work

THROUGH = "recurrences_through"  # setting: recurrences due up to this time have been opened
CLOCK = By(officer=None)


@dataclass(frozen=True, kw_only=True)
class Due:
    """A period of a recurrence with the time it opens."""

    definition: Definition
    opening: Opening
    first: date
    name: str
    day: date
    at: datetime


def periods(every: str, start: date, end: date) -> Iterator[tuple[date, str]]:
    """Yields the first days and names of the years, months or days that overlap the days from `start` to `end`."""
    if every == "day":
        for n in range((end - start).days + 1):
            yield (day := start + timedelta(days=n)), day.isoformat()
        return
    first = start.replace(day=1, month=1) if every == "year" else start.replace(day=1)
    while first <= end:
        yield first, first.strftime("%Y") if every == "year" else first.strftime("%Y-%m")
        first = add_months(first, 12 if every == "year" else 1)


def due_openings(work: Work, after: datetime, until: datetime) -> list[Due]:
    """Returns the periods of all recurrences that open after one time and not after another, earliest first."""
    found: list[Due] = []
    calendar = work.calendar
    for definition in work.library.all_newest().values():
        opening = definition.opening
        if opening is None or (definition.file.checkpoint and not trail.can_sign(work)):
            continue
        for first, name in periods(opening.spec.every, calendar.day_of(after), calendar.day_of(until)):
            view: dict[str, Value] = {"period": first, "period_name": name, "today": first, "day": first}
            day = opening.on.evaluate(view, calendar)
            if not isinstance(day, date) or not _in_force(opening, day):
                continue
            at = calendar.start_of(day)
            if after < at <= until:
                found.append(Due(definition=definition, opening=opening, first=first, name=name, day=day, at=at))
    return sorted(found, key=lambda d: (d.at, d.definition.workflow))


def _in_force(opening: Opening, day: date) -> bool:
    spec = opening.spec
    return (spec.from_ is None or spec.from_ <= day) and (spec.until is None or day <= spec.until)


def through(work: Work) -> datetime:
    """Returns up to when recurrences have been opened."""
    setting = work.tx.setting(THROUGH)
    return unstamp(setting) if setting is not None else work.now


def next_opening(work: Work) -> datetime | None:
    """Returns when the next recurrence opens, within the coming year."""
    after = through(work)
    for months in (1, 13):  # what opens every day or month is found in the first
        until = work.calendar.start_of(add_months(work.calendar.day_of(after), months))
        if due := due_openings(work, after, until):
            return due[0].at
    return None


def open_due(work: Work) -> int:
    """Opens what is due, for the units that stood in the database before; never what exists already.

    A unit that was closed meanwhile, while the program stood still, gets nothing any more. Returns how many.
    """
    opened = 0
    all_due = due_openings(work, through(work), work.now)
    last = {d.definition.workflow: d for d in all_due}
    for due in all_due:
        if due.opening.spec.missed == "last" and last[due.definition.workflow] is not due:
            continue
        opened += sum(_open(work, due, org) for org in _units(work, due))
    if work.tx.setting(THROUGH) != stamp(work.now):
        work.tx.put_setting(THROUGH, stamp(work.now))
    return opened


def _units(work: Work, due: Due) -> list[str]:
    area = due.definition.area
    tree = work.office.tree
    units: list[str] = []
    for spec in due.opening.spec.for_:
        kinds, under = area.kinds(spec.kinds), area.kinds(spec.under or [])
        for org in tree.by_id.values():
            parent = tree.by_id.get(org.parent or "")
            fits = org.kind in kinds and (not spec.under or (parent is not None and parent.kind in under))
            stands = org.period.holds(due.day) and not org.period.ended(work.today)
            if fits and stands and unstamp(org.created_at) < due.at and org.id not in units:
                units.append(org.id)
    return sorted(units)


def _open(work: Work, due: Due, org: str) -> int:
    view: dict[str, Value] = {
        "period": due.first,
        "period_name": due.name,
        "today": due.day,
        "day": due.day,
        "org": org,
    }
    facts = {fact: e.evaluate(view, work.calendar) for fact, e in due.opening.sets}
    key = unique_key(due.definition, org, facts)
    if work.tx.find_subjects(workflow=due.definition.workflow, unique_key=key, limit=1):
        return 0
    command = Start(workflow=due.definition.workflow, org=org, facts=facts, on=due.day)
    steps.start(work, command, CLOCK, unasked=True)
    return 1


def fire_due(work: Work, limit: int) -> int:
    """Takes the steps whose timers are due; one that its guards refuse changes nothing.

    Returns how many timers it did.
    """
    rows = _due_fires(work, limit)
    work.fetch(t.subject for t in rows)
    done = []
    for row in rows:
        case = work.case(row.subject)
        timer = next((t for t in case.definition.timers if t.name == row.name), None)
        outcome = "gone"
        if timer is not None and case.subject.state in timer.states:
            try:
                answer = steps.move_one(work, case, timer.fires, {}, date.fromisoformat(row.occurrence), None, CLOCK)
            except BadInput as error:
                outcome = error.text()
                steps.refused_event(work, row.subject, timer.fires, CLOCK, None, None)
            else:
                outcome = "fired" if answer.allowed else "refused"
                if not answer.allowed:
                    steps.refused_event(work, row.subject, timer.fires, CLOCK, answer, None)
        done.append(replace(row, done_at=work.ledger.at, outcome=outcome))
    if done:
        work.tx.put_timers(done)
    return len(done)


def _due_fires(work: Work, limit: int) -> list[TimerRow]:
    """Returns the first due steps, looking past notices due before them: a step may take a notice's cause away."""
    wanted = limit
    while True:
        rows = work.tx.due_timers(stamp(work.now), wanted)
        fires = [t for t in rows if t.kind == FIRE]
        if len(fires) >= limit or len(rows) < wanted:
            return fires[:limit]
        wanted *= 4
