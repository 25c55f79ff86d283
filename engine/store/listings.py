"""Reading lists of subjects in SQL: which statements, and the values that go with them.

Who reads all is answered from the rows of rank 0, which stand in every order that is offered, so that reading ends
with the page. Who reads few units is answered from what stands under each of them, sorted for the occasion. Who reads
many, but not all, is answered in both ways: in order from rank 0, and beside it those that come from elsewhere, if
there are any. A subject that is read from several units is given once: by the first of its places that the reader
reads. A list narrowed to what is rare is read by that, not in its order, so that it need not be walked to its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
from engine.store.terms import MARK

SIZES = (1, 2, 4, 8, 16, 40)  # lists of units are filled up to one of these
FEW = SIZES[-1]  # units, up to which each is looked up by itself

_zero: ColumnElement[int] = literal_column("0")
_one: ColumnElement[int] = literal_column("1")
_t = tables.listings
_again = _t.alias("again")
_terms = tables.terms


class Scope:
    """From where a reader reads: `all`, `few` units, or `many`, of which rank 0 and the rest are read apart.

    Those that come from `elsewhere` are looked for only in the pairs (unit, own unit) in which there are any.
    """

    def __init__(
        self, statements: Statements, kind: str, orgs: Sequence[str], pairs: Sequence[tuple[str, str]] = ()
    ) -> None:
        self._statements, self.kind = statements, kind
        self.places: dict[str, Any] = {}
        self.size = 0
        if kind == "few":
            self.size = next(s for s in SIZES if s >= len(orgs))
            filled = [*orgs, *[orgs[0]] * (self.size - len(orgs))] if orgs else ["", *[""] * (self.size - 1)]
            self.places = {f"org{n}": org for n, org in enumerate(filled)}
        elif kind != "all":
            self.places = {"orgs": statements.list_of(orgs)}
        if kind == "elsewhere":
            self.places["from_"] = statements.list_of(sorted({place for place, _ in pairs}))
            self.places["homes"] = statements.list_of(sorted({home for _, home in pairs}))

    @property
    def shape(self) -> tuple[Any, ...]:
        """What tells its statements from others."""
        return (self.kind, self.size)

    @property
    def ordered(self) -> bool:
        """Whether it is read in the order of the list, up to the end of the page."""
        return self.kind in ("all", "home")

    def where(self) -> list[ColumnElement[bool]]:
        """Returns the conditions."""
        workflow = _t.c.workflow == bindparam("p_workflow")
        plain = _held(_t.c.workflow) == bindparam("p_workflow", type_=Text)
        match self.kind:
            case "all":
                return [workflow, _t.c.rank == _zero]
            case "home":
                return [workflow, _t.c.rank == _zero, self.reads(_t.c.place)]
            case "elsewhere":
                among = self._statements.among
                near = [among(_t.c.place, "from_"), among(_t.c.home, "homes")]
                return [plain, *near, _held_number(_t.c.rank) > _zero, self._first()]
            case _:
                elsewhere = and_(not_(self.reads(_t.c.home)), self._first())
                return [plain, self.reads(_t.c.place), or_(_t.c.rank == _zero, elsewhere)]

    def reads(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """Says that a unit is one of the reader's, without leading to the index of places."""
        if self.kind != "few":
            return self._statements.among(_held(column), "orgs")
        return column.in_([bindparam(f"org{n}", type_=Text) for n in range(self.size)])

    def _first(self) -> ColumnElement[bool]:
        before = and_(_again.c.subject == _t.c.subject, _again.c.rank < _t.c.rank, self.reads(_again.c.place))
        return or_(_t.c.rank == _one, not_(exists(select(_one).where(before))))  # before rank 1 there is only home


def _held(column: ColumnElement[Any]) -> ColumnElement[str]:
    """Returns the same text; no index of the column answers for it, so that another one leads."""
    return column + literal_column("''", Text)


def _held_number(column: ColumnElement[Any]) -> ColumnElement[int]:
    return column + _zero


@dataclass(frozen=True, kw_only=True)
class Lead:
    """What a narrowed list is read by, in place of its order, because it is rare: one of the words, of the marks, or
    the due days."""

    kind: Literal["words", "marks", "due"]
    place: int = 0


class Page:
    """The statement of a page, with its values."""

    def __init__(
        self,
        statements: Statements,
        wanted: ListingSearch,
        scope: Scope,
        after: tuple[str, str] | None,
        *,
        upto: tuple[str, str] | None = None,
        lead: Lead | None = None,
    ) -> None:
        self._statements, self._wanted, self._scope, self._lead = statements, wanted, scope, lead
        self.places: dict[str, Any] = {"workflow": wanted.workflow, **scope.places}
        self._shape: list[Any] = [*scope.shape, wanted.order, after is not None, upto is not None]
        self._where = scope.where() if lead is None else self._by_lead(lead)
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
        if upto is not None:
            last = tuple_(bindparam("upto_key", type_=Text), bindparam("upto_id", type_=Text))
            self._where.append(tuple_(self._key, _t.c.subject) <= last)
            self.places |= {"upto_key": upto[0], "upto_id": upto[1]}

    def _add(self, name: str, test: ColumnElement[bool], value: Any) -> None:
        self._shape.append(name)
        self._where.append(test)
        self.places[name] = value

    def _states(self) -> None:
        states = self._wanted.states
        if states is None:
            return
        if len(states) == 1 and self._lead is None:
            self._add("state", _t.c.state == bindparam("p_state"), states[0])
        else:  # not by the index of states: they are many
            self._add("states", self._statements.among(_held(_t.c.state), "states"), self._statements.list_of(states))

    def _by_lead(self, lead: Lead) -> list[ColumnElement[bool]]:
        """Returns the conditions of a page that is read by what is rare."""
        wanted, scope = self._wanted, self._scope
        self._shape += ["lead", lead.kind]
        where = [scope.reads(_t.c.place)] if scope.kind == "home" else []
        if lead.kind == "due":  # its days are among the conditions already
            return [*where, _t.c.workflow == bindparam("p_workflow"), _t.c.rank == _zero]
        self.places |= term_range(wanted, lead)
        found = _between()
        if lead.kind == "words":
            found += [self._within(_terms.c.words, f"words{n}") for n in range(len(wanted.words))]
        subjects = select(_terms.c.subject).where(*found)
        plain = _held(_t.c.workflow) == bindparam("p_workflow", type_=Text)
        return [*where, _t.c.subject.in_(subjects), plain, _held_number(_t.c.rank) == _zero]

    def _within(self, column: ColumnElement[str], name: str) -> ColumnElement[bool]:
        place = bindparam(name, type_=Text)
        return (func.instr if self._statements.is_sqlite else func.strpos)(column, place) > _zero

    def _contains(self, name: str, column: ColumnElement[str]) -> None:
        for n, text in enumerate(getattr(self._wanted, name)):
            self._add(f"{name}{n}", self._within(column, f"{name}{n}"), f" {text} " if name == "marks" else f" {text}")

    def statement(self) -> Statement:
        """Returns the statement: at most `limit` rows in the order that is wanted."""

        def build() -> Select[Any]:
            limit = bindparam("limit", type_=BigInteger)
            key = self._key if self._lead is None else _held(self._key)
            if self._scope.kind not in ("few", "elsewhere"):
                rows = select(*(_t.c[n] for n in columns_of(_t))).where(*self._where)
                return rows.order_by(key, _t.c.subject).limit(limit)
            keys = select(*_t.primary_key, self._key.label("k")).where(*self._where)
            page = keys.order_by(self._key, _t.c.subject).limit(limit).subquery()
            whole = _t.alias("whole")
            same = and_(*(whole.c[c.name] == page.c[c.name] for c in _t.primary_key))
            rows = select(*(whole.c[n] for n in columns_of(_t))).select_from(page.join(whole, same))
            return rows.order_by(page.c.k, page.c.subject)

        return self._statements.once(("listings", *self._shape), build)


# ---- what a narrowed list is read by ----


def leads(wanted: ListingSearch) -> list[Lead]:
    """Returns all by which a list could be read that is narrowed by words, marks or days."""
    found = [Lead(kind="words", place=n) for n in range(len(wanted.words))]
    found += [Lead(kind="marks", place=n) for n in range(len(wanted.marks))]
    return found + ([Lead(kind="due")] if wanted.until is not None else [])


def term_range(wanted: ListingSearch, lead: Lead) -> dict[str, str]:
    """Returns the values between which the terms lie that a word begins, or that a mark is."""
    if lead.kind == "marks":
        low = high = MARK + wanted.marks[lead.place]
    else:
        low = wanted.words[lead.place]
        high = low + "\U0010ffff"
    return {"low": low, "high": high, "workflow": wanted.workflow}


def _between() -> list[ColumnElement[bool]]:
    low, high = bindparam("low", type_=Text), bindparam("high", type_=Text)
    return [_terms.c.workflow == bindparam("p_workflow"), _terms.c.term >= low, _terms.c.term <= high]


def count_lead(statements: Statements, lead: Lead) -> Statement:
    """How many subjects of a workflow a word, a mark or the due days up to `until` fit, counted up to `limit`."""

    def build() -> Select[Any]:
        if lead.kind == "due":
            of = (_t.c.workflow == bindparam("p_workflow"), _t.c.rank == _zero, _t.c.due <= _day("until"))
            rows = select(_one).where(*of)
        else:
            rows = select(_one).where(*_between())
        return select(func.count()).select_from(rows.limit(bindparam("limit", type_=BigInteger)).subquery())

    return statements.once(("count_lead", lead.kind == "due"), build)


def place_after(statements: Statements, wanted: ListingSearch, *, after: bool) -> Statement:
    """The place in a list's order `skip` rows after another place, or after its beginning."""
    key = _t.c[ORDERED_BY[wanted.order]]
    one_state = wanted.states is not None and len(wanted.states) == 1

    def build() -> Select[Any]:
        where = [_t.c.workflow == bindparam("p_workflow"), _t.c.rank == _zero]
        if one_state:
            where.append(_t.c.state == bindparam("p_state"))
        if after:
            seen = tuple_(bindparam("after_key", type_=Text), bindparam("after_id", type_=Text))
            where.append(tuple_(key, _t.c.subject) > seen)
        rows = select(key, _t.c.subject).where(*where).order_by(key, _t.c.subject)
        return rows.limit(_one).offset(bindparam("skip", type_=BigInteger))

    return statements.once(("place_after", wanted.order, one_state, after), build)


# ---- counting ----


def counted(statements: Statements, scope: Scope) -> Statement:
    """By state: how many, the first day, late before `today`, soon up to `soon`; reads every row of the scope."""

    def build() -> Select[Any]:
        late = func.sum(case((_t.c.due < _day("today"), _one), else_=_zero))
        near = func.sum(case((_is_soon(), _one), else_=_zero))
        found = select(_t.c.state, func.count(), func.min(_t.c.entered_on), late, near)
        return found.where(*scope.where()).group_by(_t.c.state)

    return statements.once(("counted", *scope.shape), build)


def standing(statements: Statements, scope: Scope) -> Statement:
    """By state: how many subjects live in what is read, and the first day on which one of them entered it."""
    s = tables.stands

    def build() -> Select[Any]:
        total = func.sum(s.c.count)
        lives = [s.c.workflow == bindparam("p_workflow"), s.c.place == s.c.home]
        near = [] if scope.kind == "all" else [scope.reads(s.c.place)]
        by_state = select(s.c.state, total.label("n")).where(*lives, *near)
        each = by_state.group_by(s.c.state).having(total > _zero).subquery()
        in_state = [_t.c.workflow == bindparam("p_workflow"), _t.c.rank == _zero, _t.c.state == each.c.state]
        theirs = [] if scope.kind == "all" else [scope.reads(_t.c.place)]
        first = select(_t.c.entered_on).where(*in_state, *theirs).order_by(_t.c.entered_on).limit(_one)
        return select(each.c.state, each.c.n, first.scalar_subquery())

    return statements.once(("standing", scope.kind), build)


def due_soon(statements: Statements, scope: Scope) -> Statement:
    """By state: how many of those are due up to `soon`, and how many late; the cost follows how many are."""

    def build() -> Select[Any]:
        late = func.sum(case((_t.c.due < _day("today"), _one), else_=_zero))
        where = [_t.c.workflow == bindparam("p_workflow"), _t.c.rank == _zero, _t.c.due <= _day("soon")]
        if scope.kind != "all":
            where.append(scope.reads(_t.c.place))
        # by the index of days: grouping by the plain column would lead SQLite through all rows in the order of states
        state: Any = _held(_t.c.state).label("s")
        return select(state, func.count(), late).where(*where).group_by(state)

    return statements.once(("due_soon", scope.kind), build)


def from_elsewhere(statements: Statements) -> Statement:
    """The pairs (unit that is read, own unit that is not) of the subjects of a workflow."""
    s = tables.stands

    def build() -> Select[Any]:
        near = statements.among(_held(s.c.place), "orgs")
        far = not_(statements.among(_held(s.c.home), "orgs"))
        where = (s.c.workflow == bindparam("p_workflow"), s.c.place != s.c.home, near, far, s.c.count > _zero)
        return select(s.c.place, s.c.home).where(*where).distinct()

    return statements.once(("from_elsewhere",), build)


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
