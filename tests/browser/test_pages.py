"""Every page at both sizes: nothing that axe finds serious, no sideways scroll, nothing the browser complains of."""

from __future__ import annotations

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FilePayload

from tests.browser.conftest import SHOTS, SIZES, Desk, Visitor, says
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


@pytest.mark.parametrize("size", SIZES)
def test_a_refused_form_an_empty_list_and_a_list_before_it_comes_in_are_accessible(desk: Desk, size: str) -> None:
    visitor = desk.visitor("xa1_secretary", size)
    page, wrong = visitor.go("/subjects/u1/steps/recognise"), list[str]()
    page.get_by_label("Ngày chi bộ đề nghị").fill("31/11/2024")
    page.get_by_role("button", name="Đưa vào danh sách").click()
    says(page, "Tháng 11 có 30 ngày.")
    wrong += look(visitor, "refused-form", size)
    page.get_by_label("Ngày chi bộ đề nghị").fill("20/01/2025")
    page.get_by_role("button", name="Đưa vào danh sách").click()
    says(page, "Quy định không cho làm bước này")
    wrong += look(visitor, "refused-by-rules", size)
    visitor.go("/list/candidate/at/dossier")
    says(page, "Không có ai khớp.")
    wrong += look(visitor, "empty-list", size)
    visitor.go("/imports")
    rows = "STT,Họ và tên,Ngày sinh,Chi bộ\n1,Nguyễn Thị Hoa,02/03/1999,{b}\n2,Lê Văn Ba,31/02/1999,{b}\n"
    page.get_by_label("Danh sách gồm").select_option(index=1)
    page.locator("input[type=file]").set_input_files(
        FilePayload(name="ds.csv", mimeType="text/csv", buffer=rows.format(b="Chi bộ thôn Đông Thượng").encode())
    )
    page.get_by_role("main").get_by_role("button").last.click()
    says(page, "bị loại: 1")
    wrong += look(visitor, "import-preview", size)
    assert not wrong
