"""What units owe period by period: the subjects of a workflow that opens by itself, one row a unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from engine import scope
from engine.core.authority import Org
from engine.core.errors import NotFound
from engine.core.events import VOID
from engine.core.machine import Definition, Opening
from engine.core.values import Value
from engine.naming import unique_key
from engine.reminding import told_at
from engine.steps import By
from engine.taking import receivers, steps_of
from engine.ticking import periods
from engine.work import Case, Work

PERIODS = 24  # how many periods back a grid may be opened


@dataclass(frozen=True, kw_only=True)
class Period:
    """A period of a recurrence: its name (2025, 2025-01), first day, and the day on which its subjects open."""

    name: str
    first: date
    opens: date


@dataclass(frozen=True, kw_only=True)
class Owed:
    """What one unit owes in a period. `steps` are those the officer may take; whoever may take one may remind too.

    `receivers`: (fact, kind of unit) in whose place the officer may take the step asked for, where it has to name one.
    `told`: when notices of the rules asked for went out; `before` is the same unit's of the period before.
    """

    case: Case
    facts: Mapping[str, Value]
    steps: Sequence[str]
    told: Sequence[str]
    receivers: Sequence[tuple[str, str]]
    before: Case | None
    before_facts: Mapping[str, Value]


def opening_of(work: Work, workflow: str) -> tuple[Definition, Opening]:
    """Returns a workflow that opens by itself, with when. Raises NotFound."""
    definition = work.library.newest(workflow)
    if definition.opening is None:
        raise NotFound("{workflow} does not open by itself", workflow=workflow)
    return definition, definition.opening


def periods_of(work: Work, workflow: str) -> list[Period]:
    """Returns the periods that have begun, the newest first, at most `PERIODS`. Raises NotFound."""
    _, opening = opening_of(work, workflow)
    today = work.today
    years = PERIODS if opening.spec.every == "year" else 2 if opening.spec.every == "month" else 0
    start = today.replace(year=today.year - years, day=1) if years else today
    found = []
    for first, name in periods(opening.spec.every, start, today):
        day = opening.on.evaluate(_period_view(first, name), work.calendar)
        if isinstance(day, date) and (opening.spec.from_ is None or opening.spec.from_ <= day):
            found.append(Period(name=name, first=first, opens=day))
    return found[::-1][:PERIODS]


def _period_view(first: date, name: str) -> dict[str, Value]:
    return {"period": first, "period_name": name, "today": first, "day": first}


def owed(
    work: Work, workflow: str, period: Period, by: By, *, told: Sequence[str] = (), take: str | None = None
) -> list[Owed]:
    """Returns what the units that an officer reads owe in a period, by the units' names.

    `take`: the step whose receivers are wanted; `told`: notice rules of which a row says when they told.
    Raises NotFound.
    """
    definition, _ = opening_of(work, workflow)
    every = periods_of(work, workflow)
    at = next((i for i, p in enumerate(every) if p.name == period.name), None)
    now = _cases(work, definition, period, by)
    earlier = every[at + 1 : at + 2] if at is not None else []
    last = {c.subject.org: c for p in earlier for c in _cases(work, definition, p, by)}
    sent = told_at(work, [c.subject.id for c in now], told)
    names = {o.id: o.name for o in work.office.tree.by_id.values()}
    found = []
    for case in sorted(now, key=lambda c: (names.get(c.subject.org, ""), c.subject.id)):
        before = last.get(case.subject.org)
        found.append(
            Owed(
                case=case,
                facts=work.view(case),
                steps=steps_of(work, case, by),
                told=sent.get(case.subject.id, ()),
                receivers=receivers(work, case, case.definition.steps[take], by)
                if take is not None and take in case.definition.triggers_from(case.subject.state)
                else (),
                before=before,
                before_facts=work.view(before) if before is not None else {},
            )
        )
    return found


def _cases(work: Work, definition: Definition, period: Period, by: By) -> list[Case]:
    """Returns the subjects of a period in the officer's reach, found by what is unique of each unit's."""
    assert definition.opening is not None
    readable = scope.units(work.office, work.library.area, by)
    orgs = [o for o in work.office.tree.by_id.values() if o.id in readable and _fits(work, definition, o)]
    cases: dict[str, Case] = {}
    missing: list[str] = []
    ids: dict[str, str] = {}
    keys: dict[str, str] = {}
    for org in orgs:
        view = {**_period_view(period.first, period.name), "org": org.id, "today": period.opens, "day": period.opens}
        facts = {fact: e.evaluate(view, work.calendar) for fact, e in definition.opening.sets}
        words = {"workflow": definition.workflow, "org": org.id, **{k: str(v) for k, v in facts.items()}}
        key = unique_key(definition, org.id, facts)
        if key is None:
            continue
        keys[org.id] = key
        template = definition.file.id or ""
        if template and "{n}" not in template:
            ids[org.id] = template.format(**words)
    rows = work.tx.subjects(ids.values())
    work.keys.fetch(r.key_id for r in rows.values())
    for org_id, key in keys.items():
        row = rows.get(ids.get(org_id, ""))
        if row is not None and row.unique_key == key:
            cases[row.id] = work.adopt([row])[0]
        else:
            missing.append(key)
    for key in missing:  # begun by hand under another id
        for case in work.adopt(work.tx.find_subjects(workflow=definition.workflow, unique_key=key, limit=1)):
            cases[case.subject.id] = case
    return [c for c in cases.values() if c.subject.state != VOID]


def _fits(work: Work, definition: Definition, org: Org) -> bool:
    assert definition.opening is not None
    area = work.library.area
    parent = work.office.tree.by_id.get(org.parent or "")
    return any(
        org.kind in area.kinds(u.kinds) and (not u.under or (parent is not None and parent.kind in area.kinds(u.under)))
        for u in definition.opening.spec.for_
    )
