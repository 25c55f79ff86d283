"""People on their way, made by the service, for the stories that begin where they already stand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from engine.core.commands import Move, Start
from engine.officework import OrgChange
from engine.steps import By
from tests.web_office import PagesOffice

NAMES = {
    "tu": "Thị ủy Hòa Lâm", "tcnv": "Ban Tổ chức Thị ủy", "ttct": "Trung tâm Chính trị thị xã",
    "xa1": "Đảng ủy xã Phú Khê", "xa2": "Đảng ủy xã Tân Lập", "cs1": "Chi bộ Trường THPT Hòa Lâm",
    "cb1": "Chi bộ thôn Đông Thượng", "cb2": "Chi bộ thôn Đông Hạ", "cb3": "Chi bộ thôn Tân Tiến",
    "doan1": "Đoàn xã Phú Khê",
}  # fmt: skip
HEADS = {"cb1": "xa1_secretary", "cb2": "xa1_secretary", "cb3": "xa2_secretary"}
KEEPERS = {"cb1": "cb1_secretary", "cb2": "cb2_clerk", "cb3": "cb3_secretary"}
STAGES = ("source", "elite", "trained", "dossier", "reviewed")
KNOWN = {
    "birth_date": "1996-08-14", "sex": "female", "ethnicity": "Kinh", "religion": "none", "education": "university",
    "occupation": "Giáo viên", "motives": "Muốn được cống hiến", "helper": "Nguyễn Văn Thịnh",
    "helper_is_formal": "true", "helper_together_since": "2018-09-10", "second_referrer": "Phạm Văn Dũng",
    "second_referrer_is_formal": "true",
}  # fmt: skip
PAPERS = ("certificate", "application", "life_history", "life_verification", "referral", "opinions",
          "committee_resolution")  # fmt: skip


def name_units(office: PagesOffice) -> None:
    """Gives the units the names that people know them by."""
    office.service.set_up().orgs(OrgChange(id=id, name=name) for id, name in NAMES.items())


def take(
    office: PagesOffice, subject: str, trigger: str, officer: str, on: date | None = None, reason: str | None = None,
    **facts: Any,
) -> None:  # fmt: skip
    """Takes a step, which must go through."""
    given = {n: v.isoformat() if isinstance(v, date) else v for n, v in facts.items()}
    answer = office.service.move(
        Move(subject=subject, trigger=trigger, facts=given, on=on, reason=reason), By(officer=officer)
    )
    assert answer.allowed, (subject, trigger, [j.rule.id for j in answer.judgements if j.result != "pass"])


def person(
    office: PagesOffice,
    id: str,
    name: str,
    *,
    org: str = "cb1",
    stage: str = "source",
    facts: Mapping[str, Any] | None = None,
    papers: tuple[str, ...] = PAPERS,
    reviewed_on: date = date(2025, 1, 10),
) -> None:
    """Begins somebody and leads them to a stage, each step on a day of its own."""
    keeper, head, last = KEEPERS[org], HEADS[org], STAGES.index(stage)
    begun = Start(workflow="candidate", org=org, id=id, facts={"full_name": name, **KNOWN, **(facts or {})},
                  on=date(2024, 1, 8))  # fmt: skip
    assert office.service.start(begun, By(officer=keeper)).allowed
    if last >= 1:
        take(office, id, "recognise", head, date(2024, 2, 5), branch_proposed_on=date(2024, 1, 29))
    if last >= 2:
        take(office, id, "certify", "ttct_trainer", date(2024, 6, 3), certificate_no=f"{id}/GCN",
             certificate_issuer="Trung tâm Chính trị", certificate_on=date(2024, 6, 3))  # fmt: skip
    if last >= 3:
        take(office, id, "open_dossier", keeper, date(2024, 12, 2), application_on=date(2024, 12, 2),
             papers=dict.fromkeys(papers, "2024-12-02"))  # fmt: skip
    if last >= 4:
        take(office, id, "branch_review", keeper, reviewed_on, branch_reviewed_on=reviewed_on, formal_members=9,
             formal_present=9, votes_for=9, papers={"branch_resolution": reviewed_on.isoformat()})  # fmt: skip
