"""History: what happened before this program stands with its days, marked, and no rule was asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from engine.clock import SetClock
from engine.core import events
from engine.core.commands import Undo
from engine.core.errors import BadInput, Denied
from engine.recording import Past, Record
from engine.service import Service
from engine.steps import By
from engine.store.ports import Store
from engine.verifying import verify
from tests.world import START, found_office, trail

CLERK = By(officer="xa1_clerk")
ADMITTED = Past(on=date(2017, 5, 19), trigger="admit", facts={"decision_no": "12-QĐ/TU", "decision_on": "2017-05-19"})


@pytest.fixture
def clock() -> SetClock:
    return SetClock(START)


@pytest.fixture
def service(store: Store, clock: SetClock) -> Service:
    return found_office(store, clock, ("candidate", "probation"))


def person(*past: Past, name: str = "Lê Văn An", org: str = "cb1", on: date = date(2017, 1, 5)) -> Record:
    """Returns somebody of years ago."""
    return Record(workflow="candidate", org=org, on=on, facts={"full_name": name}, past=past)


def test_history_stands_with_its_days_and_says_so(service: Service, store: Store) -> None:
    (id_,) = service.past.record([person(ADMITTED)], CLERK)
    case, facts = service.show(id_)
    assert (case.subject.state, str(case.subject.entered_on), facts["decision_no"]) == (
        "admitted",
        "2017-05-19",
        "12-QĐ/TU",
    )
    told = [e for e in trail(store) if e.subject == id_]
    assert [(e.kind, e.on, e.history, e.rules) for e in told] == [
        (events.STARTED, "2017-01-05", True, ()),
        (events.RECORDED, "2017-05-19", True, ()),
    ]


def test_history_tells_nobody_and_opens_nothing_unless_asked(service: Service) -> None:
    service.past.record([person(ADMITTED)], CLERK)
    service.tick()
    assert service.outbox.rows() == []
    assert service.find("probation", None, {}) == []
    official = Past(on=date(2018, 7, 2), trigger="recognise_official", facts={"decision_no": "9-QĐ/TU"})
    opening = replace(ADMITTED, opens=(official,))
    service.past.record([person(opening, name="Lê Văn Bình")], CLERK)
    (opened,) = service.find("probation", None, {})
    assert service.show(opened)[0].subject.state == "official"


def test_history_may_be_undone_and_the_trail_verifies(service: Service) -> None:
    (id_,) = service.past.record([person(ADMITTED)], CLERK)
    answer = service.undo(Undo(subject=id_, reason="Nhầm người"), CLERK)
    assert answer.to == "source"
    assert verify(service).ok


@pytest.mark.parametrize(
    "wrong",
    [
        person(ADMITTED, on=date(2018, 1, 1)),  # began after it ended
        person(Past(on=date(2030, 1, 1), trigger="admit")),
        person(Past(on=date(2018, 1, 1), trigger="frob")),
        person(Past(on=date(2018, 1, 1), trigger="admit", to="frob")),
        person(Past(on=date(2018, 1, 1), trigger="admit", facts={"frob": "1"})),
        person(ADMITTED, org="frob"),
        Record(workflow="candidate", org="cb1", on=date(2018, 1, 1)),
    ],
)
def test_history_that_cannot_be_is_refused_whole(service: Service, store: Store, wrong: Record) -> None:
    before = len(trail(store))
    with pytest.raises(BadInput):
        service.past.record([person(ADMITTED), wrong], CLERK)
    assert len(trail(store)) == before


def test_only_who_may_begin_a_subject_enters_its_history(service: Service) -> None:
    for officer in ("cb3_secretary", "tu_inspector", "tu_admin"):
        with pytest.raises(Denied):
            service.past.record([person(ADMITTED)], By(officer=officer))


def test_history_of_who_is_still_on_the_way_goes_on_under_the_rules(service: Service, clock: SetClock) -> None:
    past = (
        Past(on=date(2024, 3, 1), trigger="recognise", facts={"recognised_on": "2024-03-01"}),
        Past(on=date(2024, 6, 1), trigger="certify", facts={"certificate_on": "2019-03-01"}, by=("ttct_trainer",)),
    )
    (id_,) = service.past.record([person(*past)], CLERK)
    assert service.show(id_)[0].subject.doers == {"certify": ("ttct_trainer",)}
    clock.set(START + timedelta(days=1))
    service.tick()  # the certificate ran out on 1 March 2024 + 60 months
    assert service.show(id_)[0].subject.state == "elite"
