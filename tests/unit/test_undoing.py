"""Correcting mistakes: over the clock in one go, what was opened is closed, who was told wrongly is told so."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.core.commands import Line, Move, SetFacts, Start, Undo
from engine.core.errors import BadInput, Denied
from engine.core.events import VOID
from engine.core.marks import corrections
from engine.recording import Past, Record
from engine.service import Service
from engine.steps import Answer, By
from engine.verifying import verify
from tests.notice_world import NoticeWorld, at

CLERK, SECRETARY = By(officer="xa1_clerk"), By(officer="xa1_secretary")
MADE = """certificate application life_history life_verification referral opinions branch_resolution
committee_resolution"""
PAPERS = dict.fromkeys(MADE.split(), "2024-02-01")
VOTE: dict[str, Any] = {
    "branch_reviewed_on": "2024-09-28",
    "formal_members": "9",
    "formal_present": "9",
    "votes_for": "9",
}
WHO: dict[str, Any] = {
    "full_name": "An",
    "birth_date": "1995-05-20",
    "education": "upper_secondary",
    "helper_is_formal": "true",
    "helper_together_since": "2020-01-01",
    "second_referrer": "B",
    "second_referrer_is_formal": "true",
}


def dossier(world: NoticeWorld, certificate_on: str = "2019-09-30", id_: str = "u1") -> None:
    """Enters somebody whose dossier is being made."""
    past = (
        Past(on=date(2024, 1, 2), trigger="recognise"),
        Past(on=date(2024, 1, 3), trigger="certify", facts={"certificate_no": "1", "certificate_on": certificate_on}),
        Past(on=date(2024, 2, 1), trigger="open_dossier", facts={"application_on": "2024-02-01", "papers": PAPERS}),
    )
    record = Record(workflow="candidate", id=id_, org="cb1", on=date(2024, 1, 2), facts=WHO, past=past)
    world.service.past.record([record], CLERK)


def move(service: Service, trigger: str, by: By, id_: str = "u1", **more: Any) -> Answer:
    """Takes a step."""
    return service.move(Move(subject=id_, trigger=trigger, **more), by)


@pytest.fixture
def world() -> NoticeWorld:
    return NoticeWorld(("candidate", "probation", "annual_plan", "monthly_review"), start=at("2024-06-03"))


def test_what_the_clock_did_before_a_late_entry_is_undone_in_one_go(world: NoticeWorld) -> None:
    service = world.service
    dossier(world)
    world.go(at("2024-10-05", "09:00"))
    assert service.show("u1")[0].subject.state == "elite"
    late: dict[str, Any] = {"facts": VOTE, "on": date(2024, 9, 28)}
    with pytest.raises(BadInput, match="lapse"):
        move(service, "branch_review", By(officer="cb1_secretary"), **late)
    with pytest.raises(BadInput, match="reason"):
        move(service, "branch_review", By(officer="cb1_secretary"), over_clock=True, **late)
    with pytest.raises(Denied):
        move(service, "branch_review", By(officer="cb3_secretary"), over_clock=True, reason="x", **late)
    answer = move(service, "branch_review", By(officer="cb1_secretary"), over_clock=True, reason="Họp 28/9", **late)
    case, facts = service.show("u1")
    assert (answer.to, case.subject.state, facts["application_on"]) == ("dossier", "dossier", date(2024, 2, 1))
    assert facts["papers"] == dict.fromkeys(PAPERS, date(2024, 2, 1))
    marks = service.past.marks("u1")
    told = service.history("u1")
    assert [marks[e.id].delay_days for e in told if e.trigger == "branch_review"][-1] == 7
    lapse = next(e for e in told if e.trigger == "lapse" and e.kind == "moved")
    assert marks[lapse.id].undone_by is not None
    assert verify(service).ok


def test_a_late_entry_that_the_rules_refuse_leaves_the_clocks_step_as_it_was(world: NoticeWorld) -> None:
    dossier(world)
    world.go(at("2024-10-05", "09:00"))
    version = world.service.show("u1")[0].subject.version
    facts = {**VOTE, "branch_reviewed_on": "2024-09-28"}
    world.service.set_facts(SetFacts(subject="u1", facts={"helper_is_formal": "false"}), CLERK)
    answer = move(
        world.service, "branch_review", CLERK, facts=facts, on=date(2024, 9, 28), over_clock=True, reason="Họp 28/9"
    )
    assert (answer.to, answer.blocking("fail")) == (None, ["two_referrers"])
    case = world.service.show("u1")[0]
    assert (case.subject.state, case.subject.version) == ("elite", version + 1)


def test_a_plan_that_had_come_shows_which_notices_were_wrong_and_corrects_them(world: NoticeWorld) -> None:
    service = world.service
    world.go(at("2025-02-03", "12:00"))
    facts = {"received_at": "2025-01-24 16:00"}
    answer = move(service, "receive", By(officer="tcnv_clerk"), "annual_plan-xa1-2025", facts=facts, reason="Sót",
                  correct=True)  # fmt: skip
    wrong = {(r.rule, r.recipient) for r in answer.sent}
    assert ("plan_overdue", "xa1_secretary") in wrong
    assert not any(r.rule in ("plan_opened", "plan_reminder") for r in answer.sent)
    assert len(answer.corrections) == len(answer.sent)
    before = len(world.email.sent)
    world.settle()
    new = world.email.sent[before:]
    assert len(new) == len({r.recipient for r in answer.sent})
    assert all("Sót" in m.text and m.subject.startswith("Đính chính") for m in new)
    assert service.show("annual_plan-xa1-2025")[1]["late"] is False
    received = service.history("annual_plan-xa1-2025")[-1]
    assert service.past.marks("annual_plan-xa1-2025")[received.id].delay_days == 10


def test_a_plan_that_comes_late_makes_no_notice_wrong(world: NoticeWorld) -> None:
    world.go(at("2025-02-03", "12:00"))
    answer = move(world.service, "receive", By(officer="tcnv_clerk"), "annual_plan-xa1-2025")
    assert answer.sent == ()


def test_a_correction_needs_a_reason_a_notice_that_went_out_and_an_office(world: NoticeWorld) -> None:
    world.go(at("2025-02-03", "12:00"))
    outbox = world.service.outbox
    sent = [r for r, _ in outbox.rows() if r.rule == "plan_overdue" and r.recipient == "xa1_secretary"]
    with pytest.raises(BadInput):
        outbox.correct([sent[0].id], " ", CLERK)
    with pytest.raises(BadInput):
        outbox.correct(["frob"], "x", CLERK)
    with pytest.raises(Denied):
        outbox.correct([sent[0].id], "x", By(officer="tu_inspector"))
    assert len(outbox.correct([sent[0].id], "x", CLERK)) == 1
    outbox.correct([sent[0].id], "x", CLERK)
    world.settle()
    assert len([r for r, _ in outbox.rows() if r.rule == "correction"]) == 1


def test_undo_closes_what_the_step_opened_and_tells_nobody_of_it(world: NoticeWorld) -> None:
    service = world.service
    dossier(world, "2023-09-30")
    world.go(at("2024-09-30", "09:00"))
    move(service, "branch_review", CLERK, facts=VOTE)
    decision = {"decision_no": "1", "decision_on": "2024-09-30", "decision_received_on": "2024-09-30"}
    standing = By(officer="tu_standing")
    (opened,) = move(service, "admit", standing, facts=decision).opened
    answer = service.undo(Undo(subject="u1", reason="Nhầm người"), standing)
    assert (answer.to, answer.closed) == ("dossier", [opened])
    world.go(at("2024-12-01"))
    assert not [r for r, _ in service.outbox.rows(subject=opened) if r.state != "cancelled"]
    (opened,) = move(service, "admit", standing, facts=decision).opened
    move(service, "hold_ceremony", CLERK, opened, facts={"ceremony_on": "2024-10-05"})
    with pytest.raises(BadInput, match=opened):
        service.undo(Undo(subject="u1", reason="Nhầm người"), standing)
    answer = service.undo(Undo(subject="u1", reason="Nhầm người", deep=True), standing)
    assert (service.show(opened)[0].subject.state, answer.closed) == (VOID, [opened])
    (again,) = move(service, "admit", standing, facts=decision).opened
    move(service, "hold_ceremony", CLERK, again, facts={"ceremony_on": "2024-10-05"})
    service.undo(Undo(subject=again, reason="Chưa làm lễ"), CLERK)
    assert service.undo(Undo(subject="u1", reason="Nhầm người"), standing).closed == [again]
    assert verify(service).ok


def test_a_sitting_is_undone_as_one_also_where_facts_were_written_since(world: NoticeWorld) -> None:
    service = world.service
    world.go(at("2024-07-02", "09:00"))
    for id_ in ("u1", "u2", "u3"):
        facts = {**WHO, "full_name": id_, "motives": "x", "helper": "y"}
        service.start(Start(workflow="candidate", id=id_, org="cb1", facts=facts), CLERK)
    review = "monthly_review-xa1-2024-07"
    lines = [Line(subject=i, do="add", facts={"branch_proposed_on": "2024-07-01"}) for i in ("u1", "u2")]
    lines.append(Line(subject="u3", do="drop", facts={"drop_reason": "moved"}, reason="Đi xa"))
    service.move(Move(subject=review, trigger="hold", facts={"held_on": "2024-07-02"}, lines=lines), SECRETARY)
    service.set_facts(SetFacts(subject="u1", facts={"phone": "0900000001"}), CLERK)
    service.undo(Undo(subject=review, reason="Nhầm biên bản"), SECRETARY)
    states = {i: service.show(i)[0].subject.state for i in ("u1", "u2", "u3")}
    assert states == {"u1": "source", "u2": "source", "u3": "source"}
    assert service.show("u1")[1]["phone"] == "0900000001"
    service.move(Move(subject=review, trigger="hold", facts={"held_on": "2024-07-02"}, lines=lines), SECRETARY)
    service.move(Move(subject="u3", trigger="reopen", reason="Về lại"), SECRETARY)
    with pytest.raises(BadInput, match="u3"):
        service.undo(Undo(subject=review, reason="Nhầm biên bản"), SECRETARY)
    assert service.show("u1")[0].subject.state == "elite"
    assert verify(service).ok


def test_a_wrong_fact_keeps_both_values_and_says_who_put_it_right(world: NoticeWorld) -> None:
    service = world.service
    service.start(Start(workflow="candidate", id="u1", org="cb1", facts={"full_name": "An", "phone": "1"}), CLERK)
    service.set_facts(SetFacts(subject="u1", facts={"phone": "2", "papers": {"referral": "2024-01-01"}}), SECRETARY)
    service.set_facts(SetFacts(subject="u1", facts={"papers": {"referral": "2024-02-01"}}), CLERK)
    marks = service.past.marks("u1")
    found = [(c.fact, c.was, c.now, c.actor) for c in corrections(marks)]
    assert found == [
        ("phone", "1", "2", "xa1_secretary"),
        ("papers.referral", "2024-01-01", "2024-02-01", "xa1_clerk"),
    ]
    first, second, third = service.history("u1")
    assert (marks[first.id].corrected_by, marks[second.id].corrected_by) == ([second.id], [third.id])
    assert marks[third.id].corrected_by == []
