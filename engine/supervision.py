"""What an inspector asks of a unit and a period: cases by stage, limits, exceptions, late entries, who did what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from engine import scope
from engine.core import events
from engine.core.definition import Text
from engine.core.errors import BadInput, Denied, NotFound
from engine.core.events import CHANGING, Entry, Standing, replay, unstamp
from engine.core.machine import Definition
from engine.ledger import entries
from engine.notice_days import day_due
from engine.reading import delay_days
from engine.steps import By
from engine.work import Case, Work

LIMIT = "limit"


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of the period, with every time limit it was judged by: rule, result, whether broken with a reason."""

    case: str
    entry: Entry
    days_late: int
    limits: Sequence[tuple[str, str, bool]]
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Duty:
    """A step that whoever did others may not take: who took it, who had done those, and who did both."""

    case: str
    trigger: str
    event: str
    persons: Sequence[str]
    barred: Mapping[str, Sequence[str]]
    both: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Pending:
    """What was due before the period's last day (today, if that is earlier) and not done then; `days`: how late."""

    case: str
    label: Text
    due: date
    days: int


@dataclass(frozen=True, kw_only=True)
class Story:
    """One case with what happened to it in the period; `state` is that of the period's last day."""

    id: str
    workflow: str
    definition: Definition
    org: str
    state: str
    entries: Sequence[Entry]


@dataclass(kw_only=True)
class Supervision:
    """All that the report shows. Counters count by what their names say."""

    unit: str
    first: date
    last: date
    stages: Counter[tuple[str, str]] = field(default_factory=Counter)  # workflow, state on the last day
    steps: list[Step] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    late: list[tuple[str, Entry, int]] = field(default_factory=list)
    who_decided: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # officer, workflow, trigger
    duties: list[Duty] = field(default_factory=list)
    refused: list[tuple[str, Entry]] = field(default_factory=list)
    openings: Counter[tuple[str, str]] = field(default_factory=Counter)  # who, subject
    ends: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)  # workflow, trigger, fact, value
    stories: list[Story] = field(default_factory=list)
    definitions: dict[str, Definition] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)  # case -> what it was called on the last day
    workflows: dict[str, str] = field(default_factory=dict)  # case -> its workflow
    people: Mapping[str, str] = field(default_factory=dict)  # officer -> name


def supervise(work: Work, unit: str, first: date, last: date, by: By) -> Supervision:
    """Reads the trail of a unit, all below it, and a period; an officer sees the units that they read.

    Raises BadInput, NotFound, and Denied where the officer does not read all of it.
    """
    if unit not in work.office.tree.by_id:
        raise NotFound("there is no organisation {org}", org=unit)
    if by.officer is not None and unit not in scope.units(work.office, work.library.area, by):
        raise Denied("{officer} sees nothing of this", why="scope", officer=by.officer)
    if last < first:
        raise BadInput(
            "the last day, {until}, lies before the first, {from_}", until=last.isoformat(), from_=first.isoformat()
        )
    people = {o.id: o.name for o in work.office.officers.values()}
    found = Supervision(unit=unit, first=first, last=last, definitions=dict(work.library.all_newest()), people=people)
    after = ""
    orgs = work.office.tree.below(unit)
    while rows := work.tx.find_subjects(orgs=orgs, after=after, limit=500):
        after = rows[-1].id
        for case in work.adopt(rows):
            _case(work, found, case)
        work.forget()
        work.keys.forget()
    return found


def _case(work: Work, found: Supervision, case: Case) -> None:
    told = list(entries(work.tx.events(subject=case.subject.id), work.keys, work.kit.sealer))
    by_then = [e for e in told if _day(work, e) <= found.last]
    standing = replay(by_then, None, case.definition.types)
    if standing is None or standing.state == events.VOID:
        return
    workflow, id = case.subject.workflow, case.subject.id
    found.stages[(workflow, standing.state)] += 1
    found.workflows[id] = workflow
    period = [e for e in by_then if _day(work, e) >= found.first]
    undone = {e.undoes for e in told if e.undoes is not None}
    kept = [_without_facts(e) for e in period]
    for entry, short in zip(period, kept, strict=True):
        _entry(work, found, case, short, undone)
        if entry.kind == events.MOVED and entry.id not in undone:
            found.ends.update(_ends(case.definition, workflow, entry))
    found.duties += _duties(case, [e for e in by_then if e.id not in undone], {e.id for e in period})
    found.pending += _pending(work, _as_of(case, standing), min(found.last, work.today))
    title = standing.facts.get(case.definition.file.title_fact or "")
    if isinstance(title, str):
        found.titles[id] = title
    seen = [e for e in kept if e.kind != events.OPENED]
    if seen and not case.definition.file.checkpoint:  # one a day, and about nobody
        found.stories.append(
            Story(
                id=id,
                workflow=workflow,
                definition=case.definition,
                org=standing.org,
                state=standing.state,
                entries=seen,
            )
        )


def _without_facts(entry: Entry) -> Entry:
    """What the report shows of an event: of its payload the reason only, so that a whole town fits into memory."""
    reason = (entry.payload or {}).get("reason")
    return replace(entry, payload={"reason": reason} if reason is not None else None)


def _day(work: Work, entry: Entry) -> date:
    """The office's day on which an event was recorded."""
    return work.calendar.day_of(unstamp(entry.at))


def _entry(work: Work, found: Supervision, case: Case, entry: Entry, undone: set[str]) -> None:
    id, workflow = case.subject.id, case.subject.workflow
    late = delay_days(work, entry) if entry.kind in CHANGING else 0
    if late > 0:
        found.late.append((id, entry, late))
    if entry.kind in (events.REFUSED, events.DENIED):
        found.refused.append((id, entry))
    elif entry.kind == events.OPENED:
        found.openings[(entry.actor or entry.account or "", id)] += 1
    elif entry.kind == events.MOVED:
        reason = (entry.payload or {}).get("reason")
        limits = [(str(r[0]), str(r[2]), r[0] in entry.breaches) for r in entry.rules if r[1] == LIMIT]
        found.steps.append(
            Step(
                case=id,
                entry=entry,
                days_late=late,
                limits=limits,
                reason=reason if isinstance(reason, str) else None,
            )
        )
        if entry.id in undone:
            return
        for person in dict.fromkeys(p for p in (entry.actor, entry.behalf) if p is not None):
            found.who_decided[(person, workflow, entry.trigger or "")] += 1


def _ends(definition: Definition, workflow: str, entry: Entry) -> Iterator[tuple[str, str, str, str]]:
    """Yields why a case ended: the choices that the step which ended it asks for."""
    over = {*definition.final, *(s for r in definition.file.retention for s in r.states)}
    step = definition.steps.get(entry.trigger or "")
    if step is None or entry.to not in over or entry.source == entry.to:
        return
    facts = (entry.payload or {}).get("facts")
    given = facts if isinstance(facts, dict) else {}
    chosen = [f for f in step.asks if definition.types[f].name == "choice" and isinstance(given.get(f), str)]
    for fact in chosen or [""]:
        yield workflow, step.trigger, fact, str(given.get(fact, "")) if fact else ""


def _duties(case: Case, told: Sequence[Entry], period: set[str]) -> Iterator[Duty]:
    done: dict[str, set[str]] = {}
    for entry in told:
        step = case.definition.steps.get(entry.trigger or "") if entry.kind == events.MOVED else None
        if step is None:
            continue
        persons = {p for p in (entry.actor, entry.behalf) if p is not None}
        if step.never and entry.id in period and persons:
            barred = {t: sorted(done[t]) for t in step.never if done.get(t)}
            both = sorted(persons & _who(barred.values()))
            yield Duty(
                case=case.subject.id,
                trigger=step.trigger,
                event=entry.id,
                persons=sorted(persons),
                barred=barred,
                both=both,
            )
        done.setdefault(step.trigger, set()).update(persons)


def _who(groups: Iterable[Sequence[str]]) -> set[str]:
    return {person for group in groups for person in group}


def _as_of(case: Case, standing: Standing) -> Case:
    """Returns a case as its events until then made it; what it reads from other subjects is that of today."""
    then = replace(
        case.subject,
        state=standing.state,
        org=standing.org,
        version=standing.version,
        facts=standing.facts,
        doers=standing.doers,
        entered_on=standing.entered_on,
        person_on=standing.person_on,
    )
    return replace(case, subject=then)


def _pending(work: Work, case: Case, day: date) -> Iterator[Pending]:
    """Yields what an open case was late with at the end of a day: what its notice rules remind of, each day once."""
    if case.subject.state in case.definition.final:
        return
    view = work.view(case, on=day)
    seen: set[str] = set()
    for told in case.definition.notices:
        if told.due is None or all(offset.endswith("after") for offset in told.spec.send):
            continue  # what is told only afterwards follows from a day that came, and is owed by nobody
        due = day_due(told, case.subject.state, view, work.calendar)
        if due is None or due >= day or told.due.text in seen:
            continue
        seen.add(told.due.text)
        fact = case.definition.file.facts.get(told.due.text)
        label = fact.label if fact is not None else told.spec.label
        yield Pending(case=case.subject.id, label=label, due=due, days=(day - due).days)
