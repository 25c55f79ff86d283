"""A fact that has a value until written has it, too, when a step makes it unknown."""

from __future__ import annotations

import pytest

from engine.clock import SetClock
from engine.core.commands import Move, Start
from engine.steps import By
from engine.store.memory import MemoryStore
from tests.unit.oracle_values import usual
from tests.world import START, found_office

TODAY = START.date()
KNOWN = (
    "full_name", "birth_date", "education", "motives", "helper", "helper_is_formal", "helper_together_since",
    "second_referrer", "second_referrer_is_formal", "introduced_by",
)  # fmt: skip
LINE = (
    ("recognise", "xa1_secretary", ("branch_proposed_on",)),
    ("certify", "ttct_trainer", ("certificate_no", "certificate_issuer", "certificate_on")),
    ("open_dossier", "cb1_clerk", ("application_on", "papers")),
)


@pytest.mark.xfail(strict=True, reason="a step that brings null for a fact with a default sees no default")
@pytest.mark.parametrize("fact", ["formal_excused", "helper_is_replacement", "is_pupil"])
def test_null_in_a_step_leaves_the_default(fact: str) -> None:
    """Nobody is excused, the helper replaces nobody: rules see that, not the unknown."""
    service = found_office(MemoryStore(), SetClock(START))
    facts = {name: usual(name, TODAY) for name in KNOWN} | {"helper_together_since": TODAY, "is_pupil": False}
    service.start(Start(workflow="candidate", org="cb1", id="b1", facts=facts), By(officer="cb1_clerk"))
    for trigger, officer, asked in LINE:
        given = {name: usual(name, TODAY) for name in asked}
        assert service.move(Move(subject="b1", trigger=trigger, facts=given), By(officer=officer)).allowed
    vote = {
        n: usual(n, TODAY)
        for n in ("branch_reviewed_on", "formal_members", "formal_excused", "formal_present", "votes_for")
    }
    answer = service.move(
        Move(subject="b1", trigger="branch_review", facts={**vote, fact: None}), By(officer="cb1_clerk")
    )
    results = {j.rule.id: j.result for j in answer.judgements}
    assert results["helper_twelve_months"] == "fail"
    seen = [j.facts[fact] for j in answer.judgements if fact in j.facts]
    assert None not in seen
