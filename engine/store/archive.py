"""Every row of a store as one moment saw it, and a store made from such rows: for backups."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Boolean, Table

from engine.core.errors import BadInput, Damaged
from engine.store import tables
from engine.store.copy import dump
from engine.store.faults import Taken
from engine.store.ports import Store
from engine.store.sql import SqlStore
from engine.store.statements import columns_of

_PAGE = 2000  # rows written at once
_NAME = re.compile(r"[a-z_]{1,60}\Z")
REVISION = tables.REVISION


@dataclass(frozen=True, kw_only=True)
class Part:
    """A table: its name, its columns, and its rows, read once."""

    table: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]


def parts(store: Store) -> Iterator[Part]:
    """Yields every table of a store. Others go on writing meanwhile."""
    for table, rows in dump(store):
        columns = ["name", "value"] if table is tables.settings else columns_of(table)
        yield Part(table=table.name, columns=columns, rows=_plain(table, columns, rows))


def _plain(table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    flags = [isinstance(table.c[name].type, Boolean) for name in columns]
    for row in rows:  # SQLite keeps booleans as 0 and 1, PostgreSQL takes no number for one
        yield [bool(v) if flag and v is not None else v for v, flag in zip(row, flags, strict=True)]


def fill(store: Store, revision: str, found: Iterable[Part]) -> None:
    """Makes an empty database of that revision, fills it, and brings it to this version.

    Raises BadInput when it is not empty, or the rows are of a later version.
    """
    if not isinstance(store, SqlStore):
        raise BadInput("a backup is restored to SQLite or PostgreSQL")
    if revision > REVISION:
        raise BadInput("The backup was made by a later version of this program ({found}).", found=revision)
    from engine.store.migrate import upgrade

    if store.revision() is not None:
        raise Taken(place=store.database.place)
    upgrade(store.database, revision)
    with store.connection() as connection:
        connection.begin(write=True)
        for part in found:
            sql = _insert(part, numbered=not store.statements.is_sqlite)
            rows = iter(part.rows)
            while page := [tuple(row) for row in islice(rows, _PAGE)]:
                connection.run_many(sql, page)
        connection.commit()
    store.create()


def clear(store: Store) -> None:
    """Takes away all tables and functions of this program, as they were before `fill`. Nothing else is touched."""
    if not isinstance(store, SqlStore) or store.statements.is_sqlite:
        raise BadInput("only a database on a server is cleared; a file is deleted")
    names = [*tables.metadata.tables, "alembic_version"]
    with store.connection() as connection:
        connection.begin(write=True)
        made = connection.rows(
            "SELECT DISTINCT p.proname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
            "JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND c.relname = ANY(%s) "
            "AND c.relnamespace = current_schema()::regnamespace",
            (names,),
        )
        for name in names:
            connection.run(f'DROP TABLE IF EXISTS "{name}" CASCADE', ())
        for (function,) in made:
            connection.run(f'DROP FUNCTION IF EXISTS "{function}"', ())
        connection.commit()


def _insert(part: Part, *, numbered: bool) -> str:
    names = [part.table, *part.columns]
    if not all(_NAME.match(name) for name in names):
        raise Damaged("The backup names a table or a column that there cannot be.")
    places = ", ".join("%s" if numbered else "?" for _ in part.columns)
    columns = ", ".join(f'"{name}"' for name in part.columns)
    return f'INSERT INTO "{part.table}" ({columns}) VALUES ({places})'  # noqa: S608 - names that were checked
