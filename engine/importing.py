"""A list into the database: all of it in one transaction, or nothing, with the rows that stood in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from engine import officework, organising, permits, recording, steps
from engine.core.commands import SetFacts, Start
from engine.core.errors import BadInput
from engine.core.events import VOID
from engine.core.subject import changed
from engine.core.views import read_facts
from engine.ledger import Via
from engine.likeness import Alike
from engine.officework import OfficerChange, OrgChange, Term
from engine.recording import Record
from engine.service import Service
from engine.steps import By
from engine.work import Case, Work

IMPORT = "import"  # the channel of what lists bring


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A row whose command is bad input, and why."""

    row: Any
    error: BadInput


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a list does to subjects: commands, each with the row it came from. `rejected`: nothing is to be done."""

    starts: Sequence[tuple[Any, Start]] = ()
    sets: Sequence[tuple[Any, SetFacts]] = ()
    records: Sequence[tuple[Any, Record]] = ()
    refused: Sequence[Refusal] = ()
    unchanged: int = 0
    rejected: bool = False


@dataclass(kw_only=True)
class Imported:
    """What a list changed, or would change. Where something was refused, nothing was, and the counts are 0."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    ids: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    similar: list[tuple[Any, Alike]] = field(default_factory=list)  # rows, with those who may be the same
    rows: list[tuple[Any, str]] = field(default_factory=list)  # what each row does: created, updated or unchanged


class _Stop(Exception):
    """Leaves the transaction with nothing written."""


def import_subjects(
    service: Service,
    workflow: str,
    orgs: Sequence[str],
    plan: Callable[[Sequence[Case]], Plan],
    by: By,
    *,
    account: str | None = None,
    rehearse: bool = False,
) -> Imported:
    """Starts new subjects and writes facts of known ones, all or none. `plan` is shown those of `workflow` at `orgs`.

    `rehearse`: everything is tried, nothing is written. Raises Denied; bad input is in `refused`.
    """

    def run(work: Work) -> Imported:
        rows = work.tx.find_subjects(workflow=workflow, orgs=orgs)
        planned = plan(work.adopt(r for r in rows if r.state != VOID))
        done = Imported(unchanged=planned.unchanged)
        done.refused += planned.refused
        if planned.rejected:
            raise _Stop
        each = replace(by, command=None, asked=None)
        for row, start in planned.starts:
            if _tried(done, row, lambda row=row, start=start: _begin(work, done, row, start, each)):  # type: ignore[misc]
                done.created += 1
                done.rows.append((row, "created"))
        for row, past in planned.records:
            if _tried(done, row, lambda past=past: done.ids.append(recording.record(work, past, each))):  # type: ignore[misc]
                done.created += 1
                done.rows.append((row, "created"))
        for row, facts in planned.sets:
            if _tried(done, row, lambda facts=facts: steps.set_facts(work, facts, each)):  # type: ignore[misc]
                done.updated += 1
                done.rows.append((row, "updated"))
        return done

    return _in_one(service, account, rehearse, run)


def _begin(work: Work, done: Imported, row: Any, start: Start, by: By) -> None:
    answer = steps.start(work, start, by)
    done.ids.append(answer.subject)
    done.similar += [(row, other) for other in answer.similar]


def import_starts(
    service: Service,
    rows: Iterable[tuple[Any, Start]],
    by: By,
    *,
    account: str | None = None,
    rehearse: bool = False,
) -> Imported:
    """Begins subjects, all or none; one that stands with the same facts already is left as it is.

    Raises Denied; bad input is in `refused`.
    """

    def run(work: Work) -> Imported:
        done = Imported()
        each = replace(by, command=None, asked=None)
        for row, command in rows:
            if _stands(work, command):
                done.unchanged += 1
            elif _tried(done, row, lambda command=command: done.ids.append(steps.start(work, command, each).subject)):  # type: ignore[misc]
                done.created += 1
        return done

    return _in_one(service, account, rehearse, run)


def _stands(work: Work, command: Start) -> bool:
    """Tells whether a subject with these facts stands at the unit already: the same list may come twice."""
    definition = work.library.newest(command.workflow)
    try:
        facts = changed({}, read_facts(definition, command.facts, work.calendar))
    except BadInput:
        return False  # beginning it says what is wrong
    rows = work.tx.find_subjects(workflow=definition.workflow, orgs=[command.org])
    there = work.adopt(r for r in rows if r.state != VOID)
    return any(all(c.subject.facts.get(n) == v for n, v in facts.items()) for c in there)


def import_orgs(
    service: Service,
    rows: Iterable[tuple[Any, OrgChange]],
    by: By,
    *,
    account: str | None = None,
    rehearse: bool = False,
) -> Imported:
    """Founds or changes organisations, all or none. Raises Denied; bad input is in `refused`."""

    def run(work: Work) -> Imported:
        permits.permit(work, "organisations", by)
        free = permits.is_open(work, by)
        done = Imported()

        def put(row: Any, change: OrgChange) -> None:
            acting = by if free else permits.permit_org(work, by, change)
            _count(done, row, organising.put_orgs(work, [change], acting))

        for row, change in rows:
            _tried(done, row, lambda change=change, row=row: put(row, change))  # type: ignore[misc]
        return done

    return _in_one(service, account, rehearse, run)


def import_officers(
    service: Service,
    rows: Iterable[tuple[Any, OfficerChange]],
    by: By,
    *,
    account: str | None = None,
    rehearse: bool = False,
) -> Imported:
    """Adds or changes officers, all or none. Raises Denied; bad input is in `refused`."""

    def run(work: Work) -> Imported:
        listed = list(rows)
        permits.permit(work, "officers", by)
        acting = permits.permit_officers(work, "officers", by, [change for _, change in listed])
        done = Imported()
        for row, change in listed:
            put = partial(officework.put_officers, work, [change], acting)
            _tried(done, row, lambda put=put, row=row: _count(done, row, put()))  # type: ignore[misc]
        return done

    return _in_one(service, account, rehearse, run)


def import_terms(
    service: Service,
    rows: Iterable[tuple[Any, Term]],
    by: By,
    *,
    account: str | None = None,
    rehearse: bool = False,
) -> Imported:
    """Adds or changes terms of office, all or none. Raises Denied; bad input is in `refused`."""

    def run(work: Work) -> Imported:
        listed = list(rows)
        places = {None, *(t.org for _, t in listed if t.org in work.office.tree.by_id)}
        acting = permits.permit_at(work, "officers", by, places)
        done = Imported()
        for row, term in listed:
            _tried(done, row, lambda term=term, row=row: _count(done, row, officework.put_terms(work, [term], acting)))  # type: ignore[misc]
        return done

    return _in_one(service, account, rehearse, run)


def _count(done: Imported, row: Any, counts: officework.Counts) -> None:
    done.rows.append((row, "created" if counts.created else "updated" if counts.updated else "unchanged"))
    done.created += counts.created
    done.updated += counts.updated
    done.unchanged += counts.unchanged
    done.ids += counts.ids


def _tried(done: Imported, row: Any, run: Callable[[], object]) -> bool:
    try:
        run()
    except BadInput as error:
        done.refused.append(Refusal(row=row, error=error))
        return False
    return True


def _in_one(service: Service, account: str | None, rehearse: bool, run: Callable[[Work], Imported]) -> Imported:
    done = Imported()
    try:
        with service.work(write=True, via=Via(channel=IMPORT, account=account)) as work:
            work.ledger.lock()  # two imports at once: the second plans over what the first wrote
            done = run(work)
            if rehearse or done.refused:
                raise _Stop
    except _Stop:
        service.kit.known = service.kit.office = None  # what was read within the transaction never came to stand
    return Imported(refused=done.refused, rows=done.rows) if done.refused else done
