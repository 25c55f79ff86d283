"""A person's data on the pages: held, copied and erased by whoever may decide about it, and by nobody else."""

from __future__ import annotations

import re
from html import unescape

import pytest

from engine.core import events
from engine.core.commands import Move, Start
from engine.persons import StillNeeded
from engine.steps import By
from tests.web_office import Client, PagesOffice, serving
from web.words import error_text

AT = "/subjects/p1/person"
NAME = "Trần Thị Ánh"


@pytest.fixture(scope="module")
def office():
    with serving() as made:
        clerk = By(officer="cb1_clerk")
        for id in ("p1", "p2"):
            facts = {"full_name": NAME, "birth_date": f"199{id[1]}-01-02"}
            made.service.start(Start(workflow="candidate", id=id, org="cb1", facts=facts), clerk)
        made.service.move(
            Move(subject="p1", trigger="drop", facts={"drop_reason": "moved"}, reason="Chuyển đi"),
            By(officer="xa1_secretary"),
        )
        yield made


@pytest.fixture(scope="module")
def secretary(office: PagesOffice) -> Client:
    return office.client("xa1_secretary")


def text(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def kinds(office: PagesOffice) -> list[str]:
    with office.service.work() as work:
        return [e.kind for e in work.tx.events(after=-1)]


def test_what_is_held_is_not_erased_until_it_is_released(office: PagesOffice, secretary: Client) -> None:
    assert f'href="{AT}"' in secretary.get("/subjects/p1").text
    assert secretary.post(AT + "/hold", {"reason": "", "until": ""}, AT).status_code == 400
    held = secretary.post(AT + "/hold", {"reason": "Đang giải quyết đơn số 12", "until": "31/12/2026"}, AT)
    assert held.status_code == 303
    page = text(secretary.get(AT).text)
    assert "Đang giải quyết đơn số 12" in page
    assert "Xem những gì bị xóa" not in page
    forced = {"reason": "x", "basis": "y", "confirmed": "yes"}
    assert secretary.post(AT + "/erase", forced, AT).status_code == 422
    assert events.ERASED not in kinds(office)
    assert secretary.post(AT + "/release", {"reason": "Đã giải quyết xong"}, AT).status_code == 303


def test_a_copy_for_the_person_holds_what_is_kept_and_is_noted(office: PagesOffice, secretary: Client) -> None:
    before = kinds(office).count(events.EXPORTED)
    given = secretary.post(AT + "/copy", {}, AT)
    assert given.status_code == 200
    assert NAME in given.text
    assert given.headers["content-disposition"] == 'attachment; filename="ban-sao.html"'
    assert kinds(office).count(events.EXPORTED) == before + 1


@pytest.mark.parametrize("officer", ["cb1_clerk", "cb1_secretary", "xa2_secretary", "tu_inspector"])
def test_whoever_may_not_decide_about_a_person_finds_nothing(office: PagesOffice, officer: str) -> None:
    client = office.client(officer)
    before = len(kinds(office))
    assert client.get(AT).status_code == 404
    for what in ("hold", "release", "copy", "erase"):
        answer = client.post(f"{AT}/{what}", {"reason": "x", "basis": "y", "confirmed": "yes"}, "/account")
        assert answer.status_code == 404, what
    assert not {events.HELD, events.ERASED} & set(kinds(office)[before:])


def test_an_open_case_says_why_it_is_not_erased(secretary: Client) -> None:
    page = text(secretary.get("/subjects/p2/person").text)
    assert "Quần chúng ưu tú chưa kết thúc (Nguồn)" in page


def test_an_erasure_shows_what_goes_and_then_nobody_reads_the_name(office: PagesOffice, secretary: Client) -> None:
    typed = {"reason": "Theo đơn số 5", "basis": "Luật số 91/2025/QH15", "request": ""}
    shown = secretary.post(AT + "/erase", typed, AT)
    assert "Không ai hoàn tác được" in text(shown.text)
    assert events.ERASED not in kinds(office)
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', shown.text)
    done = secretary.send(AT + "/erase", {unescape(n): unescape(v) for n, v in pairs})
    assert done.status_code == 303
    assert NAME not in secretary.get("/subjects/p1").text
    assert NAME in secretary.get("/subjects/p2").text


def test_why_data_is_not_erased_names_the_stage_in_words(office: PagesOffice) -> None:
    with pytest.raises(StillNeeded) as refused:
        office.service.persons.erase("p2", "x", "y", By(officer="xa1_secretary"))
    assert error_text(refused.value, "vi") == "hồ sơ p2 chưa kết thúc (Nguồn); chưa xóa gì"
    assert error_text(refused.value, "en") == "p2 is still open (Source); nothing was erased"
    assert str(refused.value) == error_text(refused.value, "en")


def test_a_request_says_what_to_type_for_the_person(secretary: Client) -> None:
    assert "Mã ở đầu trang hồ sơ của người ấy" in secretary.get("/start/data_request").text
