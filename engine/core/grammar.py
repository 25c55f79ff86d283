"""From text to a bounded tree: the lexemes that an expression may hold, Python's parser, and what was wrong where.

The lexemes are checked before Python's parser sees the text, so that no escape, prefix, comment or letter from another
script reaches it, and it has nothing to warn of. Nothing is ever evaluated as Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from engine.core.errors import BadInput
from engine.core.suggestions import suggest

TEXT_LIMIT, NODE_LIMIT, DEPTH_LIMIT = 2_000, 300, 30


class ExpressionError(BadInput):
    """An expression is not valid.

    `offset` counts letters from the start of its text; `suggestion` is the name that was probably meant.
    """

    def __init__(self, message: str, /, *, offset: int = 0, **params: object) -> None:
        self.offset = offset
        near = params.get("near")
        self.suggestion = near if isinstance(near, str) else None
        super().__init__(message, **params)


_LEXEME = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>[0-9]+(?:\.[0-9]+)?)
      | (?P<text>'[^'\\\x00-\x1f\x7f\ud800-\udfff]*' | "[^"\\\x00-\x1f\x7f\ud800-\udfff]*")
      | (?P<sign><=|>=|==|!=|//|[-+*%<>()\[\],])""",
    re.VERBOSE,
)
_OPERATORS = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)


@dataclass(frozen=True, kw_only=True)
class Syntax:
    """A parsed expression: its tree, the text that Python's parser saw, and the letters left out before it."""

    tree: ast.expr
    seen: str
    lead: int

    def offset(self, node: ast.AST) -> int:
        """Returns where a node begins, in letters from the start of the text."""
        return self.lead + len(self.seen.encode()[: getattr(node, "col_offset", 0)].decode())

    def decimal(self, node: ast.Constant) -> Decimal:
        """Returns a number with a point as it is written; Python's own reading would round it."""
        return Decimal(self.seen.encode()[node.col_offset : node.end_col_offset].decode())

    def error(self, node: ast.AST, message: str, **params: object) -> ExpressionError:
        """Returns the error that stands at a node."""
        return ExpressionError(message, offset=self.offset(node), **params)

    def unknown(self, node: ast.AST, what: str, name: str, known: Iterable[str]) -> ExpressionError:
        """Returns the error for a name that is not known, with the nearest that is."""
        near = suggest(name, known)
        if near is None:
            return self.error(node, "there is no {what} {name}", what=what, name=name)
        return self.error(node, "there is no {what} {name}; did you mean {near}?", what=what, name=name, near=near)


def parse(text: str) -> Syntax:
    """Returns the tree of a text. Raises ExpressionError; the tree has at most NODE_LIMIT nodes, DEPTH_LIMIT deep."""
    if len(text) > TEXT_LIMIT:
        raise ExpressionError("the expression is longer than {limit} letters", offset=TEXT_LIMIT, limit=TEXT_LIMIT)
    _check_lexemes(text)
    flat = re.sub(r"[\t\r\n]", " ", text)  # one line, so that a column is an offset; no quoted text holds these
    lead = len(flat) - len(flat.lstrip())
    seen = flat.strip()
    try:
        tree = ast.parse(seen, mode="eval").body
    except SyntaxError as error:
        at = min(max((error.offset or 1) - 1, 0), len(seen))
        raise ExpressionError("this is not an expression: {problem}", offset=lead + at, problem=error.msg) from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError("this is not an expression") from None
    syntax = Syntax(tree=tree, seen=seen, lead=lead)
    _check_size(syntax)
    return syntax


# `r'..'` and `1or` mean something to Python, `'a' 'b'` and `'''` too; here they are slips of the pen
_TOUCHING = frozenset({("word", "text"), ("number", "word"), ("number", "text"), ("text", "word")})


def _check_lexemes(text: str) -> None:
    at, touching, before, depth = 0, "", "", 0
    while at < len(text):
        found = _LEXEME.match(text, at)
        if found is None:
            if text[at] in "'\"":
                raise ExpressionError("this text does not end, or holds a letter that is not allowed", offset=at)
            shown = text[at] if text[at].isprintable() else f"U+{ord(text[at]):04X}"
            raise ExpressionError("{what} is not allowed here", offset=at, what=shown)
        kind = str(found.lastgroup)
        if (touching, kind) in _TOUCHING or before == kind == "text":
            raise ExpressionError("{what} is not allowed here", offset=at, what=found[0])
        depth += (found[0] in "([") - (found[0] in ")]")
        if depth > DEPTH_LIMIT:
            raise ExpressionError("the expression is more than {limit} levels deep", offset=at, limit=DEPTH_LIMIT)
        touching, before, at = kind, before if kind == "space" else kind, found.end()


def _check_size(syntax: Syntax) -> None:
    count, edge = 0, [(syntax.tree, 1)]
    while edge:
        node, depth = edge.pop()
        count += 1
        if depth > DEPTH_LIMIT:
            raise syntax.error(node, "the expression is more than {limit} levels deep", limit=DEPTH_LIMIT)
        if count > NODE_LIMIT:
            raise syntax.error(node, "the expression has more than {limit} parts", limit=NODE_LIMIT)
        below = (child for child in ast.iter_child_nodes(node) if not isinstance(child, _OPERATORS))
        edge += [(child, depth + 1) for child in below]  # type: ignore[misc]
