"""What people read on a terminal: control characters in names and facts are shown, never obeyed.

A fact, a file's name or a server's answer may hold an escape sequence that clears the screen, hides a line or renames
the window, or a mark that turns the reading direction round. Such a letter is printed as `\\x1b` or `\\u202e`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

# C0 but tab and line feed, DEL, C1, and the marks that turn the direction of what follows (Unicode TR36, 3.6)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def shown(text: str) -> str:
    """Returns the text with its control characters written out."""
    return _CONTROL.sub(lambda m: f"\\x{ord(m[0]):02x}" if ord(m[0]) < 256 else f"\\u{ord(m[0]):04x}", text)


class PlainConsole(Console):
    """A console on which only the program itself moves the cursor or sets a colour."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yields the segments of what is printed, their texts without control characters."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(shown(segment.text), segment.style)
