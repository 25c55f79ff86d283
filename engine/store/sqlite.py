"""Connections to a SQLite file, or to one SQLite database in memory."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Dialect

from engine.core.errors import BadInput
from engine.store.faults import WAIT_S, NoTables, busy, full, stands_already, unwritable

_UNIQUE = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}  # the low byte of the extended code
_NO_ROOM = {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_TRUNCATE, sqlite3.SQLITE_IOERR_SHMSIZE}
_NOT_OURS = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}

# FULL, because NORMAL does not sync each commit, so that an acknowledged step could be lost at a power cut;
# secure_delete, because erased persons must not stay in the free pages of the file; 64 MiB of cache, because with the
# usual 2 a large batch spills to the disk before its commit.
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "secure_delete = ON",
    "temp_store = MEMORY",
    "cache_size = -65536",
)


class SqliteDatabase:
    """A file, or one database in memory where `path` is None."""

    seals_apart = False

    def __init__(self, path: Path | None, wait_s: float = WAIT_S) -> None:
        self.dialect: Dialect = SQLiteDialect_pysqlite(paramstyle="qmark")
        self.single = path is None
        self.place = "sqlite://" if path is None else str(path)
        self._path = path
        self._wait_s = wait_s
        self._memory: sqlite3.Connection | None = None

    def connect(self) -> SqliteConnection:
        """Opens the file, which must be there."""
        if self._path is not None and not self._path.exists():
            raise NoTables(self.place)
        return SqliteConnection(self, self._open())

    def raw(self) -> sqlite3.Connection:
        """Opens the file; makes it when it is not there, readable by its owner only: it holds persons."""
        if self._path is not None:
            try:
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            except OSError as error:
                raise self._cannot_open(error.strerror or error) from error
        return self._open()

    def lock_sql(self) -> str:
        """Begins a writing transaction."""
        return "BEGIN IMMEDIATE"

    def _open(self) -> sqlite3.Connection:
        if self._memory is not None:
            return self._memory
        name = ":memory:" if self._path is None else f"file:{quote(str(self._path.absolute()))}?mode=rw"
        try:
            raw = sqlite3.connect(name, timeout=self._wait_s, isolation_level=None, check_same_thread=False, uri=True)
            for pragma in _PRAGMAS:
                raw.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            raise self.fault(error) from error
        if self.single:
            self._memory = raw
        return raw

    def _cannot_open(self, detail: object) -> BadInput:
        return BadInput("The database file {place} cannot be opened: {detail}", place=self.place, detail=str(detail))

    def fault(self, error: BaseException) -> BaseException:
        """Returns what `ports` names in place of an error of SQLite."""
        if not isinstance(error, sqlite3.Error):
            return error
        code = getattr(error, "sqlite_errorcode", 0)  # absent where the module itself refuses
        if code in _UNIQUE:  # "UNIQUE constraint failed: subjects.id"
            return stands_already(str(error).rpartition(": ")[2].partition(".")[0])
        match code & 0xFF:
            case kind if kind in _BUSY:
                return busy(self._wait_s)
            case kind if kind in _NOT_OURS:
                return BadInput("{place} is not a database file, or a damaged one.", place=self.place)
            case sqlite3.SQLITE_CANTOPEN:
                return self._cannot_open(error)
            case sqlite3.SQLITE_ERROR if str(error).startswith("no such table"):
                return NoTables(self.place)
            case sqlite3.SQLITE_FULL:
                return full(self.place)
            case sqlite3.SQLITE_IOERR if code in _NO_ROOM:  # a limit on the size of files looks so
                return full(self.place)
            case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
                return unwritable(self.place, error)
        return error


class SqliteConnection:
    """A held connection, outside the driver's own handling of transactions."""

    usable = True

    def __init__(self, database: SqliteDatabase, raw: sqlite3.Connection) -> None:
        self._database = database
        self._raw = raw

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Returns all rows of a reading statement."""
        try:
            return self._raw.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._database.fault(error) from error

    def run(self, sql: str, values: Sequence[Any]) -> int:
        """Runs a writing statement once."""
        try:
            return self._raw.execute(sql, values).rowcount
        except sqlite3.Error as error:
            raise self._database.fault(error) from error

    def run_many(self, sql: str, many: Sequence[Sequence[Any]]) -> int:
        """Runs a writing statement for each; the driver adds up the rows."""
        try:
            return self._raw.executemany(sql, many).rowcount
        except sqlite3.Error as error:
            raise self._database.fault(error) from error

    def begin(self, *, write: bool) -> None:
        """Takes the lock for writing at once: taken later, it could fail with what was read meanwhile out of date."""
        self.rows("BEGIN IMMEDIATE" if write else "BEGIN", ())

    def commit(self) -> None:
        """Returns when the write-ahead log is on the disk."""
        self.rows("COMMIT", ())

    def roll_back(self) -> None:
        """Rolls back, unless SQLite did already."""
        try:
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK")
        except sqlite3.Error:
            self.usable = False

    def scrub(self) -> None:
        """Moves the write-ahead log into the file and empties it; secure_delete has overwritten the rest."""
        blocked, _, _ = self.rows("PRAGMA wal_checkpoint(TRUNCATE)", ())[0]
        if blocked:
            raise busy(self._database._wait_s)

    def close(self) -> None:
        """Closes the connection; the last one also moves the write-ahead log into the file."""
        self._raw.close()

    def backup(self, target: SqliteConnection) -> None:
        """Copies the whole database, as of one moment, into another one."""
        try:
            self._raw.backup(target._raw)
        except sqlite3.Error as error:
            raise self._database.fault(error) from error
