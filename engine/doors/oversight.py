"""The door to inspecting: the trail as far as one officer reads. It shows everything there, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from engine import reading, scope, trail
from engine.core import events
from engine.core.errors import NotFound
from engine.core.events import CHANGING, Entry, unstamp
from engine.doors import OpenWork
from engine.doors.access import Access
from engine.ledger import entry_of
from engine.reading import PAGE_LIMIT, Page, Query, delay_days
from engine.steps import By
from engine.supervision import Supervision, supervise
from engine.trail import Exposure
from engine.work import Case, Work

MOST = 1_000  # events that one overview reads through, the newest
COUNTED = 500  # up to so many are counted; past it, it is enough to know that there are more


@dataclass(frozen=True, kw_only=True)
class Found:
    """Events, with the subjects among them that the officer reads, and whether these are all there are."""

    entries: Sequence[Entry]
    cases: Mapping[str, Case]
    whole: bool = True
    before: int | None = None
    delays: Mapping[int, int] = field(default_factory=dict)  # days from happening to recording, by event


@dataclass(frozen=True, kw_only=True)
class Openings:
    """What one person or account opened: how often, which subjects, sensitive facts, outside office hours."""

    who: str
    times: int
    subjects: int
    sensitive: int
    off_hours: int


class Oversight:
    """The trail for one officer: events of the units they read; whoever reads every unit also sees those of none."""

    def __init__(self, open_work: OpenWork, access: Access) -> None:
        self._work, self._access = open_work, access

    # -- how far the officer reads

    def whole(self, by: By) -> bool:
        """Tells whether the officer reads every unit there is."""
        with self._work() as work:
            return _within(work, by) is None

    def see(self, unit: str | None, by: By) -> None:
        """Sees that the officer reads a unit with all below it, or (None) everything. Raises NotFound."""
        with self._work() as work:
            _see(work, unit, by)

    # -- finding

    def search(self, query: Query, by: By) -> Found:
        """Returns a page of events, newest first. Raises BadInput and NotFound."""
        with self._work() as work:
            page = reading.search(work, query, _within(work, by))
            found = _found(work, page.entries, by, before=page.before)
        self._noted("trail", found, by)
        return found

    def event(self, seq: int, by: By) -> tuple[Entry, Case | None]:
        """Returns one event, without what is sealed, and its subject. Raises NotFound."""
        with self._work() as work:
            row = next(iter(work.tx.events(after=seq - 1, until=seq)), None) if seq >= 0 else None
            within = _within(work, by)
            if row is None or (within is not None and row.org not in within):
                raise NotFound("there is no event {event}", event=seq)
            entry = entry_of(row, None, work.kit.sealer)
            return entry, _found(work, [entry], by).cases.get(entry.subject or "")

    def late(self, first: date, last: date, by: By, days: int = 1) -> Found:
        """Returns what was recorded in a period at least so many days after it happened, the latest first."""
        with self._work() as work:
            rows, whole = _all(work, Query(since=first, until=last, late_days=days, kinds=sorted(CHANGING)), by)
            delays = {e.seq: delay_days(work, e) for e in rows}
            found = _found(work, sorted(rows, key=lambda e: (-delays[e.seq], -e.seq)), by)
        self._noted("late_entries", found, by)
        return replace(found, whole=whole, delays=delays)

    def exceptions(self, first: date, last: date, by: By) -> tuple[Found, Mapping[int, str]]:
        """Returns what went through in a period against a time limit, newest first, with the reasons by event."""
        with self._work() as work:
            rows, whole = _all(work, Query(since=first, until=last, breached=True), by)
            found = replace(_found(work, rows, by), whole=whole)
            reasons: dict[int, str] = {}
            for entry in rows:
                if entry.subject in found.cases:
                    row = next(iter(work.tx.events(after=entry.seq - 1, until=entry.seq)))
                    told = (entry_of(row, work.keys, work.kit.sealer).payload or {}).get("reason")
                    if isinstance(told, str):
                        reasons[entry.seq] = told
        self._noted("exceptions", found, by)
        return found, reasons

    def refused(self, first: date, last: date, by: By) -> Found:
        """Returns the attempts of a period that rules or authority refused, newest first."""
        with self._work() as work:
            rows, whole = _all(work, Query(since=first, until=last, kinds=(events.REFUSED, events.DENIED)), by)
            found = replace(_found(work, rows, by), whole=whole)
        self._noted("refused", found, by)
        return found

    def openings(self, first: date, last: date, by: By) -> tuple[list[Openings], bool]:
        """Returns who opened subjects in a period, whoever opened most first, and whether that is all of it."""
        with self._work() as work:
            rows, whole = _all(work, Query(since=first, until=last, kinds=(events.OPENED,)), by)
            by_whom: dict[str, list[Entry]] = {}
            for entry in rows:
                by_whom.setdefault(entry.actor or entry.account or "", []).append(entry)
            found = [
                Openings(
                    who=who,
                    times=len(mine),
                    subjects=len({e.subject for e in mine}),
                    sensitive=sum(e.detail.get("through") == "facts" for e in mine),
                    off_hours=sum(_off_hours(work, e) for e in mine),
                )
                for who, mine in by_whom.items()
            ]
        return sorted(found, key=lambda o: (-o.times, o.who)), whole

    def counts(self, first: date, last: date, by: By) -> Mapping[str, tuple[int, bool]]:
        """Returns how many exceptions, late entries, refused attempts and openings a period had, and if that is all."""
        queries = {
            "exceptions": Query(since=first, until=last, breached=True),
            "late": Query(since=first, until=last, late_days=1, kinds=sorted(CHANGING)),
            "refused": Query(since=first, until=last, kinds=(events.REFUSED, events.DENIED)),
            "openings": Query(since=first, until=last, kinds=(events.OPENED,)),
        }
        with self._work() as work:
            found = {name: _all(work, query, by, COUNTED) for name, query in queries.items()}
        return {name: (len(rows), whole) for name, (rows, whole) in found.items()}

    def _noted(self, what: str, found: Found, by: By) -> None:
        if found.cases:
            self._access.listed(what, len(found.cases), by)

    # -- a unit, and the trail itself

    def supervision(self, unit: str, first: date, last: date, by: By) -> Supervision:
        """Returns what an inspector asks of a unit and a period. Raises BadInput and NotFound."""
        with self._work() as work:
            _see(work, unit, by)
            return supervise(work, unit, first, last, by)

    def exposure(self) -> Exposure:
        """Returns how much of the trail no checkpoint outside this machine covers."""
        with self._work() as work:
            return trail.exposure(work)


def _within(work: Work, by: By) -> frozenset[str] | None:
    """Returns the units that the officer reads; None where these are all there are."""
    units = scope.units(work.office, work.library.area, by)
    return None if units and units >= work.office.tree.by_id.keys() else units


def _see(work: Work, unit: str | None, by: By) -> None:
    within = _within(work, by)
    if unit is None and within is not None:
        raise NotFound("You read some units, not all. Choose one of yours.")
    if unit is not None and (unit not in work.office.tree.by_id or (within is not None and unit not in within)):
        raise NotFound("there is no organisation {org}", org=unit)


def _all(work: Work, query: Query, by: By, most: int = MOST) -> tuple[list[Entry], bool]:
    """Returns the events of a query, newest first, up to `most`, and whether these are all."""
    found: list[Entry] = []
    for page in _pages(work, replace(query, limit=min(PAGE_LIMIT, most)), by):
        found += page.entries
        if len(found) >= most:
            return found[:most], page.before is None and len(found) == most
    return found, True


def _pages(work: Work, query: Query, by: By) -> Iterator[Page]:
    within, before = _within(work, by), query.before
    while True:
        page = reading.search(work, replace(query, before=before), within)
        yield page
        if page.before is None:
            return
        before = page.before


def _found(work: Work, rows: Sequence[Entry], by: By, before: int | None = None) -> Found:
    ids = list(dict.fromkeys(e.subject for e in rows if e.subject is not None))
    known = work.tx.subjects(ids)
    cases = {c.subject.id: c for c in work.adopt(list(known.values())) if scope.reads(work, c, by)}
    return Found(entries=rows, cases=cases, before=before)


def _off_hours(work: Work, entry: Entry) -> bool:
    """Tells whether something happened on a day off, or before or after the office's hours."""
    local = unstamp(entry.at).astimezone(work.calendar.zone)
    opens, closes = work.calendar.office_hours
    return not work.calendar.is_working(local.date()) or not opens <= local.time() <= closes
