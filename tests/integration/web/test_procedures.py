"""How it works: every procedure is shown as its file says it."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests.web_office import PagesOffice, serving


@pytest.fixture(scope="module")
def office():
    with serving() as made:
        yield made


def text(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_every_procedure_has_its_page_and_every_rule_its_source(office: PagesOffice) -> None:
    client = office.client("cb1_secretary")
    listed = client.get("/procedures")
    assert listed.status_code == 200
    with office.service.work() as work:
        definitions = work.library.all_newest()
    for workflow, definition in definitions.items():
        assert f'href="/procedures/{workflow}"' in listed.text
        page = client.get(f"/procedures/{workflow}")
        assert page.status_code == 200, workflow
        shown = text(page.text)
        for id, rule in definition.rules.items():
            assert f'id="rule-{id}"' in page.text
            assert rule.label.vi in shown
            for version in rule.versions:
                assert version.source in shown
        for name, spec in definition.file.notices.items():
            assert f'id="notice-{name}"' in page.text
            assert spec.label.vi in shown
        for trigger in definition.steps:
            assert f'id="step-{trigger}"' in page.text


def test_people_are_counted_only_where_the_reader_may_look(office: PagesOffice) -> None:
    from engine.core.commands import Start
    from engine.steps import By

    office.service.start(
        Start(workflow="candidate", id="p1", org="cb3", facts={"full_name": "Trần An"}), By(officer="xa2_secretary")
    )
    inside, beside = (office.client(o).get("/procedures/candidate").text for o in ("xa2_secretary", "xa1_secretary"))
    assert "● Nguồn: 1</text>" in inside
    assert "● Nguồn: 0</text>" in beside
    assert "● Nguồn</text>" in office.client("tu_admin").get("/procedures/candidate").text


def test_the_procedures_stand_in_the_order_of_the_document_with_its_clauses_in_words(office: PagesOffice) -> None:
    page = office.client("cb1_secretary").get("/procedures").text
    places = [
        page.index(f'href="/procedures/{w}"') for w in ("briefing", "annual_plan", "monthly_review", "training_class")
    ]
    assert places == sorted(places)
    assert "1.5: Hằng tháng xét đề nghị" in page
    assert "preamble" not in page


def test_a_subject_s_picture_marks_where_it_stands(office: PagesOffice) -> None:
    from engine.core.commands import Start
    from engine.steps import By

    by = By(officer="xa2_secretary")
    office.service.start(Start(workflow="candidate", id="p2", org="cb3", facts={"full_name": "Trần Bình"}), by)
    page = office.client("xa2_secretary").get("/subjects/p2").text
    assert page.count("▶") == 1
    assert "▶ ● Nguồn</text>" in page


def test_a_procedure_that_is_not_there_is_not_found(office: PagesOffice) -> None:
    assert office.client("cb1_secretary").get("/procedures/nothing").status_code == 404
    assert "rule-two_thirds" not in office.client().get("/procedures/candidate").text  # nobody is signed in
