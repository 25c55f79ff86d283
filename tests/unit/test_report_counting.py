"""Figures count by the day things happened, as the office and the facts were on the report's day."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.commands import SetFacts, Undo
from engine.core.errors import BadInput, Denied, NotFound
from engine.officework import OrgChange
from engine.steps import By
from reports.periods import day_span, days_span, month_span, quarter_span, year_span, years_span
from tests.report_world import STAGES, Person, ReportTown, rows
from tests.world import office_time

NOW = office_time(date(2025, 3, 3))
UNITS = ("cb1", "cb2", "cb3", "cs1")


def _admitted_on(id_: str, unit: str, day: date, **facts: object) -> Person:
    """A person whose day of admission is this one."""
    begun = date.fromordinal(day.toordinal() - 190)
    return Person(id=id_, unit=unit, begun=begun, facts=facts)


@pytest.fixture(scope="module")
def town() -> ReportTown:
    """Six admissions in 2024, one on the last day of 2023 and one on the first of 2025."""
    found = ReportTown(NOW)
    for person in (
        _admitted_on("a", "cb1", date(2023, 12, 31), sex="female"),
        _admitted_on("b", "cb1", date(2024, 1, 1), sex="female", birth_date="2005-06-01", religion="Công giáo"),
        _admitted_on("c", "cb1", date(2024, 5, 6), ethnicity="Ê-đê", introduced_by="doan1"),
        _admitted_on("d", "cb2", date(2024, 5, 7), education="university", occupation="Giáo viên"),
        _admitted_on("e", "cb3", date(2024, 12, 31), birth_date="1970-01-02"),
        _admitted_on("f", "cs1", date(2024, 8, 1), sex="female", introduced_by="doan1"),
        _admitted_on("g", "cs1", date(2024, 8, 2)),
        _admitted_on("h", "cs1", date(2025, 1, 1)),
        Person(id="i", unit="cb1", begun=date(2023, 2, 1), stage="elite"),
        Person(id="j", unit="cb3", begun=date(2024, 2, 1), stage="trained"),
    ):
        found.play(person)
    return found


def test_a_year_holds_its_first_and_its_last_day_and_no_other(town: ReportTown) -> None:
    """By hand: b to g in 2024; a the day before, h the day after."""
    assert [town.report("yearly", year_span(y)).figures["admitted"] for y in (2022, 2023, 2024, 2025)] == [0, 1, 6, 1]
    assert town.report("yearly", years_span(2023, 2025)).figures["admitted"] == 8
    assert town.report("yearly", month_span("2024-05")).figures["admitted"] == 2
    assert town.report("yearly", quarter_span("2024-Q3")).figures["admitted"] == 2
    assert town.report("yearly", days_span(date(2024, 5, 7), date(2024, 8, 1))).figures["admitted"] == 2


def test_the_tables_equal_those_made_by_hand(town: ReportTown) -> None:
    """Units, sex, age on the day, ethnicity, religion, education, occupation, introducer."""
    report = town.report("yearly", year_span(2024))
    units = rows(report, "theo đơn vị")
    assert {k: v["admitted"] for k, v in units.items()} == {"xa1": 3, "xa2": 1, "cs1": 2, "total": 6}
    assert (units["total"]["women"], units["total"]["women_share"]) == (2, 33.3)
    ages = rows(report, "nhóm tuổi")
    assert [v["admitted"] for v in ages.values()] == [1, 4, 0, 1, 0, 6]
    assert {k: v["admitted"] for k, v in rows(report, "dân tộc").items()} == {"Kinh": 5, "Ê-đê": 1, "total": 6}
    religions = rows(report, "tôn giáo")
    assert {v["label"]: v["admitted"] for v in religions.values()} == {"Công giáo": 1, "Không": 5, "Tổng cộng": 6}
    assert rows(report, "trình độ")["university"]["admitted"] == 1
    assert rows(report, "nghề nghiệp")["Giáo viên"]["admitted"] == 1
    introducers = rows(report, "tổ chức giới thiệu")
    assert {v["label"]: v["admitted"] for v in introducers.values()} == {"doan1": 2, "Chưa rõ": 4, "Tổng cộng": 6}


def test_time_in_each_stage_counts_what_ended_and_who_waits(town: ReportTown) -> None:
    """i has been elite since 03/03/2023, j trained since 01/05/2024; the stays that ended lasted 30, 60, 60 and 40."""
    stages = rows(town.report("yearly", year_span(2024)), "từng bước")
    assert [stages[s]["waited"] for s in STAGES[:4]] == [30, 60, 60, 40]
    assert stages["elite"]["longest"] == (date(2024, 12, 31) - date(2023, 3, 3)).days
    assert stages["trained"]["longest"] == (date(2024, 12, 31) - date(2024, 5, 1)).days
    assert stages["total"]["in_state"] == 10


def test_a_unit_is_reported_with_all_below_it_and_nothing_beside(town: ReportTown) -> None:
    """Asked for by --org."""
    report = town.report("yearly", year_span(2024), org="xa1")
    assert (report.figures["admitted"], report.unit_name) == (3, "xa1")
    assert set(rows(report, "theo đơn vị")) == {"xa1", "total"}


def test_an_officer_reports_on_their_own_tree_and_a_union_on_whom_it_introduced(town: ReportTown) -> None:
    """Whatever organisation they ask for; who sees no subject gets no report."""
    year = year_span(2024)
    assert town.report("yearly", year, officer="xa1_secretary").figures["admitted"] == 3
    assert town.report("yearly", year, officer="cb1_secretary").figures["admitted"] == 2
    assert town.report("yearly", year, officer="tcnv_clerk").figures["admitted"] == 6
    assert town.report("yearly", year, officer="doan1_secretary").figures["admitted"] == 2
    with pytest.raises(Denied):
        town.report("yearly", year, officer="xa1_secretary", org="xa2")
    with pytest.raises(Denied):
        town.report("yearly", year, officer="tu_admin")
    with pytest.raises(NotFound):
        town.report("yearly", year, officer="nobody")


def test_what_cannot_be_made_is_refused_by_name(town: ReportTown) -> None:
    """A report, an organisation or a period that there is not."""
    with pytest.raises(NotFound, match="did you mean yearly"):
        town.report("yearli", year_span(2024))
    with pytest.raises(NotFound, match="nowhere"):
        town.report("yearly", year_span(2024), org="nowhere")
    with pytest.raises(BadInput, match="made for"):
        town.report("yearly", day_span(date(2024, 5, 1)))


def test_a_running_year_ends_today() -> None:
    """What lies ahead has not happened, and the report says up to which day it counts."""
    town = ReportTown(NOW)
    report = town.report("yearly", year_span(2025))
    assert (report.as_of, report.last) == (date(2025, 3, 3), date(2025, 12, 31))


def test_a_fact_written_for_a_later_day_does_not_change_an_earlier_report() -> None:
    """A degree earned in 2025 is no degree of 2024; one written late with its own day is."""
    town = ReportTown(NOW)
    town.play(_admitted_on("p", "cb1", date(2024, 5, 6)))
    by = By(officer="tu_secretary")
    year = year_span(2024)
    town.service.set_facts(SetFacts(subject="p", facts={"education": "university", "religion": "Tin Lành"}), by)
    assert rows(town.report("yearly", year), "trình độ")["university"]["admitted"] == 0
    assert town.report("yearly", year).figures["religious"] == 0
    assert rows(town.report("yearly", year_span(2025)), "trình độ")["total"]["admitted"] == 0
    town.service.set_facts(SetFacts(subject="p", facts={"education": "college"}, on=date(2024, 6, 1)), by)
    assert rows(town.report("yearly", year), "trình độ")["college"]["admitted"] == 1


def test_a_step_that_is_undone_never_happened_and_one_entered_late_is_told() -> None:
    """The undo corrects the past year; a step of 2024 entered in 2025 counts in 2024, with a word that it came late."""
    town = ReportTown(NOW)
    town.play(Person(id="p", unit="cb1", begun=date(2024, 1, 8), stage="elite"))
    report = town.report("yearly", year_span(2024))
    assert (report.figures["recognised"], report.late_entries) == (1, 2)
    assert "2 bước" in report.notes[0]
    town.service.undo(Undo(subject="p", reason="Nhầm người"), By(officer="tu_secretary"))
    assert town.report("yearly", year_span(2024)).figures["recognised"] == 0


def test_a_past_year_is_reported_in_the_tree_of_its_last_day() -> None:
    """A branch that moves to another committee in 2025 belongs to its old one in the report of 2024."""
    town = ReportTown(NOW)
    town.play(_admitted_on("p", "cb1", date(2024, 5, 6)))
    town.service.set_up().orgs([OrgChange(id="cb1", parent="xa2", from_=date(2025, 2, 1))])
    units = rows(town.report("yearly", year_span(2024)), "theo đơn vị")
    assert (units["xa1"]["admitted"], units["xa2"]["admitted"]) == (1, 0)
    units = rows(town.report("yearly", years_span(2024, 2025)), "theo đơn vị")
    assert (units["xa1"]["admitted"], units["xa2"]["admitted"]) == (0, 1)


people = st.lists(
    st.builds(
        lambda n, unit, day, stage, sex, education: (unit, day, stage, {"sex": sex, "education": education}),
        st.integers(),
        st.sampled_from(UNITS),
        st.dates(date(2022, 1, 1), date(2024, 6, 30)),
        st.sampled_from(STAGES),
        st.sampled_from(["male", "female", None]),
        st.sampled_from(["lower_secondary", "upper_secondary", "university"]),
    ),
    max_size=8,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(people=people)
def test_parts_add_up_to_the_whole_whatever_happened(people: list) -> None:
    """Every table of counts sums to its whole, and the years to the term; each admission is in exactly one year."""
    town = ReportTown(NOW)
    for n, (unit, day, stage, facts) in enumerate(people):
        town.play(Person(id=f"p{n}", unit=unit, begun=day, stage=stage, facts={k: v for k, v in facts.items() if v}))
    years = [town.report("yearly", year_span(y)) for y in (2022, 2023, 2024, 2025)]
    term = town.report("yearly", years_span(2022, 2025))
    for name in ("admitted", "women", "recognised", "trained", "dossiers"):
        assert sum(int(r.json()["figures"][name]) for r in years) == term.figures[name], name
    assert term.figures["admitted"] == len([p for p in people if p[2] == "admitted"])
    for report in (*years, term):
        for section in report.json()["sections"]:
            if section["total"] is None:
                continue
            for column in ("admitted", "recognised", "women", "in_state", "elite_now", "dropped"):
                if column in section["total"]:
                    assert sum(r[column] for r in section["rows"]) == section["total"][column], (section, column)
