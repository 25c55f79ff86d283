"""Where things stand in a file, and what is wrong there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from engine.core.errors import BadInput

Node = Any  # YamlMap, YamlList, str or None


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; line and column count from 1, columns in Unicode code points.

    `lead` counts the letters from here to the first of a text that stands on one line just as it reads (1 for a quote).
    """

    file: str
    line: int
    column: int
    lead: int | None = field(default=None, compare=False)

    def letter(self, offset: int) -> Place:
        """Returns where the letter at `offset` of the text stands; of a folded or escaped text, this place."""
        return self if self.lead is None else replace(self, column=self.column + self.lead + offset, lead=None)


class YamlMap(dict[str, Node]):
    """A mapping that knows where it, its keys and its values stand."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.key_places: dict[str, Place] = {}
        self.value_places: dict[str, Place] = {}

    def at(self, key: str) -> Place:
        """Returns where a key stands. Raises KeyError."""
        return self.key_places[key]

    def value_at(self, key: str) -> Place:
        """Returns where the value of a key stands. Raises KeyError."""
        return self.value_places[key]


class YamlList(list[Node]):
    """A list that knows where it and its items stand."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.item_places: list[Place] = []

    def at(self, index: int) -> Place:
        """Returns where an item stands. Raises IndexError."""
        return self.item_places[index]


def has(node: Node, part: str | int) -> bool:
    """Tells whether a key or an index leads from a node to a part of it."""
    if isinstance(node, YamlMap):
        return part in node
    return isinstance(node, YamlList) and isinstance(part, int) and 0 <= part < len(node)


def place_of(tree: Node, path: tuple[str | int, ...]) -> Place:
    """Returns where the part at a path stands; for a missing part, its nearest parent."""
    at = tree
    place = tree.place if isinstance(tree, YamlMap | YamlList) else Place("", 1, 1)
    for part in path:
        if not has(at, part):
            break
        place = at.value_at(str(part)) if isinstance(at, YamlMap) else at.at(part)
        at = at[part]
    return place


def key_place_of(tree: Node, path: tuple[str | int, ...]) -> Place:
    """Returns where the last key of a path stands; for a missing key or an item of a list, as `place_of`."""
    at = tree
    for part in path[:-1]:
        if not has(at, part):
            return place_of(tree, path)
        at = at[part]
    return at.at(str(path[-1])) if path and isinstance(at, YamlMap) and path[-1] in at else place_of(tree, path)


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

    def text(self, translate: Callable[[str], str] = str, lang: str = "en") -> str:  # noqa: ARG002 - names are ids here
        """Returns all findings, a line each."""
        return "\n".join(f.located(translate) for f in self.findings)
