"""Connections to PostgreSQL 15 or later, with psycopg 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import psycopg
from psycopg import errors
from sqlalchemy import URL
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import Dialect

from engine.core.errors import BadInput
from engine.store.faults import WAIT_S, NoTables, busy, full, stands_already, unwritable
from engine.store.sql import Gone

_OLDEST = 150000  # PostgreSQL 15, in the server's own way of counting

# One writer at a time, as on SQLite: what a writing transaction reads stays true until its commit, in every table, and
# nothing can deadlock. The lock is held to the end of the transaction. The number is an arbitrary one of this program.
_WRITERS = 0x6B65746E6170
_BEGIN_WRITE = f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({_WRITERS})"
_BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"  # one moment for all that is read

_BUSY = (errors.LockNotAvailable, errors.SerializationFailure, errors.DeadlockDetected)


class PostgresDatabase:
    """A database on a server."""

    single = False
    seals_apart = True

    def __init__(self, url: URL, wait_s: float = WAIT_S) -> None:
        self.dialect: Dialect = PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]
        self.place = url.render_as_string(hide_password=True)
        self._url = url
        self._wait_s = wait_s

    def connect(self) -> PostgresConnection:
        """Connects. Raises BadInput when the server, or the database, cannot be had or is too old."""
        raw = self._open()
        raw.autocommit = True  # transactions are begun and ended by PostgresConnection
        return PostgresConnection(self, raw)

    def raw(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Connects; the driver begins a transaction with the first statement."""
        return self._open()

    def lock_sql(self) -> str:
        """Keeps the other writers out."""
        return f"SELECT pg_advisory_xact_lock({_WRITERS})"

    def _open(self) -> psycopg.Connection[tuple[Any, ...]]:
        _, named = self.dialect.create_connect_args(self._url)
        try:
            raw = psycopg.connect(**{"connect_timeout": 10, "application_name": "ketnap", **named})
            self._check_server(raw)
            raw.execute(f"SET lock_timeout = {round(self._wait_s * 1000)}")
            raw.execute("SET synchronous_commit = on")  # whatever the server's default: an answered step is durable
            raw.commit()
        except psycopg.OperationalError as error:
            raise BadInput(
                "The database {place} cannot be opened: {detail}. "
                "See that the server runs, and that the database is made (createdb).",
                place=self.place,
                detail=str(error).strip(),
            ) from error
        except psycopg.ProgrammingError as error:  # an option in the URL that libpq does not know
            raise BadInput(
                "The database URL {place} is wrong: {detail}", place=self.place, detail=str(error)
            ) from error
        return cast("psycopg.Connection[tuple[Any, ...]]", raw)

    def _check_server(self, raw: psycopg.Connection[Any]) -> None:
        if raw.info.server_version < _OLDEST:
            raise BadInput("{place} is older than PostgreSQL 15.", place=self.place)
        encoding = raw.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise BadInput(
                "The database {place} is in {encoding}; make it in UTF8.", place=self.place, encoding=encoding
            )

    def fault(self, error: BaseException) -> BaseException:
        """Returns what `ports` names in place of an error of PostgreSQL."""
        match error:
            case errors.UniqueViolation():
                return stands_already(error.diag.table_name or "")
            case _ if isinstance(error, _BUSY):
                return busy(self._wait_s)
            case errors.DiskFull():
                return full(self.place)
            case errors.UndefinedTable():
                return NoTables(self.place)
            case psycopg.OperationalError():
                return unwritable(self.place, error)
        return error


class PostgresConnection:
    """A held connection in autocommit mode, so that BEGIN and COMMIT are ours."""

    def __init__(self, database: PostgresDatabase, raw: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._database = database
        self._raw = raw

    @property
    def usable(self) -> bool:
        """Whether the connection still stands."""
        return not self._raw.closed

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Returns all rows of a reading statement."""
        try:
            return self._raw.execute(sql.encode(), values).fetchall()
        except psycopg.Error as error:
            raise self._database.fault(error) from error

    def run(self, sql: str, values: Sequence[Any]) -> int:
        """Runs a writing statement once."""
        try:
            return self._raw.execute(sql.encode(), values).rowcount
        except psycopg.Error as error:
            raise self._database.fault(error) from error

    def run_many(self, sql: str, many: Sequence[Sequence[Any]]) -> int:
        """Runs a writing statement for each, in a pipeline; the driver adds up the rows."""
        try:
            with self._raw.cursor() as cursor:
                cursor.executemany(sql.encode(), many)
                return cursor.rowcount
        except psycopg.Error as error:
            raise self._database.fault(error) from error

    def begin(self, *, write: bool) -> None:
        """Begins, and for writing waits for the lock. Raises Gone when the server closed this connection meanwhile."""
        try:
            self._raw.execute(_BEGIN_WRITE if write else _BEGIN_READ)
        except psycopg.Error as error:
            if self._raw.closed:
                raise Gone from error
            self.roll_back()  # the transaction has begun, and waited in vain
            raise self._database.fault(error) from error

    def commit(self) -> None:
        """Returns when the server has the write-ahead log on its disk."""
        self._do("COMMIT")

    def _do(self, sql: str) -> None:
        """Runs a statement that gives no rows."""
        try:
            self._raw.execute(sql.encode())
        except psycopg.Error as error:
            raise self._database.fault(error) from error

    def roll_back(self) -> None:
        """Rolls back; closes the connection where that fails."""
        try:
            self._raw.execute("ROLLBACK")
        except psycopg.Error:
            self._raw.close()

    def scrub(self) -> None:
        """Rewrites the tables that hold keys, facts, names and notices; the system gets their old files back."""
        self._do("VACUUM (FULL) keys, subjects, outbox, listings, terms, dues, likenesses, drafts")

    def close(self) -> None:
        """Closes the connection."""
        self._raw.close()
