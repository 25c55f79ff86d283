"""Working days of the organisation agency: plans, letters of urging, dossiers, the committee's minutes, figures."""

from __future__ import annotations

import io
from datetime import date, time
from pathlib import Path

import docx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import EVERY_LOOK, LOOKS, Desk, says
from tests.browser.people import PAPERS, person
from tests.world import office_time

PLANS = "/grid/annual_plan/2025"


def row(page: Page, name: str) -> Locator:
    """Returns a row of the page's table."""
    return page.get_by_role("row").filter(has_text=name)


def receive(page: Page, unit: str, at: str, number: str = "") -> None:
    """Receives a unit's plan in the grid."""
    line = row(page, unit)
    line.locator("summary").click()
    line.get_by_label("Thời điểm nhận").fill(at)
    line.get_by_label("Số văn bản").fill(number)
    line.get_by_role("button", name="Ghi: Nhận").click()


@pytest.mark.parametrize("look", EVERY_LOOK)
def test_a_plan_stamped_yesterday_is_entered_today_in_time_and_the_delay_is_seen(january: Desk, look: str) -> None:
    page = january.at(look, "tcnv_clerk").go("/")
    page.get_by_role("link", name="Kế hoạch năm").click()
    receive(page, "Đảng ủy xã Phú Khê", "20/01/2025 16:10", "12-KH/ĐU")
    expect(page.get_by_role("status")).to_contain_text("Đảng ủy xã Phú Khê: Đã nhận (20/01/2025 16:10).")
    line = row(page, "Đảng ủy xã Phú Khê")
    expect(line).to_contain_text("Số văn bản: 12-KH/ĐU")
    expect(line).not_to_contain_text("muộn")
    line.get_by_role("link", name="Đảng ủy xã Phú Khê", exact=True).click()
    entry = page.get_by_role("listitem").filter(has_text="Nhận").filter(has_text="21/01/2025, 09:00")
    expect(entry).to_contain_text("20/01/2025")
    expect(entry).to_contain_text("chậm 1 ngày làm việc")


@pytest.mark.parametrize("look", LOOKS)
def test_in_january_the_clerk_reminds_who_is_missing_prints_the_letter_and_receives_to_the_minute(
    january: Desk, look: str, tmp_path: Path
) -> None:
    office = january.office
    office.clock.set(office_time(date(2025, 1, 22), time(8, 0)))
    page = january.at(look, "tcnv_clerk").go(PLANS)
    expect(page.locator(".sub")).to_contain_text("còn 2 ngày làm việc")
    receive(page, "Chi bộ Trường THPT Hòa Lâm", "20/01/2025 08:00")
    says(page, "2 đơn vị chưa thực hiện")
    page.get_by_role("button", name="Nhắc cả 2 đơn vị").click()
    says(page, "Đảng ủy xã Tân Lập")
    page.get_by_role("button", name="Gửi lời nhắc (2)").click()
    expect(page.get_by_role("status")).to_contain_text("Đã nhắc 2 đơn vị")
    row(page, "Đảng ủy xã Tân Lập").get_by_role("button", name="Nhắc").click()
    page.get_by_role("button", name="Gửi lời nhắc (1)").click()
    expect(page.get_by_role("status")).to_contain_text("Đảng ủy xã Tân Lập: hôm nay đã nhắc lúc 08:00.")
    told = {r.recipient for r, _ in office.service.outbox.rows() if r.occurrence.startswith("by_hand")}
    assert {"xa1_secretary", "xa2_secretary"} <= told
    assert "cs1_secretary" not in told

    office.clock.set(office_time(date(2025, 1, 25), time(8, 0)))
    office.service.tick()
    page = january.at(look, "tcnv_clerk").go(PLANS)
    page.get_by_label("Trạng thái").select_option(label="Chưa nộp (2)")
    page.get_by_role("button", name="Lọc").click()
    expect(row(page, "Chi bộ Trường THPT Hòa Lâm")).to_have_count(0)
    expect(row(page, "Đảng ủy xã Phú Khê")).to_contain_text("quá 1 ngày")
    page.get_by_role("link", name="Công văn đôn đốc").click()
    page.get_by_role("button", name="Lập báo cáo").click()
    says(page, "Đảng ủy xã Phú Khê")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Word (.docx)").click()
    letter = docx.Document(io.BytesIO(Path(taken.value.path()).read_bytes()))
    cells = [c.text for t in letter.tables for r in t.rows for c in r.cells]
    text = "\n".join([p.text for p in letter.paragraphs] + cells)
    for part in ("Đảng ủy xã Phú Khê", "Đảng ủy xã Tân Lập", "THỦ TRƯỞNG CƠ QUAN", "Kính gửi", "đôn đốc"):
        assert part.casefold() in text.casefold(), part
    assert "Trường THPT" not in text

    page.goto(office.base + PLANS)
    receive(page, "Đảng ủy xã Phú Khê", "24/01/2025 23:59")
    expect(page.get_by_role("status")).to_contain_text("Đã nhận (24/01/2025 23:59)")
    receive(page, "Đảng ủy xã Tân Lập", "25/01/2025 00:00")
    expect(page.get_by_role("status")).to_contain_text("25/01/2025 00:00")
    expect(row(page, "Đảng ủy xã Phú Khê")).not_to_contain_text("muộn")
    expect(row(page, "Đảng ủy xã Tân Lập")).to_contain_text("Đã nhận, muộn")


@pytest.mark.parametrize("look", LOOKS)
def test_twelve_dossiers_on_the_desk_are_checked_and_what_is_missing_is_known_by_branch(
    january: Desk, look: str
) -> None:
    for n in range(12):
        org = ("cb1", "cb2", "cb3")[n % 3]
        papers = PAPERS if n < 8 else PAPERS[: n - 6]
        person(january.office, f"u{n}", f"Trần Văn {'ABCDEGHIKLMN'[n]}", org=org, stage="dossier", papers=papers)
    page = january.at(look, "tcnv_clerk").go("/list/candidate")
    page.get_by_role("link", name="Đang làm hồ sơ").click()
    says(page, "12 dòng trên trang này")
    page.get_by_text("Tìm và lọc").click() if not page.get_by_label("Giấy tờ").is_visible() else None
    page.get_by_label("Giấy tờ").select_option(label="Kết quả thẩm tra lý lịch")
    page.get_by_role("button", name="Lọc", exact=True).click()
    says(page, "2 dòng trên trang này")
    page.get_by_label("Giấy tờ").select_option(label="Thiếu giấy tờ")
    page.get_by_role("button", name="Lọc", exact=True).click()
    line = row(page, "Trần Văn K")
    line.locator("summary").click()
    expect(line).to_contain_text("Kết quả thẩm tra lý lịch")
    expect(line).to_contain_text("Chi bộ thôn Tân Tiến")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Xuất Excel").click()
    assert taken.value.suggested_filename.endswith(".xlsx")


@pytest.mark.parametrize("look", LOOKS)
def test_the_committees_minutes_become_decisions_with_two_refused_and_everybody_is_told(
    january: Desk, look: str
) -> None:
    office = january.office
    for n in range(6):
        papers = PAPERS if n < 4 else PAPERS[:-1]
        person(office, f"u{n}", f"Trần Văn {'ABCDEG'[n]}", stage="reviewed", papers=papers)
    page = january.at(look, "tu_standing").go("/list/candidate/at/dossier")
    for n in range(6):
        page.get_by_label(f"Chọn Trần Văn {'ABCDEG'[n]}").check()
    page.get_by_label("Với những người đã chọn").select_option(label="Quyết định kết nạp")
    page.get_by_role("button", name="Xem trước từng dòng").click()
    page.get_by_label("Số quyết định", exact=True).fill("45-QĐ/TU")
    for n in range(3):
        page.get_by_label(f"Số quyết định, Trần Văn {'ABC'[n]}").fill(f"{46 + n}-QĐ/TU")
    page.get_by_label("Ngày quyết định").fill("20/01/2025")
    page.get_by_label("Ngày chi bộ nhận quyết định").fill("21/01/2025")
    page.get_by_role("button", name="Xem lại, chưa ghi").last.click()
    says(page, "4 trên 6 người sẽ được ghi")
    expect(row(page, "Trần Văn E")).to_contain_text("Hồ sơ đủ giấy tờ")
    page.get_by_role("button", name="Ghi cho 4 người").click()
    says(page, "Đã ghi 4 trên 6.")
    states = [office.service.show(f"u{n}")[0].subject.state for n in range(6)]
    assert states == ["admitted"] * 4 + ["dossier"] * 2
    numbers = [office.service.show(f"u{n}")[1]["decision_no"] for n in range(4)]
    assert numbers == ["46-QĐ/TU", "47-QĐ/TU", "48-QĐ/TU", "45-QĐ/TU"]
    expect(row(page, "Trần Văn G")).to_contain_text("Hồ sơ đủ giấy tờ")
    page.goto(office.base + "/matters/probation")
    for letter in "ABCD":
        expect(row(page, f"Trần Văn {letter}")).to_contain_text("Đảng viên dự bị")
    page.get_by_role("link", name="Trần Văn A", exact=True).click()
    says(page, "Sắp hết hạn tổ chức lễ")
    expect(page.get_by_role("definition").get_by_role("link", name="Trần Văn A")).to_be_visible()


@pytest.mark.parametrize("look", EVERY_LOOK)
def test_how_many_is_one_click_to_figures_and_one_more_to_names(january: Desk, look: str) -> None:
    for n in range(5):
        person(january.office, f"u{n}", f"Lê Thị {'ABCDE'[n]}", stage="trained" if n < 3 else "elite")
    page = january.at(look, "tcnv_clerk").go("/")
    page.get_by_role("link", name="Danh sách", exact=True).click()
    trained = page.get_by_role("listitem").filter(has_text="Đã học lớp nhận thức")
    expect(trained.locator(".big")).to_have_text("3")
    trained.get_by_role("link").click()
    says(page, "3 dòng trên trang này")
    expect(row(page, "Lê Thị C")).to_contain_text("Chi bộ thôn Đông Thượng")
