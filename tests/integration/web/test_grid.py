"""The grid of what every unit owes: who has not sent, received to the minute, reminded now, handed out as a list."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, time, timedelta
from html import unescape

import openpyxl
import pytest

from engine.core.commands import Move
from engine.steps import By
from engine.verifying import verify
from tests.web_office import WORKFLOWS, Client, PagesOffice, serving
from tests.world import office_time

AT = "/grid/annual_plan/2025"


@pytest.fixture
def office() -> Iterator[PagesOffice]:
    """An office in January, after the plans of the year have been opened."""
    with serving(now=office_time(date(2024, 12, 31))) as found:
        found.service.tick()
        found.clock.set(office_time(date(2025, 1, 21), time(9, 42)))
        found.service.tick()
        yield found


def state(office: PagesOffice, unit: str) -> str:
    with office.service.work() as work:
        return work.case(f"annual_plan-{unit}-2025").subject.state


def row(page: str, unit: str) -> str:
    """Returns the row of a unit."""
    return next(r for r in page.split("<tr")[1:] if f'href="/subjects/annual_plan-{unit}-' in r).split("</tr>")[0]


def receive(client: Client, unit: str, at: str, **more: str) -> tuple[int, str]:
    data = {"subject": f"annual_plan-{unit}-2025", "f.received_at": at, "f.document_no": "12-KH/ĐU", **more}
    answer = client.post(f"{AT}/take", data, page=AT)
    return answer.status_code, answer.text


def test_who_has_not_sent_stands_first_with_the_working_days_left(office: PagesOffice) -> None:
    clerk = office.client("tcnv_clerk")
    page = clerk.get("/grid/annual_plan").text
    assert [f"annual_plan-{u}-2025" in page for u in ("xa1", "xa2", "cs1")] == [True] * 3
    assert "chậm nhất 24/01/2025, còn 3 ngày làm việc" in page
    assert receive(clerk, "cs1", "20/01/2025 15:42")[0] == 303
    page = clerk.get(AT).text
    assert 'href="/reports/urging"' in page
    assert clerk.get("/reports/urging").status_code == 200
    order = [page.index(f'href="/subjects/annual_plan-{u}-2025"') for u in ("xa1", "xa2", "cs1")]
    assert order == sorted(order)
    assert 'class="last">T6<b>24</b>' in page
    assert page.count('class="off"') == 2


def test_a_plan_is_in_time_to_the_last_minute_of_its_day_and_late_a_minute_after(office: PagesOffice) -> None:
    office.clock.set(office_time(date(2025, 2, 3)))
    clerk = office.client("tcnv_clerk")
    assert receive(clerk, "xa1", "24/01/2025 23:59")[0] == 303
    assert receive(clerk, "xa2", "25/01/2025 00:00")[0] == 303
    page = clerk.get(AT).text
    assert "muộn" not in row(page, "xa1")
    assert "24/01/2025 23:59" in row(page, "xa1")
    assert "muộn" in row(page, "xa2")
    assert "quá" in row(page, "cs1")


def test_a_time_that_cannot_be_read_comes_back_with_what_was_typed_and_nothing_is_saved(office: PagesOffice) -> None:
    clerk = office.client("tcnv_clerk")
    for typed in ("hôm qua", "24/01/2025", "24/01/2025 25:00", "31/12/2099 10:00"):
        status, page = receive(clerk, "xa1", typed)
        assert status == 400, typed
        assert typed in unescape(page)
        assert "<details open>" in page
        assert state(office, "xa1") == "open"


def test_units_are_reminded_now_once_a_day_after_a_second_look(office: PagesOffice) -> None:
    office.clock.set(office_time(date(2025, 1, 22)))
    office.service.tick()
    clerk = office.client("tcnv_clerk")
    subjects = {"subject": "annual_plan-xa1-2025"}
    before = len(office.service.outbox.rows())
    shown = clerk.post(f"{AT}/remind", subjects, page=AT)
    assert "xa1" in shown.text
    assert len(office.service.outbox.rows()) == before, "nothing goes out before it was confirmed"
    assert clerk.post(f"{AT}/remind", {**subjects, "confirmed": "yes"}, page=AT).status_code == 303
    page = clerk.get(AT).text
    assert "Đã nhắc 1 đơn vị, 3 tin." in page
    assert "lần cuối 22/01/2025" in row(page, "xa1")
    rows = office.service.outbox.rows()
    new = [r for r, _ in rows if r.occurrence.startswith("by_hand")]
    assert {r.recipient for r in new} == {"xa1_secretary", "xa1_clerk", "xa1_both"}
    assert {r.rule for r in new} == {"plan_reminder"}
    assert clerk.post(f"{AT}/remind", {**subjects, "confirmed": "yes"}, page=AT).status_code == 303
    assert len(office.service.outbox.rows()) == len(rows), "not twice a day"
    assert "hôm nay đã nhắc" in clerk.get(AT).text
    office.clock.set(office.clock.now() + timedelta(days=1))
    clerk = office.client("tcnv_clerk")
    assert clerk.post(f"{AT}/remind", {**subjects, "confirmed": "yes"}, page=AT).status_code == 303
    assert len(office.service.outbox.rows()) > len(rows)
    with office.service.work() as work:
        said = [e for e in work.tx.events(kind="notice") if e.actor == "tcnv_clerk"]
    assert len(said) == 2
    assert verify(office.service).problems == [], "and the trail knows what was sent"


def test_who_takes_no_step_may_not_remind_and_nobody_reminds_beyond_their_reach(office: PagesOffice) -> None:
    plan = "annual_plan-xa1-2025"
    for officer in ("xa1_secretary", "tu_inspector"):
        client = office.client(officer)
        form = {**client.hidden("/"), "subject": plan, "confirmed": "yes"}
        assert client.send(f"{AT}/remind", form).status_code == 404, officer
        assert client.send(f"{AT}/take", {**form, "f.received_at": "21/01/2025 09:00"}).status_code == 404
    other = office.client("xa2_secretary")
    page = other.get(AT).text
    assert plan not in page
    assert "annual_plan-xa2-2025" in page
    assert not [r for r, _ in office.service.outbox.rows() if r.occurrence.startswith("by_hand")]
    assert office.client("tu_admin").get(AT).status_code == 404


def test_the_list_of_who_has_not_sent_is_a_file_that_the_trail_notes(office: PagesOffice) -> None:
    clerk = office.client("tcnv_clerk")
    receive(clerk, "cs1", "20/01/2025 15:42")
    answer = clerk.post(f"{AT}/export", {}, page=AT)
    assert answer.headers["content-type"].startswith("application/vnd.openxml")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    cells = {str(c.value) for line in book.worksheets[0].iter_rows() for c in line if c.value is not None}
    assert {"xa1", "xa2"} <= cells
    assert "cs1" not in cells
    with office.service.work() as work:
        kinds = [e.kind for e in work.tx.events()]
    assert kinds[-1] == "exported"


def test_a_grid_is_narrowed_without_a_name_in_the_address(office: PagesOffice) -> None:
    clerk = office.client("tcnv_clerk")
    answer = clerk.post(f"{AT}/narrow", {"unit": "XA2", "state": ""}, page=AT)
    assert answer.status_code == 303
    assert "xa2" not in answer.headers["location"].lower()
    page = clerk.get(answer.headers["location"]).text
    assert "annual_plan-xa2-2025" in page
    assert 'href="/subjects/annual_plan-xa1-2025"' not in page
    other = office.client("xa1_secretary").get(answer.headers["location"])
    assert (other.status_code, other.headers["location"]) == (303, AT), "not theirs: the whole is shown, and said so"


def test_a_month_of_reviews_leads_to_its_sheets_also_for_a_branch(office: PagesOffice) -> None:
    page = office.client("xa1_secretary").get("/grid/monthly_review").text
    assert "/subjects/monthly_review-xa1-2025-01/sheets/hold" in page
    branch = office.client("cb1_secretary").get("/grid/monthly_review").text
    assert "/subjects/monthly_review-xa1-2025-01/sheets/send_proposals/cb1" in branch
    assert 'href="/subjects/monthly_review-xa1-2025-01"' not in branch


def test_another_office_has_the_grid_of_its_own_by_its_data_alone(office: PagesOffice) -> None:
    for path in ("/grid/candidate", "/grid/probation", "/grid/nothing", "/grid/annual_plan/1999"):
        assert office.client("tu_clerk").get(path).status_code == 404, path


def test_the_plan_of_last_year_stands_beside(office: PagesOffice) -> None:
    office.clock.set(office_time(date(2026, 1, 5)))
    office.service.tick()
    office.service.move(
        Move(subject="annual_plan-xa1-2025", trigger="receive", facts={"received_at": "2025-12-30 08:00"}),
        By(officer="tcnv_clerk"),
    )
    page = office.client("tcnv_clerk").get("/grid/annual_plan/2026").text
    assert "Đã nhận, muộn" in row(page, "xa1")
    assert "Chưa nộp" in row(page, "xa2")


def test_a_target_is_given_from_the_grid_and_stands_beside_the_unit() -> None:
    loaded = (*WORKFLOWS, "target")
    with serving(workflows=loaded, now=office_time(date(2024, 12, 31))) as office:
        office.service.tick()
        office.clock.set(office_time(date(2025, 1, 21)))
        office.service.tick()
        secretary = office.client("tu_secretary")
        assert 'href="/start/target"' in secretary.get(AT).text
        data = {
            "unit": "xa1", "f.target_kind": "admissions", "f.year": "2025", "f.target_least": "12",
            "f.target_most": "14", "f.decision_no": "01-QĐ/TU", "f.decision_on": "15/01/2025",
        }  # fmt: skip
        answer = secretary.post("/start/target", data)
        assert answer.status_code == 303, answer.text
        page = secretary.get(AT).text
        assert "12-14" in row(page, "xa1")
        assert "chưa giao" in row(page, "xa2")
        assert 'href="/start/target"' not in office.client("cs1_secretary").get(AT).text
