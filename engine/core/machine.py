"""A workflow made ready to run, and the decision: may this step be taken, and what does it change?

`decide` is pure. The state machine itself is one shared `transitions.Machine` per definition; a step triggers it on a
throwaway object, so nothing is kept that was not decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from transitions import Machine as StateMachine

from engine.core.authority import Acting, Grant, Office, authorise
from engine.core.calendar import Calendar
from engine.core.definition import AreaFile, Batch, Clears, Notice, Recurrence, Text, WorkflowFile
from engine.core.errors import BadInput
from engine.core.expressions import Expression
from engine.core.guards import Force, Judgement, Rule, judge
from engine.core.subject import Changes, MapChange, Subject, changed
from engine.core.values import Type, Value, WrongType, parse, parse_map_change

CLOCK = "clock"  # who makes a step that a timer fires


@dataclass(frozen=True, kw_only=True)
class Invalid:
    """Input that is refused as bad, whatever the rules say."""

    when: Expression
    fact: str
    message: Text


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A fact that a step sets."""

    fact: str
    to: Expression
    key: Expression | None
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
    belongs_to: str | None
    batch: Batch | None
    line_sets: Mapping[str, tuple[tuple[str, Expression], ...]]
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
    timers: tuple[Timer, ...]
    notices: tuple[Told, ...]
    opening: Opening | None
    initial: str
    final: frozenset[str]
    kinds: frozenset[str]
    machine: StateMachine = field(repr=False)

    @property
    def workflow(self) -> str:
        """The workflow's id."""
        return self.file.workflow

    def triggers_from(self, state: str) -> list[str]:
        """Returns the triggers that leave a state, in the file's order."""
        return [t for t, s in self.steps.items() if state in s.sources]


class _Case:
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
    def holds(case: _Case) -> bool:
        return when.evaluate(case.facts, case.calendar) is True

    return holds


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The answer. Allowed: `to`, `changes`, who acts. Refused: `to` is None and the judgements say why."""

    trigger: str
    source: str
    to: str | None
    changes: Changes
    acting: Acting | None
    judgements: tuple[Judgement, ...]
    breaches: tuple[str, ...]
    facts: Mapping[str, Value]  # as the rules saw them, with what the step sets
    missing: tuple[str, ...] = ()  # facts asked for and not given

    @property
    def allowed(self) -> bool:
        """Tells whether the step may be taken."""
        return self.to is not None and not self.missing

    def blocking(self, result: str) -> list[str]:
        """Returns the ids of the guards and limits with this result that stand in the way."""
        return [
            j.rule.id
            for j in self.judgements
            if j.result == result and (j.force == "guard" or (j.force == "limit" and j.rule.id not in self.breaches))
        ]


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
        if spec.is_ is not None or spec.reads is not None:
            raise BadInput("{fact} is worked out, it cannot be written", fact=name)
        if spec.fixed and not fixed:
            raise BadInput("{fact} is written by steps only", fact=name)
        if type_.name == "map" and value is not None:
            changes[name] = parse_map_change(name, type_, value, calendar.zone)
        else:
            changes[name] = parse(name, type_, value, calendar.zone)
    return changes


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
    if reason is not None and reason.strip():
        view["reason"] = reason
    return view


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


def decide(
    definition: Definition,
    subject: Subject,
    trigger: str,
    *,
    moment: Moment,
    raw: Mapping[str, object] | None = None,
    reason: str | None = None,
    officer: str | None = None,
    office: Office | None = None,
    asking: bool = False,
) -> Decision:
    """Decides one step. With an `office`, the officer must be one who may; without (the clock's step), nobody is asked.

    Order: bad input, then denial, then rules. `asking`: facts not yet given do not stop it, `missing` names them.
    Raises BadInput, WrongType and Denied; a refusal by rules is a Decision.
    """
    step = step_from(definition, subject, trigger)
    calendar = moment.calendar
    changes = read_facts(definition, raw, calendar) if raw else {}
    view = view_of(definition, subject, moment, reason)
    if changes:
        view = changed(view, changes)
    for fact, expression in step.fills:
        if fact not in changes:
            value = expression.evaluate(view, calendar)
            if value is not None:
                changes[fact] = view[fact] = value
    derive(view, step.derived, calendar)
    missing = _missing(step, view, changes)
    if missing and not asking:
        anew = missing[0] in step.asks_anew
        raise BadInput(
            "{trigger} asks for {fact} anew, in the step itself" if anew else "{trigger} asks for {fact}",
            trigger=trigger,
            fact=missing[0],
        )
    for invalid in step.invalid:
        if invalid.when.evaluate(view, calendar) is True:
            raise InvalidInput(invalid.fact, invalid.message)
    acting = None
    if office is not None:
        acting = authorise(
            office,
            officer or "",
            step.grants,
            subject.org,
            facts=view,
            on=moment.on,
            doers=subject.doers,
            never=step.never,
        )
    judgements = tuple([judge(rule, force, trigger, view, calendar) for force, rule in step.rules])
    breaches, stopped = _weigh(judgements, "reason" in view)
    if stopped:
        return _decision(step, subject, None, {}, acting, judgements, breaches, view, missing)
    if step.clears.cycles or step.clears.facts:
        changes = _cleared(definition, step, subject, changes)
    for setting in step.sets:
        _set(definition, setting, view, changes, calendar)
    if step.sets and step.derived:
        derive(view, step.derived, calendar)
    case = _Case(subject.state, view, calendar)
    if not definition.machine.events[trigger].trigger(case, case):
        raise BadInput("{trigger} has no state to lead to from {state}", trigger=trigger, state=subject.state)
    return _decision(step, subject, case.state, changes, acting, judgements, breaches, view, missing)


def _decision(
    step: Step,
    subject: Subject,
    to: str | None,
    changes: Changes,
    acting: Acting | None,
    judgements: tuple[Judgement, ...],
    breaches: tuple[str, ...],
    view: Mapping[str, Value],
    missing: tuple[str, ...],
) -> Decision:
    return Decision(
        trigger=step.trigger,
        source=subject.state,
        to=to,
        changes=changes,
        acting=acting,
        judgements=judgements,
        breaches=breaches,
        facts=view,
        missing=missing,
    )


def step_from(definition: Definition, subject: Subject, trigger: str) -> Step:
    """Returns the step of a trigger. Raises BadInput when there is none, or it does not leave the subject's state."""
    step = definition.steps.get(trigger)
    if step is None:
        raise BadInput(
            "{trigger} is not a trigger of {workflow}; there are: {known}",
            trigger=trigger,
            workflow=definition.workflow,
            known=", ".join(definition.steps),
        )
    if subject.state not in step.sources:
        raise BadInput(
            "{trigger} does not leave {state}; from here lead: {known}",
            trigger=trigger,
            state=subject.state,
            known=", ".join(definition.triggers_from(subject.state)) or "-",
        )
    return step


def _missing(step: Step, view: Mapping[str, Value], changes: Changes) -> tuple[str, ...]:
    """Returns the facts that the step asks for and nobody gave. Where a guard or limit reads one, the rule answers."""
    anew = [fact for fact in step.asks_anew if changes.get(fact) is None]
    return tuple(anew + [fact for fact in step.asks if view.get(fact) is None and fact not in step.answered])


class InvalidInput(BadInput):
    """{fact}: {text}"""

    def __init__(self, fact: str, message: Text) -> None:
        self.texts = message
        super().__init__(InvalidInput.__doc__ or "", fact=fact, text=message.en)

    def in_language(self, lang: str) -> str:
        """Returns the message that the definition gives."""
        return f"{self.params['fact']}: {self.texts.of(lang)}"


def _weigh(judgements: Sequence[Judgement], has_reason: bool) -> tuple[tuple[str, ...], bool]:
    """Returns the limits broken with a reason, and whether something stands in the way."""
    breaches: list[str] = []
    stopped = False
    for j in judgements:
        if j.result == "pass" or j.force == "warn":
            continue
        if j.force == "limit" and j.result == "fail" and has_reason:
            breaches.append(j.rule.id)
        else:
            stopped = True
    return tuple(breaches), stopped


def _cleared(
    definition: Definition, step: Step, subject: Subject, changes: Changes
) -> dict[str, Value | MapChange | None]:
    """Returns the changes of a step that starts cycles anew: what it clears goes first, what it brings stays."""
    cleared: dict[str, Value | MapChange | None] = {}
    names = [n for n, f in definition.file.facts.items() if f.cycle in step.clears.cycles] + list(step.clears.facts)
    for name in names:
        fact, _, key = name.partition(".")
        old = subject.facts.get(fact)
        if old is None:
            continue
        if not isinstance(old, dict):
            cleared[fact] = None
        elif not key:
            cleared[fact] = dict.fromkeys(old, None)
        elif key in old:
            _into(cleared, fact, {key: None})
    for fact, change in changes.items():
        if isinstance(change, dict):
            _into(cleared, fact, change)
        elif not (change is None and isinstance(cleared.get(fact), dict)):
            cleared[fact] = change
    return cleared


def _into(changes: dict[str, Value | MapChange | None], fact: str, change: MapChange | Mapping[str, Any]) -> None:
    old = changes.get(fact)
    changes[fact] = {**(old if isinstance(old, dict) else {}), **change}


def _set(
    definition: Definition,
    setting: Setting,
    view: dict[str, Value],
    changes: dict[str, Value | MapChange | None],
    calendar: Calendar,
) -> None:
    if setting.when is not None and setting.when.evaluate(view, calendar) is not True:
        return
    value = setting.to.evaluate(view, calendar)
    if setting.key is None:
        changes[setting.fact] = value
        if value is None:
            view.pop(setting.fact, None)
        else:
            view[setting.fact] = value
        return
    key = setting.key.evaluate(view, calendar)
    type_ = definition.types[setting.fact]
    if not isinstance(key, str) or isinstance(value, dict) or (type_.keys is not None and key not in type_.keys):
        raise WrongType(setting.fact, key, "a key of the map")
    _into(changes, setting.fact, {key: value})
    view.update(changed({n: v for n, v in view.items() if n == setting.fact}, {setting.fact: {key: value}}))
