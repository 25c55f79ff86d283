"""Special groups: their conditions and papers are shown at the step, by date and source, and never stand in its way."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clock import SetClock
from engine.core.commands import Move, Start
from engine.core.guards import Judgement
from engine.service import Service
from engine.steps import By
from engine.store.memory import MemoryStore
from tests.world import found_office, office_time

CLERK = By(officer="tu_clerk")
TODAY = date(2025, 6, 2)
GROUPS = ("religious_person", "firm_owner", "over_60_standing", "education_exception")
PERSON: dict[str, object] = {
    "full_name": "Lê Văn An", "birth_date": "1995-05-20", "education": "upper_secondary",
    "branch_proposed_on": "2024-12-20", "motives": "Tốt", "helper": "Trần Văn Bảy", "helper_is_formal": "true",
    "helper_together_since": "2020-01-01", "second_referrer": "Lý Thị Chín", "second_referrer_is_formal": "true",
}  # fmt: skip
PAPERS = ("certificate", "application", "life_history", "life_verification", "referral", "opinions")


def office() -> Service:
    """The office of the tests."""
    return found_office(MemoryStore(), SetClock(office_time(TODAY)), ("candidate",))


def reviewed(service: Service, id: str, **facts: object) -> dict[str, Judgement]:
    """Takes a person to the branch's review and returns what each group's rule said there."""
    day = TODAY.isoformat()
    service.start(Start(workflow="candidate", org="cb1", id=id, facts={**PERSON, **facts}), CLERK)
    certificate: dict[str, object] = {
        "certificate_no": "1", "certificate_issuer": "TTCT", "certificate_on": (TODAY - timedelta(days=9)).isoformat()
    }  # fmt: skip
    review: dict[str, object] = {
        "branch_reviewed_on": day, "formal_members": "9", "formal_present": "9", "votes_for": "9"
    }  # fmt: skip
    steps: list[tuple[str, str, dict[str, object]]] = [
        ("recognise", "tu_secretary", {}),
        ("certify", "tu_clerk", certificate),
        ("open_dossier", "tu_clerk", {"application_on": day, "papers": dict.fromkeys(PAPERS, day)}),
        ("branch_review", "tu_clerk", review),
    ]
    judged: dict[str, Judgement] = {}
    for trigger, officer, given_ in steps:
        answer = service.move(Move(subject=id, trigger=trigger, facts=given_), By(officer=officer))
        assert answer.allowed, (trigger, answer.blocking("fail"), answer.blocking("unknown"))
        judged = {j.rule.id: j for j in answer.judgements if j.rule.id in GROUPS}
    return judged


def test_nobody_of_a_group_is_asked_for_nothing_more() -> None:
    judged = reviewed(office(), "u1", religion="none")
    assert {j.note for j in judged.values()} == {"not_applicable"}
    assert set(judged) == set(GROUPS)


@pytest.mark.parametrize(
    ("rule", "facts", "mended", "source"),
    [
        (
            "religious_person",
            {"religion": "Công giáo"},
            {"group_papers": {"religious_opinion": "2025-05-01", "religious_pledge": "2025-05-01"}},
            "06-QĐ/TW",
        ),
        (
            "firm_owner",
            {"is_firm_owner": "true", "firm_holds_control": "true", "firm_title": "general_director"},
            {"group_papers": dict.fromkeys(("firm_registration", "firm_tax", "firm_labour"), "2025-05-01")},
            "08-HD/BTCTW",
        ),
        (
            "over_60_standing",
            {"birth_date": "1960-01-01", "over_60_grounds": "Nơi chưa có đảng viên"},
            {"group_papers": {"health_certificate": "2025-05-01"}},
            "232-QĐ/TW",
        ),
        (
            "education_exception",
            {"education": "primary", "special_area": "true"},
            {"group_papers": {"education_exception": "2025-05-01"}},
            "01-HD/TW",
        ),
    ],
)
def test_a_group_has_its_papers_with_their_source_and_the_step_goes_through_without(
    rule: str, facts: dict[str, object], mended: dict[str, object], source: str
) -> None:
    service = office()
    without = reviewed(service, "u1", **facts)[rule]
    assert (without.result, without.force) == ("fail", "warn")
    assert without.version is not None
    assert source in without.version.source
    assert without.version.unverified, "nobody here has read the document's text"
    with_them = reviewed(service, "u2", **{**facts, **mended})[rule]
    assert with_them.result == "pass"


@given(
    religion=st.sampled_from([None, "none", "Phật giáo"]),
    owner=st.booleans(),
    pupil=st.sampled_from([None, ("good", "fair")]),
    away=st.booleans(),
)
@settings(max_examples=10)
def test_no_group_changes_what_a_person_may_do(
    religion: str | None, owner: bool, pupil: tuple[str, str] | None, away: bool
) -> None:
    facts: dict[str, object] = {"is_firm_owner": owner, "works_far_away": away}
    if religion is not None:
        facts["religion"] = religion
    if pupil is not None:
        facts |= {"is_pupil": True, "conduct": pupil[0], "marks": pupil[1]}
    judged = reviewed(office(), "u1", **facts)
    assert all(j.force == "warn" for j in judged.values())
