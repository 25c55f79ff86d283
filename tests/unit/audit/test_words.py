"""A root as words: every root comes back, and what a telephone does to words is found."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.audit.words import WORDS, BadWords, from_words, to_words

roots = st.binary(min_size=32, max_size=32)


def text(lines: tuple[tuple[str, ...], ...] | list[list[str]]) -> str:
    return "\n".join(", ".join(line) for line in lines)


def heard(syllable: str) -> str:
    """What is left of a syllable when no tone, mark or regional difference can be trusted."""
    spread = unicodedata.normalize("NFD", syllable.replace("đ", "d"))
    bare = "".join(c for c in spread if not unicodedata.combining(c))
    for start, sound in (("ngh", "ng"), ("gh", "g"), ("gi", "d"), ("tr", "ch"), ("qu", "w"), ("kh", "kh"), ("k", "c")):
        if bare.startswith(start):
            bare = sound + bare[len(start) :]
            break
    bare = re.sub("^[rv]", "d", bare)
    bare = re.sub("^x", "s", bare)
    bare = re.sub("^l", "n", bare)
    bare = re.sub("(nh|ng)$", "n", bare)
    bare = re.sub("(ch|c)$", "t", bare)
    return bare.replace("y", "i")


def test_the_list_has_256_words_of_two_syllables_in_composed_letters():
    assert len(set(WORDS)) == 256
    for word in WORDS:
        assert re.fullmatch(r"[^\W\d_]+ [^\W\d_]+", word)
        assert unicodedata.normalize("NFC", word).lower() == word


def test_first_syllables_differ_in_every_region_and_without_marks():
    assert len({heard(word.split()[0]) for word in WORDS}) == 256


def test_the_published_list_is_never_changed():
    digest = hashlib.sha256("\n".join(WORDS).encode()).hexdigest()
    assert digest == "0586389456025ee58535e8d0c166de96478ec00d66ee474e8eabbe22a034822d"


@given(roots)
def test_a_root_comes_back_from_its_words(root: bytes):
    lines = to_words(root)
    assert [len(line) for line in lines] == [9, 9, 9, 9]
    assert from_words(text(lines)) == root


@given(roots)
def test_words_are_read_however_they_are_typed(root: bytes):
    typed = text(to_words(root))
    bare = "".join(c for c in unicodedata.normalize("NFD", typed) if not unicodedata.combining(c)).replace("đ", "d")
    numbered = "\n".join(f"{n}. {line.upper()};" for n, line in enumerate(typed.splitlines(), 1))
    for form in (bare, numbered, unicodedata.normalize("NFD", typed), typed.replace("\n", " - "), f"\n\t {typed} \n"):
        assert from_words(form) == root


@given(roots, st.integers(0, 35), st.integers(1, 255))
def test_one_wrong_word_is_always_found_and_its_line_named(root: bytes, place: int, shift: int):
    lines = [list(line) for line in to_words(root)]
    line, word = divmod(place, 9)
    lines[line][word] = WORDS[(WORDS.index(lines[line][word]) + shift) % 256]
    with pytest.raises(BadWords) as caught:
        from_words(text(lines))
    assert caught.value.params == {"line": line + 1}


@given(roots)
def test_two_words_of_a_line_exchanged_are_always_found(root: bytes):
    for line in range(4):
        for one in range(9):
            for two in range(one):
                lines = [list(words) for words in to_words(root)]
                words = lines[line]
                if words[one] == words[two]:
                    continue
                words[one], words[two] = words[two], words[one]
                with pytest.raises(BadWords):
                    from_words(text(lines))


@given(roots)
def test_a_line_in_the_place_of_another_is_always_found(root: bytes):
    lines = to_words(root)
    for one in range(4):
        for two in range(4):
            if one != two:
                moved = list(lines)
                moved[one] = lines[two]
                with pytest.raises(BadWords):
                    from_words(text(tuple(moved)))


def test_many_wrong_words_pass_with_the_chance_that_is_promised_and_not_more():
    random = Random(5)
    passed = 0
    for _ in range(20_000):
        lines = [list(line) for line in to_words(bytes(32))]
        lines[0] = random.choices(WORDS, k=9)
        try:
            from_words(text(lines))
            passed += 1
        except BadWords:
            pass
    assert 40 < passed < 120  # 78 expected of 20,000 at 1 in 256


@pytest.mark.parametrize("drop", [0, 1, 17, 35])
def test_a_word_left_out_or_said_twice_is_found(drop: int):
    words = [word for line in to_words(bytes(range(32))) for word in line]
    with pytest.raises(BadWords):
        from_words(" ".join(words[:drop] + words[drop + 1 :]))
    with pytest.raises(BadWords):
        from_words(" ".join([*words[:drop], words[drop], *words[drop:]]))


def test_a_word_that_is_none_is_named_by_line_and_place():
    lines = [list(line) for line in to_words(bytes(range(32)))]
    lines[2][4] = "máy giặt"
    with pytest.raises(BadWords, match="Line 3, word 5: “may giat”"):
        from_words(text(lines))


def test_too_few_words_are_counted():
    with pytest.raises(BadWords, match="0 words were typed, and a root has 36"):
        from_words("")
    words = [word for line in to_words(bytes(range(32))) for word in line]
    with pytest.raises(BadWords, match="35 words were typed, and a root has 36"):
        from_words(" ".join(words[:-1]))


def test_only_32_bytes_have_words():
    for length in (0, 31, 33):
        with pytest.raises(ValueError, match="32 bytes"):
            to_words(bytes(length))
