"""The check of an expression's types against what it may name, and the making of its parts."""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from engine.core import evaluation as ev
from engine.core.evaluation import Run
from engine.core.functions import FUNCTIONS, SPANS, Function
from engine.core.grammar import Syntax
from engine.core.values import NUMBER_LIMIT, Type

PARTS_LIMIT = 20_000  # a loop is made once for each entry of its list
LOOPS = ("any", "all", "min", "max", "count")
_OWN = ("known", "written", "applies", "total", "entries", *LOOPS)
_KINDS = {"int": "number", "decimal": "number"}
_TEXTS = frozenset({"text", "choice", "org", "subject"})
_ORDERED = frozenset({"number", "date", "datetime", "choice"}) | SPANS


class Condition(Protocol):
    """When an entry of a list applies: an expression that is compiled already."""

    @property
    def reads(self) -> frozenset[str]: ...
    @property
    def run(self) -> Run: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A compiled part. `literal` is its value where that is the same whatever the facts are.

    `options` are the values that a choice, or a loop's variable, can have; `fact` is what `known` may ask for.
    """

    kind: str
    run: Run
    options: tuple[str, ...] = ()
    literal: Any = None
    fact: bool = False
    map: Type | None = None


def literal(kind: str, value: Any, options: tuple[str, ...] = ()) -> Part:
    """Returns the part that always has this value."""
    return Part(kind=kind, run=ev.constant(value), literal=value, options=options)


class Compiler:
    """Compiles the nodes of one expression. `reads` gathers the names that it mentions."""

    def __init__(
        self,
        syntax: Syntax,
        names: Mapping[str, Type],
        lists: Mapping[str, tuple[str, ...]],
        conditions: Mapping[str, Mapping[str, Condition]],
    ) -> None:
        self.syntax, self.names, self.lists, self.conditions = syntax, names, lists, conditions
        self.reads: set[str] = set()
        self._loop: tuple[str, str, str] | None = None  # the variable, its list, the entry it stands for now
        self._made = 0

    def part(self, node: ast.expr) -> Part:
        """Compiles one node. Raises ExpressionError."""
        self._made += 1
        if self._made > PARTS_LIMIT:
            raise self.syntax.error(node, "the expression has more than {limit} parts", limit=PARTS_LIMIT)
        compile_ = _NODES.get(type(node))
        if compile_ is None:
            raise self.syntax.error(node, "{what} is not allowed here", what=type(node).__name__)
        return compile_(self, node)

    def _bool(self, node: ast.expr) -> Part:
        part = self.part(node)
        if part.kind != "bool":
            raise self.syntax.error(node, "this is {kind}, where true or false is wanted", kind=part.kind)
        return part

    # -- names and literals

    def _constant(self, node: ast.Constant) -> Part:
        value = node.value
        if isinstance(value, bool):
            return literal("bool", value)
        if isinstance(value, str):
            return literal("text", unicodedata.normalize("NFC", value))  # as facts are
        if isinstance(value, int | float):
            number = value if isinstance(value, int) else self.syntax.decimal(node)
            if number < NUMBER_LIMIT:
                return literal("number", number)
            raise self.syntax.error(node, "the number is too large")
        raise self.syntax.error(node, "{what} is not allowed here", what=str(value))

    def _name(self, node: ast.Name) -> Part:
        name = node.id
        if self._loop is not None and self._loop[0] == name:
            return literal("text", self._loop[2], self.lists[self._loop[1]])
        if name in ("true", "false"):
            return literal("bool", name == "true")
        type_ = self.names.get(name)
        if type_ is None:
            known = [*self.names, *([self._loop[0]] if self._loop else [])]
            raise self.syntax.unknown(node, "fact", name, known)
        self.reads.add(name)
        return Part(
            kind=_KINDS.get(type_.name, type_.name),
            run=ev.fact(name),
            options=type_.options,
            fact=True,
            map=type_ if type_.name == "map" else None,
        )

    def _subscript(self, node: ast.Subscript) -> Part:
        whole = self.part(node.value) if isinstance(node.value, ast.Name) else None
        if whole is None or whole.map is None:
            raise self.syntax.error(node, "only a map has entries")
        assert isinstance(node.value, ast.Name)
        key, type_ = self.part(node.slice), whole.map
        of = type_.of or Type(name="text")
        if key.kind in _TEXTS and key.literal is None and type_.keys is None:
            run = ev.entry_at(node.value.id, key.run)
            return Part(kind=_KINDS.get(of.name, of.name), run=run, options=of.options, fact=True)
        if key.kind != "text" or key.literal is None:
            raise self.syntax.error(node.slice, "an entry is named by a quoted key or a loop's variable")
        if type_.keys is not None and key.literal not in type_.keys:
            raise self.syntax.unknown(node.slice, "key", key.literal, type_.keys)
        return Part(
            kind=_KINDS.get(of.name, of.name), run=ev.entry(node.value.id, key.literal), options=of.options, fact=True
        )

    # -- logic

    def _bool_op(self, node: ast.BoolOp) -> Part:
        runs = [self._bool(value).run for value in node.values]
        return Part(kind="bool", run=ev.all_of(runs) if isinstance(node.op, ast.And) else ev.any_of(runs))

    def _unary(self, node: ast.UnaryOp) -> Part:
        if isinstance(node.op, ast.Not):
            return Part(kind="bool", run=ev.negation(self._bool(node.operand).run))
        part = self.part(node.operand)
        if part.kind != "number":
            raise self.syntax.error(node, "{kind} has no sign", kind=part.kind)
        if isinstance(node.op, ast.UAdd):
            return Part(kind="number", run=part.run, literal=part.literal)
        return _steady(Part(kind="number", run=ev.minus(part.run)), part)

    def _if_else(self, node: ast.IfExp) -> Part:
        test = self._bool(node.test)
        if isinstance(node.orelse, ast.Name) and node.orelse.id == "unknown":
            part = self.part(node.body)
            return Part(kind=part.kind, run=ev.either(test.run, part.run, ev.constant(None)), options=part.options)
        yes, no = self.part(node.body), self.part(node.orelse)
        self._check_like(node.body, yes, node.orelse, no)
        typed = no if yes.kind == "text" else yes  # beside a quoted text stands what it may be
        options = typed.options if typed.kind == "choice" else ()
        return Part(kind=typed.kind, run=ev.either(test.run, yes.run, no.run), options=options)

    # -- comparing

    def _compare(self, node: ast.Compare) -> Part:
        runs: list[Run] = []
        left_node, left = node.left, self.part(node.left)
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn):
                if right_node is not node.comparators[-1]:
                    raise self.syntax.error(right_node, "nothing can follow a list")
                runs.append(self._member(left_node, left, right_node, isinstance(op, ast.NotIn)))
                break
            right = self.part(right_node)
            runs.append(self._pair(left_node, left, op, right_node, right))
            left_node, left = right_node, right
        return Part(kind="bool", run=ev.all_of(runs))

    def _member(self, left_node: ast.expr, left: Part, node: ast.expr, negated: bool) -> Run:
        if isinstance(node, ast.Name):
            if node.id not in self.lists:
                raise self.syntax.unknown(node, "list", node.id, self.lists)
            if left.kind not in _TEXTS:
                raise self.syntax.error(left_node, "{a} cannot be compared with {b}", a=left.kind, b="text")
            return ev.member(left.run, frozenset(self.lists[node.id]), negated)
        if not isinstance(node, ast.List) or not node.elts:
            raise self.syntax.error(node, "`in` asks for a list of literals or a declared list")
        items = []
        for element in node.elts:
            item = self.part(element)
            if item.literal is None:
                raise self.syntax.error(element, "a list holds literals only")
            self._check_like(left_node, left, element, item)
            items.append(item.literal)
        return ev.member(left.run, frozenset(items), negated)

    def _pair(self, left_node: ast.expr, left: Part, op: ast.cmpop, right_node: ast.expr, right: Part) -> Run:
        comparison = ev.COMPARISONS.get(type(op))
        if comparison is None:
            raise self.syntax.error(right_node, "{what} is not allowed here", what=type(op).__name__)
        self._check_like(left_node, left, right_node, right)
        if isinstance(op, ast.Eq | ast.NotEq):
            return comparison(left.run, right.run)
        kind, options = (left.kind, left.options) if left.kind == "choice" else (right.kind, right.options)
        if kind not in _ORDERED:
            raise self.syntax.error(left_node, "{kind} has no order", kind=kind)
        if kind == "choice":
            return comparison(ev.place(left.run, options), ev.place(right.run, options))
        return comparison(left.run, right.run)

    def _check_like(self, a_node: ast.expr, a: Part, b_node: ast.expr, b: Part) -> None:
        """Refuses two parts that cannot be compared, or a text that the other part can never be."""
        for one, node, other in ((a, b_node, b), (b, a_node, a)):
            if one.kind in _TEXTS and other.kind == "text" and other.literal is not None:
                if one.options and other.literal not in one.options:
                    raise self.syntax.unknown(node, "value", other.literal, one.options)
                if one.literal is None:
                    return
        if a.kind != b.kind or a.kind == "map":
            raise self.syntax.error(b_node, "{a} cannot be compared with {b}", a=a.kind, b=b.kind)
        if a.kind == "choice" and a.options != b.options:
            raise self.syntax.error(b_node, "the two choices have unlike values")

    # -- arithmetic

    def _binary(self, node: ast.BinOp) -> Part:
        left, right, op = self.part(node.left), self.part(node.right), type(node.op)
        kinds, sum_ = (left.kind, right.kind), op in (ast.Add, ast.Sub)
        if kinds == ("number", "number") and op in ev.ARITHMETIC:
            made = Part(kind="number", run=ev.arithmetic(op, left.run, right.run))
        elif left.kind == "date" and right.kind in SPANS and sum_:
            sign = 1 if op is ast.Add else -1
            made = Part(kind="date", run=ev.shifted(left.run, right.run, right.kind, sign))
        elif left.kind in SPANS and right.kind == "date" and op is ast.Add:
            made = Part(kind="date", run=ev.shifted(right.run, left.run, left.kind, 1))
        elif kinds == ("date", "date") and op is ast.Sub:
            made = Part(kind="days", run=ev.days_apart(left.run, right.run))
        elif left.kind == right.kind and left.kind in SPANS and sum_:
            made = Part(kind=left.kind, run=ev.arithmetic(op, left.run, right.run))
        else:
            raise self.syntax.error(node, "{a} and {b} cannot be combined so", a=left.kind, b=right.kind)
        return made if "working_days" in kinds else _steady(made, left, right)

    # -- calls

    def _call(self, node: ast.Call) -> Part:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise self.syntax.error(node, "only the functions of the table can be called")
        name = node.func.id
        if name in ("known", "written"):
            return self._known(node, name)
        if name == "applies":
            return self._applies(node)
        if name == "total":
            return self._total(node)
        if name == "entries":
            return self._entries(node)
        if name in LOOPS:
            return self._looped(node, name)
        function = FUNCTIONS.get(name)
        if function is None:
            raise self.syntax.unknown(node, "function", name, [*FUNCTIONS, *_OWN])
        return self._function(node, name, function)

    def _function(self, node: ast.Call, name: str, function: Function) -> Part:
        if len(node.args) != len(function.takes):
            raise self.syntax.error(node, "{name} takes {n} values", name=name, n=len(function.takes))
        parts = [self.part(argument) for argument in node.args]
        for argument, part, kinds in zip(node.args, parts, function.takes, strict=True):
            self._check_takes(argument, name, part, kinds)
        made = Part(kind=function.gives, run=ev.called(function, [part.run for part in parts]))
        return _steady(made, *parts) if function.steady else made

    def _check_takes(self, node: ast.expr, name: str, part: Part, kinds: tuple[str, ...]) -> None:
        if part.kind not in kinds:
            wanted = " or ".join(kinds)
            raise self.syntax.error(
                node, "{name} takes {kinds} here, this is {kind}", name=name, kinds=wanted, kind=part.kind
            )

    def _known(self, node: ast.Call, name: str) -> Part:
        argument = node.args[0] if len(node.args) == 1 else None
        part = self.part(argument) if isinstance(argument, ast.Name | ast.Subscript) else None
        if part is None or not part.fact:
            raise self.syntax.error(node, "{name} takes a fact or an entry of a map", name=name)
        return Part(kind="bool", run=ev.known(part.run) if name == "known" else ev.written(part.run))

    def _applies(self, node: ast.Call) -> Part:
        argument = node.args[0] if len(node.args) == 1 else None
        if self._loop is None or not isinstance(argument, ast.Name) or argument.id != self._loop[0]:
            raise self.syntax.error(node, "applies takes the variable of a loop over a list")
        condition = self.conditions.get(self._loop[1], {}).get(self._loop[2])
        if condition is None:
            return literal("bool", True)
        self.reads |= condition.reads
        return Part(kind="bool", run=ev.holds(condition.run))

    def _total(self, node: ast.Call) -> Part:
        argument = node.args[0] if len(node.args) == 1 else None
        part = self.part(argument) if isinstance(argument, ast.Name) else None
        if part is None or part.map is None or part.map.of is None or part.map.of.name not in ("int", "decimal"):
            raise self.syntax.error(node, "total takes a map of numbers")
        return Part(kind="number", run=ev.total(part.run))

    def _entries(self, node: ast.Call) -> Part:
        parts = [self.part(argument) for argument in node.args]
        if not 1 <= len(parts) <= 2 or not isinstance(node.args[0], ast.Name) or parts[0].map is None:
            raise self.syntax.error(node, "entries takes a map, and a value if only those with it are meant")
        of = parts[0].map.of or Type(name="text")
        if len(parts) == 2:
            like = Part(kind=_KINDS.get(of.name, of.name), run=parts[0].run, options=of.options)
            self._check_like(node.args[0], like, node.args[1], parts[1])
        run = ev.entries(node.args[0].id, parts[1].run if len(parts) == 2 else None)
        return Part(kind="number", run=run)

    def _looped(self, node: ast.Call, name: str) -> Part:
        pairs = list(self._rounds(node, name))
        extreme = name in ("min", "max")
        self._check_takes(node, name, pairs[0][1], ("number", "date", "datetime") if extreme else ("bool",))
        if extreme:
            picked: Callable[..., Any] = min if name == "min" else max
            runs = [(keep.run, each.run) for keep, each in pairs]
            return Part(kind=pairs[0][1].kind, run=ev.extreme(picked, runs))
        if name == "all":
            met = [each.run if k.literal is True else ev.any_of([ev.negation(k.run), each.run]) for k, each in pairs]
            return Part(kind="bool", run=ev.all_of(met, name_all=True))
        met = [each.run if k.literal is True else ev.all_of([k.run, each.run]) for k, each in pairs]
        return Part(kind="bool", run=ev.any_of(met)) if name == "any" else Part(kind="number", run=ev.counted(met))

    def _rounds(self, node: ast.Call, name: str) -> Iterator[tuple[Part, Part]]:
        """Gives the condition and the value of a loop for each entry of its list."""
        loop = node.args[0] if len(node.args) == 1 else None
        if not isinstance(loop, ast.GeneratorExp) or len(loop.generators) != 1:
            raise self.syntax.error(node, "{name} takes: VALUE for NAME in LIST", name=name)
        generator = loop.generators[0]
        target, over = generator.target, generator.iter
        if generator.is_async or len(generator.ifs) > 1 or not isinstance(target, ast.Name):
            raise self.syntax.error(node, "{name} takes: VALUE for NAME in LIST", name=name)
        if self._loop is not None:
            raise self.syntax.error(node, "a loop inside a loop is not allowed")
        if not isinstance(over, ast.Name):
            raise self.syntax.error(over, "a loop goes over a declared list")
        if not self.lists.get(over.id):
            raise self.syntax.unknown(over, "list", over.id, [name for name, codes in self.lists.items() if codes])
        if target.id in self.names or target.id in ("true", "false"):
            raise self.syntax.error(target, "{name} has a meaning already", name=target.id)
        try:
            for code in self.lists[over.id]:
                self._loop = (target.id, over.id, code)
                keep = self._bool(generator.ifs[0]) if generator.ifs else literal("bool", True)
                yield keep, self.part(loop.elt)
        finally:
            self._loop = None


def _steady(made: Part, *parts: Part) -> Part:
    """Returns the part's value at once where its own parts are literals, unless that is unknown."""
    if any(part.literal is None for part in parts):
        return made
    value = made.run({}, None)  # type: ignore[arg-type]
    return made if value is None else literal(made.kind, value)


_NODES: dict[type[ast.expr], Callable[[Compiler, Any], Part]] = {
    ast.Constant: Compiler._constant,
    ast.Name: Compiler._name,
    ast.Subscript: Compiler._subscript,
    ast.BoolOp: Compiler._bool_op,
    ast.UnaryOp: Compiler._unary,
    ast.IfExp: Compiler._if_else,
    ast.Compare: Compiler._compare,
    ast.BinOp: Compiler._binary,
    ast.Call: Compiler._call,
}
