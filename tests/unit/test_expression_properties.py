"""The expression language against any text, and against Python itself on the same facts."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from engine.core.calendar import Calendar, add_months, months_between
from engine.core.expressions import ExpressionError, Scope, compile_expression
from engine.core.values import Type

LEVELS = ("none", "low", "middle", "high")
CODES = ("form", "letter", "photo")
LISTS = {"codes": CODES, "levels": LEVELS}
NAMES = {
    **{name: Type(name="bool") for name in ("a", "b")},
    **{name: Type(name="int") for name in ("n", "m")},
    "x": Type(name="decimal"),
    "t": Type(name="text"),
    **{name: Type(name="date") for name in ("day", "other")},
    "moment": Type(name="datetime"),
    **{name: Type(name="choice", options=LEVELS) for name in ("level", "least")},
    "papers": Type(name="map", of=Type(name="date"), keys=CODES),
}
BARE = Scope(names=NAMES, lists=LISTS)
SCOPE = Scope(names=NAMES, lists=LISTS, conditions={"codes": {"photo": compile_expression("a", BARE)}})
OFF = frozenset({date(2024, 1, 1), date(2024, 2, 9), date(2024, 2, 12)})
CALENDAR = Calendar(zone=UTC, days_off=lambda year: frozenset(d for d in OFF if d.year == year))

dates = st.dates(date(2020, 1, 1), date(2028, 12, 31))
VALUES: Mapping[str, SearchStrategy[Any]] = {
    **{name: st.booleans() for name in ("a", "b")},
    **{name: st.integers(-50, 50) for name in ("n", "m")},
    "x": st.decimals(-50, 50, places=2),
    "t": st.sampled_from(["", "one", "Thôn 6"]),
    **dict.fromkeys(("day", "other"), dates),
    "moment": st.datetimes(datetime(2020, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    **{name: st.sampled_from(LEVELS) for name in ("level", "least")},
}
complete = st.fixed_dictionaries({**VALUES, "papers": st.fixed_dictionaries(dict.fromkeys(CODES, dates))})
partial = st.fixed_dictionaries(
    {}, optional={**VALUES, "papers": st.fixed_dictionaries({}, optional=dict.fromkeys(CODES, dates))}
)

# ---- well-typed expressions, at random


def _expressions(asks: bool) -> Mapping[str, SearchStrategy[str]]:
    """Gives strategies of texts by type; with `asks` they use known() and applies() too, which are true of less."""
    kinds: dict[str, SearchStrategy[str]] = {}

    def of(kind: str) -> SearchStrategy[str]:
        return st.deferred(lambda: kinds[kind])

    def put(template: str, *parts: SearchStrategy[str]) -> SearchStrategy[str]:
        return st.tuples(*parts).map(lambda texts: template.format(*texts))

    def either(kind: str) -> SearchStrategy[str]:
        return put("({} if {} else {})", of(kind), of("bool"), of(kind))

    def leaves(*texts: str) -> SearchStrategy[str]:
        return st.sampled_from(texts)

    order, same = leaves("<", "<=", ">", ">=", "==", "!="), leaves("==", "!=")
    small = st.integers(0, 14).map(str)
    paper = leaves(*(f"papers['{code}']" for code in CODES))
    looped = leaves("papers[p]", "day", "other")
    each = put("{} {} {}", looped, order, looped) | put("p {} {}", same, leaves("'form'", "'photo'"))
    if asks:
        each |= leaves("known(papers[p])", "applies(p)", "written(papers[p])")
    kinds["number"] = st.one_of(
        leaves("n", "m", "x", "n", "m", "0.5", "2.25"),
        small,
        put("({} {} {})", of("number"), leaves("+", "-", "*", "//", "%"), small | leaves("n", "m", "x")),
        put("-{}", of("number")),
        put("months_between({}, {})", of("date"), of("date")),
        put("days_between({}, {})", of("date"), of("date")),
        put("working_days_between({}, {})", of("date"), of("date")),
        put("year({})", of("date")),
        put("month({})", of("date")),
        put("count({} for p in codes)", each),
        either("number"),
    )
    kinds["days"] = put("({} - {})", of("date"), of("date")) | put("days({})", leaves("n", "m") | small)
    kinds["date"] = st.one_of(
        leaves("day", "other", "day", "other"),
        paper,
        put("({} {} {})", of("date"), leaves("+", "-"), of("days")),
        put("({} {} months({}))", of("date"), leaves("+", "-"), leaves("n", "m") | small),
        put("({} {} working_days({}))", of("date"), leaves("+", "-"), leaves("n", "m") | small),
        put("add_months({}, {})", of("date"), leaves("n", "m")),
        put("add_working_days({}, {})", of("date"), leaves("n", "m")),
        put("date(2024, {}, {})", small, small),
        put("{}({})", leaves("first_working_day", "last_working_day", "first_of_month"), of("date")),
        put("{}({})", leaves("working_on_or_before", "working_on_or_after"), of("date")),
        put("day_of({})", leaves("moment")),
        put("{}(papers[p] for p in codes)", leaves("min", "max")),
        put("{}({} for p in codes if {})", leaves("min", "max"), looped, each),
        either("date"),
    )
    level = leaves("level", "least") | put("({} if {} else {})", leaves("level"), of("bool"), leaves("least", "'low'"))
    kinds["bool"] = st.one_of(
        leaves("a", "b", "true"),
        put("({} {} {})", of("number"), order, of("number")),
        put("({} {} {} {} {})", of("number"), order, of("number"), order, of("number")),
        put("({} {} {})", of("date"), order, of("date")),
        put("({} {} {})", of("days"), order, of("days")),
        put("(moment {} start_of({}))", order, of("date")),
        put("({} {} {})", level, order, level | leaves(*map(repr, LEVELS))),
        put("(t {} {})", same, leaves("'one'", "'Thôn 6'")),
        put("({} {} ['low', 'high'])", level, leaves("in", "not in")),
        put("(n {} [-1, 0, 1, 2])", leaves("in", "not in")),
        put("(t {} levels)", leaves("in", "not in")),
        put("({} {} {})", of("bool"), leaves("and", "or"), of("bool")),
        put("(not {})", of("bool")),
        put("{}({} for p in codes)", leaves("any", "all"), each),
        put("{}({} for p in codes if {})", leaves("any", "all"), each, each),
        either("bool"),
        *([leaves("known(n)", "known(papers['form'])", "written(t)")] if asks else []),
    )
    return kinds


def _any_type(kinds: Mapping[str, SearchStrategy[str]]) -> SearchStrategy[str]:
    return st.one_of(kinds["bool"], kinds["bool"], kinds["number"], kinds["date"])


plain, asking = _any_type(_expressions(asks=False)), _any_type(_expressions(asks=True))


def compiled(text: str) -> Any:
    """Compiles what is no larger than an expression may be."""
    try:
        return compile_expression(text, SCOPE)
    except ExpressionError as error:
        if "limit" not in error.params:
            raise
        assume(False)


# ---- Python, as the oracle


class Level(str):
    """A choice with its order, for Python's own operators."""

    __slots__ = ()

    def _place(self, other: object, op: str) -> Any:
        return getattr(LEVELS.index(str(self)), op)(LEVELS.index(str(other)))

    def __lt__(self, other: object) -> Any:
        return self._place(other, "__lt__")

    def __le__(self, other: object) -> Any:
        return self._place(other, "__le__")

    def __gt__(self, other: object) -> Any:
        return self._place(other, "__gt__")

    def __ge__(self, other: object) -> Any:
        return self._place(other, "__ge__")


class Moved:
    """Months or working days, which Python does not have: added to a day and taken from it."""

    def __init__(self, n: int, move: Any) -> None:
        self.n, self.move = n, move

    def __radd__(self, day: date) -> date:
        return self.move(day, self.n)  # type: ignore[no-any-return]

    def __rsub__(self, day: date) -> date:
        return self.move(day, -self.n)  # type: ignore[no-any-return]


def is_working(day: date) -> bool:
    return day.weekday() < 5 and day not in OFF


def walk(day: date, n: int) -> date:
    left = abs(n)
    while left:
        day += timedelta(days=1 if n > 0 else -1)
        left -= is_working(day)
    return day


def walked(a: date, b: date) -> int:
    count = sum(is_working(min(a, b) + timedelta(days=i + 1)) for i in range(abs((b - a).days)))
    return count if b >= a else -count


def last_of_month(day: date) -> date:
    return add_months(day.replace(day=1), 1) - timedelta(days=1)


ORACLE: Mapping[str, Any] = {
    "__builtins__": {},
    **{f.__name__: f for f in (any, all, min, max, date, months_between, add_months)},
    "true": True,
    "codes": CODES,
    "levels": LEVELS,
    "count": lambda answers: len([answer for answer in answers if answer]),
    "days": lambda n: timedelta(days=n),
    "months": lambda n: Moved(n, add_months),
    "working_days": lambda n: Moved(n, walk),
    "add_working_days": walk,
    "working_days_between": walked,
    "days_between": lambda a, b: (b - a).days,
    "year": lambda d: d.year,
    "month": lambda d: d.month,
    "first_of_month": lambda d: d.replace(day=1),
    "first_working_day": lambda d: walk(d.replace(day=1) - timedelta(days=1), 1),
    "last_working_day": lambda d: walk(last_of_month(d) + timedelta(days=1), -1),
    "working_on_or_before": lambda d: d if is_working(d) else walk(d, -1),
    "working_on_or_after": lambda d: d if is_working(d) else walk(d, 1),
    "day_of": lambda t: t.date(),
    "start_of": lambda d: datetime(d.year, d.month, d.day, tzinfo=UTC),
}


def by_python(text: str, facts: Mapping[str, Any]) -> Any:
    """Returns what Python says of an expression. Its floats are written as decimals, its choices in their order."""
    for number in ("0.5", "2.25"):
        text = text.replace(number, f"Decimal('{number}')")
    own = {name: Level(v) if name in ("level", "least") else v for name, v in facts.items()}
    return eval(text, {**ORACLE, "Decimal": Decimal, **own})


# ---- what must hold


@given(plain, complete)
def test_on_complete_facts_the_answer_is_pythons_own(text: str, facts: dict[str, Any]) -> None:
    expression = compiled(text)
    try:
        expected = by_python(text, facts)
    except (ArithmeticError, ValueError):  # a division by zero, a day that does not exist, the least of none
        return
    found = expression.evaluate(facts, CALENDAR)
    if expression.type != "bool" and isinstance(expected, bool):
        expected = int(expected)
    assert found == expected, text


@given(plain, complete)
def test_unknown_on_complete_facts_means_that_python_would_raise(text: str, facts: dict[str, Any]) -> None:
    expression = compiled(text)
    if expression.evaluate(facts, CALENDAR) is None:
        try:
            by_python(text, facts)
        except (ArithmeticError, ValueError):
            return
        raise AssertionError(text)


@given(asking, partial)
def test_no_facts_make_it_raise_and_its_type_is_as_told(text: str, facts: dict[str, Any]) -> None:
    expression = compiled(text)
    value = expression.evaluate(facts, CALENDAR)
    kinds: Mapping[str, tuple[type, ...]] = {"bool": (bool,), "number": (int, Decimal), "date": (date,)}
    assert value is None or isinstance(value, kinds[expression.type])


@given(plain, complete, st.data())
def test_what_is_known_stays_so_whatever_else_becomes_known(
    text: str, facts: dict[str, Any], data: st.DataObject
) -> None:
    expression = compiled(text)
    kept = data.draw(st.sets(st.sampled_from(sorted(facts))))
    codes = data.draw(st.sets(st.sampled_from(CODES)))
    some: dict[str, Any] = {name: facts[name] for name in kept}
    some["papers"] = {code: facts["papers"][code] for code in codes}
    found = expression.evaluate(some, CALENDAR)
    if found is not None:
        assert expression.evaluate(facts, CALENDAR) == found, text


@given(asking, partial)
def test_an_explanation_agrees_with_the_answer_and_with_the_facts(text: str, facts: dict[str, Any]) -> None:
    expression = compiled(text)
    told = expression.explain(facts, CALENDAR)
    assert told.value == expression.evaluate(facts, CALENDAR)
    assert set(told.missing) == {name for name, value in told.read.items() if value is None}
    assert {name.split(".")[0] for name in told.read} <= expression.reads
    for name, value in told.read.items():
        fact, _, key = name.partition(".")
        assert value == (facts.get(fact, {}).get(key) if key else facts.get(fact))


@given(asking, partial)
def test_only_what_it_reads_decides(text: str, facts: dict[str, Any]) -> None:
    expression = compiled(text)
    fewer = {name: value for name, value in facts.items() if name in expression.reads}
    assert expression.evaluate(fewer, CALENDAR) == expression.evaluate(facts, CALENDAR)


@given(asking, partial)
def test_an_unknown_answer_names_what_is_missing_unless_there_can_be_none(text: str, facts: dict[str, Any]) -> None:
    told = compiled(text).explain(facts, CALENDAR)
    can_be_none = ("//", "%", "date(2024", "min(", "max(")
    if told.value is None and not any(sign in text for sign in can_be_none):
        assert told.missing, text


WORDS = "a n day papers p codes known and or not in if else for any min date lambda await yield is async"
SIGNS = "( ) [ ] , + - * // % < == ** := . { } ' \" \\ # 'form' 1 0.5 1e999 0x1 é …"
PIECES = [*re.split(" ", f"{WORDS} {SIGNS}"), "\n", "\x00", "\ud800"]


@st.composite
def near_expressions(draw: DrawFn) -> str:
    """Gives what almost is an expression: pieces of the language in any order, or a good one with a piece changed."""
    pieces = st.sampled_from(PIECES)
    if draw(st.booleans()):
        return draw(st.sampled_from(["", " "])).join(draw(st.lists(pieces, max_size=40)))
    text = draw(asking)
    at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 3))
    return text[:at] + draw(pieces) + text[at + length :]


any_text = st.text(st.characters(codec=None), max_size=60)  # surrogates too


@given(any_text | near_expressions(), partial)
@example("(" * 2000, {})
@example("[" * 1999 + "1", {})
@example("-" * 1999 + "1", {})
@example("not " * 499 + "a", {})
@example("9" * 2000, {})
@example("n" + "*n" * 999, {})
@example("a if " * 300 + "a", {})
@example("'" * 2000, {})
@example("n" + "==n" * 600, {})
@example("x" * 100_000, {})
@example("date(9999, 12, 31) + working_days(10000) > date(1, 1, 1) - working_days(10000)", {})
@example("working_days_between(date(1900, 1, 1), date(2000, 1, 1)) > add_working_days(date(1, 1, 1), 10000)", {})
def test_any_text_is_an_expression_or_refused_and_either_is_quick(text: str, facts: dict[str, Any]) -> None:
    begun = time.process_time()
    refused: ExpressionError | None = None
    try:
        expression = compile_expression(text, SCOPE)
    except ExpressionError as error:
        refused = error
    else:
        expression.evaluate(facts, CALENDAR)
        expression.explain(facts, CALENDAR)
    assert time.process_time() - begun < 2
    assert refused is None or (refused.text() and 0 <= refused.offset <= len(text))
