"""What waits for the clock, against the trail: the timers that stand are those that the subjects ask for.

A timer that somebody put in makes the clock take a step or send a notice that nothing asks for; one that was taken
out, moved or called done keeps the clock from it. Neither touches the trail, so each is worked out again here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

from engine.comparing import Problem
from engine.core import events, timers
from engine.core.events import VOID, Entry, stamp, unstamp
from engine.core.timers import NOTICE, TOLD, Kept, Planned, reconcile
from engine.outgoing import Outgoing
from engine.store.rows import OutboxRow, TimerRow
from engine.work import Case, Work

UNASKED = "{subject}: {name}: something waits for the clock that nothing asks for"
GONE = "{subject}: {name}: what the clock was to do was taken out"
MOVED = "{subject}: {name}: the time at which the clock is to do it was changed"
UNDONE = "{subject}: {name}: it is called done, and the trail knows nothing of it"
SHIFT = timedelta(days=31)  # days off move what was planned by no more than this


class Clockwork:
    """Works out again what waits for the clock. One for a verification. `seconds` is the time it took."""

    def __init__(self, work: Work) -> None:
        start = time.perf_counter()
        self._work, self.outgoing = work, Outgoing(work)
        self._loaded = max((r.seq for r in work.tx.events(kind=events.DEFINITION)), default=-1)
        self._moved = self._last_moved()
        self.seconds = time.perf_counter() - start

    def _last_moved(self) -> tuple[int, str]:
        """Returns the last entry about days off or units, and its time."""
        last = (-1, "")
        for row in self._work.tx.events(kind=events.OFFICE):
            if b'"what":"day"' in row.body or b'"what":"org_' in row.body:
                last = (row.seq, row.at)
        return last

    def look(self, told: Sequence[Entry]) -> Problem | None:
        """Returns the first thing wrong with what waits of a subject, or None. `told` are its events."""
        start = time.perf_counter()
        try:
            return self._look(told)
        finally:
            self.seconds += time.perf_counter() - start

    def _look(self, told: Sequence[Entry]) -> Problem | None:
        case = self._work.case(told[0].subject or "")
        rows = self._work.tx.timers([case.subject.id])
        sent = self._work.tx.outbox(subject=case.subject.id)
        for name, what in self._faults(case, told, rows, sent):
            return Problem(
                event=None,
                kind="timer",
                message=what,
                params={"subject": case.subject.id, "name": name},
            )
        return self.outgoing.look(sent, rows)

    def _faults(
        self, case: Case, told: Sequence[Entry], rows: Sequence[TimerRow], sent: Sequence[OutboxRow]
    ) -> Iterator[tuple[str, str]]:
        planned = self._planned(case)
        there = {(r.name, r.occurrence): r for r in rows}
        wanted = {(p.name, p.occurrence) for p in planned}
        for row in rows:
            if row.kind == TOLD:
                yield from self._told(told, row, sent)
            elif row.done_at is None and (row.name, row.occurrence) not in wanted and not self.outgoing.again(row):
                yield row.name, UNASKED
            elif row.done_at is not None and row.kind == NOTICE:
                yield from self._sent(told, row, sent)
            elif row.done_at is not None and (row.name, row.occurrence) in wanted:
                yield from self._fired(case, told, row)
        yield from self._untold(case, told, there)
        for p, due in reconcile(planned, [_kept(r) for r in rows], self._work.now, self._work.calendar).put:
            stood = there.get((p.name, p.occurrence))
            if stood is None and not self._excused(case, told, rows, p):
                yield p.name, GONE
            elif (
                stood is not None
                and stood.done_at is None
                and stood.due_at != stamp(due)
                and not self.outgoing.again(stood)
            ):
                yield p.name, MOVED

    def _planned(self, case: Case) -> list[Planned]:
        definition, subject, work = case.definition, case.subject, self._work
        if subject.state == VOID:
            return []
        view = work.view(case)
        return [
            *timers.fires(definition, subject.state, view, work.calendar),
            *work.kit.notifier.plan(definition, subject.state, view, work.calendar),
        ]

    # -- what is told at a step

    def _told(self, told: Sequence[Entry], row: TimerRow, sent: Sequence[OutboxRow]) -> Iterator[tuple[str, str]]:
        if all(e.id != row.occurrence for e in told):
            yield row.name, UNASKED
        elif row.done_at is not None:
            yield from self._sent(told, row, sent)

    def _untold(
        self, case: Case, told: Sequence[Entry], there: dict[tuple[str, str], TimerRow]
    ) -> Iterator[tuple[str, str]]:
        """A step that tells somebody, without its timer. What an earlier definition told is not known any more."""
        for entry in told:
            trigger = "start" if entry.kind == events.STARTED else entry.trigger
            if entry.seq <= self._loaded or entry.kind not in (events.STARTED, events.MOVED) or trigger is None:
                continue
            if entry.history:
                continue
            for notice in self._work.kit.notifier.told(case.definition, trigger):
                if (notice.rule, entry.id) not in there:
                    yield notice.rule, GONE

    # -- what was done

    def _sent(self, told: Sequence[Entry], row: TimerRow, sent: Sequence[OutboxRow]) -> Iterator[tuple[str, str]]:
        """A notice that is done stands in the outbox, or the trail says why it does not."""
        if (row.outcome or "").startswith(("sent", "failed")):
            if any((r.rule, r.occurrence) == (row.name, row.occurrence) for r in sent):
                return
        elif row.outcome == "undone":
            if any(e.kind == events.VOIDED or e.undoes == row.occurrence for e in told):
                return
        elif self.outgoing.unsent(row):
            return
        yield row.name, UNDONE

    def _fired(self, case: Case, told: Sequence[Entry], row: TimerRow) -> Iterator[tuple[str, str]]:
        """A step of the clock that is called done, and still asked for, was refused."""
        fires = {t.fires for t in case.definition.timers if t.name == row.name}
        if all(e.at != row.done_at or e.trigger not in fires for e in told):
            yield row.name, UNDONE

    def _excused(self, case: Case, told: Sequence[Entry], rows: Sequence[TimerRow], planned: Planned) -> bool:
        """Tells whether a timer may be missing rightly: nobody planned anew what had nothing left to wait for."""
        last = max(e.seq for e in told)
        if self._loaded > last and case.subject.state in case.definition.final:
            return True
        seq, at = self._moved
        if seq < last or any(r.done_at is None for r in rows):
            return False
        return planned.due_at <= unstamp(at) + SHIFT


def _kept(row: TimerRow) -> Kept:
    return Kept(
        name=row.name,
        occurrence=row.occurrence,
        kind=row.kind,
        due_at=unstamp(row.due_at),
        planned_at=unstamp(row.planned_at),
        done=row.done_at is not None,
    )
