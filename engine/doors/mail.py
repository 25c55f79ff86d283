"""The door to notices as one officer may see them: those about what they read, and their own; and what they prefer.

Who may settle notices of a unit without reading its subjects sees that there is a notice and what became of it, and
neither what it says nor whom it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from engine import officework, outbox, permits, previewing, resolving, scope
from engine.core.authority import Officer
from engine.core.errors import NotFound
from engine.core.events import stamp, unstamp
from engine.core.sending import Drafter
from engine.core.timers import FIRE
from engine.doors import OpenWork
from engine.doors.access import Access
from engine.officework import OfficerChange
from engine.previewing import Preview
from engine.steps import By
from engine.store.rows import OutboxRow, TimerRow
from engine.work import Case, Work

MOST = 4_000  # rows that one page looks through
PAGE = 500  # notices that one page shows
PLANNED = 1_000  # planned notices that one page looks through
STATES = ("queued", "claimed", "accepted", "delivered", "refused", "failed", "unknown", "cancelled")


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A notice. `text` and `case` are None for whoever may settle it only; `may`: what they may say of it."""

    row: OutboxRow
    text: Mapping[str, str] | None
    case: Case | None
    may: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Coming:
    """A notice that is planned as things stand now."""

    at: datetime
    rule: str
    case: Case


class Mail:
    """Notices for one officer."""

    def __init__(self, open_work: OpenWork, access: Access, drafter: Drafter) -> None:
        self._work, self._access, self._drafter = open_work, access, drafter

    # -- what went out, and waits

    def between(
        self, first: date, last: date, by: By, states: Iterable[str] = STATES, limit: int = PAGE, skip: int = 0
    ) -> tuple[list[Letter], bool]:
        """Returns the notices due from one day to another, the earliest first, and whether these are all.

        The first `skip` of them are left out.
        """
        with self._work() as work:
            begins, ends = _bounds(work, first, last)
            rows = work.tx.outbox(states=list(states), since=begins, until=ends, limit=MOST)
            found = _Seeing(work, by).letters(rows, skip, limit + 1)
        if any(letter.case is not None for letter in found):
            self._access.listed("notices", len(found), by)
        return found[:limit], len(rows) < MOST and len(found) <= limit

    def unsettled(self, by: By, limit: int = 200) -> list[Letter]:
        """Returns the notices that somebody has to settle: unknown, failed or refused."""
        with self._work() as work:
            rows = work.tx.outbox(states=["unknown", "failed", "refused"], limit=MOST)
            found = [x for x in _Seeing(work, by).letters(rows) if x.may][:limit]
        if any(letter.case is not None for letter in found):
            self._access.listed("notices", len(found), by)
        return found

    def one(self, id: str, by: By) -> Letter:
        """Returns a notice. Raises NotFound."""
        with self._work() as work:
            found = _Seeing(work, by).letters(work.tx.outbox(ids=[id]))
        if not found:
            raise NotFound("there is no notice {id}", id=id)
        if found[0].case is not None:
            self._access.listed("notices", 1, by, subject=found[0].row.subject)
        return found[0]

    def resolve(self, id: str, outcome: str, by: By, reason: str | None = None) -> int:
        """Settles a notice that the officer sees. Raises NotFound, Denied and BadInput."""
        self.one(id, by)
        with self._work(write=True) as work:
            by = permits.permit(work, "notices", by)
            return resolving.resolve(work, [id], outcome, by, reason)

    # -- what comes

    def coming(self, first: date, last: date, by: By, limit: int = PLANNED, skip: int = 0) -> tuple[list[Coming], bool]:
        """Returns what is planned from one day to another as things stand now, and whether that is all of it.

        The first `skip` of it are left out.
        """
        looked = PLANNED if first != last else MOST
        with self._work() as work:
            begins, ends = _bounds(work, first, last)
            due = work.tx.due_timers(ends, looked, since=begins)
            planned = _planned(work, [t for t in due if t.kind != FIRE], by)
            found = planned[skip : skip + limit]
        if found:
            self._access.listed("coming_notices", len(found), by)
        return found, len(due) < looked and len(planned) <= skip + limit

    def preview(self, subject: str, rule: str, by: By) -> Preview:
        """Returns what a rule would say of a subject today, and to whom. Raises NotFound."""
        with self._work() as work:
            if not scope.reads(work, work.case(subject), by):
                raise NotFound("there is no subject {subject}", subject=subject)
        self._access.opened(subject, "preview", by)
        with self._work() as work:
            return previewing.preview(work, self._drafter, rule, subject)

    # -- one's own

    def me(self, by: By) -> tuple[Officer, bool]:
        """Returns the officer, and whether their calendar feed is open. Raises NotFound."""
        with self._work() as work:
            row = next((r for r in work.tx.officers() if r.id == by.officer), None)
            officer = work.office.officers.get(by.officer or "")
            if row is None or officer is None:
                raise NotFound("{officer} is not an officer here", officer=by.officer)
            return officer, row.feed is not None

    def prefer(self, channels: Sequence[str], webhook: str, by: By) -> None:
        """Says by which channels the officer wants notices, in order, and at which address a program takes them.

        Raises BadInput.
        """
        with self._work(write=True) as work:
            change = OfficerChange(id=by.officer or "", channels=list(channels), webhook=webhook)
            officework.put_officers(work, [change], By(officer=by.officer, command=by.command))


class _Seeing:
    """What one officer sees of notices."""

    def __init__(self, work: Work, by: By) -> None:
        self.work, self.by = work, by
        self.mine = {o.id for o in scope.readers(work.office, by)}
        self.settles = permits.reach(work, "notices", by)

    def letters(self, rows: Sequence[OutboxRow], skip: int = 0, limit: int | None = None) -> list[Letter]:
        """Returns those of the rows that the officer sees: `limit` of them after the first `skip`."""
        work = self.work
        known = work.tx.subjects({r.subject for r in rows if r.subject})
        cases = {c.subject.id: c for c in work.adopt(list(known.values()))}
        read = {id for id, c in cases.items() if scope.reads(work, c, self.by)}
        seen = [r for r in rows if r.subject in read or r.recipient in self.mine or self._settles(r, cases)]
        seen = seen[skip : None if limit is None else skip + limit]
        work.keys.fetch(r.key_id for r in seen)
        return [self._letter(r, cases.get(r.subject), read=r.subject in read or r.recipient in self.mine) for r in seen]

    def _settles(self, row: OutboxRow, cases: Mapping[str, Case]) -> bool:
        case, officers = cases.get(row.subject), self.work.office.officers
        unit = (
            case.subject.org if case is not None else officers[row.recipient].org if row.recipient in officers else ""
        )
        return unit in self.settles

    def _letter(self, row: OutboxRow, case: Case | None, *, read: bool) -> Letter:
        unit = case.subject.org if case is not None else None
        settles = unit in self.settles if unit is not None else bool(self.settles)
        may = [o for o, states in resolving.ALLOWED.items() if row.state in states] if settles else []
        if not read:
            return Letter(row=row, text=None, case=None, may=may)
        return Letter(row=row, text=outbox.open_text(self.work, row), case=case, may=may)


def _planned(work: Work, timers: Sequence[TimerRow], by: By) -> list[Coming]:
    known = work.tx.subjects({t.subject for t in timers})
    cases = {c.subject.id: c for c in work.adopt(list(known.values())) if scope.reads(work, c, by)}
    return [Coming(at=unstamp(t.due_at), rule=t.name, case=cases[t.subject]) for t in timers if t.subject in cases]


def _bounds(work: Work, first: date, last: date) -> tuple[str, str]:
    ends = work.calendar.start_of(last + timedelta(days=1)) - timedelta(microseconds=1)
    return stamp(work.calendar.start_of(first)), stamp(ends)
