"""A person from source on: a step refused, mended from the page, taken; with scripts and without."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, says
from tests.web_office import PASSWORD


def writes(page: Page, facts: dict[str, str], answer: str) -> None:
    """Fills in facts and saves them; the page answers so."""
    for label, value in facts.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Lưu").click()
    says(page, answer)


@pytest.mark.parametrize(("size", "scripts"), [("laptop", True), ("phone", True), ("laptop", False)])
def test_a_secretary_mends_what_a_rule_asks_and_takes_the_step(desk: Desk, size: str, scripts: bool) -> None:
    page = desk.visitor("xa1_secretary", size, scripts=scripts).page
    page.goto(desk.office.base + "/subjects/u1")
    page.get_by_role("link", name="Đưa vào danh sách quần chúng ưu tú", exact=True).click()
    page.get_by_label("Ngày chi bộ đề nghị").fill("31/11/2024")
    page.get_by_role("button", name="Đưa vào danh sách").click()
    says(page, "Tháng 11 có 30 ngày.")
    assert page.get_by_label("Ngày chi bộ đề nghị").input_value() == "31/11/2024"
    page.get_by_label("Ngày chi bộ đề nghị").fill("20/01/2025")
    page.get_by_role("button", name="Đưa vào danh sách").click()
    says(page, "Quy định không cho làm bước này")
    page.get_by_label("Động cơ phấn đấu vào Đảng").fill("Muốn được cống hiến")
    page.get_by_label("Đảng viên chính thức giúp đỡ", exact=True).fill("Nguyễn Văn Thịnh")
    page.get_by_role("button", name="Đưa vào danh sách").click()
    says(page, "Đã ghi: Đưa vào danh sách quần chúng ưu tú")
    assert desk.office.service.show("u1")[0].subject.state == "elite"


def test_what_is_sensitive_is_not_in_the_page_until_it_is_opened(desk: Desk) -> None:
    page = desk.visitor("cb1_secretary").page
    page.goto(desk.office.base + "/subjects/u1")
    row = page.locator("dt", has_text="Tôn giáo").locator("xpath=following-sibling::dd[1]")
    assert "Không" not in row.inner_text()
    row.get_by_role("button").click()
    expect(row).to_contain_text("Không")
    page.reload()
    assert "Không" not in row.inner_text()


def test_after_an_ended_session_the_form_comes_back_filled_and_is_recorded_only_when_sent(desk: Desk) -> None:
    office, visitor = desk.office, desk.visitor("xa1_secretary")
    page = visitor.go("/subjects/u1/steps/recognise")
    page.get_by_label("Động cơ phấn đấu vào Đảng").fill("Muốn cống hiến <b>")
    office.clock.set(office.clock.now() + timedelta(hours=3))
    page.get_by_role("button", name="Đưa vào danh sách").click()
    page.get_by_label("Tên đăng nhập").fill("xa1_secretary")
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập").click()
    page.get_by_role("button", name="Trở lại biểu mẫu đã điền").click()
    expect(page.get_by_label("Động cơ phấn đấu vào Đảng")).to_have_value("Muốn cống hiến <b>")
    expect(page.locator("body")).not_to_contain_text("Quy định không cho làm bước này")
    with office.service.work() as work:
        assert "motives" not in work.case("u1").subject.facts
    page.get_by_role("button", name="Đưa vào danh sách").click()
    says(page, "Quy định không cho làm bước này")  # now it was sent, and is judged


def test_a_refused_form_remembers_which_version_was_seen(desk: Desk) -> None:
    first, second = desk.visitor("xa1_secretary"), desk.visitor("cb1_secretary")
    mine, theirs = first.go("/subjects/u1/facts"), second.go("/subjects/u1/facts")
    writes(theirs, {"Nghề nghiệp": "Thợ may"}, "Đã ghi")
    writes(mine, {"Nghề nghiệp": "Giáo viên", "Ngày sinh": "31/02/1996"}, "Tháng 2 có")
    writes(mine, {"Ngày sinh": "14/08/1996"}, "Thợ may")
    assert mine.locator("main tbody th").all_inner_texts() == ["Nghề nghiệp"], "what both have alike is no choice"
    with desk.office.service.work() as work:
        assert work.case("u1").subject.facts["occupation"] == "Thợ may"


def test_a_name_with_markup_in_it_is_only_a_name(desk: Desk) -> None:
    page = desk.visitor("cb1_secretary").page
    page.goto(desk.office.base + "/subjects/u3")
    assert page.get_by_role("heading", level=1).inner_text() == "Đặng <b>"


def test_of_two_who_change_the_same_person_the_second_sees_what_the_first_did_and_chooses(desk: Desk) -> None:
    first, second = desk.visitor("cb1_secretary").page, desk.visitor("xa1_clerk").page
    for page in (first, second):
        page.goto(desk.office.base + "/subjects/u1/facts")
    writes(first, {"Nghề nghiệp": "Giáo viên"}, "Đã ghi: Nghề nghiệp.")
    writes(second, {"Nghề nghiệp": "Kế toán"}, "Người khác vừa sửa")
    says(second, "Giáo viên")
    second.get_by_role("button", name="Ghi của tôi đè lên").click()
    says(second, "Đã ghi: Nghề nghiệp.")
    assert desk.office.service.show("u1")[1]["occupation"] == "Kế toán"
