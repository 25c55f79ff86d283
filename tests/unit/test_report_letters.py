"""Who issues a report and who signs it: the unit that it is about, or that unit's office, by what the office is."""

from __future__ import annotations

from datetime import date

import pytest

from engine.officework import OrgChange
from reports.document import Report
from reports.letters import Letter, UnitLetter
from reports.making import Request, make
from reports.periods import day_span, month_span, year_span
from tests.report_world import FOLDER, LETTER, Person, ReportTown
from tests.world import office_time

TODAY = date(2025, 3, 3)


@pytest.fixture(scope="module")
def town() -> ReportTown:
    """A town with two people on the list, in two branches that are called the same."""
    found = ReportTown(office_time(TODAY))
    hand = found.service.set_up()
    hand.orgs(OrgChange(id=id, name="Chi bộ thôn 1") for id in ("cb1", "cb3"))
    for id, unit in (("p1", "cb1"), ("p2", "cb3")):
        found.play(Person(id=id, unit=unit, begun=date(2024, 5, 1), stage="elite"))
    return found


def _of(town: ReportTown, name: str, org: str | None, letter: Letter = LETTER) -> Report:
    span = month_span("2025-02") if name == "monthly" else day_span(TODAY)
    return make(town.service, FOLDER, Request(name=name, span=span, org=org), letter)


def test_what_the_town_issues_carries_the_names_of_the_settings(town: ReportTown) -> None:
    """The top of the tree is the office whose settings these are."""
    head = _of(town, "elite_list", None).head
    assert (head.above, head.issuer, head.signer) == ("Tỉnh ủy Đắk Lắk", "Thị ủy Buôn Hồ", "Nguyễn Thị Hồng")
    assert head.signed == ["T/M BAN THƯỜNG VỤ", "BÍ THƯ"]
    assert head.place_and_date.startswith("Buôn Hồ, ")


def test_a_committees_own_list_carries_its_own_names(town: ReportTown) -> None:
    """Not the town's: the town stands above, the committee's secretary signs, and its place is not guessed."""
    head = _of(town, "elite_list", "xa1").head
    assert (head.above, head.issuer, head.signer) == ("Thị ủy Buôn Hồ", "xa1", "xa1_secretary")
    assert head.signed == ["T/M ĐẢNG ỦY", "BÍ THƯ"]
    assert head.place_and_date.startswith("....")
    assert _of(town, "elite_list", "cb1").head.signed == ["T/M CHI BỘ", "BÍ THƯ"]


def test_an_office_of_the_town_issues_what_it_reports(town: ReportTown) -> None:
    """The town's statistics come from its agency, in the town's place; a committee's come from itself."""
    head = _of(town, "monthly", None).head
    assert (head.above, head.issuer, head.signed) == ("Thị ủy Buôn Hồ", "tcnv", ["THỦ TRƯỞNG CƠ QUAN"])
    assert head.place_and_date.startswith("Buôn Hồ, ")
    assert _of(town, "monthly", "xa1").head.issuer == "xa1"


def test_a_unit_may_have_names_of_its_own_in_the_settings(town: ReportTown) -> None:
    """By its id."""
    own = UnitLetter(place="Bình Minh", issuer_code="ĐU", title="PHÓ BÍ THƯ")
    head = _of(town, "elite_list", "xa1", LETTER.model_copy(update={"units": {"xa1": own}})).head
    assert head.place_and_date.startswith("Bình Minh, ")
    assert head.number.endswith("-DS/ĐU")
    assert (head.signed, head.signer) == (["T/M ĐẢNG ỦY", "PHÓ BÍ THƯ"], "")  # the secretary's name is not his deputy's


def test_a_letter_has_no_kind_but_those_it_goes_to(town: ReportTown) -> None:
    """Its subject stands below its number."""
    head = _of(town, "urging", None).head
    assert head.names() == []
    assert (head.addressed_label, head.heading) == ("Kính gửi", "Đôn đốc gửi kế hoạch phát triển đảng viên năm 2025")


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_column_is_as_wide_as_the_longest_word_above_it(town: ReportTown, lang: str) -> None:
    """So that no word of a heading is broken; at the least the share that a letter has of a page."""
    report = make(town.service, FOLDER, Request(name="yearly", span=year_span(2024), lang=lang), LETTER)
    columns = [c for t in report.tables for c in t.columns[1:]]
    assert len(columns) > 20
    assert [c.label for c in columns if c.width < 2 * max(map(len, c.label.split()))] == []


def test_units_that_are_called_the_same_are_told_apart(town: ReportTown) -> None:
    """By the unit above; not where that stands in a column beside."""
    lines = _of(town, "elite_list", None).tables[0].lines
    assert [line.cells[0] for line in lines if line.kind == "group"] == ["Chi bộ thôn 1, xa1", "Chi bộ thôn 1, xa2"]
    labels = [line.cells[0] for line in _of(town, "silent_branches", None).tables[0].lines]
    assert {"Chi bộ thôn 1, xa1", "Chi bộ thôn 1, xa2", "cb2"} <= set(labels)
