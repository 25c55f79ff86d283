"""A workflow made ready to run, with its state machine: one shared `transitions.Machine` per definition.

A step triggers the machine on a throwaway object (`Moving`), so nothing is kept that was not decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from transitions import Machine as StateMachine

from engine.core import definition as models
from engine.core.authority import Grant
from engine.core.calendar import Calendar
from engine.core.definition import AreaFile, Batch, Clears, Notice, Recurrence, Text, WorkflowFile
from engine.core.definition import Figure as FigureSpec
from engine.core.definition import Tally as TallySpec
from engine.core.expressions import Expression
from engine.core.guards import Force, Rule
from engine.core.types import KEY_KINDS
from engine.core.values import Type, Value

CLOCK = "clock"  # who makes a step that a timer fires
UNIT_DAYS = frozenset({"unit_began", "unit_ends"})  # built-in names that say when the subject's unit exists
CLOCKED = frozenset({"today", "day", "moment", "reason"}) | UNIT_DAYS  # built-in names that change by themselves


@dataclass(frozen=True, kw_only=True)
class Invalid:
    """Input that is refused as bad, whatever the rules say."""

    when: Expression
    fact: str
    message: Text


@dataclass(frozen=True, kw_only=True)
class UnitKinds:
    """Organisations of these kinds, directly under one of those where some are named."""

    kinds: frozenset[str]
    under: frozenset[str]

    def fits(self, kind: str, parent_kind: str | None) -> bool:
        """Tells whether an organisation of a kind, under one of another, is meant."""
        return kind in self.kinds and (not self.under or parent_kind in self.under)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number that subjects count to, made ready. `derived` are the derived facts that it needs, in order."""

    name: str
    spec: FigureSpec
    states: frozenset[str]
    when: Expression | None
    day: Expression | None
    first: Expression | None
    last: Expression | None
    amount: Expression | None
    most: Expression | None
    number: Expression | None
    derived: tuple[tuple[str, Expression], ...]
    reads: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Tally:
    """A fact worked out from a score, made ready."""

    fact: str
    spec: TallySpec
    first: Expression
    last: Expression


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A fact that a step sets."""

    fact: str
    to: Expression
    key: Expression | None
    when: Expression | None


@dataclass(frozen=True, kw_only=True)
class Line:
    """What a line of a batch may do, made ready."""

    name: str
    spec: models.Line
    gives: tuple[tuple[str, Expression], ...]
    sets: tuple[tuple[str, Expression], ...]
    notes: tuple[Setting, ...]
    invalid: tuple[Invalid, ...]
    when: Expression | None


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What happens to those whom no line names, made ready."""

    spec: models.Rest
    when: Expression | None


@dataclass(frozen=True, kw_only=True)
class Step:
    """A transition made ready. `derived` are the derived facts that its expressions need, in order."""

    trigger: str
    label: Text
    sources: frozenset[str]
    targets: tuple[tuple[str, Expression | None], ...]
    grants: tuple[Grant, ...]
    by_clock: bool
    never: tuple[str, ...]
    asks: tuple[str, ...]
    asks_anew: tuple[str, ...]
    takes: tuple[str, ...]
    fills: tuple[tuple[str, Expression], ...]
    invalid: tuple[Invalid, ...]
    rules: tuple[tuple[Force, Rule], ...]
    answered: frozenset[str]  # facts that a guard or limit reads: if unknown, the rule answers
    sets: tuple[Setting, ...]
    clears: Clears
    opens: tuple[str, tuple[tuple[str, Expression], ...]] | None
    opens_at: str | None
    belongs_to: str | None
    opens_for: tuple[UnitKinds, ...]  # the kinds of units for each of which one is begun; none: for the subject's own
    batch: Batch | None
    happened: str | None
    lines: Mapping[str, Line]
    rest: tuple[Rest, ...]
    derived: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, kw_only=True)
class Timer:
    """A step the clock makes at 00:00 of a day."""

    name: str
    at: Expression
    states: frozenset[str]
    fires: str


@dataclass(frozen=True, kw_only=True)
class Told:
    """A notice rule made ready: `due`, `condition` and where it holds."""

    rule: str
    spec: Notice
    due: Expression | None
    condition: Expression | None
    states: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A recurrence made ready."""

    spec: Recurrence
    on: Expression
    sets: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, kw_only=True)
class Area:
    """An area made ready: groups resolved, permissions as grants."""

    file: AreaFile
    groups: Mapping[str, frozenset[str]]
    permissions: Mapping[str, tuple[Grant, ...]]
    undo_above: tuple[Grant, ...]
    parent_reach: frozenset[str]
    above: frozenset[str]
    reading_roles: frozenset[str]
    second_factor: frozenset[str] = frozenset()  # roles that sign in with a one-time code too

    def kinds(self, names: Sequence[str]) -> frozenset[str]:
        """Returns the kinds that these kinds and groups mean."""
        return frozenset().union(*(self.groups.get(n, frozenset([n])) for n in names))


@dataclass(frozen=True, kw_only=True, eq=False)
class Definition:
    """A workflow made ready to run. Built by `check.compile_workflow`; shared, never changed."""

    id: str
    file: WorkflowFile
    area: Area
    types: Mapping[str, Type]
    defaults: Mapping[str, Value]
    derived: tuple[tuple[str, Expression], ...]  # all derived facts, in an order in which each finds what it needs
    steps: Mapping[str, Step]
    rules: Mapping[str, Rule]
    start_grants: tuple[Grant, ...]
    start_fills: tuple[tuple[str, Expression], ...]
    start_invalid: tuple[Invalid, ...]
    figures: Mapping[str, Figure]
    tallies: tuple[Tally, ...]
    timers: tuple[Timer, ...]
    notices: tuple[Told, ...]
    opening: Opening | None
    initial: str
    final: frozenset[str]
    kinds: frozenset[str]
    machine: StateMachine = field(repr=False)
    conditions: Mapping[str, Mapping[str, Expression]] = field(default_factory=dict)  # list -> entry -> when it applies

    @property
    def workflow(self) -> str:
        """The workflow's id."""
        return self.file.workflow

    @cached_property
    def sensitive(self) -> frozenset[str]:
        """The facts that are kept sealed."""
        return frozenset(name for name, fact in self.file.facts.items() if fact.sensitive)

    @cached_property
    def keyed(self) -> bool:
        """Tells whether there are maps whose keys name what there is, a range of numbers or copies of them."""
        numbered = self.file.numbers is not None or self.file.copies is not None
        return numbered or any(f.keys in KEY_KINDS for f in self.file.facts.values())

    @cached_property
    def naming(self) -> tuple[str, ...]:
        """The facts that name another subject, in the file's order."""
        return tuple(name for name, fact in self.file.facts.items() if fact.type == "subject")

    @cached_property
    def clocked(self) -> frozenset[str]:
        """The names whose value may change while nothing happens to a subject."""
        return self._through(CLOCKED | {t.fact for t in self.tallies})

    @cached_property
    def covered(self) -> frozenset[str]:
        """The facts that are kept sealed, and those worked out from them."""
        return self._through(self.sensitive)

    def _through(self, names: frozenset[str]) -> frozenset[str]:
        """Returns these names and the derived facts that read one of them."""
        found = set(names)
        for name, expression in self.derived:
            if expression.reads & found:
                found.add(name)
        return frozenset(found)

    @cached_property
    def moving(self) -> frozenset[str]:
        """The facts that name the organisation to which a step takes the subject."""
        return frozenset(s.belongs_to for s in self.steps.values() if s.belongs_to is not None)

    def triggers_from(self, state: str) -> list[str]:
        """Returns the triggers that leave a state, in the file's order."""
        return [t for t, s in self.steps.items() if state in s.sources]


class Moving:
    """What the shared machine moves: a state that is thrown away unless the step is recorded."""

    __slots__ = ("calendar", "facts", "state")

    def __init__(self, state: str, facts: Mapping[str, Value], calendar: Calendar) -> None:
        self.state, self.facts, self.calendar = state, facts, calendar


def build_machine(states: Sequence[str], initial: str, steps: Sequence[Step]) -> StateMachine:
    """Returns the one machine of a definition. Several targets become conditions, asked in order."""
    machine = StateMachine(model=None, states=list(states), initial=initial, auto_transitions=False)
    for step in steps:
        for target, when in step.targets:
            dest = "=" if target == "same" else target
            conditions: Any = None if when is None else _condition(when)
            sources: list[Any] = sorted(step.sources)
            machine.add_transition(step.trigger, sources, dest, conditions=conditions)
    return machine


def _condition(when: Expression) -> Any:
    def holds(case: Moving) -> bool:
        return when.evaluate(case.facts, case.calendar) is True

    return holds
