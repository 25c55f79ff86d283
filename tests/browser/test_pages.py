"""Every page at both sizes: nothing that axe finds serious, no sideways scroll, nothing the browser complains of.

A page is opened once and looked at in a window of each size: nothing but its style depends on the width.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import FilePayload, expect

from engine.core.commands import SetFacts
from engine.steps import By
from tests.browser.conftest import SHOTS, SIZES, Desk, Visitor, says
from tests.browser.pages import PAGES
from web.rendering import FOLDER, Templates

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


# Pages that are shown for a moment only, or by somebody else's server.
PASSING = {
    "work.html": "how far a piece of work is, which has ended before a browser looks",
    "work_failed.html": "that a piece of work failed, in one sentence",
    "arrived.html": "on the way back from an identity provider",
    "import.html": "looked at below, in the list before it comes in",
    "report_made.html": "looked at in test_inspector.py, with its bars",
}


def test_pages_that_a_form_leads_to_are_accessible_and_no_page_is_left_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, shown, wrong, render = desk.office, set[str](), list[str](), Templates.render

    def noted(self: Templates, name: str, visit: Any, context: dict[str, Any]) -> str:
        shown.add(name)
        return render(self, name, visit, context)

    monkeypatch.setattr(Templates, "render", noted)
    clients = {officer: office.client(officer) for officer in {o for o, _ in PAGES.values()}}
    for officer, path in PAGES.values():
        clients[officer].get(path)
    office.clock.set(office.clock.now() + timedelta(seconds=31))  # a one-time code serves once
    secretary, inspector, admin = (desk.visitor(o) for o in ("xa1_secretary", "tu_inspector", "tu_admin"))

    def sent(visitor: Visitor, path: str, button: str, name: str) -> None:
        """Presses a button of a page and looks at what it leads to."""
        visitor.complaints.clear()
        page = visitor.go(path) if path else visitor.page
        with page.expect_navigation():
            page.get_by_role("main").get_by_role("button", name=button, exact=True).first.click()
        page.wait_for_url(lambda url: "/work/" not in url)  # what takes long leads on by itself
        expect(page.locator("h1").first).to_be_visible()
        wrong.extend(look(visitor, name))

    page = secretary.go("/list/candidate")
    page.get_by_label("Chọn Vũ Thị Ngọc Ánh").check()
    page.get_by_label("Với những người đã chọn").select_option(label="Đưa vào danh sách quần chúng ưu tú")
    sent(secretary, "", "Xem trước từng dòng", "bulk")
    page = secretary.go("/subjects/u1/facts")
    page.get_by_label("Nghề nghiệp").fill("Kế toán")
    office.service.set_facts(SetFacts(subject="u1", facts={"occupation": "Giáo viên"}), By(officer="cb1_clerk"))
    sent(secretary, "", "Lưu", "conflict")
    office.service.tick()
    letter = next(r.id for r, _ in office.service.outbox.rows() if r.recipient == "xa1_secretary")
    secretary.go(f"/notices/one/{letter}")
    wrong += look(secretary, "notice")
    sent(secretary, "/notices", "Tính", "notices-forecast")
    sent(inspector, "/inspection", "Tìm", "inspection-found")
    sent(inspector, "/inspection/verify", "Kiểm tra nhật ký", "verified")
    sent(inspector, "/inspection/bundle", "Ghi gói nhật ký", "bundle-made")
    sent(admin, "/officers/cb1_clerk", "Cấp mật khẩu mới", "confirm")
    sent(admin, "", "Cấp mật khẩu mới", "new-password")
    given = admin.page.locator("dd code").last.inner_text()
    clerk = desk.visitor()
    page = clerk.go("/sign-in")
    page.get_by_label("Tên đăng nhập").fill("cb1_clerk")
    page.get_by_label("Mật khẩu").fill(given)
    sent(clerk, "", "Đăng nhập", "own-password")
    for name in ("new", "again"):
        page.locator(f"input[name={name}]").fill("mật khẩu của riêng tôi")
    page.get_by_role("button", name="Dùng mật khẩu này").click()
    says(page, "chỉ mình đồng chí biết")
    clerk.go("/second-factor")
    wrong += look(clerk, "second-factor")
    page = clerk.go("/subjects/u1/facts")
    page.get_by_label("Nghề nghiệp").fill("Thợ may")
    office.clock.set(office.clock.now() + timedelta(hours=3))
    page.get_by_role("button", name="Lưu").click()
    page.get_by_label("Tên đăng nhập").fill("cb1_clerk")
    page.get_by_label("Mật khẩu").fill("mật khẩu của riêng tôi")
    sent(clerk, "", "Đăng nhập", "resume")
    assert not wrong
    whole = {p.name for p in FOLDER.glob("*.html") if 'extends "base.html"' in p.read_text(encoding="utf-8")}
    assert set(PASSING) <= whole
    assert whole - shown <= set(PASSING), "a new page gets its line in pages.py, or is led to above"


@pytest.mark.parametrize("officer", ["tu_inspector", "xa1_secretary", "ttct_trainer"])
def test_every_item_of_the_menu_can_be_reached_on_a_telephone(desk: Desk, officer: str) -> None:
    page = desk.visitor(officer, "phone").go("/")
    page.locator("nav.nav summary").click()
    for item in page.locator("nav.nav a").all():
        box = item.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= SIZES["phone"][0], item.inner_text()


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
