"""The expression language, case by case: values, unknowns, what an explanation names, and what is refused where."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.core.calendar import Calendar
from engine.core.expressions import Expression, ExpressionError, Scope, compile_expression
from engine.core.functions import FUNCTIONS
from engine.core.values import Type

D = date.fromisoformat
LEVELS = ("none", "low", "middle", "high")

NAMES = {
    "n": Type(name="int"),
    "m": Type(name="int"),
    "x": Type(name="decimal"),
    "a": Type(name="bool"),
    "b": Type(name="bool"),
    "t": Type(name="text"),
    "u": Type(name="text"),
    "day": Type(name="date"),
    "other": Type(name="date"),
    "moment": Type(name="datetime"),
    "level": Type(name="choice", options=LEVELS),
    "least": Type(name="choice", options=LEVELS),
    "grade": Type(name="choice", options=("high", "low")),
    "org": Type(name="org"),
    "there": Type(name="org"),
    "subject": Type(name="subject"),
    "certificate_on": Type(name="date"),
    "papers": Type(name="map", of=Type(name="date"), keys=("form", "letter", "photo")),
    "scores": Type(name="map", of=Type(name="int")),
    "ranks": Type(name="map", of=Type(name="choice", options=LEVELS)),
}
LISTS = {"all_papers": ("form", "letter", "photo"), "dated": ("form", "letter"), "levels": LEVELS, "empty": ()}
BARE = Scope(names=NAMES, lists=LISTS)
SCOPE = Scope(
    names=NAMES,
    lists=LISTS,
    conditions={
        "all_papers": {
            "letter": compile_expression("a", BARE, expect="bool"),
            "photo": compile_expression("any(known(papers[p]) for p in dated)", BARE, expect="bool"),
        }
    },
)
CALENDAR = Calendar(
    zone=ZoneInfo("Asia/Ho_Chi_Minh"),
    days_off=lambda year: frozenset({date(year, 1, 1)}),
    own_work=frozenset({D("2024-03-02")}),
)


def value(text: str, **facts: Any) -> Any:
    return compile_expression(text, SCOPE).evaluate(facts, CALENDAR)


def refusal(text: str, expect: str | None = None) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, SCOPE, expect=expect)
    return caught.value


# ---- Kleene's tables

T, F, U = True, False, None
AND = {(T, T): T, (T, F): F, (T, U): U, (F, F): F, (F, U): F, (U, U): U}
OR = {(T, T): T, (T, F): T, (T, U): T, (F, F): F, (F, U): U, (U, U): U}


def _facts(**values: bool | None) -> dict[str, bool]:
    return {name: v for name, v in values.items() if v is not None}


@pytest.mark.parametrize(("pair", "expected"), AND.items())
def test_and_is_kleenes_in_either_order(pair: tuple[bool | None, bool | None], expected: bool | None) -> None:
    for a, b in (pair, pair[::-1]):
        assert value("a and b", **_facts(a=a, b=b)) is expected


@pytest.mark.parametrize(("pair", "expected"), OR.items())
def test_or_is_kleenes_in_either_order(pair: tuple[bool | None, bool | None], expected: bool | None) -> None:
    for a, b in (pair, pair[::-1]):
        assert value("a or b", **_facts(a=a, b=b)) is expected


@pytest.mark.parametrize(("a", "expected"), [(T, F), (F, T), (U, U)])
def test_not_is_kleenes(a: bool | None, expected: bool | None) -> None:
    assert value("not a", **_facts(a=a)) is expected


@pytest.mark.parametrize(
    ("loop", "kept", "held", "expected"),
    [
        *[("any", T, held, held) for held in (T, F, U)],
        *[("all", T, held, held) for held in (T, F, U)],
        *[("any", F, held, F) for held in (T, F, U)],
        *[("all", F, held, T) for held in (T, F, U)],
        ("any", U, T, U),
        ("any", U, F, F),  # whether it counts or not, it is not true
        ("any", U, U, U),
        ("all", U, F, U),
        ("all", U, T, T),  # whether it counts or not, it is not false
        ("all", U, U, U),
    ],
)
def test_a_loop_is_unknown_only_if_what_is_missing_could_change_it(
    loop: str, kept: bool | None, held: bool | None, expected: bool | None
) -> None:
    assert value(f"{loop}(a for p in dated if b)", **_facts(a=held, b=kept)) is expected


# ---- values

FULL: dict[str, Any] = {
    "n": 7,
    "m": -3,
    "x": Decimal("2.5"),
    "a": True,
    "b": False,
    "t": "Thôn 6",
    "day": D("2024-03-01"),  # a Friday
    "other": D("2024-01-31"),
    "moment": datetime(2024, 1, 24, 17, 30, tzinfo=UTC),
    "level": "middle",
    "least": "low",
    "grade": "low",
    "org": "o1",
    "there": "o1",
    "subject": "s1",
    "papers": {"form": D("2024-01-05"), "letter": D("2023-06-30")},
    "scores": {"one": 4},
    "ranks": {"one": "high"},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # literals and comparisons
        ("true", True),
        ("True != false", True),
        ("'quoted'", "quoted"),
        ('"say"', "say"),
        ("0.10", Decimal("0.10")),
        ("x == 2.5", True),
        ("x < 2.50000000000000000000000000000000001", True),
        ("1 < n <= 7 < 8", True),
        ("1 < n < 7 < 8", False),
        ("t == 'Thôn 6' and t != 'thôn 6'", True),
        ("t == 'Tho\u0302n 6'", True),  # the same letters, decomposed
        ("level == 'middle'", True),
        ("'low' < level < 'high'", True),
        ("level >= least", True),
        ("level in ['middle', 'high']", True),
        ("level not in ['middle']", False),
        ("level in levels", True),
        ("t in levels", False),
        ("n in [-7, 7]", True),
        ("org == there and org != 'o2'", True),
        ("subject == 's1'", True),
        ("moment > start_of(date(2024, 1, 25))", True),
        ("a == true and b == (n > 8)", True),
        ("\n  n == 7\r\n\tand a", True),
        # numbers
        ("n + m * 2 - 1", 0),
        ("-n", -7),
        ("- -n + +n", 14),
        ("n // 2", 3),
        ("m // 2", -2),
        ("m % 2", 1),
        ("x * 2", Decimal("5.0")),
        ("n + x", Decimal("9.5")),
        ("18 * 12", 216),
        # days and lengths of time
        ("day + days(1)", D("2024-03-02")),
        ("days(1) + day", D("2024-03-02")),
        ("day - days(n)", D("2024-02-23")),
        ("other + months(1)", D("2024-02-29")),
        ("other - months(2)", D("2023-11-30")),
        ("day + working_days(1)", D("2024-03-02")),
        ("day + working_days(2)", D("2024-03-04")),
        ("day - working_days(2)", D("2024-02-28")),
        ("day - other == days(30)", True),
        ("day - other < days(31)", True),
        ("months(1) + months(2) == months(3)", True),
        ("days(5) - days(n) < days(0)", True),
        # functions
        ("add_days(day, -1)", D("2024-02-29")),
        ("add_months(other, 1)", D("2024-02-29")),
        ("add_months(day, 2.0)", D("2024-05-01")),
        ("add_working_days(day, 1)", D("2024-03-02")),
        ("add_working_days(date(2023, 12, 29), 1)", D("2024-01-02")),
        ("days_between(other, day)", 30),
        ("months_between(other, day)", 2),
        ("working_days_between(day, date(2024, 3, 5))", 3),
        ("working_days_between(date(2024, 3, 5), day)", -3),
        ("date(2024, 2, 29)", D("2024-02-29")),
        ("year(day) * 100 + month(day)", 202403),
        ("first_of_month(day + days(9))", D("2024-03-01")),
        ("first_of_month('2024-02')", D("2024-02-01")),
        ("first_working_day(date(2024, 1, 20))", D("2024-01-02")),
        ("last_working_day(other)", D("2024-01-31")),
        ("working_on_or_before(date(2024, 3, 3))", D("2024-03-02")),
        ("working_on_or_after(date(2024, 3, 3))", D("2024-03-04")),
        ("day_of(moment)", D("2024-01-25")),
        ("start_of(date(2024, 1, 25))", datetime(2024, 1, 24, 17, tzinfo=UTC)),
        # maps
        ("papers['form']", D("2024-01-05")),
        ("scores['one'] + 1", 5),
        ("ranks['one'] > 'middle'", True),
        # loops
        ("any(papers[p] < date(2024, 1, 1) for p in dated)", True),
        ("all(papers[p] < date(2024, 1, 1) for p in dated)", False),
        ("min(papers[p] for p in dated)", D("2023-06-30")),
        ("max(papers[p] for p in all_papers if known(papers[p]))", D("2024-01-05")),
        ("count(known(papers[p]) for p in all_papers)", 2),
        ("count(known(papers[p]) for p in all_papers if p != 'form')", 1),
        ("any(p == level for p in levels)", True),
        ("max(n + m for p in dated)", 4),
        # either
        ("n if a else m", 7),
        ("day if b else other", D("2024-01-31")),
        ("'low' if b else level", "middle"),
        ("(level if a else 'low') >= 'middle'", True),
        ("org if a else 'o9'", "o1"),
    ],
)
def test_an_expression_has_this_value(text: str, expected: object) -> None:
    found = compile_expression(text, SCOPE)
    result = found.evaluate(FULL, CALENDAR)
    assert result == expected
    assert type(result) is type(expected)
    assert found.explain(FULL, CALENDAR).value == expected


def test_every_function_of_the_table_is_tried_above() -> None:
    mark = next(m for m in test_an_expression_has_this_value.pytestmark if m.name == "parametrize")  # type: ignore[attr-defined]
    texts = " ".join(text for text, _ in mark.args[1])
    assert [name for name in FUNCTIONS if f"{name}(" not in texts] == []


@pytest.mark.parametrize(
    "text",
    [
        "n // 0",
        "n % 0",
        "x // 0.0",
        "x // 0.0000000000000000000000000000001",  # more digits than a decimal has
        "999999999999999 * 999999999999999",
        "999999999999999 * n * 999999999999999 < 0",
        "date(2023, 2, 29)",
        "date(2023, 1.5, 1)",
        "date(0, 1, 1)",
        "date(999999999999, 1, 1)",
        "first_of_month('2024-13')",
        "first_of_month('0000-01')",
        "first_of_month('next')",
        "first_of_month('٢٠٢٤-٠١')",
        "date(9999, 12, 31) + days(1)",
        "date(9999, 12, 31) + months(1)",
        "date(9999, 12, 31) + working_days(1)",
        "date(1, 1, 1) - days(1)",
        "date(1, 1, 1) - months(1)",
        "date(1, 1, 1) - working_days(1)",
        "day + days(999999999999999 * 1000)",
        "day + months(999999999999999 * 1000)",
        "add_working_days(day, 10001)",
        "add_days(day, x)",
        "months(x)",
        "working_days_between(date(1, 1, 1), date(9999, 12, 31))",
        "first_working_day(date(1, 1, 1)) - days(9)",
        "start_of(date(1, 1, 1))",
        "papers['photo']",
        "scores['nobody']",
        "u == ''",
        "written(u)",
        "min(papers[p] for p in all_papers)",
        "min(papers[p] for p in all_papers if not known(papers[p]))",
        "min(papers[p] for p in dated if u == 'x')",
        "min(n for p in dated if b)",
        "count(u == 'x' for p in dated)",
        "n if u == 'x' else n",
        "a and u == 'x'",
        "u in ['x']",
    ],
)
def test_where_there_is_no_answer_it_is_unknown(text: str) -> None:
    assert value(text, **FULL) is None


def test_a_value_that_is_no_longer_an_option_has_no_place_in_the_order() -> None:
    assert value("level >= 'low'", level="abolished") is None
    assert value("level == 'low'", level="abolished") is False


def test_known_is_never_unknown_and_written_is_never_false() -> None:
    assert value("known(n)", n=0) is True
    assert value("known(n)") is False
    assert value("written(n)", n=0) is True
    assert value("written(n)") is None
    assert value("known(papers)", papers={}) is False
    assert value("written(papers)", papers={}) is None
    assert value("known(papers['form'])") is False
    assert value("known(papers['form'])", papers={"form": D("2024-01-01")}) is True


def test_an_entry_without_a_condition_applies_and_one_whose_condition_is_not_true_does_not() -> None:
    text = "count(applies(p) for p in all_papers)"
    assert value(text) == 1
    assert value(text, a=False) == 1
    assert value(text, a=True) == 2
    assert value(text, a=True, papers={"letter": D("2024-01-01")}) == 3


# ---- what is read and what is missing


def test_reads_are_all_names_mentioned_through_conditions_too() -> None:
    assert compile_expression("n > 1 or known(papers['form'])", SCOPE).reads == {"n", "papers"}
    assert compile_expression("all(applies(p) for p in all_papers)", SCOPE).reads == {"a", "papers"}
    assert compile_expression("level in levels", SCOPE).reads == {"level"}


def explain(text: str, **facts: Any) -> tuple[Any, dict[str, Any], tuple[str, ...]]:
    told = compile_expression(text, SCOPE).explain(facts, CALENDAR)
    return told.value, dict(told.read), told.missing


def test_read_is_in_the_order_of_first_mention() -> None:
    told = explain(
        "n + m >= 3 and n < 9 and papers['form'] < day", n=1, m=2, papers={"form": D("2024-01-01")}, day=D("2025-01-01")
    )
    assert list(told[1].items()) == [("n", 1), ("m", 2), ("papers.form", D("2024-01-01")), ("day", D("2025-01-01"))]
    assert told[2] == ()


def test_all_that_is_missing_on_both_sides_is_named() -> None:
    assert explain("3 * n >= 2 * (m - x)")[2] == ("n", "m", "x")
    assert explain("months_between(day, other) > 1")[2] == ("day", "other")
    assert explain("day + days(n) < other")[2] == ("day", "n", "other")
    assert explain("date(n, m, x) == day")[2] == ("n", "m", "x", "day")


def test_what_known_asked_for_and_did_not_find_is_missing() -> None:
    assert explain("known(n) and known(m) and day <= other", day=D("2024-01-01")) == (
        False,
        {"n": None, "m": None, "day": D("2024-01-01"), "other": None},
        ("n", "m", "other"),
    )


def test_where_it_fails_by_what_is_known_nothing_more_is_asked_for() -> None:
    assert explain("a and n > 1", a=False) == (False, {"a": False}, ())
    assert explain("a or n > 1", a=True) == (True, {"a": True}, ())


def test_every_missing_entry_of_a_loop_is_named_and_none_that_does_not_apply() -> None:
    text = "all(known(papers[p]) for p in all_papers if applies(p))"
    assert explain(text, a=True)[2] == ("papers.form", "papers.letter")
    form = {"form": D("2024-01-01")}
    assert explain(text, a=False, papers=form) == (
        False,
        {"papers.form": D("2024-01-01"), "a": False, "papers.photo": None},
        ("papers.photo",),
    )


def test_a_loop_that_fails_by_one_entry_still_names_those_that_are_missing() -> None:
    told = explain("all(papers[p] < day for p in all_papers)", day=D("2024-01-01"), papers={"form": D("2024-05-01")})
    assert (told[0], told[2]) == (False, ("papers.letter", "papers.photo"))


def test_explaining_changes_no_fact() -> None:
    facts: dict[str, Any] = {"papers": {"form": D("2024-01-01")}, "a": True}
    before = repr(facts)
    compile_expression("all(known(papers[p]) for p in all_papers if applies(p))", SCOPE).explain(facts, CALENDAR)
    assert repr(facts) == before


# ---- what is refused, and where


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        # names
        ("n > 1 and certifcate_on < day", 10, "there is no fact certifcate_on; did you mean certificate_on?"),
        (
            "t == 'Đảng ủy xã' and certifcate_on < day",
            22,
            "there is no fact certifcate_on; did you mean certificate_on?",
        ),
        ("  \n zzz", 4, "there is no fact zzz"),
        ("add_monts(day, 1) > day", 0, "there is no function add_monts; did you mean add_months?"),
        ("known_(n)", 0, "there is no function known_; did you mean known?"),
        ("__import__('os')", 0, "there is no function __import__"),
        ("papers['fom'] < day", 7, "there is no key fom; did you mean form?"),
        ("papers['Form'] < day", 7, "there is no key Form; did you mean form?"),
        ("any(known(papers[p]) for p in levels)", 17, "there is no key none"),
        ("level == 'midle'", 9, "there is no value midle; did you mean middle?"),
        ("'midle' == level", 0, "there is no value midle; did you mean middle?"),
        ("level in ['low', 'hihg']", 17, "there is no value hihg; did you mean high?"),
        ("any(p == 'frm' for p in dated)", 9, "there is no value frm; did you mean form?"),
        ("n if a else (level == 'x')", 22, "there is no value x"),
        ("any(a for p in datd)", 15, "there is no list datd; did you mean dated?"),
        ("any(a for p in empty)", 15, "there is no list empty"),
        ("t in papers", 5, "there is no list papers; did you mean all_papers?"),
        # types
        ("n == 'one'", 5, "number cannot be compared with text"),
        ("day < '2024-01-01'", 6, "date cannot be compared with text"),
        ("day < moment", 6, "date cannot be compared with datetime"),
        ("day - other > 30", 14, "days cannot be compared with number"),
        ("days(1) < months(1)", 10, "days cannot be compared with months"),
        ("level == t", 9, "choice cannot be compared with text"),
        ("level == grade", 9, "the two choices have unlike values"),
        ("org == subject", 7, "org cannot be compared with subject"),
        ("org == t", 7, "org cannot be compared with text"),
        ("papers == papers", 10, "map cannot be compared with map"),
        ("n in ['a']", 6, "number cannot be compared with text"),
        ("n in levels", 0, "number cannot be compared with text"),
        ("t < 'b'", 0, "text has no order"),
        ("org < there", 0, "org has no order"),
        ("a < b", 0, "bool has no order"),
        ("n and a", 0, "this is number, where true or false is wanted"),
        ("not t", 4, "this is text, where true or false is wanted"),
        ("n if n else n", 5, "this is number, where true or false is wanted"),
        ("n if a else t", 12, "number cannot be compared with text"),
        ("level if a else grade", 16, "the two choices have unlike values"),
        ("a + 1", 0, "bool and number cannot be combined so"),
        ("t + 'x'", 0, "text and text cannot be combined so"),
        ("day + day", 0, "date and date cannot be combined so"),
        ("days(1) - day", 0, "days and date cannot be combined so"),
        ("days(1) + months(1)", 0, "days and months cannot be combined so"),
        ("day + 1", 0, "date and number cannot be combined so"),
        ("moment + days(1)", 0, "datetime and days cannot be combined so"),
        ("n ** 2", 0, "number and number cannot be combined so"),
        ("-day", 0, "date has no sign"),
        ("add_months(moment, 1)", 11, "add_months takes date here, this is datetime"),
        ("add_months(day)", 0, "add_months takes 2 values"),
        ("first_of_month(n)", 15, "first_of_month takes text or date here, this is number"),
        ("count(n for p in dated)", 0, "count takes bool here, this is number"),
        ("max(t for p in dated)", 0, "max takes number or date or datetime here, this is text"),
        ("papers", 0, "a map is not a value: ask for one of its entries"),
        ("(papers if a else papers)['form']", 0, "only a map has entries"),
        # forms
        ("t[0]", 0, "only a map has entries"),
        ("papers[t]", 7, "an entry is named by a quoted key or a loop's variable"),
        ("papers[0]", 7, "an entry is named by a quoted key or a loop's variable"),
        ("papers['form':'photo']", 13, ": is not allowed here"),
        ("known(1)", 0, "known takes a fact or an entry of a map"),
        ("known(n, m)", 0, "known takes a fact or an entry of a map"),
        ("known(n + 1)", 0, "known takes a fact or an entry of a map"),
        ("any(known(p) for p in dated)", 4, "known takes a fact or an entry of a map"),
        ("applies('form')", 0, "applies takes the variable of a loop over a list"),
        ("any(applies(t) for p in dated)", 4, "applies takes the variable of a loop over a list"),
        ("any(a)", 0, "any takes: VALUE for NAME in LIST"),
        ("any(a for p in dated for q in dated)", 0, "any takes: VALUE for NAME in LIST"),
        ("any(a for p in dated if a if b)", 0, "any takes: VALUE for NAME in LIST"),
        ("any(a for p, q in dated)", 0, "any takes: VALUE for NAME in LIST"),
        ("any(a for n in dated)", 10, "n has a meaning already"),
        ("any(a for p in ['x'])", 15, "a loop goes over a declared list"),
        ("any(any(a for q in dated) for p in dated)", 4, "a loop inside a loop is not allowed"),
        ("any(a for p in dated) and p == 'form'", 26, "there is no fact p"),
        ("n in 7", 5, "`in` asks for a list of literals or a declared list"),
        ("n in []", 5, "`in` asks for a list of literals or a declared list"),
        ("n in [m]", 6, "a list holds literals only"),
        ("t in levels == true", 5, "nothing can follow a list"),
        ("[1, 2]", 0, "List is not allowed here"),
        ("n is 1", 5, "Is is not allowed here"),
        ("None", 0, "None is not allowed here"),
        ("t.upper()", 1, ". is not allowed here"),
        ("n / 2", 2, "/ is not allowed here"),
        ("n = 2", 2, "= is not allowed here"),
        ("(n := 2)", 3, ": is not allowed here"),
        ("n @ m", 2, "@ is not allowed here"),
        ("~n", 0, "~ is not allowed here"),
        ("lambda", 0, "this is not an expression: invalid syntax"),
        ("yes # no", 4, "# is not allowed here"),
        ("f'{n}' == t", 1, "'{n}' is not allowed here"),
        ("b'n' == t", 1, "'n' is not allowed here"),
        ("'a' 'b' == t", 4, "'b' is not allowed here"),
        ("''' '''", 2, "' ' is not allowed here"),
        ("1or a", 1, "or is not allowed here"),
        ("0x1F", 1, "x1F is not allowed here"),
        ("1e3", 1, "e3 is not allowed here"),
        ("'a\\n'", 0, "this text does not end, or holds a letter that is not allowed"),
        ("n == 1 and 'open", 11, "this text does not end, or holds a letter that is not allowed"),
        ("n \x00", 2, "U+0000 is not allowed here"),
        ("\ud800", 0, "U+D800 is not allowed here"),
        ("'\ud800'", 0, "this text does not end, or holds a letter that is not allowed"),
        ("ｎ == 1", 0, "ｎ is not allowed here"),  # a full-width letter, which Python would take for n
        ("known(*n)", 0, "known takes a fact or an entry of a map"),
        ("known(**n)", 0, "only the functions of the table can be called"),
        ("days(1)(2)", 0, "only the functions of the table can be called"),
        ("1000000000000000", 0, "the number is too large"),
        ("1000000000000000.5", 0, "the number is too large"),
    ],
)
def test_what_is_wrong_is_named_at_its_place(text: str, offset: int, message: str) -> None:
    error = refusal(text)
    assert (error.offset, error.text()) == (offset, message)


@pytest.mark.parametrize(
    "text", ["", "   ", "n ==", "(n == 1", "n == 1)", "1) + (2", "007", "n n", "9" * 1999, "a if b", "n; m", ")"]
)
def test_what_is_no_expression_is_refused_within_the_text(text: str) -> None:
    assert 0 <= refusal(text).offset <= len(text)


def test_the_nearest_name_is_suggested() -> None:
    assert refusal("certificate_no == day").suggestion == "certificate_on"
    assert refusal("qqqqqq == day").suggestion is None


def test_the_type_that_is_wanted_is_asked_for() -> None:
    assert compile_expression("n > 1", SCOPE, expect="bool").type == "bool"
    assert refusal("  n + 1", "bool").text() == "this is number, where bool is wanted"
    assert refusal("  n + 1", "bool").offset == 2


def test_a_message_is_translated_with_its_places_filled() -> None:
    error = refusal("nn == 1")
    assert error.text(lambda _: "không có {what} {name}, ý là {near}?") == "không có fact nn, ý là n?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n", "number"),
        ("x", "number"),
        ("day - other", "days"),
        ("months(1)", "months"),
        ("working_days(1)", "working_days"),
        ("level", "choice"),
        ("org", "org"),
        ("subject", "subject"),
        ("moment", "datetime"),
        ("papers['form']", "date"),
        ("scores['x']", "number"),
        ("count(a for p in dated)", "number"),
        ("max(day for p in dated)", "date"),
        ("org if a else 'o1'", "org"),
        ("'low' if a else level", "choice"),
        ("'x' if a else 'y'", "text"),
    ],
)
def test_an_expression_tells_its_type(text: str, expected: str) -> None:
    assert compile_expression(text, SCOPE).type == expected


# ---- limits


def test_length_depth_and_parts_are_bounded() -> None:
    for text in (
        "n == 1" + " " * 2000,
        "(" * 31 + "n" + ")" * 31,
        "not " * 31 + "a",
        "-" * 1990 + "n",
        "[" * 1000,
        "n" + " + n" * 31,
        "a and " * 300 + "a",
        "1 < " * 400 + "2",
    ):
        assert isinstance(refusal(text), ExpressionError)
    assert value(("(" * 28) + "a and " * 250 + "a" + ")" * 28, a=True) is True


def test_a_loop_over_a_long_list_is_bounded() -> None:
    long = Scope(names=NAMES, lists={"long": tuple(f"c{i}" for i in range(5000))})
    with pytest.raises(ExpressionError, match="20000"):
        compile_expression("any(a and a and a and b for p in long)", long)
    few: Expression = compile_expression("count(a for p in long)", long)
    assert few.evaluate({"a": True}, CALENDAR) == 5000
