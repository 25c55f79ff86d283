"""What the dice may say in a command: who, and which values; mostly what goes through, else at the edge or wrong."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.unit.oracle import DROP_REASONS, EDUCATION, PAPERS, months_on

UNITS_OF_PERSONS = ("cb1", "cb3", "cs1", "xa1")
FORWARD = {"source": "recognise", "elite": "certify", "trained": "open_dossier", "closed": "reopen"}
# who most often gives the command, so that much of it goes through; anybody gives any
USUAL = {
    "recognise": ("xa1_secretary", "tu_secretary", "cs1_secretary"),
    "certify": ("ttct_trainer", "xa1_clerk", "tu_clerk"),
    "admit": ("tu_standing", "tu_both", "xa1_standing", "xa1_both"),
    "refuse": ("xa1_secretary", "tu_standing", "xa1_standing", "cs1_secretary"),
    "drop": ("xa1_deputy", "tu_secretary", "cs1_secretary"),
    "reopen": ("xa1_secretary", "tu_secretary", "cs1_secretary"),
}
KEEPERS = (
    "cb1_secretary",
    "cb1_clerk",
    "xa1_clerk",
    "xa1_both",
    "tu_both",
    "tu_clerk",
    "cs1_secretary",
    "cb3_secretary",
)
BAD: tuple[tuple[str, Any], ...] = (
    ("certificate_on", "30/02/2024"),
    ("birth_date", "long ago"),
    ("education", "phd"),
    ("is_pupil", "perhaps"),
    ("votes_for", "six"),
    ("votes_for", 2.5),
    ("formal_members", True),
    ("introduced_by", "nowhere"),
    ("papers", {"passport": date(2024, 5, 1)}),
    ("papers", {"referral": "2024-13-01"}),
    ("papers", "all there"),
    ("helpr", "Nguyễn Văn A"),
)
ASKED_BESIDES: dict[str, tuple[str, ...]] = {
    "recognise": ("motives", "helper", "introduced_by"),
    "open_dossier": ("education", "birth_date", "helper_together_since", "papers", "is_pupil", "conduct"),
    "branch_review": ("birth_date", "helper_together_since", "helper_is_formal", "second_referrer",
                      "second_referrer_is_formal", "papers", "is_pupil", "conduct", "marks"),
    "admit": ("papers", "votes_for", "branch_reviewed_on", "extension_reason", "birth_date",
              "province_consent_on", "province_consent_no"),
}  # fmt: skip
PREPARED = (
    "birth_date", "education", "motives", "helper", "helper_is_formal", "helper_together_since", "second_referrer",
    "second_referrer_is_formal", "papers", "introduced_by", "is_pupil", "conduct", "marks", "union_member",
    "section_committee", "special_area", "respected_elder", "helper_is_replacement", "over_60_grounds",
    "province_consent_no", "province_consent_on", "extension_reason", "branch_reviewed_on", "certificate_on",
    "certificate_no", "votes_for", "formal_excused", "birth_year",
)  # fmt: skip


def usual(fact: str, today: date) -> Any:
    """Returns a value with which rules mostly hold."""
    near = today - timedelta(days=20)
    values = {
        "full_name": "Nguyễn Thị Bình", "birth_date": months_on(today, -12 * 26), "education": "upper_secondary",
        "introduced_by": "doan1", "motives": "Tự nguyện phấn đấu", "helper": "Trần Văn Cường",
        "helper_is_formal": True, "helper_together_since": months_on(today, -20), "second_referrer": "Lê Thị Dung",
        "second_referrer_is_formal": True, "branch_proposed_on": near, "certificate_no": "15/GCN",
        "certificate_issuer": "Trung tâm Chính trị", "certificate_on": near, "application_on": near,
        "papers": dict.fromkeys(PAPERS, near), "branch_reviewed_on": today, "formal_members": 9, "formal_excused": 0,
        "formal_present": 8, "votes_for": 7, "decision_no": "12-QĐ/TU", "decision_on": today, "refused_by": "Thị ủy",
        "drop_reason": "moved", "to_org": "cb2", "is_pupil": False, "conduct": "good", "marks": "fair",
        "union_member": True, "section_committee": False, "special_area": False, "respected_elder": False,
        "helper_is_replacement": False, "over_60_grounds": "Có uy tín", "province_consent_no": "8-CV/TU",
        "province_consent_on": near, "extension_reason": "Chờ thẩm tra", "birth_year": 1999,
    }  # fmt: skip
    return values[fact]


def edges(fact: str, today: date) -> list[Any]:
    """Returns values at and just past what rules ask for, and early days."""
    day = timedelta(days=1)
    at: dict[str, list[Any]] = {
        "birth_date": [d for n in (215, 216, 720, 721) for d in (months_on(today, -n),)],
        "education": list(EDUCATION),
        "certificate_on": [months_on(today, -60) + n * day for n in (-1, 0, 1, 40)],
        "helper_together_since": [months_on(today, -12) + n * day for n in (-1, 0, 1)],
        "helper_is_formal": [False],
        "second_referrer_is_formal": [False],
        "papers": [
            {"referral": months_on(today, -12) - day, "opinions": months_on(today, -12)},
            {"referral": months_on(today, -12)},
            {"branch_resolution": None},
            {"union_resolution": None},
            {"life_history": None, "section_report": today},
            dict.fromkeys(PAPERS, today.isoformat()),
        ],
        "branch_reviewed_on": [
            today, today - 30 * day, today - 80 * day, today - 86 * day, today - 120 * day, date(2016, 7, 24),
            date(2016, 9, 19), date(2016, 9, 20), date(2021, 7, 29), date(2025, 1, 20),
        ],
        "formal_excused": [1, 3],
        "votes_for": [5, 6, 4, 0],
        "formal_members": [10, 7],
        "decision_on": [today - day, today + 40 * day, date(2016, 5, 4)],
        "drop_reason": list(DROP_REASONS),
        "to_org": ["cb1", "cb3", "xa1", "cs1"],
        "is_pupil": [True],
        "conduct": ["fair"],
        "marks": ["average", "excellent"],
        "union_member": [False],
        "section_committee": [True],
        "special_area": [True],
        "respected_elder": [True],
        "helper_is_replacement": [True],
        "province_consent_on": [today, today + day],
        "extension_reason": [None],
    }  # fmt: skip
    return at.get(fact, [])
