"""YAML is read strictly, and whatever is refused is refused at its place."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import FileRefused
from engine.core.places import Place
from engine.core.reader import YamlList, YamlMap, key_place_of, place_of, read_yaml


def refusal(text: str, **limits: int) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        read_yaml(text, "f.yaml", **limits)
    return caught.value


def spot(place: Place) -> tuple[int, int]:
    return place.line, place.column


# ---- what is read ----


def test_scalars_stay_the_text_that_was_written():
    """No scalar is guessed to be a bool, a number or a date; only a plain null is None."""
    text = "a: on\nb: no\nc: 015\nd: 2024-01-24\ne: 2024-01-24 23:59:59\nf: 1e3\ng: 12:30\nh: .inf\ni: 0x1F\nj: true\n"
    assert read_yaml(text, "f") == {
        "a": "on", "b": "no", "c": "015", "d": "2024-01-24", "e": "2024-01-24 23:59:59", "f": "1e3", "g": "12:30",
        "h": ".inf", "i": "0x1F", "j": "true",
    }  # fmt: skip


@pytest.mark.parametrize("written", ["", " ~", " null", " Null", " NULL"])
def test_a_plain_null_is_none(written):
    assert read_yaml(f"a:{written}\n", "f") == {"a": None}


@pytest.mark.parametrize("written", ["'null'", '"null"', "'~'", '""', "nUll", "none"])
def test_a_quoted_or_other_word_for_nothing_is_text(written):
    assert read_yaml(f"a: {written}\n", "f") == {"a": written.strip("'\"")}


def test_keys_are_text_whatever_they_look_like():
    assert read_yaml("null: a\non: b\n1: c\n2024-01-01: d\n", "f") == {
        "null": "a", "on": "b", "1": "c", "2024-01-01": "d",
    }  # fmt: skip


def test_the_tree_is_maps_lists_text_and_none_at_every_level():
    tree = read_yaml("a: [1, {b: ~}]\nc:\n  - - x\n", "f")
    assert tree == {"a": ["1", {"b": None}], "c": [["x"]]}
    assert isinstance(tree, YamlMap)
    assert isinstance(tree["a"], YamlList)
    assert isinstance(tree["a"][1], YamlMap)
    assert isinstance(tree["c"][0], YamlList)


def test_text_with_many_brackets_is_text():
    """A limit on nesting counts nesting, not letters."""
    assert read_yaml("a: '" + "{{ [" * 20_000 + "'", "f") == {"a": "{{ [" * 20_000}


# ---- what is refused, and where ----


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("a: &x 1\nb: *x\n", 1, 4, "anchors"),
        ("a: 1\nb: *x\n", 2, 4, "aliases"),
        ("a: 1\n*x : 2\n", 2, 1, "aliases"),
        ("a: 1\n&k b: 2\n", 2, 1, "anchors"),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4, 3, "the key b stands twice, first in line 2"),
        ('{a: 1, "a": 2}', 1, 8, "the key a stands twice, first in line 1"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, 4, "tags (tag:yaml.org,2002:python/object/apply:os.system)"),
        ("- !!str 5\n", 1, 3, "tags"),
        ("a:\n  - !own {b: 1}\n", 2, 5, "tags (!own)"),
        ("a: ! b\n", 1, 4, "tags (!)"),
        ("!!str a: b\n", 1, 1, "tags"),
        ("a: 1\n<<: {b: 2}\n", 2, 1, "merge keys"),
        ("a: 1\n'<<': {b: 2}\n", 2, 1, "merge keys"),
        ("a: 1\n? [b, c]\n: 2\n", 2, 3, "a key is a word"),
        ("{{b: 1}: 2}\n", 1, 2, "a key is a word"),
        ("a: 1\n? \n: 2\n", 2, 2, "a key is a word; here it is empty"),
        ("a: 1\n'': 2\n", 2, 1, "a key is a word; here it is empty"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second begins here"),
        ("a: 1\n...\n---\nb: 2\n", 3, 1, "a second begins here"),
        ("a: 1\n...\nb: 2\n", 3, 1, "this is not YAML"),
        ("a:\n\tb: 1\n", 2, 1, "a tab stands here"),
        ("a: [\n  1,\n\t2]\n", 3, 1, "a tab stands here"),
        ("a: [1, 2\nb: 3\n", 2, 2, "while parsing a flow sequence in line 1"),
        ("a: 'x\n", 2, 1, "in line 1"),
        ("a: b: c\n", 1, 5, "mapping values are not allowed here"),
        ("a: 1\n b: 2\n", 2, 3, "mapping values are not allowed here"),
        ("a: @b\n", 1, 4, "this is not YAML"),
        ("%YAML 2.0\n---\na: 1\n", 1, 1, "this is not YAML"),
        ("%YAML 1." + "9" * 5000 + "\n---\na: 1\n", 1, 9, "a number is too large"),
        ('a: "\\UFFFFFFFF"\n', 1, 7, "a number is too large"),
        ('a: "\\U00110000"\n', 1, 7, "a number is too large"),
        ('a: b\nc: "x\\ud800y"\n', 2, 4, "U+D800"),
        ('a: "\\0"\n', 1, 4, "U+0000"),
        ('a: "x\\L"\n', 1, 4, "U+2028"),
        ("a: b\nc: x\x01\n", 2, 5, "U+0001"),
        ("a: b\r\nc: x\x7f\r\n", 2, 5, "U+007F"),
        ("a: \ud800\n", 1, 4, "U+D800"),
        ("a: x\u2028y\n", 1, 5, "U+2028"),
        ("a: x\x85y\n", 1, 5, "U+0085"),
        ("\ufeff\ufeffa: x\n", 1, 1, "U+FEFF"),
        ("a: 1\nb: x\ufeff\n", 2, 5, "U+FEFF"),
        ("", 1, 1, "the file is empty"),
        ("\ufeff", 1, 1, "the file is empty"),
        ("# only a comment\n", 1, 1, "the file is empty"),
        ("---\n", 1, 1, "the file is empty"),
        ("null\n", 1, 1, "the file is empty"),
    ],
)  # fmt: skip
def test_what_is_refused_is_refused_at_its_place(text, line, column, says):
    """The error names the file, the line and the column where a person must look, and says what is wrong there."""
    error = refusal(text)
    assert (error.file, error.line, error.column) == ("f.yaml", line, column)
    assert says in error.text()


def test_a_billion_laughs_is_refused_at_its_first_anchor():
    names = "abcdefghi"
    lines = ["a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"{n}: &{n} [" + ", ".join([f"*{before}"] * 9) + "]" for before, n in pairwise(names)]
    error = refusal("\n".join(lines))
    assert (error.line, error.column) == (1, 4)
    assert "anchors" in error.text()


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("[" * 10_000, 1, 25),
        ("[" * 10_000 + "]" * 10_000, 1, 25),
        ("[\n" * 10_000, 25, 1),
        ("{a: " * 10_000, 1, 94),  # the key of the 24th mapping is already the 25th level
        ("- " * 10_000, 1, 49),
    ],
)
def test_ten_thousand_levels_are_refused_at_the_level_that_is_too_deep(text, line, column):
    error = refusal(text)
    assert (error.line, error.column) == (line, column)
    assert "nested more than 24 deep" in error.text()


def test_the_depth_limit_itself_is_allowed():
    assert read_yaml("[" * 5 + "]" * 5, "f", limit_depth=5) == [[[[[]]]]]
    assert refusal("[" * 6 + "]" * 6, limit_depth=5).column == 6


def test_the_size_limit_counts_bytes_not_letters():
    text = "a: đ\n"
    assert read_yaml(text, "f", limit_bytes=6) == {"a": "đ"}
    error = refusal(text, limit_bytes=5)
    assert (error.line, error.column) == (1, 1)
    assert "larger than 5 bytes" in error.text()


def test_the_limit_of_parts_counts_keys_and_values():
    assert read_yaml("{a: 1, b: 2}", "f", limit_nodes=5) == {"a": "1", "b": "2"}
    error = refusal("{a: 1,\n b: 2}", limit_nodes=4)
    assert (error.line, error.column) == (2, 5)
    assert "more than 4 parts" in error.text()


_MARKS = [*"ab1đ \n\t:-?,[]{}&*!|>'\"%@`#~<.\\/uUxN0", ": ", "- ", "\r\n", "--- ", "\ufeff", "\u2028", "\\U", "!!"]


@given(st.text() | st.lists(st.sampled_from(_MARKS), max_size=60).map("".join))
def test_no_text_raises_anything_but_a_refusal_within_the_text(text):
    """Whatever the text, it is read or refused, and the place of the refusal lies in it (or just after its end)."""
    refused = None
    try:
        assert read_yaml(text, "f") is not None
    except FileRefused as error:
        refused = error
    if refused is not None:
        assert refused.file == "f"
        assert 1 <= refused.line <= len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        assert 1 <= refused.column <= len(text) + 1


@given(
    st.recursive(
        st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abcđ", min_size=1), inner),
        max_leaves=12,
    ).filter(lambda tree: tree is not None)
)
def test_a_tree_written_as_quoted_yaml_is_read_back_unchanged(tree):
    assert read_yaml(_written(tree), "f") == tree


def _written(tree: object) -> str:
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{_written(k)}: {_written(v)}" for k, v in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(_written(v) for v in tree) + "]"
    return "null" if tree is None else "'" + str(tree).replace("'", "''") + "'"


# ---- places ----

TREE = """\
rules:
  tuổi_đủ:   # a comment
    holds: 'age >= 18'
    sources: [một,  "hai", {ba: bốn}]
states: ~
"""


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        ((), (1, 1), (1, 1)),
        (("rules",), (1, 1), (2, 3)),
        (("rules", "tuổi_đủ"), (2, 3), (3, 5)),
        (("rules", "tuổi_đủ", "holds"), (3, 5), (3, 12)),
        (("rules", "tuổi_đủ", "sources"), (4, 5), (4, 14)),
        (("rules", "tuổi_đủ", "sources", 1), (4, 21), (4, 21)),
        (("rules", "tuổi_đủ", "sources", 2, "ba"), (4, 29), (4, 33)),
        (("states",), (5, 1), (5, 9)),
        (("rules", "no_such", "holds"), (2, 3), (2, 3)),
        (("rules", "tuổi_đủ", "sources", 9), (4, 14), (4, 14)),
        (("rules", "tuổi_đủ", "holds", "deeper"), (3, 12), (3, 12)),
        (("states", 0), (5, 9), (5, 9)),
    ],
)
def test_keys_and_values_know_their_places_and_missing_parts_their_nearest_parents(path, key, value):
    tree = read_yaml(TREE, "f")
    assert spot(key_place_of(tree, path)) == key
    assert spot(place_of(tree, path)) == value


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_places_are_the_same_with_any_line_ends_and_with_a_byte_order_mark(end, mark):
    tree = read_yaml(mark + TREE.replace("\n", end), "f")
    assert spot(tree.at("rules")) == (1, 1)
    assert spot(tree["rules"]["tuổi_đủ"].value_at("holds")) == (3, 12)
    assert spot(tree["rules"]["tuổi_đủ"]["sources"].at(1)) == (4, 21)
    assert spot(tree.value_at("states")) == (5, 9)


def test_columns_after_vietnamese_text_count_its_letters_not_its_bytes():
    assert spot(read_yaml("{người giới thiệu: Nguyễn Thị Lan, b: c}", "f").value_at("b")) == (1, 39)


def test_a_decomposed_letter_counts_as_the_code_points_it_is_written_with():
    assert spot(read_yaml("{e\u0302\u0301: x, b: c}", "f").value_at("b")) == (1, 13)


def test_missing_places_are_errors_when_asked_for_exactly():
    tree = read_yaml("a: [x]\n", "f")
    with pytest.raises(KeyError):
        tree.at("b")
    with pytest.raises(IndexError):
        tree["a"].at(1)


@pytest.mark.parametrize(
    ("written", "column"),
    [
        ("tuổi > 18", 4 + 5),
        ("'tuổi > 18'", 4 + 1 + 5),
        ('"tuổi > 18"', 4 + 1 + 5),
        ('"tu\\u1ed5i > 18"', 4),  # escaped: letters of the text are not letters of the file
        ("'it''s > 18'", 4),
        ("tuổi\n   > 18", 4),
        (">-\n  tuổi > 18", 4),
        ("|\n  tuổi > 18", 4),
    ],
)
def test_a_letter_of_a_text_is_found_where_the_text_stands_as_it_reads(written, column):
    """An error inside an expression points at its letter; in a folded or escaped text, at the text's beginning."""
    place = read_yaml(f"a: {written}\n", "f").value_at("a")
    assert spot(place.letter(5)) == (1, column)
    assert spot(place) == (1, 4)
