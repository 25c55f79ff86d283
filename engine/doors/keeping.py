"""The door to keeping the office: who may, its officers and their terms, substitutes, days off."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from engine import officework, permits, scope
from engine.core.authority import Officer
from engine.core.errors import NotFound
from engine.core.events import unstamp
from engine.doors import OpenWork
from engine.kit import Kit
from engine.permits import permit
from engine.rehearsing import writing
from engine.signing_in import alive
from engine.steps import By
from engine.store.rows import OfficerRow, RoleRow, SessionRow, SubstituteRow
from engine.work import Work


@dataclass(frozen=True, kw_only=True)
class Directory:
    """The officers whom somebody may see, and those of them whom they may change."""

    officers: Sequence[Officer]
    keeps: Collection[str]


@dataclass(frozen=True, kw_only=True)
class Personnel:
    """An officer with all that an administrator decides about. `row` is None where the reader is none."""

    officer: Officer
    terms: Sequence[RoleRow]
    row: OfficerRow | None
    factor: bool
    sessions: Sequence[SessionRow]
    may_change: bool
    may_open: bool  # accounts: passwords, codes, sessions


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What other days off do to one notice rule or step of the clock: how many of its dates move, and one of them."""

    workflow: str
    name: str
    count: int
    before: datetime
    after: datetime


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A substitution, with whether the reader may end it."""

    row: SubstituteRow
    may_end: bool


class Keeping:
    """What those who keep the office see and do. Who may is said by the area's permissions."""

    def __init__(self, open_work: OpenWork, kit: Kit) -> None:
        self._work, self._kit = open_work, kit

    def may(self, what: str, by: By, unit: str | None = None) -> bool:
        """Tells whether an officer may change `what` (a permission of the area), at a unit or where they serve."""
        with self._work() as work:
            return permits.may(work, what, by, unit)

    def reach(self, what: str, by: By) -> frozenset[str]:
        """Returns the units over which an officer may change `what`."""
        with self._work() as work:
            return permits.reach(work, what, by)

    # -- officers

    def directory(self, by: By) -> Directory:
        """Returns the officers of the units that somebody reads or keeps."""
        with self._work() as work:
            keeps = permits.reach(work, "officers", by) | permits.reach(work, "accounts", by)
            seen = keeps | scope.units(work.office, work.library.area, by) | {_home(work, by)}
            officers = [o for o in work.office.officers.values() if o.org in seen]
            return Directory(officers=officers, keeps={o.id for o in officers if o.org in keeps})

    def officer(self, id: str, by: By) -> Personnel:
        """Returns an officer. Raises NotFound, also for one whom the reader may not see."""
        with self._work() as work:
            found = work.office.officers.get(id)
            change = found is not None and permits.may(work, "officers", by, found.org)
            account = found is not None and permits.may(work, "accounts", by, found.org)
            seen = scope.units(work.office, work.library.area, by) | {_home(work, by)}
            if found is None or not (change or account or found.org in seen):
                raise NotFound("{officer} is not an officer here", officer=id)
            factor = work.tx.factor(id)
            keeps = change or account
            return Personnel(
                officer=found,
                terms=sorted((r for r in work.tx.roles() if r.officer == id), key=lambda r: (r.from_day, r.role)),
                row=next(r for r in work.tx.officers() if r.id == id) if keeps else None,
                factor=account and factor is not None and factor.confirmed_at is not None,
                sessions=[r for r in reversed(work.tx.sessions_of(id)) if alive(work, r)] if account else [],
                may_change=change,
                may_open=account,
            )

    # -- substitutes

    def substitutes(self, by: By) -> list[Standing]:
        """Returns the substitutions that are the officer's own, or of units whose substitutes they may name."""
        with self._work() as work:
            reach = permits.reach(work, "substitutes", by)
            found = []
            for row in sorted(work.tx.substitutes(), key=lambda r: (r.from_day, r.id), reverse=True):
                away = work.office.officers.get(row.officer)
                names = row.officer == by.officer or (away is not None and away.org in reach)
                if names or row.stand_in == by.officer:
                    found.append(Standing(row=row, may_end=names and row.until_day >= work.today.isoformat()))
            return found

    def end_substitute(self, id: str, by: By) -> None:
        """Ends a substitution before its day. Officers end their own. Raises NotFound, BadInput and Denied."""
        with self._work(write=True) as work:
            row = next((s for s in work.tx.substitutes() if s.id == id), None)
            away = work.office.officers.get(row.officer) if row is not None else None
            if row is not None and by.officer != row.officer:
                by = permit(work, "substitutes", by, away.org if away is not None else None)
            officework.end_substitute(work, id, by)

    # -- days off

    def days(self) -> Mapping[date, bool]:
        """Returns the days that the office declared itself: off (True) or working (False)."""
        with self._work() as work:
            return {date.fromisoformat(d.day): d.off for d in work.tx.days()}

    def days_tried(self, days: Iterable[tuple[date, bool]], by: By) -> tuple[int, list[Moved]]:
        """Returns how many days would change, and what dates move with them; changes nothing. Raises Denied."""
        with writing(self._work, self._kit, rehearse=True) as work:
            permit(work, "calendar", by)
            before = _pending(work)
            changed = officework.put_days(work, days, by)
            work.flush()
            moved = _moved(work, before, _pending(work))
        return changed, moved


_Dates = Mapping[tuple[str, str, str], str]


def _home(work: Work, by: By) -> str:
    own = work.office.officers.get(by.officer or "")
    return own.org if own is not None else ""


def _pending(work: Work) -> _Dates:
    """Returns when everything planned is due: (subject, name, occurrence) -> stored time."""
    rows = work.tx.timers(work.tx.pending_subjects())
    return {(t.subject, t.name, t.occurrence): t.due_at for t in rows if t.done_at is None}


def _moved(work: Work, before: _Dates, after: _Dates) -> list[Moved]:
    pairs = [(key, before[key], after[key]) for key in before if after.get(key, before[key]) != before[key]]
    work.fetch(key[0] for key, _, _ in pairs)
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for (subject, name, _), old, new in pairs:
        found.setdefault((work.case(subject).subject.workflow, name), []).append((old, new))
    return [
        Moved(workflow=w, name=n, count=len(dates), before=unstamp(min(dates)[0]), after=unstamp(min(dates)[1]))
        for (w, n), dates in sorted(found.items())
    ]
