"""Plan, target and result of each unit: by the day things happened, in the tree of that day, under the head of then."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import SetClock
from engine.core.commands import Move, SetFacts, Start, Undo
from engine.core.errors import BadInput, Denied, NotFound
from engine.figures import Item, Trees, latest, sums
from engine.officework import OfficerChange, OrgChange
from engine.service import Service
from engine.steps import By
from engine.store.memory import MemoryStore, MemoryTransaction
from engine.store.rows import OrgRow
from tests.world import found_office, office_time

YEAR = (date(2025, 1, 1), date(2025, 12, 31))
PAPERS = (
    "certificate", "application", "life_history", "life_verification", "referral", "opinions", "branch_resolution",
    "committee_resolution",
)  # fmt: skip
PERSON: dict[str, object] = {
    "birth_date": "1995-05-20", "education": "upper_secondary", "branch_proposed_on": "2022-12-20", "motives": "Tốt",
    "helper": "Trần Văn Bảy", "helper_is_formal": "true", "helper_together_since": "2020-01-01",
    "second_referrer": "Lý Thị Chín", "second_referrer_is_formal": "true",
}  # fmt: skip


@pytest.fixture
def clock() -> SetClock:
    """The last working day of 2025."""
    return SetClock(office_time(date(2025, 12, 31)))


@pytest.fixture
def service(clock: SetClock) -> Service:
    """The office of the tests with candidates, plans and targets."""
    return found_office(MemoryStore(), clock, ("candidate", "annual_plan", "branch_plan", "target"))


def admit(service: Service, id: str, unit: str, on: date, **facts: object) -> None:
    """Takes a person the whole way, admitted on a day."""
    day, papers = on.isoformat(), dict.fromkeys(PAPERS, (on - timedelta(days=20)).isoformat())
    before = on - timedelta(days=30)
    service.start(
        Start(workflow="candidate", org=unit, id=id, facts={**PERSON, "full_name": id, **facts}, on=before),
        By(officer="tu_clerk"),
    )
    certificate: dict[str, object] = {
        "certificate_no": id,
        "certificate_issuer": "TTCT",
        "certificate_on": before.isoformat(),
    }
    review: dict[str, object] = {"branch_reviewed_on": day, "formal_members": 9, "formal_present": 9, "votes_for": 9}
    steps: list[tuple[str, str, dict[str, object]]] = [
        ("recognise", "tu_secretary", {}),
        ("certify", "tu_clerk", certificate),
        ("open_dossier", "tu_clerk", {"application_on": day, "papers": papers}),
        ("branch_review", "tu_clerk", review),
        ("admit", "tu_standing", {"decision_no": "05-QĐ/TU", "decision_on": day}),
    ]
    for trigger, officer, given_ in steps:
        answer = service.move(Move(subject=id, trigger=trigger, facts=given_, on=on), By(officer=officer))
        assert answer.allowed, answer.judgements


def give(service: Service, org: str, officer: str = "tcnv_clerk", on: date | None = None, **facts: object) -> str:
    """Gives a unit its target of 2025."""
    known = {"target_kind": "admissions", "year": 2025, "decision_no": "12-QĐ/TU", "decision_on": "2025-01-06", **facts}
    return service.start(Start(workflow="target", org=org, facts=known, on=on), By(officer=officer)).subject


def test_plan_target_and_result_stand_beside_each_other_and_parts_add_up(service: Service) -> None:
    admit(service, "a", "cb1", date(2025, 3, 10))
    admit(service, "b", "cb2", date(2025, 5, 5))
    admit(service, "c", "cb3", date(2025, 5, 6))
    admit(service, "d", "cs1", date(2025, 5, 6))
    admit(service, "old", "cb1", date(2024, 12, 31))
    give(service, "xa1", target_least=2)
    give(service, "xa2", target_least=5)
    plan = service.start(
        Start(workflow="annual_plan", org="xa1", facts={"year": 2025}), By(officer="xa1_secretary")
    ).subject
    service.set_facts(SetFacts(subject=plan, facts={"target": 3}), By(officer="xa1_secretary"))
    found = {s.unit: s for s in service.scores.standings("admissions", *YEAR)}
    assert {u: s.result for u, s in found.items()} == {
        "tu": 4, "xa1": 2, "cb1": 1, "cb2": 1, "xa2": 1, "cb3": 1, "cs1": 1
    }  # fmt: skip
    assert (found["xa1"].plan, found["xa1"].least, found["xa1"].met, found["xa1"].percent) == (3, 2, True, Decimal(100))
    assert (found["xa2"].met, found["xa2"].percent) == (False, Decimal(20))
    assert (found["cb1"].least, found["cb1"].met, found["cb1"].percent) == (None, None, None), "never 0 %"
    assert [h.name for h in found["xa1"].leaders if h.then] == ["xa1_secretary"]
    assert [s.unit for s in service.scores.standings("admissions", *YEAR, below="xa1")] == ["xa1", "cb1", "cb2"]


def test_a_day_of_the_year_shows_what_had_happened_by_then(service: Service) -> None:
    admit(service, "a", "cb1", date(2025, 3, 10))
    admit(service, "b", "cb1", date(2025, 9, 1))
    target = give(service, "xa1", target_least=1, on=date(2025, 1, 6))
    change = {"target_least": 3, "decision_no": "40-QĐ/TU", "decision_on": "2025-07-01"}
    service.move(
        Move(subject=target, trigger="change_target", facts=change, on=date(2025, 7, 1)), By(officer="tcnv_clerk")
    )

    def on(day: date) -> tuple[object, object, object]:
        one = next(s for s in service.scores.standings("admissions", *YEAR, day=day) if s.unit == "xa1")
        return one.least, one.result, one.number

    assert on(date(2025, 1, 5)) == (None, 0, None)
    assert on(date(2025, 3, 9)) == (1, 0, "12-QĐ/TU")
    assert on(date(2025, 3, 10)) == (1, 1, "12-QĐ/TU")
    assert on(date(2025, 7, 1)) == (3, 1, "40-QĐ/TU")
    assert on(date(2025, 12, 31)) == (3, 2, "40-QĐ/TU")
    assert [e.trigger for e in service.history(target)] == [None, "change_target"], "both decisions are kept"


def test_an_undone_admission_counts_no_more(service: Service) -> None:
    admit(service, "a", "cb1", date(2025, 3, 10))
    service.undo(Undo(subject="a", reason="Nhầm người"), By(officer="tu_standing"))
    assert all(s.result == 0 for s in service.scores.standings("admissions", *YEAR))


def test_a_term_may_have_a_range_and_another_target_than_its_years(service: Service) -> None:
    give(
        service,
        "tu",
        officer="tu_clerk",
        year=2015,
        until_year=2020,
        target_least=500,
        target_most=550,
        decision_on="2015-08-01",
    )
    give(service, "tu", officer="tu_clerk", year=2015, target_least=100, target_most=110, decision_on="2015-08-01")
    term = next(iter(service.scores.standings("admissions", date(2015, 1, 1), date(2020, 12, 31))))
    year = next(iter(service.scores.standings("admissions", date(2015, 1, 1), date(2015, 12, 31))))
    assert (term.unit, term.least, term.most, term.met) == ("tu", 500, 550, False)
    assert (year.least, year.most) == (100, 110)


def test_nobody_gives_a_target_to_their_own_unit_and_the_wrong_kind_is_refused(service: Service) -> None:
    for officer in ("xa1_secretary", "xa1_clerk"):
        with pytest.raises(Denied):
            give(service, "xa1", officer=officer, target_least=1)
    give(service, "cb1", officer="xa1_secretary", target_least=1)
    with pytest.raises(BadInput, match="target_most"):
        give(service, "cb2", officer="xa1_secretary", target_least=5, target_most=4)
    with pytest.raises(BadInput, match="target_kind"):
        give(service, "cb2", officer="xa1_secretary", target_least=5, target_kind="introductions")
    with pytest.raises(BadInput, match="target_kind"):
        give(service, "doan1", officer="xa1_secretary", target_least=5)
    with pytest.raises(BadInput, match="one already"):
        give(service, "cb1", officer="xa1_secretary", target_least=2)
    with pytest.raises(NotFound, match="there is no score"):
        service.scores.standings("nothing", *YEAR)
    fact = SetFacts(subject="target-cb1-admissions-2025", facts={"decision_no": "1"})
    with pytest.raises(BadInput, match="by steps only"):
        service.set_facts(fact, By(officer="xa1_secretary"))


def test_introductions_count_for_the_union_and_the_unions_of_its_kind_above_it(service: Service) -> None:
    service.set_up().orgs(
        OrgChange(id=id, kind="youth_union", name=id, parent=parent) for id, parent in (("td", "tu"), ("doan2", "xa2"))
    )
    for n, (unit, by) in enumerate((("cb1", "doan1"), ("cb1", "doan1"), ("cb3", "doan2"), ("cb3", "td"))):
        facts = {"full_name": "Lê", "introduced_by": by, "introduced_on": f"2025-04-0{n + 1}"}
        service.start(Start(workflow="candidate", org=unit, id=f"i{n}", facts=facts), By(officer="tu_clerk"))
    give(service, "td", target_kind="introductions", target_least=4)
    give(service, "doan1", officer="xa1_secretary", target_kind="introductions", target_least=3)
    found = {s.unit: (s.result, s.met) for s in service.scores.standings("introductions", *YEAR)}
    assert found == {"td": (4, True), "doan1": (2, False), "doan2": (1, None)}


def test_heads_are_those_in_office_then(service: Service, clock: SetClock) -> None:
    hand = service.set_up()
    hand.officers([OfficerChange(id="moi", name="Người mới", org="cb3", roles=("secretary",), from_=date(2025, 7, 1))])
    hand.officers([OfficerChange(id="cb3_secretary", until=date(2025, 6, 30))])

    def heads(day: date) -> list[tuple[str, bool]]:
        one = next(s for s in service.scores.standings("admissions", *YEAR, day=day) if s.unit == "cb3")
        return [(h.officer, h.then) for h in one.leaders]

    assert heads(date(2025, 6, 30)) == [("cb3_secretary", True)]
    assert heads(date(2025, 12, 31)) == [("cb3_secretary", False), ("moi", True)]


def test_a_unit_that_moved_leaves_what_it_reached_where_it_was(service: Service, clock: SetClock) -> None:
    clock.set(office_time(date(2026, 3, 2)))
    admit(service, "a", "cb2", date(2026, 1, 15))
    service.set_up().orgs([OrgChange(id="cb2", parent="xa2", from_=date(2026, 2, 1))])
    admit(service, "b", "cb2", date(2026, 2, 20))
    found = {s.unit: s.result for s in service.scores.standings("admissions", date(2026, 1, 1), date(2026, 12, 31))}
    assert (found["tu"], found["xa1"], found["xa2"], found["cb2"]) == (2, 1, 1, 2)


def _row(id: str, parent: str | None, first: date, last: date | None) -> OrgRow:
    return OrgRow(
        id=id, kind="branch", name=id, parent=parent, from_day=first.isoformat(),
        until_day=last.isoformat() if last else None, merged_into=None, marks_json="{}", created_at="",
    )  # fmt: skip


@given(
    moves=st.lists(st.tuples(st.integers(1, 8), st.integers(0, 7), st.integers(1, 300)), max_size=12),
    happened=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 330), st.integers(1, 5)), max_size=30),
)
def test_parts_add_up_to_the_whole_however_units_move(
    moves: list[tuple[int, int, int]], happened: list[tuple[int, int, int]]
) -> None:
    day0 = date(2024, 1, 1)
    # unit n begins under u0; a move puts it under a unit of a smaller number, so there is no circle
    rows: dict[int, list[OrgRow]] = {n: [_row(f"u{n}", "u0" if n else None, day0, None)] for n in range(9)}
    for unit, to, day in sorted(moves, key=lambda m: m[2]):
        last = rows[unit][-1]
        at = day0 + timedelta(days=day)
        if to < unit and last.from_day < at.isoformat():
            rows[unit][-1] = _row(last.id, last.parent, date.fromisoformat(last.from_day), at - timedelta(days=1))
            rows[unit].append(_row(last.id, f"u{to}", at, None))
    trees = Trees(r for versions in rows.values() for r in versions)
    found: list[Item] = []
    for n, (u, d, amount) in enumerate(happened):
        on = day0 + timedelta(days=d)
        found.append(Item(subject=str(n), unit=f"u{u}", amount=amount, most=None, first=on, last=on, number=None))
    totals = sums(trees, found, "below")
    days = latest(trees, found, "below")
    assert days.get("u0") == max((i.first for i in found), default=None)
    assert days.keys() == totals.keys()
    assert totals.get("u0", 0) == sum(i.amount for i in found)
    for happening in {i.first for i in found}:
        now = [i for i in found if i.first == happening]
        part, tree = sums(trees, now, "below"), trees.on(happening)
        for id in tree.by_id:
            own = sum(i.amount for i in now if i.unit == id)
            assert part.get(id, 0) == own + sum(part.get(c.id, 0) for c in tree.children(id))


def test_a_target_changed_after_its_year_changes_that_year_only_when_its_decision_is_of_then(
    service: Service, clock: SetClock
) -> None:
    """2025 is over: a change decided in 2026 leaves its report alone, one of 2025 entered late corrects it."""
    target = give(service, "xa1", target_least=10)
    clock.set(office_time(date(2026, 3, 2)))

    def least() -> object:
        return next(s.least for s in service.scores.standings("admissions", *YEAR) if s.unit == "xa1")

    def change(least: int, decided: str) -> None:
        facts = {"target_least": least, "decision_no": f"{least}-QĐ/TU", "decision_on": decided}
        service.move(Move(subject=target, trigger="change_target", facts=facts), By(officer="tcnv_clerk"))

    change(8, "2026-03-01")
    assert least() == 10
    change(12, "2025-11-03")
    assert least() == 12
    service.move(Move(subject=target, trigger="withdraw_target", reason="Nhầm"), By(officer="tcnv_clerk"))
    assert least() == 12, "withdrawn when the year was over"


def test_a_second_target_of_one_unit_kind_and_year_is_bad_input(service: Service) -> None:
    """It is changed by a decision, never given twice; with or without the last year written."""
    give(service, "xa1", target_least=10)
    with pytest.raises(BadInput):
        give(service, "xa1", target_least=11)
    with pytest.raises(BadInput):
        give(service, "xa1", target_least=11, until_year=2025)
    give(service, "xa1", target_least=40, until_year=2027)


def test_an_introduction_of_a_year_that_is_over_is_counted_by_the_day_it_is_said_to_be_of(
    service: Service, clock: SetClock
) -> None:
    """late it counts in its year; corrected to another year it leaves it; another union since changes nothing."""
    service.set_up().orgs([OrgChange(id="doan2", kind="youth_union", name="doan2", parent="xa2")])
    for n in range(2):
        facts = {"full_name": f"Lê {n}", "introduced_by": "doan1", "introduced_on": "2025-04-01"}
        service.start(Start(workflow="candidate", org="cb1", id=f"i{n}", facts=facts), By(officer="tu_clerk"))
    clock.set(office_time(date(2026, 3, 2)))

    def result(year: int) -> dict[str, object]:
        span = (date(year, 1, 1), date(year, 12, 31))
        return {s.unit: s.result for s in service.scores.standings("introductions", *span) if s.result}

    def write(person: str, **facts: str) -> None:
        service.set_facts(SetFacts(subject=person, facts=dict(facts)), By(officer="tu_clerk"))

    assert result(2025) == {"doan1": 2}
    facts = {"full_name": "Lê muộn", "introduced_by": "doan1", "introduced_on": "2025-12-20"}
    service.start(Start(workflow="candidate", org="cb1", id="late", facts=facts), By(officer="tu_clerk"))
    assert (result(2025), result(2026)) == ({"doan1": 3}, {})
    write("late", introduced_on="2026-01-10")
    assert (result(2025), result(2026)) == ({"doan1": 2}, {"doan1": 1})
    write("i0", introduced_by="doan2")
    assert result(2025) == {"doan1": 2}
    write("i0", introduced_on="2025-05-01")
    assert result(2025) == {"doan1": 2}


def test_a_result_of_a_year_that_is_over_reads_the_events_only_of_those_who_may_count(
    service: Service, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A town with ten thousands of people asks for it on every page of its plans."""
    admit(service, "a", "cb1", date(2025, 3, 10))
    for n in range(20):
        service.start(
            Start(workflow="candidate", org="cb1", id=f"p{n}", facts={"full_name": "Lê"}, on=date(2025, 5, 5)),
            By(officer="tu_clerk"),
        )
    clock.set(office_time(date(2026, 3, 2)))
    for n in range(20):
        service.set_facts(SetFacts(subject=f"p{n}", facts={"motives": "Tốt"}), By(officer="tu_clerk"))
    read: set[object] = set()
    real = MemoryTransaction.events

    def noting(self: MemoryTransaction, **wanted: Any) -> Any:
        read.add(wanted.get("subject"))
        return real(self, **wanted)

    monkeypatch.setattr(MemoryTransaction, "events", noting)
    results = {s.unit: s.result for s in service.scores.standings("admissions", *YEAR)}
    assert results["tu"] == 1
    assert read <= {"a"}
