"""A store in memory that sees to it that whatever a transaction changed has its event in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.store.memory import MemoryStore, MemoryTransaction

# What is no part of the office or of anybody's data, and why.
NOT_RECORDED = {
    "sessions": "when an officer was last here; that one began, ended or acts for another is an event",
    "timers": "what waits for the clock follows from the events; verifying works it out anew",
    "outbox": "the same, until a notice goes out or is settled, which is an event",
    "attempts": "how often somebody failed within the last minutes; each failure is an event",
    "factors": "which one-time code was used last; that codes were given is an event, see verifying",
    "drafts": "what an officer has filled in and not yet recorded, sealed",
    "saved": "how an officer likes to see a list, sealed",
}


class WatchingStore(MemoryStore):
    """Keeps in `unrecorded` the tables that a transaction changed without an event."""

    def __init__(self) -> None:
        super().__init__()
        self.unrecorded: list[str] = []

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[MemoryTransaction]:
        """As in `MemoryStore`."""
        with super().transaction(write=write) as unit:
            yield unit
            if len(unit._tables.events) == unit._events_before:
                names = {id(table): name for name, table in vars(unit._tables).items()}
                changed = {names[id(table)] for table, key, old in unit._undo if table.rows.get(key) != old}
                self.unrecorded += sorted(changed - set(NOT_RECORDED))
