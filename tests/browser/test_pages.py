"""Every page at both sizes: nothing that axe finds serious, no sideways scroll, nothing the browser complains of.

A page is opened once and looked at in a window of each size: nothing but its style depends on the width.
"""

from __future__ import annotations

import os

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import FilePayload

from tests.browser.conftest import SHOTS, SIZES, Desk, Visitor, says
from tests.browser.pages import PAGES

PARTS = 3  # tests over which the pages are spread, so that they run beside each other
# What axe finds serious or critical: the rule, and the first place.
FOUND = """async () => (await axe.run({resultTypes: ["violations"]})).violations
    .filter(v => ["serious", "critical"].includes(v.impact))
    .map(v => `${v.id}: ${v.nodes[0].html.slice(0, 160)}`)"""


def look(visitor: Visitor, name: str) -> list[str]:
    """Returns what is wrong with the page that is shown, in a window of each size; draws it where that is asked for."""
    page, wrong = visitor.page, list[str]()
    usual = page.viewport_size
    assert usual is not None
    page.evaluate(AXE_SCRIPT)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        wrong += [f"{name} {size}: {text}" for text in page.evaluate(FOUND)]
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            wrong.append(f"{name} {size}: {wide} px wide")
        if os.environ.get("KETNAP_SHOTS") == "1":
            SHOTS.mkdir(exist_ok=True)
            page.screenshot(path=SHOTS / f"{name}-{size}.png", full_page=True)
    page.set_viewport_size(usual)
    return wrong + [f"{name}: {c}" for c in visitor.complaints if "status of 4" not in c]


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_is_accessible_fits_its_screen_and_keeps_the_policy(desk: Desk, part: int) -> None:
    visitors: dict[str | None, Visitor] = {}  # one browser for each officer
    wrong: list[str] = []
    for name, (officer, path) in list(PAGES.items())[part::PARTS]:
        if officer not in visitors:
            visitors[officer] = desk.visitor(officer)
        visitor = visitors[officer]
        visitor.complaints.clear()
        visitor.go(path)
        wrong += look(visitor, name)
    assert not wrong


def test_a_refused_form_an_empty_list_and_a_list_before_it_comes_in_are_accessible(desk: Desk) -> None:
    visitor = desk.visitor("xa1_secretary")
    page, wrong = visitor.go("/subjects/u1/steps/recognise"), list[str]()
    page.get_by_label("Ngày chi bộ đề nghị").fill("31/11/2024")
    page.get_by_role("button", name="Đưa vào danh sách").click()
    says(page, "Tháng 11 có 30 ngày.")
    wrong += look(visitor, "refused-form")
    page.get_by_label("Ngày chi bộ đề nghị").fill("20/01/2025")
    page.get_by_role("button", name="Đưa vào danh sách").click()
    says(page, "Quy định không cho làm bước này")
    wrong += look(visitor, "refused-by-rules")
    visitor.go("/list/candidate/at/dossier")
    says(page, "Không có ai khớp.")
    wrong += look(visitor, "empty-list")
    visitor.go("/imports")
    rows = "STT,Họ và tên,Ngày sinh,Chi bộ\n1,Nguyễn Thị Hoa,02/03/1999,{b}\n2,Lê Văn Ba,31/02/1999,{b}\n"
    page.get_by_label("Danh sách gồm").select_option(index=1)
    page.locator("input[type=file]").set_input_files(
        FilePayload(name="ds.csv", mimeType="text/csv", buffer=rows.format(b="Chi bộ thôn Đông Thượng").encode())
    )
    page.get_by_role("main").get_by_role("button").last.click()
    says(page, "bị loại: 1")
    wrong += look(visitor, "import-preview")
    assert not wrong
