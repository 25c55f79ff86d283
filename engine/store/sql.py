"""The store on an SQL database: connections are held and reused, each transaction has one to itself."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy.engine import Dialect

from engine.core.errors import BadInput
from engine.store import tables
from engine.store.faults import WAIT_S, Misuse, NoTables, busy, lost
from engine.store.sql_unit import Session
from engine.store.statements import Statements
from engine.store.unit_of_work import SqlTransaction

_HELD = 6  # connections kept open while nobody uses them: each may hold a cache of 64 MiB


class Gone(Exception):
    """A connection that had been idle turned out to be closed by the other side."""


class Connection(Session, Protocol):
    """A session that can begin and end transactions."""

    def begin(self, *, write: bool) -> None:
        """Raises Conflict when others write for too long, Gone when the connection is of no use any more."""

    def commit(self) -> None: ...
    def roll_back(self) -> None:
        """Never raises; a connection that cannot roll back is closed."""

    def scrub(self) -> None:
        """See `SqlStore.scrub`."""

    def close(self) -> None: ...
    @property
    def usable(self) -> bool: ...


class Database(Protocol):
    """Where the connections come from."""

    dialect: Dialect
    single: bool  # there is only one connection, for all
    place: str  # what people are told; no password
    seals_apart: bool  # the nodes of the tree are written by `seal`, not with the events

    def connect(self) -> Connection:
        """Raises BadInput when there is no such database, NoTables when it is empty, both naming the mend."""

    def raw(self) -> Any:
        """Makes the database if need be (SQLite). Returns the driver's connection, outside any transaction."""

    def lock_sql(self) -> str:
        """Returns what keeps all other writers out until the end of the transaction of `raw`."""

    def fault(self, error: BaseException) -> BaseException:
        """Returns what `ports` names in place of the driver's error, or the error itself where the fault is ours."""


class SqlStore:
    """Keeps the promises of `ports.Store` on SQLite or PostgreSQL."""

    def __init__(self, database: Database, wait_s: float = WAIT_S) -> None:
        self.database = database
        self.statements = Statements(database.dialect)
        self._wait_s = wait_s
        self._free: deque[Connection] = deque()
        self._process = os.getpid()
        self._parents: list[deque[Connection]] = []
        self._lock = threading.Lock()  # for a single connection
        self._busy: set[int] = set()  # threads inside a transaction that keeps others out

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[SqlTransaction]:
        """Begins a transaction. A reading one sees one moment; a writing one runs after the others have ended.

        Raises Conflict after waiting too long, Misuse for a writing transaction inside another one of this thread.
        """
        thread = self._enter(write)
        try:
            connection = self._begin(write)
            unit = SqlTransaction(connection, self.statements, write, seals=not self.database.seals_apart)
            try:
                yield unit
                if unit.is_lost:
                    raise lost()
                connection.commit()
            except BaseException:
                connection.roll_back()
                raise
            finally:
                unit.end()
                self._give_back(connection)
        finally:
            self._leave(thread)

    def _enter(self, write: bool) -> int | None:
        if not write and not self.database.single:
            return None
        thread = threading.get_ident()
        if thread in self._busy:
            raise Misuse("a transaction is open in this thread already")
        if self.database.single and not self._lock.acquire(timeout=self._wait_s):
            raise busy(self._wait_s)
        self._busy.add(thread)
        return thread

    def _leave(self, thread: int | None) -> None:
        if thread is None:
            return
        self._busy.discard(thread)
        if self.database.single:
            self._lock.release()

    def _begin(self, write: bool) -> Connection:
        if self._process != os.getpid() and not self.database.single:
            self._forked()
        while True:
            connection = self._free.pop() if self._free else self.database.connect()
            try:
                connection.begin(write=write)
            except Gone:  # it had been idle; the next one may be well, and a new one tells what is wrong
                connection.close()
            except BaseException:
                self._give_back(connection)
                raise
            else:
                return connection

    def _forked(self) -> None:
        """After a fork the parent's connections are not ours to use, nor to close: they are kept aside."""
        self._process = os.getpid()
        self._parents.append(self._free)
        self._free = deque()

    def _give_back(self, connection: Connection) -> None:
        if connection.usable and len(self._free) < _HELD:
            self._free.append(connection)
        else:
            connection.close()

    def create(self) -> None:
        """Makes the database file (SQLite) and the tables, or brings them to this version. Safe to call twice."""
        if self.revision() == tables.REVISION:
            return
        from engine.store.migrate import upgrade  # Alembic is slow to import, and only needed here

        thread = self._enter(write=True)
        try:
            upgrade(self.database)
        finally:
            self._leave(thread)

    def revision(self) -> str | None:
        """Returns the version of the tables, None where there are none. Raises BadInput for a later version."""
        try:
            with self.transaction(write=False) as unit:
                found = unit.revision()
        except NoTables:
            return None
        if found > tables.REVISION:
            raise BadInput(
                "The database {place} was made by a later version of this program ({found}). Install that version.",
                place=self.database.place,
                found=found,
            )
        return found

    def check(self) -> None:
        """Raises BadInput when the tables are missing or of another version, naming the mend."""
        found = self.revision()
        if found is None:
            raise NoTables(self.database.place)
        if found != tables.REVISION:
            raise BadInput(
                "The database {place} is of an older version ({found}). Bring it up to date; run: ketnap init",
                place=self.database.place,
                found=found,
            )

    def seal(self) -> int:
        """See `ports.Store.seal`. Outside any transaction and without the writers' lock: a node never changes, and one
        that another sealer wrote meanwhile is left as it is."""
        if not self.database.seals_apart:
            return 0
        with self.connection() as connection:
            return SqlTransaction(connection, self.statements, True).seal()

    def scrub(self) -> None:
        """Leaves no byte of what was overwritten or deleted in the files that the database itself reads.

        To be called after an erasure, outside any transaction. Raises Conflict while others read or write too long.
        Backups, and what PostgreSQL keeps of its write-ahead log until it recycles it, are out of reach.
        """
        with self.connection() as connection:
            connection.scrub()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Gives a connection outside any transaction, for what no transaction can do; other threads may be writing."""
        thread = self._enter(write=True)
        try:
            connection = self._free.pop() if self._free else self.database.connect()
            try:
                yield connection
            except BaseException:
                connection.roll_back()
                raise
            finally:
                self._give_back(connection)
        finally:
            self._leave(thread)

    def close(self) -> None:
        """Closes the connections that nobody uses at the moment."""
        while self._free:
            self._free.pop().close()
