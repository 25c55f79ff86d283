"""Forms about a subject from its page: what is missing first, then the file; the trail notes who got it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date

import pytest
from docx import Document

from engine.core.commands import Line, Move, Start
from engine.steps import By
from tests.web_office import PagesOffice, serving


@pytest.fixture
def office() -> Iterator[PagesOffice]:
    """An office that has held a review about one person."""
    with serving() as found:
        service, by = found.service, By(officer="xa1_secretary")
        facts = {"full_name": "Vũ Thị Ngọc Ánh", "birth_date": "1996-08-14"}
        service.start(Start(workflow="candidate", org="cb1", id="u1", facts=facts), By(officer="cb1_secretary"))
        service.start(Start(workflow="monthly_review", org="xa1", id="r1", facts={"month": "2025-01"}), by)
        yield found


def hold(office: PagesOffice) -> None:
    held = Move(
        subject="r1",
        trigger="hold",
        facts={"held_on": date(2025, 1, 21)},
        lines=[Line(subject="u1", do="drop", facts={"drop_reason": "moved"}, reason="Chuyển đi")],
    )
    assert office.service.move(held, By(officer="xa1_secretary")).allowed


def test_the_minutes_of_a_sitting_are_handed_out_after_it_and_the_trail_says_to_whom(office: PagesOffice) -> None:
    client = office.client("xa1_secretary")
    assert "/subjects/r1/forms" in client.get("/subjects/r1").text
    assert "/subjects/r1/forms/minutes" in client.get("/subjects/r1/forms").text
    early = client.get("/subjects/r1/forms/minutes").text
    assert "chưa có ai" in early
    assert 'name="kind"' not in early
    hold(office)
    for kind, starts in (("docx", b"PK"), ("pdf", b"%PDF")):
        answer = client.post("/subjects/r1/forms/minutes", {"kind": kind})
        assert answer.status_code == 200
        assert answer.content.startswith(starts)
        assert "Ánh" not in answer.headers["content-disposition"]
    word = client.post("/subjects/r1/forms/minutes", {"kind": "docx"}).content
    cells = [c.text for t in Document(io.BytesIO(word)).tables for r in t.rows for c in r.cells]
    assert any("Vũ Thị Ngọc Ánh" in c for c in cells)
    with office.service.work() as work:
        assert len(list(work.tx.events(kind="exported"))) == 3


def test_what_a_form_misses_is_listed_before_it_is_taken(office: PagesOffice) -> None:
    page = office.client("cb1_secretary").get("/subjects/u1/forms/application").text
    assert "Chưa biết" in page
    assert "in thành dấu chấm" in page


def test_nobody_gets_a_form_about_who_they_may_not_see_nor_one_of_another_procedure(office: PagesOffice) -> None:
    other = office.client("xa2_secretary")
    for path in ("/subjects/u1/forms", "/subjects/u1/forms/application"):
        assert other.get(path).status_code == 404
    form = {**other.hidden("/"), "kind": "docx"}
    assert other.send("/subjects/u1/forms/application", form).status_code == 404
    mine = office.client("cb1_secretary")
    assert mine.get("/subjects/u1/forms/minutes").status_code == 404
    assert mine.post("/subjects/u1/forms/application", {"kind": "exe"}).status_code == 400
