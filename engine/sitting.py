"""A step that moves many, as one officer may see and take it: its sheet, the units they fill it in for, its draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine import drafts, scope
from engine.core.errors import BadInput, NotFound
from engine.core.events import VOID
from engine.core.machine import Definition, Step
from engine.core.values import Value
from engine.core.views import facts_of
from engine.drafts import Draft
from engine.sheets import Sheet, make_sheet
from engine.steps import By
from engine.taking import may_take, named_unit
from engine.work import Case, Work

DECIDED = "d:"  # what the name of a decision begins with in the pairs of a draft, before the subject


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """What the page of a sheet shows. `sheet` is None until one of `units` is chosen, where the step asks for one.

    `may`: the officer may take the step; `whole`: they read the subject itself, not only the lines of their own unit.
    """

    case: Case
    step: Step
    facts: Mapping[str, Value]
    sheet: Sheet | None
    others: Mapping[str, Definition]
    unit: str | None
    units: Sequence[str]
    may: bool
    whole: bool
    draft: Draft | None


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A step of a unit above that an officer may take for one of their own, which stands in `fact`."""

    case: Case
    step: Step
    unit: str
    fact: str


def draft_name(trigger: str, unit: str | None) -> str:
    """Returns the name under which a sheet's draft is kept."""
    return trigger if unit is None else f"{trigger}:{unit}"


def sitting(
    work: Work,
    subject: str,
    trigger: str,
    by: By,
    *,
    unit: str | None = None,
    facts: Mapping[str, object] | None = None,
) -> Sitting:
    """Returns a sheet as an officer sees it; `facts` are those that the step would bring.

    Raises NotFound for what the officer may neither read nor take, and BadInput when the step does not leave the state.
    """
    case, step, units, whole = reach(work, subject, trigger, by, unit)
    assert step.batch is not None
    within, sheet = step.batch.within, None
    draft = drafts.read(work, case, draft_name(trigger, unit))
    if within is None or unit is not None:
        brought = {**(facts or {}), **({within: unit} if within is not None else {})}
        sheet = make_sheet(work, case, trigger, officer=_officer(by), facts=brought or None, also=_named(draft))
        readable = scope.units(work.office, work.library.area, by)
        sheet = replace(sheet, rows=[r for r in sheet.rows if r.org in readable], units=sheet.units if whole else [])
    return Sitting(
        case=case,
        step=step,
        facts=facts_of(case.definition, case.subject, work.moment()),
        sheet=sheet,
        others={r.workflow: work.library.newest(r.workflow) for r in (sheet.rows if sheet is not None else ())},
        unit=unit,
        units=units,
        may=may_take(work, case, step, by, unit),
        whole=whole,
        draft=draft,
    )


def _named(draft: Draft | None) -> set[str]:
    """Returns the subjects for whom a draft has a decision."""
    pairs = draft.pairs if draft is not None else ()
    return {name.removeprefix(DECIDED) for name, text in pairs if text and name.startswith(DECIDED)}


def reach(work: Work, subject: str, trigger: str, by: By, unit: str | None) -> tuple[Case, Step, Sequence[str], bool]:
    """Returns the case and the step of a sheet, the units it may be about, and whether the officer reads the whole.

    Raises NotFound for what the officer may neither read nor take.
    """
    case = work.case(subject)
    step = case.definition.steps.get(trigger)
    whole = case.subject.state != VOID and scope.reads(work, case, by)
    own = units_over(work, case, step, by) if step is not None and case.subject.state != VOID else []
    if not whole and not own:
        raise NotFound("there is no subject {subject}", subject=subject)
    if step is None or step.batch is None:
        raise NotFound("there is no page of that step")
    within = step.batch.within
    units = _units(work, case, within) if within is not None and whole else own
    if unit is not None and (within is None or unit not in units):
        raise NotFound("there is no organisation {org}", org=unit)
    return case, step, units, whole


def _officer(by: By) -> str | None:
    return by.behalf or by.officer


def units_over(work: Work, case: Case, step: Step, by: By) -> list[str]:
    """Returns the officer's own units for which they may take a step of a unit above theirs."""
    if named_unit(step) is None:
        return []
    office = work.office
    held = [org for o in scope.readers(office, by) for _, org in office.holdings(o)]
    near = [org.id for org in held if case.subject.org in office.tree.path(org.id)[1:]]
    return [u for u in dict.fromkeys(near) if may_take(work, case, step, by, u)]


def _units(work: Work, case: Case, fact: str) -> list[str]:
    """Returns the units below that a step may be about, by name."""
    spec, tree = case.definition.file.facts[fact], work.office.tree
    kinds = work.library.area.kinds(spec.of or [])
    below = [tree.by_id[o] for o in tree.below(case.subject.org) if o in tree.by_id]
    found = [o for o in below if (not kinds or o.kind in kinds) and o.period.holds(work.today)]
    return [o.id for o in sorted(found, key=lambda o: (o.name, o.id))]


def offered(work: Work, workflow: str, by: By) -> list[Offered]:
    """Returns the steps of units above the officer's that they may take now for a unit of their own."""
    definition = work.library.newest(workflow)
    steps = [s for s in definition.steps.values() if named_unit(s) is not None]
    states = sorted({state for s in steps for state in s.sources})
    area, tree = work.library.area, work.office.tree
    above = {u for root in scope.roots(work.office, area, by) for u in tree.path(root)}
    orgs = sorted(above - scope.units(work.office, area, by))
    if not states or not orgs:
        return []
    return [
        Offered(case=case, step=step, unit=unit, fact=named_unit(step) or "")
        for case in work.adopt(work.tx.find_subjects(workflow=workflow, orgs=orgs, states=states))
        for step in steps
        if case.subject.state in step.sources
        for unit in units_over(work, case, step, by)
    ]


def check_may(work: Work, case: Case, trigger: str, by: By, unit: str | None) -> None:
    """Sees that an officer may take a step of a sheet. Raises NotFound and BadInput."""
    step = case.definition.steps.get(trigger)
    if step is None or step.batch is None or case.subject.state == VOID:
        raise NotFound("there is no page of that step")
    if not may_take(work, case, step, by, unit):
        if not scope.reads(work, case, by):
            raise NotFound("there is no subject {subject}", subject=case.subject.id)
        raise BadInput("only who may take the step keeps a draft of it")
