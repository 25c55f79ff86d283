"""The candidate's table of steps, by hand: from where, who, what each asks for and does; and what must come of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from tests.unit.oracle import RULES, Case, Truth
from tests.unit.oracle_person import (
    CERTIFICATE_CYCLE,
    DOSSIER_CYCLE,
    LAPSE_FROM,
    VOTES,
    Happened,
    Person,
    cleared,
    write,
)
from tests.unit.oracle_typed import BadFact, read
from tests.unit.oracle_who import DECIDERS, HEADS, KEEPERS, TRAINERS, Grant, Permission, permission
from tests.world import UNITS

UNDO_DAYS = timedelta(days=7)


@dataclass(frozen=True)
class Step:
    """One line of the table."""

    sources: tuple[str, ...]
    to: str | None  # None: the state is kept
    who: tuple[Grant, ...]
    asks: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    warns: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()
    anew: tuple[str, ...] = ()


PENDING = ("to_org", "transfer_asked_on", "from_org")
OPEN = ("source", "elite", "trained", "dossier")
STEPS: dict[str, Step] = {
    "recognise": Step(
        ("source",), "elite", HEADS, ("branch_proposed_on",), ("introduced", "motives_known", "helper_named")
    ),
    "certify": Step(("elite",), "trained", TRAINERS, CERTIFICATE_CYCLE, ("certificate_given",)),
    "open_dossier": Step(
        ("trained",), "dossier", KEEPERS, ("application_on",),
        ("education_minimum", "certificate_valid", "application_made"),
        warns=("age_18_to_60", "helper_twelve_months", "pupil_conduct"),
    ),
    "renew_dossier": Step(
        ("dossier",), None, KEEPERS, anew=("papers",),
        clears=("branch_reviewed_on", *VOTES, "papers.branch_resolution"),
    ),
    "branch_review": Step(
        ("dossier",), None, KEEPERS, ("branch_reviewed_on", *VOTES),
        ("age_18_to_60", "certificate_valid", "helper_twelve_months", "two_referrers", "dossier_fresh",
         "pupil_conduct"),
    ),
    "admit": Step(
        ("dossier",), "admitted", DECIDERS, ("decision_no", "decision_on"),
        ("two_thirds", "papers_complete", "over_60_consent", "decision_recorded"), ("decided_in_time",),
        never=("open_dossier", "renew_dossier", "branch_review"),
    ),
    "refuse": Step(("dossier",), "trained", HEADS + DECIDERS, ("refused_by",), ("reason_given",), clears=DOSSIER_CYCLE),
    "drop": Step(OPEN, "closed", HEADS, ("drop_reason",), ("reason_given",)),
    "reopen": Step(
        ("closed",), "source", HEADS, (), ("reason_given",),
        clears=(*CERTIFICATE_CYCLE, *DOSSIER_CYCLE, "recognised_on", "branch_proposed_on", "drop_reason"),
    ),
    "transfer": Step((*OPEN, "closed"), None, KEEPERS, anew=("to_org",)),
    "accept_transfer": Step((*OPEN, "closed"), None, KEEPERS, clears=("to_org", "transfer_asked_on")),
    "return_transfer": Step((*OPEN, "closed"), None, KEEPERS, guards=("reason_given",), clears=PENDING),
}  # fmt: skip
AT_TO_ORG = ("accept_transfer", "return_transfer")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What must come of a step."""

    kind: str  # bad, denied, refused, allowed
    word: str = ""  # bad: a word that the message holds
    why: frozenset[str] = frozenset()
    results: Mapping[tuple[str, str], Truth] = field(default_factory=dict)  # (force, rule) -> result
    versions: Mapping[str, date | None] = field(default_factory=dict)
    failing: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    breaches: frozenset[str] = frozenset()
    happened: Happened | None = None


def judge_step(
    person: Person,
    trigger: str,
    typed: Mapping[str, Any],
    *,
    officer: str,
    absent: Sequence[str],
    on: date,
    now: datetime,
    today: date,
    reason: str | None,
) -> Verdict:
    """Says what must come of it. Order: bad input (trigger and state first), then denial, then rules."""
    if trigger == "lapse" and person.state in LAPSE_FROM:
        return Verdict(kind="denied", why=frozenset({"role"}))
    step = STEPS.get(trigger)
    if step is None or person.state not in step.sources:
        return Verdict(kind="bad", word=trigger)
    if on > today or on < person.last_on or _proves_lapse_wrong(person, step, on):
        return Verdict(kind="bad", word="on")
    try:
        changes = read(typed)
    except BadFact as error:
        return Verdict(kind="bad", word=str(error))
    facts = dict(person.facts)
    write(facts, changes)
    missing = _missing(step, facts, changes)
    if missing is None and trigger in AT_TO_ORG and facts.get("to_org") is None:
        missing = "to_org"
    if missing is not None:
        return Verdict(kind="bad", word=missing)
    unit = facts["to_org"] if trigger in AT_TO_ORG else person.unit
    barred = frozenset(p for t in step.never for p in person.did.get(t, ()))
    may = permission(officer, step.who, unit, on, absent, barred)
    if not may.persons:
        return Verdict(kind="denied", why=may.why)
    given = reason is not None and reason.strip() != ""
    case = Case(facts=facts, on=on, trigger=trigger, reason=given, unit_kind=UNITS[person.unit][0])
    return _by_rules(person, step, case, changes, may, officer, now)


def _proves_lapse_wrong(person: Person, step: Step, on: date) -> bool:
    """Whether the clock would not have taken its step, had this one been entered on its day: then undo comes first."""
    last = person.last_step()
    if last is None or last.trigger != "lapse" or last.on is None or last.source is None:
        return False
    return on < last.on and last.source in step.sources and (step.to or last.source) not in LAPSE_FROM


def _missing(step: Step, facts: Mapping[str, Any], changes: Mapping[str, Any]) -> str | None:
    answered = {fact for rule in (*step.guards, *step.limits) for fact in RULES[rule].reads}
    for name in step.anew:
        brought = changes.get(name)
        if brought is None or (isinstance(brought, Mapping) and not any(v is not None for v in brought.values())):
            return name
    for name in step.asks:
        if facts.get(name) is None and name not in answered and name != "formal_excused":
            return name
    return None


def _by_rules(
    person: Person,
    step: Step,
    case: Case,
    changes: dict[str, Any],
    may: Permission,
    officer: str,
    now: datetime,
) -> Verdict:
    results: dict[tuple[str, str], Truth] = {}
    for force, names in (("guard", step.guards), ("limit", step.limits), ("warn", step.warns)):
        results.update({(force, name): RULES[name].judge(case) for name in names})
    broken = {r for (force, r), result in results.items() if force == "limit" and result is False and case.reason}
    standing = {r: result for (force, r), result in results.items() if force != "warn" and r not in broken}
    failing = frozenset(r for r, result in standing.items() if result is False)
    unknown = frozenset(r for r, result in standing.items() if result is None)
    versions = {r: RULES[r].version(case) for _, r in results}
    happened = None
    if not failing and not unknown:
        all_ = cleared(person.facts, step.clears)
        for name, value in changes.items():
            all_[name] = {**(all_.get(name) or {}), **value} if isinstance(value, Mapping) else value
        if case.trigger == "recognise":
            all_["recognised_on"] = case.on
        if case.trigger == "transfer":
            all_ |= {"transfer_asked_on": case.on, "from_org": person.unit}
        happened = Happened(
            changes=all_,
            trigger=case.trigger,
            to=step.to,
            org=case.facts["to_org"] if case.trigger == "accept_transfer" else None,
            persons=may.persons,
            actor=officer,
            on=case.on,
            at=now,
        )
    return Verdict(
        kind="allowed" if happened is not None else "refused",
        results=results,
        versions=versions,
        failing=failing,
        unknown=unknown,
        breaches=frozenset(broken) if happened is not None else frozenset(),
        happened=happened,
    )
