"""One unit of work on an SQL database. What it promises is said in `ports`; what it runs is built in `statements`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Boolean, Table

from engine.audit.tree import TILE_LEVELS
from engine.core.errors import Conflict
from engine.store import tables
from engine.store.faults import Misuse, changed_meanwhile, trail_moved
from engine.store.rows import (
    DayRow,
    DefinitionRow,
    EventRow,
    EventSearch,
    Head,
    KeyRow,
    NodeRow,
    OfficerRow,
    OrgRow,
    OutboxRow,
    RoleRow,
    SubjectRow,
    SubstituteRow,
    TimerRow,
)
from engine.store.statements import Statement, Statements, columns_of
from engine.store.tiles import made_between

R = TypeVar("R")
_PAGE = 1000  # events read at once


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


_orgs = Shape(tables.orgs, OrgRow)
_officers = Shape(tables.officers, OfficerRow)
_roles = Shape(tables.roles, RoleRow)
_substitutes = Shape(tables.substitutes, SubstituteRow)
_days = Shape(tables.days, DayRow)
_definitions = Shape(tables.definitions, DefinitionRow)
_keys = Shape(tables.keys, KeyRow)
_subjects = Shape(tables.subjects, SubjectRow)
_events = Shape(tables.events, EventRow)
_nodes = Shape(tables.tree, NodeRow)
_timers = Shape(tables.timers, TimerRow)
_outbox = Shape(tables.outbox, OutboxRow)


class SqlTransaction:
    """Keeps the promises of `ports.Transaction` on a session."""

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
        while page := self._rows(statement, after=after, limit=_PAGE):
            yield from page
            after = page[-1][0]

    # -- settings

    def setting(self, name: str) -> str | None:
        found = self._rows(self._statements.by_value(tables.settings.c.name), value=name)
        return found[0][1] if found else None

    def put_setting(self, name: str, value: str) -> None:
        statement = self._statements.insert_or_replace(tables.settings)
        self._run_many(statement, [statement.fill({"name": name, "value": value})])

    # -- the office

    def orgs(self) -> Sequence[OrgRow]:
        return self._all(_orgs)

    def put_orgs(self, rows: Iterable[OrgRow]) -> None:
        self._put(_orgs, rows)

    def officers(self) -> Sequence[OfficerRow]:
        return self._all(_officers)

    def put_officers(self, rows: Iterable[OfficerRow]) -> None:
        self._put(_officers, rows)

    def roles(self) -> Sequence[RoleRow]:
        return self._all(_roles)

    def put_roles(self, rows: Iterable[RoleRow]) -> None:
        self._put(_roles, rows)

    def substitutes(self) -> Sequence[SubstituteRow]:
        return self._all(_substitutes)

    def put_substitutes(self, rows: Iterable[SubstituteRow]) -> None:
        self._put(_substitutes, rows)

    def days(self) -> Sequence[DayRow]:
        return self._all(_days)

    def put_days(self, rows: Iterable[DayRow]) -> None:
        self._put(_days, rows)

    # -- definitions and keys

    def definitions(self) -> Sequence[DefinitionRow]:
        return sorted(self._all(_definitions), key=lambda row: row.loaded_at)

    def put_definitions(self, rows: Iterable[DefinitionRow]) -> None:
        self._write_rows(_definitions, self._statements.insert_or_leave(tables.definitions, "id"), rows)

    def keys(self, ids: Iterable[str]) -> dict[str, KeyRow]:
        return {row.id: row for row in self._by_column(_keys, "id", ids)}

    def put_keys(self, rows: Iterable[KeyRow]) -> None:
        self._put(_keys, rows)

    # -- subjects

    def subjects(self, ids: Iterable[str]) -> dict[str, SubjectRow]:
        return {row.id: row for row in self._by_column(_subjects, "id", ids)}

    def insert_subjects(self, rows: Sequence[SubjectRow]) -> None:
        self._write_rows(_subjects, self._statements.insert(tables.subjects), rows)

    def update_subjects(self, rows: Sequence[SubjectRow], versions: Sequence[int]) -> None:
        statement = self._statements.update_subject()
        head = _subjects.values(statement.order[:-1], rows)
        many = [(*values, version) for values, version in zip(head, versions, strict=True)]
        if self._run_many(statement, many) != len(rows):
            stored = self.subjects(row.id for row in rows)
            stale = [row.id for row in rows if stored.get(row.id) != row]  # the others have just been written
            raise self._refuse(changed_meanwhile((stale or [rows[0].id])[0]))

    def find_subjects(
        self,
        *,
        workflow: str | None = None,
        orgs: Iterable[str] | None = None,
        states: Iterable[str] | None = None,
        refers: str | None = None,
        unique_key: str | None = None,
        after: str = "",
        limit: int | None = None,
    ) -> Sequence[SubjectRow]:
        return self._found(
            _subjects,
            {"orgs": orgs, "states": states},
            workflow=workflow,
            refers=refers,
            unique_key=unique_key,
            after=after or None,
            limit=limit,
        )

    # -- the trail

    def head(self) -> Head:
        if self._head is None:
            found = self._rows(self._statements.head())
            seq, link, at = found[0] if found else (-1, bytes(32), "")
            self._head = Head(size=seq + 1, link=link, at=at)
        return self._head

    def append_events(self, rows: Sequence[EventRow]) -> None:
        size = self.head().size
        for place, row in enumerate(rows, size):
            if row.seq != place:
                raise self._refuse(trail_moved(place, row.seq))
        self._write_rows(_events, self._statements.insert(tables.events), rows)
        if rows:
            self._head = Head(size=size + len(rows), link=rows[-1].link, at=rows[-1].at)
            if self._seals:
                self._put_nodes(size, size + len(rows))

    def _put_nodes(self, before: int, after: int) -> int:
        statement = self._statements.insert_or_leave(tables.tree, "level", "place")
        return sum(self._write_rows(_nodes, statement, made) for made in made_between(before, after, self.hashes))

    def seal(self) -> int:
        """Writes the nodes that the events that stand have made complete; see `ports.Store.seal`."""
        found = self._rows(self._statements.nodes_end(), level=TILE_LEVELS)
        done = (found[0][0] + 1) << TILE_LEVELS if found else 0
        events = self._rows(self._statements.head())
        # From the last complete stretch of 65,536 on: a sealer that was killed may have left the levels above behind.
        begin = done >> 2 * TILE_LEVELS << 2 * TILE_LEVELS
        if not events or (events[0][0] + 1) >> TILE_LEVELS <= done >> TILE_LEVELS:
            return 0
        return self._put_nodes(max(begin - 1, 0), events[0][0] + 1)

    def trail(self, *, after: int = -1) -> Iterator[tuple[int, bytes, bytes, bytes]]:
        statement = self._statements.trail()
        while page := self._rows(statement, after=after, limit=_PAGE):
            yield from page
            after = page[-1][0]

    def hashes(self, level: int, first: int, count: int) -> Sequence[bytes]:
        if level == 0:
            found = self._rows(self._statements.leaves(), first=first, end=first + count)
        else:
            found = self._rows(self._statements.nodes(), level=level, first=first, end=first + count)
        return [row[0] for row in found]

    def events(
        self,
        *,
        subject: str | None = None,
        after: int = -1,
        until: int | None = None,
        kind: str | None = None,
        workflow: str | None = None,
    ) -> Iterator[EventRow]:
        wanted = {"subject": subject, "kind": kind, "until": until, "workflow": workflow}
        places = {name: value for name, value in wanted.items() if value is not None}
        statement = self._statements.events(sorted(places))
        while True:
            page = self._rows(statement, after=after, limit=_PAGE, **places)
            yield from map(_events.row, page)
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def search_events(self, wanted: EventSearch, *, before: int | None = None, limit: int) -> Sequence[EventRow]:
        places: dict[str, Any] = {"marker": wanted.marker, "trigger": wanted.trigger, "late_turn": wanted.late_turn}
        for name in ("subjects", "orgs", "kinds"):
            listed: tuple[str, ...] | None = getattr(wanted, name)
            if listed is not None and len(listed) == 1:  # an index then gives them in order
                places[name.removesuffix("s")] = listed[0]
            elif listed is not None:
                places[name] = self._statements.list_of(listed)
        if wanted.since is not None:
            places["first"] = self._first_since(wanted.since)
        if wanted.until is not None:
            after = self._first_since(wanted.until, later=True)
            before = after if before is None else min(before, after)
        places = {name: value for name, value in {**places, "before": before}.items() if value is not None}
        by = ({"actor": wanted.officer}, {"behalf": wanted.officer}) if wanted.officer is not None else ({},)
        rows = {r.seq: r for one in by for r in self._searched(limit, {**places, **one})}
        return sorted(rows.values(), key=lambda r: -r.seq)[:limit]

    def _searched(self, limit: int, places: dict[str, Any]) -> list[EventRow]:
        return self._read(_events, self._statements.search(sorted(places)), limit=limit, **places)

    def _first_since(self, at: str, *, later: bool = False) -> int:
        """Returns the seq of the first event at or (`later`) after a time: times never go back along the trail."""
        low, high = 0, self.head().size
        statement = self._statements.event_at()
        while low < high:
            middle = (low + high) // 2
            found = self._rows(statement, seq=middle)
            stands = found[0][0] if found else at  # a missing event is the verification's to find
            if stands < at or (later and stands == at):
                low = middle + 1
            else:
                high = middle
        return low

    def event_of_command(self, command: str) -> EventRow | None:
        found = self._by_column(_events, "command", [command])
        return found[0] if found else None

    # -- timers

    def timers(self, subjects: Iterable[str]) -> Sequence[TimerRow]:
        return self._by_column(_timers, "subject", subjects, "subject", "due_at", "name", "occurrence")

    def put_timers(self, rows: Sequence[TimerRow]) -> None:
        self._put(_timers, rows)

    def delete_timers(self, rows: Sequence[TimerRow]) -> None:
        self._write_rows(_timers, self._statements.delete(tables.timers), rows)

    def due_timers(self, now: str, limit: int) -> Sequence[TimerRow]:
        return self._read(_timers, self._statements.due_timers(), now=now, limit=limit)

    def next_due(self) -> str | None:
        found = self._rows(self._statements.next_due())
        return found[0][0] if found else None

    def pending_subjects(self) -> Sequence[str]:
        return sorted({row[0] for row in self._rows(self._statements.pending_subjects())})

    # -- outbox

    def put_outbox(self, rows: Sequence[OutboxRow]) -> int:
        key = ("rule", "subject", "occurrence", "recipient", "channel")
        return self._write_rows(_outbox, self._statements.insert_or_leave(tables.outbox, *key), rows)

    def update_outbox(self, rows: Sequence[OutboxRow]) -> None:
        if self._write_rows(_outbox, self._statements.update(tables.outbox), rows) != len(rows):
            stored = {row.id for row in self.outbox(ids=[row.id for row in rows])}
            raise self._refuse(changed_meanwhile(next(row.id for row in rows if row.id not in stored)))

    def outbox(
        self,
        *,
        ids: Iterable[str] | None = None,
        states: Iterable[str] | None = None,
        subject: str | None = None,
        message: str | None = None,
        recipients: Iterable[str] | None = None,
        provider_id: str | None = None,
        due: str | None = None,
        limit: int | None = None,
    ) -> Sequence[OutboxRow]:
        return self._found(
            _outbox,
            {"ids": ids, "states": states, "recipients": recipients},
            subject=subject,
            message=message,
            provider_id=provider_id,
            due=due,
            limit=limit,
        )

    def outbox_due(self, now: str, limit: int) -> Sequence[OutboxRow]:
        return self._read(_outbox, self._statements.outbox_due(), state="queued", now=now, limit=limit)

    def next_try(self) -> str | None:
        found = self._rows(self._statements.next_try(), state="queued")
        return found[0][0] if found else None

    def outbox_counts(self) -> dict[str, int]:
        return {row[0]: row[1] for row in self._rows(self._statements.outbox_counts())}
