"""The reports on the pages: each is made, shown with bars and a table, and given as a file, within one's reach."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date

import openpyxl
import pytest

from engine.core.commands import Line, Move, Start
from engine.core.events import EXPORTED, LISTED
from engine.library import shipped_folder
from engine.steps import By
from reports.making import layout_files
from tests.web_office import Client, PagesOffice, serving
from tests.world import trail

FACTS = {
    "sex": "female", "religion": "none", "education": "university", "motives": "Muốn cống hiến",
    "helper": "Nguyễn Văn Thịnh", "helper_is_formal": "true", "helper_together_since": "2022-09-10",
}  # fmt: skip


@pytest.fixture(scope="module")
def office() -> Iterator[PagesOffice]:
    """The whole area with two people on the list, one of each committee."""
    with serving(workflows=("admission",)) as found:
        for id, org, name in (("u1", "cb1", "Vũ Thị Ngọc Ánh"), ("u2", "cb3", "Lê <b>Hữu Phước")):
            committee = "xa1" if org == "cb1" else "xa2"
            facts = {**FACTS, "full_name": name, "birth_date": "1996-08-14"}
            found.service.start(Start(workflow="candidate", org=org, id=id, facts=facts, on=date(2025, 1, 3)), By(
                officer=f"{org}_secretary"))  # fmt: skip
            answer = found.service.move(
                Move(subject=id, trigger="recognise", on=date(2025, 1, 20), facts={"branch_proposed_on": "2025-01-20"}),
                By(officer=f"{committee}_secretary"),
            )
            assert answer.allowed
        yield found


def made(client: Client, name: str, address: str = "", **form: str):
    """Asks for a report and returns the address of it and its page."""
    answer = client.post(address or f"/reports/{name}", form)
    assert answer.status_code == 303, answer.text
    for _ in range(100):
        to = answer.headers["location"]
        answer = client.get(to)
        if answer.status_code != 303 and not to.startswith("/work/"):
            break
        if answer.status_code != 303:
            assert 'http-equiv="refresh"' in answer.text
            answer = client.get(to)
            if answer.status_code != 303:
                answer.headers["location"] = to
    return to, answer


def test_every_report_is_made_for_its_first_period_and_shown(office: PagesOffice) -> None:
    client = office.client("tu_clerk")
    page = client.get("/reports").text
    names = re.findall(r'href="/reports/([a-z_]+)"', page)
    assert sorted(names) == sorted(layout_files(shipped_folder() / "admission"))
    for name in names:
        form = client.get(f"/reports/{name}").text
        offered = re.findall(r'<option value="((?:month|quarter|year):[^"]+)"', form)
        years = {"first_year": "2020", "last_year": "2025"} if 'name="first_year"' in form and not offered else {}
        _, answer = made(client, name, **({"period": offered[0]} if offered else years))
        assert answer.status_code == 200, (name, answer.text[:2000])
        assert "Báo cáo" in answer.text
        assert "None" not in re.sub(r"<[^>]+>", " ", answer.text), name


def test_a_report_is_shown_with_bars_and_the_table_under_them(office: PagesOffice) -> None:
    _, answer = made(office.client("tu_clerk"), "monthly", period="month:2025-01")
    drawing = answer.text.index('<svg class="chart" role="img"')
    table = answer.text.index("<table", drawing)
    assert "<title" in answer.text[drawing:table]
    assert "<desc" in answer.text[drawing:table]
    assert "xa1</text>" in answer.text[drawing:table]
    row = re.search(r'<th scope="row">xa1</th>(.*?)</tr>', answer.text[table:], re.S)
    assert row is not None
    assert 'data-l="Vào danh sách">1</td>' in row[1]


def test_a_file_is_what_was_shown_and_the_trail_says_who_took_it(office: PagesOffice) -> None:
    client = office.client("xa2_secretary")
    to, page = made(client, "elite_list", on="21/01/2025")
    assert "Lê &lt;b&gt;Hữu Phước" in page.text
    before = office.service.kit.store
    size = len(trail(before))
    answer = client.post(to, {"form": "xlsx", "purpose": "Gửi cơ quan tổ chức"})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="elite_list-2025-01-21.xlsx"'
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    cells = {str(c.value) for row in sheet.iter_rows() for c in row}
    assert "Lê <b>Hữu Phước" in cells
    assert "Vũ Thị Ngọc Ánh" not in cells
    noted = [e for e in trail(before, after=size - 1) if e.kind == EXPORTED]
    assert [(e.actor, e.detail["what"]) for e in noted] == [("xa2_secretary", "elite_list")]
    assert noted[0].detail["about"] == {"unit": "xa2", "to": "2025-01-21", "form": "xlsx"}
    shown = [e for e in trail(before) if e.kind == LISTED and e.detail["what"] == "elite_list"]
    assert shown[-1].actor == "xa2_secretary"
    for form, begins in (("docx", b"PK"), ("pdf", b"%PDF")):
        assert client.post(to, {"form": form}).content.startswith(begins)
    assert client.post(to, {"form": "exe"}).status_code == 400


def test_a_report_holds_only_what_its_reader_may_see(office: PagesOffice) -> None:
    client = office.client("xa1_secretary")
    _, answer = made(client, "elite_list", on="21/01/2025")
    assert "Vũ Thị Ngọc Ánh" in answer.text
    assert "Hữu Phước" not in answer.text
    refused = client.post("/reports/elite_list", {"unit": "xa2", "on": "21/01/2025"})
    assert refused.status_code == 400, "a unit that was not on the list"
    assert "Chọn một mục trong danh sách." in refused.text
    _, inspected = made(office.client("tu_inspector"), "elite_list", on="21/01/2025")
    assert "Hữu Phước" in inspected.text


def test_the_list_of_a_class_is_chosen_on_the_reports_page(office: PagesOffice) -> None:
    """The classes that the officer reads are offered; a class that was not offered is refused."""
    trainer = By(officer="ttct_trainer")
    facts = {"kind": "awareness", "class_title": "Lớp K1", "starts_on": "2025-02-20"}
    office.service.start(Start(workflow="training_class", org="ttct", id="K1", facts=facts), trainer)
    for move in (
        Move(subject="K1", trigger="open_class"),
        Move(subject="K1", trigger="enrol", lines=[Line(subject="u1", do="enrol")]),
    ):
        assert office.service.move(move, trainer).allowed
    client = office.client("ttct_trainer")
    form = client.get("/reports/class_list").text
    assert '<option value="K1"' in form
    to, answer = made(client, "class_list", subject="K1")
    assert "Học viên Lớp K1" in answer.text
    assert "Vũ Thị Ngọc Ánh" in answer.text
    assert "Hữu Phước" not in answer.text
    taken = client.post(to, {"form": "xlsx"}).headers["content-disposition"]
    assert re.search(r'"class_list-\d{4}-\d\d-\d\d-K1\.xlsx"', taken)
    secretary = office.client("xa1_secretary")
    assert '<option value="K1"' not in secretary.get("/reports/class_list").text
    assert secretary.post("/reports/class_list", {"subject": "K1"}).status_code == 400


def test_nobody_comes_to_anothers_report_and_the_administrator_to_none(office: PagesOffice) -> None:
    to, _ = made(office.client("tu_clerk"), "monthly", period="month:2025-01")
    assert office.client("tu_secretary").get(to).status_code == 404
    admin = office.client("tu_admin")
    for path in ("/reports", "/reports/elite_list", "/scores", to):
        assert admin.get(path).status_code == 404
    assert admin.post("/reports/elite_list", {"on": "21/01/2025"}, page="/").status_code == 404


def test_a_refused_form_comes_back_filled(office: PagesOffice) -> None:
    client = office.client("tu_clerk")
    answer = client.post("/reports/monthly", {"first": "31/02/2025", "last": "01/03/2025"})
    assert answer.status_code == 400
    assert "Tháng 2 có 28 ngày." in answer.text
    assert 'value="31/02/2025"' in answer.text
    for form in ({"first": "02/03/2025", "last": "01/03/2025"}, {"period": "month:2025-13"}, {"period": "day:x"}):
        answer = client.post("/reports/monthly", form)
        assert answer.status_code == 400, form
        assert "Chưa lập báo cáo nào." in answer.text
    assert client.get("/reports/nothing").status_code == 404


def test_the_same_form_sent_twice_makes_one_report(office: PagesOffice) -> None:
    client = office.client("tu_clerk")
    form = {**client.hidden("/reports/monthly"), "period": "month:2024-12"}
    first, second = (client.send("/reports/monthly", form).headers["location"] for _ in range(2))
    assert first.rpartition("/")[2] == second.rpartition("/")[2]


def test_targets_and_results_stand_beside_their_heads_and_ratings(office: PagesOffice) -> None:
    service = office.service
    given = {"target_kind": "admissions", "year": 2025, "target_least": 4, "decision_no": "12-QĐ/TU"}
    target = service.start(
        Start(workflow="target", org="xa1", facts={**given, "decision_on": "2025-01-06"}), By(officer="tcnv_clerk")
    )
    rating = service.start(
        Start(workflow="admission_rating", org="xa1", facts={"year": 2025}), By(officer="xa1_secretary")
    )
    client = office.client("tu_secretary")
    answer = client.post("/scores", {"score": "admissions", "year": "2025"})
    page = client.get(answer.headers["location"])
    assert "2025" not in answer.headers["location"]
    row = re.search(r'<th scope="row">xa1</th>(.*?)</tr>', page.text, re.S)
    assert row is not None
    assert f'<a href="/subjects/{target.subject}">4</a>' in row[1]
    assert "12-QĐ" in row[1]
    assert "chưa đạt chỉ tiêu" in row[1]
    assert "xa1_secretary" in row[1]
    assert f'<a href="/subjects/{rating.subject}">Chờ xếp loại</a>' in row[1]
    assert "không giao chỉ tiêu" in page.text
    near = office.client("xa2_secretary").get("/scores").text
    assert '<th scope="row">xa2</th>' in near
    assert "xa1" not in near
    wrong = client.post("/scores", {"score": "admissions", "year": "hai nghìn", "until_year": "2020"})
    assert client.get(wrong.headers["location"]).status_code == 400
