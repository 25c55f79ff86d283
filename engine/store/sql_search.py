"""Finding events of the trail, and by which rules they were judged, in a unit of work on an SQL database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import Any

from engine.store import tables
from engine.store.judged import rule_marker, stretches_of
from engine.store.rows import EventRow, EventSearch, Head, JudgedRow
from engine.store.sql_listings import SqlListings
from engine.store.sql_unit import Shape

_events = Shape(tables.events, EventRow)
_judged = Shape(tables.judged, JudgedRow)

FIRST_STRETCH, WIDENED = 2048, 4  # events looked through at once, and how many times as many next

RECENT = 10_240  # events that are looked through for all units at once


def _widening(first: int, end: int) -> Iterator[tuple[int, int]]:
    """Yields stretches of the trail, the last events first: few, and more each time, so that whoever finds enough
    among the last sorts no others, and whoever finds nothing has asked only a few times."""
    wide = FIRST_STRETCH
    while end > first:
        low = max(first, end - wide)
        yield low, end
        end, wide = low, wide * WIDENED


class SqlSearch(SqlListings):
    """Keeps the promises of `ports.Transaction` about finding events."""

    def head(self) -> Head:
        if self._head is None:
            found = self._rows(self._statements.head())
            seq, link, at = found[0] if found else (-1, bytes(32), "")
            self._head = Head(size=seq + 1, link=link, at=at)
        return self._head

    def search_events(self, wanted: EventSearch, *, before: int | None = None, limit: int) -> Sequence[EventRow]:
        places: dict[str, Any] = {
            "breached": wanted.breached or None,
            "trigger": wanted.trigger,
            "late_turn": wanted.late_turn,
        }
        for name in ("subjects", "orgs", "kinds"):
            listed: tuple[str, ...] | None = getattr(wanted, name)
            if listed is not None and len(listed) == 1:  # an index then gives them in order
                places[name.removesuffix("s")] = listed[0]
            elif listed is not None:
                many = name == "orgs" and (wanted.breached or wanted.subjects is not None)
                places["many_orgs" if many else name] = self._statements.list_of(listed)
        first = None if wanted.since is None else self._first_since(wanted.since)
        if wanted.until is not None:
            after = self._first_since(wanted.until, later=True)
            before = after if before is None else min(before, after)
        if wanted.orgs == ():
            return []
        low, high = first or 0, self.head().size if before is None else before
        stretches: Iterable[tuple[int, int]] = [(low, high)]
        older = low  # up to here units are looked through one by one
        if wanted.rule is not None:
            places["judged"] = rule_marker(wanted.rule)
            stretches = stretches_of(self.judged_blocks(wanted.rule), low, high)
        elif "orgs" in places or "kinds" in places:  # an index gives those of each, and all of them are sorted
            if "orgs" in places and wanted.officer is None and not self._are_few(wanted.kinds, low, high):
                older = max(low, high - RECENT)
            stretches = _widening(older, high)
        by = ({"actor": wanted.officer}, {"behalf": wanted.officer}) if wanted.officer is not None else ({},)
        found: dict[int, EventRow] = {}
        for start, end in stretches:
            for one in by:
                found |= {r.seq: r for r in self._searched(limit, {**places, **one, "first": start, "before": end})}
            if len(found) >= limit:
                break
        rows = sorted(found.values(), key=lambda r: -r.seq)[:limit]
        if older > low and len(rows) < limit:
            rows += self._merged(wanted.orgs or (), limit - len(rows), {**places, "first": low, "before": older})
        return rows

    def _searched(self, limit: int, places: Mapping[str, Any]) -> Sequence[EventRow]:
        given = {name: value for name, value in places.items() if value is not None}
        return self._read(_events, self._statements.search(sorted(given)), limit=limit, **given)

    def _merged(self, units: Sequence[str], limit: int, places: Mapping[str, Any]) -> Sequence[EventRow]:
        """Finds as `_searched`, each of many units by itself and a few at a time, so that hardly more are read than are
        found."""
        few = 1 + limit // len(units)

        def of(unit: str) -> Iterator[EventRow]:
            end = places["before"]
            while rows := self._searched(few, {**places, "orgs": None, "org": unit, "before": end}):
                yield from rows
                if len(rows) < few:
                    return
                end = rows[-1].seq

        return list(islice(merge(*map(of, units), key=lambda row: -row.seq), limit))

    def _are_few(self, kinds: Sequence[str] | None, low: int, high: int) -> bool:
        """Tells whether events of these kinds are so few in a stretch that all of them may be looked through."""
        if kinds is None:
            return False
        statement, listed = self._statements.some_of_kinds(), self._statements.list_of(kinds)
        return len(self._rows(statement, kinds=listed, first=low, before=high, limit=FIRST_STRETCH)) < FIRST_STRETCH

    def _first_since(self, at: str, *, later: bool = False) -> int:
        """Returns the seq of the first event at or (`later`) after a time: times never go back along the trail."""
        low, high = 0, self.head().size
        statement = self._statements.event_at()
        while low < high:
            middle = (low + high) // 2
            found = self._rows(statement, seq=middle)
            stands = found[0][0] if found else at  # a missing event is the verification's to find
            if stands < at or (later and stands == at):
                low = middle + 1
            else:
                high = middle
        return low

    def put_judged(self, rows: Iterable[JudgedRow]) -> None:
        self._write_rows(_judged, self._statements.insert_or_leave(tables.judged, "rule", "block"), rows)

    def judged_blocks(self, rule: str) -> Sequence[int]:
        return [row[0] for row in self._rows(self._statements.judged_blocks(), rule=rule)]

    def judged(self, first: int, end: int) -> Sequence[JudgedRow]:
        return self._read(_judged, self._statements.judged(), first=first, end=end)
