"""Reading lists of subjects in SQL: which statements, and the values that go with them.

Who reads all is answered from the rows of rank 0, which stand in every order that is offered, so that reading ends
with the page. Who reads few units is answered from what stands under each of them, sorted for the occasion. Who reads
many, but not all, is answered in both ways: in order from rank 0, and beside it those that come from elsewhere.
A subject that is read from several units is given once: by the first of its places that the reader reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
)

from engine.store import tables
from engine.store.rows import ORDERED_BY, ListingSearch
from engine.store.statements import Statement, Statements, columns_of

SIZES = (1, 2, 4, 8, 16, 40)  # lists of units are filled up to one of these
FEW = SIZES[-1]  # units, up to which each is looked up by itself

_zero: ColumnElement[int] = literal_column("0")
_one: ColumnElement[int] = literal_column("1")
_t = tables.listings
_again = _t.alias("again")


class Scope:
    """From where a reader reads: `all`, `few` units, or `many`, of which rank 0 and the rest are read apart."""

    def __init__(self, statements: Statements, kind: str, orgs: Sequence[str]) -> None:
        self._statements, self.kind = statements, kind
        self.places: dict[str, Any] = {}
        self.size = 0
        if kind == "few":
            self.size = next(s for s in SIZES if s >= len(orgs))
            filled = [*orgs, *[orgs[0]] * (self.size - len(orgs))] if orgs else ["", *[""] * (self.size - 1)]
            self.places = {f"org{n}": org for n, org in enumerate(filled)}
        elif kind != "all":
            self.places = {"orgs": statements.list_of(orgs)}

    @property
    def shape(self) -> tuple[Any, ...]:
        """What tells its statements from others."""
        return (self.kind, self.size)

    def where(self) -> list[ColumnElement[bool]]:
        """Returns the conditions."""
        workflow = _t.c.workflow == bindparam("p_workflow")
        match self.kind:
            case "all":
                return [workflow, _t.c.rank == _zero]
            case "home":
                return [workflow, _t.c.rank == _zero, self._held(_t.c.place)]
            case "elsewhere":
                return [workflow, _t.c.rank > _zero, self._held(_t.c.place), not_(self._held(_t.c.home)), self._first()]
            case _:
                elsewhere = and_(not_(self._held(_t.c.home)), self._first())
                # `|| ''` keeps SQLite from walking through the whole workflow instead of the units
                plain = _t.c.workflow + literal_column("''", Text) == bindparam("p_workflow", type_=Text)
                return [plain, self._held(_t.c.place), or_(_t.c.rank == _zero, elsewhere)]

    def _held(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        if self.kind != "few":
            return self._statements.among(column + literal_column("''", Text), "orgs")  # not by the index of places
        return column.in_([bindparam(f"org{n}", type_=Text) for n in range(self.size)])

    def _first(self) -> ColumnElement[bool]:
        before = and_(_again.c.subject == _t.c.subject, _again.c.rank < _t.c.rank, self._held(_again.c.place))
        return or_(_t.c.rank == _one, not_(exists(select(_one).where(before))))  # before rank 1 there is only home


def scopes(statements: Statements, orgs: Sequence[str] | None) -> list[Scope]:
    """Returns what has to be read for a reader of these units, put together."""
    if orgs is None:
        return [Scope(statements, "all", ())]
    if len(orgs) <= FEW:
        return [Scope(statements, "few", orgs)]
    return [Scope(statements, kind, orgs) for kind in ("home", "elsewhere")]


class Page:
    """The statement of a page, with its values."""

    def __init__(
        self, statements: Statements, wanted: ListingSearch, scope: Scope, after: tuple[str, str] | None
    ) -> None:
        self._statements, self._wanted, self._few = statements, wanted, scope.kind == "few"
        self.places: dict[str, Any] = {"workflow": wanted.workflow, **scope.places}
        self._shape: list[Any] = [*scope.shape, wanted.order, after is not None]
        self._where = scope.where()
        self._states()
        for name, column in (("words", _t.c.words), ("marks", _t.c.marks)):
            self._contains(name, column)
        for name, test in (("since", _t.c.due.__ge__), ("until", _t.c.due.__le__)):
            if (value := getattr(wanted, name)) is not None:
                self._add(name, test(bindparam(name, type_=Text)), value)
        self._key = _t.c[ORDERED_BY[wanted.order]]
        if after is not None:
            seen = tuple_(bindparam("after_key", type_=Text), bindparam("after_id", type_=Text))
            self._where.append(tuple_(self._key, _t.c.subject) > seen)
            self.places |= {"after_key": after[0], "after_id": after[1]}

    def _add(self, name: str, test: ColumnElement[bool], value: Any) -> None:
        self._shape.append(name)
        self._where.append(test)
        self.places[name] = value

    def _states(self) -> None:
        states = self._wanted.states
        if states is None:
            return
        if len(states) == 1:
            self._add("state", _t.c.state == bindparam("p_state"), states[0])
        else:
            held = _t.c.state + literal_column("''", Text)  # not by the index of states: they are many
            self._add("states", self._statements.among(held, "states"), self._statements.list_of(states))

    def _contains(self, name: str, column: ColumnElement[str]) -> None:
        for n, text in enumerate(getattr(self._wanted, name)):
            place = bindparam(f"{name}{n}", type_=Text)
            found = func.instr(column, place) if self._statements.is_sqlite else func.strpos(column, place)
            self._add(f"{name}{n}", found > _zero, f" {text} " if name == "marks" else f" {text}")

    def statement(self) -> Statement:
        """Returns the statement: at most `limit` rows in the order that is wanted."""

        def build() -> Select[Any]:
            limit = bindparam("limit", type_=BigInteger)
            if not self._few:
                rows = select(*(_t.c[n] for n in columns_of(_t))).where(*self._where)
                return rows.order_by(self._key, _t.c.subject).limit(limit)
            keys = select(*_t.primary_key, self._key.label("k")).where(*self._where)
            page = keys.order_by(self._key, _t.c.subject).limit(limit).subquery()
            whole = _t.alias("whole")
            same = and_(*(whole.c[c.name] == page.c[c.name] for c in _t.primary_key))
            rows = select(*(whole.c[n] for n in columns_of(_t))).select_from(page.join(whole, same))
            return rows.order_by(page.c.k, page.c.subject)

        return self._statements.once(("listings", *self._shape), build)


def counted(statements: Statements, scope: Scope) -> Statement:
    """By state: how many, the first day, late before `today`, soon up to `soon`; reads every row of the scope."""

    def build() -> Select[Any]:
        late = func.sum(case((_t.c.due < _day("today"), _one), else_=_zero))
        near = func.sum(case((_is_soon(), _one), else_=_zero))
        found = select(_t.c.state, func.count(), func.min(_t.c.entered_on), late, near)
        return found.where(*scope.where()).group_by(_t.c.state)

    return statements.once(("counted", *scope.shape), build)


def all_stand(statements: Statements) -> Statement:
    """By state: how many subjects of a workflow there are, and the first day on which one of them entered it."""
    s = tables.stands

    def build() -> Select[Any]:
        total = func.sum(s.c.count)
        by_state = select(s.c.state, total.label("n")).where(s.c.workflow == bindparam("p_workflow"))
        each = by_state.group_by(s.c.state).having(total > _zero).subquery()
        in_state = (_t.c.workflow == bindparam("p_workflow"), _t.c.rank == _zero, _t.c.state == each.c.state)
        first = select(func.min(_t.c.entered_on)).where(*in_state).scalar_subquery()
        return select(each.c.state, each.c.n, first)

    return statements.once(("all_stand",), build)


def all_due(statements: Statements) -> Statement:
    """By state: how many subjects of a workflow are late, and how many soon; the cost follows how many are."""

    def build() -> Select[Any]:
        late = func.sum(case((_t.c.due < _day("today"), _one), else_=_zero))
        where = (_t.c.workflow == bindparam("p_workflow"), _t.c.rank == _zero, _t.c.due <= _day("soon"))
        # by the index of days: grouping by the plain column would lead SQLite through all rows in the order of states
        state = (_t.c.state + literal_column("''", Text)).label("s")
        return select(state, func.count(), late).where(*where).group_by(state)

    return statements.once(("all_due",), build)


def _day(name: str) -> Any:
    return bindparam(name, type_=Text)


def _is_soon() -> ColumnElement[bool]:
    return and_(_t.c.due >= _day("today"), _t.c.due <= _day("soon"))


def count_more(statements: Statements) -> Statement:
    """Adds the place `count` to how many stand in a state."""
    table = tables.stands

    def build() -> Any:
        made = statements.insert_into(table)
        return made.on_conflict_do_update(
            index_elements=list(table.primary_key), set_={"count": table.c.count + made.excluded["count"]}
        )

    return statements.once(("count_more",), build)


def find_dues(statements: Statements, orgs: int | None) -> Statement:
    """The days of some rules of a workflow up to `until`, of subjects of some units (None: of all), earliest first."""
    t = tables.dues
    size = None if orgs is None else next((s for s in SIZES if s >= orgs), 0)

    def build() -> Select[Any]:
        rule = t.c.rule + literal_column("''", Text)
        where = [t.c.workflow == bindparam("p_workflow"), t.c.due <= bindparam("until", type_=Text)]
        where.append(statements.among(rule, "rules"))
        if size:
            where.append(t.c.org.in_([bindparam(f"org{n}", type_=Text) for n in range(size)]))
        elif size is not None:
            where.append(statements.among(t.c.org + literal_column("''", Text), "orgs"))
        rows = select(*(t.c[n] for n in columns_of(t))).where(*where)
        return rows.order_by(t.c.due, t.c.subject, t.c.rule).limit(bindparam("limit", type_=BigInteger))

    return statements.once(("dues", size), build)
