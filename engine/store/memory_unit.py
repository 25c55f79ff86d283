"""The ground of a unit of work in memory: the tables, what is put in and taken out, and how it is taken back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.core.errors import Conflict
from engine.store.faults import Misuse
from engine.store.memory_tables import MemoryTables, Table, Undo


class MemoryUnit:
    """One unit of work on the dictionaries; `roll_back` replays the undo log backwards."""

    def __init__(self, tables: MemoryTables, write: bool) -> None:
        self._tables = tables
        self._write = write
        self._open = True
        self._undo: Undo = []
        self._events_before = len(tables.events)
        self.is_lost = False

    def roll_back(self) -> None:
        """Puts everything back as it was when the transaction began."""
        for table, key, old in reversed(self._undo):
            table.put(key, old)
        self._tables.cut_events(self._events_before)

    def end(self) -> None:
        """Refuses all further use."""
        self._open = False

    def _t(self) -> MemoryTables:
        if not self._open:
            raise Misuse("this transaction has ended")
        return self._tables

    def _w(self) -> MemoryTables:
        if not self._write:
            raise Misuse("a reading transaction does not write")
        return self._t()

    def _put(self, table: Table[Any, Any], rows: Iterable[Any]) -> None:
        for row in rows:
            key = table.key(row)
            self._undo.append((table, key, table.put(key, row)))

    def _delete(self, table: Table[Any, Any], rows: Iterable[Any]) -> None:
        for key in [table.key(row) for row in rows]:
            self._undo.append((table, key, table.put(key, None)))

    def _refuse(self, fault: Conflict) -> Conflict:
        self.is_lost = True
        return fault
