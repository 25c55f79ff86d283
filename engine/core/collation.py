"""The order of Vietnamese names: by given name, which stands last, then by the others from the left.

Letters in the order of the alphabet (a ă â, d đ, e ê, o ô ơ, u ư), then tones: level, huyền, hỏi, ngã, sắc, nặng.
"""

from __future__ import annotations

import unicodedata

_LETTERS = {letter: f"{place:02d}" for place, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}
_TONES = {"\u0300": "1", "\u0309": "2", "\u0303": "3", "\u0301": "4", "\u0323": "5"}
_SHAPES = {"\u0306", "\u0302", "\u031b"}  # breve, circumflex, horn: they make another letter


def name_key(name: str) -> str:
    """Returns a text that sorts, by code point, where the name belongs. Safe to store: ASCII apart from odd signs."""
    syllables = name.split()
    ordered = [*syllables[-1:], *syllables[:-1]]
    return " ".join(_syllable(s) for s in ordered)


def text_key(text: str) -> str:
    """Returns a text that sorts, by code point, where other words than names belong: from the left."""
    return " ".join(_syllable(s) for s in text.split())


def _syllable(syllable: str) -> str:
    """Returns the letters' places, then the tone: tones count only between the same letters."""
    letters: list[str] = []
    tone = "0"
    for char in unicodedata.normalize("NFD", syllable.lower()):
        if char in _TONES:
            tone = _TONES[char]
        elif char in _SHAPES and letters:
            letters[-1] = unicodedata.normalize("NFC", letters[-1] + char)
        else:
            letters.append(char)
    places = "".join(_LETTERS.get(letter, f"~{letter}") if letter.isalpha() else f"!{letter}" for letter in letters)
    return f"{places}.{tone}"
