"""The functions of the expression language. Each takes known values and gives a value, or None where there is none.

A length of time is a whole number at run time; its unit (`days`, `months`, `working_days`) is its type at load.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from engine.core.calendar import Calendar, add_months, months_between

LARGEST = 10**18
SPANS = frozenset({"days", "months", "working_days"})
Number = int | Decimal
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})\Z")


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function: the types it takes, the type it gives, and what it does with a calendar and known values.

    One that is `steady` asks the calendar nothing: over constants its value is found at load.
    """

    takes: tuple[tuple[str, ...], ...]
    gives: str
    do: Callable[..., Any]
    steady: bool = False


def bounded(value: Number) -> Number | None:
    """Returns a number, or None when it is too large to be meant."""
    return value if -LARGEST <= value <= LARGEST else None


def whole(value: Number) -> int | None:
    """Returns a number that has no fraction as an int, any other as None."""
    if isinstance(value, int):
        return value
    return int(value) if value == value.to_integral_value() else None


def shift(day: date, n: int, unit: str, calendar: Calendar) -> date | None:
    """Returns the day `n` units on; None past the calendar's ends."""
    try:
        if unit == "days":
            return day + timedelta(days=n)
        return add_months(day, n) if unit == "months" else calendar.add_working_days(day, n)
    except OverflowError:
        return None


def _shifted(unit: str) -> Callable[[Calendar, date, Number], date | None]:
    def run(calendar: Calendar, day: date, n: Number) -> date | None:
        count = whole(n)
        return None if count is None else shift(day, count, unit, calendar)

    return run


def _date(_: Calendar, year: Number, month: Number, day: Number) -> date | None:
    y, m, d = whole(year), whole(month), whole(day)
    if y is None or m is None or d is None:
        return None
    try:
        return date(y, m, d)
    except (ValueError, OverflowError):
        return None


def _first_of_month(_: Calendar, value: str | date) -> date | None:
    if isinstance(value, date):
        return value.replace(day=1)
    month = _MONTH.match(value)
    try:
        return date(int(month[1]), int(month[2]), 1) if month else None
    except ValueError:
        return None


def _within(run: Callable[..., Any]) -> Callable[..., Any]:
    """Gives None where the calendar ends."""

    def within(*args: Any) -> Any:
        try:
            return run(*args)
        except OverflowError:
            return None

    return within


_D, _N = ("date",), ("number",)

FUNCTIONS: dict[str, Function] = {
    "days": Function(takes=(_N,), gives="days", do=lambda _, n: whole(n), steady=True),
    "months": Function(takes=(_N,), gives="months", do=lambda _, n: whole(n), steady=True),
    "working_days": Function(takes=(_N,), gives="working_days", do=lambda _, n: whole(n), steady=True),
    "add_days": Function(takes=(_D, _N), gives="date", do=_shifted("days"), steady=True),
    "add_months": Function(takes=(_D, _N), gives="date", do=_shifted("months"), steady=True),
    "add_working_days": Function(takes=(_D, _N), gives="date", do=_shifted("working_days")),
    "days_between": Function(takes=(_D, _D), gives="number", do=lambda _, a, b: (b - a).days, steady=True),
    "months_between": Function(takes=(_D, _D), gives="number", do=lambda _, a, b: months_between(a, b), steady=True),
    "working_days_between": Function(
        takes=(_D, _D), gives="number", do=_within(lambda c, a, b: c.working_days_between(a, b))
    ),
    "date": Function(takes=(_N, _N, _N), gives="date", do=_date, steady=True),
    "year": Function(takes=(_D,), gives="number", do=lambda _, d: d.year, steady=True),
    "month": Function(takes=(_D,), gives="number", do=lambda _, d: d.month, steady=True),
    "first_of_month": Function(takes=(("text", "date"),), gives="date", do=_first_of_month, steady=True),
    "first_working_day": Function(takes=(_D,), gives="date", do=_within(lambda c, d: c.first_working_day(d))),
    "last_working_day": Function(takes=(_D,), gives="date", do=_within(lambda c, d: c.last_working_day(d))),
    "working_on_or_before": Function(takes=(_D,), gives="date", do=_within(lambda c, d: c.working_on_or_before(d))),
    "working_on_or_after": Function(takes=(_D,), gives="date", do=_within(lambda c, d: c.working_on_or_after(d))),
    "day_of": Function(takes=(("datetime",),), gives="date", do=_within(lambda c, t: c.day_of(t))),
    "start_of": Function(takes=(_D,), gives="datetime", do=_within(lambda c, d: c.start_of(d))),
}
