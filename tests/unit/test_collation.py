"""Names sort as a Vietnamese list sorts them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.collation import name_key, text_key


@pytest.mark.parametrize(
    "ordered",
    [
        ["Nguyễn Văn An", "Trần Thị Ân", "Lê Bình", "Phạm Đức", "Đỗ Ơn", "Vũ Yến"],
        ["Lê Văn An", "Nguyễn Văn An", "Trần Văn An"],  # the same given name: by family name
        ["Lê Thị Hoa", "Lê Văn Hoa"],  # then by the middle name
        ["Dung", "Dũng", "Dụng", "Đạt"],
        ["Ba", "Bà", "Bả", "Bã", "Bá", "Bạ"],
        ["Ta", "Tă", "Tâ", "To", "Tô", "Tơ", "Tu", "Tư"],
    ],
)
def test_a_list_of_names_stays_in_its_order(ordered: list[str]) -> None:
    backwards = list(reversed(ordered))
    backwards.sort(key=name_key)
    assert backwards == ordered


def test_other_texts_sort_from_the_left() -> None:
    assert sorted(["Thôn Đông", "Thôn Dài", "Phường Hai"], key=text_key) == ["Phường Hai", "Thôn Dài", "Thôn Đông"]


@given(st.text())
def test_composed_and_decomposed_letters_sort_alike(text: str) -> None:
    assert name_key(unicodedata.normalize("NFC", text)) == name_key(unicodedata.normalize("NFD", text))
