"""A copy of a whole store in memory, to try things on: the forecast runs the real program on one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any

from sqlalchemy import Table

from engine.store import tables
from engine.store.memory import MemoryStore
from engine.store.ports import Store
from engine.store.sql import SqlStore
from engine.store.sqlite import SqliteConnection, SqliteDatabase
from engine.store.statements import columns_of

_PAGE = 5000  # rows written at once


def copy_into_memory(store: Store) -> SqlStore:
    """Returns a fresh store in memory with every row of `store` as of one moment. Writes nothing to `store`."""
    target = SqlStore(SqliteDatabase(None))
    if isinstance(store, SqlStore) and isinstance(store.database, SqliteDatabase):
        with store.connection() as source, target.connection() as into:
            assert isinstance(source, SqliteConnection)
            assert isinstance(into, SqliteConnection)
            source.backup(into)
        return target
    target.create()
    with target.connection() as into:
        into.begin(write=True)
        for table, rows in dump(store):
            statement = target.statements.insert(table)
            while page := list(islice(rows, _PAGE)):
                into.run_many(statement.sql, page)
        into.commit()
    return target


def dump(store: Store) -> Iterator[tuple[Table, Iterator[Sequence[Any]]]]:
    """Yields each table with its rows, as tuples in the order of its columns."""
    if isinstance(store, MemoryStore):
        for name, rows in store.dump():
            table = tables.metadata.tables[name]
            yield table, iter(rows) if table is tables.settings else map(attrgetter(*columns_of(table)), rows)
        return
    if not isinstance(store, SqlStore):
        raise TypeError(f"{type(store).__name__} is no store that can be copied")
    with store.transaction(write=False) as unit:
        for table in tables.metadata.tables.values():
            yield table, unit.dump(table)
