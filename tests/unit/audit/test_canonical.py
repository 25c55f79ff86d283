"""Canonical bytes: one value, one sequence of bytes, and back."""

from __future__ import annotations

import json
from collections import OrderedDict
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.audit.canonical import DEPTH_LIMIT, NUMBER_LIMIT, Json, canonical, parse

texts = st.text(st.characters(exclude_categories=["Cs"]))
values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(1 - NUMBER_LIMIT, NUMBER_LIMIT - 1) | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)


class Colour(StrEnum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


@given(values)
def test_a_value_comes_back_from_its_bytes(value: Json):
    assert parse(canonical(value)) == value


@given(values)
def test_the_bytes_do_not_depend_on_the_order_in_which_keys_were_put(value: Json):
    def turned(part: Json) -> Json:
        if isinstance(part, dict):
            return {key: turned(part[key]) for key in reversed(part)}
        return [turned(item) for item in part] if isinstance(part, list) else part

    assert canonical(turned(value)) == canonical(value)


@given(values, values)
def test_two_values_have_the_same_bytes_only_if_they_are_the_same(one: Json, two: Json):
    # repr tells True from 1, which Python calls equal
    assert (canonical(one) == canonical(two)) == (canonical_repr(one) == canonical_repr(two))


def canonical_repr(value: Json) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{k!r}:{canonical_repr(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical_repr, value)) + "]"
    return repr(value)


def test_the_form_is_fixed_for_ever():
    value: Json = {
        "b": [1, -2, True, None],
        "a": 'Đồng "\\\n\u001f\u007f\u2028/',
        "\u00e9": {},
        "e\u0301": [],
        "": "😀",
    }
    expected = '{"":"😀","a":"Đồng \\"\\\\\\n\\u001f\u007f\u2028/","b":[1,-2,true,null],"e\u0301":[],"\u00e9":{}}'
    assert canonical(value) == expected.encode()


def test_letters_are_not_normalised():
    composed, spread = "\u1ebf", "e\u0302\u0301"
    assert canonical(composed) != canonical(spread)
    assert [parse(canonical(text)) for text in (composed, spread)] == [composed, spread]


def test_keys_stand_in_the_order_of_code_points_also_above_the_first_plane():
    assert canonical({"\U0001f600": 1, "\uff5e": 2}) == '{"\uff5e":2,"\U0001f600":1}'.encode()


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        Decimal(1),
        (1, 2),
        {1, 2},
        b"bytes",
        {1: "a"},
        {None: "a"},
        {True: "a"},
        NUMBER_LIMIT,
        -NUMBER_LIMIT,
        10**400,
        "\ud800",
        {"\udfff": 1},
        Colour.RED,
        Number.ONE,
        {Colour.RED: 1},
        OrderedDict(a=1),
        [[{"deep": [0.5]}]],
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_canonical_form_is_refused(value: Any):
    with pytest.raises(ValueError, match=r"."):
        canonical(value)


def nested(levels: int) -> Json:
    value: Json = 0
    for _ in range(levels):
        value = [value]
    return value


def test_depth_is_bounded_in_writing_and_reading():
    assert parse(canonical(nested(DEPTH_LIMIT))) == nested(DEPTH_LIMIT)
    with pytest.raises(ValueError, match="levels"):
        canonical(nested(DEPTH_LIMIT + 1))
    for levels in (DEPTH_LIMIT + 1, 200_000):
        with pytest.raises(ValueError, match="levels"):
            parse(b"[" * levels + b"0" + b"]" * levels)
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(ValueError, match="levels"):
        canonical(circle)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"1 ",
        b" 1",
        b"[1, 2]",
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b"1.0",
        b"1e3",
        b"-0",
        b"01",
        b"NaN",
        b"Infinity",
        b'"\\u0061"',
        b'"\\/"',
        b'"\\u001F"',
        b'"\\ud83d\\ude00"',
        b'"\\ud800"',
        b'"\x7f',
        b'"\n"',
        b"\xef\xbb\xbf1",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        "1".encode("utf-16"),
        b"9007199254740992",
        b"9" * 5000,
        b"true\n",
        b"1\x00",
    ],
    ids=repr,
)
def test_other_bytes_for_the_same_value_or_for_none_are_refused(data: bytes):
    with pytest.raises(ValueError, match=r"."):
        parse(data)


@given(values, st.data())
def test_one_altered_byte_is_another_value_or_none(value: Json, data: st.DataObject):
    whole = bytearray(canonical(value))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    try:
        other = parse(bytes(whole))
    except ValueError:
        return
    assert canonical_repr(other) != canonical_repr(value)


def test_the_standard_library_reads_it():
    value: Json = {"a": [1, {"b": "ữ"}]}
    assert json.loads(canonical(value)) == value
