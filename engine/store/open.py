"""From a URL to a store."""

from __future__ import annotations

from pathlib import Path

from engine.core.errors import BadInput
from engine.store.memory import MemoryStore
from engine.store.ports import Store


def open_store(url: str) -> Store:
    """Opens `memory:`, `sqlite://` (in memory), `sqlite:///relative`, `sqlite:////absolute` or `postgresql://...`.

    Nothing is made and, but for the URL, nothing checked: see `Store.create` and `Store.check`. Raises BadInput.
    """
    if url == "memory:":
        return MemoryStore()
    from sqlalchemy import make_url  # not needed, and slow to import, for a store in memory
    from sqlalchemy.exc import ArgumentError

    from engine.store.sql import SqlStore

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise _unknown(url) from None
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite":
            from engine.store.sqlite import SqliteDatabase

            if parsed.host or parsed.query:
                raise _unknown(url)
            in_memory = parsed.database in (None, "", ":memory:")
            return SqlStore(SqliteDatabase(None if in_memory else Path(parsed.database or "")))
        case "postgresql" | "postgres" | "postgresql+psycopg":
            from engine.store.postgres import PostgresDatabase

            return SqlStore(PostgresDatabase(parsed.set(drivername="postgresql+psycopg")))
        case _:
            raise _unknown(url)


def _unknown(url: str) -> BadInput:
    return BadInput(
        "{url} names no database. Write sqlite:///file.db or postgresql://user@host/name.", url=_without_password(url)
    )


def _without_password(url: str) -> str:
    before, at, after = url.rpartition("@")
    scheme, slashes, user = before.partition("://")
    return f"{scheme}{slashes}{user.partition(':')[0]}{at}{after}" if at else url
