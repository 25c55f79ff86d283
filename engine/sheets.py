"""The sheet of a step that moves many, before it is taken: who is on it, and what would come of each line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from engine import batches, steps
from engine.core.authority import authorise
from engine.core.collation import name_key
from engine.core.decision import Decision, decide
from engine.core.errors import BadInput, Denied
from engine.core.guards import Judgement
from engine.core.machine import Step
from engine.core.values import Facts, Scalar, Value, to_json
from engine.core.views import facts_of, read_facts
from engine.roster import Item, Roster, title_of
from engine.steps import By
from engine.taking import named_unit
from engine.work import Case, Work


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A line that could be taken for somebody. `do` is the one that would be taken, were `line` named now.

    `missing` are facts that the line has yet to bring.
    """

    line: str
    do: str
    judgements: Sequence[Judgement] = ()
    missing: Sequence[str] = ()
    denied: str | None = None
    invalid: BadInput | None = None

    @property
    def possible(self) -> bool:
        """Tells whether it would go through, with what it has yet to bring."""
        stopped = any(j.result != "pass" and j.force == "guard" for j in self.judgements)
        return not stopped and self.denied is None and self.invalid is None


@dataclass(frozen=True, kw_only=True)
class Row:
    """Somebody on the sheet. `entries` are what stands under their key in the maps of the sheet's own subject.

    `suggested` is the line that somebody proposed, or that a fact of theirs asks for; `otherwise` the one that is taken
    when no line names them (None: nothing happens).
    """

    subject: str
    workflow: str
    title: str
    org: str
    org_name: str
    state: str
    entered_on: date
    facts: Facts
    entries: Mapping[str, Scalar]
    suggested: str | None
    otherwise: str | None
    choices: Sequence[Choice]


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A unit below, with what stands under its key in the subject's maps; where nothing stands, it has said nothing."""

    org: str
    name: str
    kind: str
    entries: Mapping[str, Scalar]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What a step that moves many would be about today. Made by reading only."""

    subject: str
    trigger: str
    step: Step
    decision: Decision
    day: date
    rows: Sequence[Row]
    units: Sequence[Unit]


@dataclass(frozen=True, kw_only=True)
class Nameable:
    """Those whom the lines of a step may name, to be found by what a list says of them.

    `telling` are the facts that tell people apart: those a list may give that no line takes.
    """

    title_fact: str
    telling: frozenset[str]
    only_line: str | None
    people: Sequence[tuple[str, str, str, Facts]]  # subject, unit, its name, facts

    def matching(self, fields: Mapping[str, str]) -> list[str]:
        """Returns the subjects of whom everything holds that `fields` say: id, unit (id or name), facts that are known.

        Capitals count for nothing; a fact that nobody wrote contradicts nothing.
        """
        wanted = {k: v.casefold() for k, v in fields.items() if k in self.telling}
        return [
            subject
            for subject, org, name, facts in self.people
            if fields.get("subject") in (None, subject)
            and ("org" not in fields or fields["org"].casefold() in (org.casefold(), name.casefold()))
            and (self.title_fact not in wanted or self.title_fact in facts)
            and all(k not in facts or str(to_json(facts[k])).casefold() == v for k, v in wanted.items())
        ]


def nameable(
    work: Work, case: Case, trigger: str, *, unit: str | None = None, facts: Mapping[str, object] | None = None
) -> Nameable:
    """Returns whom the lines of a step may name, as if it brought these facts; `unit` is the one that they are within.

    Raises BadInput.
    """
    step = _step(case, trigger)
    within = step.batch.within if step.batch is not None else None
    brought = {**(facts or {}), **({within: unit} if within is not None and unit is not None else {})}
    changes = read_facts(case.definition, brought, work.calendar) if brought else {}
    decision = decide(case.definition, case.subject, step.trigger, moment=work.moment(), changes=changes, asking=True)
    roster = Roster(work, case, step, decision, work.today)
    batch = roster.batch
    found = roster.keyed(batch.over) if batch.over else roster.in_unit(batch.workflow, batch.in_)
    taken = {key for line in step.lines.values() for key in line.spec.into}
    tree = work.office.tree.by_id
    definitions = [work.library.newest(w) for w in batch.workflow]
    return Nameable(
        title_fact=definitions[0].file.title_fact or "",
        telling=frozenset(n for d in definitions for n in d.types) - taken,
        only_line=next(iter(step.lines)) if len(step.lines) == 1 else None,
        people=[
            (
                c.subject.id,
                c.subject.org,
                tree[c.subject.org].name if c.subject.org in tree else "",
                {**c.subject.facts, **c.subject.borrowed},
            )
            for c in found
        ],
    )


def make_sheet(
    work: Work,
    case: Case,
    trigger: str | None = None,
    *,
    officer: str | None = None,
    facts: Mapping[str, object] | None = None,
    also: Collection[str] = (),
) -> Sheet:
    """Returns the sheet of a step (None: the first that moves many from here), as if it brought these facts.

    `also` are subjects who stand on it though nothing awaits them, as far as the step may name them. Without an officer
    nobody's authority is asked. Raises BadInput.
    """
    step = _step(case, trigger)
    calendar = work.calendar
    changes = read_facts(case.definition, facts, calendar) if facts else {}
    moment = work.moment()
    decision = decide(case.definition, case.subject, step.trigger, moment=moment, changes=changes, asking=True)
    day = batches.line_day(work, step, decision, work.today)
    roster = Roster(work, case, step, decision, day)
    others = sorted(_others(work, roster, also), key=lambda c: (name_key(title_of(c)), c.subject.id))
    rests = roster.rest_of(others)
    return Sheet(
        subject=case.subject.id,
        trigger=step.trigger,
        step=step,
        decision=decision,
        day=day,
        rows=[_row(work, case, roster, other, officer, rests.get(other.subject.id)) for other in others],
        units=_units(work, case),
    )


def _step(case: Case, trigger: str | None) -> Step:
    if trigger is not None:
        step = steps.check_trigger(case, trigger, By(officer=None))
        if step.batch is None:
            raise BadInput("{trigger} takes no decisions", trigger=trigger)
        return step
    for name in case.definition.triggers_from(case.subject.state):
        if case.definition.steps[name].batch is not None and case.definition.steps[name].rest:
            return case.definition.steps[name]
    for name in case.definition.triggers_from(case.subject.state):
        if case.definition.steps[name].batch is not None:
            return case.definition.steps[name]
    raise BadInput("no step that takes decisions leaves {state}", state=case.subject.state)


def _others(work: Work, roster: Roster, also: Collection[str]) -> list[Case]:
    """Returns those on the sheet: under the keys of a map, those who wait for a line, or all of the unit."""
    batch = roster.batch
    if batch.over:
        return roster.keyed(batch.over)
    found = roster.in_unit(batch.workflow, batch.in_)
    if not batch.awaits:
        return found
    suggested = roster.view.get(batch.suggests) if batch.suggests is not None else None
    named = {*also, *(suggested if isinstance(suggested, dict) else ())}
    return [c for c in found if c.subject.id in named or _awaited(work, c, batch.awaits) is not None]


def _awaited(work: Work, other: Case, awaits: Mapping[str, str]) -> str | None:
    view = work.view(other)
    return next((line for line, fact in awaits.items() if view.get(fact) is True), None)


def _row(work: Work, case: Case, roster: Roster, other: Case, officer: str | None, rest: str | None) -> Row:
    batch, definition, subject = roster.batch, other.definition, other.subject
    known = facts_of(definition, subject, work.moment())
    shown = [n for n in batch.shows if n in known and n not in definition.sensitive]
    entries = _entries(case, "subjects", subject.id)
    suggested = entries.get(batch.suggests) if batch.suggests is not None else None
    org = work.office.tree.by_id.get(subject.org)
    choices = [
        _choice(work, roster, other, name, officer)
        for name, line in roster.step.lines.items()
        if subject.workflow in (line.spec.workflow or batch.workflow) and subject.state in (line.spec.in_ or batch.in_)
    ]
    awaited = _awaited(work, other, batch.awaits)
    if awaited is not None and not any(c.line == awaited and c.possible for c in choices):
        awaited = None
    return Row(
        subject=subject.id,
        workflow=subject.workflow,
        title=title_of(other),
        org=subject.org,
        org_name=org.name if org is not None else subject.org,
        state=subject.state,
        entered_on=subject.entered_on,
        facts={name: known[name] for name in shown},
        entries=entries,
        suggested=str(suggested) if suggested is not None else awaited,
        otherwise=rest,
        choices=choices,
    )


def _entries(case: Case, keys: str, key: str) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for name, spec in case.definition.file.facts.items():
        held = case.subject.facts.get(name) if spec.keys == keys else None
        if isinstance(held, dict) and key in held:
            found[name] = held[key]
    return found


def _choice(work: Work, roster: Roster, other: Case, name: str, officer: str | None) -> Choice:
    try:
        item = roster.alone(name, other)
    except BadInput as error:
        return Choice(line=name, do=name, invalid=error)
    if item.spec.spec.step is None:
        return Choice(line=name, do=item.do, judgements=batches.judge_record(work, other, item, roster.day))
    return _of_step(work, roster, other, name, item, item.spec.spec.step, officer)


def _of_step(
    work: Work, roster: Roster, other: Case, name: str, item: Item, trigger: str, officer: str | None
) -> Choice:
    """Returns what would come of a line that is a transition of somebody else."""
    definition, subject = other.definition, other.subject
    brought: dict[str, Value] = dict(item.gives)
    try:
        decision = decide(definition, subject, trigger, moment=work.moment(roster.day), raw=brought, asking=True)
    except BadInput as error:
        return Choice(line=name, do=item.do, invalid=error)
    step, denied = definition.steps[trigger], None
    if officer is not None:
        try:
            authorise(
                work.office,
                officer,
                step.grants,
                subject.org,
                facts=decision.facts,
                on=roster.day,
                doers=subject.doers,
                never=step.never,
            )
        except Denied as error:
            denied = error.why
    return Choice(line=name, do=item.do, judgements=decision.judgements, missing=decision.missing, denied=denied)


def _units(work: Work, case: Case) -> list[Unit]:
    """Returns the units below of which the subject says something in its maps, and those that its steps name."""
    facts = case.definition.file.facts
    if not any(f.keys == "orgs" for f in facts.values()):
        return []
    named = [facts[n].of or [] for s in case.definition.steps.values() if (n := named_unit(s)) is not None]
    kinds = {k for of in named for k in work.library.area.kinds(of)}
    office = work.office
    unit = office.tree.by_id.get(case.subject.org)
    below = office.tree.below(office.root(unit)) if unit is not None else []
    orgs = [office.tree.by_id[o] for o in below if o != case.subject.org]
    return [
        Unit(org=o.id, name=o.name, kind=o.kind, entries=entries)
        for o in sorted(orgs, key=lambda o: (o.name, o.id))
        if o.period.holds(office.day) and ((entries := _entries(case, "orgs", o.id)) or o.kind in kinds)
    ]


__all__ = ["Choice", "Nameable", "Row", "Sheet", "Unit", "make_sheet", "nameable"]
