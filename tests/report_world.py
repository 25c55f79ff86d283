"""A small town with years of admissions, for the reports: who, where, when, said once and counted by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.clock import SetClock
from engine.core.commands import Move, Start
from engine.library import shipped_folder
from engine.service import Service
from engine.steps import By
from engine.store.memory import MemoryStore
from reports.document import Report
from reports.letters import Letter
from reports.making import Request, make
from reports.periods import Span
from tests.world import found_office

FOLDER = shipped_folder() / "admission"
WORKFLOWS = ("admission",)
LETTER = Letter(
    above="Tỉnh ủy Đắk Lắk",
    issuer="Thị ủy Buôn Hồ",
    issuer_code="TU",
    place="Buôn Hồ",
    signer="Nguyễn Thị Hồng",
)
_PAPERS = ("certificate", "application", "life_history", "life_verification", "referral", "opinions",
           "committee_resolution")  # fmt: skip
STAGES = ("source", "elite", "trained", "dossier", "admitted")


@dataclass(kw_only=True)
class Person:
    """A person and how far they came, each stage so many days after the one before; `begun` is the first day."""

    id: str
    unit: str
    begun: date
    stage: str = "admitted"
    facts: Mapping[str, Any] = field(default_factory=dict)
    gaps: tuple[int, int, int, int, int] = (30, 60, 60, 20, 20)

    def days(self) -> list[date]:
        """The days of the start, recognise, certify, open_dossier, branch_review and admit."""
        found = [self.begun]
        for gap in self.gaps:
            found.append(found[-1] + timedelta(days=gap))
        return found


class ReportTown:
    """The town in memory, its clock, and its reports."""

    def __init__(self, now: datetime, workflows: Iterable[str] = WORKFLOWS) -> None:
        self.clock = SetClock(now.astimezone(UTC))
        self.service: Service = found_office(MemoryStore(), self.clock, workflows)

    def play(self, person: Person) -> None:
        """Takes a person along their way, each step with its own day."""
        service, days = self.service, person.days()
        facts = {
            "full_name": person.id,
            "birth_date": "1990-05-17",
            "sex": "male",
            "ethnicity": "Kinh",
            "religion": "none",
            "education": "upper_secondary",
            "occupation": "Nông dân",
            "motives": "Phấn đấu",
            "helper": "Lê Thị Mai",
            "helper_is_formal": "true",
            "helper_together_since": "2010-01-01",
            "second_referrer": "Phạm Văn Dũng",
            "second_referrer_is_formal": "true",
            **person.facts,
        }
        by = By(officer="tu_secretary")
        self._ok(service.start(Start(workflow="candidate", org=person.unit, id=person.id, facts=facts, on=days[0]), by))
        last = STAGES.index(person.stage)
        if last >= 1:
            self.move(person.id, "recognise", by, days[1], branch_proposed_on=days[0])
        if last >= 2:
            self.move(person.id, "certify", By(officer="tu_clerk"), days[2], certificate_no=f"0{person.id}/GCN",
                      certificate_issuer="TTCT", certificate_on=days[2])  # fmt: skip
        if last >= 3:
            papers = dict.fromkeys(_PAPERS, days[3].isoformat())
            self.move(person.id, "open_dossier", by, days[3], application_on=days[3], papers=papers)
        if last >= 4:
            self.move(person.id, "branch_review", by, days[4], branch_reviewed_on=days[4], formal_members=9,
                      formal_present=9, votes_for=9, papers={"branch_resolution": days[4].isoformat()})  # fmt: skip
            self.move(person.id, "admit", By(officer="tu_standing"), days[5], decision_no=f"{person.id}-QĐ",
                      decision_on=days[5])  # fmt: skip

    def move(self, subject: str, trigger: str, by: By, on: date, reason: str | None = None, **facts: Any) -> str:
        """Takes a step, which must go through; returns its event."""
        given = {n: v.isoformat() if isinstance(v, date) else v for n, v in facts.items()}
        move = Move(subject=subject, trigger=trigger, on=on, facts=given, reason=reason)
        return self._ok(self.service.move(move, by))

    def _ok(self, answer: Any) -> str:
        assert answer.allowed, [(j.rule.id, j.result, j.missing) for j in answer.judgements if j.result != "pass"]
        return str(answer.event)

    def report(
        self, name: str, span: Span, *, org: str | None = None, officer: str | None = None, folder: Path = FOLDER,
        lang: str = "vi",
    ) -> Report:  # fmt: skip
        """Makes a report."""
        request = Request(name=name, span=span, org=org, officer=officer, lang=lang)
        return make(self.service, folder, request, LETTER)


def rows(report: Report, title: str) -> dict[str, dict[str, Any]]:
    """Returns the rows of the section whose title contains this, by key; the total under `total`."""
    section = next(s for s in report.json()["sections"] if title in s["title"])
    found = {row["key"]: row for row in section["rows"]}
    return found | ({"total": section["total"]} if section["total"] else {})
