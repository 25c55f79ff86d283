"""The language of guards: Python's expression syntax, a whitelist of it, typed at load and three-valued at run.

`grammar` parses, `compiler` checks against the declared facts, `evaluation` makes closures; nothing is ever run as
Python. Unknown is None. Logic is Kleene's: an unknown part leaves the whole unknown only if it could change the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.core.calendar import Calendar
from engine.core.compiler import Compiler
from engine.core.evaluation import Run, Trace
from engine.core.grammar import DEPTH_LIMIT, NODE_LIMIT, TEXT_LIMIT, ExpressionError, parse
from engine.core.values import Type, Value

__all__ = [
    "Scope", "Expression", "Explanation", "ExpressionError", "compile_expression",
    "TEXT_LIMIT", "NODE_LIMIT", "DEPTH_LIMIT",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What an expression may name: facts and built-ins with types, declared lists, and when their entries apply."""

    names: Mapping[str, Type]
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    conditions: Mapping[str, Mapping[str, Expression]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """A value with what was read for it, in order, and what of that was unknown. A map's entry is `fact.key`."""

    value: Value | None
    read: Mapping[str, Value | None]
    missing: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Expression:
    """A compiled expression. `type` names its result; `reads` are the facts and built-in names it mentions.

    The value of a length of time is a whole number of its unit (`days`, `months`, `working_days`).
    """

    text: str
    type: str
    reads: frozenset[str]
    run: Run = field(repr=False)

    def evaluate(self, facts: Mapping[str, Any], calendar: Calendar) -> Value | None:
        """Returns the value over facts of the declared types; None is unknown. Never raises."""
        value: Value | None = self.run(facts, calendar)
        return value

    def explain(self, facts: Mapping[str, Any], calendar: Calendar) -> Explanation:
        """Returns the same value, with what was read for it and all that is missing for another."""
        trace = Trace(facts)
        value = self.run(trace, calendar)
        return Explanation(value=value, read=trace.read, missing=tuple(trace.missing))


def compile_expression(text: str, scope: Scope, *, expect: str | None = None) -> Expression:
    """Returns the expression ready to run. `expect` is the type it must have, `bool` say. Raises ExpressionError."""
    syntax = parse(text)
    compiler = Compiler(syntax, scope.names, scope.lists, scope.conditions)
    part = compiler.part(syntax.tree)
    if part.kind == "map":
        raise syntax.error(syntax.tree, "a map is not a value: ask for one of its entries")
    if expect is not None and part.kind != expect:
        raise syntax.error(syntax.tree, "this is {kind}, where {expect} is wanted", kind=part.kind, expect=expect)
    return Expression(text=text, type=part.kind, reads=frozenset(compiler.reads), run=part.run)
