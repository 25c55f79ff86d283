"""Organisations on the pages: the tree of a day, changes shown before they are recorded, transfers that wait."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest

from engine.core.commands import Move, SetFacts, Start
from engine.steps import By
from tests.web_office import Client, PagesOffice, serving


@pytest.fixture
def office():
    with serving() as made:
        yield made


def text(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def start(office: PagesOffice, id: str, org: str, by: str, **facts: object) -> None:
    office.service.start(
        Start(workflow="candidate", id=id, org=org, facts={"full_name": "Trần An", **facts}), By(officer=by)
    )


def admin(office: PagesOffice) -> Client:
    """Returns the administrator's client: signed in once, as a code fits only once."""
    return office.clients[0] if office.clients else office.client("tu_admin")


def change(office: PagesOffice, org: str, what: str, **typed: str):
    """Posts a change, then what the page that shows all that follows bears."""
    client = admin(office)
    path = f"/organisations/{org}/{what}"
    shown = client.post(path, typed)
    if shown.status_code != 200:
        return shown
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', shown.text)
    return client.send(path, {unescape(n): unescape(v) for n, v in pairs})


def names(office: PagesOffice, on: date | None = None) -> dict[str, tuple[str, str | None]]:
    _, tree = office.service.organisations.on(on)
    return {o.id: (o.name, o.parent) for o in tree.by_id.values()}


def test_the_tree_is_shown_as_of_a_day(office: PagesOffice) -> None:
    change(office, "cb1", "rename", name="Chi bộ thôn Một", on="15/01/2025", decision="12-QĐ/ĐU")
    client = office.client("cb2_clerk")
    today, before = (text(client.get(a).text) for a in ("/organisations", "/organisations?on=14/01/2025"))
    assert "Chi bộ thôn Một" in today
    assert "Chi bộ thôn Một" not in before
    assert "14/01/2025" in before
    story = text(client.get("/organisations/cb1").text)
    assert "12-QĐ/ĐU" in story
    assert "15/01/2025" in story
    wrong = client.get("/organisations?on=31/02/2025")
    assert wrong.status_code == 200
    assert "Tháng 2 có 28 ngày" in text(wrong.text)


def test_nothing_is_recorded_before_all_that_follows_was_shown(office: PagesOffice) -> None:
    start(office, "p1", "cb1", "cb1_clerk")
    client = admin(office)
    shown = client.post("/organisations/cb1/merge", {"into": "cb2", "on": "20/01/2025", "decision": "5-QĐ/ĐU"})
    assert shown.status_code == 200
    assert "chuyển sang đơn vị mới" in text(shown.text)
    assert "Trần An" not in shown.text
    with office.service.work() as work:
        assert work.case("p1").subject.org == "cb1"
    done = change(office, "cb1", "merge", into="cb2", on="20/01/2025", decision="5-QĐ/ĐU")
    assert done.status_code == 303
    with office.service.work() as work:
        assert work.case("p1").subject.org == "cb2"


def test_a_unit_is_founded_moved_and_closed_with_its_day_and_decision(office: PagesOffice) -> None:
    assert change(office, "xa1", "found", id="cb9", name="Chi bộ <b>Chín</b>", kind="branch", on="").status_code == 303
    assert names(office)["cb9"] == ("Chi bộ <b>Chín</b>", "xa1")
    assert "<b>Chín" not in office.client("cb1_clerk").get("/organisations").text
    assert change(office, "cb9", "move", parent="xa2", on="").status_code == 303
    assert names(office)["cb9"][1] == "xa2"
    assert "Chi bộ <b>Chín</b>" in text(change(office, "xa2", "close", on="").text), "what is there, by its name"
    assert change(office, "cb9", "close", on="21/01/2025", decision="7-QĐ/ĐU").status_code == 303
    assert office.service.organisations.on()[1].by_id["cb9"].period.ended(date(2025, 1, 21))


@pytest.mark.parametrize(
    ("org", "what", "typed", "said"),
    [
        ("xa1", "found", {"id": "cb1", "name": "Chi bộ", "kind": "branch", "on": ""}, "cb1 đã có"),
        ("xa1", "found", {"id": "chi bộ", "name": "Chi bộ", "kind": "branch", "on": ""}, "không dấu"),
        ("xa1", "found", {"id": "x", "name": "", "kind": "branch", "on": ""}, "Ô này bắt buộc"),
        ("xa1", "close", {"on": ""}, "Chưa kết thúc xa1 được: ở đó còn cb"),
        ("cb1", "rename", {"name": "Chi bộ", "on": "31/02/2025"}, "Tháng 2 có 28 ngày"),
    ],
)
def test_a_refused_change_comes_back_filled_with_the_reason(office, org, what, typed, said) -> None:
    before = names(office)
    answer = change(office, org, what, **typed)
    assert answer.status_code in (400, 422)
    assert said in text(answer.text)
    for value in filter(None, typed.values()):
        assert f'value="{value}"' in answer.text
    assert names(office) == before


def test_a_unit_is_split_when_everything_it_has_was_given_a_place(office: PagesOffice) -> None:
    start(office, "p1", "cb1", "cb1_clerk")
    start(office, "p2", "cb1", "cb1_clerk", birth_date="1999-01-01")
    start(office, "p10", "cb1", "cb1_clerk", birth_date="1999-02-01")
    page = admin(office).get("/organisations/cb1/split").text
    assert "Trần An" not in page
    assert re.findall(r'name="to.(p\d+)"', page) == ["p1", "p2", "p10"], "in the order of their numbers"
    assert change(office, "cb1", "split", **{"to.p1": "cb2", "to.p2": "", "on": ""}).status_code == 303
    with office.service.work() as work:
        assert (work.case("p1").subject.org, work.case("p2").subject.org) == ("cb2", "cb1")


@pytest.mark.parametrize("officer", ["cb1_secretary", "xa1_secretary", "tu_inspector"])
def test_only_whoever_may_keeps_the_organisations(office: PagesOffice, officer: str) -> None:
    client = office.client(officer)
    assert "/organisations/cb1/rename" not in client.get("/organisations/cb1").text
    assert client.get("/organisations/cb1/rename").status_code == 404
    token = client.hidden("/account")
    answer = client.send("/organisations/cb1/rename", {**token, "name": "X", "on": "", "confirmed": "yes"})
    assert answer.status_code == 404
    assert names(office)["cb1"][0] == "cb1"


def test_an_administrator_reaches_no_unit_beside_or_above_their_own(office: PagesOffice) -> None:
    from engine.officework import OfficerChange
    from tests.web_office import hashed

    office.service.set_up().officers(
        [OfficerChange(id="xa1_admin", name="QT", org="xa1", roles=["admin"], password=hashed())]
    )
    office.secrets["xa1_admin"] = office.codes.secret()
    office.service.accounts.give_factor("xa1_admin", office.secrets["xa1_admin"], By(officer="tu_admin"))
    client = office.client("xa1_admin")
    for org, what, typed in (
        ("cb3", "rename", {"name": "X"}),
        ("xa1", "rename", {"name": "X"}),
        ("cb1", "rename", {"name": "X"}),
        ("cb1", "move", {"parent": "xa2"}),
        ("cb1", "merge", {"into": "cb3"}),
    ):
        answer = client.post(f"/organisations/{org}/{what}", {**typed, "on": "", "confirmed": "yes"}, page="/account")
        assert answer.status_code == (303 if typed == {"name": "X"} and org != "cb3" else 403), (org, what)
    assert names(office)["cb3"][0] == "cb3"


def test_transfers_that_wait_are_shown_to_both_units_and_nobody_else(office: PagesOffice) -> None:
    start(office, "p1", "cb1", "cb1_clerk")
    moved = office.service.move(
        Move(subject="p1", trigger="transfer", facts={"to_org": "cb3"}, reason="Chuyển nơi ở"), By(officer="cb1_clerk")
    )
    assert moved.to is not None
    for officer in ("cb1_clerk", "cb3_secretary", "xa2_secretary", "tu_clerk"):
        assert "Trần An" in office.client(officer).get("/transfers").text, officer
    assert "Trần An" not in office.client("cb2_clerk").get("/transfers").text
    assert office.client("tu_admin").get("/transfers").status_code == 404


def test_a_corrected_value_is_struck_on_the_timeline_and_a_late_entry_says_so(office: PagesOffice) -> None:
    start(office, "p1", "cb1", "cb1_clerk", occupation="Giáo viên")
    office.service.set_facts(
        SetFacts(subject="p1", facts={"occupation": "Bác sĩ"}, reason="Ghi nhầm"), By(officer="cb1_clerk")
    )
    page = office.client("cb1_secretary").get("/subjects/p1").text
    assert "<del>Giáo viên</del> → <ins>Bác sĩ</ins>" in page
