"""A class by its pages alone: begun, called, filled by places, marked, closed with numbers, found in the register."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from html import unescape

import pytest

from engine.core.commands import Line, Move, SetFacts, Start
from engine.steps import By
from tests.web_office import WORKFLOWS, Client, PagesOffice, serving
from tests.world import office_time

PEOPLE = {"u1": ("cb1", "Vũ Thị Ngọc Ánh"), "u2": ("cb1", "Lê Hữu Phước"), "u3": ("cb3", "Đỗ Văn Ba")}
READY = {
    "motives": "Muốn cống hiến", "helper": "Nguyễn Văn Thịnh", "helper_is_formal": "true", "education": "university",
    "helper_together_since": "2022-09-10", "branch_proposed_on": "2025-01-15", "birth_date": "1996-08-14",
}  # fmt: skip


@pytest.fixture
def office() -> Iterator[PagesOffice]:
    """An office with three people on the list, two of one committee, whom the reviews sent to a class."""
    with serving(workflows=(*WORKFLOWS, "training_class")) as found:
        for id, (org, name) in PEOPLE.items():
            head = "xa1_secretary" if org == "cb1" else "xa2_secretary"
            start = Start(workflow="candidate", org=org, id=id, facts={"full_name": name, **READY})
            found.service.start(start, By(officer=f"{org}_secretary"))
            assert found.service.move(Move(subject=id, trigger="recognise"), By(officer=head)).allowed
            month = f"r-{org}-{id}"
            sent = [Line(subject=id, do="send_to_class")]
            unit = head.partition("_")[0]
            facts = {"month": f"2025-0{id[1]}"}
            found.service.start(Start(workflow="monthly_review", org=unit, id=month, facts=facts), By(officer=head))
            found.service.move(Move(subject=month, trigger="hold", lines=sent), By(officer=head))
        yield found


def hidden(page: str) -> dict[str, str]:
    """Returns what the forms of a page's main part bear hidden."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.split("<main")[1])
    return {unescape(n): unescape(v) for n, v in found}


def go(client: Client, path: str, data: dict[str, str]) -> None:
    """Posts a form and confirms it."""
    page = client.get(path).text
    answer = client.send(path, {**hidden(page), "do": "try", **data})
    if answer.status_code == 200:
        answer = client.send(path, {**hidden(answer.text), "confirmed": "yes", "on": data.get("on", "")})
    assert answer.status_code == 303, unescape(answer.text.split("<main")[1])[:3000]


def begin(client: Client) -> None:
    data = {"f.kind": "awareness", "f.class_title": "Khóa I/2025", "f.starts_on": "10/02/2025", "f.places": "2",
            "unit": "ttct", "f.allotments.xa1": "1", "f.allotments.xa2": "1"}  # fmt: skip
    answer = client.post("/start/training_class", data)
    assert answer.status_code == 303, unescape(answer.text.split("<main")[1])[:2000]
    assert answer.headers["location"] == "/subjects/training_class-1"


def test_a_class_is_played_by_its_pages_from_its_beginning_to_the_register(office: PagesOffice) -> None:
    trainer = office.client("ttct_trainer")
    assert 'href="/start/training_class"' in trainer.get("/matters/training_class").text
    begin(trainer)
    at = "/subjects/training_class-1"
    go(trainer, f"{at}/steps/open_class", {"f.list_due": "05/02/2025"})
    page = trainer.get(f"{at}/sheets/enrol").text
    assert page.count('value="enrol" checked') == 3, "whom the reviews sent stands there, chosen"
    go(trainer, f"{at}/sheets/enrol", {"d:u1": "enrol", "d:u2": "enrol", "d:u3": "enrol"})
    students = office.service.show("training_class-1")[0].subject.facts["students"]
    assert isinstance(students, dict)
    assert sorted(map(str, students.values())) == ["enrolled", "enrolled", "waitlisted"], "one place of xa1, one waits"
    page = trainer.get(at).text
    for shown in ("Vũ Thị Ngọc Ánh", "Đỗ Văn Ba", "Danh sách (3 người)"):
        assert shown in page
    office.clock.set(office_time(date(2025, 2, 10)))
    trainer = office.client("ttct_trainer")
    go(trainer, f"{at}/steps/run_class", {})
    enrolled = [u for u, s in students.items() if s == "enrolled"]
    marks = {f"d:{u}": "mark" for u in enrolled} | {f"x:{u}:attendance": "5" for u in enrolled}
    results = {f"x:{u}:result": r for u, r in zip(enrolled, ("pass", "fail"), strict=True)}
    go(trainer, f"{at}/sheets/record_results", {**marks, **results})
    numbers = {"f.first_no": "7", "f.last_no": "20", "f.no_prefix": "GCN-", "f.spoiled_numbers": "GCN-0007: rách"}
    page = trainer.get(f"{at}/sheets/close_class").text
    assert page.count('value="certify" checked') == 1
    go(trainer, f"{at}/sheets/close_class", {**numbers, "f.ends_on": "10/02/2025"})
    assert office.service.show(enrolled[0])[0].subject.state == "trained"
    assert office.service.show(enrolled[0])[0].subject.facts["certificate_no"] == "GCN-0008"
    numbers_at = "/matters/training_class/numbers"
    register = trainer.get(numbers_at).text
    assert "GCN-0008" in register
    assert "rách" in register
    found = trainer.post(
        "/matters/training_class/numbers", {"text": "gcn-0008"}, page="/matters/training_class/numbers"
    )
    assert "0008" not in found.headers["location"]
    page = trainer.get(found.headers["location"]).text
    assert "GCN-0008" in page
    assert "rách" not in page
    assert "Khóa I/2025" not in trainer.get("/matters/training_class").text
    assert "Khóa I/2025" in trainer.get("/matters/training_class/all").text


def test_a_class_is_nobody_elses_and_its_register_shows_each_only_their_own(office: PagesOffice) -> None:
    begin(office.client("ttct_trainer"))
    for officer in ("xa1_secretary", "xa2_secretary", "cb1_secretary"):
        client = office.client(officer)
        assert client.get("/subjects/training_class-1").status_code == 404
        assert client.get("/subjects/training_class-1/sheets/enrol").status_code == 404
        assert client.get("/start/training_class").status_code == 404
        assert "Khóa I/2025" not in client.get("/matters/training_class").text
    assert office.client("tu_admin").get("/matters/training_class").status_code == 404


def test_a_new_person_is_begun_where_the_officer_may_and_one_alike_is_shown_before(office: PagesOffice) -> None:
    client = office.client("cb1_secretary")
    page = client.get("/start/candidate").text
    assert 'name="unit"' not in page, "there is only one place"
    data = {"f.full_name": "vu thi ngoc anh", "f.birth_date": "14/08/1996"}
    before = office.service.find("candidate", "cb1", {})
    answer = client.post("/start/candidate", data)
    assert answer.status_code == 409
    assert 'href="/subjects/u1"' in answer.text
    assert "vu thi ngoc anh" in answer.text, "what was typed is still there"
    assert office.service.find("candidate", "cb1", {}) == before
    answer = client.post("/start/candidate", {**data, "anyway": "yes"})
    assert answer.status_code == 303
    assert len(office.service.find("candidate", "cb1", {})) == len(before) + 1


def test_one_alike_whom_the_officer_does_not_see_is_told_of_without_a_word_of_who(office: PagesOffice) -> None:
    client = office.client("cb1_secretary")
    answer = client.post("/start/candidate", {"f.full_name": "Đỗ Văn Ba", "f.birth_date": "14/08/1996"})
    assert answer.status_code == 409
    assert "ngoài phạm vi" in answer.text
    told = answer.text.split('role="alert"')[1].split("</div></div>")[0]
    for word in ("cb3", "u3", "xa2", "Ba"):
        assert word not in told


def test_a_beginning_that_is_wrong_comes_back_filled_and_begins_nothing(office: PagesOffice) -> None:
    client = office.client("xa1_secretary")
    before = office.service.find("candidate", None, {})
    for data, kept in (
        ({"f.full_name": "", "unit": "cb1"}, ""),
        ({"f.full_name": "Lê Văn Tám", "unit": "cb3"}, "Lê Văn Tám"),
        ({"f.full_name": "Lê Văn Tám", "unit": "cb1", "f.birth_date": "31/02/1999"}, "31/02/1999"),
        ({"f.full_name": "Lê Văn Tám", "unit": "cb1", "on": "31/12/2099"}, "31/12/2099"),
    ):
        answer = client.post("/start/candidate", data)
        assert answer.status_code == 400, data
        assert kept in unescape(answer.text)
    assert office.service.find("candidate", None, {}) == before
    assert client.get("/start/probation").status_code == 404, "opened by a step, never by hand"


def test_what_nobody_set_stays_out_of_the_way_of_places(office: PagesOffice) -> None:
    begin(office.client("ttct_trainer"))
    facts = SetFacts(subject="training_class-1", facts={"allotments": {"xa1": None}})
    office.service.set_facts(facts, By(officer="ttct_trainer"))
    page = office.client("ttct_trainer").get("/subjects/training_class-1/facts/allotments").text
    assert 'name="f.allotments.xa1" value=""' in page
    assert 'name="f.allotments.xa2" value="1"' in page
