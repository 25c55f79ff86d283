"""Texts without case, marks and tones, for a search that forgives; also what Telex or VNI leave when they are off.

`Nguyễn`, `nguyen`, `NGUYEENX`, `nguye6n4` and `nguyênx` are all `nguyen`. No Vietnamese syllable ends in a letter that
Telex takes for a tone, so that nothing is lost that tells syllables apart.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 200  # letters of a folded text
MOST_WORDS = 8  # words of a search

_DOUBLED = re.compile(r"([aeo])\1+")  # aa, ee, oo
_HORNS = re.compile(r"(?<=[aou])w")  # aw, ow, uw, also typed later: uow
_LATE_HORN = re.compile(r"(?<=[a-z])w+$")
_TONES = re.compile(r"(?<=[aeiouy])([a-z]*?)[sfrxjz]+$")
_TONE_WITHIN = re.compile(r"(?<=[aeiouy])[sfrxjz]+(?=[aeiouycmnptgh]+$)")  # typed right after its vowel
_LATE_VOWEL = re.compile(r"([aeo])([iuy]?(?:c|ch|m|n|ng|nh|p|t|u|i|y))\1$")  # nguyene, vana
_DIGITS = re.compile(r"(?<=[a-z])[0-9]+")


def fold(text: str) -> str:
    """Returns the words of a text, folded, with one space between them."""
    plain = unicodedata.normalize("NFD", text.casefold())
    letters = "".join("d" if c == "đ" else c for c in plain if not unicodedata.combining(c))
    words = re.findall(r"[^\W_]+", letters)
    return " ".join(w for w in map(_syllable, words) if w)[:LONGEST].rstrip()


def words(text: str) -> tuple[str, ...]:
    """Returns what a search looks for: each is the beginning of a word."""
    return tuple(dict.fromkeys(fold(text).split()))[:MOST_WORDS]


def _syllable(word: str) -> str:
    if not word.isascii() or not any(c in "aeiouyw" for c in word):
        return word
    if word[0].isalpha():
        word = _DIGITS.sub("", word)
    if word.startswith("dd"):
        word = word[1:]
    elif len(word) > 2 and word[0] == "d" and word[-1] == "d":
        word = word[:-1]
    word = _TONES.sub(r"\1", word)
    word = _TONE_WITHIN.sub("", word)
    word = _LATE_HORN.sub("", _HORNS.sub("", word)) if len(word) > 1 else word
    word = _LATE_VOWEL.sub(r"\1\2", _DOUBLED.sub(r"\1", word))
    return "u" + word[1:] if word.startswith("w") else word
