"""The grid of what units owe: a row for each unit with its state in words, what is late, and what may be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.core.calendar import add_months
from engine.core.errors import KetnapError
from engine.core.machine import Definition
from engine.core.values import Value
from engine.owed import Owed, Period
from engine.scores import Standing
from web.pages_file import Grid
from web.shown import day, left

if TYPE_CHECKING:
    from web.site import Visit

MOST_WEEKS = 4  # that a countdown draws
BAR = 110  # how long a full bar is


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The mark of a row in the column of its state: words and a kind (late, soon, good)."""

    text: str
    kind: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Score:
    """Target and result of a unit: as text, and how long the bar is (None: nothing to compare with)."""

    text: str
    bar: int | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A unit's row."""

    subject: str
    org: str
    name: str
    state: str
    cell: Cell
    notes: Sequence[str]
    waits: bool
    late: bool
    steps: Sequence[str]
    remind: bool
    reminded: str
    target: str
    score: Score | None
    before: Cell | None
    receivers: Sequence[tuple[str, str, str]] = ()  # fact, value, label


@dataclass(frozen=True, kw_only=True)
class Day:
    """A box of the countdown: now, left, last, off or nothing."""

    label: str
    number: int
    kind: str
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Countdown:
    """How many working days are left up to the last good day."""

    last: date
    left: int
    days: Sequence[Day] = field(default_factory=list)


class GridRows:
    """Makes the rows of one grid."""

    def __init__(self, visit: Visit, definition: Definition, grid: Grid, period: Period) -> None:
        self.visit, self.definition, self.grid, self.period = visit, definition, grid, period
        take = definition.steps.get(grid.take or "")
        self.waiting = take.sources if take is not None else frozenset({definition.initial})
        self._due: dict[str, date] = {}
        self.now, self.earlier = self._standings(period.first), self._standings(self._shift(period.first, -1))

    def _every(self) -> int:
        assert self.definition.opening is not None
        return {"year": 12, "month": 1}.get(self.definition.opening.spec.every, 0)

    def _shift(self, first: date, by: int) -> date:
        return add_months(first, by * self._every()) if self._every() else first + timedelta(days=by)

    def _standings(self, first: date) -> Mapping[str, Standing]:
        if self.grid.score is None:
            return {}
        last = self._shift(first, 1) - timedelta(days=1)
        with suppress(KetnapError):  # what the score counts may not be loaded
            return {s.unit: s for s in self.visit.service.scores.standings(self.grid.score, first, last)}
        return {}

    def due(self, subject: str) -> date | None:
        """Returns the last good day of a row that was made."""
        return self._due.get(subject)

    def rows(self, owed: Sequence[Owed]) -> list[Row]:
        """Returns the rows: what waits first, the late ones before the others, then by state and unit."""
        order = list(self.definition.file.states)
        made = [self._row(o) for o in owed]
        return sorted(made, key=lambda r: (not r.waits, not r.late, order.index(r.state), r.name))

    def _row(self, o: Owed) -> Row:
        subject, visit = o.case.subject, self.visit
        waits = subject.state in self.waiting
        due = self._last_day(o.facts)
        if due is not None:
            self._due[subject.id] = due
        late = o.facts.get(self.grid.late or "") is True or (waits and due is not None and due < visit.today)
        shown = [self._fact(o, f) for f in self.grid.shows]
        return Row(
            subject=subject.id,
            org=subject.org,
            name=visit.values.unit(subject.org),
            state=subject.state,
            cell=self._cell(o.facts, subject.state, subject.entered_on, late=late, due=due),
            notes=[t for t in shown if t],
            waits=waits,
            late=late,
            steps=sorted(o.steps, key=lambda t: t != self.grid.take),  # what is taken here stands first
            remind=bool(self.grid.remind and waits and o.steps),
            reminded=self._reminded(o.told),
            target=_target(self.now.get(subject.org)),
            score=self._score(self.earlier.get(subject.org)),
            before=self._before(o),
            receivers=self._addressees(o) if waits and self.grid.take in o.steps else (),
        )

    def _last_day(self, facts: Mapping[str, Value]) -> date | None:
        found = facts.get(self.grid.last_day or "")
        return found if isinstance(found, date) and not isinstance(found, datetime) else None

    def _fact(self, o: Owed, fact: str) -> str:
        definition = self.definition
        if fact in definition.sensitive or o.facts.get(fact) is None:
            return ""
        text = self.visit.values.text(definition, fact, o.facts[fact])
        return f"{definition.file.facts[fact].label.of(self.visit.lang)}: {text}"

    def _cell(self, facts: Mapping[str, Value], state: str, entered: date, *, late: bool, due: date | None) -> Cell:
        visit = self.visit
        label = visit.teller.state(self.definition, state)
        if state in self.waiting:
            if due is not None and due < visit.today:
                return Cell(text=label, kind="late", note=left(visit.calendar, visit.today, due, visit.translate)[0])
            return Cell(text=label, kind="soon")
        at = facts.get(self.grid.at or "")
        if isinstance(at, datetime):
            note = at.astimezone(visit.calendar.zone).strftime("%d/%m/%Y %H:%M")
        else:
            note = day(at if isinstance(at, date) else entered)
        if late:
            return Cell(text=f"{label}, {visit.say('late')}", kind="late", note=note)
        return Cell(text=label, kind="good" if state not in self._left_over else "", note=note)

    @property
    def _left_over(self) -> set[str]:
        """States that only the clock leads to: nothing was done there."""
        file = self.definition.file
        by_people = {t for s in self.definition.steps.values() if not s.by_clock for t, _ in s.targets}
        return set(file.states) - by_people - {self.definition.initial}

    def _before(self, o: Owed) -> Cell | None:
        if o.before is None:
            return None
        subject = o.before.subject
        late = o.before_facts.get(self.grid.late or "") is True
        due = self._last_day(o.before_facts)
        return self._cell(o.before_facts, subject.state, subject.entered_on, late=late, due=due)

    def _reminded(self, told: Sequence[str]) -> str:
        if not told:
            return ""
        from web.shown import moment

        return self.visit.say(
            "reminded {n} times, last {at}", n=len(told), at=moment(told[-1], self.visit.calendar.zone)
        )

    def _addressees(self, o: Owed) -> list[tuple[str, str, str]]:
        area = self.definition.area.file
        return [
            (fact, kind, area.kinds[kind].label.of(self.visit.lang))
            for fact, kind in o.receivers
            if not self._has(o, kind)
        ]

    @staticmethod
    def _has(o: Owed, kind: str) -> bool:
        """Tells whether a map already has an entry for an addressee, where its keys are such kinds."""
        return any(
            isinstance(held := o.facts.get(n), dict) and kind in held
            for n, spec in o.case.definition.file.facts.items()
            if spec.type == "map" and spec.fixed
        )

    def _score(self, s: Standing | None) -> Score | None:
        if s is None:
            return None
        if s.least is None:
            return Score(text=self.visit.say("{result}, no target given", result=_number(s.result)))
        percent = s.percent
        text = f"{_number(s.result)}/{_target(s)}"
        if percent is None:
            return Score(text=text)
        shown = f"{percent.quantize(Decimal(1))} %"
        return Score(text=f"{text} · {shown}", bar=min(BAR, int(percent * BAR / 100)))

    # -- the days left

    def countdown(self, rows: Sequence[Owed]) -> Countdown | None:
        """Returns the days up to the last good day, where all units have the same and it has not passed."""
        days = {self._last_day(o.facts) for o in rows}
        last = next(iter(days)) if len(days) == 1 else None
        today, calendar = self.visit.today, self.visit.calendar
        if last is None or last < today:
            return None
        left_ = calendar.working_days_between(today, last)
        monday = today - timedelta(days=today.weekday())
        end = last + timedelta(days=6 - last.weekday())
        if (end - monday).days > MOST_WEEKS * 7:
            return Countdown(last=last, left=left_)
        boxes = [self._day(monday + timedelta(days=n), last) for n in range((end - monday).days + 1)]
        return Countdown(last=last, left=left_, days=boxes)

    def _day(self, at: date, last: date) -> Day:
        visit, today = self.visit, self.visit.today
        names = visit.say("Mo Tu We Th Fr Sa Su").split()
        working = visit.calendar.is_working(at)
        said = []
        kind = "" if working else "off"
        if at == today:
            said.append(visit.say("today"))
            kind = kind or "now"
        if at == last:
            said.append(visit.say("the last good day"))
            kind = "last"
        elif today < at < last and working:
            kind = "left"
        if not working:
            said.append(visit.say("a day off"))
        return Day(label=names[at.weekday()], number=at.day, kind=kind, said=", ".join(said))


def _target(s: Standing | None) -> str:
    if s is None or s.least is None:
        return ""
    return _number(s.least) + (f"-{_number(s.most)}" if s.most is not None else "")


def _number(value: object) -> str:
    return "0" if value is None else str(value)
