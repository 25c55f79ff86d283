"""The pages that `web` visits: what each is called, its address, and what is posted where that makes an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """A page. `path` names in braces what differs between officers: person, unit, branch, officer, event, notice; and,
    the same for all, the committee that has as many people in every town: usual, usual_branch.

    `posted`: this is posted there first, and the page is what that leads to. `follows`: the page is the first link of
    this form on the page before it. `grows`: it shows everybody of a unit, so that it grows with them.
    """

    name: str
    path: str
    posted: Mapping[str, str] | None = None
    follows: str = ""
    grows: bool = False


_AFTER = r'href="([^"]+/after/[^"]+)"'
_EVERY = {"states": "*"}
_REVIEW = "/subjects/monthly_review-{unit}-2025-09/sheets"
_USUAL_REVIEW = "/subjects/monthly_review-{usual}-2025-09/sheets"
_MATTERS = (
    "probation", "training_class", "introduction", "obstacle", "target", "governing_document", "briefing", "inspection",
    "education_activity", "data_request",
)  # fmt: skip

PAGES: Sequence[Page] = (
    Page("home", "/"),
    Page("list", "/list/candidate"),
    Page("list, the next page", "", follows=_AFTER),
    Page("list, in one state", "/list/candidate/at/elite"),
    Page("list, in one state, the next page", "", follows=_AFTER),
    Page("list, found by name", "/list/candidate", {"text": "nguyeenx van a", **_EVERY}),
    Page("list, found by name, the next page", "", follows=_AFTER),
    Page("list, found by a rare name", "/list/candidate", {"text": "ly quoc yen yen", **_EVERY}),
    Page("list, found by no name", "/list/candidate", {"text": "khong co ai", **_EVERY}),
    Page("list, due within 30 days", "/list/candidate", {"due": "month", "order": "due"}),
    Page("list, overdue", "/list/candidate", {"due": "late", "order": "name", **_EVERY}),
    Page("list, of a sex by age in the stage", "/list/candidate", {"narrow3": "sex=female", "order": "entered"}),
    Page("list, introduced by the union", "/list/candidate", {"narrow1": "introduced_by=doan"}),
    Page("list, papers missing", "/list/candidate", {"missing": "missing", **_EVERY}),
    Page("list, of one unit", "/list/candidate", {"unit": "{unit}"}),
    Page("list, a filter kept", "/list/candidate/saved", {"name": "Nữ", "narrow3": "sex=female"}),
    Page("list, a filter kept, the next page", "", follows=_AFTER),
    Page("person", "/subjects/{person}"),
    Page("person, history", "/subjects/{person}/history"),
    Page("person, facts", "/subjects/{person}/facts"),
    Page("form of facts", "/subjects/{person}/facts/occupation"),
    Page("form of a step", "/subjects/{person}/steps/recognise"),
    Page("forms to print", "/subjects/{person}/forms"),
    Page("form to print", "", follows=r'href="(/subjects/[^"]+/forms/[^"]+)"'),
    Page("undo", "/subjects/{person}/undo"),
    Page("personal data of a person", "/subjects/{person}/person"),
    Page("personal data past its time", "/personal-data"),
    Page("begin a person", "/start/candidate"),
    Page("monthly reviews", "/grid/monthly_review"),
    Page("monthly review, the sheet", f"{_REVIEW}/hold", grows=True),
    Page("monthly review, a unit's sheet", f"{_REVIEW}/send_proposals/{{branch}}", grows=True),
    Page("monthly review, the sheet of a usual list", f"{_USUAL_REVIEW}/hold"),
    Page("monthly review, a unit's sheet of a usual list", f"{_USUAL_REVIEW}/send_proposals/{{usual_branch}}"),
    Page("yearly plans", "/grid/annual_plan"),
    Page("yearly plans of a year", "/grid/annual_plan/2025"),
    Page("yearly plans, narrowed", "/grid/annual_plan/2025/narrow", {"late": "yes"}),
    Page("branch plans", "/grid/branch_plan"),
    Page("transfers", "/transfers"),
    Page("targets and results", "/scores"),
    Page("targets and results of a year", "/scores", {"score": "admissions", "year": "2025"}),
    *(Page(f"matters: {m}", f"/matters/{m}") for m in _MATTERS),
    Page("matters, ended too", "/matters/training_class/all"),
    Page("numbers", "/matters/training_class/numbers"),
    Page("numbers, found", "/matters/training_class/numbers", {"text": "1/GCN"}),
    Page("reports", "/reports"),
    Page("report, what is asked", "/reports/yearly"),
    Page("notices", "/notices"),
    Page("notices of a month", "/notices/months/2025-01"),
    Page("notices of a day", "/notices/days/2025-01-06"),
    Page("notices, unsettled", "/notices/unsettled"),
    Page("notices, preview", "/notices/preview"),
    Page("notices, channels", "/notices/channels"),
    Page("notices, mine", "/notices/mine"),
    Page("notice", "/notices/one/{notice}"),
    Page("organisations", "/organisations"),
    Page("organisation", "/organisations/{unit}"),
    Page("organisation, a change", "/organisations/{unit}/rename"),
    Page("officers", "/officers"),
    Page("officers, found by name", "/officers", {"text": "Le Mai"}),
    Page("officer", "/officers/{officer}"),
    Page("officer, change", "/officers/{officer}/change"),
    Page("officer, appoint", "/officers/{officer}/appoint"),
    Page("officer, a new one", "/new-officer"),
    Page("substitutes", "/substitutes"),
    Page("days off", "/days"),
    Page("imports", "/imports"),
    Page("account", "/account"),
    Page("acting for", "/acting"),
    Page("second factor", "/second-factor"),
    Page("procedures", "/procedures"),
    Page("procedure", "/procedures/candidate"),
    Page("inspection", "/inspection"),
    Page("inspection of a period", "/inspection", {"period_first": "01/01/2025", "period_last": "08/09/2025"}),
    Page("inspection of a period, a list", "", follows=r'href="(/inspection/lists/[^"/]+/[^"]+)"'),
    Page("inspection, exceptions", "/inspection/lists/exceptions"),
    Page("inspection, late entries", "/inspection/lists/late"),
    Page("inspection, refused", "/inspection/lists/refused"),
    Page("inspection, openings", "/inspection/lists/openings"),
    Page("trail, by officer", "/inspection/search", {"officer": "maker-xa0", "by": "at"}),
    Page("trail, by rule", "/inspection/search", {"rule": "motives_known", "by": "at"}),
    Page("trail, by person", "/inspection/search", {"person": "Nguyen Van An", "by": "at"}),
    Page("trail, an event", "/inspection/events/{event}"),
    Page("supervision", "/inspection/supervision"),
    Page("verify", "/inspection/verify"),
    Page("checkpoint", "/inspection/checkpoint"),
    Page("bundle", "/inspection/bundle"),
)  # fmt: skip
