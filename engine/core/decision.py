"""The decision: may this step be taken, and what does it change? Pure: everything it needs is passed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.core.authority import Acting, Office, authorise
from engine.core.calendar import Calendar
from engine.core.definition import Text
from engine.core.errors import BadInput
from engine.core.guards import Judgement, judge
from engine.core.machine import Definition, Invalid, Moving, Setting, Step
from engine.core.subject import Changes, MapChange, Subject, changed
from engine.core.values import Value, WrongType
from engine.core.views import Moment, derive, read_facts, view_of


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
    behalf: str | None = None,
    changes: Changes | None = None,
    asking: bool = False,
) -> Decision:
    """Decides one step. With an `office`, the officer must be one who may; without (the clock's step), nobody is asked.

    `changes`: the facts of `raw` where the caller has read them already. Order: bad input, then denial, then rules.
    `asking`: facts not yet given do not stop it, `missing` names them. Raises BadInput and Denied; no refusal.
    """
    step = step_from(definition, subject, trigger)
    calendar = moment.calendar
    changes = dict(changes) if changes is not None else read_facts(definition, raw, calendar) if raw else {}
    view = view_of(definition, subject, moment, reason)
    if changes:
        view = changed(view, changes)
        view.update((n, d) for n, d in definition.defaults.items() if n in changes and changes[n] is None)
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
        ).about(definition)
    check_invalid(step.invalid, view, calendar)
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
            behalf=behalf,
        )
    judgements = tuple([judge(rule, force, trigger, view, calendar) for force, rule in step.rules])
    breaches, stopped = _weigh(judgements, "reason" in view)
    if stopped:
        return _decision(step, subject, None, {}, acting, judgements, breaches, view, missing)
    if step.clears.cycles or step.clears.facts:
        changes = _cleared(definition, step, subject, changes)
    for setting in step.sets:
        apply_setting(definition, setting, view, changes, calendar)
    if step.sets and step.derived:
        derive(view, step.derived, calendar)
    case = Moving(subject.state, view, calendar)
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
        ).about(definition)
    if subject.state not in step.sources:
        raise BadInput(
            "{trigger} does not leave {state}; from here lead: {known}",
            trigger=trigger,
            state=subject.state,
            known=", ".join(definition.triggers_from(subject.state)) or "-",
        ).about(definition)
    return step


def check_invalid(specs: Sequence[Invalid], view: Mapping[str, Value], calendar: Calendar) -> None:
    """Raises InvalidInput for the first of these that holds."""
    for invalid in specs:
        if invalid.when.evaluate(view, calendar) is True:
            raise InvalidInput(invalid.fact, invalid.message)


def _missing(step: Step, view: Mapping[str, Value], changes: Changes) -> tuple[str, ...]:
    """Returns the facts that the step asks for and nobody gave. Where a guard or limit reads one, the rule answers."""
    anew = [fact for fact in step.asks_anew if not _brings(changes.get(fact))]
    return tuple(anew + [fact for fact in step.asks if view.get(fact) is None and fact not in step.answered])


def _brings(change: Value | MapChange | None) -> bool:
    """Tells whether a change makes something known; a map that only takes keys away does not."""
    return any(v is not None for v in change.values()) if isinstance(change, dict) else change is not None


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


def apply_setting(
    definition: Definition,
    setting: Setting,
    view: dict[str, Value],
    changes: dict[str, Value | MapChange | None],
    calendar: Calendar,
) -> None:
    """Sets a fact in `view` and in `changes` as a setting says. Raises WrongType for a key that is none."""
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
