"""The preamble's own figures come out of data that holds them: 573 against 500-550, 79 without target, 130 of 130."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from engine.core.commands import Start
from engine.recording import Past, Record
from engine.steps import By
from reports.periods import year_span, years_span
from tests.report_world import ReportTown, rows
from tests.world import office_time

BY = By(officer="tu_secretary")
ADMITTED = {2016: 112, 2017: 116, 2018: 118, 2019: 113, 2020: 114, 2021: 79, 2022: 130}
UNITS = ("cb1", "cb2", "cb3", "cs1")


@pytest.fixture(scope="module")
def town() -> ReportTown:
    """Seven years of admissions, entered as history, with the targets that were given."""
    found = ReportTown(office_time(date(2023, 2, 1)))
    records = []
    for year, count in ADMITTED.items():
        for n in range(count):
            day = date(year, 1, 1) + timedelta(days=n * 364 // count)
            past = (Past(on=day, trigger="admit", to="admitted", opens=()),)
            facts = {"full_name": f"{year}-{n}"}
            records.append(Record(workflow="candidate", org=UNITS[n % 4], on=day, facts=facts, past=past))
    found.service.past.record(records, BY)
    given: dict[str, object] = {"decision_no": "01-NQ/HU", "decision_on": "2015-08-01", "target_kind": "admissions"}
    targets: list[dict[str, object]] = [{"year": 2015, "until_year": 2020, "target_least": 500, "target_most": 550}]
    targets += [{"year": year, "target_least": 100, "target_most": 110} for year in range(2016, 2021)]
    targets += [{"year": 2022, "target_least": 130}]
    for target in targets:
        found.service.start(Start(workflow="target", org="tu", facts=given | target), BY)
    return found


def test_the_term_2015_2020_reached_573_against_500_to_550(town: ReportTown) -> None:
    """And more than 100 in each of its years, each against 100-110."""
    report = town.report("term", years_span(2015, 2020))
    figures = report.json()["figures"]
    assert (figures["admitted"], figures["target"], figures["verdict"]) == (573, "500-550", "vượt chỉ tiêu")
    table = rows(report, "Kết quả chung")
    years = [str(y) for y in range(2016, 2021)]
    assert [table["admitted"][y] for y in years] == [112, 116, 118, 113, 114]
    assert all(table["admitted"][y] > 100 and table["target"][y] == "100-110" for y in years)
    assert table["admitted"]["total"] == 573
    assert "kết nạp 573 đảng viên giai đoạn 2015-2020; chỉ tiêu: 500-550" in report.tables[0].text
    assert report.history_entries == 0  # scores are read from figures; the yearly report says what is history


def test_2021_had_no_target_and_says_so_not_0_percent(town: ReportTown) -> None:
    """79 admitted, "không giao chỉ tiêu"."""
    row = rows(town.report("term", year_span(2021)), "Kết quả chung")
    assert row["admitted"]["total"] == 79
    assert [row[r]["total"] for r in ("target", "reached", "verdict")] == ["không giao chỉ tiêu"] * 3


def test_2022_reached_its_target_exactly(town: ReportTown) -> None:
    """130 of 130: 100 %."""
    row = rows(town.report("term", year_span(2022)), "Kết quả chung")
    assert [row[r]["total"] for r in ("admitted", "target", "reached", "verdict")] == [130, 130, 100, "đạt chỉ tiêu"]


def test_history_counts_in_the_yearly_report_and_is_told_apart(town: ReportTown) -> None:
    """573 people entered out of the files, by unit as by year, with a note that no rule was asked."""
    report = town.report("yearly", years_span(2015, 2020))
    assert report.figures["admitted"] == 573
    assert rows(report, "theo đơn vị")["total"]["admitted"] == 573
    assert report.history_entries == 2 * 573  # the beginning and the admission of each
    assert report.late_entries == 0
    assert "lịch sử" in report.notes[0]
