"""The register of certificate numbers: given, spoiled with day and reason, later copies; in the report too."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.core.commands import Line, Move, SetFacts, Start, Undo
from engine.core.errors import BadInput
from engine.core.reader import FindingsError, read_yaml
from engine.library import compile_all, find_sources
from engine.steps import By
from reports.layout_check import compile_layout
from reports.periods import year_span
from tests.report_world import FOLDER, Person, ReportTown
from tests.world import office_time

TRAINER = By(officer="ttct_trainer")


@pytest.fixture
def town() -> ReportTown:
    """A class of one that has given NT-02 on 20/03/2024: NT-01 was spoiled on 18/03, NT-09 in 2025."""
    found = ReportTown(office_time(date(2024, 3, 18)))
    found.play(Person(id="an", unit="cb1", begun=date(2024, 1, 2), stage="elite"))
    facts = {"kind": "awareness", "class_title": "Khóa 1", "starts_on": "2024-03-18", "certificate_on": "2024-03-20",
             "no_prefix": "NT-", "first_no": 1, "last_no": 20}  # fmt: skip
    found.service.start(Start(workflow="training_class", org="ttct", id="K1", facts=facts), TRAINER)
    found.move("K1", "open_class", TRAINER, date(2024, 3, 18))
    move = Move(subject="K1", trigger="enrol", lines=[Line(subject="an", do="enrol")])
    assert found.service.move(move, TRAINER).allowed
    found.move("K1", "run_class", TRAINER, date(2024, 3, 18))
    _spoil(found, "NT-0001", "in lệch")
    found.clock.set(office_time(date(2024, 3, 20)))
    closing = Move(subject="K1", trigger="close_class", lines=[Line(subject="an", do="certify")])
    assert found.service.move(closing, TRAINER).allowed
    found.clock.set(office_time(date(2025, 2, 3)))
    _spoil(found, "NT-0009", "rách")
    return found


def _spoil(town: ReportTown, number: str, why: str | None) -> None:
    facts = {"spoiled_numbers": {number: why}}
    town.service.set_facts(SetFacts(subject="K1", facts=facts), TRAINER)


def _copy(town: ReportTown, id: str, number: str) -> None:
    facts = {"certificate_holder": "an", "copy_reason": "Mất"}
    town.service.start(Start(workflow="certificate_copy", org="ttct", id=id, facts=facts), TRAINER)
    assert town.service.move(Move(subject=id, trigger="give_copy", facts={"copy_no": number}), TRAINER).allowed


def _register(town: ReportTown, text: str = "") -> list[tuple[Any, ...]]:
    found = town.service.sheets.numbers("training_class", text=text)
    return [(g.number, g.subject, g.on, g.spoiled or g.why, g.copy_of) for g in found]


def _report(town: ReportTown, year: int) -> list[list[list[Any]]]:
    tables = town.report("certificates", year_span(year)).tables
    return [[[c for c in line.cells if c is not None] for line in t.lines] for t in tables]


def test_a_spoiled_number_stands_there_with_its_day_and_reason_and_a_copy_beside_its_first(town: ReportTown) -> None:
    town.clock.set(office_time(date(2027, 5, 10)))
    _copy(town, "bs1", "BS-01")
    _spoil(town, "NT-0009", "rách khi kiểm kê")
    given = ("NT-0002", "an", date(2024, 3, 20), None, None)
    copied = ("BS-01", "an", date(2027, 5, 10), "Mất", "NT-0002")
    assert _register(town) == [
        copied,
        ("NT-0001", None, date(2024, 3, 18), "in lệch", None),
        given,
        ("NT-0009", None, date(2025, 2, 3), "rách khi kiểm kê", None),
    ], "the day on which it was first said, with the reason as it was corrected"
    assert _register(town, "nt-0002") == [copied, given], "searched by the number copied, both are found"
    assert _register(town, "AN") == [copied, given]


def test_what_is_undone_or_taken_back_is_in_the_register_no_more(town: ReportTown) -> None:
    _spoil(town, "NT-0009", None)
    _copy(town, "bs1", "NT-0010")
    assert [line[0] for line in _register(town)] == ["NT-0001", "NT-0002", "NT-0010"]
    town.service.undo(Undo(subject="bs1", reason="Nhầm"), TRAINER)
    assert [line[0] for line in _register(town)] == ["NT-0001", "NT-0002"]
    _copy(town, "bs2", "NT-0010")
    with pytest.raises(BadInput, match="NT-0010"):
        _copy(town, "bs3", "NT-0010")


def test_the_report_of_a_year_has_what_was_given_spoiled_and_copied_in_it(town: ReportTown) -> None:
    certified, spoiled, copied = _report(town, 2024)
    assert [line[0] for line in certified] == ["NT-0002"]
    assert spoiled == [["NT-0001", date(2024, 3, 18), "in lệch", "Khóa 1"]]
    assert copied == []
    town.clock.set(office_time(date(2027, 5, 10)))
    _copy(town, "bs1", "BS-01")
    _spoil(town, "NT-0011", "nhòe")
    _spoil(town, "NT-0001", None)
    assert _report(town, 2024) == [certified, spoiled, copied], "a year that is over stays what it was"
    assert _report(town, 2025)[1] == [["NT-0009", date(2025, 2, 3), "rách", "Khóa 1"]]
    _, spoiled, copied = _report(town, 2027)
    assert [line[0] for line in spoiled] == ["NT-0011"]
    assert copied == [["BS-01", date(2027, 5, 10), "an", "NT-0002", date(2024, 3, 20), "Mất"]]


SLIPS = [
    ("      fact: spoiled_numbers\n", "      fact: spoiled_number\n", "spoiled_number"),
    ("      fact: spoiled_numbers\n", "", "map fact"),
    ("      of: entries\n", "      of: subjects\n", "belongs to entries"),
]


@pytest.mark.parametrize(("was", "now", "words"), SLIPS)
def test_a_slip_in_a_list_of_entries_is_refused_where_it_stands(was: str, now: str, words: str) -> None:
    text = (FOLDER / "reports" / "certificates.yaml").read_text(encoding="utf-8")
    assert was in text, "the shipped file has changed, mend this test"
    definitions = compile_all(find_sources(["admission"]))
    tree, area = read_yaml(text.replace(was, now, 1), "certificates.yaml"), definitions["candidate"].area
    with pytest.raises(FindingsError) as refused:
        compile_layout(tree, "certificates.yaml", definitions, area)
    assert any(words in f.text() and f.line > 0 for f in refused.value.findings)
