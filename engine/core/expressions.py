"""The language of guards: Python's expression syntax, a whitelist of it, typed at load and three-valued at run.

Parsed by `ast`, checked against the declared facts, and made into closures; nothing is ever evaluated as Python.
Unknown is None. Logic is Kleene's: an unknown part leaves the whole unknown only if it could change the answer.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from engine.core.calendar import Calendar
from engine.core.errors import BadInput
from engine.core.functions import FUNCTIONS, Function, Span, bounded, plus, shift
from engine.core.suggestions import suggest
from engine.core.values import Type, Value

TEXT_LIMIT, NODE_LIMIT, DEPTH_LIMIT = 2_000, 300, 30

Facts = Mapping[str, Any]
Run = Callable[[Facts, Any], Any]  # (facts, context) -> value or None


class ExpressionError(BadInput):
    """An expression is not valid. `offset` counts letters from the start of its text."""

    def __init__(self, message: str, /, *, offset: int = 0, **params: object) -> None:
        self.offset = offset
        near = params.get("near")
        self.suggestion = near if isinstance(near, str) else None
        super().__init__(message, **params)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What an expression may name: facts and built-ins with types, declared lists, and when their entries apply."""

    names: Mapping[str, Type]
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    conditions: Mapping[str, Mapping[str, Expression]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """A value with the facts read for it and those among them that were unknown."""

    value: Value | None
    read: Mapping[str, Value | None]
    missing: tuple[str, ...]


class _Trace(dict[str, Any]):
    """Facts that remember who asked for what."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.read: dict[str, Any] = {}
        self.missing: dict[str, None] = {}

    def get(self, name: str, default: Any = None) -> Any:
        value = dict.get(self, name, default)
        if not name.startswith("@"):
            self.read.setdefault(name, value)
            if value is None:
                self.missing[name] = None
        return value

    def entry(self, name: str, key: str) -> Any:
        """Reads an entry of a map, noting `name.key` rather than the map when it is missing."""
        whole = dict.get(self, name)
        value = whole.get(key) if isinstance(whole, dict) else None
        self.read.setdefault(f"{name}.{key}", value)
        if value is None:
            self.missing[f"{name}.{key}"] = None
        return value


class Expression:
    """A compiled expression. `type` names its result; `reads` are the facts and built-in names it mentions."""

    __slots__ = ("_run", "reads", "text", "type")

    def __init__(self, text: str, type_: str, reads: frozenset[str], run: Run) -> None:
        self.text, self.type, self.reads, self._run = text, type_, reads, run

    def evaluate(self, facts: Facts, calendar: Calendar) -> Value | None:
        """Returns the value over these facts; None is unknown. Never raises."""
        try:
            value: Value | None = self._run(facts, calendar)
        except (OverflowError, RecursionError):
            return None
        return value

    def explain(self, facts: Facts, calendar: Calendar) -> Explanation:
        """Returns the value with what was read for it and what was missing."""
        trace = _Trace(facts)
        value = self.evaluate(trace, calendar)
        return Explanation(value=value, read=trace.read, missing=tuple(trace.missing))

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


# ---- compiling ----


@dataclass(frozen=True)
class _Part:
    """A compiled part: its type, what runs it, and (for literals) its value. A choice's type carries its options."""

    kind: str
    run: Run
    options: tuple[str, ...] = ()
    literal: Any = None
    fact: str | None = None
    map_type: Type | None = None


_KINDS = {"int": "number", "decimal": "number"}
_TEXTS = frozenset({"text", "choice", "org", "subject"})
_SPANS = frozenset({"days", "months", "working_days"})


def compile_expression(text: str, scope: Scope, *, expect: str | None = None) -> Expression:
    """Returns the expression ready to run. `expect` is the type it must have. Raises ExpressionError."""
    if len(text) > TEXT_LIMIT:
        raise ExpressionError("the expression is longer than {limit} letters", limit=TEXT_LIMIT)
    tree = _parse(text)
    compiler = _Compiler(text, scope)
    part = compiler.part(tree.body)
    if part.kind == "map":
        raise ExpressionError("a map is not a value: ask for one of its entries")
    if expect is not None and part.kind != expect:
        raise ExpressionError("this is {kind}, where {expect} is wanted", kind=part.kind, expect=expect)
    return Expression(text, part.kind, frozenset(compiler.reads), part.run)


def _parse(text: str) -> ast.Expression:
    flat = " ".join(text.split("\n"))
    if flat.count("(") + flat.count("[") > NODE_LIMIT:
        raise ExpressionError("the expression has more than {limit} parts", limit=NODE_LIMIT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(flat.strip(), mode="eval")
    except SyntaxError as error:
        raise ExpressionError(
            "this is not an expression: {problem}", offset=max((error.offset or 1) - 1, 0), problem=error.msg
        ) from None
    except (ValueError, RecursionError, MemoryError, UnicodeError):
        raise ExpressionError("this is not an expression") from None
    count, edge = 0, [(tree.body, 1)]
    while edge:
        node, depth = edge.pop()
        count += 1
        if depth > DEPTH_LIMIT or count > NODE_LIMIT:
            limit = DEPTH_LIMIT if depth > DEPTH_LIMIT else NODE_LIMIT
            raise ExpressionError("the expression is too large: more than {limit} parts or levels", limit=limit)
        edge += [(child, depth + 1) for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr_context)]  # type: ignore[misc]
    return tree


class _Compiler:
    def __init__(self, text: str, scope: Scope) -> None:
        self.scope = scope
        self.reads: set[str] = set()
        self.variables: dict[str, str] = {}  # loop variable -> list
        self._lead = len(text) - len(text.lstrip())

    def error(self, node: ast.AST, message: str, **params: object) -> ExpressionError:
        offset = getattr(node, "col_offset", 0) + self._lead
        return ExpressionError(message, offset=offset, **params)

    def part(self, node: ast.expr) -> _Part:
        """Compiles one node."""
        compile_ = _NODES.get(type(node))
        if compile_ is None:
            raise self.error(node, "{what} is not allowed here", what=type(node).__name__)
        return compile_(self, node)

    def bool_part(self, node: ast.expr) -> _Part:
        part = self.part(node)
        if part.kind != "bool":
            raise self.error(node, "this is {kind}, where true or false is wanted", kind=part.kind)
        return part

    # -- names and literals

    def constant(self, node: ast.Constant) -> _Part:
        value = node.value
        if isinstance(value, bool):
            return _Part("bool", lambda f, c: value, literal=value)
        if isinstance(value, int) and abs(value) < 10**15:
            return _Part("number", lambda f, c: value, literal=value)
        if isinstance(value, float):
            try:
                number = Decimal(ast.unparse(node))
            except ArithmeticError:
                raise self.error(node, "{what} is not allowed here", what="this number") from None
            if number.is_finite():
                return _Part("number", lambda f, c: number, literal=number)
        if isinstance(value, str):
            return _Part("text", lambda f, c: value, literal=value)
        raise self.error(node, "{what} is not allowed here", what=type(value).__name__)

    def name(self, node: ast.Name) -> _Part:
        name = node.id
        if name in self.variables:
            key = "@" + name
            return _Part("text", lambda f, c: f.get(key), options=self.scope.lists[self.variables[name]], fact=None)
        if name in ("true", "false"):
            value = name == "true"
            return _Part("bool", lambda f, c: value, literal=value)
        type_ = self.scope.names.get(name)
        if type_ is None:
            known = [*self.scope.names, *self.variables]
            raise self.unknown(node, "fact", name, known)
        self.reads.add(name)
        return _Part(
            _KINDS.get(type_.name, type_.name),
            lambda f, c: f.get(name),
            options=type_.options,
            fact=name,
            map_type=type_ if type_.name == "map" else None,
        )

    def unknown(self, node: ast.AST, what: str, name: str, known: Any) -> ExpressionError:
        near = suggest(name, known)
        message = "there is no {what} {name}" + ("; did you mean {near}?" if near else "")
        return self.error(node, message, what=what, name=name, near=near)

    def subscript(self, node: ast.Subscript) -> _Part:
        if not isinstance(node.value, ast.Name):
            raise self.error(node, "only an entry of a map fact can be asked for")
        whole = self.name(node.value)
        if whole.map_type is None or whole.fact is None:
            raise self.error(node, "{name} is not a map", name=node.value.id)
        key, type_ = self.part(node.slice), whole.map_type
        if key.kind != "text" or (key.literal is None and not key.options):
            raise self.error(node.slice, "an entry is named by a quoted key or a loop's variable")
        names = (key.literal,) if key.literal is not None else key.options
        for name in names:
            if type_.keys is not None and name not in type_.keys:
                raise self.unknown(node.slice, "key", name, type_.keys)
        assert type_.of is not None
        return _Part(
            _KINDS.get(type_.of.name, type_.of.name),
            _entry(whole.fact, key.run),
            options=type_.of.options,
            fact=f"{whole.fact}[]",
        )

    # -- logic

    def bool_op(self, node: ast.BoolOp) -> _Part:
        runs = [self.bool_part(v).run for v in node.values]
        return _Part("bool", _all_of(runs) if isinstance(node.op, ast.And) else _any_of(runs))

    def unary(self, node: ast.UnaryOp) -> _Part:
        if isinstance(node.op, ast.Not):
            run = self.bool_part(node.operand).run
            return _Part("bool", lambda f, c: None if (v := run(f, c)) is None else not v)
        part = self.part(node.operand)
        if part.kind != "number" or not isinstance(node.op, ast.USub | ast.UAdd):
            raise self.error(node, "this cannot be done to {kind}", kind=part.kind)
        if isinstance(node.op, ast.UAdd):
            return part
        inner = part.run
        return _Part("number", lambda f, c: None if (v := inner(f, c)) is None else -v)

    def if_else(self, node: ast.IfExp) -> _Part:
        test, yes, no = self.bool_part(node.test), self.part(node.body), self.part(node.orelse)
        if yes.kind != no.kind:
            raise self.error(node, "the two outcomes are unlike: {a} and {b}", a=yes.kind, b=no.kind)

        def run(f: Facts, c: Any) -> Any:
            held = test.run(f, c)
            return None if held is None else yes.run(f, c) if held else no.run(f, c)

        return _Part(yes.kind, run, options=yes.options)

    # -- comparing

    def compare(self, node: ast.Compare) -> _Part:
        runs: list[Run] = []
        left_node, left = node.left, self.part(node.left)
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn):
                runs.append(self.member(left_node, left, right_node, isinstance(op, ast.NotIn)))
                if right_node is not node.comparators[-1]:
                    raise self.error(right_node, "nothing can follow a list")
                break
            right = self.part(right_node)
            runs.append(self.pair(left_node, left, op, right_node, right))
            left_node, left = right_node, right
        return _Part("bool", runs[0] if len(runs) == 1 else _all_of(runs))

    def member(self, left_node: ast.expr, left: _Part, node: ast.expr, negated: bool) -> Run:
        if isinstance(node, ast.Name) and node.id in self.scope.lists:
            items: tuple[Any, ...] = self.scope.lists[node.id]
            kind = "text"
        elif isinstance(node, ast.List | ast.Tuple) and node.elts:
            parts = [self.part(e) for e in node.elts]
            if any(p.literal is None for p in parts) or len({p.kind for p in parts}) != 1:
                raise self.error(node, "a list holds literals of one type")
            items, kind = tuple(p.literal for p in parts), parts[0].kind
        else:
            raise self.error(node, "`in` asks for a list of literals or a declared list")
        if kind != left.kind and not (kind == "text" and left.kind in _TEXTS):
            raise self.error(left_node, "{a} cannot be compared with {b}", a=left.kind, b=kind)
        for item in items if left.options and not isinstance(node, ast.Name) else ():
            if item not in left.options:
                raise self.unknown(node, "value", str(item), left.options)
        held, run = frozenset(items), left.run
        return lambda f, c: None if (v := run(f, c)) is None else (v in held) is not negated

    def pair(self, left_node: ast.expr, left: _Part, op: ast.cmpop, right_node: ast.expr, right: _Part) -> Run:
        if left.literal is not None and right.literal is None and left.kind == "text":
            self._check_like(left_node, right, left)
        else:
            self._check_like(right_node, left, right)
        if type(op) not in _COMPARE:
            raise self.error(right_node, "{what} is not allowed here", what=type(op).__name__)
        ordered = isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE)
        options = left.options or right.options
        if ordered and (left.kind in ("bool", "org", "subject", "text") and not ("choice" in (left.kind, right.kind))):
            raise self.error(left_node, "{a} has no order", a=left.kind)
        if ordered and "choice" in (left.kind, right.kind):
            return _ordered_choice(left.run, type(op), right.run, {o: i for i, o in enumerate(options)})
        return _COMPARE[type(op)](left.run, right.run)

    def _check_like(self, node: ast.expr, one: _Part, other: _Part) -> None:
        a, b = one.kind, other.kind
        if other.kind == "text" and other.literal is not None and one.kind in _TEXTS:
            if one.options and other.literal not in one.options:
                raise self.unknown(node, "value", other.literal, one.options)
            return
        texts = a in _TEXTS and b in _TEXTS
        if a == "choice" == b and one.options != other.options:
            raise self.error(node, "the two choices have unlike values")
        if a == "map" or (a != b and not (texts and (one.options == other.options or not one.options or not other.options))):
            raise self.error(node, "{a} cannot be compared with {b}", a=a, b=b)

    # -- arithmetic

    def binary(self, node: ast.BinOp) -> _Part:
        left, right = self.part(node.left), self.part(node.right)
        op = type(node.op)
        if left.kind == right.kind == "number" and op in _ARITHMETIC:
            return _Part("number", _arithmetic(left.run, _ARITHMETIC[op], right.run))
        if left.kind == "date" and right.kind in _SPANS and op in (ast.Add, ast.Sub):
            return _Part("date", _shifted(left.run, right.run, 1 if op is ast.Add else -1))
        if left.kind == right.kind == "date" and op is ast.Sub:
            return _Part("days", _apart(left.run, right.run))
        if left.kind in _SPANS and right.kind == "date" and op is ast.Add:
            return _Part("date", _shifted(right.run, left.run, 1))
        if left.kind == right.kind and left.kind in _SPANS and op in (ast.Add, ast.Sub):
            return _Part(left.kind, _arithmetic(left.run, plus if op is ast.Add else lambda a, b: plus(a, -b), right.run))
        raise self.error(node, "{a} and {b} cannot be combined so", a=left.kind, b=right.kind)

    # -- calls

    def call(self, node: ast.Call) -> _Part:
        if not isinstance(node.func, ast.Name) or node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise self.error(node, "only the functions of the table can be called")
        name = node.func.id
        if name in ("known", "written"):
            return self.known(node, name)
        if name == "applies":
            return self.applies(node)
        if name in ("any", "all", "min", "max", "count"):
            return self.aggregate(node, name)
        function = FUNCTIONS.get(name)
        if function is None:
            raise self.unknown(node.func, "function", name, [*FUNCTIONS, "known", "written", "applies", "any", "all", "min", "max", "count"])
        return self.function(node, name, function)

    def function(self, node: ast.Call, name: str, function: Function) -> _Part:
        if len(node.args) != len(function.takes):
            raise self.error(node, "{name} takes {n} values", name=name, n=len(function.takes))
        parts = [self.part(a) for a in node.args]
        for arg, part, kinds in zip(node.args, parts, function.takes, strict=True):
            if part.kind not in kinds:
                raise self.error(arg, "{name} takes {kinds} here, this is {kind}", name=name, kinds=" or ".join(kinds), kind=part.kind)
        return _Part(function.gives, _called(function, [p.run for p in parts]))

    def known(self, node: ast.Call, name: str) -> _Part:
        if len(node.args) != 1 or not isinstance(node.args[0], ast.Name | ast.Subscript):
            raise self.error(node, "{name} takes a fact or an entry of a map", name=name)
        part = self.part(node.args[0])
        if part.fact is None:
            raise self.error(node, "{name} takes a fact or an entry of a map", name=name)
        run = part.run
        if name == "written":
            return _Part("bool", lambda f, c: None if run(f, c) is None else True)
        return _Part("bool", lambda f, c: run(f, c) is not None)

    def applies(self, node: ast.Call) -> _Part:
        arg = node.args[0] if len(node.args) == 1 else node
        if not isinstance(arg, ast.Name) or arg.id not in self.variables:
            raise self.error(node, "applies takes the variable of a loop over a list")
        conditions = self.scope.conditions.get(self.variables[arg.id], {})
        for condition in conditions.values():
            self.reads |= condition.reads
        key = "@" + arg.id

        def run(f: Facts, c: Any) -> bool:
            condition = conditions.get(f.get(key))
            return condition is None or condition._run(f, c) is True

        return _Part("bool", run)

    def aggregate(self, node: ast.Call, name: str) -> _Part:
        if len(node.args) != 1 or not isinstance(node.args[0], ast.GeneratorExp) or len(node.args[0].generators) != 1:
            raise self.error(node, "{name} takes: VALUE for NAME in LIST", name=name)
        generator = node.args[0].generators[0]
        if generator.is_async or len(generator.ifs) > 1 or not isinstance(generator.target, ast.Name):
            raise self.error(node, "{name} takes: VALUE for NAME in LIST", name=name)
        if not isinstance(generator.iter, ast.Name) or generator.iter.id not in self.scope.lists:
            named = generator.iter.id if isinstance(generator.iter, ast.Name) else "here"
            raise self.unknown(generator.iter, "list", named, self.scope.lists)
        if self.variables:
            raise self.error(node, "a loop inside a loop is not allowed")
        variable, items = generator.target.id, self.scope.lists[generator.iter.id]
        if variable in self.scope.names:
            raise self.error(generator.target, "{name} is a fact's name", name=variable)
        self.variables[variable] = generator.iter.id
        try:
            keep = self.bool_part(generator.ifs[0]).run if generator.ifs else None
            each = self.part(node.args[0].elt)
        finally:
            del self.variables[variable]
        if name in ("any", "all", "count") and each.kind != "bool":
            raise self.error(node, "{name} asks for true or false of each", name=name)
        if name in ("min", "max") and each.kind not in ("number", "date", "datetime"):
            raise self.error(node, "{name} asks for numbers or dates", name=name)
        kind = {"any": "bool", "all": "bool", "count": "number"}.get(name, each.kind)
        return _Part(kind, _looped(name, "@" + variable, items, each.run, keep))


_NODES: dict[type[ast.expr], Callable[[_Compiler, Any], _Part]] = {
    ast.Constant: _Compiler.constant,
    ast.Name: _Compiler.name,
    ast.Subscript: _Compiler.subscript,
    ast.BoolOp: _Compiler.bool_op,
    ast.UnaryOp: _Compiler.unary,
    ast.IfExp: _Compiler.if_else,
    ast.Compare: _Compiler.compare,
    ast.BinOp: _Compiler.binary,
    ast.Call: _Compiler.call,
}


# ---- running ----


def _entry(fact: str, key: Run) -> Run:
    def run(f: Facts, c: Any) -> Any:
        name = key(f, c)
        if isinstance(f, _Trace):
            return f.entry(fact, name)
        whole = f.get(fact)
        return None if whole is None else whole.get(name)

    return run


def _all_of(runs: list[Run]) -> Run:
    def run(f: Facts, c: Any) -> bool | None:
        unknown = False
        for part in runs:
            value = part(f, c)
            if value is None:
                unknown = True
            elif not value:
                return False
        return None if unknown else True

    return run


def _any_of(runs: list[Run]) -> Run:
    def run(f: Facts, c: Any) -> bool | None:
        unknown = False
        for part in runs:
            value = part(f, c)
            if value is None:
                unknown = True
            elif value:
                return True
        return None if unknown else False

    return run


def _lt(a: Run, b: Run) -> Run:
    return lambda f, c: None if (x := a(f, c)) is None or (y := b(f, c)) is None else x < y


def _le(a: Run, b: Run) -> Run:
    return lambda f, c: None if (x := a(f, c)) is None or (y := b(f, c)) is None else x <= y


def _gt(a: Run, b: Run) -> Run:
    return lambda f, c: None if (x := a(f, c)) is None or (y := b(f, c)) is None else x > y


def _ge(a: Run, b: Run) -> Run:
    return lambda f, c: None if (x := a(f, c)) is None or (y := b(f, c)) is None else x >= y


def _eq(a: Run, b: Run) -> Run:
    return lambda f, c: None if (x := a(f, c)) is None or (y := b(f, c)) is None else x == y


def _ne(a: Run, b: Run) -> Run:
    return lambda f, c: None if (x := a(f, c)) is None or (y := b(f, c)) is None else x != y


_COMPARE: dict[type[ast.cmpop], Callable[[Run, Run], Run]] = {
    ast.Lt: _lt,
    ast.LtE: _le,
    ast.Gt: _gt,
    ast.GtE: _ge,
    ast.Eq: _eq,
    ast.NotEq: _ne,
}


def _ordered_choice(a: Run, op: type[ast.cmpop], b: Run, order: Mapping[str, int]) -> Run:
    def place(run: Run) -> Run:
        return lambda f, c: None if (v := run(f, c)) is None else order.get(v)

    return _COMPARE[op](place(a), place(b))


def _divide(a: Any, b: Any) -> Any:
    if b == 0:
        return None
    whole = isinstance(a, int) and isinstance(b, int) and a % b == 0
    return a // b if whole else Decimal(a) / Decimal(b)


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: _divide,
    ast.FloorDiv: lambda a, b: None if b == 0 else a // b,
    ast.Mod: lambda a, b: None if b == 0 else a % b,
}


def _arithmetic(a: Run, op: Callable[[Any, Any], Any], b: Run) -> Run:
    def run(f: Facts, c: Any) -> Any:
        x = a(f, c)
        if x is None:
            return None
        y = b(f, c)
        return None if y is None else bounded(op(x, y))

    return run


def _shifted(day: Run, span: Run, sign: int) -> Run:
    def run(f: Facts, c: Calendar) -> date | None:
        start = day(f, c)
        if start is None:
            return None
        by: Span | None = span(f, c)
        return None if by is None else shift(start, by, sign, c)

    return run


def _apart(a: Run, b: Run) -> Run:
    def run(f: Facts, c: Any) -> Span | None:
        x = a(f, c)
        y = None if x is None else b(f, c)
        return None if y is None else Span("days", (x - y).days)

    return run


def _called(function: Function, runs: list[Run]) -> Run:
    do = function.do
    if len(runs) == 1:
        only = runs[0]
        return lambda f, c: None if (v := only(f, c)) is None else do(c, v)

    def run(f: Facts, c: Any) -> Any:
        values = []
        for part in runs:
            value = part(f, c)
            if value is None:
                return None
            values.append(value)
        return do(c, *values)

    return run


def _looped(name: str, variable: str, items: tuple[str, ...], each: Run, keep: Run | None) -> Run:
    def values(f: Facts, c: Any) -> list[Any]:
        inner = f if isinstance(f, _Trace) else dict(f)
        found = []
        for item in items:
            inner[variable] = item  # type: ignore[index]
            kept = True if keep is None else keep(inner, c)
            if kept is None:
                found.append(None)
            elif kept:
                found.append(each(inner, c))
        if inner is f:
            del inner[variable]  # type: ignore[attr-defined]
        return found

    if name in ("any", "all"):
        combine = _any_of if name == "any" else _all_of

        def decide(f: Facts, c: Any) -> Any:
            return combine([lambda *_, v=v: v for v in values(f, c)])(f, c)  # type: ignore[misc]

        return decide
    if name == "count":
        return lambda f, c: None if None in (found := values(f, c)) else sum(found)
    best: Any = min if name == "min" else max
    return lambda f, c: None if not (found := values(f, c)) or None in found else best(found)

