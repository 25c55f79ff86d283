"""A report of a past day never changes by what happens later; the reports of what is stuck name it, with its days."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.commands import Move, SetFacts, Start
from engine.core.errors import BadInput, Denied
from engine.officework import OrgChange
from engine.steps import By
from reports.periods import day_span, month_span, year_span
from tests.report_world import FOLDER, STAGES, Person, ReportTown, rows
from tests.world import office_time

HEAD = By(officer="tu_secretary")
UNITS = ("cb1", "cb2", "cb3", "cs1")
PAST = (
    ("yearly", year_span(2023)),
    ("monthly", month_span("2023-12")),
    ("elite_list", day_span(date(2023, 12, 31))),
    ("silent_branches", day_span(date(2023, 12, 31))),
    ("certificates", year_span(2023)),
)

people = st.lists(
    st.tuples(st.sampled_from(UNITS), st.dates(date(2022, 3, 1), date(2023, 11, 30)), st.sampled_from(STAGES[:4])),
    min_size=1,
    max_size=6,
)
later = st.lists(
    st.tuples(st.sampled_from(["drop", "fact", "sealed", "move", "rename", "new", "undo_nothing"]), st.integers(0, 5)),
    max_size=6,
)


def _past(town: ReportTown) -> list[dict[str, Any]]:
    found = [town.report(name, span).json() for name, span in PAST]
    return [{k: v for k, v in document.items() if k != "made_at"} for document in found]


def _later(town: ReportTown, what: str, n: int, people: int) -> None:
    day, who = date(2024, 6, 1) + timedelta(days=n), f"p{n % people}"
    match what:
        case "drop":
            town.service.move(
                Move(subject=who, trigger="drop", on=day, facts={"drop_reason": "moved"}, reason="Chuyển đi"), HEAD
            )
        case "fact":
            town.service.set_facts(SetFacts(subject=who, facts={"education": "postgraduate"}, on=day), HEAD)
        case "sealed":
            town.service.set_facts(SetFacts(subject=who, facts={"religion": "Tin Lành"}, on=day), HEAD)
        case "move":
            town.service.set_up().orgs([OrgChange(id="cb1", parent=("xa1", "xa2")[n % 2], from_=day)])
        case "rename":
            town.service.set_up().orgs([OrgChange(id="xa1", name=f"Đảng ủy {n}", from_=day)])
        case "new":
            facts = {"full_name": "Người mới"}
            town.service.start(Start(workflow="candidate", org="cb2", facts=facts, on=day), HEAD)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(people=people, later=later)
def test_a_report_of_a_past_day_never_changes_by_later_events(people: list, later: list) -> None:
    """Whatever happens in 2024, to persons and to the office, the reports of 2023 are letter by letter the same."""
    town = ReportTown(office_time(date(2024, 5, 31)))
    for n, (unit, day, stage) in enumerate(people):
        town.play(Person(id=f"p{n}", unit=unit, begun=day, stage=stage, gaps=(5, 10, 10, 5, 5)))
    before = _past(town)
    town.clock.set(office_time(date(2024, 12, 2)))
    for what, n in later:
        try:
            _later(town, what, n, len(people))
        except (BadInput, Denied):  # such as dropping the same person twice
            continue
    assert _past(town) == before


def test_branches_without_an_admission_for_two_years_are_listed_with_their_years() -> None:
    """cb1 admitted in 2024, cb2 in 2021, cb3 and cs1 never."""
    town = ReportTown(office_time(date(2025, 3, 3)))
    town.play(Person(id="a", unit="cb1", begun=date(2024, 1, 8)))
    town.play(Person(id="b", unit="cb2", begun=date(2021, 1, 8)))
    table = town.report("silent_branches", day_span(date(2025, 3, 3))).json()["sections"][0]["rows"]
    found = {r["key"]: (r["last_admission"], r["silent_years"]) for r in table}
    assert found == {
        "cb2": ("2021-07-17", 3),
        "cb3": ("chưa có trong dữ liệu", None),
        "cs1": ("chưa có trong dữ liệu", None),
    }
    late = town.report("silent_branches", day_span(date(2026, 8, 1)))
    assert late.as_of == date(2025, 3, 3), "what lies ahead is not known"


def test_a_branch_founded_lately_is_not_silent_and_one_of_which_nothing_is_known_is() -> None:
    """cb9 stands since 2022, cb8 since 2024; of cb3 nobody knows since when."""
    town = ReportTown(office_time(date(2025, 3, 3)))
    town.service.set_up().orgs(
        OrgChange(id=id, kind="branch", name=id, parent="xa2", from_=day)
        for id, day in (("cb8", date(2024, 2, 1)), ("cb9", date(2022, 2, 1)))
    )
    table = town.report("silent_branches", day_span(date(2025, 3, 3)), org="xa2").json()["sections"][0]["rows"]
    assert {r["key"]: r["silent_years"] for r in table} == {"cb3": None, "cb9": 3}


RATINGS = """\
report: ratings
name: {vi: BÁO CÁO, en: REPORT}
title: {vi: "Xếp loại {period}", en: "Ratings {period}"}
periods: [day]
sections:
  - list:
      of: subjects
      workflow: admission_rating
      when: org_kind == 'branch'
      columns: [{fact: latest_admission}, {fact: silent_years}, {fact: result_now}, {fact: proposed_rating}]
"""


def test_what_a_score_counts_stands_in_a_list_as_it_was_on_the_reports_day(tmp_path: Path) -> None:
    """cb1 admitted in 2021, in July 2023 (entered a year late) and in June 2024, which is no more of the year rated."""
    folder = Path(shutil.copytree(FOLDER, tmp_path / "admission"))
    (folder / "reports" / "ratings.yaml").write_text(RATINGS, encoding="utf-8")
    town = ReportTown(office_time(date(2023, 11, 20)))
    town.play(Person(id="a", unit="cb1", begun=date(2021, 1, 8)))
    town.service.tick()
    town.clock.set(office_time(date(2023, 12, 29)))
    town.service.tick()
    town.clock.set(office_time(date(2024, 7, 1)))
    town.play(Person(id="b", unit="cb1", begun=date(2023, 6, 10), gaps=(5, 10, 10, 5, 5)))
    town.play(Person(id="c", unit="cb1", begun=date(2024, 6, 10), gaps=(2, 2, 2, 2, 2)))

    def of(unit: str, day: date) -> list[Any]:
        lines = town.report("ratings", day_span(day), folder=folder).tables[0].lines
        return next(list(r.cells) for r in lines if r.key == f"admission_rating-{unit}-2023")

    assert of("cb1", date(2023, 12, 29))[:3] == [date(2023, 7, 15), 0, 1]
    assert of("cb1", date(2024, 7, 1))[:3] == [date(2023, 7, 15), 0, 1]
    assert of("cb2", date(2024, 7, 1))[:3] == [None, None, 0]


def test_who_has_not_sent_what_is_listed_with_the_days_it_is_late() -> None:
    """The plan of 2025 was due by 24/01; on 27/01 it is three days late, before that nobody is."""
    town = ReportTown(office_time(date(2024, 12, 20)))
    town.service.tick()
    town.clock.set(office_time(date(2025, 1, 2)))
    town.service.tick()
    assert rows(town.report("not_sent", day_span(date(2025, 1, 2))), "Kế hoạch hằng năm") == {}
    town.clock.set(office_time(date(2025, 1, 27)))
    town.service.tick()
    missing = rows(town.report("not_sent", day_span(date(2025, 1, 27))), "Kế hoạch hằng năm")
    assert {(r["unit"], r["last_day"], r["column_4"]) for r in missing.values()} == {
        (unit, "2025-01-24", 3) for unit in ("cs1", "xa1", "xa2")
    }


def test_the_letter_of_urging_names_those_of_this_year_whose_plan_has_not_come() -> None:
    """One of three has sent; the letter counts and names the other two."""
    town = ReportTown(office_time(date(2024, 12, 20)))
    town.service.tick()
    town.clock.set(office_time(date(2025, 1, 20)))
    town.service.tick()
    town.service.move(Move(subject="annual_plan-xa1-2025", trigger="receive"), By(officer="tcnv_clerk"))
    report = town.report("urging", day_span(date(2025, 1, 20)))
    assert report.figures["missing"] == 2
    assert "còn 2 đơn vị" in report.tables[0].text
    assert {line.cells[0] for line in report.tables[1].lines} == {"cs1", "xa2"}


def test_open_obstacles_are_listed_with_their_age_and_their_due_day() -> None:
    """Raised on 3 March, due on 10 March, asked for on 20 March."""
    town = ReportTown(office_time(date(2025, 3, 3)))
    facts = {"difficulty": "Thiếu nguồn thanh niên", "solve_by": "2025-03-10"}
    town.service.start(Start(workflow="obstacle", org="xa1", facts=facts), By(officer="xa1_secretary"))
    town.clock.set(office_time(date(2025, 3, 20)))
    report = town.report("obstacles", day_span(date(2025, 3, 20)))
    assert [report.figures[n] for n in ("open", "overdue", "oldest")] == [1, 1, 17]
    [row] = rows(report, "Từng việc").values()
    assert (row["difficulty"], row["unit"], row["solve_until"]) == ("Thiếu nguồn thanh niên", "xa1", "2025-03-10")
    assert town.report("periodic", month_span("2025-03")).figures["obstacles_late"] == 1


def test_an_erased_person_is_still_counted_and_no_longer_named() -> None:
    """The step stays in the year; the facts are gone, also from a past report."""
    town = ReportTown(office_time(date(2025, 3, 3)))
    town.play(Person(id="p", unit="cb1", begun=date(2024, 1, 8), stage="elite"))
    town.move("p", "drop", HEAD, date(2025, 2, 3), "Chuyển đi", drop_reason="moved")
    town.service.persons.erase("p", "Theo yêu cầu", "Luật 91/2025/QH15", HEAD)
    report = town.report("yearly", year_span(2024))
    assert report.figures["recognised"] == 1
    listed = town.report("elite_list", day_span(date(2024, 12, 31)))
    [line] = [line for line in listed.tables[0].lines if line.kind == "row"]
    assert set(line.cells) == {None}
