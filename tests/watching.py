"""A store in memory that sees to it that whatever a transaction changed has its event in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.lanes import LANES
from engine.outbox import EXPANDING
from engine.receipts import EARLY
from engine.store.memory import MemoryStore, MemoryTransaction
from engine.ticking import THROUGH

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

# Settings that are no choice of anybody's, and why.
PROGRESS = {
    THROUGH: "how far the clock has come; what it opened is an event",
    LANES: "when a gateway or a domain is tried again; that something was not sent is an event",
    EARLY: "receipts that came before what they belong to; settled, they are an event",
    EXPANDING: "that a morning's notices are still being written",
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
                for table, key, old in unit._undo:
                    name = names[id(table)]
                    if name not in NOT_RECORDED and key not in PROGRESS and table.rows.get(key) != old:
                        self.unrecorded.append(name if name != "settings" else f"settings: {key}")
