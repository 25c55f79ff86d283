"""Canonical JSON: one value has one sequence of bytes, so that bytes can be hashed and hashes compared.

Object keys stand in the order of their code points, there is no white space, letters are UTF-8 as they are (no
normalisation), and a text escapes only the quote, the backslash and the controls below U+0020. This is RFC 8785 without
numbers that have a fraction, and with keys ordered by code point instead of UTF-16 unit (the same below U+10000).
"""

from __future__ import annotations

import json

type_of_none = type(None)
Json = None | bool | int | str | dict[str, "Json"] | list["Json"]

NUMBER_LIMIT = 2**53  # beyond it, a reader that keeps numbers as IEEE doubles (JavaScript, jq) reads another one
DEPTH_LIMIT = 64  # lists and objects inside one another; the same on every reader, whatever its stack

_PLAIN = frozenset({str, bool, type_of_none})
_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


def canonical(value: Json) -> bytes:
    """Returns the canonical bytes of None, bool, int, str, list and dict.

    Raises ValueError on anything else: a float, a subclass, a key that is not a text, |int| >= 2**53, a lone
    surrogate, more than 64 levels.
    """
    _check(value, DEPTH_LIMIT)
    try:
        return _encode(value).encode()
    except UnicodeEncodeError:
        raise ValueError("a text holds a lone surrogate") from None


def parse(data: bytes) -> Json:
    """Returns the value whose canonical bytes are `data`; raises ValueError on any other bytes.

    Repeated keys, white space, other escapes and `-0` are refused, as they do not come back the same.
    """
    try:
        value: Json = json.loads(data.decode())
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except RecursionError:
        raise ValueError(f"more than {DEPTH_LIMIT} levels") from None
    if canonical(value) != data:
        raise ValueError("not in canonical form")
    return value


def _check(value: object, depth: int) -> None:
    # `type(x) is` instead of isinstance: a subclass may print itself in another way than it compares.
    kind = type(value)
    if kind in _PLAIN:
        return
    if kind is int:
        if not -NUMBER_LIMIT < value < NUMBER_LIMIT:  # type: ignore[operator]  # int, by the line above
            raise ValueError("a whole number of 2**53 or more")
        return
    if kind is not dict and kind is not list:
        raise ValueError(f"a value of type {kind.__name__} has no canonical form")
    if depth == 0:
        raise ValueError(f"more than {DEPTH_LIMIT} levels")
    if isinstance(value, dict):
        for key in value:
            if type(key) is not str:
                raise ValueError(f"a key of type {type(key).__name__} has no canonical form")
        children = value.values()
    else:
        children = value  # type: ignore[assignment]  # a list, by the lines above
    for child in children:
        if type(child) not in _PLAIN:
            _check(child, depth - 1)
