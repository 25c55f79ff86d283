"""Reading YAML strictly: a file becomes plain data with the place of every part kept beside it.

A scalar stays text until a type says otherwise, so `on`, `015` and `2024-01-24` are what was written; a plain `null`,
`~` or nothing is None. Refused, with file, line and column: aliases, anchors, tags, merge keys, duplicate or nested
keys, several documents, characters that nobody sees, what is too large or too deep.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from engine.core.errors import FileRefused
from engine.core.fitting import load_model
from engine.core.places import Finding, FindingsError, Node, Place, YamlList, YamlMap, key_place_of, place_of

__all__ = [
    "read_yaml",
    "load_model",
    "place_of",
    "key_place_of",
    "Finding",
    "FindingsError",
    "Node",
    "Place",
    "YamlList",
    "YamlMap",
]

# What YAML 1.2 forbids (5.1), half a surrogate pair, and what PyYAML takes for the end of a line but editors do not:
# NEL, U+2028, U+2029. A byte order mark inside a file is invisible, and PyYAML leaves it out when it counts columns.
_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_LINE_END = re.compile(r"\r\n|\r|\n")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})  # YAML 1.2, 10.3.2


class _Reader:
    """Walks PyYAML's events; nothing is constructed by PyYAML."""

    def __init__(self, text: str, name: str, limit_depth: int, limit_nodes: int) -> None:
        self.name, self.limit_depth, self.limit_nodes = name, limit_depth, limit_nodes
        self.nodes = 0
        self.loader: Any = yaml.SafeLoader(text)  # its methods carry no types
        self.now: Any = None

    def place(self, event: Any) -> Place:
        start = event.start_mark
        return Place(self.name, start.line + 1, start.column + 1, _lead(event))

    def refuse(self, event: Any, message: str, **params: object) -> FileRefused:
        return self.refuse_at(event.start_mark, message, **params)

    def refuse_at(self, mark: Any, message: str, **params: object) -> FileRefused:
        return FileRefused(message, file=self.name, line=mark.line + 1, column=mark.column + 1, **params)

    def next(self) -> Any:
        try:
            self.now = self.loader.get_event()
        except yaml.MarkedYAMLError as error:
            raise self.not_yaml(error) from None
        except (ValueError, OverflowError):  # a number in an escape or in a %YAML line that no character or version has
            raise self.refuse_at(self.loader.get_mark(), "this is not YAML: a number is too large") from None
        return self.now

    def not_yaml(self, error: yaml.MarkedYAMLError) -> FileRefused:
        mark, problem, begun = error.problem_mark or self.loader.get_mark(), error.problem, error.context_mark
        if problem == "found character '\\t' that cannot start any token":
            return self.refuse_at(mark, "a tab stands here: indent with spaces")
        if begun is None or begun.line == mark.line:
            return self.refuse_at(mark, "this is not YAML: {problem}", problem=problem)
        return self.refuse_at(
            mark, "this is not YAML: {problem} ({context} in line {begun})",
            problem=problem, context=error.context, begun=begun.line + 1,
        )  # fmt: skip

    def document(self) -> Node:
        self.next()  # stream start
        if isinstance(self.next(), yaml.StreamEndEvent):
            return None
        self.next()
        tree = self.node(1)
        self.next()  # document end
        if not isinstance(self.next(), yaml.StreamEndEvent):
            raise self.refuse(self.now, "one file holds one document; a second begins here")
        return tree

    def node(self, depth: int) -> Node:
        """Reads the node that begins at the present event."""
        event = self.now
        self.nodes += 1
        if self.nodes > self.limit_nodes:
            raise self.refuse(event, "the file has more than {limit} parts", limit=self.limit_nodes)
        if depth > self.limit_depth:
            raise self.refuse(event, "the file is nested more than {limit} deep", limit=self.limit_depth)
        if isinstance(event, yaml.AliasEvent):
            raise self.refuse(event, "aliases (*name) are not allowed: write it out")
        if event.anchor is not None:
            raise self.refuse(event, "anchors (&name) are not allowed")
        if event.tag is not None:
            raise self.refuse(event, "tags ({tag}) are not allowed", tag=event.tag)
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(event, depth)
        return self.mapping(event, depth)

    def scalar(self, event: Any) -> str | None:
        if event.style is None and event.value in _NULLS:
            return None
        if event.style == '"' and (found := _NOT_ALLOWED.search(event.value)):
            raise self.refuse(event, "the text holds the character {code}, which is not allowed", code=_code(found[0]))
        return str(event.value)

    def sequence(self, event: Any, depth: int) -> YamlList:
        items = YamlList(self.place(event))
        while not isinstance(self.next(), yaml.SequenceEndEvent):
            items.item_places.append(self.place(self.now))
            items.append(self.node(depth + 1))
        return items

    def mapping(self, event: Any, depth: int) -> YamlMap:
        found = YamlMap(self.place(event))
        while not isinstance(self.next(), yaml.MappingEndEvent):
            key = self.key(found, depth + 1)
            found.key_places[key] = self.place(self.now)
            self.next()
            found.value_places[key] = self.place(self.now)
            found[key] = self.node(depth + 1)
        return found

    def key(self, found: YamlMap, depth: int) -> str:
        event = self.now
        if isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            raise self.refuse(event, "a key is a word, not a list or a mapping")
        self.node(depth)  # for its refusals: a key is always text, `null` too
        key = str(event.value)
        if not key:
            raise self.refuse(event, "a key is a word; here it is empty")
        if key == "<<":
            raise self.refuse(event, "merge keys (<<) are not allowed: write it out")
        if key in found:
            first = found.at(key).line
            raise self.refuse(event, "the key {key} stands twice, first in line {first}", key=key, first=first)
        return key


def _lead(event: Any) -> int | None:
    """Returns the letters before a scalar's text, if the text stands on one line just as it reads."""
    start, end = event.start_mark, event.end_mark
    if not isinstance(event, yaml.ScalarEvent) or event.style not in (None, "'", '"') or start.line != end.line:
        return None
    quote = 0 if event.style is None else 1
    return quote if end.column - start.column == len(event.value) + 2 * quote else None


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"


def _check_characters(text: str, name: str) -> None:
    found = _NOT_ALLOWED.search(text)
    if found is None:
        return
    before = _LINE_END.split(text[: found.start()])
    line, column = len(before), len(before[-1]) + 1
    code = _code(found[0])
    raise FileRefused("the character {code} is not allowed", file=name, line=line, column=column, code=code)


def read_yaml(
    text: str, name: str, *, limit_bytes: int = 512_000, limit_depth: int = 24, limit_nodes: int = 50_000
) -> Node:
    """Returns a file's content as YamlMap, YamlList or str, never None. Raises FileRefused, and nothing else."""
    if len(text.encode("utf-8", "surrogatepass")) > limit_bytes:
        raise FileRefused("the file is larger than {limit} bytes", file=name, line=1, limit=limit_bytes)
    text = text.removeprefix("\ufeff")
    _check_characters(text, name)
    tree = _Reader(text, name, limit_depth, limit_nodes).document()
    if tree is None:
        raise FileRefused("the file is empty", file=name, line=1)
    return tree
