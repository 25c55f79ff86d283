"""One step opens a subject for each unit below: those that have none yet, and undone all are closed again."""

from __future__ import annotations

import pytest

from engine.clock import SetClock
from engine.core.commands import Move, Start, Undo
from engine.core.errors import BadInput
from engine.officework import OrgChange
from engine.service import Service
from engine.steps import Answer, By
from engine.store.memory import MemoryStore
from tests.world import START, UNITS, found_office

CLERK = By(officer="tu_clerk")
BRIEFED = sorted(u for u, (kind, _) in UNITS.items() if kind not in ("town_committee", "organisation_agency",
                                                                      "political_centre"))  # fmt: skip


@pytest.fixture
def service() -> Service:
    """The office with one document in the register."""
    service = found_office(MemoryStore(), SetClock(START), ("governing_document", "briefing"))
    facts: dict[str, object] = {
        "document_no": "15-CT/TU", "document_title": "Chỉ thị", "document_date": "2025-02-20", "issued_by": "BTV",
        "brief_by": "2025-03-28",
    }  # fmt: skip
    service.start(Start(workflow="governing_document", org="tu", id="d", facts=facts), CLERK)
    return service


def spread(service: Service) -> Answer:
    """Has the document briefed on."""
    return service.move(Move(subject="d", trigger="spread_document"), CLERK)


def states(service: Service) -> dict[str, str]:
    """Returns the state of each unit's briefing."""
    with service.work() as work:
        rows = work.tx.find_subjects(workflow="briefing")
        return {r.org: r.state for r in rows}


def test_each_unit_below_gets_one_and_a_unit_founded_since_gets_its_own(service: Service) -> None:
    assert sorted(o.split("-")[1] for o in spread(service).opened) == BRIEFED
    service.set_up().orgs([OrgChange(id="cb9", kind="branch", name="cb9", parent="xa2")])
    assert spread(service).opened == ["briefing-cb9-d"]
    assert sorted(states(service)) == sorted([*BRIEFED, "cb9"])


def test_undone_the_step_closes_what_it_opened_and_may_be_taken_again(service: Service) -> None:
    spread(service)
    service.undo(Undo(subject="d", reason="Nhầm văn bản"), CLERK)
    assert set(states(service).values()) == {"void"}
    assert service.show("d")[0].subject.state == "in_register"
    assert len(spread(service).opened) == len(BRIEFED)


def test_a_unit_that_has_been_briefed_stands_in_the_way_of_undoing(service: Service) -> None:
    spread(service)
    brief = Move(subject="briefing-cb1-d", trigger="brief", facts={"attendance": "9"})
    assert service.move(brief, By(officer="cb1_clerk")).allowed
    with pytest.raises(BadInput, match="briefing-cb1-d"):
        service.undo(Undo(subject="d", reason="Nhầm văn bản"), CLERK)
    assert states(service)["cb1"] == "done"
