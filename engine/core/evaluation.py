"""What a compiled expression is made of: small functions of the facts and the calendar; None is unknown.

Each factory takes the parts' functions and returns the whole's. Over a Trace every part is asked that a person may have
to mend; over plain facts none that cannot change the answer.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from engine.core.calendar import Calendar
from engine.core.functions import Function, bounded, shift

Run = Callable[[Any, Calendar], Any]  # (facts or a Trace, calendar) -> value, None where unknown


class Trace:
    """Facts that remember what was asked of them, and what they could not answer."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts
        self.read: dict[str, Any] = {}
        self.missing: dict[str, None] = {}  # in order; the values mean nothing
        self.misses = 0  # how often the answer was unknown

    def get(self, name: str) -> Any:
        """Returns a fact, or None."""
        value = self._facts.get(name)
        return self._note(name, None if value == {} else value)

    def entry(self, name: str, key: str) -> Any:
        """Returns an entry of a map, noted as `name.key`, or None."""
        whole = self._facts.get(name)
        return self._note(f"{name}.{key}", None if whole is None else whole.get(key))

    def _note(self, name: str, value: Any) -> Any:
        self.read.setdefault(name, value)
        if value is None:
            self.missing[name] = None
            self.misses += 1
        return value


def constant(value: Any) -> Run:
    """Always this value."""
    return lambda _f, _c: value


def fact(name: str) -> Run:
    """The fact's value."""
    return lambda f, _c: f.get(name)


def entry(name: str, key: str) -> Run:
    """The value under a key of a map."""

    def run(f: Any, _c: Calendar) -> Any:
        if type(f) is Trace:
            return f.entry(name, key)
        held = f.get(name)
        return None if held is None else held.get(key)

    return run


def entry_at(name: str, key: Run) -> Run:
    """The value under a key of a map that is itself worked out."""

    def run(f: Any, c: Calendar) -> Any:
        at = key(f, c)
        if at is None:
            return None
        if type(f) is Trace:
            return f.entry(name, at)
        held = f.get(name)
        return None if held is None else held.get(at)

    return run


def entries(name: str, value: Run | None) -> Run:
    """How many entries a map has, or how many with this value; none while nobody wrote it."""

    def run(f: Any, c: Calendar) -> int | None:
        held = f.get(name) or {}
        if value is None:
            return len(held)
        wanted = value(f, c)
        return None if wanted is None else sum(v == wanted for v in held.values())

    return run


def known(part: Run) -> Run:
    """True where the part has a value (an empty map has none), else false; never unknown."""

    def run(f: Any, c: Calendar) -> bool:
        value = part(f, c)
        return value is not None and value != {}

    return run


def written(part: Run) -> Run:
    """True where the part has a value, else unknown."""

    def run(f: Any, c: Calendar) -> bool | None:
        value = part(f, c)
        return None if value is None or value == {} else True

    return run


def holds(part: Run) -> Run:
    """True where the part is true, false where it is false or unknown."""
    return lambda f, c: part(f, c) is True


def negation(part: Run) -> Run:
    """Kleene's not."""
    return lambda f, c: None if (v := part(f, c)) is None else not v


def all_of(parts: Sequence[Run], *, name_all: bool = False) -> Run:
    """Kleene's and. With `name_all` a Trace is shown every part, that all that is missing may be named at once."""
    if len(parts) == 1:
        return parts[0]

    def run(f: Any, c: Calendar) -> bool | None:
        if type(f) is Trace:
            return _all_traced(parts, f, c, name_all)
        answer: bool | None = True
        for part in parts:
            value = part(f, c)
            if value is None:
                answer = None
            elif not value:
                return False
        return answer

    return run


def _all_traced(parts: Sequence[Run], f: Trace, c: Calendar, name_all: bool) -> bool | None:
    answer: bool | None = True
    for part in parts:
        misses = f.misses
        value = part(f, c)
        if value is None:
            answer = answer and None
        elif not value:
            answer = False
            if f.misses == misses and not name_all:
                break  # false by what is known, so nothing that could be written now would help
    return answer


def any_of(parts: Sequence[Run]) -> Run:
    """Kleene's or."""
    if len(parts) == 1:
        return parts[0]

    def run(f: Any, c: Calendar) -> bool | None:
        answer: bool | None = False
        for part in parts:
            value = part(f, c)
            if value is None:
                answer = None
            elif value:
                return True
        return answer

    return run


def total(whole: Run) -> Run:
    """The sum of the values of a map; unknown while the map is."""

    def run(f: Any, c: Calendar) -> Any:
        entries = whole(f, c)
        return bounded(sum(entries.values())) if entries else None

    return run


def either(test: Run, yes: Run, no: Run) -> Run:
    """One part or the other; unknown while the test is."""

    def run(f: Any, c: Calendar) -> Any:
        held = test(f, c)
        return None if held is None else yes(f, c) if held else no(f, c)

    return run


# Both sides are always asked, or a Trace would name only the first of two missing facts.


def _lt(a: Run, b: Run) -> Run:
    def run(f: Any, c: Calendar) -> bool | None:
        x, y = a(f, c), b(f, c)
        return None if x is None or y is None else x < y

    return run


def _le(a: Run, b: Run) -> Run:
    def run(f: Any, c: Calendar) -> bool | None:
        x, y = a(f, c), b(f, c)
        return None if x is None or y is None else x <= y

    return run


def _gt(a: Run, b: Run) -> Run:
    def run(f: Any, c: Calendar) -> bool | None:
        x, y = a(f, c), b(f, c)
        return None if x is None or y is None else x > y

    return run


def _ge(a: Run, b: Run) -> Run:
    def run(f: Any, c: Calendar) -> bool | None:
        x, y = a(f, c), b(f, c)
        return None if x is None or y is None else x >= y

    return run


def _eq(a: Run, b: Run) -> Run:
    def run(f: Any, c: Calendar) -> bool | None:
        x, y = a(f, c), b(f, c)
        return None if x is None or y is None else x == y

    return run


COMPARISONS: Mapping[type[ast.cmpop], Callable[[Run, Run], Run]] = {
    ast.Lt: _lt,
    ast.LtE: _le,
    ast.Gt: _gt,
    ast.GtE: _ge,
    ast.Eq: _eq,
    ast.NotEq: lambda a, b: negation(_eq(a, b)),
}


def place(part: Run, options: Sequence[str]) -> Run:
    """The place of a choice's value among its options; unknown for a value that is none of them."""
    places = {option: n for n, option in enumerate(options)}
    return lambda f, c: None if (v := part(f, c)) is None else places.get(v)


def member(part: Run, items: frozenset[Any], negated: bool) -> Run:
    """Whether the value is one of the items (or, negated, none of them)."""
    return lambda f, c: None if (v := part(f, c)) is None else (v in items) is not negated


def _floor(x: Any, y: Any) -> Any:
    return x // y if y else None


def _rest(x: Any, y: Any) -> Any:
    return x % y if y else None


ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda x, y: x + y,
    ast.Sub: lambda x, y: x - y,
    ast.Mult: lambda x, y: x * y,
    ast.FloorDiv: _floor,
    ast.Mod: _rest,
}


def arithmetic(op: type[ast.operator], a: Run, b: Run) -> Run:
    """A number from two; unknown when dividing by zero and when the result is too large to be meant."""
    do = ARITHMETIC[op]

    def run(f: Any, c: Calendar) -> Any:
        x, y = a(f, c), b(f, c)
        if x is None or y is None:
            return None
        try:
            value = do(x, y)
            return None if value is None else bounded(value)
        except ArithmeticError:  # a decimal quotient of more digits than decimals have
            return None

    return run


def minus(part: Run) -> Run:
    """The number with the other sign."""
    return lambda f, c: None if (v := part(f, c)) is None else -v


def shifted(day: Run, n: Run, unit: str, sign: int) -> Run:
    """The day so many units later (sign 1) or earlier (-1)."""

    def run(f: Any, c: Calendar) -> date | None:
        start, by = day(f, c), n(f, c)
        return None if start is None or by is None else shift(start, sign * by, unit, c)

    return run


def days_apart(a: Run, b: Run) -> Run:
    """The days from `b` to `a`."""

    def run(f: Any, c: Calendar) -> int | None:
        x, y = a(f, c), b(f, c)
        return None if x is None or y is None else (x - y).days

    return run


def called(function: Function, parts: Sequence[Run]) -> Run:
    """What the function gives for the parts' values; unknown while one of them is."""
    do = function.do
    if len(parts) == 1:
        only = parts[0]
        return lambda f, c: None if (v := only(f, c)) is None else do(c, v)
    if len(parts) == 2:
        first, second = parts

        def run_two(f: Any, c: Calendar) -> Any:
            x, y = first(f, c), second(f, c)
            return None if x is None or y is None else do(c, x, y)

        return run_two

    def run(f: Any, c: Calendar) -> Any:
        values = [part(f, c) for part in parts]
        return None if None in values else do(c, *values)

    return run


def counted(parts: Sequence[Run]) -> Run:
    """How many parts are true; unknown while one of them is."""

    def run(f: Any, c: Calendar) -> int | None:
        values = [part(f, c) for part in parts]
        return None if None in values else sum(values)

    return run


def extreme(pick: Callable[[Sequence[Any]], Any], parts: Sequence[tuple[Run, Run]]) -> Run:
    """The least or greatest of the values whose condition holds; parts are (condition, value) pairs.

    Unknown while one of these, or a condition, is unknown, and when there is none.
    """

    def run(f: Any, c: Calendar) -> date | int | Decimal | None:
        values: list[Any] = []
        for keep, each in parts:
            kept = keep(f, c)
            if kept is None:
                values.append(None)
            elif kept:
                values.append(each(f, c))
        return None if not values or None in values else pick(values)

    return run
