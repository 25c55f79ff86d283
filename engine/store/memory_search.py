"""Finding events of the trail, and by which rules they were judged, in a unit of work in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from operator import attrgetter

from engine.store.judged import BREACHED, rule_marker, stretches_of
from engine.store.memory_listings import MemoryListings
from engine.store.rows import HAPPENED, EventRow, EventSearch, JudgedRow


class MemorySearch(MemoryListings):
    """Keeps the promises of `ports.Transaction` about finding events."""

    def search_events(self, wanted: EventSearch, *, before: int | None = None, limit: int) -> Sequence[EventRow]:
        events = self._t().events
        last = len(events) if before is None else max(min(before, len(events)), 0)
        stretches = [(0, last)] if wanted.rule is None else stretches_of(self.judged_blocks(wanted.rule), 0, last)
        rows = (events[seq] for low, high in stretches for seq in range(high - 1, low - 1, -1))
        return list(islice((r for r in rows if _meets(r, wanted)), max(limit, 0)))

    def put_judged(self, rows: Iterable[JudgedRow]) -> None:
        self._put(self._w().judged, rows)

    def judged_blocks(self, rule: str) -> Sequence[int]:
        return sorted((block for _, block in self._t().judged.found("rule", rule)), reverse=True)

    def judged(self, first: int, end: int) -> Sequence[JudgedRow]:
        rows = self._t().judged.rows.values()
        return sorted((r for r in rows if first <= r.block < end), key=attrgetter("block", "rule"))


def _meets(row: EventRow, wanted: EventSearch) -> bool:
    return (
        (wanted.subjects is None or row.subject in wanted.subjects)
        and (wanted.orgs is None or row.org in wanted.orgs)
        and (wanted.kinds is None or row.kind in wanted.kinds)
        and (wanted.officer is None or wanted.officer in (row.actor, row.behalf))
        and (wanted.trigger is None or row.trigger == wanted.trigger)
        and (wanted.rule is None or rule_marker(wanted.rule) in row.body)
        and (not wanted.breached or BREACHED in row.body)
        and (wanted.since is None or row.at >= wanted.since)
        and (wanted.until is None or row.at <= wanted.until)
        and (wanted.late_turn is None or _late(row, wanted.late_turn))
    )


def _late(row: EventRow, turn: str) -> bool:
    if HAPPENED in row.body or row.on is None:
        return HAPPENED in row.body
    return row.on < row.at[:10] or (row.on == row.at[:10] and row.at[11:16] >= turn)
