"""The statements, built once by SQLAlchemy Core and compiled for one dialect to a text and the order of its places.

Running a compiled text on the driver costs a tenth of running the construct each time. A list goes in as one place
(SQLite: JSON text, PostgreSQL: an array), so that a list of any length is the same statement.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    FromClause,
    LargeBinary,
    Select,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement

from engine.store import tables
from engine.store.rows import HAPPENED

_one: ColumnElement[int] = literal_column("1")


def columns_of(table: FromClause) -> list[str]:
    """Returns the columns that are fields of the row class: all but the number that keeps definitions in order."""
    return [column.name for column in table.c if column.name != "number"]


def _place(name: str) -> BindParameter[Any]:
    return bindparam(f"p_{name}")  # SQLAlchemy keeps the plain column names for itself


def _places(names: Iterable[str]) -> dict[str, BindParameter[Any]]:
    return {name: _place(name) for name in names}


def _limit() -> BindParameter[int]:
    return bindparam("limit", type_=BigInteger)


def _select(table: FromClause) -> Select[Any]:
    return select(*(table.c[name] for name in columns_of(table)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """A text for the driver, the names of its places in order, and the values that always go with some of them."""

    sql: str
    order: tuple[str, ...]
    constants: Mapping[str, Any] = field(default_factory=dict)

    def fill(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """Returns the values in the order of the places."""
        known = {**self.constants, **values} if self.constants else values
        return tuple([known[name] for name in self.order])


class Statements:
    """All statements of one dialect, each compiled at its first use."""

    def __init__(self, dialect: Dialect) -> None:
        self.is_sqlite = dialect.name == "sqlite"
        self._dialect = dialect
        self._compiled: dict[Any, Statement] = {}

    def compile(self, construct: ClauseElement) -> Statement:
        """Compiles one construct for this dialect."""
        compiled = construct.compile(dialect=self._dialect)
        names = compiled.positiontup  # type: ignore[attr-defined]  # SQLCompiler has it, Compiled does not
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        return Statement(
            sql=str(compiled), order=tuple(name.removeprefix("p_") for name in names or ()), constants=constants
        )

    def list_of(self, values: Iterable[str]) -> Any:
        """Returns a list as the driver takes it in one place."""
        return json.dumps(list(values)) if self.is_sqlite else list(values)

    def among(self, column: ColumnElement[Any], place: str) -> ColumnElement[bool]:
        """Says that the column's value is in the list at this place."""
        if self.is_sqlite:
            listed = func.json_each(bindparam(place, type_=Text)).table_valued("value")
            return column.in_(select(listed.c.value))
        return column == any_(bindparam(place, type_=ARRAY(Text)))

    def once(self, name: Any, build: Any) -> Statement:
        """Returns what `build` makes, compiled at the first time under this name."""
        found = self._compiled.get(name)
        if found is None:
            found = self._compiled[name] = self.compile(build())
        return found

    # -- writing; the places are the columns in the order of the table

    def insert_into(self, table: Table) -> Any:
        """Returns the start of an insert that says what becomes of a row that stands already."""
        return (sqlite if self.is_sqlite else postgresql).insert(table).values(_places(columns_of(table)))

    def insert(self, table: Table) -> Statement:
        """Inserts one row."""
        return self.once(("insert", table), lambda: insert(table).values(_places(columns_of(table))))

    def insert_or_leave(self, table: Table, *key: str) -> Statement:
        """Inserts one row unless one with this key stands already."""
        return self.once(
            ("leave", table), lambda: self.insert_into(table).on_conflict_do_nothing(index_elements=list(key))
        )

    def insert_or_replace(self, table: Table) -> Statement:
        """Inserts one row in the place of the one with its primary key."""

        def build() -> Any:
            statement = self.insert_into(table)
            rest = {name: statement.excluded[name] for name in columns_of(table) if not table.c[name].primary_key}
            return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=rest)

        return self.once(("replace", table), build)

    def update(self, table: Table) -> Statement:
        """Writes all columns of the row with its id; the place `id` comes last."""
        rest = [name for name in columns_of(table) if name != "id"]
        return self.once(
            ("update", table), lambda: update(table).values(_places(rest)).where(table.c.id == _place("id"))
        )

    def update_subject(self) -> Statement:
        """Writes all columns of the subject at `id` whose version is `version_before`."""
        table = tables.subjects
        rest = [name for name in columns_of(table) if name != "id"]
        return self.once(
            "update_subject",
            lambda: (
                update(table)
                .values(_places(rest))
                .where(table.c.id == _place("id"), table.c.version == bindparam("version_before"))
            ),
        )

    def delete(self, table: Table) -> Statement:
        """Deletes the row with this primary key."""
        return self.once(
            ("delete", table), lambda: delete(table).where(*(c == _place(c.name) for c in table.primary_key))
        )

    def delete_until(self, column: Column[Any]) -> Statement:
        """Deletes the rows whose column is not after the place `until`."""
        return self.once(("until", column), lambda: delete(column.table).where(column <= bindparam("until")))

    # -- reading

    def revision(self) -> Statement:
        """The version of the tables."""
        return self.once("revision", lambda: select(literal_column("version_num")).select_from(text("alembic_version")))

    def all_rows(self, table: Table) -> Statement:
        """All rows by primary key."""
        return self.once(("all", table), lambda: _select(table).order_by(*table.primary_key))

    def by_value(self, column: Column[Any], *order: Column[Any]) -> Statement:
        """The rows with one value, at the place `value`."""
        return self.once(
            ("one", column), lambda: _select(column.table).where(column == bindparam("value")).order_by(*order)
        )

    def by_values(self, column: Column[Any], *order: Column[Any]) -> Statement:
        """The rows with one of the values, a list at the place `values`."""
        return self.once(
            ("many", column), lambda: _select(column.table).where(self.among(column, "values")).order_by(*order)
        )

    def found(self, table: Table, conditions: Sequence[str]) -> Statement:
        """The rows that meet all of these conditions; `limit` is a place.

        A condition is the name of a column, or `<column>s` for a list, or `after` (an id), `due`, `since` or `until`
        (times).
        """

        def build() -> Any:
            wanted = [self._condition(table, name) for name in conditions if name != "limit"]
            order = (table.c.due_at, table.c.id) if table is tables.outbox else tuple(table.primary_key)
            statement = _select(table).where(*wanted).order_by(*order)
            return statement.limit(_limit()) if "limit" in conditions else statement

        return self.once((table, *conditions), build)

    def _condition(self, table: Table, name: str) -> ColumnElement[bool]:
        match name:
            case "after":
                return table.c.id > bindparam("after")
            case "due":
                return table.c.next_try_at <= bindparam("due")
            case "since":
                return table.c.due_at >= bindparam("since")
            case "until":
                return table.c.due_at <= bindparam("until")
            case _ if name in table.c:
                return table.c[name] == _place(name)
            case _:
                return self.among(table.c[name.removesuffix("s")], name)

    def head(self) -> Statement:
        """Seq, link and at of the last event."""
        table = tables.events
        return self.once(
            "head", lambda: select(table.c.seq, table.c.link, table.c.at).order_by(table.c.seq.desc()).limit(_one)
        )

    def trail(self) -> Statement:
        """Seq, body, leaf and link of at most `limit` events after the seq at `after`."""
        c = tables.events.c
        return self.once(
            "trail",
            lambda: (
                select(c.seq, c.body, c.leaf, c.link).where(c.seq > bindparam("after")).order_by(c.seq).limit(_limit())
            ),
        )

    def leaves(self) -> Statement:
        """The leaves of the events from `first` to before `end`."""
        c = tables.events.c
        return self.once(
            "leaves",
            lambda: select(c.leaf).where(c.seq >= bindparam("first"), c.seq < bindparam("end")).order_by(c.seq),
        )

    def nodes(self) -> Statement:
        """The nodes of the level at `level` from place `first` to before `end`."""
        c = tables.tree.c
        return self.once(
            "nodes",
            lambda: (
                select(c.hash)
                .where(c.level == _place("level"), c.place >= bindparam("first"), c.place < bindparam("end"))
                .order_by(c.place)
            ),
        )

    def nodes_end(self) -> Statement:
        """The last place of the level at `level`, in one row or none."""
        c = tables.tree.c
        return self.once(
            "nodes_end",
            lambda: select(c.place).where(c.level == _place("level")).order_by(c.place.desc()).limit(_one),
        )

    def due_timers(self) -> Statement:
        """The timers not done, due at `now` and not before `since`, at most `limit`."""
        table = tables.timers
        order = (table.c.due_at, table.c.subject, table.c.name, table.c.occurrence)
        return self.once(
            "due_timers",
            lambda: (
                _select(table)
                .where(
                    table.c.done_at.is_(None),
                    table.c.due_at <= bindparam("now"),
                    table.c.due_at >= bindparam("since"),
                )
                .order_by(*order)
                .limit(_limit())
            ),
        )

    def events(self, conditions: Sequence[str]) -> Statement:
        """At most `limit` events after the seq at `after` that meet these conditions too."""
        table = tables.events

        def build() -> Any:
            wanted = [table.c.seq > bindparam("after")]
            wanted += [table.c[name] == _place(name) for name in conditions if name != "until"]
            wanted += [table.c.seq <= bindparam("until")] if "until" in conditions else []
            return _select(table).where(*wanted).order_by(table.c.seq).limit(_limit())

        return self.once(("events", *conditions), build)

    def changed_after(self) -> Statement:
        """Those of the `subjects` with an event of the `kinds` on a day later than `day`."""
        at = tables.events.c
        day = func.coalesce(at.on, self._day_of(at.at))
        wanted = (self.among(at.subject, "subjects"), self.among(at.kind, "kinds"), day > bindparam("day", type_=Text))
        return self.once("changed_after", lambda: select(at.subject).where(*wanted).distinct())

    def _day_of(self, time: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.substr(time, literal_column("1"), literal_column("10"))

    def search(self, conditions: Sequence[str]) -> Statement:
        """At most `limit` events that meet these conditions, newest first; see `rows.EventSearch`."""
        table = tables.events

        def build() -> Any:
            wanted = [self._event_condition(name) for name in conditions]
            return _select(table).where(*wanted).order_by(table.c.seq.desc()).limit(_limit())

        return self.once(("search", *conditions), build)

    def some_of_kinds(self) -> Statement:
        """The seqs of at most `limit` events of the `kinds`, from `first` on, up to the one `before`."""
        at, names = tables.events.c, ("kinds", "first", "before")
        wanted = [self._event_condition(name) for name in names]
        return self.once("some_of_kinds", lambda: select(at.seq).where(*wanted).limit(_limit()))

    def _event_condition(self, name: str) -> ColumnElement[bool]:
        table = tables.events
        match name:
            case "before":
                return table.c.seq < bindparam("before", type_=BigInteger)
            case "first":
                return table.c.seq >= bindparam("first", type_=BigInteger)
            case "breached":  # the words of an index
                return literal_column(tables.BREACHED[self._dialect.name])
            case "many_orgs":  # in the order of the trail, not by the index of units
                return self.among(table.c.org + literal_column("''", Text), "many_orgs")
            case "judged":
                return self._in_body(bindparam(name, type_=LargeBinary))
            case "late_turn":
                day = self._day_of(table.c.at)
                hour = func.substr(table.c.at, literal_column("12"), literal_column("5"))
                return or_(
                    table.c.on < day,
                    and_(table.c.on == day, hour >= bindparam("late_turn", type_=Text)),
                    self._in_body(self._bytes(HAPPENED)),
                )
            case _:
                return self._condition(table, name)

    def _bytes(self, value: bytes) -> ColumnElement[bytes]:
        """Returns bytes of the program's own as they are written in SQL."""
        return literal_column(f"X'{value.hex()}'" if self.is_sqlite else f"'\\x{value.hex()}'::bytea")

    def _in_body(self, place: ColumnElement[bytes]) -> ColumnElement[bool]:
        """Tells whether bytes stand in the body of an event."""
        if self.is_sqlite:
            return func.instr(tables.events.c.body, place) > literal_column("0")
        return func.position(place.op("IN")(tables.events.c.body)) > literal_column("0")

    def judged_blocks(self) -> Statement:
        """The blocks of the rule at the place `rule`, the last one first."""
        at = tables.judged.c
        return self.once(
            "judged_blocks", lambda: select(at.block).where(at.rule == bindparam("rule")).order_by(at.block.desc())
        )

    def judged(self) -> Statement:
        """What was judged in the blocks from `first` to before `end`."""
        at = tables.judged.c
        first, end = (bindparam(name, type_=BigInteger) for name in ("first", "end"))
        return self.once(
            "judged",
            lambda: select(at.rule, at.block).where(at.block >= first, at.block < end).order_by(at.block, at.rule),
        )

    def event_at(self) -> Statement:
        """The `at` of the event at the place `seq`."""
        table = tables.events
        return self.once(
            "event_at", lambda: select(table.c.at).where(table.c.seq == bindparam("seq", type_=BigInteger))
        )

    def next_due(self) -> Statement:
        """The least due_at of the timers not done."""
        table = tables.timers
        return self.once("next_due", lambda: select(func.min(table.c.due_at)).where(table.c.done_at.is_(None)))

    def pending_subjects(self) -> Statement:
        """The subjects that have a timer not done, once for each such timer."""
        table = tables.timers
        # Neither DISTINCT nor ORDER BY, for which SQLite would walk through all timers, those done long ago too.
        return self.once("pending", lambda: select(table.c.subject).where(table.c.done_at.is_(None)))

    def next_try(self) -> Statement:
        """The least next_try_at of the notices in the state at `state`."""
        table = tables.outbox
        return self.once(
            "next_try",
            lambda: (
                select(table.c.next_try_at)
                .where(table.c.state == bindparam("state"), table.c.next_try_at.is_not(None))
                .order_by(table.c.next_try_at)
                .limit(_one)
            ),
        )

    def outbox_due(self) -> Statement:
        """The notices in the state at `state` that are to be tried at `now`, at most `limit`."""
        table = tables.outbox
        return self.once(
            "outbox_due",
            lambda: (
                _select(table)
                .where(table.c.state == bindparam("state"), table.c.next_try_at <= bindparam("now"))
                .order_by(table.c.next_try_at, table.c.due_at, table.c.id)
                .limit(_limit())
            ),
        )

    def outbox_counts(self) -> Statement:
        """How many notices stand in each state."""
        column = tables.outbox.c.state
        return self.once("counts", lambda: select(column, func.count()).group_by(column))
