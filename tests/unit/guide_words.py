"""The words of the program that the guide of the pages may quote: of its pages and of the workflows."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

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


def read_yaml(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def _vietnamese(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {node["vi"]} if isinstance(node.get("vi"), str) else set()
        return own.union(*map(_vietnamese, node.values()))
    return set().union(*map(_vietnamese, node)) if isinstance(node, list) else set()


@cache
def said() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """Returns every Vietnamese text of the pages and of the workflows, and the patterns of those with places."""
    labels = _vietnamese([read_yaml(p) for p in AREA.rglob("*.yaml")])
    texts = {*catalog("vi").values(), *labels}
    texts |= {t.removesuffix("{period}").rstrip(" ,") for t in labels if t.endswith("{period}")}
    places = [t for t in texts if PLACE.search(t) and len(PLACE.sub("", t).strip(" .:,()")) >= 3]
    return frozenset(texts), tuple(re.compile("(.+?)".join(map(re.escape, PLACE.split(t)))) for t in places)


def known(text: str) -> bool:
    """Tells whether the program says a text."""
    texts, patterns = said()
    found = (p.fullmatch(text) for p in patterns)
    return text in texts or any(all(g in texts or FILLING.fullmatch(g) for g in m.groups()) for m in found if m)


def unsaid(page: Path) -> list[str]:
    """Returns what a page quotes and nothing in the program says; in a place stands a number, a day or a known text."""
    return [q for q in quotes(page) if not known(q)]
