"""The door to an officer's desk: what they may see, each in one unit of work, and nothing of what they may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from engine import listing, outbox, reading, scope
from engine.asking import Prospect, prospects
from engine.core import events
from engine.core.authority import Grant
from engine.core.calendar import Calendar
from engine.core.errors import NotFound
from engine.core.events import CHANGING, Entry, unstamp
from engine.core.machine import Definition
from engine.core.values import Value
from engine.core.views import facts_of
from engine.doors import OpenWork
from engine.doors.access import Access
from engine.ledger import entries
from engine.notice_days import day_due
from engine.steps import By
from engine.store.rows import DueRow, OutboxRow
from engine.work import Case, Work

NEWS = 500  # entries of the trail that are looked through for what is new
MOST = 100  # days of notices that a page of what waits looks at, the earliest first
COUNTED = 400  # days after a page that are counted


@dataclass(frozen=True, kw_only=True)
class Dossier:
    """A subject as its page shows it."""

    case: Case
    facts: Mapping[str, Value]
    prospects: Sequence[Prospect]
    history: Sequence[Entry]
    notices: Sequence[tuple[OutboxRow, dict[str, str]]]
    coming: Sequence[tuple[str, datetime]]  # notice rules with when they are told
    idle: Mapping[str, frozenset[str]]  # map fact -> those of its keys that do not apply to this subject


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The date of a notice rule that waits for an officer. `step` ends it, '' where another officer takes that step."""

    case: Case
    rule: str
    due: date | None
    step: str


@dataclass(frozen=True, kw_only=True)
class News:
    """What changed in a subject, with whom it is about."""

    entry: Entry
    case: Case


class Desk:
    """Subjects as one officer may see them: what waits, what is new, a dossier."""

    def __init__(self, open_work: OpenWork, access: Access) -> None:
        self._work, self._access = open_work, access

    def roles(self, by: By) -> frozenset[str]:
        """Returns the roles that an officer has today, also in another's place."""
        with self._work() as work:
            return scope.holds(work.office, by)

    def sees(self, subject: str, by: By) -> None:
        """Sees that an officer may read a subject. Raises NotFound, as for one that is not there."""
        with self._work() as work:
            self._case(work, subject, by)

    def reads(self, subject: str, by: By) -> bool:
        """Tells whether an officer may read a subject."""
        with self._work() as work:
            case = work.case(subject)
            return case.subject.state != events.VOID and scope.reads(work, case, by)

    def dossier(self, subject: str, by: By) -> Dossier:
        """Returns a subject with all that its page shows; that it was opened is noted. Raises NotFound."""
        self.sees(subject, by)
        self._access.opened(subject, "page", by)
        with self._work() as work:
            case = self._case(work, subject, by)
            rows = work.tx.outbox(subject=subject)
            work.keys.fetch(r.key_id for r in rows)
            pending = [t for t in work.tx.timers([subject]) if t.done_at is None and t.kind != "fire"]
            return Dossier(
                case=case,
                facts=facts_of(case.definition, case.subject, work.moment()),
                prospects=prospects(work, case, officer=by.officer, behalf=by.behalf),
                history=reading.history(work, subject),
                notices=[(r, outbox.open_text(work, r)) for r in rows],
                coming=[(t.name, unstamp(t.due_at)) for t in pending],
                idle=listing.idle(work, case),
            )

    def prospect(self, subject: str, trigger: str, by: By) -> tuple[Case, Mapping[str, Value], Prospect]:
        """Returns a subject, its facts, and what stands in the way of one step. Raises NotFound and BadInput."""
        self.sees(subject, by)
        self._access.opened(subject, "step", by)
        with self._work() as work:
            case = self._case(work, subject, by)
            found = prospects(work, case, officer=by.officer, behalf=by.behalf, trigger=trigger)
            return case, facts_of(case.definition, case.subject, work.moment()), found[0]

    def opened(self, subject: str, purpose: str, by: By) -> None:
        """Notes that sensitive facts are shown to an officer, before they are. Raises NotFound."""
        self.sees(subject, by)
        self._access.opened(subject, "facts", by, purpose)

    def _case(self, work: Work, subject: str, by: By) -> Case:
        case = work.case(subject)
        if case.subject.state == events.VOID or not scope.reads(work, case, by):
            raise NotFound("there is no subject {subject}", subject=subject)
        return case

    # -- what waits, and what is new

    def waiting(
        self, by: By, until: date, steps: Mapping[str, Mapping[str, str]], page: int = 1
    ) -> tuple[list[Waiting], int]:
        """Returns a page of what waits for an officer up to a day, the earliest first, and how many days of notices are
        to be looked at after it: those that follow at most COUNTED are counted.

        `steps` names, by workflow, the notice rules that count with the step that ends each. Of a workflow that is not
        in it every rule counts, and the first step that the officer may take. A rule about a day that changes with
        the clock is not among them.
        """
        found: list[Waiting] = []
        with self._work() as work:
            first = (page - 1) * MOST
            days = _days(work, by, until, steps, first + MOST + COUNTED)
            more = max(0, len(days) - first - MOST)
            days = days[first : first + MOST]
            work.fetch(d.subject for d in days)
            for id in dict.fromkeys(d.subject for d in days):
                case = work.case(id)
                if scope.reads(work, case, by):
                    found += _waits(work, case, by, until, steps.get(case.subject.workflow, {}))
        found.sort(key=lambda w: (w.due or date.max, w.case.subject.id, w.rule))
        if found:
            self._access.listed("waiting", len(found), by)
        return found, more

    def news(self, by: By, after: int, limit: int) -> tuple[list[News], int]:
        """Returns what others changed, newest first, in what the officer reads, and how many changes are older."""
        with self._work() as work:
            size = work.tx.head().size
            rows = [
                r
                for r in work.tx.events(after=max(after - 1, size - NEWS - 1))
                if r.kind in CHANGING and r.actor != by.officer and r.subject is not None
            ]
            tops = set(scope.roots(work.office, work.library.area, by))
            near = [r for r in rows if r.org is not None and not tops.isdisjoint(work.office.tree.path(r.org))]
            older = max(0, len(near) - limit)
            near = near[-limit:][::-1]
            work.fetch(r.subject for r in near if r.subject is not None)
            told = entries(near, None, work.kit.sealer)
            found = [News(entry=e, case=work.case(e.subject or "")) for e in told]
        shown = [n for n in found if n.case.subject.state != events.VOID]
        if shown:
            self._access.listed("news", len(shown), by)
        return shown, older

    def calendar(self) -> tuple[date, datetime, Calendar]:
        """Returns the office's day and time, and its calendar."""
        with self._work() as work:
            return work.today, work.now, work.calendar


def _days(work: Work, by: By, until: date, steps: Mapping[str, Mapping[str, str]], most: int) -> list[DueRow]:
    """Returns the earliest days that may be the officer's to see to; each is looked at again."""
    units = scope.units(work.office, work.library.area, by)
    orgs = None if units >= work.office.tree.by_id.keys() else sorted(units)
    own = sorted(_own_units(work, by))
    last = until.isoformat()
    found: dict[tuple[str, str], DueRow] = {}
    for workflow, definition in work.library.all_newest().items():
        named = steps.get(workflow, {})
        rules = [t.rule for t in definition.notices if t.due is not None and (not named or t.rule in named)]
        theirs = [r for r in rules if _could(work, by, definition, r, named.get(r))]
        for wanted, places in ((theirs, orgs), (rules, own)):
            if wanted and places != []:
                rows = work.tx.find_dues(workflow, wanted, orgs=places, until=last, limit=most)
                found.update({(d.subject, d.rule): d for d in rows})
    return sorted(found.values(), key=lambda d: (d.due, d.subject, d.rule))[:most]


def _could(work: Work, by: By, definition: Definition, rule: str, named: str | None) -> bool:
    """Tells whether a role of the officer is one that may take the step which ends what a rule is about."""
    told = next(t for t in definition.notices if t.rule == rule)
    triggers = [named] if named is not None else list(definition.steps)
    grants = [
        g
        for t in triggers
        if t in definition.steps and not told.states.isdisjoint(definition.steps[t].sources)
        for g in definition.steps[t].grants
    ]
    return any(
        holding.role in g.roles and org.kind in g.kinds
        for o in scope.readers(work.office, by)
        if by.behalf in (None, o.id)
        for holding, org in work.office.holdings(o)
        for g in grants
    )


def _own_units(work: Work, by: By) -> set[str]:
    """Returns the units in which the officer holds a role: what waits there is theirs to see to."""
    reading = work.library.area.reading_roles
    held = (h for o in scope.readers(work.office, by) for h in work.office.holdings(o))
    return {org.id for holding, org in held if holding.role in reading}


def _waits(work: Work, case: Case, by: By, until: date, steps: Mapping[str, str]) -> list[Waiting]:
    definition, subject = case.definition, case.subject
    view = work.view(case)
    found: dict[tuple[date, str], Waiting] = {}
    for told in definition.notices:
        due = day_due(told, subject.state, view, work.calendar) if not steps or told.rule in steps else None
        if due is None or due > until:
            continue
        step = _step(work, case, by, view, steps.get(told.rule))
        if step is None and subject.org not in _own_units(work, by):
            continue
        found.setdefault((due, step or ""), Waiting(case=case, rule=told.rule, due=due, step=step or ""))
    return list(found.values())


def _step(work: Work, case: Case, by: By, view: Mapping[str, Value], named: str | None) -> str | None:
    """Returns the step that the officer may take, the one named or else the first; None where there is none."""
    definition = case.definition
    triggers = definition.triggers_from(case.subject.state)
    for trigger in [t for t in triggers if t == named] if named is not None else triggers:
        step = definition.steps[trigger]
        if not step.by_clock and _may(work, by, step.grants, case, view):
            return trigger
    return None


def _may(work: Work, by: By, grants: Sequence[Grant], case: Case, view: Mapping[str, Value]) -> bool:
    return any(
        work.office.allows(o, grants, case.subject.org, view, work.today) is None
        for o in scope.readers(work.office, by)
        if by.behalf in (None, o.id)
    )
