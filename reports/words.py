"""Vietnamese text as offices type it: one form for storing, and comparing without minding case, marks or spelling.

Two ways of writing one word are one key: `hoà` and `hòa`, composed and decomposed letters, `Thôn 06` and `thôn 6`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# one pass over the text: invisible letters go, apostrophes of all shapes become one, control letters become spaces
_TIDY = {
    **dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad")),
    **dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u0060\u00b4"), "'"),
    **dict.fromkeys([*range(32), *range(127, 160)], " "),
}
_TOKEN = re.compile(r"\d+|[^\W\d_]+")
_STROKE = "\u0335"  # đ has no decomposition in Unicode: its bar is kept as a mark of our own


def tidy(text: str) -> str:
    """Returns the text in NFC, on one line, with single spaces, straight apostrophes and nothing invisible."""
    return " ".join(unicodedata.normalize("NFC", text.translate(_TIDY)).split())


@dataclass(frozen=True, kw_only=True)
class Words:
    """The words of a text for comparing: `marked` keeps accents (not their place in the word), `bare` has none."""

    marked: tuple[str, ...]
    bare: tuple[str, ...]

    @property
    def unmarked(self) -> bool:
        """Whether the text was typed without any accent."""
        return self.marked == self.bare

    def __len__(self) -> int:
        return len(self.bare)

    def slice(self, start: int, stop: int | None = None) -> Words:
        """Returns the words from `start` up to `stop`."""
        return Words(marked=self.marked[start:stop], bare=self.bare[start:stop])


def words(text: str, abbreviations: Mapping[str, str] | None = None) -> Words:
    """Splits a text into comparable words; `abbreviations` maps a bare word (`lhpn`) to what it stands for."""
    marked: list[str] = []
    bare: list[str] = []
    for token in _TOKEN.findall(tidy(text).lower()):
        base, marks = _decompose(token)
        longer = (abbreviations or {}).get(base)
        if longer is None:
            bare.append(base)
            marked.append(base + marks)
        else:
            expanded = words(longer)
            bare.extend(expanded.bare)
            marked.extend(expanded.marked)
    return Words(marked=tuple(marked), bare=tuple(bare))


def _decompose(token: str) -> tuple[str, str]:
    """Returns a word's letters without marks, and its marks sorted, so that the place of a tone does not count."""
    if token.isdigit():
        return token.lstrip("0") or "0", ""
    parts = unicodedata.normalize("NFD", token.replace("đ", "d" + _STROKE))
    marks = sorted(c for c in parts if unicodedata.combining(c))
    return "".join(c for c in parts if not unicodedata.combining(c)), "".join(marks)


def like(typed: Words, known: Words) -> bool:
    """Whether a typed text is a known one.

    Accents may be missing or wrong, except in a single word, where they tell words apart (`Nam` male, `Năm` year).
    """
    if typed.bare != known.bare or not typed.bare:
        return False
    return typed.marked == known.marked or typed.unmarked or len(typed) >= 2


def starts(typed: Words, known: Words) -> bool:
    """Whether the text begins with the known words."""
    return len(typed) >= len(known) > 0 and like(typed.slice(0, len(known)), known)


def holds(typed: Words, known: Words) -> bool:
    """Whether the known words stand somewhere in the text, in one piece."""
    size = len(known)
    return any(like(typed.slice(i, i + size), known) for i in range(len(typed) - size + 1)) if size else False


def holds_in_order(typed: Words, parts: Iterable[Words]) -> bool:
    """Whether all parts stand in the text, one after the other, anything between."""
    at = 0
    for part in parts:
        size = len(part)
        found = next((i for i in range(at, len(typed) - size + 1) if like(typed.slice(i, i + size), part)), None)
        if found is None:
            return False
        at = found + size
    return True


def title_case(name: str) -> str:
    """Returns a name written all in capitals, or all in small letters, with a capital to each word.

    `ĐỖ THỊ Ý` becomes `Đỗ Thị Ý`, `H'HEN NIÊ` becomes `H'Hen Niê`; a name in mixed letters is left alone.
    """
    letters = [c for c in name if c.isalpha()]
    if len(letters) < 2 or not (name.isupper() or name.islower()):
        return name
    return re.sub(r"[^\W\d_]+", lambda m: m[0][0].upper() + m[0][1:].lower(), unicodedata.normalize("NFC", name))


def same_name(one: str, other: str) -> bool:
    """Whether two full names are the same but for case, spaces and the form of Unicode; accents count."""
    return tidy(one).casefold() == tidy(other).casefold()
