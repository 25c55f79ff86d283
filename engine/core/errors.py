"""What can go wrong, one class a kind; the exit code of the command lives on the class.

A message is an English template with named places. `params` fills them; a program reads `params`, a person reads
`text(translate, lang)`, where `translate` turns the English template into the reader's language (gettext's msgid).
What a definition calls a thing stands in `params` in both languages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self, runtime_checkable


@runtime_checkable
class Worded(Protocol):
    """What is said in both languages."""

    def of(self, lang: str) -> str:
        """Returns it in `lang`, `vi` or `en`."""


class KetnapError(Exception):
    """Something went wrong."""

    exit_code = 1
    codes_of: Any = None  # the definition whose codes stand in `params`: people read its words beside them

    def __init__(self, message: str = "", /, **params: object) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.params = params
        super().__init__(self.text())

    def about(self, definition: Any) -> Self:
        """Says whose codes stand in `params`, unless that is known; returns itself, to be raised."""
        if self.codes_of is None:
            self.codes_of = definition
        return self

    def worded(self, lang: str) -> Mapping[str, object]:
        """Returns `params` with what has words of its own in one language."""
        return {n: v.of(lang) if isinstance(v, Worded) else v for n, v in self.params.items()}

    def text(self, translate: Callable[[str], str] = str, lang: str = "en") -> str:
        """Returns the message in the language of `translate`, its places filled."""
        return translate(self.message).format_map(self.worded(lang)) if self.params else translate(self.message)


class BadInput(KetnapError):
    """The input is not valid; nothing was changed."""

    exit_code = 2


class NotFound(BadInput):
    """There is no such thing; nothing was changed."""


class BadLines(BadInput):
    """Several lines are not valid; nothing was changed. `errors` are theirs, in order."""

    def __init__(self, errors: Sequence[BadInput]) -> None:
        self.errors = tuple(errors)
        super().__init__()

    def text(self, translate: Callable[[str], str] = str, lang: str = "en") -> str:
        """Returns the messages, one a line."""
        return "\n".join(error.text(translate, lang) for error in self.errors)


class FileRefused(BadInput):
    """A file is not valid. `file`, `line` and `column` (from 1) name the place."""

    def __init__(self, message: str, /, *, file: str, line: int, column: int = 1, **params: object) -> None:
        self.file, self.line, self.column = file, line, column
        super().__init__(message, **params)

    def located(self, translate: Callable[[str], str] = str) -> str:
        """Returns `file:line:column: message`."""
        return f"{self.file}:{self.line}:{self.column}: {self.text(translate)}"


class Denied(KetnapError):
    """This officer may not do that. `why` is `role`, `scope` or `separation_of_duties`."""

    exit_code = 3

    def __init__(self, message: str = "", /, *, why: str, **params: object) -> None:
        self.why = why
        super().__init__(message, why=why, **params)


class Conflict(KetnapError):
    """Someone else changed this meanwhile; nothing was changed."""

    exit_code = 4


class DiskFull(KetnapError):
    """There is no room left on the disk for {place}. What was not answered as done is not done; make room first."""


class ClockWentBack(KetnapError):
    """The machine's clock is {minutes} minutes behind the trail's last entry; nothing was done. Set the clock right."""


class Damaged(KetnapError):
    """What is stored does not agree with itself."""
