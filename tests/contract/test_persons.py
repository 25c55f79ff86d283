"""Erasing a person, on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from engine.clock import SetClock
from engine.core.commands import Move, Start
from engine.library import find_sources
from engine.persons import StillNeeded
from engine.steps import By
from engine.store.ports import Store
from engine.verifying import verify
from tests.world import START, found_office

LAN, CLERK = By(officer="xa1_secretary"), By(officer="cb1_clerk")


def test_an_erased_person_stays_erased_and_everything_else_stays_as_it_was(store: Store) -> None:
    """Held, then released; another person beside them keeps their facts; the trail and the projection agree."""
    clock = SetClock(START)
    service = found_office(store, clock, ("candidate", "probation"))
    for id in ("p1", "p2"):
        facts = {"full_name": f"Người {id}", "religion": "none", "sex": "female"}
        service.start(Start(workflow="candidate", org="cb1", id=id, facts=facts), CLERK)
        service.move(Move(subject=id, trigger="drop", facts={"drop_reason": "moved"}, reason="Chuyển đi"), LAN)
    service.persons.hold("p1", "Khiếu nại", START.date() + timedelta(days=10), LAN)
    with pytest.raises(StillNeeded):
        service.persons.erase("p1", "Theo đơn", "Luật", LAN)
    clock.set(START + timedelta(days=20))  # a hold with an end ends by itself
    done = service.persons.erase("p1", "Theo đơn", "Luật", LAN)
    assert done.subjects == ["p1"]
    with service.work() as work:
        assert work.keys.get("p1") is None
        assert work.keys.get("p2") is not None
        assert work.case("p1").subject.facts == {"sex": "female", "drop_reason": "moved"}
        assert work.case("p2").subject.facts["full_name"] == "Người p2"
        assert work.tx.keys(["p1"])["p1"].erased_at is not None
    assert verify(service).problems == []
    kept = {"p1": {"sex": "female", "drop_reason": "moved"}}
    assert service.persons.erased() == [{"person": "p1", "at": "2025-03-23T02:00:00.000000Z", "kept": kept}]
    past = [o.person for o in service.persons.overdue()]
    assert past == []
    clock.set(START + timedelta(days=366 * 6))
    assert [o.person for o in service.persons.overdue()] == ["p2"]
    assert isinstance(service.persons.overdue()[0].past, date)


def test_a_step_whose_rules_read_facts_of_somebody_erased_since_is_not_decided_again(store: Store) -> None:
    """Nobody can read any more what they read; all else of the subject is verified."""
    own = "sealed_with: candidate\n"  # taken away: the subject then stays when the person is erased
    sources = [
        replace(s, text=s.text.replace(own, "").replace("  by_hand: false # only `admit` opens one\n", ""))
        for s in find_sources(["candidate", "probation"])
    ]
    service = found_office(store, SetClock(START), sources=sources)
    known = {"full_name": "A", "decision_received_on": "2025-01-02"}
    service.start(Start(workflow="candidate", org="cb1", id="p1", facts=known), CLERK)
    other = service.start(Start(workflow="probation", org="cb1", facts={"candidate": "p1"}), CLERK).subject
    held = Move(subject=other, trigger="hold_ceremony", facts={"ceremony_on": "2025-01-20"})
    assert service.move(held, By(officer="cb1_secretary")).allowed
    service.move(Move(subject="p1", trigger="drop", facts={"drop_reason": "moved"}, reason="Chuyển đi"), LAN)
    before = verify(service)
    assert (before.problems, before.steps) == ([], 2)
    service.persons.erase("p1", "Theo đơn", "Luật", LAN)
    after = verify(service)
    assert (after.problems, after.steps) == ([], 0)


def test_who_is_erased_is_erased_from_the_introduction_that_brought_them_too(store: Store) -> None:
    """A union introduced two; one is erased at the branch: name and merits are gone from the union's copy, not the
    other's, and what hangs on the person (an obstacle) is gone with them."""
    clock = SetClock(START)
    service = found_office(store, clock, ("candidate", "introduction", "obstacle"))
    found = {}
    for name in ("Nguyễn Kín", "Trần Hở"):
        facts = {"full_name": name, "to_branch": "cb1", "merits": f"{name} tốt"}
        began = service.start(Start(workflow="introduction", org="doan1", facts=facts), By(officer="doan1_secretary"))
        (person,) = service.move(Move(subject=began.subject, trigger="take_into_source"), CLERK).opened
        found[name] = (began.subject, person)
    introduction, person = found["Nguyễn Kín"]
    facts = {"difficulty": "Nguyễn Kín thiếu giấy", "about_person": person}
    obstacle = service.start(Start(workflow="obstacle", org="xa1", facts=facts), LAN).subject
    service.move(Move(subject=obstacle, trigger="resolve", facts={"solution": "Nguyễn Kín đã nộp"}), LAN)
    service.move(Move(subject=person, trigger="drop", facts={"drop_reason": "moved"}, reason="Nguyễn Kín đi xa"), LAN)
    done = service.persons.erase(person, "Theo đơn", "Luật", LAN)
    assert set(done.subjects) == {person, obstacle, introduction}
    told = [service.show(id)[1] for id in done.subjects] + [service.history(id) for id in done.subjects]
    assert "Nguyễn Kín" not in repr(told)
    other = found["Trần Hở"]
    assert [service.show(id)[1]["full_name"] for id in other] == ["Trần Hở", "Trần Hở"]
    assert verify(service).problems == []
