"""An inspector alone at a browser without scripts: finds, verifies, supervises, takes a bundle; a report with bars."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Desk
from tests.browser.test_pages import look


def test_an_inspector_finds_everything_alone(desk: Desk) -> None:
    visitor = desk.visitor("tu_inspector", "phone", scripts=False)
    page = visitor.go("/inspection")
    page.get_by_label("Người", exact=True).fill("huu phuoc")
    page.get_by_role("region", name="Tìm trong nhật ký").get_by_role("button", name="Tìm").click()
    expect(page.get_by_role("link", name="Lê Hữu Phước").first).to_be_visible()
    page.locator("tr", has_text="Đưa vào danh sách").locator("td.nb a").click()
    expect(page.get_by_role("heading", name="Các quy tắc đã xét")).to_be_visible()

    visitor.go("/inspection/checkpoint")
    page.get_by_label("Ai mang ra khỏi cơ quan").fill("đồng chí Nghĩa")
    page.get_by_role("button", name="Ký điểm kiểm tra").click()
    note = page.locator("code.lines").inner_text()

    visitor.go("/inspection/verify")
    page.get_by_label("Hoặc dán nội dung").fill(note)
    page.get_by_role("button", name="Kiểm tra nhật ký").click()
    expect(page.get_by_role("heading", name="Nhật ký nguyên vẹn")).to_be_visible()

    visitor.go("/inspection/supervision")
    page.get_by_label("Đơn vị").select_option(label="Đảng ủy xã Phú Khê".rjust(19, "\u2003"))
    page.get_by_role("button", name="Lập báo cáo").click()
    expect(page.get_by_text("Lê Hữu Phước").first).to_be_visible()
    with page.expect_download() as taken:
        page.get_by_role("button", name="Word (.docx)").click()
    assert taken.value.suggested_filename.startswith("supervision-xa1-")

    visitor.go("/inspection/bundle")
    page.get_by_role("button", name="Ghi gói nhật ký").click()
    with page.expect_download() as bundle:
        page.get_by_role("link", name="Tải tệp (.zip)").click()
    assert bundle.value.suggested_filename == "ketnap-bundle.zip"


def test_a_report_with_bars_is_accessible_and_fits_both_screens(desk: Desk) -> None:
    visitor = desk.visitor("xa1_secretary")
    page = visitor.go("/reports/yearly")
    page.get_by_role("button", name="Lập báo cáo").click()
    page.wait_for_url("**/made/**")
    expect(page.locator("svg.chart").first).to_be_visible()
    assert not look(visitor, "report-made")


def test_one_file_after_the_other_is_taken_from_the_same_page(desk: Desk) -> None:
    page = desk.visitor("xa1_secretary").go("/reports/yearly")
    page.get_by_role("button", name="Lập báo cáo").click()
    page.wait_for_url("**/made/**")
    for name, ending in (("Excel", ".xlsx"), ("Word", ".docx"), ("Excel", ".xlsx")):
        with page.expect_download() as taken:
            page.get_by_role("button", name=name).click()
        assert taken.value.suggested_filename.endswith(ending)
