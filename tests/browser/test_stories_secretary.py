"""Working days of a commune's secretary: a morning at the telephone, a sitting, a helper who moved, a lost vote."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path

import docx
import pytest
from playwright.sync_api import Locator, Page, expect

from engine.core.commands import Line, Move
from engine.steps import By
from tests.browser.conftest import EVERY_LOOK, LOOKS, Desk, says, step
from tests.browser.people import person
from tests.world import office_time

REVIEW = "monthly_review-xa1-2025-01"


def row(page: Page, name: str) -> Locator:
    """Returns a row of the page's table."""
    return page.get_by_role("row").filter(has_text=name)


def text_of(path: Path) -> str:
    """Returns the text of a Word file."""
    read = docx.Document(io.BytesIO(path.read_bytes()))
    cells = [c.text for t in read.tables for r in t.rows for c in r.cells]
    return "\n".join([p.text for p in read.paragraphs] + cells)


@pytest.mark.parametrize("look", EVERY_LOOK)
def test_in_the_morning_at_the_telephone_three_things_are_due_and_each_has_its_button(january: Desk, look: str) -> None:
    office = january.office
    received = Move(subject="branch_plan-cb2-2025", trigger="receive")
    assert office.service.move(received, By(officer="xa1_secretary")).allowed
    page = january.at(look, "xa1_secretary").go("/")
    said = ["Chi bộ thôn Đông Thượng: Nhắc chi bộ nộp kế hoạch", "Kế hoạch phát triển đảng viên hằng năm", "Rà soát"]
    expect(page.locator(".todo > li")).to_contain_text(said)
    expect(page.get_by_role("heading", name="Quá hạn (1)")).to_be_visible()
    expect(page.get_by_role("heading", name="Tuần này (2)")).to_be_visible()
    expect(page.locator(".todo > li").first.get_by_role("link", name="Nhận")).to_be_visible()
    review = page.get_by_role("listitem").filter(has_text="Rà soát danh sách")
    review.get_by_role("link", name="Họp xét", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Họp xét")


@pytest.mark.parametrize("look", LOOKS)
def test_fifteen_proposals_are_decided_line_by_line_one_set_aside_and_minutes_and_class_list_come_of_it(
    january: Desk, look: str
) -> None:
    office, names = january.office, [f"Nguyễn Văn {'ABCDEGHIKLMNOPQ'[n]}" for n in range(15)]
    for n, name in enumerate(names):
        person(office, f"u{n}", name, org=("cb1", "cb2")[n % 2], stage="source" if n < 5 else "elite")
    for branch, officer in (("cb1", "cb1_secretary"), ("cb2", "cb2_clerk")):
        of = [n for n in range(15) if ("cb1", "cb2")[n % 2] == branch]
        lines = [Line(subject=f"u{n}", do="add" if n < 5 else "send_to_class" if n < 10 else "keep") for n in of]
        move = Move(subject=REVIEW, trigger="send_proposals", facts={"branch": branch}, lines=lines)
        assert office.service.move(move, By(officer=officer)).allowed

    page = january.at(look, "xa1_secretary").go("/")
    page.get_by_role("link", name="Rà soát tháng").click()
    row(page, "Đảng ủy xã Phú Khê").get_by_role("link", name="Họp xét").click()
    expect(page.locator("table.sitting tbody tr")).to_have_count(15)
    expect(row(page, names[7]).get_by_role("radio", name="Cử đi học")).to_be_checked()
    page.get_by_label("Số biên bản").fill("02-BB/ĐU")
    line = row(page, names[2])
    line.get_by_role("radio", name="Đưa vào danh sách").focus()
    for _ in range(3):  # the arrows change the decision: class is not for a source, so drop, keep, set aside
        page.keyboard.press("ArrowRight")
        if line.get_by_role("radio", name="Hoãn").is_checked():
            break
    else:
        page.keyboard.press("ArrowRight")
    expect(line.get_by_role("radio", name="Hoãn")).to_be_checked()
    page.get_by_role("button", name="Lưu bản nháp").click()
    expect(page.get_by_role("status")).to_contain_text("Đã lưu bản nháp")
    expect(row(page, names[2]).get_by_role("radio", name="Hoãn")).to_be_checked()
    page.get_by_role("button", name="Kiểm tra, rồi ghi").click()
    main = page.get_by_role("main")
    expect(main).to_contain_text("Đưa vào danh sách (4)")
    expect(main).to_contain_text("Cử đi học (5)")
    expect(main).to_contain_text(f"(1): {names[2]}")
    page.get_by_role("button", name="Ghi cả phiếu").click()
    says(page, "Đã ghi: Họp xét")
    states = [office.service.show(f"u{n}")[0].subject.state for n in range(5)]
    assert states == ["elite", "elite", "source", "elite", "elite"]

    page.get_by_role("link", name="Biểu mẫu để in").click()
    page.get_by_role("link", name=re.compile("Biên bản họp xét")).click()
    with page.expect_download() as taken:
        page.get_by_role("button", name="Tệp Word").click()
    minutes = text_of(Path(taken.value.path()))
    assert names[0] in minutes
    assert names[7] in minutes

    page.goto(f"{office.base}/subjects/{REVIEW}/forms")
    page.get_by_role("link", name=re.compile("cử đi học", re.IGNORECASE)).click()
    page.get_by_role("button", name="Lập báo cáo").click()
    for n in range(5, 10):
        says(page, names[n])
    expect(page.get_by_role("main")).not_to_contain_text(names[11])


@pytest.mark.parametrize("look", LOOKS)
def test_the_helper_has_moved_another_is_named_and_no_twelve_months_begin_anew(january: Desk, look: str) -> None:
    person(january.office, "u1", "Vũ Thị Ngọc Ánh", stage="trained")
    page = january.at(look, "cb1_secretary").go("/subjects/u1")
    page.get_by_role("link", name="Sửa thông tin").click()
    page.get_by_label("Đảng viên chính thức giúp đỡ", exact=True).fill("Trần Thị Bích")
    page.get_by_label("Cùng công tác hoặc cư trú với người giúp đỡ từ ngày").fill("10/01/2025")
    page.get_by_role("button", name="Lưu").click()
    says(page, "Đã ghi:")
    rule = page.get_by_role("listitem").filter(has_text="ít nhất 12 tháng").first
    expect(rule).to_contain_text("Chưa đạt")
    rule.get_by_role("link", name="Bổ sung").click()
    page.get_by_label("Người giúp đỡ được phân công thay thế").select_option(label="Có")
    page.get_by_role("button", name="Lưu").click()
    says(page, "Đã ghi:")
    page.get_by_text(re.compile(r"^Đã đạt: \d")).first.click()
    expect(page.get_by_role("listitem").filter(has_text="ít nhất 12 tháng").first).to_contain_text("Đạt:")
    line = page.get_by_role("listitem").filter(has_text="Nguyễn Văn Thịnh")
    expect(line).to_contain_text("Trần Thị Bích")


@pytest.mark.parametrize("look", LOOKS)
def test_a_young_person_works_far_away_the_contact_is_noted_and_they_stay_listed(january: Desk, look: str) -> None:
    office = january.office
    person(office, "u1", "Vũ Thị Ngọc Ánh", stage="elite")
    page = january.at(look, "cb1_secretary").go("/subjects/u1/facts")
    page.get_by_label("Đi làm ăn xa", exact=True).select_option(label="Có")
    page.get_by_label("Đi làm ăn xa từ ngày").fill("02/12/2024")
    page.get_by_label("Nơi đang làm ăn").fill("Bình Dương")
    page.get_by_label("Liên lạc gần nhất ngày").fill("20/01/2025")
    page.get_by_role("button", name="Lưu").click()
    says(page, "Đã ghi:")
    expect(page.locator(".facts")).to_contain_text(["Cần liên lạc trước ngày"])
    says(page, "20/04/2025")
    assert office.service.show("u1")[0].subject.state == "elite"
    office.clock.set(office_time(date(2025, 4, 21)))
    office.service.tick()
    page = january.at(look, "cb1_secretary").go("/")
    item = page.locator(".todo > li").filter(has_text="Vũ Thị Ngọc Ánh: Giữ liên lạc với người đi làm ăn xa")
    item.get_by_role("link", name="Ghi: Liên lạc gần nhất ngày").click()
    page.get_by_label("Liên lạc gần nhất ngày").fill("21/04/2025")
    page.get_by_role("button", name="Lưu").click()
    says(page, "21/07/2025")
    page.goto(office.base + "/list/candidate")
    expect(row(page, "Vũ Thị Ngọc Ánh")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_a_vote_of_six_of_ten_is_recorded_its_reason_kept_and_the_next_attempt_counts_anew(
    january: Desk, look: str
) -> None:
    office = january.office
    person(office, "u1", "Vũ Thị Ngọc Ánh", stage="dossier")
    page = january.at(look, "cb1_secretary").go("/subjects/u1")
    vote(page, "20/01/2025", 6, "Còn ý kiến về thời gian sinh hoạt ở thôn")
    says(page, "Đã ghi: Chi bộ xét")
    expect(page.get_by_role("main")).to_contain_text("Còn ý kiến về thời gian sinh hoạt ở thôn")
    page.locator("details.step > summary").filter(has_text="Quyết định kết nạp").click()
    rule = page.get_by_role("listitem").filter(has_text="hai phần ba").first
    expect(rule).to_contain_text("Chưa đạt")
    expect(rule).to_contain_text("Số phiếu tán thành: 6")

    office.clock.set(office_time(date(2025, 2, 20)))
    page = january.at(look, "cb1_secretary").go("/subjects/u1")
    vote(page, "19/02/2025", 9, "")
    says(page, "Đã ghi: Chi bộ xét")
    expect(page.get_by_role("listitem").filter(has_text="Chi bộ xét:")).to_have_count(2)
    says(page, "Còn ý kiến về thời gian sinh hoạt ở thôn")
    assert office.service.show("u1")[1]["votes_for"] == 9


def vote(page: Page, on: str, votes: int, reason: str) -> None:
    """Records a vote of ten members."""
    step(page, "Chi bộ xét")
    page.get_by_label("Ngày chi bộ xét").fill(on)
    page.get_by_label(re.compile(r"^Số đảng viên chính thức( \*)?$")).fill("10")
    page.get_by_label("Số đảng viên chính thức có mặt").fill("10")
    page.get_by_label("Số phiếu tán thành").fill(str(votes))
    page.get_by_label("Lý do", exact=True).fill(reason)
    page.get_by_role("button", name="Chi bộ xét").click()


@pytest.mark.parametrize("look", LOOKS)
def test_a_person_goes_from_source_to_admitted_by_five_officers_with_one_refusal_mended_from_the_page(
    january: Desk, look: str
) -> None:
    office = january.office
    page = january.at(look, "cb1_secretary").go("/list/candidate")
    page.get_by_role("link", name="Thêm vào nguồn").click()
    page.get_by_label("Họ và tên").fill("Vũ Thị Ngọc Ánh")
    page.get_by_label("Ngày sinh").fill("14/08/1996")
    page.get_by_label("Giới tính").select_option(label="Nữ")
    page.get_by_label("Trình độ học vấn").select_option(label="Đại học")
    page.get_by_role("button", name="Thêm vào nguồn").click()
    says(page, "Đã ghi: Thêm vào nguồn, Vũ Thị Ngọc Ánh.")
    at = page.url.removeprefix(office.base)

    page = january.at(look, "xa1_secretary").go(at)
    step(page, "Đưa vào danh sách quần chúng ưu tú")
    page.get_by_label("Ngày chi bộ đề nghị").fill("20/01/2025")
    page.get_by_role("button", name="Đưa vào danh sách").click()
    says(page, "Quy định không cho làm bước này")
    page.get_by_label("Động cơ phấn đấu vào Đảng").fill("Muốn được cống hiến")
    page.get_by_label("Đảng viên chính thức giúp đỡ", exact=True).fill("Nguyễn Văn Thịnh")
    page.get_by_role("button", name="Đưa vào danh sách").click()
    says(page, "Đã ghi: Đưa vào danh sách quần chúng ưu tú")

    office.clock.set(office_time(date(2025, 5, 20)))
    page = january.at(look, "ttct_trainer").go(at)
    step(page, "Ghi nhận giấy chứng nhận")
    page.get_by_label("Số giấy chứng nhận").fill("118/GCN")
    page.get_by_label("Nơi cấp giấy chứng nhận").fill("Trung tâm Chính trị")
    page.get_by_label("Ngày cấp giấy chứng nhận").fill("19/05/2025")
    page.get_by_role("button", name="Ghi nhận giấy chứng nhận").click()
    says(page, "Đã ghi: Ghi nhận giấy chứng nhận")

    office.clock.set(office_time(date(2026, 2, 10)))
    page = january.at(look, "cb1_clerk").go(f"{at}/facts")
    for label, text in (
        ("Cùng công tác hoặc cư trú với người giúp đỡ từ ngày", "01/09/2022"),
        ("Đảng viên giới thiệu thứ hai", "Phạm Văn Dũng"),
    ):
        page.get_by_label(label, exact=True).fill(text)
    for label in ("Người giúp đỡ là đảng viên chính thức", "Người giới thiệu thứ hai là đảng viên chính thức"):
        page.get_by_label(label).select_option(label="Có")
    page.get_by_role("button", name="Lưu").click()
    says(page, "Đã ghi:")
    step(page, "Lập hồ sơ")
    page.get_by_label("Ngày làm đơn xin vào Đảng").fill("09/02/2026")
    for label in ("Đơn xin vào Đảng (1-KNĐ)", "Lý lịch của người xin vào Đảng (2-KNĐ)", "Kết quả thẩm tra lý lịch",
                  "Giấy chứng nhận học lớp", "Giấy giới thiệu của đảng viên", "Tổng hợp ý kiến nhận xét",
                  "Nghị quyết của đảng ủy cơ sở"):  # fmt: skip
        page.get_by_label(label).fill("09/02/2026")
    page.get_by_role("button", name="Lập hồ sơ").click()
    says(page, "Đã ghi: Lập hồ sơ")

    office.clock.set(office_time(date(2026, 3, 10)))
    page = january.at(look, "cb1_deputy").go(at)
    step(page, "Chi bộ xét")
    for label in ("Ngày chi bộ xét", "Nghị quyết của chi bộ (6-KNĐ)"):
        page.get_by_label(label).fill("09/03/2026")
    page.get_by_label(re.compile(r"^Số đảng viên chính thức( \*)?$")).fill("10")
    page.get_by_label("Số đảng viên chính thức có mặt").fill("10")
    page.get_by_label("Số phiếu tán thành").fill("9")
    page.get_by_role("button", name="Chi bộ xét").click()
    says(page, "Đã ghi: Chi bộ xét")

    office.clock.set(office_time(date(2026, 3, 26)))
    page = january.at(look, "xa1_standing").go(at)
    step(page, "Quyết định kết nạp")
    page.get_by_label("Số quyết định").fill("12-QĐ/ĐU")
    page.get_by_label("Ngày quyết định").fill("25/03/2026")
    page.get_by_role("button", name="Quyết định kết nạp").click()
    says(page, "Mở một quy trình khác: Đảng viên dự bị")
    page.get_by_role("button", name="Ghi", exact=True).click()
    says(page, "Đã ghi: Quyết định kết nạp")
    assert office.service.show(at.rpartition("/")[2])[0].subject.state == "admitted"
    officers = {"xa1_secretary", "ttct_trainer", "cb1_clerk", "cb1_deputy", "xa1_standing"}
    for name in officers:
        expect(page.get_by_role("main")).to_contain_text(name)


@pytest.mark.parametrize("look", LOOKS)
def test_a_branch_says_that_it_has_none_this_month_and_the_committee_sees_it(january: Desk, look: str) -> None:
    page = january.at(look, "cb2_clerk").go("/grid/monthly_review")
    own = page.get_by_role("listitem").filter(has_text="Chi bộ thôn Đông Hạ")
    expect(own).to_contain_text("chưa báo cáo")
    own.get_by_role("button", name="Chi bộ không có đề nghị").click()
    page.get_by_role("button", name="Ghi", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Đã ghi: Chi bộ không có đề nghị, Chi bộ thôn Đông Hạ.")
    expect(own).to_contain_text("Báo cáo của chi bộ: Tháng này không có đề nghị")
    page = january.at(look, "xa1_secretary").go(f"/subjects/{REVIEW}/sheets/hold")
    expect(row(page, "Chi bộ thôn Đông Hạ")).to_contain_text("Tháng này không có đề nghị")
    expect(row(page, "Chi bộ thôn Đông Thượng")).to_contain_text("chưa báo cáo")
