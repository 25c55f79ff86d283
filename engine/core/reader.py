"""Reading YAML strictly: a file becomes plain data with the place of every part kept beside it.

A scalar stays text until a type says otherwise, so `on`, `015` and `2024-01-24` are what was written; a plain `null`,
`~` or nothing is None. Refused, with file, line and column: aliases, anchors, tags, merge keys, duplicate or nested
keys, several documents, what is too large or too deep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from engine.core.errors import BadInput, FileRefused
from engine.core.suggestions import suggest

M = TypeVar("M", bound=BaseModel)
Node = Any  # YamlMap, YamlList, str or None


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; line and column count from 1."""

    file: str
    line: int
    column: int


class YamlMap(dict[str, Node]):
    """A mapping that knows where it, its keys and its values stand."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.key_places: dict[str, Place] = {}
        self.value_places: dict[str, Place] = {}


class YamlList(list[Node]):
    """A list that knows where it and its items stand."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.item_places: list[Place] = []


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing wrong in a file. `message` is an English template over `params`, as in KetnapError."""

    file: str
    line: int
    column: int
    severity: Literal["error", "warning"]
    code: str
    message: str
    params: Mapping[str, object] = field(default_factory=dict)

    def text(self, translate: Callable[[str], str] = str) -> str:
        """Returns the message in the language of `translate`."""
        return translate(self.message).format_map(self.params) if self.params else translate(self.message)

    def located(self, translate: Callable[[str], str] = str) -> str:
        """Returns `file:line:column: message`."""
        return f"{self.file}:{self.line}:{self.column}: {self.text(translate)}"


class FindingsError(BadInput):
    """One or more files are not valid. `findings` are all that is wrong."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        super().__init__("{all}", all="\n".join(f.located() for f in findings))

    def text(self, translate: Callable[[str], str] = str) -> str:
        """Returns all findings, a line each."""
        return "\n".join(f.located(translate) for f in self.findings)


# ---- YAML ----


class _Reader:
    def __init__(self, text: str, name: str, limit_depth: int, limit_nodes: int) -> None:
        self.name, self.limit_depth, self.limit_nodes = name, limit_depth, limit_nodes
        self.nodes = 0
        self.events = yaml.parse(text, Loader=yaml.SafeLoader)
        self.now: Any = None

    def place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self.name, mark.line + 1, mark.column + 1)

    def refuse(self, event: Any, message: str, **params: object) -> FileRefused:
        place = self.place(event)
        return FileRefused(message, file=self.name, line=place.line, column=place.column, **params)

    def next(self) -> Any:
        try:
            self.now = next(self.events)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
            raise FileRefused(
                "this is not YAML: {problem}",
                file=self.name,
                line=line,
                column=column,
                problem=error.problem or error.context,
            ) from None
        except yaml.YAMLError as error:
            raise FileRefused("this is not YAML: {problem}", file=self.name, line=1, problem=str(error)) from None
        return self.now

    def document(self) -> Node:
        self.next()  # stream start
        if isinstance(self.next(), yaml.StreamEndEvent):
            raise self.refuse(self.now, "the file is empty")
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
        if event.tag is not None and event.tag != "!":
            raise self.refuse(event, "tags ({tag}) are not allowed", tag=event.tag)
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(event, depth)
        return self.mapping(event, depth)

    @staticmethod
    def scalar(event: Any) -> str | None:
        if event.style is None and event.value in ("", "~", "null", "Null", "NULL"):
            return None
        return str(event.value)

    def sequence(self, event: Any, depth: int) -> YamlList:
        items = YamlList(self.place(event))
        while not isinstance(self.next(), yaml.SequenceEndEvent):
            items.item_places.append(self.place(self.now))
            items.append(self.node(depth + 1))
        return items

    def key(self, start: Any, depth: int) -> str:
        if isinstance(start, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            raise self.refuse(start, "a key is a word, not a list or a mapping")
        key = self.node(depth + 1)
        return "" if key is None else str(key)

    def mapping(self, event: Any, depth: int) -> YamlMap:
        found = YamlMap(self.place(event))
        while not isinstance(self.next(), yaml.MappingEndEvent):
            start = self.now
            key = self.key(start, depth)
            if key == "<<":
                raise self.refuse(start, "merge keys (<<) are not allowed: write it out")
            if key in found:
                first = found.key_places[key].line
                raise self.refuse(start, "the key {key} stands twice, first in line {first}", key=key, first=first)
            found.key_places[key] = self.place(start)
            self.next()
            found.value_places[key] = self.place(self.now)
            found[key] = self.node(depth + 1)
        return found


def read_yaml(
    text: str, name: str, *, limit_bytes: int = 512_000, limit_depth: int = 24, limit_nodes: int = 50_000
) -> Node:
    """Returns a file's content as YamlMap, YamlList, str or None. Raises FileRefused."""
    if len(text.encode("utf-8", "surrogatepass")) > limit_bytes:
        raise FileRefused("the file is larger than {limit} bytes", file=name, line=1, limit=limit_bytes)
    _check_nesting(text, name)
    try:
        return _Reader(text.removeprefix("\ufeff"), name, limit_depth, limit_nodes).document()
    except yaml.YAMLError as error:  # the scanner meets a character it cannot read before the first event
        raise FileRefused("this is not YAML: {problem}", file=name, line=1, problem=str(error)) from None
    except (RecursionError, ValueError) as error:
        raise FileRefused("this is not YAML: {problem}", file=name, line=1, problem=type(error).__name__) from None


def _check_nesting(text: str, name: str) -> None:
    """Refuses a wall of brackets before the parser, whose time grows with their depth, sees it."""
    if text.count("[") + text.count("{") > 20_000:
        raise FileRefused("the file has too many brackets", file=name, line=1)


def place_of(tree: Node, path: tuple[str | int, ...]) -> Place:
    """Returns where the part at a path stands; for a missing part, its nearest parent."""
    at = tree
    place = tree.place if isinstance(tree, YamlMap | YamlList) else Place("", 1, 1)
    for part in path:
        if isinstance(at, YamlMap) and part in at:
            place, at = at.value_places[str(part)], at[str(part)]
        elif isinstance(at, YamlList) and isinstance(part, int) and part < len(at):
            place, at = at.item_places[part], at[part]
        elif not (isinstance(at, YamlMap | YamlList)):
            continue
        else:
            break
    return place


def _into(tree: Node, part: str | int) -> Node:
    """Returns the part of a node, or raises KeyError when there is none."""
    if isinstance(tree, YamlMap) and part in tree:
        return tree[str(part)]
    if isinstance(tree, YamlList) and isinstance(part, int) and part < len(tree):
        return tree[part]
    raise KeyError(part)


def _key_place(tree: Node, path: tuple[str | int, ...]) -> Place:
    """Returns where the last key of a path stands."""
    at = tree
    for part in path[:-1]:
        at = _into(at, part)
    if isinstance(at, YamlMap) and path and path[-1] in at.key_places:
        return at.key_places[str(path[-1])]
    return place_of(tree, path)


# ---- models ----


def load_model(model: type[M], tree: Node, *, file: str) -> M:
    """Returns the tree as a model. Raises FindingsError with everything that does not fit, each at its place."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        found = [_finding(model, tree, file, e) for e in error.errors(include_url=False)]
        raise FindingsError(tuple(_deepest(found))) from None


def _deepest(found: list[tuple[tuple[str | int, ...], Finding]]) -> list[Finding]:
    """Leaves out what a union's other branches say where one of them got further, and what is said twice."""
    kept: list[Finding] = []
    for path, finding in found:
        further = any(len(other) > len(path) and other[: len(path)] == path for other, _ in found)
        if not (further and finding.code == "wrong-type") and finding not in kept:
            kept.append(finding)
    return kept


def _finding(model: type[BaseModel], tree: Node, file: str, error: Any) -> tuple[tuple[str | int, ...], Finding]:
    path = _real_path(tree, error["loc"])
    kind = error["type"]
    params: dict[str, object]
    if kind == "extra_forbidden":
        key = str(path[-1])
        near = suggest(key, _known_keys(model, path[:-1]))
        message = "unknown key {key}" + ("; did you mean {near}?" if near else "")
        code, params, place = "unknown-key", {"key": key, "near": near}, _key_place(tree, path)
    elif kind == "missing":
        key = str(error["loc"][-1])
        code, message, params = "missing-key", "the key {key} is missing", {"key": key}
        place = place_of(tree, path)
    else:
        place = place_of(tree, path)
        code, message = "wrong-type", "{value} does not fit: {problem}"
        params = {"value": _shown(error.get("input")), "problem": error["msg"]}
    finding = Finding(
        file=file, line=place.line, column=place.column, severity="error", code=code, message=message, params=params
    )
    return path, finding


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else type(value).__name__.removeprefix("Yaml").lower()
    return text if len(text) <= 80 else text[:77] + "..."


def _real_path(tree: Node, loc: Iterable[str | int]) -> tuple[str | int, ...]:
    """Returns the location without the words that pydantic adds for unions and validators."""
    path: list[str | int] = []
    at = tree
    for part in loc:
        try:
            at = _into(at, part)
        except KeyError:
            continue
        path.append(part)
    return tuple(path)


def _known_keys(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """Returns the keys that the models at a path know, by walking the annotations."""
    options: list[Any] = [model]
    for part in path:
        options = [o for option in options for o in _step_into(option, part)]
    return sorted({f.alias or n for o in options for n, f in getattr(o, "model_fields", {}).items()})


def _step_into(option: Any, part: str | int) -> list[Any]:
    fields = getattr(option, "model_fields", None)
    if fields is not None:
        inner = [f.annotation for n, f in fields.items() if part in (n, f.alias)]
    else:
        inner = [option]
    found: list[Any] = []
    for annotation in inner:
        found += _models_in(annotation)
    return found


def _models_in(annotation: Any) -> list[Any]:
    args: tuple[Any, ...] = getattr(annotation, "__args__", ())
    if isinstance(annotation, type) and not args and issubclass(annotation, BaseModel):
        return [annotation]
    origin = getattr(annotation, "__origin__", None)
    if origin is dict:
        return [_Values(args[-1])]
    if origin is list:
        return [_Values(args[-1])]
    return [m for a in args for m in _models_in(a)]


class _Values:
    """The values of a dict or list, one step of a path away."""

    def __init__(self, annotation: Any) -> None:
        self.__args__ = (annotation,)
