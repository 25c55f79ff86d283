"""The sheet of a sitting: proposals stand on it, lines are decided, kept as a draft, recorded whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape

import pytest

from engine.core.commands import Line, Move, Start
from engine.steps import By
from tests.web_office import Client, PagesOffice, serving

AT = "/subjects/r1/sheets/hold"
READY = {
    "motives": "Muốn cống hiến", "helper": "Nguyễn Văn Thịnh", "helper_is_formal": "true",
    "helper_together_since": "2022-09-10", "branch_proposed_on": "2025-01-15",
}  # fmt: skip


@pytest.fixture
def office() -> Iterator[PagesOffice]:
    """An office in which a committee is to review three sources of two branches."""
    with serving() as found:
        service = found.service
        for id, org, name in (("u1", "cb1", "Vũ Thị Ngọc Ánh"), ("u2", "cb1", "Lê <b>"), ("u3", "cb2", "Đỗ Văn Ba")):
            facts = {"full_name": name, "birth_date": "1996-08-14", "education": "university", **READY}
            if id == "u2":
                del facts["helper"]
            by = By(officer="cb1_secretary" if org == "cb1" else "cb2_clerk")
            service.start(Start(workflow="candidate", org=org, id=id, facts=facts), by)
        start = Start(workflow="monthly_review", org="xa1", id="r1", facts={"month": "2025-01"})
        service.start(start, By(officer="xa1_secretary"))
        proposed = Move(
            subject="r1", trigger="send_proposals", facts={"branch": "cb1"}, lines=[Line(subject="u1", do="add")]
        )
        service.move(proposed, By(officer="xa1_secretary"))
        yield found


def state(office: PagesOffice, subject: str) -> str:
    with office.service.work() as work:
        return work.case(subject).subject.state


def checked(page: str) -> set[str]:
    """Returns the decisions that stand chosen on a page."""
    parts = [p for p in page.split("<input ")[1:] if " checked>" in p.split("</label>")[0]]
    return {p.split('name="')[1].split('"')[0] + "=" + p.split('value="')[1].split('"')[0] for p in parts}


def hidden(page: str) -> dict[str, str]:
    form = page.split('method="post" action="/subjects/')[1] if "<form" in page else page
    found: dict[str, str] = {}
    for part in form.split('<input type="hidden" ')[1:]:
        name = part.split('name="')[1].split('"')[0]
        found.setdefault(name, unescape(part.split('value="')[1].split('"')[0]))
    return found


def fill(client: Client, data: dict[str, str], do: str) -> tuple[int, str]:
    page = client.get(AT).text
    answer = client.send(AT, {**hidden(page), "f.held_on": "21/01/2025", **data, "do": do})
    return answer.status_code, answer.text


def test_what_was_proposed_is_chosen_and_what_would_fail_is_said_beside_each_line(office: PagesOffice) -> None:
    page = office.client("xa1_secretary").get(AT).text
    assert {"d:u1=add", "d:u2=", "d:u3="} <= checked(page)
    assert "Lê &lt;b&gt;" in page
    line = page.split("Lê &lt;b&gt;</a>")[1].split("</tr>")[0]
    assert "cần bổ sung" in line
    assert "ghi được" in page.split("Vũ Thị Ngọc Ánh</a>")[1].split("</tr>")[0]
    assert office.service.show("r1")[0].subject.version == 2, "looking changes nothing"


def test_a_draft_is_there_for_whoever_may_go_on_with_it_and_never_lost_to_another(office: PagesOffice) -> None:
    client, other = office.client("xa1_secretary"), office.client("xa1_deputy")
    seen = hidden(other.get(AT).text)
    assert fill(client, {"d:u1": "add", "d:u3": "~", "r:u3": "Hỏi thêm"}, "keep")[0] == 303
    page = other.get(AT).text
    assert {"d:u1=add", "d:u3=~"} <= checked(page)
    assert "Hỏi thêm" in page
    assert "xa1_secretary" in page
    answer = other.send(AT, {**seen, "f.held_on": "21/01/2025", "d:u1": "drop", "do": "keep"})
    assert answer.status_code == 409
    assert "d:u1=drop" in checked(answer.text), "what was typed is still there"
    assert {"d:u1=add"} <= checked(client.get(AT).text)
    again = other.send(AT, {**hidden(answer.text), "f.held_on": "21/01/2025", "d:u1": "drop", "do": "keep"})
    assert again.status_code == 303
    with office.service.work() as work:
        rows = work.tx.drafts(["r1"])
    assert "Hỏi thêm".encode() not in rows[0].sealed


def test_one_line_that_fails_keeps_the_whole_sheet_back_and_is_named(office: PagesOffice) -> None:
    client = office.client("xa1_secretary")
    status, page = fill(client, {"d:u1": "add", "d:u2": "add", "d:u3": "add"}, "try")
    assert status in (400, 422)
    alert = page.split('role="alert"')[1].split("</div>")[0]
    assert "Lê &lt;b&gt;" in alert
    assert "Ánh" not in alert
    assert state(office, "u1") == "source"
    assert {"d:u1=add", "d:u2=add", "d:u3=add"} <= checked(page)


def test_a_line_is_mended_on_the_sheet_then_all_is_recorded_after_it_was_shown(office: PagesOffice) -> None:
    client = office.client("xa1_secretary")
    data = {
        "d:u1": "add",
        "d:u2": "add",
        "x:u2:helper": "Trần Thị Sáu",
        "d:u3": "drop",
        "x:u3:drop_reason": "moved",
        "r:u3": "Chuyển về quê",
    }
    status, page = fill(client, {**data, "f.minutes_no": "03-BB/ĐU"}, "try")
    assert status == 200, page
    assert "Đưa vào danh sách (2): Lê &lt;b&gt;, Vũ Thị Ngọc Ánh" in page
    assert state(office, "u1") == "source", "so far nothing is recorded"
    answer = client.send(AT, {**hidden(page), "confirmed": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/subjects/r1")
    assert [state(office, u) for u in ("u1", "u2", "u3", "r1")] == ["elite", "elite", "closed", "held"]
    assert office.service.show("r1")[0].subject.facts["minutes_no"] == "03-BB/ĐU"
    assert office.service.show("u2")[0].subject.facts["helper"] == "Trần Thị Sáu"
    with office.service.work() as work:
        assert not work.tx.drafts()
    again = client.send(AT, {**hidden(page), "confirmed": "yes"})
    assert (again.status_code, again.headers["location"]) == (303, "/subjects/r1"), "sent twice, done once"
    assert office.service.show("r1")[0].subject.version == 3


def test_a_draft_that_was_changed_after_it_was_confirmed_is_not_recorded(office: PagesOffice) -> None:
    client = office.client("xa1_secretary")
    _, page = fill(client, {"d:u1": "add"}, "try")
    fill(office.client("xa1_deputy"), {"d:u1": ""}, "keep")
    answer = client.send(AT, {**hidden(page), "confirmed": "yes"})
    assert answer.status_code == 409
    assert state(office, "u1") == "source"


def test_a_branch_fills_in_its_own_lines_and_sees_no_other(office: PagesOffice) -> None:
    client = office.client("cb1_secretary")
    assert client.get("/subjects/r1").status_code == 404
    assert client.get(AT).status_code == 404
    page = client.get("/subjects/r1/sheets/send_proposals/cb1").text
    assert "Vũ Thị Ngọc Ánh" in page
    assert "Đỗ Văn Ba" not in page
    assert client.get("/subjects/r1/sheets/send_proposals/cb2").status_code == 404
    at = "/subjects/r1/sheets/send_proposals/cb1"
    tried = client.send(at, {**hidden(page), "d:u1": "keep", "d:u2": "add", "do": "try"})
    assert tried.status_code == 200, tried.text
    assert client.send(at, {**hidden(tried.text), "confirmed": "yes"}).status_code == 303
    facts = office.service.show("r1")[0].subject.facts
    assert facts["branch_proposals"] == {"u1": "keep", "u2": "add"}
    page = office.client("xa1_secretary").get(AT).text
    assert {"d:u1=keep", "d:u2=add"} <= checked(page)


def test_who_may_not_see_the_sheet_finds_nothing_by_guessing(office: PagesOffice) -> None:
    for officer in ("xa2_secretary", "cb3_secretary", "tu_admin", "doan1_secretary"):
        client = office.client(officer)
        for path in (AT, "/subjects/r1/sheets/send_proposals", "/subjects/r1/sheets/send_proposals/cb1"):
            assert client.get(path).status_code == 404, (officer, path)
    inspector = office.client("tu_inspector")
    page = inspector.get(AT).text
    assert "Vũ Thị Ngọc Ánh" in page
    assert 'name="do"' not in page
    form = {**inspector.hidden("/"), "d:u1": "add", "do": "keep"}
    assert inspector.send(AT, form).status_code == 403
    assert inspector.send(AT, {**form, "confirmed": "yes"}).status_code != 303


def test_a_draft_is_put_aside_only_after_a_second_look(office: PagesOffice) -> None:
    client = office.client("xa1_secretary")
    fill(client, {"d:u3": "drop"}, "keep")
    status, page = fill(client, {}, "aside")
    assert status == 200
    assert {"d:u3=drop"} <= checked(client.get(AT).text)
    assert client.send(AT, {**hidden(page), "do": "aside", "confirmed": "yes"}).status_code == 303
    assert {"d:u3="} <= checked(client.get(AT).text)


def test_a_person_who_is_erased_stands_in_no_draft(office: PagesOffice) -> None:
    fill(office.client("xa1_secretary"), {"d:u3": "drop", "r:u3": "Hỏi thêm"}, "keep")
    drop = Move(subject="u3", trigger="drop", facts={"drop_reason": "moved"}, reason="Chuyển đi")
    assert office.service.move(drop, By(officer="xa1_secretary")).allowed
    office.service.persons.erase("u3", "theo đơn", "Luật", By(officer="tu_secretary"))
    with office.service.work() as work:
        assert not work.tx.drafts()
