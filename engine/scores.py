"""Plan, target and result of each unit over a period, up to a day, with who headed it. Counts propose; people rate."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from engine.core.definition import Score as ScoreSpec
from engine.core.errors import BadInput, NotFound
from engine.figures import Item, Number, Trees, by_unit, items, sums
from engine.office import period
from engine.work import Work


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """Who held a role that answers for a unit, and from when to when (None: from always, until now)."""

    officer: str
    name: str
    role: str
    first: date | None
    last: date | None
    then: bool  # held it on the day asked


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One unit's plan, target and result. `least` is None where no target was given; `most` ends a range."""

    unit: str
    name: str
    kind: str
    parent: str | None
    plan: Number | None
    least: Number | None
    most: Number | None
    target: str | None  # the subject that keeps the target with its changes
    number: str | None  # the document the target rests on
    result: Number
    leaders: tuple[Head, ...]

    @property
    def met(self) -> bool | None:
        """Tells whether the target is reached; None where none was given."""
        return None if self.least is None else self.result >= self.least

    @property
    def percent(self) -> Decimal | None:
        """The result in percent of the target (its lower end), to one place; None without a target, or one of 0."""
        if not self.least:
            return None
        return (Decimal(100 * self.result) / Decimal(self.least)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def score_of(work: Work, name: str) -> ScoreSpec:
    """Returns a score of the area. Raises NotFound."""
    scores = work.library.area.file.scores
    if name not in scores:
        raise NotFound("there is no score {score}; there are: {known}", score=name, known=", ".join(scores) or "-")
    return scores[name]


def standings(
    work: Work, name: str, first: date, last: date, *, day: date | None = None, below: str | None = None
) -> list[Standing]:
    """Returns the standing of every unit that has the score, as it was on `day` (else today, at most `last`).

    Units: those that existed within the period up to that day, in the tree of that day; `below`: only this one and
    those below it. Results count by the day they happened, for the units above theirs on that day; a target and a
    plan as they were decided by `day`. Raises NotFound and BadInput.
    """
    spec = score_of(work, name)
    if last < first:
        raise BadInput(
            "the last day, {until}, lies before the first, {from_}", until=last.isoformat(), from_=first.isoformat()
        )
    upto = min(day or work.today, last)
    rows = list(work.tx.orgs())
    trees = Trees(rows)
    tree = trees.on(upto)
    if below is not None and below not in tree.by_id:
        raise NotFound("there is no organisation {org}", org=below)
    past = upto if upto < work.today else None  # what is decided later changes no period that is over
    results = sums(trees, items(work, spec.result, first, upto, as_of=past), spec.gathers) if first <= upto else {}
    targets = by_unit(items(work, spec.target, first, last, as_of=past), first, last)
    plans = by_unit([i for ref in spec.plan for i in items(work, ref, first, last, as_of=past)], first, last)
    kinds = work.library.area.kinds(spec.at)
    leaders = _leaders(work, first, upto)
    wanted = set(tree.below(below)) if below is not None else set(tree.by_id)
    found: list[Standing] = []
    for org in tree.by_id.values():
        begun, ended = org.period.from_, org.period.until
        if org.kind not in kinds or org.id not in wanted:
            continue
        if (begun is not None and begun > upto) or (ended is not None and ended < first):
            continue
        target, plan = targets.get(org.id), plans.get(org.id)
        found.append(
            Standing(
                unit=org.id,
                name=org.name,
                kind=org.kind,
                parent=org.parent,
                plan=plan.amount if plan is not None else None,
                least=target.amount if target is not None else None,
                most=_upper(target),
                target=target.subject if target is not None else None,
                number=target.number if target is not None else None,
                result=results.get(org.id, 0),
                leaders=tuple(leaders.get(org.id, ())),
            )
        )
    return sorted(found, key=lambda s: [_natural(id) for id in reversed(tree.path(s.unit))])


def _upper(target: Item | None) -> Number | None:
    if target is None or target.most is None or target.most == target.amount:
        return None
    return target.most


def _natural(id: str) -> list[tuple[int, str]]:
    """Returns a key by which `cb2` stands before `cb10`, and a unit right after the one above it."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", id)]


def _leaders(work: Work, first: date, upto: date) -> dict[str, list[Head]]:
    """Returns the leaders of each unit in a period, earliest first."""
    roles = {r for r, v in work.library.area.file.roles.items() if v.head}
    officers = {o.id: o for o in work.tx.officers()}
    found: dict[str, list[Head]] = {}
    for row in sorted(work.tx.roles(), key=lambda r: (r.from_day, r.officer)):
        officer = officers.get(row.officer)
        if row.role not in roles or officer is None:
            continue
        held, there = period(row.from_day, row.until_day), period(officer.from_day, officer.until_day)
        starts = [d for d in (held.from_, there.from_) if d is not None]
        ends = [d for d in (held.until, there.until) if d is not None]
        begins, end = max(starts, default=None), min(ends, default=None)
        if (begins is not None and begins > upto) or (end is not None and (end < first or (begins or end) > end)):
            continue
        then = end is None or upto <= end
        head = Head(officer=officer.id, name=officer.name, role=row.role, first=begins, last=end, then=then)
        found.setdefault(row.org, []).append(head)
    return found
