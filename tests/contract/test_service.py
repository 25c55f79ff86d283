"""The one door over every store: a command counts once, a step is whole or not at all, who comes late is told so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from engine.clock import SetClock
from engine.core.commands import Line, Move, SetFacts, Start, Undo
from engine.core.errors import BadInput, Conflict, Denied
from engine.service import Service
from engine.steps import Answer, By
from engine.store.memory import MemoryStore
from engine.store.ports import Store
from engine.verifying import verify
from tests.world import START, found_office, trail

SOURCE = {"full_name": "Nguyễn Thị Bình", "motives": "Tự nguyện", "helper": "Trần Văn Cường"}
RECOGNISE = Move(subject="b1", trigger="recognise", facts={"branch_proposed_on": "2025-03-01"})


@pytest.fixture
def clock() -> SetClock:
    """A clock on a Monday morning in office time."""
    return SetClock(START)


@pytest.fixture
def service(store: Store, clock: SetClock) -> Service:
    """The office with one person, b1, in source."""
    service = found_office(store, clock, ("candidate", "monthly_review"))
    start(service, "b1")
    return service


def start(service: Service, id: str, unit: str = "cb1", **facts: object) -> Answer:
    """Enters a person of whom enough is known to be recognised."""
    return service.start(
        Start(workflow="candidate", org=unit, id=id, facts={**SOURCE, **facts}), By(officer="tu_clerk")
    )


def state(service: Service, id: str) -> tuple[str, int]:
    """Returns a person's state and version."""
    subject = service.show(id)[0].subject
    return subject.state, subject.version


# ---- a command counts once ----


def check_once(service: Service, store: Store, give: Callable[[By], Answer], officer: str) -> None:
    """The same command given twice is answered as before, and leaves one event."""
    by = By(officer=officer, command="c-1")
    before = len(trail(store))
    first = give(by)
    after = trail(store)
    again = give(by)
    assert trail(store) == after
    assert len(after) > before
    assert (again.subject, again.workflow, again.trigger, again.event) == (
        first.subject,
        first.workflow,
        first.trigger,
        first.event,
    )
    assert (again.source, again.to, again.version) == (first.source, first.to, first.version)
    assert again.allowed is first.allowed
    assert verify(service).ok


def test_a_repeated_start_is_answered_not_done_twice(service: Service, store: Store) -> None:
    """Nobody is entered twice because the line was bad."""
    command = Start(workflow="candidate", org="cb1", facts=SOURCE)
    check_once(service, store, lambda by: service.start(command, by), "cb1_clerk")


def test_a_repeated_step_is_answered_not_done_twice(service: Service, store: Store) -> None:
    """The answer is that of the first time, though the step no longer leaves the state."""
    check_once(service, store, lambda by: service.move(RECOGNISE, by), "xa1_secretary")
    assert state(service, "b1") == ("elite", 2)


def test_a_repeated_writing_of_facts_is_answered_not_done_twice(service: Service, store: Store) -> None:
    """It is answered as done, not as refused."""
    command = SetFacts(subject="b1", facts={"occupation": "Giáo viên"})
    check_once(service, store, lambda by: service.set_facts(command, by), "cb1_clerk")


def test_a_repeated_undo_is_answered_not_done_twice(service: Service, store: Store) -> None:
    """A second undo would take back the step before."""
    service.move(RECOGNISE, By(officer="xa1_secretary"))
    service.move(
        Move(subject="b1", trigger="drop", facts={"drop_reason": "moved"}, reason="Chuyển đi"),
        By(officer="xa1_secretary"),
    )
    command = Undo(subject="b1", reason="Nhập nhầm")
    check_once(service, store, lambda by: service.undo(command, by), "xa1_secretary")
    assert state(service, "b1")[0] == "elite"


def test_a_repeated_refusal_is_answered_and_tried_once(service: Service, store: Store) -> None:
    """The attempt stands in the trail once."""
    service.set_facts(SetFacts(subject="b1", facts={"motives": None}), By(officer="cb1_clerk"))
    by = By(officer="xa1_secretary", command="c-1")
    assert not service.move(RECOGNISE, by).allowed
    size = len(trail(store))
    again = service.move(RECOGNISE, by)
    assert not again.allowed
    assert len(trail(store)) == size


def test_a_repeated_denial_is_denied_again_and_written_once(service: Service, store: Store) -> None:
    """Why is told again, too."""
    by = By(officer="cb1_secretary", command="c-1")
    for _ in range(2):
        with pytest.raises(Denied) as caught:
            service.move(RECOGNISE, by)
        assert caught.value.why == "role"
    assert [e.kind for e in trail(store)].count("denied") == 1


def test_a_command_id_used_before_for_something_else_is_refused(service: Service, store: Store) -> None:
    """Other facts, another step, another officer, another subject: none is answered as if it had been done."""
    by = By(officer="xa1_secretary", command="c-1")
    service.move(RECOGNISE, by)
    size = len(trail(store))
    others: list[Callable[[], Answer]] = [
        lambda: service.move(Move(subject="b1", trigger="recognise", facts={"branch_proposed_on": "2024-05-06"}), by),
        lambda: service.move(RECOGNISE, By(officer="xa1_clerk", command="c-1")),
        lambda: service.set_facts(SetFacts(subject="b1", facts={"occupation": "Giáo viên"}), by),
        lambda: service.start(Start(workflow="candidate", org="cb1", facts=SOURCE), by),
        lambda: service.undo(Undo(subject="b1", reason="Nhập nhầm"), by),
    ]
    for other in others:
        with pytest.raises(Conflict, match="was used before"):
            other()
    assert len(trail(store)) == size
    assert service.move(RECOGNISE, by).allowed


def test_bad_input_does_not_use_up_a_commands_id(service: Service) -> None:
    """Nothing was done, so the mended command counts."""
    by = By(officer="xa1_secretary", command="c-1")
    with pytest.raises(BadInput):
        service.move(Move(subject="b1", trigger="recognise", facts={"branch_proposed_on": "soon"}), by)
    assert service.move(RECOGNISE, by).allowed


# ---- who comes late ----


def test_a_step_for_another_version_is_a_conflict_and_changes_nothing(service: Service, store: Store) -> None:
    """Exit code 4, and nothing in the trail; with the version that is, it goes through."""
    service.set_facts(SetFacts(subject="b1", facts={"occupation": "Nông dân"}), By(officer="cb1_clerk"))
    before = trail(store)
    by = By(officer="xa1_secretary")
    for command in (
        lambda: service.move(replace(RECOGNISE, version=1), by),
        lambda: service.set_facts(SetFacts(subject="b1", facts={"occupation": "Thợ"}, version=1), by),
        lambda: service.undo(Undo(subject="b1", reason="x", version=1), by),
    ):
        with pytest.raises(Conflict) as caught:
            command()
        assert caught.value.exit_code == 4
        assert caught.value.params == {"subject": "b1", "now": 2, "seen": 1}
    assert trail(store) == before
    assert service.move(replace(RECOGNISE, version=2), by).allowed


# ---- all or nothing ----


def test_many_steps_in_one_are_all_taken_or_none(service: Service, store: Store) -> None:
    """One refused line stops all, whether it is refused, denied or bad."""
    start(service, "b2")
    start(service, "b3", motives=None)
    start(service, "b4", unit="cb3")  # not below xa1
    before = trail(store)
    by = By(officer="xa1_secretary")
    moves = [Move(subject=s, trigger="recognise", facts=RECOGNISE.facts) for s in ("b1", "b2", "b3", "b4", "b1")]
    answers = service.move_many(moves[:3], by)
    assert [a.allowed for a in answers] == [True, True, False]
    with pytest.raises(Denied):
        service.move_many([moves[0], moves[1], moves[3]], by)
    with pytest.raises(BadInput):
        service.move_many([moves[0], moves[1], moves[4]], by)
    assert trail(store) == before
    assert {state(service, s) for s in ("b1", "b2", "b3", "b4")} == {("source", 1)}
    assert all(a.allowed for a in service.move_many(moves[:2], by))
    assert state(service, "b2") == ("elite", 2)


def review(service: Service, clock: SetClock) -> str:
    """Lets the month's review of xa1 open, and returns it."""
    clock.set(START + timedelta(days=31))
    service.tick()
    (found,) = service.find("monthly_review", "xa1", {"month": "2025-04"})
    return found


def hold(id: str, *lines: Line, **facts: str) -> Move:
    """Returns the command that holds a review with these decisions."""
    return Move(subject=id, trigger="hold", facts={"held_on": "2025-04-03", **facts}, lines=lines)


def test_a_review_whose_line_is_refused_records_nothing_of_any_line(
    service: Service, store: Store, clock: SetClock
) -> None:
    """The refusal names the line and its rule; the attempt alone stands in the trail."""
    start(service, "b2", motives=None)
    id = review(service, clock)
    before = trail(store)
    add = {"branch_proposed_on": date(2025, 4, 1)}
    lines = (Line(subject="b1", do="add", facts=add), Line(subject="b2", do="add", facts=add))
    answer = service.move(hold(id, *lines), By(officer="xa1_secretary"))
    assert not answer.allowed
    assert answer.blocking("unknown") == ["motives_known"]
    assert [(line.subject, line.state) for line in answer.lines] == [("b1", "done"), ("b2", "refused")]
    new = trail(store)[len(before) :]
    assert [(e.kind, e.subject) for e in new] == [("refused", id)]
    assert (state(service, id)[0], state(service, "b1"), state(service, "b2")) == (
        "open",
        ("source", 1),
        ("source", 1),
    )
    aside = (lines[0], Line(subject="b2", do="add", facts=add, set_aside=True))
    assert service.move(hold(id, *aside), By(officer="xa1_secretary")).allowed
    assert (state(service, id)[0], state(service, "b1")[0], state(service, "b2")[0]) == ("held", "elite", "source")
    assert verify(service).ok


def test_a_repeated_sitting_is_answered_not_done_twice(service: Service, store: Store, clock: SetClock) -> None:
    """A review given with a command's id is held once, lines and all."""
    start(service, "b2")
    id = review(service, clock)
    add = {"branch_proposed_on": date(2025, 4, 1)}
    command = hold(id, *(Line(subject=s, do="add", facts=add) for s in ("b1", "b2")))
    check_once(service, store, lambda by: service.move(command, by), "xa1_secretary")
    assert (state(service, "b1")[0], state(service, "b2")[0]) == ("elite", "elite")


def test_a_review_whose_line_is_denied_records_nothing_of_any_line(
    service: Service, store: Store, clock: SetClock
) -> None:
    """The clerk may hold the review, and may not add to the list."""
    id = review(service, clock)
    before = len(trail(store))
    line = Line(subject="b1", do="add", facts={"branch_proposed_on": date(2025, 4, 1)})
    with pytest.raises(Denied) as caught:
        service.move(hold(id, line), By(officer="xa1_clerk"))
    assert caught.value.why == "role"
    assert [(e.kind, e.subject) for e in trail(store)[before:]] == [("denied", id)]
    assert (state(service, id)[0], state(service, "b1")) == ("open", ("source", 1))
    assert verify(service).ok


def test_a_review_with_a_bad_line_changes_nothing(service: Service, store: Store, clock: SetClock) -> None:
    """A person of another unit, an unknown decision, one named twice, a day that has not come."""
    start(service, "b4", unit="cb3")
    id = review(service, clock)
    before = trail(store)
    good = Line(subject="b1", do="add", facts={"branch_proposed_on": date(2025, 4, 1)})
    for command in (
        hold(id, good, Line(subject="b4", do="add")),
        hold(id, good, Line(subject="b1", do="praise")),
        hold(id, good, good),
        hold(id, good, held_on="2025-04-30"),
        hold(id, good, Line(subject="nobody", do="add")),
    ):
        with pytest.raises(BadInput):
            service.move(command, By(officer="xa1_secretary"))
    assert trail(store) == before
    assert (state(service, id)[0], state(service, "b1")) == ("open", ("source", 1))


def test_ticking_late_or_twice_opens_and_fires_each_once(service: Service, store: Store, clock: SetClock) -> None:
    """Four months without power: each month's review opened once for each unit, and nothing again."""
    clock.set(START + timedelta(days=122))
    assert service.tick() > 0
    after = trail(store)
    assert service.tick() == 0
    assert trail(store) == after
    opened = [e.subject for e in after if e.kind == "started" and e.workflow == "monthly_review"]
    assert len(opened) == len(set(opened)) == 4 * 3  # April to July; xa1, xa2, cs1
    assert verify(service).ok


def test_after_a_standstill_steps_are_taken_before_notices_however_many_are_due() -> None:
    """Nobody is reminded of a certificate that has run out meanwhile, and one tick is enough."""
    store, clock = MemoryStore(), SetClock(START)
    service = found_office(store, clock)
    persons = [f"b{n}" for n in range(260)]
    certified = (START + timedelta(days=100)).date().replace(year=START.year - 5)
    known = {**SOURCE, "certificate_no": "1", "certificate_issuer": "TTCT", "certificate_on": certified}
    starts = [Start(workflow="candidate", org="cb1", id=p, facts=known) for p in persons]
    service.start_many(starts, By(officer="tu_clerk"))
    service.move_many([replace(RECOGNISE, subject=p) for p in persons], By(officer="xa1_secretary"))
    service.move_many([Move(subject=p, trigger="certify") for p in persons], By(officer="tu_clerk"))
    clock.set(START + timedelta(days=200))
    service.tick()
    assert {state(service, p)[0] for p in persons} == {"elite"}
    assert service.outbox.rows() == []


def test_an_undone_transfer_brings_the_person_back_whatever_was_written_since(service: Service) -> None:
    """The unit is what the transfers say that stand; facts written meanwhile stay."""
    by = By(officer="tu_clerk")
    service.move(Move(subject="b1", trigger="transfer", facts={"to_org": "cb2"}), by)
    service.move(Move(subject="b1", trigger="accept_transfer"), by)
    service.set_facts(SetFacts(subject="b1", facts={"occupation": "Giáo viên"}), by)
    service.undo(Undo(subject="b1", reason="Nhập nhầm"), by)
    subject = service.show("b1")[0].subject
    assert (subject.org, subject.facts["to_org"], subject.facts["occupation"]) == ("cb1", "cb2", "Giáo viên")
    assert verify(service).ok
