"""Organisations over time: nobody is lost when units come and go, and a day of the past shows the units of that day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from engine.clock import SetClock
from engine.core.commands import Move, SetFacts, Start, Undo
from engine.core.errors import BadInput, Denied, NotFound
from engine.doors.organisations import standing
from engine.officework import OfficerChange, OrgChange, Term
from engine.organising import Split
from engine.recording import Past, Record
from engine.service import Service
from engine.steps import By
from engine.store.ports import Store
from engine.verifying import verify
from tests.world import START, found_office, office_time

ADMIN = By(officer="tu_admin")
TODAY = date(2025, 3, 3)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(START)


@pytest.fixture
def service(store: Store, clock: SetClock) -> Service:
    return found_office(store, clock, ("candidate", "probation", "annual_plan"))


def person(service: Service, id_: str, org: str = "cb1", officer: str = "xa1_clerk") -> str:
    """Begins somebody at a unit."""
    service.start(Start(workflow="candidate", id=id_, org=org, facts={"full_name": id_}), By(officer=officer))
    return id_


def org_of(service: Service, id_: str) -> str:
    """Returns where somebody is now."""
    return service.show(id_)[0].subject.org


def names(service: Service, day: date) -> dict[str, tuple[str, str | None]]:
    """Returns name and place of the units that stand on a day."""
    _, tree = service.organisations.on(day)
    return {o.id: (o.name, o.parent) for o in standing(tree, day)}


def test_a_merger_entered_ahead_hands_over_on_its_day(service: Service, clock: SetClock) -> None:
    person(service, "u1")
    person(service, "u2", "xa1")
    service.organisations.put(
        [OrgChange(id="xa1", merge_into="xa2", from_=date(2025, 7, 1), decision="12-QĐ/TU")], ADMIN
    )
    assert (org_of(service, "u2"), names(service, date(2025, 6, 30))["cb1"][1]) == ("xa1", "xa1")
    due = service.next_due()
    assert due is not None
    clock.set(office_time(date(2025, 7, 1)))
    assert service.tick() > 0
    assert (org_of(service, "u1"), org_of(service, "u2")) == ("cb1", "xa2")
    service.move(_recognised("u2"), By(officer="xa2_secretary"))
    assert "xa1" not in names(service, date(2025, 7, 1))
    assert names(service, date(2025, 7, 1))["cb1"][1] == "xa2"
    assert names(service, date(2025, 6, 30))["cb1"][1] == "xa1"
    assert service.tick() == 0
    assert verify(service).ok


def _recognised(id_: str) -> Move:
    facts = {"branch_proposed_on": "2025-03-01", "motives": "x", "helper": "y"}
    return Move(subject=id_, trigger="recognise", facts=facts)


def test_two_units_are_never_merged_into_each_other(service: Service) -> None:
    """One is to go into the other in July; meanwhile the other cannot go into the first, nor into one that closes."""
    service.organisations.put([OrgChange(id="cb3", until=date(2025, 6, 30))], ADMIN)
    with pytest.raises(BadInput, match="cb3, which takes over, itself ends with 2025-06-30"):
        service.organisations.put([OrgChange(id="cb1", merge_into="cb3")], ADMIN)
    service.organisations.put([OrgChange(id="xa1", merge_into="xa2", from_=date(2025, 7, 1))], ADMIN)
    with pytest.raises(BadInput, match="nobody would follow"):
        service.organisations.put([OrgChange(id="xa2", merge_into="xa1", from_=date(2025, 6, 1))], ADMIN)


def test_what_a_merged_unit_had_for_itself_is_reached_by_who_follows(service: Service) -> None:
    xa1, xa2 = By(officer="xa1_secretary"), By(officer="xa2_secretary")
    service.start(Start(workflow="annual_plan", id="p1", org="xa1", facts={"year": "2025"}), xa1)
    service.start(Start(workflow="annual_plan", id="p2", org="xa2", facts={"year": "2025"}), xa2)
    admitted = Past(on=date(2024, 5, 1), trigger="admit")
    (old,) = service.past.record(
        [Record(workflow="candidate", org="xa1", on=date(2024, 1, 1), facts={"full_name": "An"}, past=(admitted,))], xa1
    )
    with pytest.raises(Denied):
        service.set_facts(SetFacts(subject=old, facts={"phone": "1"}), xa2)
    service.organisations.put([OrgChange(id="xa1", merge_into="xa2")], ADMIN)
    assert (org_of(service, old), org_of(service, "p1")) == ("xa1", "xa1")
    service.set_facts(SetFacts(subject=old, facts={"phone": "1"}), xa2)
    service.set_facts(SetFacts(subject="p1", facts={"target": "5"}), xa2)


def test_a_unit_with_somebody_left_is_not_closed(service: Service) -> None:
    person(service, "u1")
    with pytest.raises(BadInput, match="u1"):
        service.organisations.close("cb1", None, None, ADMIN)
    with pytest.raises(BadInput, match="cb1, cb2"):
        service.organisations.close("xa1", None, None, ADMIN)
    service.organisations.close("cb2", TODAY, "3-QĐ/TU", ADMIN)
    assert "cb2" not in names(service, TODAY)
    assert "cb2" in names(service, TODAY - timedelta(days=1))
    with pytest.raises(BadInput, match="closed"):
        person(service, "u2", "cb2")
    with pytest.raises(BadInput, match="closed"):
        service.move(Move(subject="u1", trigger="transfer", facts={"to_org": "cb2"}), By(officer="cb1_secretary"))


def test_a_split_leaves_nobody_out_and_a_probation_goes_with_its_person(service: Service) -> None:
    service.organisations.put([OrgChange(id=i, kind="branch", name=i, parent="xa1") for i in ("cb1a", "cb1b")], ADMIN)
    person(service, "u1")
    person(service, "u2")
    opened = Past(on=date(2025, 2, 1), trigger="admit", opens=())
    (u3,) = service.past.record(
        [Record(workflow="candidate", org="cb1", on=date(2025, 1, 1), facts={"full_name": "An"}, past=(opened,))],
        By(officer="xa1_clerk"),
    )
    (probation,) = service.find("probation", None, {})
    wanted = {"u1": "cb1a", "u2": "cb1b"}
    with pytest.raises(BadInput, match=probation):
        service.organisations.split(Split(org="cb1", into=("cb1a", "cb1b"), assign=wanted), ADMIN)
    assert org_of(service, "u1") == "cb1"
    split = Split(org="cb1", into=("cb1a", "cb1b"), assign={**wanted, u3: "cb1b"}, decision="4-QĐ/TU")
    went = service.organisations.split(split, ADMIN)
    assert went == {"u1": "cb1a", "u2": "cb1b", u3: "cb1b", probation: "cb1b"}
    assert "cb1" not in names(service, TODAY)
    _, chapters = service.organisations.story("cb1")
    assert [(c.what, c.decision) for c in chapters] == [("founded", None), ("split", "4-QĐ/TU")]
    assert verify(service).ok


def test_a_unit_that_gives_a_part_away_goes_on(service: Service) -> None:
    person(service, "u1")
    person(service, "u2")
    service.organisations.split(Split(org="cb1", into=("cb1", "cb2"), assign={"u2": "cb2"}), ADMIN)
    assert (org_of(service, "u1"), org_of(service, "u2")) == ("cb1", "cb2")
    assert "cb1" in names(service, TODAY)


@pytest.mark.parametrize(
    "assign", [{"u1": "cb3"}, {"u9": "cb2"}, {"cb3": "cb2"}, {}], ids=["elsewhere", "nobody", "not below", "left out"]
)
def test_a_split_that_does_not_fit_changes_nothing(service: Service, assign: dict[str, str]) -> None:
    person(service, "u1")
    with pytest.raises(BadInput):
        service.organisations.split(Split(org="cb1", into=("cb2",), assign=assign), ADMIN)
    assert org_of(service, "u1") == "cb1"
    assert "cb1" in names(service, TODAY)


def test_names_and_places_are_those_of_the_day(service: Service) -> None:
    service.organisations.put([OrgChange(id="cb1", name="Chi bộ khu phố 1", from_=date(2025, 7, 1))], ADMIN)
    service.organisations.put([OrgChange(id="cb1", parent="xa2", from_=date(2025, 9, 1))], ADMIN)
    assert names(service, date(2025, 6, 30))["cb1"] == ("cb1", "xa1")
    assert names(service, date(2025, 8, 1))["cb1"] == ("Chi bộ khu phố 1", "xa1")
    assert names(service, date(2025, 9, 1))["cb1"] == ("Chi bộ khu phố 1", "xa2")
    with pytest.raises(BadInput, match="2025-09-01"):
        service.organisations.put([OrgChange(id="cb1", name="x", from_=date(2025, 8, 1))], ADMIN)


def test_a_transfer_on_its_way_to_a_unit_that_is_merged_arrives_at_the_one_that_follows(service: Service) -> None:
    person(service, "u1", "cb3", "cb3_secretary")
    service.move(Move(subject="u1", trigger="transfer", facts={"to_org": "cb1"}), By(officer="cb3_secretary"))
    service.organisations.put([OrgChange(id="cb1", merge_into="cb2")], ADMIN)
    service.move(Move(subject="u1", trigger="accept_transfer"), By(officer="cb2_clerk"))
    assert org_of(service, "u1") == "cb2"


def test_undoing_a_move_out_of_a_unit_that_is_gone_leads_to_the_one_that_follows(service: Service) -> None:
    person(service, "u1")
    service.move(Move(subject="u1", trigger="transfer", facts={"to_org": "cb3"}), By(officer="cb1_secretary"))
    service.move(Move(subject="u1", trigger="accept_transfer"), By(officer="cb3_secretary"))
    service.organisations.put([OrgChange(id="cb1", merge_into="cb2")], ADMIN)
    service.undo(Undo(subject="u1", reason="Nhầm"), By(officer="cb3_secretary"))
    assert org_of(service, "u1") == "cb2"
    assert verify(service).ok


def test_terms_of_office_come_and_go(service: Service, clock: SetClock) -> None:
    service.put_officers([OfficerChange(id="moi", name="Người Mới", org="xa1")], ADMIN)
    service.organisations.appoint([Term(officer="moi", role="secretary", org="cb2", from_=date(2025, 4, 1))], ADMIN)
    with pytest.raises(Denied):
        person(service, "u1", "cb2", "moi")
    clock.set(office_time(date(2025, 4, 1)))
    person(service, "u1", "cb2", "moi")
    service.organisations.release("moi", "secretary", "cb2", date(2025, 4, 30), ADMIN)
    clock.set(office_time(date(2025, 5, 1)))
    with pytest.raises(Denied):
        person(service, "u2", "cb2", "moi")
    with pytest.raises(NotFound):
        service.organisations.release("moi", "secretary", "cb2", None, ADMIN)
    with pytest.raises(BadInput, match="already"):
        service.organisations.appoint([Term(officer="moi", role="secretary", org="cb2", from_=date(2025, 4, 2))], ADMIN)
    assert verify(service).ok


def test_only_an_administrator_above_changes_a_unit(service: Service) -> None:
    for officer in ("xa1_secretary", "tu_clerk", "tu_inspector"):
        with pytest.raises(Denied):
            service.organisations.put([OrgChange(id="cb1", name="x")], By(officer=officer))
        with pytest.raises(Denied):
            service.organisations.close("cb2", None, None, By(officer=officer))
        with pytest.raises(Denied):
            service.organisations.appoint([Term(officer="tu_clerk", role="clerk", org="cb1")], By(officer=officer))
