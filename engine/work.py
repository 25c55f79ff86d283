"""One unit of work: a transaction, what a command needs read once, and all it changes written together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime

from engine import likeness, listing, planning
from engine.audit.seal import KeyErased
from engine.case import Case
from engine.core.authority import ALWAYS, Office, Period
from engine.core.calendar import Calendar
from engine.core.errors import NotFound
from engine.core.events import VOID, Standing
from engine.core.machine import UNIT_DAYS, Definition
from engine.core.subject import Changes, Subject, changed
from engine.core.values import Json, Value, from_json, to_json
from engine.core.views import Moment, derive, view_of
from engine.kit import Kit
from engine.ledger import Keys, Ledger, Via
from engine.library import Library
from engine.office import calendar_of, read_office
from engine.store.ports import Transaction
from engine.store.rows import SubjectRow, TimerRow
from engine.tallying import Counted, tallied

__all__ = ["CACHE", "Case", "Work", "begin", "refers"]

CACHE = "cache_version"  # setting that changes with every change of the office, its days or its definitions


class Work:
    """One transaction. Made by `begin`; everything buffered is written when its block ends without an error."""

    def __init__(self, kit: Kit, tx: Transaction, via: Via) -> None:
        self.kit, self.tx = kit, tx
        self.now = kit.clock.now()
        self._version = tx.setting(CACHE)
        if kit.known is None or kit.known[0] != self._version:
            library = Library(tx.definitions(), kit.compiled)
            calendar = calendar_of(library.area, tx.days(), kit.zone) if library.workflows else _no_calendar()
            kit.known = (self._version, library, calendar)
        _, self.library, self.calendar = kit.known
        self.keys = Keys(tx, kit.master, kit.random, kit.unwrapped)
        self.ledger = Ledger(tx, self.keys, kit.sealer, kit.random, self.now, via)
        self._cases: dict[str, Case] = {}
        self._dirty: dict[str, Case] = {}
        self._told: list[TimerRow] = []
        self._replan: dict[str, None] = {}
        self._lenders: set[str] = set()  # subjects of which a fact changed that others read
        self.begun: dict[str, list[str]] = {}  # digests of who began in this unit of work
        self.counted: Counted = {}  # what scores count, worked out once in this unit of work
        self._set_today()

    # -- what there is

    def _set_today(self) -> None:
        self.today = self.calendar.day_of(self.now)  # the clock's day in office time

    @property
    def office(self) -> Office:
        """The office as it stands today."""
        kept = self.kit.office
        if kept is None or kept[0] != self._version or kept[1] != self.today:
            kept = (self._version, self.today, read_office(self.tx, self.library.area, self.today))
            self.kit.office = kept
        return kept[2]

    def office_changed(self) -> None:
        """Makes everybody read the office, the days and the definitions anew."""
        self._version = str(int(self._version or "0") + 1)
        self.tx.put_setting(CACHE, self._version)
        self.kit.known = self.kit.office = None
        library = Library(self.tx.definitions(), self.kit.compiled)
        self.library = library
        if library.workflows:
            self.calendar = calendar_of(library.area, self.tx.days(), self.kit.zone)
            self._set_today()

    def units_changed(self, orgs: Iterable[str]) -> None:
        """Has what the clock is to do at these units worked out again, where units were closed or stand on."""
        orgs = list(dict.fromkeys(orgs))
        self.office_changed()
        for case in self._cases.values():
            if case.subject.org in orgs:
                case.subject = replace(case.subject, unit_stands=self._stands(case.subject.org))
        self.replan(r.id for r in self.tx.find_subjects(orgs=orgs) if self._plans_ends(r))

    def _plans_ends(self, row: SubjectRow) -> bool:
        """Tells whether something of the subject's clock rests on when its unit began or ends."""
        definition = self.library.pinned(row.workflow, row.definition)
        read = [t.at.reads for t in definition.timers] + [e.reads for _, e in definition.derived]
        return row.state not in definition.final and any(UNIT_DAYS & names for names in read)

    def moment(self, on: date | None = None) -> Moment:
        """Returns when a step is judged."""
        return Moment(now=self.now, on=on or self.today, calendar=self.calendar)

    # -- subjects

    def case(self, id: str) -> Case:
        """Returns a subject. Raises NotFound."""
        if id not in self._cases:
            self.fetch([id])
        if id not in self._cases:
            raise NotFound("there is no subject {subject}", subject=id)
        return self._cases[id]

    def fetch(self, ids: Iterable[str]) -> None:
        """Reads subjects not read yet, with their keys and the subjects they read facts from, in few queries."""
        missing = [i for i in dict.fromkeys(ids) if i not in self._cases]
        if not missing:
            return
        rows = self.tx.subjects(missing)
        self.keys.fetch(r.key_id for r in rows.values())
        self.fetch(r.refers for r in rows.values() if r.refers is not None)
        for row in rows.values():
            self._cases[row.id] = self._case(row)

    def adopt(self, rows: Iterable[SubjectRow]) -> list[Case]:
        """Returns the cases of rows that a query found."""
        rows = list(rows)
        self.keys.fetch(r.key_id for r in rows)
        self.fetch(r.refers for r in rows if r.refers is not None)
        for row in rows:
            if row.id not in self._cases:
                self._cases[row.id] = self._case(row)
        return [self._cases[r.id] for r in rows]

    def _case(self, row: SubjectRow) -> Case:
        definition = self.library.pinned(row.workflow, row.definition)
        facts = self.written_facts(definition, row)
        subject = Subject(
            id=row.id,
            workflow=row.workflow,
            org=row.org,
            org_kind=self._kind(row.org),
            state=row.state,
            version=row.version,
            facts=facts,
            borrowed=self._borrowed(definition, row.refers) | tallied(self, definition, row.org, facts),
            doers={t: tuple(p) for t, p in json.loads(row.doers_json).items()},
            started_on=date.fromisoformat(row.started_on),
            entered_on=date.fromisoformat(row.entered_on),
            person_on=date.fromisoformat(row.person_on),
            unit_stands=self._stands(row.org),
        )
        return Case(
            subject=subject,
            definition=definition,
            key_id=row.key_id,
            row=row,
            last_event=row.last_event,
            unique_key=row.unique_key,
        )

    def _stands(self, org: str) -> Period:
        found = self.office.tree.by_id.get(org)
        return found.period if found is not None else ALWAYS

    def _kind(self, org: str) -> str:
        found = self.office.tree.by_id.get(org)
        return found.kind if found is not None else ""

    def written_facts(
        self, definition: Definition, row: SubjectRow, only: frozenset[str] | None = None
    ) -> dict[str, Value]:
        """Returns the facts that a row holds, or only some; what is sealed is opened where it is asked for."""
        stored: dict[str, Json] = json.loads(row.facts_json)
        if row.sealed is not None and (only is None or only & definition.sensitive):
            try:
                opened = self.kit.sealer.open(self.keys.get(row.key_id), row.sealed, _facts_aad(row.id))
                stored.update(json.loads(opened))
            except KeyErased:
                pass
        facts: dict[str, Value] = {}
        for name, value in stored.items():
            type_ = definition.types.get(name) if only is None or name in only else None
            if type_ is not None and (read := from_json(type_, value)) is not None:
                facts[name] = read
        return facts

    def _borrowed(self, definition: Definition, refers: str | None) -> dict[str, Value]:
        if refers is None or refers not in self._cases:
            return {}
        other = self._cases[refers].subject
        wanted = ((n, f.reads.fact) for n, f in definition.file.facts.items() if f.reads is not None)
        return {name: other.facts[fact] for name, fact in wanted if fact in other.facts}

    def add(self, case: Case) -> None:
        """Takes a new subject into this unit of work. It has its key from the start, before anything is sealed."""
        self.ledger.keys.make(case.key_id)
        case.subject = replace(case.subject, unit_stands=self._stands(case.subject.org))
        self._cases[case.subject.id] = self._dirty[case.subject.id] = case
        self._replan[case.subject.id] = None

    def change(
        self,
        case: Case,
        event: str,
        changes: Changes,
        *,
        on: date,
        by: Sequence[str] = (),
        trigger: str | None = None,
        to: str | None = None,
        org: str | None = None,
        by_person: bool = False,
    ) -> None:
        """Changes a subject as an event says: its facts, its state, its unit, and who (persons) did which trigger.

        `by_person`: a person took the step, also where `by` names nobody.
        """
        old = case.subject
        doers = old.doers
        if trigger is not None and by:
            doers = {**doers, trigger: tuple(sorted({*doers.get(trigger, ()), *by}))}
        state = to or old.state
        self._write(
            case,
            replace(
                old,
                state=state,
                org=org or old.org,
                org_kind=self._kind(org) if org else old.org_kind,
                unit_stands=self._stands(org) if org else old.unit_stands,
                version=old.version + 1,
                facts=changed(old.facts, changes) if changes else old.facts,
                doers=doers,
                entered_on=on if state != old.state else old.entered_on,
                person_on=max(on, old.person_on) if trigger is not None and (by or by_person) else old.person_on,
            ),
            event,
        )

    def stand(self, case: Case, standing: Standing) -> None:
        """Makes a subject what its events make of it, after one was undone."""
        old = case.subject
        self._write(
            case,
            replace(
                old,
                state=standing.state,
                org=standing.org,
                org_kind=self._kind(standing.org),
                unit_stands=self._stands(standing.org),
                version=old.version + 1,
                facts=standing.facts,
                doers=standing.doers,
                entered_on=standing.entered_on,
                person_on=standing.person_on,
            ),
            standing.last_event,
        )

    def blank(self, case: Case, facts: Mapping[str, Value]) -> None:
        """Leaves only these facts of a subject, whose person was erased; its version stays."""
        self._write(replace(case, unique_key=None), replace(case.subject, facts=facts), case.last_event)

    def _write(self, case: Case, subject: Subject, event: str) -> None:
        old = case.subject.facts
        if any(old.get(f) != subject.facts.get(f) for f in self.library.lending.get(subject.workflow, ())):
            self._lenders.add(subject.id)
        new = replace(case, subject=subject, last_event=event)
        new.altered = case.altered or subject.state == VOID or likeness.differ(case.definition, old, subject.facts)
        self._cases[subject.id] = self._dirty[subject.id] = new
        self._replan[subject.id] = None

    def forget(self) -> None:
        """Lets go of what was only read, so that a walk through all subjects takes little memory."""
        self._cases = dict(self._dirty)

    def discard(self) -> None:
        """Forgets everything this unit of work would have written."""
        self.ledger.discard()
        self._cases, self._dirty, self._replan, self._told, self._lenders = {}, {}, {}, [], set()

    # -- timers

    def tell(self, case: Case, trigger: str, event: str, since: datetime | None = None) -> None:
        """Plans the notices that are told at a step, in the step's own transaction.

        `since` is when the clock should have taken the step: what is told after a stop is told late, and says so.
        """
        self._told += planning.told(self, case, trigger, event, since or self.now)

    def replan(self, ids: Iterable[str]) -> None:
        """Has the timers of these subjects worked out again when this unit of work is written."""
        self._replan.update(dict.fromkeys(ids))

    def view(self, case: Case, on: date | None = None) -> dict[str, Value]:
        """Returns what expressions see of a subject today, derived facts too."""
        view = view_of(case.definition, case.subject, self.moment(on))
        derive(view, case.definition.derived, self.calendar)
        return view

    # -- writing

    def flush(self) -> None:
        """Writes subjects, timers and events."""
        self._renew_borrowed()
        if self._replan or self._told:
            planning.write_timers(self, self._replan, self._told)
        new = [self._row(c) for c in self._dirty.values() if c.row is None]
        old = [self._row(c) for c in self._dirty.values() if c.row is not None]
        self.ledger.flush()
        if new:
            self.tx.insert_subjects(new)
        if old:
            self.tx.update_subjects(old, [c.row.version for c in self._dirty.values() if c.row is not None])
        likeness.keep(self, self._dirty.values())
        listing.keep(self, [*self._dirty, *self._replan])
        self._dirty, self._replan, self._told, self._lenders = {}, {}, [], set()

    def _renew_borrowed(self) -> None:
        """Plans anew the subjects that read facts from those that changed, also those begun in this unit of work."""
        for id in self._lenders:
            if self._dirty[id].row is not None:
                self.adopt(self.tx.find_subjects(refers=id))
        readers = self._cases if self._lenders else {i: c for i, c in self._dirty.items() if c.row is None}
        for case in list(readers.values()):
            other = refers(case)
            if other in self._lenders or (case.row is None and other is not None):
                had = case.subject.borrowed
                kept = {t.fact: had[t.fact] for t in case.definition.tallies if t.fact in had}
                case.subject = replace(case.subject, borrowed=self._borrowed(case.definition, other) | kept)
                self.replan([case.subject.id])

    def _row(self, case: Case) -> SubjectRow:
        subject = case.subject
        plain: dict[str, Json] = {}
        covered: dict[str, Json] = {}
        sensitive = case.definition.sensitive
        for name, value in subject.facts.items():
            (covered if name in sensitive else plain)[name] = to_json(value)
        sealed = None
        if covered:
            sealed = self.kit.sealer.seal(self.keys.make(case.key_id), _dump(covered).encode(), _facts_aad(subject.id))
            self.keys.flush()
        return SubjectRow(
            id=subject.id,
            workflow=subject.workflow,
            org=subject.org,
            state=subject.state,
            version=subject.version,
            definition=case.row.definition if case.row is not None else case.definition.id,
            key_id=case.key_id,
            refers=refers(case),
            unique_key=case.unique_key,
            facts_json=_dump(plain),
            sealed=sealed,
            doers_json=_dump({t: list(p) for t, p in subject.doers.items()}),
            started_on=subject.started_on.isoformat(),
            entered_on=subject.entered_on.isoformat(),
            person_on=subject.person_on.isoformat(),
            last_event=case.last_event,
        )


# Made once: json.dumps makes an encoder at every call that does not take its defaults.
_dump = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def _facts_aad(id: str) -> bytes:
    return b"facts:" + id.encode()


def refers(case: Case) -> str | None:
    """Returns the subject that a fact of this one names, or None."""
    named = (case.subject.facts.get(name) for name in case.definition.naming)
    return next((value for value in named if isinstance(value, str)), None)


def _no_calendar() -> Calendar:
    return Calendar(zone=UTC, days_off=lambda _: frozenset())


@contextmanager
def begin(kit: Kit, via: Via, *, write: bool = True) -> Iterator[Work]:
    """Opens a unit of work; writes it when the block ends, or nothing when it raises."""
    try:
        with kit.store.transaction(write=write) as tx:
            work = Work(kit, tx, via)
            yield work
            if write:
                work.flush()
    except BaseException:
        kit.known = kit.office = None  # it may have read what now never was
        raise
