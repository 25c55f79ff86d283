"""What people may type as a fact, by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from tests.unit import oracle
from tests.unit.oracle_person import VOTES
from tests.world import UNITS

BOOLS = (*oracle.FALSE_UNTIL_WRITTEN, "helper_is_formal", "second_referrer_is_formal")
DATES = (
    "birth_date", "introduced_on", "branch_proposed_on", "helper_together_since", "recognised_on", "considered_on",
    "sent_to_class_on", "certificate_on", "application_on", "branch_reviewed_on", "province_consent_on", "decision_on",
    "decision_received_on",
)  # fmt: skip
CHOICES = {
    "education": oracle.EDUCATION, "conduct": oracle.CONDUCT, "marks": oracle.MARKS, "drop_reason": oracle.DROP_REASONS,
    "sex": ("male", "female"),
}  # fmt: skip
INTS = ("birth_year", *VOTES)
TEXTS = (
    "full_name", "motives", "helper", "second_referrer", "certificate_no", "certificate_issuer", "over_60_grounds",
    "province_consent_no", "decision_no", "extension_reason", "refused_by", "occupation", "religion",
)  # fmt: skip
ORGS = ("introduced_by", "to_org")


class BadFact(ValueError):
    """Not a value of this fact; its name."""


def read(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the facts as typed by their types. Raises BadFact."""
    return {name: _read_one(name, value) for name, value in typed.items()}


def _read_one(name: str, value: Any) -> Any:
    if name not in (*BOOLS, *DATES, *CHOICES, *INTS, *TEXTS, *ORGS, "papers"):
        raise BadFact(name)
    if value is None:
        return None
    if name == "papers":
        if not isinstance(value, Mapping) or set(value) - set(oracle.PAPERS):
            raise BadFact(name)
        return {code: None if v is None else _day(name, v) for code, v in value.items()}
    if name in DATES:
        return _day(name, value)
    fits = {
        **dict.fromkeys(BOOLS, isinstance(value, bool)),
        **dict.fromkeys(INTS, isinstance(value, int) and not isinstance(value, bool)),
        **dict.fromkeys(TEXTS, isinstance(value, str)),
        **dict.fromkeys(ORGS, value in UNITS),
        **{choice: value in options for choice, options in CHOICES.items()},
    }
    if not fits[name]:
        raise BadFact(name)
    return value


def _day(name: str, value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadFact(name) from None
