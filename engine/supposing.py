"""Supposing other workflow files: which steps, taken or still to be taken, they decide otherwise.

A step of the past is put to the other file as a whole, as if its subject had begun under it: with what was known, the
day and the time of then. A subject that is still on the way keeps its own drawing, as it would if the files were
loaded: the other rules reach it by their dates. Every step is asked for itself, from where the subject really stood.
Attempts that were refused are not asked again: what they brought is not kept. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

from engine import scope
from engine.comparing import CHUNK, UNREADABLE
from engine.core.calendar import Calendar
from engine.core.decision import Decision, decide
from engine.core.errors import BadInput
from engine.core.events import MOVED, VOID, Entry
from engine.core.guards import Judgement
from engine.core.machine import Definition
from engine.core.values import WrongType
from engine.ledger import Via, entries
from engine.library import Library, Source, rows_of
from engine.office import calendar_of
from engine.redeciding import Again, Redecider
from engine.steps import By
from engine.work import CACHE, Case, Work


@dataclass(frozen=True, kw_only=True)
class Turned:
    """A rule that says something else. None on a side where the step does not ask it."""

    was: Judgement | None
    now: Judgement | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a step comes to: the state it leads to (None: it is not taken), or why it makes no sense."""

    to: str | None
    judgements: Sequence[Judgement] = ()
    missing: frozenset[str] = frozenset()
    error: BadInput | None = None


@dataclass(frozen=True, kw_only=True)
class Otherwise:
    """A step that is decided otherwise. `entry` is the event of one that was taken, None where it could be taken now;
    `asks` are the facts that only the other file asks for. The definitions are those of each side."""

    subject: str
    workflow: str
    org: str
    trigger: str
    source: str
    was: Outcome
    now: Outcome
    rules: Sequence[Turned]
    asks: Sequence[str]
    definition: Definition
    other: Definition
    entry: Entry | None = None


@dataclass(kw_only=True)
class Supposed:
    """What other files would change. `steps` and `running` count what was asked, `undecided` the steps that nobody can
    decide any more (of somebody erased), `changed` are the workflows whose files are not those loaded."""

    on: date
    changed: Sequence[str]
    steps: int = 0
    undecided: int = 0
    running: int = 0
    past: list[Otherwise] = field(default_factory=list)
    now: list[Otherwise] = field(default_factory=list)

    def counts(self) -> Mapping[tuple[str, str], tuple[int, int]]:
        """Returns by workflow and unit how many steps taken, and how many subjects on the way, are concerned."""
        past: dict[tuple[str, str], int] = {}
        now: dict[tuple[str, str], set[str]] = {}
        for found in self.past:
            past[found.workflow, found.org] = past.get((found.workflow, found.org), 0) + 1
        for found in self.now:
            now.setdefault((found.workflow, found.org), set()).add(found.subject)
        return {key: (past.get(key, 0), len(now.get(key, ()))) for key in sorted({*past, *now})}


def suppose(
    work: Work, sources: Sequence[Source], definitions: Mapping[str, Definition], by: By | None, on: date | None
) -> Supposed:
    """Returns what these files, compiled, decide otherwise than was decided and than those loaded do.

    `by`: only of the subjects that this officer reads, None: of all. `on`: the day for which those on the way are
    asked, today unless given. Raises BadInput where none of the workflows is loaded here.
    """
    here = work.library
    if not set(definitions) & set(here.workflows):
        raise BadInput("none of these workflows is loaded here; loaded are: {known}", known=", ".join(here.workflows))
    changed = [s.workflow for s in sources if s.workflow in here.workflows and here.newest(s.workflow).id != s.id]
    found = Supposed(on=on or work.today, changed=changed)
    _Supposing(work, _beside(work, sources, definitions), definitions, found).run(by)
    return found


def _beside(work: Work, sources: Sequence[Source], definitions: Mapping[str, Definition]) -> Work:
    """Returns a unit of work over the same transaction that reads these files as the newest. It is never written."""
    ids = {s.id for s in sources}
    rows = [r for r in work.tx.definitions() if r.id not in ids] + rows_of(sources, definitions, work.now)
    library = Library(rows, work.kit.compiled)
    area = next(iter(definitions.values())).area
    calendar = calendar_of(area, work.tx.days(), work.kit.zone)
    kit = replace(work.kit, known=(work.tx.setting(CACHE), library, calendar), office=None)
    return Work(kit, work.tx, Via(channel="forecast"))


class _Supposing:
    def __init__(self, work: Work, other: Work, definitions: Mapping[str, Definition], found: Supposed) -> None:
        self.work, self.other, self.definitions, self.found = work, other, definitions, found
        self.redecider = Redecider(work)
        self._calendars: dict[int, Calendar] = {}

    def run(self, by: By | None) -> None:
        """Goes through the subjects that the officer reads, in the order of their ids."""
        for workflow in sorted(set(self.definitions) & set(self.work.library.workflows)):
            after = ""
            while rows := self.work.tx.find_subjects(workflow=workflow, after=after, limit=CHUNK):
                after = rows[-1].id
                cases = self.work.adopt(r for r in rows if r.state != VOID)
                theirs = {c.subject.id: c for c in self.other.adopt(r for r in rows if r.state != VOID)}
                for case in cases:
                    if by is None or scope.reads(self.work, case, by):
                        self.found.past += self._past(case)
                        self.found.now += self._now(case, theirs[case.subject.id])
                for unit in (self.work, self.other):
                    unit.forget()
                    unit.keys.forget()

    def _past(self, case: Case) -> Iterator[Otherwise]:
        work, other = self.work, self.definitions[case.subject.workflow]
        told = list(entries(work.tx.events(subject=case.subject.id), work.keys, work.kit.sealer))
        if self.redecider.erased(told):
            self.found.undecided += sum(e.kind == MOVED for e in told)
            return
        for again in self.redecider.again(told):
            if again.decision is None or again.why:
                self.found.undecided += 1
                continue
            now = _outcome(case.subject.id, partial(self._under, again, other))
            if now is None:
                self.found.undecided += 1
                continue
            self.found.steps += 1
            then = work.library.pinned(again.now.workflow, again.now.definition)
            was = _of(again.decision)
            found = self._differs(case, again.entry.trigger or "", was, now, then, other)
            if found is not None:
                yield replace(found, org=again.now.org, source=again.now.state, entry=again.entry)

    def _under(self, again: Again, other: Definition) -> Decision | None:
        past, seq = self.redecider.past, again.entry.seq
        key = past.days_entered(seq)
        if key not in self._calendars:
            self._calendars[key] = past.calendar_in(other.area, seq)
        return self.redecider.under(again, other, self._calendars[key])

    def _now(self, case: Case, theirs: Case) -> Iterator[Otherwise]:
        subject = case.subject
        if subject.state in case.definition.final:
            return
        self.found.running += 1
        for trigger in case.definition.triggers_from(subject.state):
            was, now = (
                _outcome(
                    subject.id,
                    partial(decide, c.definition, c.subject, trigger, moment=w.moment(self.found.on), asking=True),
                )
                for c, w in ((case, self.work), (theirs, self.other))
            )
            if was is None or now is None:
                continue
            found = self._differs(case, trigger, was, now, case.definition, theirs.definition)
            if found is not None:
                yield found

    def _differs(
        self, case: Case, trigger: str, was: Outcome, now: Outcome, definition: Definition, other: Definition
    ) -> Otherwise | None:
        rules, asks = _turned(was, now), sorted(now.missing - was.missing)
        if was.to == now.to and not rules and not asks and (was.error is None) == (now.error is None):
            return None
        return Otherwise(
            subject=case.subject.id,
            workflow=case.subject.workflow,
            org=case.subject.org,
            trigger=trigger,
            source=case.subject.state,
            was=was,
            now=replace(now, to=None) if asks else now,
            rules=rules,
            asks=asks,
            definition=definition,
            other=other,
        )


def _outcome(subject: str, run: Callable[[], Decision | None]) -> Outcome | None:
    """Returns what a decision comes to, None where there is none; an error that would tell a value says only whose."""
    try:
        decision = run()
        return None if decision is None else _of(decision)
    except UNREADABLE as error:
        if isinstance(error, BadInput) and not isinstance(error, WrongType):
            return Outcome(to=None, error=error)
        return Outcome(
            to=None, error=BadInput("what is written of {subject} does not fit these files", subject=subject)
        )


def _of(decision: Decision) -> Outcome:
    return Outcome(to=decision.to, judgements=decision.judgements, missing=frozenset(decision.missing))


def _turned(was: Outcome, now: Outcome) -> list[Turned]:
    """Returns the rules whose result is another; one that passes and that the other side does not ask is none."""
    if was.error is not None or now.error is not None:
        return []
    before = {(j.rule.id, j.force): j for j in was.judgements}
    after = {(j.rule.id, j.force): j for j in now.judgements}
    pairs = [(before.get(key), after.get(key)) for key in dict.fromkeys([*before, *after])]
    return [Turned(was=b, now=a) for b, a in pairs if (b.result if b else "pass") != (a.result if a else "pass")]
