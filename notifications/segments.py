"""How long a text is as SMS: its letters, its segments, and the same text without diacritics.

3GPP TS 23.038 (the 7-bit alphabet) and 23.040 9.2.3.24.1 (long messages: six octets of header in each part).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Mode = Literal["gsm7", "ucs2"]

# 23.038 6.2.1: the position is the code. 0x1B is the escape and stands for no letter.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# 23.038 6.2.1.1: these take two septets, escape and code.
_EXTENSION = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
_ESCAPE = 0x1B
_CODES = {letter: bytes([code]) for code, letter in enumerate(_BASIC) if code != _ESCAPE} | {
    letter: bytes([_ESCAPE, code]) for letter, code in _EXTENSION.items()
}
_HALF = re.compile("[\ud800-\udfff]")
_LIMITS = {"gsm7": (160, 153), "ucs2": (70, 67)}

# What decomposition does not take apart, and what people's keyboards and Word put in for plain signs.
_PLAIN = str.maketrans(
    {
        "đ": "d", "Đ": "D", "₫": "d", "ø": "o", "Ø": "O", "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE",
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "`": "'", "´": "'",
        "–": "-", "—": "-", "‐": "-", "‑": "-", "‒": "-", "−": "-", "•": "-", "·": ".", "…": "...", "×": "x",
        "⁄": "/", "\t": " ", "\u200b": "", "\u200c": "", "\u200d": "", "\ufeff": "", "\u00ad": "",
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Size:
    """A text as SMS: `units` are septets in GSM-7 and UTF-16 units in UCS-2."""

    units: int
    segments: int


def fold(text: str) -> str:
    """Returns the text without diacritics, in letters of GSM-7 only; what has no plain form becomes `?`.

    "Đặng Thị Hường" becomes "Dang Thi Huong". Both forms of Unicode give the same result.
    """
    plain = text.translate(_PLAIN)
    # NFKD also opens ligatures, wide letters and no-break spaces.
    apart = unicodedata.normalize("NFKD", plain).translate(_PLAIN)
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return "".join(letter if letter in _CODES else "?" for letter in bare.replace("\r\n", "\n"))


def normal(text: str, mode: Mode) -> str:
    """Returns the text as it goes out: NFC in UCS-2 (half the units of the other form), folded in GSM-7."""
    if mode == "gsm7":
        return fold(text)
    # Half a surrogate pair cannot be encoded; U+FFFD says that something stood there.
    return unicodedata.normalize("NFC", _HALF.sub("\ufffd", text.replace("\r\n", "\n")))


def units(letter: str, mode: Mode) -> int:
    """Returns what one letter of a normal text costs: 2 for an escape pair or a surrogate pair, else 1."""
    return len(_CODES[letter]) if mode == "gsm7" else 1 + (ord(letter) > 0xFFFF)


def split(text: str, mode: Mode) -> list[str]:
    """Returns the parts in which the text goes out, none of them cut within a pair; one empty part for no text."""
    whole = normal(text, mode)
    single, limit = _LIMITS[mode]
    if sum(units(letter, mode) for letter in whole) <= single:
        return [whole]
    parts: list[str] = []
    start = used = 0
    for at, letter in enumerate(whole):
        cost = units(letter, mode)
        if used + cost > limit:
            parts.append(whole[start:at])
            start, used = at, 0
        used += cost
    return [*parts, whole[start:]]


def measure(text: str, mode: Mode) -> Size:
    """Returns the length of a text and the number of segments it is billed as."""
    parts = split(text, mode)
    return Size(units=sum(units(letter, mode) for part in parts for letter in part), segments=len(parts))


def count(text: str, mode: Mode) -> int:
    """Returns the number of segments."""
    return measure(text, mode).segments


def encode(text: str, mode: Mode) -> bytes:
    """Returns the octets of a normal text: one septet an octet in GSM-7 (as SMPP carries them), UTF-16BE in UCS-2."""
    if mode == "ucs2":
        return text.encode("utf-16-be")
    return b"".join(_CODES[letter] for letter in text)


def decode(octets: bytes) -> str:
    """Returns the text of unpacked GSM-7 septets; an unknown escape becomes a space (23.038 6.2.1.1)."""
    letters: list[str] = []
    extension = {code: letter for letter, code in _EXTENSION.items()}
    escaped = False
    for octet in octets:
        if escaped:
            letters.append(extension.get(octet, " "))
            escaped = False
        elif octet == _ESCAPE:
            escaped = True
        else:
            letters.append(_BASIC[octet] if octet < len(_BASIC) else "?")
    return "".join(letters)
