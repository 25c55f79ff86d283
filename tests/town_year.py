"""A town whose year of notices is played: units, officers, candidates at every stage, on a set clock in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from engine.clock import SetClock
from engine.core.commands import Move, Start
from engine.library import shipped_sources
from engine.officework import OfficerChange, OrgChange
from engine.outbox import Claimed
from engine.service import Service
from engine.steps import By
from engine.store.memory import MemoryStore
from notifications.channels.port import Message, Outcome
from notifications.channels.record import RecordChannel
from notifications.worker import Worker
from tests.world import office_time, wire

STAGES = ("source", "elite", "trained", "dossier", "reviewed")


@dataclass(frozen=True, kw_only=True)
class Went:
    """A notice that went out, with the message that carried it."""

    at: datetime
    rule: str
    subject: str
    to: str
    channel: str
    message: str
    late: bool

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is about, whenever it went."""
        return self.rule, self.subject, self.to, self.channel


class Town:
    """`units` committees under the town, two branches each, and candidates spread over the branches."""

    def __init__(self, year: int, *, units: int, candidates: int) -> None:
        self.year = year
        self.clock = SetClock(office_time(date(year - 1, 12, 1)))
        self.store = MemoryStore()
        self.service: Service = wire(self.store, self.clock)
        self.service.load(shipped_sources(), sandbox=True)
        self._found(units)
        self._people(units, candidates)
        self.went: list[Went] = []
        self.worker = Worker(
            self.service,
            {c: RecordChannel(name=c, kind=c) for c in ("email", "sms")},
        )

    def _found(self, units: int) -> None:
        orgs = [("tu", "town_committee", None), ("tcnv", "organisation_agency", "tu")]
        orgs += [(f"x{i}", "grassroots_committee", "tu") for i in range(units)]
        orgs += [(f"b{i}_{k}", "branch", f"x{i}") for i in range(units) for k in range(2)]
        hand = self.service.set_up()
        hand.orgs(OrgChange(id=id, kind=kind, name=id, parent=parent) for id, kind, parent in orgs)
        officers: list[OfficerChange] = []
        for id, kind, _ in orgs:
            roles = ["secretary", "clerk"] + (["standing_committee", "admin"] if kind == "town_committee" else [])
            for role in roles:
                email = None if role == "clerk" and kind == "branch" else f"{role}.{id}@example.org"
                name = f"{id}_{role}"
                officers.append(
                    OfficerChange(id=name, name=name, org=id, roles=(role,), email=email, phone="+84900000001")
                )
        hand.officers(officers)

    def _people(self, units: int, candidates: int) -> None:
        for i in range(candidates):
            unit, stage = i % units, STAGES[i // units % len(STAGES)]
            start_candidate(self.service, f"u{i}", f"b{unit}_{i % 2}", f"x{unit}", stage, self.year, i)

    def play(
        self,
        until: datetime,
        act: Callable[[datetime], None] | None = None,
        stop: tuple[datetime, datetime] | None = None,
    ) -> None:
        """Goes to a time, doing what falls due; not between the two times of `stop`, when the machine is off."""
        while (due := self.service.next_due()) is not None and due <= until:
            now = max(due, self.clock.now())
            if stop is not None and stop[0] <= now < stop[1]:
                now = stop[1]
            self.clock.set(now)
            if act is not None:
                act(now)
            self.service.tick()
            self.worker.deliver(self._note)
        self.clock.set(until)

    def _note(self, claimed: Claimed, message: Message, outcome: Outcome) -> None:
        for row, text in zip(claimed.rows, claimed.texts, strict=True):
            self.went.append(
                Went(
                    at=self.clock.now(),
                    rule=row.rule,
                    subject=row.subject,
                    to=row.recipient,
                    channel=row.channel,
                    message=claimed.message,
                    late=text["late"] == "true",
                )
            )


def start_candidate(service: Service, id: str, branch: str, committee: str, stage: str, year: int, n: int) -> None:
    """Brings a candidate to a stage, with days that make notices fall due within the year."""
    head, clerk = By(officer=f"{committee}_secretary"), By(officer=f"{committee}_clerk")
    certificate = date(year - 5, 1, 1) + timedelta(days=n * 7 % 360)
    papers = date(year - 1, 1, 10) + timedelta(days=n * 11 % 300)
    reviewed = date(year - 1, 11, 1) + timedelta(days=n % 25)
    facts: dict[str, Any] = {
        "full_name": id, "introduced_by": branch, "motives": "m", "helper": "h", "birth_date": date(year - 30, 3, 1),
        "education": "university", "helper_together_since": date(year - 4, 1, 1), "helper_is_formal": True,
        "second_referrer": "s", "second_referrer_is_formal": True,
    }  # fmt: skip
    service.start(Start(workflow="candidate", id=id, org=branch, facts=facts, on=date(year - 5, 1, 1)), head)
    awareness = {"certificate_no": "1", "certificate_issuer": "c", "certificate_on": certificate}
    dossier = {"application_on": papers, "papers": {"referral": papers, "opinions": papers}}
    votes = {
        "branch_reviewed_on": reviewed, "formal_members": 9, "formal_excused": 0, "formal_present": 9, "votes_for": 9,
    }  # fmt: skip
    steps: Sequence[tuple[str, dict[str, Any], date, By]] = (
        ("recognise", {"branch_proposed_on": date(year - 5, 1, 1)}, date(year - 5, 1, 1), head),
        ("certify", awareness, certificate, clerk),
        ("open_dossier", dossier, max(papers, certificate), clerk),
        ("branch_review", votes, max(reviewed, papers, certificate), clerk),
    )
    for trigger, given, on, by in steps[: STAGES.index(stage)]:
        answer = service.move(Move(subject=id, trigger=trigger, facts=given, on=on), by)
        if not answer.allowed:
            raise AssertionError(f"{id}: {trigger} was refused: {answer}")


def new_year(year: int) -> datetime:
    """Returns the first moment of a year in the office."""
    return office_time(date(year, 1, 1), time(0, 0))
