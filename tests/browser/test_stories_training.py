"""Working days of the training officer: twelve lists, places, attendance, numbered blanks, a copy years on."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import FilePayload, Page, expect

from engine.core.commands import Line, Move, Start
from engine.steps import By
from tests.browser.conftest import EVERY_LOOK, LOOKS, Desk, says, step
from tests.browser.people import person
from tests.world import office_time

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TRAINER = By(officer="ttct_trainer")


def a_class(desk: Desk, id: str = "k1", **facts: object) -> None:
    """Begins a class of the centre and calls for lists."""
    given = {"kind": "awareness", "class_title": "Khóa I/2025", "starts_on": "2025-02-10", "ends_on": "2025-02-14",
             "class_sessions": 5, **facts}  # fmt: skip
    service = desk.office.service
    service.start(Start(workflow="training_class", org="ttct", id=id, facts=given), TRAINER)
    assert service.move(Move(subject=id, trigger="open_class"), TRAINER).allowed


def listed(rows: list[tuple[str, str, str]]) -> bytes:
    """Returns a unit's list as its office makes it."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["DANH SÁCH CỬ ĐI HỌC"])
    page.append(["STT", "Họ và tên", "Ngày sinh", "Chi bộ"])
    for n, row in enumerate(rows, 1):
        page.append([n, *row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def confirm(page: Page) -> None:
    """Looks a sheet over and records it."""
    page.get_by_role("button", name="Kiểm tra, rồi ghi").click()
    page.get_by_role("button", name="Ghi cả phiếu").click()
    says(page, "Đã ghi:")


@pytest.mark.parametrize("look", LOOKS)
def test_one_by_name_and_twelve_excel_lists_become_one_sheet_and_doubles_are_named(january: Desk, look: str) -> None:
    office = january.office
    names = [f"Trần Thị {'ABCDEGHIKLMN'[n]}" for n in range(12)]
    for n, name in enumerate(names):
        person(office, f"u{n}", name, org=("cb1", "cb2", "cb3")[n % 3], stage="elite")
    a_class(january)
    units = ("Chi bộ thôn Đông Thượng", "Chi bộ thôn Đông Hạ", "Chi bộ thôn Tân Tiến")
    files = [[(names[n], "14/08/1996", units[n % 3])] for n in range(12)]
    files[7].append((names[2], "14/08/1996", units[2]))  # stands in the third list already
    files[9].append(("Nguyễn Văn Không Có", "", units[0]))
    lists = [FilePayload(name=f"ds{n + 1}.xlsx", mimeType=XLSX, buffer=listed(f)) for n, f in enumerate(files)]

    page = january.at(look, "ttct_trainer").go("/matters/training_class")
    page.get_by_role("link", name="Khóa I/2025", exact=True).click()
    step(page, "Ghi tên vào lớp")
    page.get_by_label("Hoặc một người, theo họ và tên").fill("Trần Thị D")
    page.get_by_role("button", name="Đưa vào bản nháp").click()
    says(page, "Đã đưa 1 trên 1 dòng vào bản nháp. Chưa ghi gì.")
    page.get_by_text("Thêm theo họ tên hoặc từ danh sách Excel").click()
    page.get_by_label("Danh sách (.xlsx, .csv), chọn nhiều tệp một lúc").set_input_files(lists)
    page.get_by_role("button", name="Đưa vào bản nháp").click()
    says(page, "Đã đưa 12 trên 14 dòng vào bản nháp. Chưa ghi gì.")
    says(page, "ds8.xlsx, dòng 4: Trần Thị C cũng có ở ds3.xlsx, dòng 3")
    says(page, "ds10.xlsx, dòng 4: Nguyễn Văn Không Có")
    confirm(page)
    says(page, "Danh sách (12 người)")


@pytest.mark.parametrize("look", LOOKS)
def test_a_class_of_eighty_with_95_nominees_allots_places_and_tells_who_waits(january: Desk, look: str) -> None:
    service = january.office.service
    for n in range(95):
        facts = {"full_name": f"Học viên {n:02}", "motives": "Cống hiến", "helper": "Nguyễn Văn Thịnh",
                 "branch_proposed_on": "2025-01-15"}  # fmt: skip
        org, head = (("cb1", "xa1_secretary"), ("cb3", "xa2_secretary"))[n % 2]
        service.start(Start(workflow="candidate", org=org, id=f"u{n}", facts=facts), By(officer=f"{org}_secretary"))
        service.move(Move(subject=f"u{n}", trigger="recognise"), By(officer=head))
    for unit, parity in (("xa1", 0), ("xa2", 1)):
        lines = [Line(subject=f"u{n}", do="send_to_class") for n in range(95) if n % 2 == parity]
        move = Move(subject=f"monthly_review-{unit}-2025-01", trigger="hold", lines=lines)
        assert service.move(move, By(officer=f"{unit}_secretary")).allowed

    page = january.at(look, "ttct_trainer").go("/matters/training_class")
    page.get_by_role("link", name="Dự kiến mở lớp").first.click()
    page.get_by_label("Loại lớp").select_option(label="Bồi dưỡng nhận thức về Đảng")
    page.get_by_label("Tên lớp").fill("Khóa I/2025")
    page.get_by_label("Ngày khai giảng").fill("10/02/2025")
    page.get_by_label("Số chỗ", exact=True).fill("80")
    page.get_by_label(re.compile("Đảng ủy xã Phú Khê")).fill("45")
    page.get_by_label(re.compile("Đảng ủy xã Tân Lập")).fill("35")
    page.get_by_role("button", name="Dự kiến mở lớp").click()
    says(page, "Đã ghi: Dự kiến mở lớp")
    step(page, "Chiêu sinh")
    page.get_by_role("button", name="Chiêu sinh").click()
    says(page, "Đã ghi: Chiêu sinh")
    step(page, "Ghi tên vào lớp")
    confirm(page)
    says(page, "Số học viên")
    subject = service.show("training_class-1")[0].subject
    students = subject.facts["students"]
    assert isinstance(students, dict)
    assert sorted({s: list(students.values()).count(s) for s in set(students.values())}.items()) == [
        ("enrolled", 80), ("waitlisted", 15),
    ]  # fmt: skip
    expect(page.locator("section[aria-labelledby=byunit]")).to_contain_text("45")
    service.tick()
    told = {(r.rule, r.recipient) for r, _ in service.outbox.rows() if r.subject == "training_class-1"}
    assert {("class_waitlisted", "cb1_secretary"), ("class_waitlisted", "cb3_secretary")} <= told, sorted(told)


@pytest.mark.parametrize("look", EVERY_LOOK)
def test_attendance_on_paper_is_marked_and_gives_the_list_of_those_who_passed(january: Desk, look: str) -> None:
    enrolled(january, 4)
    page = january.at(look, "ttct_trainer").go("/subjects/k1")
    step(page, "Ghi điểm danh và kết quả")
    for n in range(4):
        line = page.get_by_role("row").filter(has_text=f"Trần Thị {'ABCD'[n]}")
        line.get_by_role("radio", name="Ghi", exact=True).check()
        line.get_by_label("Số buổi có mặt").fill("5" if n else "2")
        line.get_by_label("Kết quả").select_option(label="Đạt" if n else "Không đạt")
    confirm(page)
    people = page.locator("section[aria-labelledby=people]")
    expect(people.get_by_role("row").filter(has_text="Trần Thị A")).to_contain_text("Không đạt")
    expect(people.get_by_role("row").filter(has_text=re.compile(r"\bĐạt"))).to_have_count(3)
    says(page, "Số người đạt")


@pytest.mark.parametrize("look", LOOKS)
def test_numbered_blanks_become_certificates_with_a_register_and_a_spoiled_number_voided(
    january: Desk, look: str
) -> None:
    office = january.office
    enrolled(january, 3)
    marks = [Line(subject=f"u{n}", do="mark", facts={"attendance": 5, "result": "pass"}) for n in range(3)]
    assert office.service.move(Move(subject="k1", trigger="record_results", lines=marks), TRAINER).allowed
    office.clock.set(office_time(date(2025, 2, 14)))
    page = january.at(look, "ttct_trainer").go("/subjects/k1")
    step(page, "Bế giảng")
    page.get_by_label("Ngày bế giảng").fill("14/02/2025")
    page.get_by_label("Ký hiệu trước số giấy chứng nhận").fill("HL-")
    page.get_by_label("Số giấy chứng nhận từ").fill("101")
    page.get_by_label("Số giấy chứng nhận đến").fill("120")
    page.get_by_label("Số giấy chứng nhận hỏng").fill("HL-0102: in lệch")
    confirm(page)
    people = page.locator("section[aria-labelledby=people]")
    for number in ("HL-0101", "HL-0103", "HL-0104"):
        expect(people).to_contain_text(number)
    page.get_by_role("link", name="Biểu mẫu để in").click()
    page.get_by_role("link", name="Giấy chứng nhận của lớp").click()
    with page.expect_download() as taken:
        page.get_by_role("button", name="Tệp Word").click()
    assert Path(taken.value.path()).stat().st_size > 1_000
    page.goto(office.base + "/matters/training_class/numbers")
    expect(page.get_by_role("row").filter(has_text="HL-0102")).to_contain_text("in lệch")


@pytest.mark.parametrize("look", LOOKS)
def test_years_later_a_copy_is_asked_for_and_number_and_last_day_are_found(january: Desk, look: str) -> None:
    office = january.office
    enrolled(january, 1)
    office.clock.set(office_time(date(2025, 2, 14)))
    closed = {"no_prefix": "HL-", "first_no": 101, "last_no": 120, "results": {"u0": "pass"}}
    assert office.service.move(Move(subject="k1", trigger="close_class", facts=closed), TRAINER).allowed
    office.clock.set(office_time(date(2028, 10, 2)))
    page = january.at(look, "ttct_trainer").go("/matters/training_class")
    page.get_by_role("link", name="Sổ cấp số").click()
    page.get_by_label("Số hoặc tên").fill("tran thi a")
    page.get_by_role("main").get_by_role("button", name="Tìm").click()
    line = page.get_by_role("row").filter(has_text="HL-0101")
    expect(line).to_contain_text("Trần Thị A")
    line.get_by_role("link", name="Trần Thị A").click()
    says(page, "Giấy chứng nhận có giá trị đến")
    says(page, "14/02/2030")


def enrolled(desk: Desk, count: int) -> None:
    """Enrols people in a class that has begun."""
    office = desk.office
    for n in range(count):
        person(office, f"u{n}", f"Trần Thị {'ABCDE'[n]}", stage="elite")
    a_class(desk)
    lines = [Line(subject=f"u{n}", do="enrol") for n in range(count)]
    assert office.service.move(Move(subject="k1", trigger="enrol", lines=lines), TRAINER).allowed
    office.clock.set(office_time(date(2025, 2, 10)))
    assert office.service.move(Move(subject="k1", trigger="run_class"), TRAINER).allowed
