"""What waits for an officer, and what changed since they were last here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from engine.core.commands import Start
from engine.doors.desk import MOST
from engine.steps import By
from tests.web_office import PagesOffice, serving


@pytest.fixture
def office() -> Iterator[PagesOffice]:
    """An office with its pages and three people."""
    with serving() as found:
        add(found, "u1", "cb1", "Vũ Thị Ngọc Ánh")
        yield found


def add(office: PagesOffice, id: str, org: str, name: str) -> None:
    by = By(officer=f"{org}_secretary")
    office.service.start(Start(workflow="candidate", org=org, id=id, facts={"full_name": name}), by)


def test_what_others_changed_is_news_once_more_only_after_signing_in_again(office: PagesOffice) -> None:
    client = office.client("xa1_secretary")
    for _ in range(2):
        assert "Vũ Thị Ngọc Ánh" in client.get("/").text, "it stays as long as the session"
    client.post("/sign-out", {}, page="/")
    office.clock.set(office.clock.now() + timedelta(days=7))
    add(office, "u2", "cb1", "Lê Hữu Phước")
    page = office.client("xa1_secretary").get("/").text
    assert "Lê Hữu Phước" in page
    assert "Vũ Thị Ngọc Ánh" not in page


def test_more_than_a_page_is_counted_and_every_deadline_is_led_to() -> None:
    with serving() as office:
        facts = {"full_name": "Vũ Thị Ngọc Ánh", "works_far_away": "true", "away_since": "2024-10-01"}
        for n in range(MOST + 7):
            named = {**facts, "full_name": f"Người thứ {n:03}", "contacted_on": "2024-10-28"}
            office.service.start(
                Start(workflow="candidate", org="cb1", id=f"u{n:03}", facts=named), By(officer="cb1_secretary")
            )
        client = office.client("cb1_secretary")
        first, second = client.get("/").text, client.get("/?page=2").text
        assert f"từ thứ 1 đến thứ {MOST}, sớm nhất trước; còn 7 hạn nữa" in first
        assert 'href="/?page=2"' in first
        assert f"từ thứ {MOST + 1} trở đi; không còn hạn nào nữa" in second
        waits = [set(re.findall(r"Người thứ \d{3}", page.partition('id="news"')[0])) for page in (first, second)]
        assert [len(names) for names in waits] == [MOST, 7]
        assert not waits[0] & waits[1]
        for odd in ("0", "x", "-1", "99999999999", "²"):
            assert client.get(f"/?page={odd}").text.count("Người thứ") >= MOST, odd
        other = office.client("xa1_secretary")
        older = re.search(r"Còn (\d+) thay đổi cũ hơn chưa hiện", other.get("/").text)
        assert older is not None
        every = other.get("/?news=all").text.partition('id="news"')[2]
        assert every.count("<li><time") == 12 + int(older[1]) > 50
        assert "chưa hiện" not in every


def test_nobody_hears_of_a_person_of_another_unit(office: PagesOffice) -> None:
    for officer in ("xa2_secretary", "cb3_secretary", "doan1_secretary", "ttct_trainer", "tu_admin"):
        client = office.client(officer)
        if officer != "ttct_trainer":
            assert "Vũ Thị" not in client.get("/").text, officer
            for path in ("", "/facts", "/undo", "/steps/recognise", "/steps/nothing"):
                answer = client.get(f"/subjects/u1{path}")
                assert answer.status_code == 404, (officer, path)
                assert "Vũ Thị" not in answer.text
    assert office.client("tu_inspector").get("/subjects/u1").status_code == 200


def test_who_may_not_take_a_step_is_refused_by_a_form_made_by_hand_too(office: PagesOffice) -> None:
    client = office.client("cb1_clerk")
    assert client.get("/subjects/u1").status_code == 200
    form = {**client.hidden("/subjects/u1/facts"), "f.branch_proposed_on": "20/01/2025", "on": "21/01/2025"}
    answer = client.send("/subjects/u1/steps/recognise", {**form, "f.motives": "x", "f.helper": "y"})
    assert answer.status_code == 403
    assert office.service.show("u1")[0].subject.state == "source"
    inspector = office.client("tu_inspector")
    form = {**inspector.hidden("/subjects/u1/facts"), "f.occupation": "Giáo viên"}
    assert inspector.send("/subjects/u1/facts", form).status_code == 403


def test_a_form_sent_twice_is_done_once(office: PagesOffice) -> None:
    client = office.client("cb1_secretary")
    form = {**client.hidden("/subjects/u1/facts"), "f.occupation": "Giáo viên"}
    assert client.send("/subjects/u1/facts", form).status_code == 303
    version = office.service.show("u1")[0].subject.version
    assert client.send("/subjects/u1/facts", form).status_code == 303
    assert office.service.show("u1")[0].subject.version == version


def test_twenty_officers_at_once_are_all_answered(office: PagesOffice) -> None:
    from concurrent.futures import ThreadPoolExecutor

    clients = [office.client("cb1_secretary") for _ in range(4)]
    clients += [c for c in clients for _ in range(4)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda c: c.get("/subjects/u1").status_code, clients))
    assert answers == [200] * 20
