"""A transfer: the receiver is told and reminded, the giver gets the answer, everything goes along, nobody is twice."""

from __future__ import annotations

from datetime import date

import pytest

from engine.core.commands import Move, Start
from engine.steps import By
from engine.verifying import verify
from tests.notice_world import NoticeWorld, at

GIVER, RECEIVER = By(officer="cb1_secretary"), By(officer="cb3_secretary")


@pytest.fixture
def world() -> NoticeWorld:
    made = NoticeWorld(("candidate", "probation"), start=at("2024-06-03", "09:00"))
    facts = {"full_name": "Lê Văn An", "phone": "0900000001", "papers": {"referral": "2024-05-01"}}
    made.service.start(Start(workflow="candidate", id="u1", org="cb1", facts=facts, on=date(2024, 5, 6)), GIVER)
    made.service.move(Move(subject="u1", trigger="transfer", facts={"to_org": "cb3"}), GIVER)
    made.settle()
    return made


def told(world: NoticeWorld, rule: str) -> list[tuple[str, str]]:
    """Returns who was told by a rule, and when."""
    rows = [r for r, _ in world.service.outbox.rows(subject="u1") if r.rule == rule and r.sent_at]
    return sorted((r.recipient, (r.sent_at or "")[:10]) for r in rows)


def test_the_receiver_is_told_and_reminded_until_it_answers(world: NoticeWorld) -> None:
    assert told(world, "transfer_asked") == [("cb3_secretary", "2024-06-03")]
    assert "Lê Văn An" in world.email.sent[-1].text
    (waiting,) = world.service.organisations.waiting()
    assert (waiting.org, waiting.to, waiting.since) == ("cb1", "cb3", date(2024, 6, 3))
    assert world.service.organisations.waiting("xa2") == [waiting]
    assert world.service.organisations.waiting("cs1") == []
    world.go(at("2024-06-17", "12:00"))
    assert told(world, "transfer_waiting") == [
        ("cb3_secretary", "2024-06-10"),
        ("cb3_secretary", "2024-06-17"),
        ("xa2_secretary", "2024-06-10"),
        ("xa2_secretary", "2024-06-17"),
    ]


def test_the_giver_hears_that_it_was_accepted_and_everything_went_along(world: NoticeWorld) -> None:
    world.service.move(Move(subject="u1", trigger="accept_transfer"), RECEIVER)
    world.settle()
    assert [who for who, _ in told(world, "transfer_accepted")] == ["cb1_clerk", "cb1_secretary"]
    case, facts = world.service.show("u1")
    assert (case.subject.org, facts["phone"], case.subject.started_on) == ("cb3", "0900000001", date(2024, 5, 6))
    assert [e.trigger for e in world.service.history("u1")] == [None, "transfer", "accept_transfer"]
    assert world.service.organisations.waiting() == []
    world.go(at("2024-08-01"))
    assert told(world, "transfer_waiting") == []
    assert verify(world.service).ok


def test_the_giver_hears_why_it_was_returned_and_goes_on(world: NoticeWorld) -> None:
    world.service.move(Move(subject="u1", trigger="return_transfer", reason="Không cư trú ở đây"), RECEIVER)
    world.settle()
    assert [who for who, _ in told(world, "transfer_returned")] == ["cb1_clerk", "cb1_secretary"]
    assert "Không cư trú ở đây" in world.email.sent[-1].text
    assert world.service.show("u1")[0].subject.org == "cb1"
    world.go(at("2024-08-01"))
    assert told(world, "transfer_waiting") == []
