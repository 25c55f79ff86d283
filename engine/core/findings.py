"""What is wrong in a file, collected with its places while the file is checked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from engine.core.reader import Finding, FindingsError, place_of
from engine.core.suggestions import suggest

Path = tuple[str | int, ...]
Severity = Literal["error", "warning"]


class Findings:
    """Collects what is wrong in one file."""

    def __init__(self, tree: object, file: str) -> None:
        self.tree, self.file = tree, file
        self.found: list[Finding] = []

    def add(
        self, path: Path, code: str, message: str, /, *, offset: int = 0, severity: Severity = "error", **params: object
    ) -> None:
        """Notes a finding at a path of the file; `offset` counts letters from the start of a one-line value."""
        self.note(path, code, message, params, offset=offset, severity=severity)

    def note(
        self,
        path: Path,
        code: str,
        message: str,
        params: Mapping[str, object],
        *,
        offset: int = 0,
        severity: Severity = "error",
    ) -> None:
        """Notes a finding whose params are at hand."""
        place = place_of(self.tree, path)
        if offset:
            place = place.letter(offset)
        self.found.append(
            Finding(
                file=self.file,
                line=place.line,
                column=place.column,
                severity=severity,
                code=code,
                message=message,
                params=params,
            )
        )

    def unknown(self, path: Path, what: str, name: str, known: Iterable[str]) -> None:
        """Notes a name that means nothing, with the nearest that does."""
        near = suggest(name, list(known))
        message = "there is no {what} {name}" + ("; did you mean {near}?" if near else "")
        self.add(path, f"unknown-{what.replace(' ', '-')}", message, what=what, name=name, near=near)

    def done(self) -> None:
        """Raises FindingsError when an error was found."""
        if any(f.severity == "error" for f in self.found):
            raise FindingsError(tuple(self.found))


def check_names(found: Findings, path: Path, what: str, names: Sequence[str], known: Collection[str]) -> None:
    """Notes those of `names` that are not known."""
    for i, name in enumerate(names):
        if name not in known:
            found.unknown((*path, i), what, name, known)
