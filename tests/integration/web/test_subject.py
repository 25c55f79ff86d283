"""A person's page: what is checked while typing, papers that are not needed, what happened, who may open it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest

from engine.core.commands import Move, SetFacts, Start
from engine.recording import Past, Record
from engine.steps import By
from tests.web_office import PagesOffice, serving

CLERK, HEAD = By(officer="cb1_clerk"), By(officer="xa1_secretary")


@pytest.fixture
def office() -> Iterator[PagesOffice]:
    with serving() as found:
        start = Start(workflow="candidate", org="cb1", id="u1", facts={"full_name": "Vũ Thị Ngọc Ánh"})
        found.service.start(start, CLERK)
        yield found


def size(office: PagesOffice) -> int:
    with office.service.work() as work:
        return work.tx.head().size


def test_what_is_typed_is_checked_and_nothing_is_written(office: PagesOffice) -> None:
    client = office.client("xa1_secretary")
    form = client.hidden("/subjects/u1/steps/recognise")
    before = size(office)
    answer = client.send(
        "/subjects/u1/steps/recognise/check",
        {**form, "f.branch_proposed_on": "31/02/2025", "f.motives": "x", "on": "21/01/2025"},
    )
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "có 28 ngày" in answer.text
    better = client.send("/subjects/u1/steps/recognise/check", {**form, "f.helper": "Lê Mai", "on": "01/01/2030"})
    assert 'class="late"' in better.text, "a day that has not come"
    assert size(office) == before
    assert office.service.show("u1")[0].subject.version == 1


def test_who_may_not_read_a_person_has_nothing_checked(office: PagesOffice) -> None:
    for officer in ("xa2_secretary", "cb3_secretary", "tu_admin"):
        client = office.client(officer)
        form = {"csrf": client.hidden("/account")["csrf"], "on": "21/01/2025"}
        assert client.send("/subjects/u1/steps/recognise/check", form).status_code == 404, officer
        assert client.get("/subjects/u1/history").status_code == 404, officer
    assert office.client().http.post("/subjects/u1/steps/recognise/check").status_code in (401, 403)


def test_the_receiving_unit_opens_whom_it_is_to_accept_and_nobody_else_there(office: PagesOffice) -> None:
    other = office.client("cb3_secretary")
    assert other.get("/subjects/u1").status_code == 404
    office.service.move(Move(subject="u1", trigger="transfer", facts={"to_org": "cb3"}, reason="Chuyển công tác"), HEAD)
    assert other.get("/subjects/u1").status_code == 200
    assert "Vũ Thị Ngọc Ánh" in other.get("/list/candidate").text
    assert office.client("cs1_secretary").get("/subjects/u1").status_code == 404
    office.service.move(Move(subject="u1", trigger="return_transfer", reason="Không"), By(officer="cb3_secretary"))
    assert other.get("/subjects/u1").status_code == 404
    assert "Vũ Thị Ngọc Ánh" not in other.get("/list/candidate").text


def test_papers_that_do_not_apply_are_said_not_to_be_needed(office: PagesOffice) -> None:
    client = office.client("cb1_secretary")
    office.service.set_facts(SetFacts(subject="u1", facts={"papers": {"application": "2025-01-10"}}), CLERK)
    page = client.get("/subjects/u1").text
    assert "Không cần với người này" in page
    assert "10/01/2025" in page
    idle = page[page.index("Không cần với người này") :].split("</p>")[0]
    office.service.set_facts(SetFacts(subject="u1", facts={"union_member": True}), CLERK)
    now = client.get("/subjects/u1").text
    after = now[now.index("Không cần với người này") :].split("</p>")[0] if "Không cần với người này" in now else ""
    assert len(after) < len(idle), "the union's resolution is needed of a member"


def test_a_long_history_is_shown_on_a_page_of_its_own(office: PagesOffice) -> None:
    client = office.client("cb1_secretary")
    assert "/subjects/u1/history" not in client.get("/subjects/u1").text
    for n in range(14):
        office.service.set_facts(SetFacts(subject="u1", facts={"occupation": f"Nghề {n}"}), CLERK)
    assert "/subjects/u1/history" in client.get("/subjects/u1").text
    whole = client.get("/subjects/u1/history").text
    assert whole.count("<li><time") == 15


def test_what_happened_names_the_rules_of_the_day_and_each_leads_to_the_law(office: PagesOffice) -> None:
    facts = {"branch_proposed_on": "2025-01-10", "motives": "Cống hiến", "helper": "Lê Mai"}
    office.service.move(Move(subject="u1", trigger="recognise", facts=facts), HEAD)
    client = office.client("cb1_secretary")
    for path in ("/subjects/u1", "/subjects/u1/history"):
        page = client.get(path).text
        judged = re.search(r"Quy tắc đã xét: (\d+)</summary>(.*?)</details>", page, re.S)
        assert judged is not None, path
        lines = judged[2].split("<li")[1:]
        assert len(lines) == int(judged[1]) > 1
        for line in lines:
            link = re.search(r'<a href="/procedures/candidate#(rule-[a-z0-9_]+)">', line)
            assert link is not None, line
            assert f'id="{link[1]}"' in client.get("/procedures/candidate").text
        assert "đạt · bản có hiệu lực từ " in judged[2]
    asked = client.get("/subjects/u1").text.partition("Bước tiếp theo")[2].partition("Diễn biến")[0]
    assert re.search(r'<p class="src"><a href="/procedures/candidate#rule-[a-z0-9_]+">', asked)


def test_what_is_printed_of_a_sitting_is_led_to_from_it(office: PagesOffice) -> None:
    office.service.start(
        Start(workflow="monthly_review", org="xa1", id="r1", facts={"month": "2025-01"}), By(officer="xa1_secretary")
    )
    client = office.client("xa1_secretary")
    assert 'href="/subjects/r1/forms"' in client.get("/subjects/r1/sheets/hold").text
    page = client.get("/subjects/r1/forms").text
    assert 'href="/subjects/r1/forms/minutes"' in page
    assert 'href="/reports/class_list"' in page


def test_a_value_that_stands_for_words_is_written_and_read_in_words(office: PagesOffice) -> None:
    """Whoever types the word that a page shows means the value; any other text stays as it is."""
    client = office.client("cb1_clerk")
    page = "/subjects/u1/facts/religion"
    assert "Ghi Không khi" in client.get(page).text
    for said, kept in (("không", "none"), ("None", "none"), ("Công giáo", "Công giáo"), ("none", "none")):
        assert client.post(page, {"f.religion": said}).status_code == 303
        assert office.service.show("u1")[0].subject.facts["religion"] == kept
    opened = client.post("/subjects/u1/open", {"fact": "religion"}, page="/subjects/u1")
    assert "<dt>Tôn giáo</dt><dd>Không</dd>" in client.get(opened.headers["location"]).text


def test_history_says_whence_it_came_when_it_was_written_there_and_by_whom(office: PagesOffice) -> None:
    """Out of the files, or in an export with the day of recording and the officer of the other database."""
    day, there = date(2024, 1, 5), {"origin": "live", "recorded_at": "2024-01-10T09:00:00.000000Z"}
    past = Past(on=day, trigger="recognise", by=["xa1_secretary"], detail=there)
    old = Record(workflow="candidate", org="cb1", id="u2", on=day, facts={"full_name": "Lê An"}, past=[past])
    office.service.past.record([old], HEAD)
    page = office.client("xa1_secretary").get("/subjects/u2/history").text
    assert "Lịch sử (nhập lại)" in page, "its beginning came out of the files"
    assert "đưa vào từ tệp xuất, nơi cũ ghi lúc 10/01/2024, 16:00" in page
    assert page.count("chậm 3 ngày làm việc") == 1


def test_what_is_wrong_stands_beside_its_field_without_the_name_in_the_file(office: PagesOffice) -> None:
    client = office.client("xa1_secretary")
    answer = client.post("/subjects/u1/steps/transfer", {"f.to_org": "cb1", "on": "21/01/2025"})
    assert answer.status_code == 400
    assert "Người này đang do chính đơn vị đó theo dõi." in answer.text
    assert "to_org:" not in answer.text


def test_a_weighty_step_is_confirmed_with_what_it_does_and_one_its_rules_refuse_is_refused_at_once(
    office: PagesOffice,
) -> None:
    client = office.client("xa1_secretary")
    office.service.move(Move(subject="u1", trigger="transfer", facts={"to_org": "cb2"}), CLERK)
    told = client.post("/subjects/u1/steps/accept_transfer", {"on": "21/01/2025"})
    assert told.status_code == 200
    assert f"Sau đó do đơn vị theo dõi: {office.service.organisations.on()[1].by_id['cb2'].name}" in told.text
    assert "Sau đó ở giai đoạn" not in told.text, "it stays where it is"
    assert office.service.show("u1")[0].subject.org == "cb1", "nothing is recorded before that was seen"
    given = {"f.drop_reason": "moved", "on": "21/01/2025", "reason": ""}
    refused = client.post("/subjects/u1/steps/drop", given)
    assert refused.status_code == 422
    assert "Có ghi lý do" in refused.text
    assert "Sẽ ghi những điều sau" not in refused.text
