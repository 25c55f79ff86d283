"""The guide of the pages: every page of the menu is in it, and what it quotes is what the pages say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.unit.guide_words import AREA, GUIDE, PAGES, known, quotes, read_yaml, unsaid

IMAGES = GUIDE / "img"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_what_the_guide_quotes_is_what_the_pages_say(page: Path) -> None:
    assert not unsaid(page), "the words of the pages changed, or the guide is wrong"


def test_a_button_that_is_not_there_would_be_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.md"
    wrong.write_text("Bấm “Ghi cho 12 người”, “Lưu”, rồi “Gửi lên mây”.", encoding="utf-8")
    assert unsaid(wrong) == ["Gửi lên mây"]


def test_every_page_of_the_menu_is_in_the_guide() -> None:
    menu = read_yaml(AREA / "pages.yaml")["menu"]
    there = set(quotes(GUIDE / "README.md"))
    assert [i["label"]["vi"] for i in menu if i["label"]["vi"] not in there] == []


def test_every_page_of_the_guide_is_led_to_and_every_link_leads_somewhere() -> None:
    links = {p: re.findall(r"\]\(([^)#]+)\)", p.read_text(encoding="utf-8")) for p in PAGES}
    assert [(p.name, t) for p, found in links.items() for t in found if not (p.parent / t).exists()] == []
    assert {p.name for p in PAGES} - {"README.md"} <= set(links[GUIDE / "README.md"])


def test_the_pictures_are_small_and_each_is_shown_by_a_page() -> None:
    sizes = {p.name: p.stat().st_size for p in IMAGES.glob("*.png")}
    shown = {n for p in PAGES for n in re.findall(r"!\[[^]]+\]\(img/([^)]+)\)", p.read_text(encoding="utf-8"))}
    assert shown == set(sizes)
    assert max(sizes.values()) < 80_000
    assert sum(sizes.values()) < 1_500_000


def test_the_pictures_show_the_words_of_today() -> None:
    said = json.loads((IMAGES / "said.json").read_text(encoding="utf-8"))
    assert set(said) == {p.name for p in IMAGES.glob("*.png")}
    assert {n: gone for n, words in said.items() if (gone := [w for w in words if not known(w)])} == {}, (
        "draw them again: make guide-images"
    )
