"""The guide of the pages: every page of the menu is in it, and what it quotes is what the pages say."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from web.words import catalog

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide" / "pages"
AREA = ROOT / "workflows" / "admission"
PAGES = sorted(GUIDE.glob("*.md"))
QUOTED = re.compile(r"“([^”]+)”")
PLACE = re.compile(r"\{\w+\}")
FILLING = re.compile(r"…|[\d/: ,]*\d")  # what stands in the place of a number, a day or a time


def quotes(page: Path) -> list[str]:
    """Returns what a page quotes, with line breaks as spaces."""
    return QUOTED.findall(re.sub(r"\s+", " ", page.read_text(encoding="utf-8")))


def _read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def _vietnamese(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {node["vi"]} if isinstance(node.get("vi"), str) else set()
        return own.union(*map(_vietnamese, node.values()))
    return set().union(*map(_vietnamese, node)) if isinstance(node, list) else set()


@cache
def said() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """Returns every Vietnamese text of the pages and of the workflows, and the patterns of those with places."""
    labels = _vietnamese([_read(p) for p in AREA.rglob("*.yaml")])
    texts = {*catalog("vi").values(), *labels}
    texts |= {t.removesuffix("{period}").rstrip(" ,") for t in labels if t.endswith("{period}")}
    places = [t for t in texts if PLACE.search(t) and len(PLACE.sub("", t).strip(" .:,()")) >= 3]
    return frozenset(texts), tuple(re.compile("(.+?)".join(map(re.escape, PLACE.split(t)))) for t in places)


def unsaid(page: Path) -> list[str]:
    """Returns what a page quotes and nothing in the program says; in a place stands a number, a day or a known text."""
    texts, patterns = said()

    def fits(quote: str) -> bool:
        found = (p.fullmatch(quote) for p in patterns)
        return any(all(g in texts or FILLING.fullmatch(g) for g in m.groups()) for m in found if m)

    return [q for q in quotes(page) if q not in texts and not fits(q)]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_what_the_guide_quotes_is_what_the_pages_say(page: Path) -> None:
    assert not unsaid(page), "the words of the pages changed, or the guide is wrong"


def test_a_button_that_is_not_there_would_be_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.md"
    wrong.write_text("Bấm “Ghi cho 12 người”, “Lưu”, rồi “Gửi lên mây”.", encoding="utf-8")
    assert unsaid(wrong) == ["Gửi lên mây"]


def test_every_page_of_the_menu_is_in_the_guide() -> None:
    menu = _read(AREA / "pages.yaml")["menu"]
    there = set(quotes(GUIDE / "README.md"))
    assert [i["label"]["vi"] for i in menu if i["label"]["vi"] not in there] == []


def test_every_page_of_the_guide_is_led_to_and_every_link_leads_somewhere() -> None:
    links = {p: re.findall(r"\]\(([^)#]+)\)", p.read_text(encoding="utf-8")) for p in PAGES}
    assert [(p.name, t) for p, found in links.items() for t in found if not (p.parent / t).exists()] == []
    assert {p.name for p in PAGES} - {"README.md"} <= set(links[GUIDE / "README.md"])


def test_the_pictures_are_few_and_small() -> None:
    sizes = {p.name: p.stat().st_size for p in (GUIDE / "img").iterdir()}
    assert len(sizes) <= 15
    assert max(sizes.values()) < 60_000
