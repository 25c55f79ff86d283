"""Every report of a past day stays letter by letter what it was, whatever is entered later about a later day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.commands import Move, SetFacts, Start, Undo
from engine.core.errors import KetnapError
from engine.officework import OrgChange
from engine.steps import By
from reports.making import layout_files
from reports.periods import Span, day_span, month_span, year_span
from tests.report_world import FOLDER, STAGES, Person, ReportTown, rows
from tests.world import office_time

HEAD, ADMIN, AGENCY = (By(officer=o) for o in ("tu_secretary", "tu_admin", "tcnv_clerk"))
UNITS = ("cb1", "cb2", "cb3", "cs1")
UNIONS = ("doan1", "doan2")
LAST = date(2023, 12, 31)
SPANS: dict[str, Span] = {"monthly": month_span("2023-12")}  # of those that are not made of a day or a year


def _past(town: ReportTown) -> dict[str, Any]:
    found = {}
    for name in layout_files(FOLDER):
        span = SPANS.get(name) or (day_span(LAST) if name in DAILY else year_span(2023))
        found[name] = {k: v for k, v in town.report(name, span).json().items() if k != "made_at"}
    return found


DAILY = {"class_list", "elite_list", "not_sent", "obstacles", "silent_branches", "urging"}


class Year:
    """A town that has lived through 2023, with something of every kind that a report counts."""

    def __init__(self, people: list[tuple[str, date, str, str]]) -> None:
        self.town = town = ReportTown(office_time(date(2022, 12, 20)))
        self.done: Counter[str] = Counter()
        self.serial = 0
        hand = town.service.set_up()
        hand.orgs([OrgChange(id="doan2", kind="youth_union", name="doan2", parent="xa2")])
        for month in (1, 3, 6, 9, 12):
            town.clock.set(office_time(date(2023, month, 20)))
            town.service.tick()
        self.start("target", "xa1", target_kind="admissions", year=2023, target_least=3, decision_no="1-QĐ",
                   decision_on="2023-01-15")  # fmt: skip
        self.start("target", "doan1", target_kind="introductions", year=2023, target_least=2, decision_no="2-QĐ",
                   decision_on="2023-01-15")  # fmt: skip
        for difficulty in ("Thiếu nguồn", "Ít đoàn viên"):
            self.start("obstacle", "xa1", difficulty=difficulty)
        self.start("inspection", "xa1", inspected_matter="Hồ sơ")
        self.start("education_activity", "xa1", topic="Về Đảng", audience="pupils")
        self.start("governing_document", "tu", document_no="15-CT/TU", document_title="Chỉ thị",
                   document_date="2023-01-10", document_kind="directive", issued_by="Thị ủy",
                   brief_by="2023-06-30")  # fmt: skip
        self.move(self._ids("governing_document")[0], "spread_document", date(2023, 12, 20))
        town.clock.set(office_time(date(2024, 5, 31)))
        town.service.tick()
        self.people = [f"p{n}" for n in range(len(people))]
        for id, (unit, day, stage, union) in zip(self.people, people, strict=True):
            facts = {"introduced_by": union, "introduced_on": day.isoformat()} if union else {}
            town.play(Person(id=id, unit=unit, begun=day, stage=stage, gaps=(5, 10, 10, 5, 5), facts=facts))
            if stage == "elite":
                self.set(id, date(2023, 12, 20), sent_to_class_on="2023-12-20")
        self.others = {w: self._ids(w) for w in ("target", "obstacle", "inspection", "education_activity", "briefing",
                                                 "annual_plan", "monthly_review", "branch_plan")}  # fmt: skip
        town.clock.set(office_time(date(2024, 12, 2)))

    def _ids(self, workflow: str) -> list[str]:
        return self.town.service.find(workflow, None, {})

    def start(self, workflow: str, org: str, **facts: object) -> None:
        """Begins something, today."""
        self.town.service.start(Start(workflow=workflow, org=org, facts=facts), HEAD)

    def set(self, subject: str, on: date, **facts: object) -> None:
        """Writes facts that hold from a day."""
        self.town.service.set_facts(SetFacts(subject=subject, facts=facts, on=on), HEAD)

    def move(self, subject: str, trigger: str, on: date, by: By = HEAD, **facts: object) -> None:
        """Takes a step, which may be refused."""
        answer = self.town.service.move(
            Move(subject=subject, trigger=trigger, on=on, facts=facts, reason="Việc về sau"), by
        )
        if not answer.allowed:
            raise _Refused

    def later(self, what: str, n: int) -> None:
        """Does something about a day in 2024. What is refused changes nothing."""
        on = date(2024, 6, 1) + timedelta(days=n)
        try:
            LATER[what](self, n, on)
            self.done[what] += 1
        except (KetnapError, _Refused):
            self.done[f"{what} refused"] += 1

    def one(self, n: int, workflow: str = "") -> str:
        """Returns one of the subjects."""
        ids = self.others[workflow] if workflow else self.people
        return ids[n % len(ids)]


class _Refused(Exception):
    pass


def _undo_later_step(year: Year, n: int, on: date) -> None:
    who = year.one(n)
    year.move(who, "drop", on, drop_reason="moved")
    year.town.service.undo(Undo(subject=who, reason="Nhầm người"), HEAD)


def _transfer(year: Year, n: int, on: date) -> None:
    who = year.one(n)
    year.move(who, "transfer", on, to_org=UNITS[n % 4])
    year.move(who, "accept_transfer", on)


def _new(year: Year, n: int, on: date) -> None:
    year.serial += 1
    year.town.play(Person(id=f"n{year.serial}", unit=UNITS[n % 4], begun=on, gaps=(5, 10, 10, 5, 5),
                          facts={"introduced_by": UNIONS[n % 2], "introduced_on": on.isoformat()}))  # fmt: skip


def _change_target(year: Year, n: int, on: date) -> None:
    year.move(year.one(n, "target"), "change_target", on, target_least=n + 4, decision_no="9-QĐ",
              decision_on=on.isoformat())  # fmt: skip


LATER: dict[str, Callable[[Year, int, date], Any]] = {
    "drop": lambda y, n, on: y.move(y.one(n), "drop", on, drop_reason="moved"),
    "introduced_by": lambda y, n, on: y.set(y.one(n), on, introduced_by=UNIONS[n % 2]),
    "introduced_on": lambda y, n, on: y.set(y.one(n), on, introduced_on=on.isoformat()),
    "not introduced": lambda y, n, on: y.set(y.one(n), on, introduced_by=None),
    "fact": lambda y, n, on: y.set(y.one(n), on, education="postgraduate", occupation="Khác", full_name="Tên khác"),
    "sealed": lambda y, n, on: y.set(y.one(n), on, religion="Tin Lành", is_pupil=True),
    "firm owner": lambda y, n, on: y.set(y.one(n), on, is_firm_owner=True, firm_holds_control=bool(n % 2),
                                         firm_title="chair_of_board", group_papers={"firm_tax": on.isoformat()}),
    "over 60": lambda y, n, on: y.set(y.one(n), on, birth_date="1955-01-02", over_60_grounds="Nơi chưa có đảng viên"),
    "education exception": lambda y, n, on: y.set(y.one(n), on, education="primary", special_area=True,
                                                  group_papers={"education_exception": on.isoformat()}),
    "far away": lambda y, n, on: y.set(y.one(n), on, works_far_away=True, away_since=on.isoformat()),
    "contacted": lambda y, n, on: y.set(y.one(n), on, contacted_on=on.isoformat()),
    "sent to class": lambda y, n, on: y.set(y.one(n), on, sent_to_class_on=on.isoformat()),
    "undo": _undo_later_step,
    "transfer": _transfer,
    "new": _new,
    "target": _change_target,
    "withdraw target": lambda y, n, on: y.move(y.one(n, "target"), "withdraw_target", on),
    "obstacle": lambda y, n, on: y.move(y.one(n, "obstacle"), "resolve", on, solution="Xong"),
    "obstacle due": lambda y, n, on: y.move(
        y.one(n, "obstacle"), "assign", on, handled_by="cb1", solve_by=on.isoformat()
    ),
    "activity": lambda y, n, on: y.move(y.one(n, "education_activity"), "hold_activity", on, attendance=n),
    "inspection": lambda y, n, on: y.move(y.one(n, "inspection"), "hold_inspection", on, visit_findings="Tốt"),
    "briefing": lambda y, n, on: y.move(y.one(n, "briefing"), "brief", on, attendance=n + 1),
    "plan": lambda y, n, on: y.move(y.one(n, "annual_plan"), "receive", on, AGENCY, target=n),
    "branch plan": lambda y, n, on: y.move(y.one(n, "branch_plan"), "receive", on, target=n),
    "review": lambda y, n, on: y.move(y.one(n, "monthly_review"), "skip", on),
    "unit moves": lambda y, n, on: y.town.service.set_up().orgs(
        [OrgChange(id="cb1", parent=("xa2", "xa1")[n % 2], from_=on)]
    ),
    "unit renamed": lambda y, n, on: y.town.service.set_up().orgs([OrgChange(id="xa1", name=f"Xã {n}", from_=on)]),
    "units merge": lambda y, n, on: y.town.service.organisations.put(
        [OrgChange(id="cb3", merge_into="cb2", from_=on)], ADMIN
    ),
}  # fmt: skip

people = st.lists(
    st.tuples(
        st.sampled_from(UNITS),
        st.dates(date(2023, 1, 3), date(2023, 11, 30)),
        st.sampled_from(STAGES),
        st.sampled_from(("", *UNIONS)),
    ),
    min_size=1,
    max_size=5,
)
later = st.lists(st.tuples(st.sampled_from(sorted(LATER)), st.integers(0, 20)), max_size=12)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(people=people, later=later)
def test_no_report_of_2023_changes_by_what_happens_in_2024(people: list, later: list) -> None:
    """Persons, units, targets, plans, sittings, obstacles, visits, activities: each may go on, in any order."""
    year = Year(people)
    before = _past(year.town)
    for what, n in later:
        year.later(what, n)
    after = _past(year.town)
    assert {name for name in before if after[name] != before[name]} == set(), year.done
    assert after == before


def test_each_of_the_later_acts_does_happen_and_leaves_the_reports_alone() -> None:
    """One after another, so that none of them is only ever refused."""
    folk = [(UNITS[n % 4], date(2023, 2, 1) + timedelta(days=50 * n), STAGES[n % 4], UNIONS[n % 2]) for n in range(6)]
    year = Year(folk)
    before = _past(year.town)
    for n, what in enumerate(sorted(LATER)):
        for tried in range(12):
            year.later(what, n + tried)
            if year.done[what]:
                break
        assert year.done[what] == 1, (what, year.done)
        assert _past(year.town) == before, what


def test_a_correction_that_says_from_when_it_holds_changes_the_past_report() -> None:
    """Whoever says that the other union introduced the person, then, is believed; a change of today is not of then."""
    year = Year([("cb1", date(2023, 3, 1), "elite", "doan1")])

    def introduced() -> dict[str, int]:
        found = rows(year.town.report("introductions", year_span(2023)), "So với chỉ tiêu")
        return {union: found[union]["introduced"] for union in UNIONS}

    assert introduced() == {"doan1": 1, "doan2": 0}
    year.set("p0", date(2024, 6, 3), introduced_by="doan2")
    assert introduced() == {"doan1": 1, "doan2": 0}
    year.set("p0", date(2023, 3, 2), introduced_by="doan2")
    assert introduced() == {"doan1": 0, "doan2": 1}
    found = rows(year.town.report("introductions", year_span(2023)), "đã đi đến đâu")
    assert found["doan2"]["listed"] == 1


def test_an_introduction_of_december_entered_in_january_counts_in_december() -> None:
    """The day of the introduction counts, whenever the person is entered; nobody is counted in no year."""
    year = Year([("cb1", date(2023, 3, 1), "source", "")])
    for n, (on, said) in enumerate(((date(2024, 1, 8), "2023-12-28"), (date(2024, 1, 9), None))):
        facts = {"introduced_by": "doan1"} | ({"introduced_on": said} if said else {})
        year.town.play(Person(id=f"late{n}", unit="cb1", begun=on, stage="source", facts=facts))
    year.set("late1", date(2024, 2, 1), introduced_on="2023-12-29")
    table = rows(year.town.report("introductions", year_span(2023)), "So với chỉ tiêu")
    assert table["doan1"]["introduced"] == 2
    table = rows(year.town.report("introductions", year_span(2024)), "So với chỉ tiêu")
    assert table["doan1"]["introduced"] == 0
