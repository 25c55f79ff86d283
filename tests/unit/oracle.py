"""What the candidate's procedure asks, written down a second time, by hand: the office's rules as plain Python.

Nothing here is read from a workflow file or taken from the engine. True holds, False fails, None cannot be decided.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

import holidays

Truth = bool | None
Facts = Mapping[str, Any]

EDUCATION = ("none", "primary", "lower_secondary", "upper_secondary", "college", "university", "postgraduate")
CONDUCT = ("weak", "average", "fair", "good")
MARKS = ("weak", "average", "fair", "good", "excellent")
DROP_REASONS = (
    "no_longer_wishes", "unclear_motive", "left_to_work", "moved", "not_up_to_standard", "disciplined", "died", "other",
)  # fmt: skip
PAPERS = (
    "certificate", "application", "life_history", "life_verification", "referral", "union_resolution", "opinions",
    "branch_resolution", "section_report", "committee_resolution",
)  # fmt: skip

# first days in force: Quy định 29-QĐ/TW, then 24, 232, 294; Hướng dẫn 01-HD/TW of 2016, then 2021, 06; the office's own
REGULATION, GUIDELINE, OWN_RULE = date(2016, 7, 25), date(2016, 9, 20), date(2016, 1, 1)
VERSIONS = {
    REGULATION: (REGULATION, date(2021, 7, 30), date(2025, 1, 20), date(2025, 7, 1)),
    GUIDELINE: (GUIDELINE, date(2021, 9, 28), date(2025, 7, 1)),
    OWN_RULE: (OWN_RULE,),
}


# ---- time ----


def months_on(day: date, n: int) -> date:
    """The day n months later; the last of the month where that is shorter."""
    index = day.year * 12 + day.month - 1 + n
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


@cache
def _days_off(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("VN", years=year))


def working(day: date) -> bool:
    """Monday to Friday less the national days off."""
    return day.weekday() < 5 and day not in _days_off(day.year)


@cache
def nth_working_day(after: date, n: int) -> date:
    """The first working day after the event counts as day 1."""
    day = after
    while n:
        day += timedelta(days=1)
        n -= working(day)
    return day


# ---- three values ----


def both(*parts: Truth) -> Truth:
    """Kleene's and."""
    return False if False in parts else None if None in parts else True


def either(*parts: Truth) -> Truth:
    """Kleene's or."""
    return True if True in parts else None if None in parts else False


def compare(test: Callable[..., bool], *values: Any) -> Truth:
    """The test's answer, None where a value is unknown."""
    return None if any(v is None for v in values) else test(*values)


# ---- the rules ----


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a rule looks at: the facts with those of the step, the step's day, trigger, reason, and kind of unit."""

    facts: Facts
    on: date
    trigger: str
    reason: bool
    unit_kind: str

    def get(self, name: str) -> Any:
        """A fact, None where unknown. Some are something until written."""
        until_written: Any = False if name in FALSE_UNTIL_WRITTEN else 0 if name == "formal_excused" else None
        value = self.facts.get(name)
        return until_written if value is None else value

    def paper(self, code: str) -> date | None:
        """The date of a paper."""
        found = (self.facts.get("papers") or {}).get(code)
        return found if isinstance(found, date) else None

    def knows(self, name: str) -> bool:
        """Whether a fact is written."""
        return self.facts.get(name) is not None


FALSE_UNTIL_WRITTEN = (
    "is_pupil", "is_firm_owner", "special_area", "respected_elder", "works_far_away", "union_member",
    "section_committee", "helper_is_replacement",
)  # fmt: skip


def review_day(case: Case) -> date | None:
    """The branch's day at branch_review, else the step's."""
    return case.get("branch_reviewed_on") if case.trigger == "branch_review" else case.on


def _age(case: Case) -> Truth:
    def months(birth: date, day: date) -> bool:
        age = (day.year - birth.year) * 12 + day.month - birth.month
        return age >= 216 and (age <= 720 or case.knows("over_60_grounds"))

    return compare(months, case.get("birth_date"), review_day(case))


def _education(case: Case) -> Truth:
    level = case.get("education")
    enough = compare(lambda x: EDUCATION.index(x) >= EDUCATION.index("lower_secondary"), level)
    return either(
        enough, both(compare(lambda x: x == "primary", level), case.get("special_area")), case.get("respected_elder")
    )


def _consent(case: Case) -> Truth:
    def not_over(birth: date, day: date) -> bool:
        return (day.year - birth.year) * 12 + day.month - birth.month <= 720

    given = both(
        case.knows("province_consent_no"),
        case.knows("province_consent_on"),
        compare(lambda a, b: a <= b, case.get("province_consent_on"), case.get("decision_on")),
    )
    return either(compare(not_over, case.get("birth_date"), case.get("branch_reviewed_on")), given)


def _helper(case: Case) -> Truth:
    together = compare(
        lambda since, day: months_on(since, 12) <= day, case.get("helper_together_since"), review_day(case)
    )
    return either(case.get("helper_is_replacement"), together)


def _referrers(case: Case) -> Truth:
    second = both(case.knows("second_referrer"), case.get("second_referrer_is_formal"))
    return both(case.get("helper_is_formal"), either(second, case.paper("union_resolution") is not None))


def _fresh(case: Case) -> Truth:
    there = [p for c in ("referral", "opinions", "union_resolution") if (p := case.paper(c)) is not None]
    return compare(lambda day: all(months_on(p, 12) >= day for p in there), case.get("branch_reviewed_on"))


def _conduct(case: Case) -> Truth:
    good = compare(lambda x: x == "good", case.get("conduct"))
    fair = compare(lambda x: MARKS.index(x) >= MARKS.index("fair"), case.get("marks"))
    return both(good, fair) if case.get("is_pupil") else True


def _complete(case: Case) -> Truth:
    asked = set(PAPERS)
    if not case.get("union_member"):
        asked.discard("union_resolution")
    if not case.get("section_committee"):
        asked.discard("section_report")
    if case.unit_kind == "grassroots_branch":
        asked.discard("committee_resolution")
    return all(case.paper(code) is not None for code in asked)


def _recorded(case: Case) -> Truth:
    after = compare(lambda a, b: a >= b, case.get("decision_on"), case.get("branch_reviewed_on"))
    return both(case.knows("decision_no"), case.knows("decision_on"), after)


def _in_time(case: Case) -> Truth:
    def within(decided: date, reviewed: date) -> bool:
        if decided <= nth_working_day(reviewed, 60):
            return True
        return case.knows("extension_reason") and decided <= nth_working_day(reviewed, 90)

    return compare(within, case.get("decision_on"), case.get("branch_reviewed_on"))


def _written(*names: str) -> Callable[[Case], Truth]:
    return lambda case: True if all(case.knows(n) for n in names) else None


def _two_thirds(case: Case) -> Truth:
    values = (case.get("votes_for"), case.get("formal_members"), case.get("formal_excused"))
    return compare(lambda votes, members, excused: 3 * votes >= 2 * (members - excused), *values)


def _reviewed_on(case: Case) -> date | None:
    day: date | None = case.get("branch_reviewed_on")
    return day


def _step_day(case: Case) -> date | None:
    return case.on


@dataclass(frozen=True)
class Rule:
    """When it holds, since when it is in force, and which day decides that."""

    holds: Callable[[Case], Truth]
    series: date = OWN_RULE
    day: Callable[[Case], date | None] = _step_day
    reads: frozenset[str] = field(default=frozenset())  # facts that a step may ask for

    def judge(self, case: Case) -> Truth:
        """Unknown without a day, or before the first version."""
        day = self.day(case)
        return None if day is None or day < self.series else self.holds(case)

    def version(self, case: Case) -> date | None:
        """The first day of the version in force."""
        day = self.day(case)
        return max((v for v in VERSIONS[self.series] if day is not None and v <= day), default=None)


def _reads(*names: str) -> frozenset[str]:
    return frozenset(names)


RULES: dict[str, Rule] = {
    "introduced": Rule(
        lambda c: c.knows("introduced_by") or c.knows("branch_proposed_on"), reads=_reads("branch_proposed_on")
    ),
    "motives_known": Rule(_written("motives")),
    "helper_named": Rule(_written("helper")),
    "certificate_given": Rule(
        _written("certificate_no", "certificate_issuer", "certificate_on"),
        reads=_reads("certificate_no", "certificate_issuer", "certificate_on"),
    ),
    "application_made": Rule(_written("application_on"), reads=_reads("application_on")),
    "education_minimum": Rule(_education, REGULATION),
    "certificate_valid": Rule(
        lambda c: compare(lambda on, day: day <= months_on(on, 60), c.get("certificate_on"), review_day(c)),
        GUIDELINE,
        review_day,
    ),
    "age_18_to_60": Rule(_age, REGULATION, review_day),
    "helper_twelve_months": Rule(_helper, GUIDELINE, review_day),
    "pupil_conduct": Rule(_conduct),
    "two_referrers": Rule(_referrers, GUIDELINE),
    "dossier_fresh": Rule(_fresh, GUIDELINE, _reviewed_on, _reads("branch_reviewed_on")),
    "two_thirds": Rule(_two_thirds, REGULATION, _reviewed_on),
    "papers_complete": Rule(_complete, GUIDELINE),
    "over_60_consent": Rule(_consent, REGULATION),
    "decision_recorded": Rule(_recorded, reads=_reads("decision_no", "decision_on")),
    "decided_in_time": Rule(_in_time, REGULATION, _reviewed_on, _reads("decision_on")),
    "reason_given": Rule(lambda c: c.reason),
}


def ran_out(facts: Facts, today: date) -> bool:
    """certificate_ran_out: the clock takes lapse only where this is certain."""
    on = facts.get("certificate_on")
    return on is not None and today > months_on(on, 60) and facts.get("branch_reviewed_on") is None
