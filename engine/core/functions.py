"""The functions of the expression language. Each takes known values and gives a value, or None where there is none."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from engine.core.calendar import Calendar, add_months, months_between

LARGEST = 10**18
_MONTH = re.compile(r"(\d{4})-(\d{2})\Z")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A length of time in one unit: `days`, `months` or `working_days`."""

    unit: str
    n: int

    def __neg__(self) -> Span:
        return Span(self.unit, -self.n)


def plus(a: Span, b: Span) -> Span:
    """Returns two spans of one unit together."""
    return Span(a.unit, a.n + b.n)


def bounded(value: Any) -> Any:
    """Returns a number, or None when it is too large to be meant."""
    if isinstance(value, int | Decimal) and not -LARGEST <= value <= LARGEST:
        return None
    return value


def shift(day: date, by: Span, sign: int, calendar: Calendar) -> date | None:
    """Returns the day a span later (sign 1) or earlier (-1); None past the calendar's ends."""
    n = by.n * sign
    try:
        if by.unit == "days":
            return day + timedelta(days=n)
        return add_months(day, n) if by.unit == "months" else calendar.add_working_days(day, n)
    except OverflowError:
        return None


def _whole(value: Any) -> int | None:
    if isinstance(value, int):
        return value if abs(value) <= LARGEST else None
    return int(value) if value == value.to_integral_value() else None


def _spans(unit: str) -> Callable[[Calendar, Any], Span | None]:
    return lambda _, n: None if (whole := _whole(n)) is None else Span(unit, whole)


def _shifted(unit: str) -> Callable[[Calendar, date, Any], date | None]:
    def run(calendar: Calendar, day: date, n: Any) -> date | None:
        whole = _whole(n)
        return None if whole is None else shift(day, Span(unit, whole), 1, calendar)

    return run


def _date(_: Calendar, year: Any, month: Any, day: Any) -> date | None:
    try:
        return date(_whole(year) or 0, _whole(month) or 0, _whole(day) or 0)
    except (ValueError, OverflowError):
        return None


def _quiet(run: Callable[..., Any]) -> Callable[..., Any]:
    """Gives None where the calendar ends."""

    def quiet(*args: Any) -> Any:
        try:
            return run(*args)
        except (OverflowError, ValueError):
            return None

    return quiet


def _first_of_month(_: Calendar, value: str | date) -> date | None:
    if isinstance(value, date):
        return value.replace(day=1)
    m = _MONTH.match(value)
    return _date(_, int(m[1]), int(m[2]), 1) if m else None


@dataclass(frozen=True)
class Function:
    """A function: the types it takes, the type it gives, and what it does with a calendar and known values."""

    takes: tuple[tuple[str, ...], ...]
    gives: str
    do: Callable[..., Any]


_D, _N = ("date",), ("number",)

FUNCTIONS: dict[str, Function] = {
    "days": Function((_N,), "days", _spans("days")),
    "months": Function((_N,), "months", _spans("months")),
    "working_days": Function((_N,), "working_days", _spans("working_days")),
    "add_days": Function((_D, _N), "date", _shifted("days")),
    "add_months": Function((_D, _N), "date", _shifted("months")),
    "add_working_days": Function((_D, _N), "date", _shifted("working_days")),
    "days_between": Function((_D, _D), "number", lambda _, a, b: (b - a).days),
    "months_between": Function((_D, _D), "number", lambda _, a, b: months_between(a, b)),
    "working_days_between": Function((_D, _D), "number", _quiet(lambda c, a, b: c.working_days_between(a, b))),
    "date": Function((_N, _N, _N), "date", _date),
    "year": Function((_D,), "number", lambda _, d: d.year),
    "month": Function((_D,), "number", lambda _, d: d.month),
    "first_of_month": Function((("text", "date"),), "date", _first_of_month),
    "first_working_day": Function((_D,), "date", _quiet(lambda c, d: c.first_working_day(d))),
    "last_working_day": Function((_D,), "date", _quiet(lambda c, d: c.last_working_day(d))),
    "working_on_or_before": Function((_D,), "date", _quiet(lambda c, d: c.working_on_or_before(d))),
    "working_on_or_after": Function((_D,), "date", _quiet(lambda c, d: c.working_on_or_after(d))),
    "day_of": Function((("datetime",),), "date", _quiet(lambda c, t: c.day_of(t))),
    "start_of": Function((_D,), "datetime", _quiet(lambda c, d: c.start_of(d))),
}


