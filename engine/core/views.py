"""What expressions and people see of a subject: facts with defaults, what is borrowed and derived, the day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from engine.core.authority import Period
from engine.core.calendar import Calendar
from engine.core.errors import BadInput
from engine.core.expressions import Expression
from engine.core.machine import Definition
from engine.core.model import Text
from engine.core.subject import MapChange, Subject
from engine.core.values import Value, parse, parse_map_change


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """When a step is judged: the clock's time, the step's own day, and the calendar."""

    now: datetime
    on: date
    calendar: Calendar

    @property
    def time(self) -> datetime:
        """The time of the step: now, or the last second of an earlier day."""
        if self.on >= self.calendar.day_of(self.now):
            return self.now
        return self.calendar.start_of(self.on + timedelta(days=1)) - timedelta(seconds=1)


def read_facts(
    definition: Definition, raw: Mapping[str, object], calendar: Calendar, *, fixed: bool = True
) -> dict[str, Value | MapChange | None]:
    """Reads facts as typed into changes. Raises BadInput naming a fact that is not declared, is not written by people,
    or (with `fixed=False`) is written by steps only; WrongType for a value that does not fit."""
    changes: dict[str, Value | MapChange | None] = {}
    for name, value in raw.items():
        type_ = definition.types.get(name)
        spec = definition.file.facts.get(name)
        if type_ is None or spec is None:
            raise BadInput("{fact} is not a fact of {workflow}", fact=name, workflow=definition.workflow)
        if spec.worked_out:
            raise BadInput("{fact} is worked out, it cannot be written", fact=name)
        if spec.fixed and not fixed:
            raise BadInput("{fact} is written by steps only", fact=name)
        try:
            if type_.name == "map" and value is not None:
                changes[name] = parse_map_change(name, type_, value, calendar.zone)
            else:
                changes[name] = parse(name, type_, _meant(spec.shows, value), calendar.zone)
        except BadInput as error:
            error.about(definition)
            raise
    return changes


def _meant(shows: Mapping[str, Text], value: object) -> object:
    """Returns the value that stands for the words that were written, in either language; else what was written."""
    written = value.strip().casefold() if isinstance(value, str) else None
    return next((v for v, words in shows.items() if written in (words.vi.casefold(), words.en.casefold())), value)


def view_of(definition: Definition, subject: Subject, moment: Moment, reason: str | None = None) -> dict[str, Value]:
    """Returns what expressions see of a subject: defaults, facts, those borrowed, and the built-in names."""
    view: dict[str, Value] = dict(definition.defaults)
    view.update(subject.facts)
    view.update(subject.borrowed)
    view["today"] = view["day"] = moment.on
    view["moment"] = moment.time
    view["state"] = subject.state
    view["org"] = subject.org
    view["org_kind"] = subject.org_kind
    view["subject"] = subject.id
    view["began"], view["entered"] = subject.started_on, subject.entered_on
    view.update(unit_days(subject.unit_stands))
    if reason is not None and reason.strip():
        view["reason"] = reason
    return view


def unit_days(stands: Period) -> dict[str, Value]:
    """Returns the built-in names that say since when a unit stands, and from when on it is no more; those known."""
    found: dict[str, Value] = {}
    if stands.from_ is not None:
        found["unit_began"] = stands.from_
    if stands.until is not None:
        found["unit_ends"] = stands.until + timedelta(days=1)
    return found


def derive(view: dict[str, Value], derived: Sequence[tuple[str, Expression]], calendar: Calendar) -> None:
    """Works out derived facts into `view`, in their order."""
    for name, expression in derived:
        value = expression.evaluate(view, calendar)
        if value is None:
            view.pop(name, None)
        else:
            view[name] = value


def facts_of(definition: Definition, subject: Subject, moment: Moment) -> dict[str, Value]:
    """Returns all facts of a subject as people see them: written, defaults, borrowed and derived."""
    view = view_of(definition, subject, moment)
    derive(view, definition.derived, moment.calendar)
    return {name: view[name] for name in definition.types if name in view}
