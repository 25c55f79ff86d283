"""Rules as guards: which version is in force, and whether it holds, fails or cannot be decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from engine.core.calendar import Calendar
from engine.core.definition import Text
from engine.core.expressions import Expression
from engine.core.values import Value

Result = Literal["pass", "fail", "unknown"]
Force = Literal["guard", "limit", "warn"]
# why a result came without the expression being asked
Note = Literal["", "not_applicable", "waived", "no_version", "no_day"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """What a rule rests on from a day (and until one), and the expression that decides then."""

    source: str
    from_: date
    until: date | None
    unverified: bool
    note: Text | None
    holds: Expression


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A criterion with its versions, earliest first. `day_at` names another day for a trigger."""

    id: str
    label: Text
    mend: Text | None
    versions: tuple[Version, ...]
    day: Expression | None = None
    day_at: Mapping[str, Expression] = field(default_factory=dict)
    when: Expression | None = None
    waived_by: Expression | None = None
    reads: frozenset[str] = frozenset()  # every fact that any version or condition mentions

    def version_on(self, day: date) -> Version | None:
        """Returns the version in force on a day, or None in a gap."""
        for version in reversed(self.versions):
            if version.from_ <= day:
                return version if version.until is None or day <= version.until else None
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What one rule says of one step. `facts` are the values read, `missing` the facts found unknown."""

    rule: Rule
    force: Force
    result: Result
    note: Note
    version: Version | None
    day: date | None
    facts: Mapping[str, Value | None]
    missing: tuple[str, ...]


def judge(rule: Rule, force: Force, trigger: str, facts: dict[str, Value], calendar: Calendar) -> Judgement:
    """Judges a rule for a trigger over `facts`, which hold `today` (the step's day); sets `facts["day"]`.

    The version is the one in force on the rule's day. A rule that does not apply, or is waived, passes; without a
    day, or a version on that day, it is unknown.
    """
    today = facts["today"]
    assert isinstance(today, date)
    day: date | None = today
    expression = rule.day_at.get(trigger, rule.day)
    if expression is not None:
        found = expression.run(facts, calendar)
        day = found if isinstance(found, date) else None
    version = rule.version_on(day or today)
    facts["day"] = day or today

    if rule.when is not None and rule.when.run(facts, calendar) is not True:
        return _settled(rule, force, "pass", "not_applicable", version, day, rule.when, facts)
    if rule.waived_by is not None and rule.waived_by.run(facts, calendar) is True:
        return _settled(rule, force, "pass", "waived", version, day, rule.waived_by, facts)
    if day is None:
        assert expression is not None
        missing = expression.explain(facts, calendar).missing
        return Judgement(
            rule=rule, force=force, result="unknown", note="no_day", version=None, day=None, facts={}, missing=missing
        )
    if version is None:
        return Judgement(
            rule=rule, force=force, result="unknown", note="no_version", version=None, day=day, facts={}, missing=()
        )
    value = version.holds.run(facts, calendar)
    if value is True:
        return _settled(rule, force, "pass", "", version, day, version.holds, facts)
    told = version.holds.explain(facts, calendar)
    return Judgement(
        rule=rule,
        force=force,
        result="unknown" if value is None else "fail",
        note="",
        version=version,
        day=day,
        facts=told.read,
        missing=told.missing,
    )


def _settled(
    rule: Rule,
    force: Force,
    result: Result,
    note: Note,
    version: Version | None,
    day: date | None,
    expression: Expression,
    facts: Mapping[str, Value],
) -> Judgement:
    get = facts.get
    return Judgement(
        rule=rule,
        force=force,
        result=result,
        note=note,
        version=version,
        day=day,
        facts={name: get(name) for name in expression.reads},
        missing=(),
    )
