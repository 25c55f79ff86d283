"""The places of a Word file: which names it wants filled, found without filling it.

The file's text is Jinja2 as docxtpl reads it, in the immutable sandbox: an office's file may show values, ask `if` and
go through rows, and nothing else.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from docxtpl import DocxTemplate
from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.core.errors import FileRefused
from reports.showing import FILTERS

ROW, ROWS = "row", "rows"
MAX_FILE = 5_000_000  # bytes, packed
MAX_UNPACKED = 40_000_000
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const,
    nodes.Filter, nodes.If, nodes.For, nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Operand,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Places:
    """The names that a file wants: of its own subject (`papers.referral` for a map's entry in `entries`), of a row."""

    names: frozenset[str]
    entries: frozenset[str]
    row_names: frozenset[str]


def environment() -> ImmutableSandboxedEnvironment:
    """Returns the sandbox that files are filled in."""
    made = ImmutableSandboxedEnvironment(autoescape=True)
    made.filters = dict(FILTERS)
    made.globals = {}
    return made


def open_places(path: Path) -> Places:
    """Returns the places of a Word file. Raises FileRefused for what is no such file, or does more than show."""
    _check_size(path)
    try:
        template = DocxTemplate(str(path))
        template.init_docx()
        text = "\n".join([template.patch_xml(template.get_xml()), *_margins(template)])
        tree = environment().parse(text)
    except TemplateSyntaxError as error:
        raise FileRefused(
            "the places of the file cannot be read: {why}", file=str(path), line=1, why=error.message
        ) from error
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise FileRefused("this is no Word file (.docx)", file=str(path), line=1) from error
    return _walk(tree, path)


def _check_size(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(i.file_size for i in packed.infolist())
    except zipfile.BadZipFile as error:
        raise FileRefused("this is no Word file (.docx)", file=str(path), line=1) from error
    if path.stat().st_size > MAX_FILE or size > MAX_UNPACKED:
        raise FileRefused("the Word file is too large", file=str(path), line=1)


def _margins(template: DocxTemplate) -> list[str]:
    """Returns the texts of headers and footers."""
    found = []
    for uri in (template.HEADER_URI, template.FOOTER_URI):
        found += [template.patch_xml(template.get_part_xml(part)) for _, part in template.get_headers_footers(uri)]
    return found


def _walk(tree: nodes.Template, path: Path) -> Places:
    names: set[str] = set()
    entries: set[str] = set()
    rows: set[str] = set()
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            raise FileRefused(
                "the file does more than show values: {what} is not allowed",
                file=str(path),
                line=1,
                what=type(node).__name__,
            )
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            if node.node.name == ROW:
                rows.add(node.attr)
            else:
                entries.add(f"{node.node.name}.{node.attr}")
        elif isinstance(node, nodes.For) and not (isinstance(node.iter, nodes.Name) and node.iter.name == ROWS):
            raise FileRefused("a loop goes over the rows only: for row in rows", file=str(path), line=1)
        elif isinstance(node, nodes.Name) and node.ctx == "load" and node.name != ROW:
            names.add(node.name)
    return Places(names=frozenset(names), entries=frozenset(entries), row_names=frozenset(rows))
