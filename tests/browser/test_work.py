"""The sitting decided by keyboard, and a plan received in two clicks on a telephone without scripts."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Desk


def test_a_sitting_is_decided_by_keyboard_and_recorded_after_it_was_shown(desk: Desk) -> None:
    secretary = desk.visitor("xa1_secretary")
    page = secretary.go("/subjects/r1/sheets/hold")
    row = page.get_by_role("row").filter(has_text="Vũ Thị Ngọc Ánh")
    expect(row.get_by_role("radio", name="Đưa vào danh sách")).to_be_checked()
    motives = row.get_by_label(re.compile("Động cơ"))
    expect(motives).to_be_visible()
    row.get_by_role("radio", name="Đưa vào danh sách").focus()
    page.keyboard.press("ArrowRight")
    expect(row.get_by_role("radio", name="Đưa ra khỏi danh sách")).to_be_checked()
    expect(motives).to_be_hidden()
    expect(row.get_by_label(re.compile("Lý do đưa ra"))).to_be_visible()
    page.keyboard.press("ArrowLeft")
    motives.fill("Muốn cống hiến")
    row.get_by_label(re.compile("giúp đỡ")).first.fill("Nguyễn Văn Thịnh")
    page.get_by_role("button", name="Lưu bản nháp").click()
    expect(page.get_by_role("status")).to_contain_text("Đã lưu bản nháp")
    page.reload()
    expect(motives).to_have_value("Muốn cống hiến")
    page.get_by_role("button", name="Kiểm tra, rồi ghi").click()
    expect(page.get_by_role("main")).to_contain_text("Đưa vào danh sách (1): Vũ Thị Ngọc Ánh")
    page.get_by_role("button", name="Ghi cả phiếu").click()
    expect(page.get_by_role("status")).to_contain_text("Đã ghi")
    with desk.office.service.work() as work:
        assert [work.case(id).subject.state for id in ("u1", "r1")] == ["elite", "held"]
    assert not [c for c in secretary.complaints if "status of 4" not in c]


def test_a_plan_is_received_in_two_clicks_on_a_telephone_without_scripts(desk: Desk) -> None:
    page = desk.visitor("tcnv_clerk", "phone", scripts=False).go("/grid/annual_plan/2025")
    row = page.get_by_role("row").filter(has_text="Đảng ủy xã Phú Khê")
    row.locator("summary").click()
    expect(row.get_by_label("Thời điểm nhận")).to_have_value("21/01/2025 09:00")
    row.get_by_role("button", name="Ghi: Nhận").click()
    expect(page.get_by_role("status")).to_contain_text("Đảng ủy xã Phú Khê: Đã nhận (21/01/2025 09:00).")
    expect(page.get_by_role("main")).to_contain_text("1 đơn vị chưa thực hiện")
