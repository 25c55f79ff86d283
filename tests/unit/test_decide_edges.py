"""What a step is given at the edge: null for a fact that has a value until written, and papers that are none."""

from __future__ import annotations

import pytest

from engine.clock import SetClock
from engine.core.commands import Move, Start
from engine.core.errors import BadInput
from engine.service import Service
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
VOTE = ("branch_reviewed_on", "formal_members", "formal_excused", "formal_present", "votes_for")


def dossier(**changed: object) -> Service:
    """Returns the office with one person, b1, whose dossier is open."""
    service = found_office(MemoryStore(), SetClock(START))
    facts = {name: usual(name, TODAY) for name in KNOWN} | changed
    service.start(Start(workflow="candidate", org="cb1", id="b1", facts=facts), By(officer="cb1_clerk"))
    for trigger, officer, asked in LINE:
        given = {name: usual(name, TODAY) for name in asked}
        assert service.move(Move(subject="b1", trigger=trigger, facts=given), By(officer=officer)).allowed
    return service


@pytest.mark.parametrize("fact", ["formal_excused", "helper_is_replacement", "is_pupil"])
def test_null_in_a_step_leaves_the_default(fact: str) -> None:
    """Nobody is excused, the helper replaces nobody: rules see that, not the unknown."""
    service = dossier(helper_together_since=TODAY, is_pupil=False)
    vote = {name: usual(name, TODAY) for name in VOTE}
    command = Move(subject="b1", trigger="branch_review", facts={**vote, fact: None})
    answer = service.move(command, By(officer="cb1_clerk"))
    assert {j.rule.id: j.result for j in answer.judgements}["helper_twelve_months"] == "fail"
    assert None not in [j.facts[fact] for j in answer.judgements if fact in j.facts]


@pytest.mark.parametrize("papers", [{}, {"referral": None}], ids=["none", "only one taken away"])
def test_a_dossier_is_not_renewed_with_no_paper(papers: dict[str, object]) -> None:
    """The step itself brings papers; with none it is bad input, as with null, and the vote stands."""
    service = dossier()
    with pytest.raises(BadInput, match="papers"):
        service.move(Move(subject="b1", trigger="renew_dossier", facts={"papers": papers}), By(officer="cb1_clerk"))
