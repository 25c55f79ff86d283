"""Every page at both sizes: nothing that axe finds serious, no sideways scroll, nothing the browser complains of."""

from __future__ import annotations

import os

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import SHOTS, SIZES, Desk, Visitor
from tests.browser.pages import PAGES

SERIOUS = ("serious", "critical")


def look(visitor: Visitor, name: str, size: str) -> list[str]:
    """Returns what is wrong with the page that is shown."""
    page = visitor.page
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    wrong = [
        f"{name} {size}: {v['id']}: {v['nodes'][0]['html'][:160]}"
        for v in found.response["violations"]
        if v["impact"] in SERIOUS
    ]
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > SIZES[size][0]:
        wrong.append(f"{name} {size}: {wide} px wide")
    return wrong + [f"{name} {size}: {c}" for c in visitor.complaints if "status of 4" not in c]


@pytest.mark.parametrize("size", SIZES)
def test_every_page_is_accessible_fits_its_screen_and_keeps_the_policy(desk: Desk, size: str) -> None:
    """One browser for each officer, so that the pages are looked at in seconds."""
    visitors: dict[str | None, Visitor] = {}
    wrong: list[str] = []
    for name, (officer, path) in PAGES.items():
        if officer not in visitors:
            visitors[officer] = desk.visitor(officer, size)
        visitor = visitors[officer]
        visitor.complaints.clear()
        visitor.go(path)
        wrong += look(visitor, name, size)
        if os.environ.get("KETNAP_SHOTS") == "1":
            SHOTS.mkdir(exist_ok=True)
            visitor.page.screenshot(path=SHOTS / f"{name}-{size}.png", full_page=True)
    assert not wrong
