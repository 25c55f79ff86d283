"""What a notice template may say: a small part of Jinja2, looked at as a tree before anything of it runs.

Text, names, comparisons, `if`, a few filters. No loop, no call, no attribute, no other file: so the work is bounded by
the length of the template, and nothing can be reached that was not handed in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from jinja2 import Environment, TemplateError, nodes

from notifications.segments import units

TEXT_LIMIT = 16_384  # letters in one template
DEPTH_LIMIT = 25  # an expression in an expression in an expression ...
SHORT = 40  # letters that `short` leaves unless told otherwise
DAY = len("31/12/2026")

FILTERS = frozenset({"day", "month", "label", "short", "at", "abs", "capital"})
TESTS = frozenset({"known"})
NUMBERS = frozenset({"days_left", "working_days_left", "waiting_days", "people_count"})
DATES = frozenset({"due", "today", "planned_on"})
# What every template may name besides the facts of its workflow; these win over a fact of the same name.
WORDS = (
    NUMBERS
    | DATES
    | {"rule_label", "workflow_title", "state_label", "unit", "above", "person", "subject_id"}
    | {"source", "reason", "late", "link", "recipient", "here", "people"}
)
ENDLESS = 1_000_000  # the length of what has no bound
_NUMBER_LENGTH = 7  # a count of days, with its sign

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.CondExpr,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Filter, nodes.Test, nodes.Add, nodes.Sub,
    nodes.Neg,
)  # fmt: skip
_COMPARISONS = frozenset({"eq", "ne", "lt", "lteq", "gt", "gteq"})
_REFUSED: tuple[tuple[tuple[type[nodes.Node], ...], str], ...] = (
    ((nodes.For,), "a notice template may not loop"),
    ((nodes.Call, nodes.CallBlock), "a notice template may not call anything"),
    ((nodes.Getattr, nodes.Getitem), "a notice template may not look inside a value; for a map write: name|at('key')"),
    (
        (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block),
        "a notice template may not use other templates",
    ),
    ((nodes.Macro,), "a notice template may not define macros"),
    ((nodes.Assign, nodes.AssignBlock, nodes.With), "a notice template may not set names"),
)


class Fault(NamedTuple):
    """One thing wrong with a template: where, and an English message with named places."""

    template: str
    line: int
    message: str
    params: dict[str, object]


def parse(environment: Environment, template: str, text: str) -> tuple[nodes.Template | None, list[Fault]]:
    """Returns the tree of a text, or None, with what is wrong with it. Runs nothing of it."""
    first = len(text) - len(text.lstrip("\n")) + 1
    if len(text) > TEXT_LIMIT:
        return None, [
            Fault(template, first, "a notice template is at most {limit} letters long", {"limit": TEXT_LIMIT})
        ]
    try:
        tree = environment.parse(text)
    except TemplateError as error:
        line = getattr(error, "lineno", first)
        return None, [Fault(template, line, "this is not a template: {why}", {"why": error.message or ""})]
    except (RecursionError, MemoryError, ValueError):
        # Parentheses in parentheses, or a number of thousands of digits.
        return None, [Fault(template, first, "the template is too deeply nested, or holds too large a number", {})]
    faults = list(_faults(tree, template))
    return (None if faults else tree), faults


def _faults(tree: nodes.Template, template: str) -> Iterator[Fault]:
    waiting: list[tuple[nodes.Node, int, int]] = [(tree, 0, 1)]
    while waiting:
        node, depth, line = waiting.pop()
        line = node.lineno or next((n.lineno for n in node.find_all(nodes.Node) if n.lineno), line)
        message = _refusal(node) if depth <= DEPTH_LIMIT else "the template is too deeply nested"
        if message is not None:
            # What lies below a refused node is not looked at: one fault a place is enough.
            yield Fault(template, line, message, {"filters": ", ".join(sorted(FILTERS))})
            continue
        waiting += [(child, depth + 1, line) for child in node.iter_child_nodes()]


def _refusal(node: nodes.Node) -> str | None:
    """Returns why a node may not stand in a template, None if it may."""
    if isinstance(node, nodes.Filter):
        constant = all(isinstance(a, nodes.Const) for a in node.args)
        known = node.name in FILTERS and node.node is not None and not node.kwargs
        plain = constant and node.dyn_args is None and node.dyn_kwargs is None
        return None if known and plain else "a notice template has these filters only: {filters}"
    if isinstance(node, nodes.Test):
        return None if node.name in TESTS and not node.args else "a notice template has one test only: is known"
    if isinstance(node, nodes.Operand):
        return None if node.op in _COMPARISONS else "a notice template compares with == != < <= > >= only"
    if isinstance(node, _ALLOWED):
        return None
    for kinds, message in _REFUSED:
        if isinstance(node, kinds):
            return message
    return "a notice template may not do this"


def names(tree: nodes.Template) -> list[tuple[str, int]]:
    """Returns the names that a tree reads, each with its line."""
    return [(n.name, n.lineno) for n in tree.find_all(nodes.Name)]


def undeclared(tree: nodes.Template, template: str, allowed: Collection[str]) -> list[Fault]:
    """Returns a fault for each name that is neither allowed nor one of WORDS."""
    message = "{name} is neither a fact that a notice may name nor one of the words of notices"
    return [
        Fault(template, line, message, {"name": name})
        for name, line in names(tree)
        if name not in allowed and name not in WORDS
    ]


def longest(node: nodes.Node, unknown: int) -> int:
    """Returns how many letters (UTF-16 units) a tree can give at most; ENDLESS when nothing bounds it.

    `unknown` is the length of the word for what is not known.
    """
    match node:
        case nodes.Template() | nodes.Output():
            parts = node.body if isinstance(node, nodes.Template) else node.nodes
            return min(ENDLESS, sum(longest(part, unknown) for part in parts))
        case nodes.TemplateData():
            return sum(units(letter, "ucs2") for letter in node.data)
        case nodes.Const():
            return sum(units(letter, "ucs2") for letter in str(node.value))
        case nodes.If():
            arms = [node.body, *(e.body for e in node.elif_), node.else_]
            return max(min(ENDLESS, sum(longest(n, unknown) for n in arm)) for arm in arms)
        case nodes.CondExpr():
            last = longest(node.expr2, unknown) if node.expr2 is not None else unknown
            return max(longest(node.expr1, unknown), last)
        case nodes.Filter():
            return _longest_filtered(node, unknown)
        case nodes.Name():
            bound = _NUMBER_LENGTH if node.name in NUMBERS else DAY if node.name in DATES else ENDLESS
            return max(bound, unknown)
        case nodes.Neg():
            return max(longest(node.node, unknown) + 1, unknown)
        case nodes.Add() | nodes.Sub():
            return min(ENDLESS, longest(node.left, unknown) + longest(node.right, unknown) + 1)
        case nodes.And() | nodes.Or():
            return max(longest(node.left, unknown), longest(node.right, unknown))
        case _:
            return max(unknown, SHORT)  # yes or no


def _longest_filtered(node: nodes.Filter, unknown: int) -> int:
    assert node.node is not None
    if node.name in ("day", "month"):
        return max(DAY, unknown)
    if node.name == "short":
        given = node.args[0].value if node.args and isinstance(node.args[0], nodes.Const) else SHORT
        return max(given if isinstance(given, int) else SHORT, unknown)
    return ENDLESS if node.name in ("label", "at") else longest(node.node, unknown)
