"""Obstacles, documents, briefings, inspections, education and requests: begun, listed and stepped through by pages."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import httpx
import pytest

from engine.core.commands import Start
from engine.steps import By
from tests.web_office import Client, PagesOffice, serving
from tests.world import office_time

# workflow -> who begins it where, with what; who takes which step, with what; the state after it
DAYS = {
    "obstacle": ("xa1_clerk", "xa1", {"f.difficulty": "Thiếu người giúp đỡ"}, "xa1_secretary", "assign",
                 {"f.handled_by": "cb1"}, "assigned"),
    "governing_document": ("tu_clerk", "tu", {"f.document_no": "15-CT/TU", "f.document_title": "Chỉ thị",
                           "f.document_date": "10/12/2024", "f.issued_by": "Thị ủy"}, "tu_clerk", "end_document",
                           {}, "out_of_force"),
    "inspection": ("tu_clerk", "xa1", {"f.inspected_matter": "Phát triển đảng"}, "tu_clerk", "call_off_inspection",
                   {}, "called_off"),
    "education_activity": ("xa1_clerk", "xa1", {"f.topic": "Học tập", "f.audience": "youth"}, "xa1_clerk",
                           "call_off_activity", {}, "called_off"),
    "data_request": ("xa1_secretary", "xa1", {"f.about_whom": "p1", "f.person_asks_for": "see_data",
                     "f.lodged_on": "20/01/2026"}, "xa1_secretary", "answer_request",
                     {"f.answered_on": "21/01/2026", "f.answer_no": "5-CV/ĐU"}, "request_answered"),
}  # fmt: skip

SIGNED: dict[str, Client] = {}


@pytest.fixture(scope="module")
def office():
    with serving(now=office_time(date(2026, 1, 21))) as made:
        made.service.start(
            Start(workflow="candidate", id="p1", org="cb1", facts={"full_name": "Trần An"}), By(officer="cb1_clerk")
        )
        SIGNED.clear()
        yield made


def client(office: PagesOffice, officer: str) -> Client:
    if officer not in SIGNED:
        SIGNED[officer] = office.client(officer)
    return SIGNED[officer]


def text(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def step(signed: Client, path: str, asked: dict[str, str]) -> httpx.Response:
    """Takes a step; where a page shows first what is recorded, sends what it bears."""
    answer = signed.post(path, asked)
    if answer.status_code == 200 and 'name="confirmed"' in answer.text:
        pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', answer.text)
        return signed.send(path, {unescape(n): unescape(v) for n, v in pairs})
    return answer


@pytest.mark.parametrize("workflow", DAYS)
def test_it_is_begun_listed_and_stepped_through_by_pages(office: PagesOffice, workflow: str) -> None:
    beginner, unit, begun, stepper, trigger, asked, after = DAYS[workflow]
    signed = client(office, beginner)
    assert f'href="/matters/{workflow}"' in signed.get("/").text
    assert f'href="/start/{workflow}"' in signed.get(f"/matters/{workflow}").text
    made = signed.post(f"/start/{workflow}", {"unit": unit, **begun})
    assert made.status_code == 303, text(made.text)[:1500]
    with office.service.work() as work:
        id = work.tx.find_subjects(workflow=workflow)[0].id
    other = client(office, stepper)
    assert f"/subjects/{id}" in other.get(f"/matters/{workflow}").text
    taken = step(other, f"/subjects/{id}/steps/{trigger}", {**asked, "reason": "Lý do"})
    assert taken.status_code == 303, text(taken.text)[:1500]
    with office.service.work() as work:
        assert work.case(id).subject.state == after
    assert client(office, "tu_inspector").get(f"/subjects/{id}").status_code == 200


def test_a_document_that_is_spread_opens_briefings_that_are_ended_by_their_units(office: PagesOffice) -> None:
    clerk = client(office, "tu_clerk")
    made = clerk.post("/start/governing_document", {
        "unit": "tu", "f.document_no": "16-CT/TU", "f.document_title": "Chỉ thị", "f.document_date": "11/12/2024",
        "f.issued_by": "Thị ủy"})  # fmt: skip
    assert made.status_code == 303, text(made.text)[:1500]
    with office.service.work() as work:
        id = next(r.id for r in work.tx.find_subjects(workflow="governing_document") if r.state == "in_register")
    spread = step(clerk, f"/subjects/{id}/steps/spread_document", {"f.brief_by": "28/02/2026"})
    assert spread.status_code == 303, text(spread.text)[:1500]
    with office.service.work() as work:
        open_ = {r.org: r.id for r in work.tx.find_subjects(workflow="briefing")}
    assert "xa1" in open_
    secretary = client(office, "xa1_secretary")
    assert f"/subjects/{open_['xa1']}" in secretary.get("/matters/briefing").text
    asked = {"f.held_on": "20/01/2026", "f.attendance": "12"}
    done = step(secretary, f"/subjects/{open_['xa1']}/steps/brief", asked)
    assert done.status_code == 303, text(done.text)[:800]


def test_a_branch_finds_who_was_introduced_to_it_and_nobody_else_does(office: PagesOffice) -> None:
    facts = {"full_name": "Lê Thị Hồng", "to_branch": "cb1"}
    began = Start(workflow="introduction", id="i1", org="doan1", facts=facts)
    assert office.service.start(began, By(officer="doan1_secretary")).allowed
    mine = client(office, "cb1_secretary").get("/matters/introduction").text
    assert "Lê Thị Hồng" in mine
    assert "/subjects/i1/steps/take_into_source" in mine
    assert "Lê Thị Hồng" not in client(office, "cb2_clerk").get("/matters/introduction").text
