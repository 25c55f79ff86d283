"""A report made of one subject: the list of a class holds its members, as they stood, in what the reader may see."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from engine.core.commands import Line, Move, Start
from engine.core.errors import BadInput, NotFound
from engine.core.reader import FindingsError, read_yaml
from engine.library import compile_all, find_sources
from engine.steps import By
from reports.handing import FORMATS
from reports.layout_check import compile_layout
from reports.making import Request, make
from reports.periods import day_span
from tests.report_world import FOLDER, LETTER, Person, ReportTown
from tests.world import office_time

TRAINER = By(officer="ttct_trainer")
OPENED, ENROLLED = date(2024, 3, 4), date(2024, 3, 11)
TODAY = day_span(date(2024, 3, 12))


@pytest.fixture(scope="module")
def town() -> ReportTown:
    """Three people on the list, of two communes; a class of two places, so that one waits; a class of nobody."""
    found = ReportTown(office_time(OPENED))
    for id, unit in (("an", "cb1"), ("binh", "cb3"), ("chi", "cb1"), ("dung", "cb1")):
        found.play(Person(id=id, unit=unit, begun=date(2024, 1, 2), stage="elite"))
    for id in ("K1", "K2"):
        facts = {"kind": "awareness", "class_title": f"Lớp {id}", "starts_on": "2024-03-20", "places": 2}
        found.service.start(Start(workflow="training_class", org="ttct", id=id, facts=facts), TRAINER)
        found.move(id, "open_class", TRAINER, OPENED)
    found.clock.set(office_time(ENROLLED))
    for id, do in (("an", "enrol"), ("binh", "enrol"), ("chi", "wait")):
        move = Move(subject="K1", trigger="enrol", lines=[Line(subject=id, do=do)])
        assert found.service.move(move, TRAINER).allowed
    found.clock.set(office_time(date(2024, 3, 12)))
    return found


def _members(town: ReportTown, subject: str | None, **more: object) -> dict[str, list[str]]:
    request = Request(**{"name": "class_list", "span": TODAY, "subject": subject, **more})  # type: ignore[arg-type]
    report = make(town.service, FOLDER, request, LETTER).json()
    return {s["title"]: [row["key"] for row in s["rows"]] for s in report["sections"] if s["rows"]}


def test_the_list_of_a_class_holds_its_members_and_nobody_else(town: ReportTown) -> None:
    assert _members(town, "K1") == {"Danh sách học viên": ["an", "binh"], "Chờ lớp sau": ["chi"]}
    assert _members(town, "K2") == {}
    assert _members(town, None) == {}, "nobody was sent to a class by a review"


def test_it_says_which_class_and_who_issues_it(town: ReportTown) -> None:
    report = make(town.service, FOLDER, Request(name="class_list", span=TODAY, subject="K1"), LETTER)
    assert report.head.title == "Học viên Lớp K1, đến ngày 12/03/2024"
    assert report.unit == "ttct"
    assert "Khai giảng 20/03/2024" in report.tables[0].text
    assert "Số học viên: 2; chờ lớp sau: 1." in report.tables[0].text
    assert "bế giảng ....." in report.tables[0].text, "what is not known is dots"


def test_an_earlier_day_shows_the_class_of_that_day(town: ReportTown) -> None:
    assert _members(town, "K1", span=day_span(OPENED)) == {}
    with pytest.raises(BadInput, match="had not begun"):
        _members(town, "K1", span=day_span(date(2024, 3, 1)))


def test_the_reader_sees_the_members_of_their_reach_and_only_classes_they_may_read(town: ReportTown) -> None:
    assert _members(town, "K1", officer="ttct_trainer")["Danh sách học viên"] == ["an", "binh"]
    assert _members(town, "K1", officer="ttct_trainer", org="xa1")["Danh sách học viên"] == ["an"]
    for subject in ("K1", "K9"):
        with pytest.raises(NotFound):
            _members(town, subject, officer="xa1_secretary")


def test_a_subject_of_another_kind_or_for_another_report_is_refused(town: ReportTown) -> None:
    with pytest.raises(BadInput, match="is made of subjects of"):
        _members(town, "an")
    with pytest.raises(BadInput, match="is not made of one subject"):
        _members(town, "K1", name="elite_list")


def test_every_format_holds_the_names(town: ReportTown) -> None:
    report = make(town.service, FOLDER, Request(name="class_list", span=TODAY, subject="K1"), LETTER)
    book = openpyxl.load_workbook(io.BytesIO(FORMATS["xlsx"](report)))
    cells = [str(c.value) for sheet in book for row in sheet.iter_rows() for c in row]
    assert {"an", "binh", "chi"} <= set(cells)
    assert "dung" not in cells
    assert FORMATS["docx"](report).startswith(b"PK")
    assert FORMATS["pdf"](report).startswith(b"%PDF")


DEFINITIONS = compile_all(find_sources(["admission"]))
LAYOUT = """
report: mine
name: {vi: DANH SÁCH, en: LIST}
title: {vi: "Năm {year}", en: "Year {year}"}
periods: [day]
subject: {workflow: training_class, label: {vi: Lớp, en: Class}, title: {vi: "Của {subject}", en: "Of {subject}"}}
sections:
  - of_subject: true
    text: {vi: "Từ {starts_on}", en: "From {starts_on}"}
  - of_subject: true
    list: {of: subjects, workflow: candidate, named_by: students, named_as: enrolled, columns: [{entry: results}]}
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("workflow: training_class", "workflow: trainingclass", "there is no workflow trainingclass; did you mean"),
        ("Của {subject}", "Của {sbject}", "there is no word sbject; did you mean subject?"),
        ("Từ {starts_on}", "Từ {start_on}", "there is no figure start_on; did you mean starts_on?"),
        ("named_by: students", "named_by: student", "there is no map fact student; did you mean students?"),
        ("named_by: students", "named_by: allotments", "there is no map fact allotments"),
        ("named_as: enrolled", "named_as: enroled", "there is no value enroled; did you mean enrolled?"),
        ("named_by: students, ", "", "named_as belongs to named_by"),
        ("entry: results", "entry: result", "there is no map fact result; did you mean results?"),
        ("  - of_subject: true\n    list", "  - list", "a section marked of_subject"),
    ],
)
def test_a_slip_is_found_with_its_place(old: str, new: str, says: str) -> None:
    area = next(iter(DEFINITIONS.values())).area
    compile_layout(read_yaml(LAYOUT, "mine.yaml"), "mine.yaml", DEFINITIONS, area)
    assert old in LAYOUT
    with pytest.raises(FindingsError) as caught:
        compile_layout(read_yaml(LAYOUT.replace(old, new), "mine.yaml"), "mine.yaml", DEFINITIONS, area)
    found = [f.located() for f in caught.value.findings]
    assert any(says in f for f in found), found


def test_a_report_that_is_only_of_one_subject_asks_for_it(town: ReportTown, tmp_path: Path) -> None:
    """All its sections are of the subject, so without one there is nothing to make."""
    folder = tmp_path
    (folder / "reports").mkdir()
    (folder / "reports" / "mine.yaml").write_text(LAYOUT, encoding="utf-8")
    words = (FOLDER / "reports" / "letterhead.yaml").read_text(encoding="utf-8")
    (folder / "reports" / "letterhead.yaml").write_text(words, encoding="utf-8")
    with pytest.raises(BadInput, match="is made of one subject of"):
        make(town.service, folder, Request(name="mine", span=TODAY), LETTER)
    report = make(town.service, folder, Request(name="mine", span=TODAY, subject="K1"), LETTER)
    assert [t.text for t in report.tables] == ["Từ 20/03/2024", ""]
