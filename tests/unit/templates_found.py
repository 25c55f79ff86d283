"""Finds the English templates of everything the program says to people, by reading its sources."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes

ROOT = Path(__file__).parents[2]
PACKAGES = ("engine", "reports", "notifications", "cli", "web")
PAGES = ROOT / "web" / "templates"

# Calls whose text goes to people: the name of what is called, and the place of the text among its arguments.
SAYS = {
    "say": 0, "translate": 0, "refuse": 0, "refuse_at": 1, "error": 1, "add": 2, "remark": 4, "_at": 3,
    "Unreadable": 0, "Doubtful": 0,
    "head": 0, "_named": 3, "_choice": 3,
    "accepted": 0, "delivered": 0, "refused": 0, "failed": 0, "unknown": 0, "_setup": 0,
}  # fmt: skip
PLACE = re.compile(r"\{[a-z_]+\}")
METHODS_ONLY = {"add", "error", "_at"}  # too common as names: only as methods
OWN_TABLES = {
    "phrases.py",
    "unreached.py",
    "corrections.py",
    "definition.py",
}  # both languages side by side; descriptions for the schema
BASES = {"KetnapError", "BadInput", "NotFound", "Denied", "Conflict", "FileRefused"}


def sources() -> list[Path]:
    """Returns every module of the program."""
    return sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py") if "migrations" not in p.parts)


def trees() -> dict[Path, ast.Module]:
    """Returns every module, parsed."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sources()}


def error_classes(parsed: dict[Path, ast.Module]) -> dict[str, str]:
    """Returns the classes of errors by name, with their docstrings, which are their messages when none is given."""
    classes = [n for tree in parsed.values() for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
    known = set(BASES)
    while True:
        more = {c.name for c in classes if {ast.unparse(b).rpartition(".")[2] for b in c.bases} & known} - known
        if not more:
            break
        known |= more
    return {c.name: (ast.get_docstring(c) or "") for c in classes if c.name in known}


def texts_of(node: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    """Gives the constant texts that an argument may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from texts_of(node.body, constants)
        yield from texts_of(node.orelse, constants)
    elif isinstance(node, ast.Name) and node.id in constants:
        yield constants[node.id]


def _constants(tree: ast.AST) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else []
        pairs = [(t, node.value) for t in targets] if isinstance(node, ast.Assign) else []
        for target, value in pairs:
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs += list(zip(target.elts, value.elts, strict=True))
            elif isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                found[target.id] = value.value
    return found


def placed(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Gives every constant text with a named place and a word, wherever it stands: the tables of messages."""
    docs = {id(n.body[0].value) for n in ast.walk(tree) if _has_doc(n)}  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in docs:
            continue
        text = node.value
        if isinstance(text, str) and PLACE.search(text) and " " in PLACE.sub("", text).strip():
            yield text, node.lineno


def _has_doc(node: ast.AST) -> bool:
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return isinstance(node, kinds) and ast.get_docstring(node) is not None


def found_templates() -> dict[str, str]:
    """Returns every template with the place where it was found last."""
    parsed = trees()
    errors = error_classes(parsed)
    raised = {name for tree in parsed.values() for name in _raised_bare(tree, errors)}
    found: dict[str, str] = {doc: name for name, doc in errors.items() if name in raised or "{" in doc}
    for path, tree in parsed.items():
        constants = _constants(tree)
        for call in ast.walk(tree):
            if isinstance(call, ast.Call):
                for text in _said(call, errors, constants):
                    found[text] = f"{path.relative_to(ROOT)}:{call.lineno}"
        for text in constants.values():
            if text.endswith(".") and " " in text and text[0].isupper() and "\n" not in text:
                found[text] = str(path.relative_to(ROOT))
        for text, line in placed(tree) if path.name not in OWN_TABLES else ():
            found[text] = f"{path.relative_to(ROOT)}:{line}"
    return found | dict(in_pages())


def in_pages() -> Iterator[tuple[str, str]]:
    """Gives every text that a page's template says, `_("...")`, with its place."""
    environment = Environment(autoescape=True)
    for path in sorted(PAGES.glob("*.html")):
        tree = environment.parse(path.read_text(encoding="utf-8"))
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_" and isinstance(call.args[0], nodes.Const):
                yield call.args[0].value, f"{path.relative_to(ROOT)}:{call.lineno}"


def _raised_bare(tree: ast.AST, errors: dict[str, str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not node.args:
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in errors:
                yield name


def _said(call: ast.Call, errors: dict[str, str], constants: dict[str, str]) -> Iterator[str]:
    name = ast.unparse(call.func).rpartition(".")[2]
    for keyword in call.keywords:
        if keyword.arg == "message" and name in ("Finding", "Remark"):
            yield from texts_of(keyword.value, constants)
    if name in errors and name != "InvalidInput":
        at = 0
        if name == "WrongType":
            at = 2
    elif name in SAYS and (name not in METHODS_ONLY or isinstance(call.func, ast.Attribute)):
        at = SAYS[name]
    else:
        return
    if name == "refuse" and call.args and not isinstance(call.args[0], ast.Constant):
        at = 1  # a reader's own: the place comes first
    if len(call.args) > at:
        for text in texts_of(call.args[at], constants):
            if text and not text.isspace():
                yield text
