"""The ground of a unit of work on an SQL database: a session, rows and tuples, running one statement or many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Boolean, Table

from engine.core.errors import Conflict
from engine.store import tables
from engine.store.faults import Misuse
from engine.store.rows import (
    Head,
)
from engine.store.statements import Statement, Statements, columns_of

R = TypeVar("R")
PAGE = 1000  # events read at once


class Session(Protocol):
    """A connection inside a transaction. Each raises what `ports` names, in place of the driver's own errors."""

    def rows(self, sql: str, values: Sequence[Any], /) -> list[tuple[Any, ...]]: ...
    def run(self, sql: str, values: Sequence[Any], /) -> int:
        """Returns how many rows were written."""

    def run_many(self, sql: str, many: Sequence[Sequence[Any]], /) -> int:
        """Returns how many rows were written in all."""


class Shape(Generic[R]):
    """Turns rows into tuples in the order of a statement's places, and tuples in the table's order into rows."""

    def __init__(self, table: Table, row: Callable[..., R]) -> None:
        self.table = table
        self._row = row
        self._names = columns_of(table)
        self._flags = [name for name in self._names if isinstance(table.c[name].type, Boolean)]
        self._getters: dict[tuple[str, ...], Callable[[R], Any]] = {}

    def row(self, values: tuple[Any, ...]) -> R:
        """Builds one row."""
        named = dict(zip(self._names, values, strict=True))
        for flag in self._flags:  # SQLite keeps them as 0 and 1
            named[flag] = bool(named[flag])
        return self._row(**named)

    def values(self, order: tuple[str, ...], rows: Iterable[R]) -> list[Any]:
        """Returns a tuple a row. No table has a statement with a single place, so attrgetter gives tuples."""
        getter = self._getters.get(order)
        if getter is None:
            getter = self._getters[order] = attrgetter(*order)
        return [getter(row) for row in rows]


class SqlUnit:
    """Runs statements on a session, as long as the transaction lasts."""

    def __init__(self, session: Session, statements: Statements, write: bool, *, seals: bool = True) -> None:
        self._session: Session | None = session
        self._statements = statements
        self._write = write
        self._seals = seals  # events bring the nodes of the tree along
        self._head: Head | None = None
        self.is_lost = False

    def end(self) -> None:
        """Refuses all further use."""
        self._session = None

    # -- running

    def _rows(self, statement: Statement, **values: Any) -> list[tuple[Any, ...]]:
        if self._session is None:
            raise Misuse("this transaction has ended")
        return self._session.rows(statement.sql, statement.fill(values))

    def _run_many(self, statement: Statement, many: Sequence[tuple[Any, ...]]) -> int:
        if self._session is None:
            raise Misuse("this transaction has ended")
        if not self._write:
            raise Misuse("a reading transaction does not write")
        try:
            if len(many) == 1:
                return self._session.run(statement.sql, many[0])
            return self._session.run_many(statement.sql, many) if many else 0
        except Exception:
            self.is_lost = True
            raise

    def _read(self, shape: Shape[R], statement: Statement, **values: Any) -> list[R]:
        return [shape.row(row) for row in self._rows(statement, **values)]

    def _write_rows(self, shape: Shape[R], statement: Statement, rows: Iterable[R]) -> int:
        return self._run_many(statement, shape.values(statement.order, rows))

    def _put(self, shape: Shape[R], rows: Iterable[R]) -> None:
        self._write_rows(shape, self._statements.insert_or_replace(shape.table), rows)

    def _all(self, shape: Shape[R]) -> list[R]:
        return self._read(shape, self._statements.all_rows(shape.table))

    def _by_column(self, shape: Shape[R], column: str, values: Iterable[str], *order: str) -> list[R]:
        wanted = list(values)
        at, by = shape.table.c[column], [shape.table.c[name] for name in order]
        if len(wanted) == 1:  # the usual case, and cheaper than a list
            return self._read(shape, self._statements.by_value(at, *by), value=wanted[0])
        if not wanted:
            return []
        return self._read(shape, self._statements.by_values(at, *by), values=self._statements.list_of(wanted))

    def _found(self, shape: Shape[R], lists: dict[str, Iterable[str] | None], **values: Any) -> list[R]:
        places: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
        for name, listed in lists.items():
            if listed is None:
                continue
            wanted = list(listed)
            if len(wanted) == 1:
                places[name.removesuffix("s")] = wanted[0]
            else:
                places[name] = self._statements.list_of(wanted)
        return self._read(shape, self._statements.found(shape.table, sorted(places)), **places)

    def _refuse(self, fault: Conflict) -> Conflict:
        self.is_lost = True
        return fault

    def revision(self) -> str:
        """Returns the version of the tables. Raises NoTables."""
        return str(self._rows(self._statements.revision())[0][0])

    def dump(self, table: Table) -> Iterator[tuple[Any, ...]]:
        """Yields all rows of a table as tuples, by its primary key. Holds one page of events, or one other table."""
        if table is not tables.events:
            yield from self._rows(self._statements.all_rows(table))
            return
        statement, after = self._statements.events(()), -1
        while page := self._rows(statement, after=after, limit=PAGE):
            yield from page
            after = page[-1][0]
