"""`decide`: a decision without input or output, beside bare `transitions` with as many conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from transitions import Machine

from benchmarks.measure import Figure, Result, Sizes, alternate, timed
from benchmarks.town import CLERK, REVIEW, Town, candidate, made, open_town
from engine.core.calendar import add_months, months_between
from engine.core.decision import Decision, decide
from engine.core.subject import changed
from engine.core.views import read_facts

TRIGGER = "branch_review"
FLOOR = "bare transitions: one model, one machine, the same six predicates as plain Python functions over a dict"
DATED = ("referral", "opinions", "union_resolution")
MARKS = {"weak": 0, "average": 1, "fair": 2, "good": 3, "excellent": 4}

Facts = Mapping[str, Any]


def _of_age(f: Facts) -> bool:
    months = months_between(f["birth_date"], f["branch_reviewed_on"])
    return months >= 216 and (months <= 720 or f.get("over_60_grounds") is not None)


def _certificate_valid(f: Facts) -> bool:
    return bool(f["branch_reviewed_on"] <= add_months(f["certificate_on"], 60))


def _helper_twelve_months(f: Facts) -> bool:
    return bool(f["helper_is_replacement"] or add_months(f["helper_together_since"], 12) <= f["branch_reviewed_on"])


def _two_referrers(f: Facts) -> bool:
    second = f.get("second_referrer") is not None and f["second_referrer_is_formal"]
    return bool(f["helper_is_formal"] and (second or "union_resolution" in f["papers"]))


def _dossier_fresh(f: Facts) -> bool:
    papers = f["papers"]
    return all(add_months(papers[p], 12) >= f["branch_reviewed_on"] for p in DATED if p in papers)


def _pupil_conduct(f: Facts) -> bool:
    return bool(not f["is_pupil"] or (f["conduct"] == "good" and MARKS[f["marks"]] >= MARKS["fair"]))


PREDICATES: tuple[Callable[[Facts], bool], ...] = (
    _of_age,
    _certificate_valid,
    _helper_twelve_months,
    _two_referrers,
    _dossier_fresh,
    _pupil_conduct,
)


class Model:
    """What bare `transitions` moves."""

    state: str

    def __init__(self, facts: Facts) -> None:
        self.facts = facts


@dataclass(frozen=True, kw_only=True)
class Bare:
    """A machine with one model, and the trigger that `transitions` gave it."""

    model: Model

    def review(self) -> bool:
        """Pulls the trigger; returns whether the conditions held."""
        return bool(self.model.branch_review())  # type: ignore[attr-defined]  # transitions writes it on the model


def bare(facts: Facts) -> Bare:
    """Returns the floor for one subject's facts."""
    model = Model(facts)
    states = ["source", "elite", "trained", "dossier", "admitted", "closed"]
    machine = Machine(model=model, states=states, initial="dossier", auto_transitions=False)
    conditions: list[Any] = [_condition(p, model) for p in PREDICATES]
    machine.add_transition(TRIGGER, "dossier", "=", conditions=conditions)
    return Bare(model=model)


def _condition(predicate: Callable[[Facts], bool], model: Model) -> Callable[[], bool]:
    return lambda: predicate(model.facts)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way of deciding, the facts that its rules see, and the answer that both sides must give."""

    name: str
    decide: Callable[[], Decision]
    facts: Facts
    passes: bool


def run(folder: Path, sizes: Sizes) -> Result:
    """Deciding with six guards that pass, and with the last of six failing; whole, and without what the floor lacks."""
    town = open_town(made(folder, "decide", 1, branches=1))
    try:
        figures = [_figure(case, sizes) for case in _cases(town)]
    finally:
        town.close()
    return Result(name="decide", title="Deciding, without input or output", floor=FLOOR, figures=figures)


def _cases(town: Town) -> list[Case]:
    with town.service.work() as work:
        case, moment, office = work.case(candidate(0)), work.moment(), work.office
    definition, subject = case.definition, case.subject
    failing = {**REVIEW, "is_pupil": "true", "conduct": "weak", "marks": "fair"}
    found: list[Case] = []
    for word, raw in (("passing", REVIEW), ("failing", failing)):
        written = replace(subject, facts=changed(subject.facts, read_facts(definition, raw, moment.calendar)))
        whole = partial(decide, definition, subject, TRIGGER, moment=moment, raw=raw, officer=CLERK, office=office)
        guards = partial(decide, definition, written, TRIGGER, moment=moment)  # as the clock decides: nobody is asked
        facts = whole().facts  # what the step itself has to read, check and derive
        found.append(Case(name=f"decide, {word}", decide=whole, facts=facts, passes=raw is REVIEW))
        found.append(Case(name=f"guards alone, {word}", decide=guards, facts=facts, passes=raw is REVIEW))
    return found


def _figure(case: Case, sizes: Sizes) -> Figure:
    floor = bare(case.facts)
    if case.decide().allowed is not case.passes or floor.review() is not case.passes:
        raise RuntimeError(f"{case.name}: the two sides do not decide alike")

    def ours() -> None:
        for _ in range(sizes.decisions):
            case.decide()

    def base() -> None:
        for _ in range(sizes.decisions):
            floor.review()

    return alternate(
        case.name,
        "decision",
        ours=lambda: timed(ours),
        floor=lambda: timed(base),
        count=sizes.decisions,
        rounds=sizes.rounds,
        aim=3.0,  # at least a third as many a second
    )
