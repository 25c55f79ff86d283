"""SMS texts: folded, counted and cut."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib.gsm import gsm_encode

from notifications.segments import count, decode, encode, fold, measure, normal, split, units

LETTERS = "aăâeêioôơuưyđ"
VIETNAMESE = sorted(
    {
        unicodedata.normalize("NFC", letter + tone)
        for base in LETTERS
        for letter in (base, base.upper())
        for tone in ("", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323")
        if not (base == "đ" and tone)
    }
)


def test_every_vietnamese_letter_folds_to_one_ascii_letter_in_both_forms_of_unicode():
    assert len(VIETNAMESE) == 2 * (12 * 6 + 1)
    for letter in VIETNAMESE:
        for form in ("NFC", "NFD"):
            folded = fold(unicodedata.normalize(form, letter))
            assert len(folded) == 1, letter
            assert folded.isascii(), letter
            assert folded.isupper() == letter.isupper(), letter


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Đặng Thị Hường", "Dang Thi Huong"),
        ("“Kỳ họp” – 5.000₫…", '"Ky hop" - 5.000d...'),
        ("a\u00a0b\u200bc", "a bc"),
        ("½", "1/2"),
        ("ﬁ Ａ", "fi A"),
        ("chữ 漢 và 😀", "chu ? va ?"),
        ("[mã] {x} €", "[ma] {x} €"),
        ("dòng 1\r\ndòng 2", "dong 1\ndong 2"),
    ],
)
def test_a_text_folds_to_what_people_would_type_without_diacritics(text, folded):
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("letter", "mode", "fits", "parts"),
    [
        ("a", "gsm7", 160, 153),
        ("[", "gsm7", 80, 76),  # 76 pairs are 152 septets; the pair that would begin at 152 is not cut
        ("ệ", "ucs2", 70, 67),
        ("😀", "ucs2", 35, 33),
    ],
)
def test_a_text_is_one_segment_up_to_the_limit_and_parts_are_shorter(letter, mode, fits, parts):
    if mode == "gsm7":
        assert fold(letter) == letter
    assert count(letter * fits, mode) == 1
    assert count(letter * (fits + 1), mode) == 2
    assert [len(part) for part in split(letter * (2 * parts + 1), mode)] == [parts, parts, 1]


def test_the_other_form_of_unicode_costs_no_more():
    text = "ệ" * 70
    assert count(unicodedata.normalize("NFD", text), "ucs2") == 1


def test_an_empty_text_is_one_segment_of_no_units():
    assert (measure("", "gsm7").units, measure("", "gsm7").segments) == (0, 1)


def test_half_a_surrogate_pair_is_sent_as_the_replacement_sign():
    assert encode(normal("a\ud83d", "ucs2"), "ucs2") == "a\ufffd".encode("utf-16-be")


ANY_TEXT = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from([*VIETNAMESE, *"[]{}^~|\\€", "😀"])), max_size=500
)


@given(ANY_TEXT, st.sampled_from(["gsm7", "ucs2"]))
def test_the_parts_put_together_are_the_text_and_each_fits(text, mode):
    parts = split(text, mode)
    single, limit = (160, 153) if mode == "gsm7" else (70, 67)
    assert "".join(parts) == normal(text, mode)
    assert len(parts) == count(text, mode)
    for part in parts:
        octets = encode(part, mode)
        cost = len(octets) if mode == "gsm7" else len(octets) // 2
        assert cost == sum(units(letter, mode) for letter in part)
        assert cost <= (single if len(parts) == 1 else limit)


@given(ANY_TEXT)
def test_what_is_folded_is_gsm_7_and_stays_as_it_is_when_folded_again(text):
    folded = fold(text)
    assert fold(folded) == folded
    assert decode(encode(folded, "gsm7")) == folded


PLAIN = "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0189:;<=>?¡AZÄÖÑÜ¿azäöñüà^{}\\[~]|€"


@given(st.text(alphabet=PLAIN))  # without the section sign: the other table has a back quote in its place
def test_the_octets_of_gsm_7_are_those_of_another_implementation(text):
    assert encode(text, "gsm7") == gsm_encode(text)


def test_the_section_sign_has_the_code_of_the_standard():
    assert encode("§", "gsm7") == b"\x5f"
