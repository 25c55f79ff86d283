"""What the supervision report calls overdue: what was due before its last day and not done by then."""

from __future__ import annotations

from datetime import date

import pytest

from engine.audit.note import SigningKey
from engine.clock import SetClock
from engine.core.commands import Move, Start
from engine.service import Service
from engine.steps import By
from engine.store.memory import MemoryStore
from tests.world import found_office, office_time

CLERK = By(officer="cb1_clerk")
PLAN = "annual_plan-xa1-2026"
LODGED, PLAN_DUE = date(2026, 1, 5), date(2026, 1, 24)


@pytest.fixture(scope="module")
def office() -> Service:
    """A request of 5 January, due by the 15th and answered on 10 February; a yearly plan that never came."""
    clock = SetClock(office_time(date(2025, 12, 30)))
    service = found_office(MemoryStore(), clock, ["candidate", "annual_plan", "data_request"])
    service.start(Start(workflow="candidate", org="cb1", id="an", facts={"full_name": "Lê Văn An"}), CLERK)
    clock.set(office_time(LODGED))
    service.tick()
    asked = {"about_whom": "an", "person_asks_for": "see_data", "lodged_on": LODGED}
    service.start(Start(workflow="data_request", org="cb1", id="d1", facts=asked), CLERK)
    clock.set(office_time(date(2026, 2, 10)))
    service.tick()
    answered = {"answered_on": date(2026, 2, 10)}
    move = Move(subject="d1", trigger="answer_request", facts=answered, reason="Tìm hồ sơ giấy")
    service.move(move, CLERK)
    return service


@pytest.mark.parametrize(
    ("last", "overdue"),
    [
        (date(2026, 1, 15), {}),
        (date(2026, 1, 16), {"d1": (date(2026, 1, 15), 1)}),
        (date(2026, 1, 24), {"d1": (date(2026, 1, 15), 9)}),
        (date(2026, 1, 31), {"d1": (date(2026, 1, 15), 16), PLAN: (PLAN_DUE, 7)}),
        (date(2026, 2, 10), {PLAN: (PLAN_DUE, 17)}),
        (date(2026, 12, 31), {PLAN: (PLAN_DUE, 17)}),  # what is to come is not late yet
    ],
)
def test_overdue_is_what_was_due_before_the_last_day_and_open_then(
    office: Service, last: date, overdue: dict[str, tuple[date, int]]
) -> None:
    found = office.reading.supervision("xa1", date(2026, 1, 1), last, By(officer="tu_inspector"))
    assert {p.case: (p.due, p.days) for p in found.pending} == overdue


def test_the_story_of_a_step_keeps_its_reason_and_no_facts(office: Service) -> None:
    found = office.reading.supervision("xa1", date(2026, 1, 1), date(2026, 12, 31), By(officer="tu_inspector"))
    (story,) = (s for s in found.stories if s.id == "d1")
    assert [e.payload for e in story.entries] == [None, {"reason": "Tìm hồ sơ giấy"}]


def test_checkpoints_are_counted_and_have_no_page_of_their_own() -> None:
    clock = SetClock(office_time(date(2026, 1, 5)))
    service = found_office(MemoryStore(), clock, ["candidate", "trail_checkpoint"])
    service.kit.signer = lambda: SigningKey(name="ketnap/x", seed=bytes(32))
    service.start(Start(workflow="candidate", org="cs1", id="an", facts={"full_name": "An"}), By(officer="tu_clerk"))
    service.start(Start(workflow="trail_checkpoint", org="tu"), By(officer="tu_clerk"))
    found = service.reading.supervision("tu", date(2026, 1, 1), date(2026, 12, 31), By(officer="tu_inspector"))
    assert found.stages["trail_checkpoint", "checkpoint_kept"] == 1
    assert [s.id for s in found.stories] == ["an"]
