"""The timers of subjects as rows: worked out anew after each change, and set against those that stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from engine.core import timers
from engine.core.events import VOID, stamp, unstamp
from engine.core.machine import Definition
from engine.store.rows import TimerRow

if TYPE_CHECKING:
    from engine.work import Case, Work


def told(work: Work, case: Case, trigger: str, event: str, at: datetime) -> list[TimerRow]:
    """Returns the timers of the notices that are told at a step, which was due at a time."""
    return [
        TimerRow(
            subject=case.subject.id,
            name=told.rule,
            occurrence=event,
            kind=timers.TOLD,
            due_at=stamp(at if told.spec.urgent else work.calendar.next_sending(at)),
            planned_at=work.ledger.at,
        )
        for told in work.kit.notifier.told(case.definition, trigger)
    ]


def write_timers(work: Work, subjects: Iterable[str], told: Sequence[TimerRow]) -> None:
    """Writes the timers that these subjects ought to have, and those of notices told; takes away what ought not be."""
    ids = [i for i in subjects if _plans(work, i)]
    work.fetch(ids)
    old: dict[str, list[TimerRow]] = {}
    read = [i for i in ids if work.case(i).row is not None]
    for row in work.tx.timers(read) if read else ():
        old.setdefault(row.subject, []).append(row)
    put: list[TimerRow] = list(told)
    delete: list[TimerRow] = []
    for id in ids:
        _set(work, work.case(id), old.get(id, []), put, delete)
    if delete:
        work.tx.delete_timers(delete)
    if put:
        work.tx.put_timers(put)


def _plans(work: Work, id: str) -> bool:
    definition = work.case(id).definition
    return bool(definition.timers or definition.notices)


def _set(work: Work, case: Case, old: list[TimerRow], put: list[TimerRow], delete: list[TimerRow]) -> None:
    definition, subject = case.definition, case.subject
    planned: list[timers.Planned] = []
    if subject.state != VOID:
        view = work.view(case)
        planned += timers.fires(definition, subject.state, view, work.calendar)
        planned += work.kit.notifier.plan(definition, subject.state, view, work.calendar)
    kept = [
        timers.Kept(
            name=r.name,
            occurrence=r.occurrence,
            kind=r.kind,
            due_at=unstamp(r.due_at),
            planned_at=unstamp(r.planned_at),
            done=r.done_at is not None,
        )
        for r in old
    ]
    difference = timers.reconcile(planned, kept, work.now, work.calendar)
    rows = {(r.name, r.occurrence): r for r in old}
    delete.extend(rows[(k.name, k.occurrence)] for k in difference.delete)
    put.extend(
        TimerRow(
            subject=subject.id,
            name=p.name,
            occurrence=p.occurrence,
            kind=p.kind,
            due_at=stamp(due),
            planned_at=work.ledger.at,
        )
        for p, due in difference.put
    )
    put.extend(
        replace(r, due_at=due)
        for r in old
        if r.kind == timers.TOLD and r.done_at is None and (due := _told_due(work, definition, r)) != r.due_at
    )


def _told_due(work: Work, definition: Definition, row: TimerRow) -> str:
    urgent = any(n.spec.urgent for n in definition.notices if n.rule == row.name)
    planned = unstamp(row.planned_at)
    return stamp(planned if urgent else work.calendar.next_sending(planned))
