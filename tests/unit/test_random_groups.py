"""Random histories of the special groups across the reorganisation of 01/07/2025: transfers, undoing, group facts.

Nobody is lost, nobody stands twice, the parts of each table add up to the whole, and what was reported of 2024 and of
the first half of 2025 stays as it was, whatever comes later.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.core.commands import Move, SetFacts, Start, Undo
from engine.core.errors import BadInput, KetnapError
from engine.core.events import VOID, last_step
from engine.officework import OfficerChange, OrgChange
from engine.steps import By
from engine.verifying import verify
from reports.document import Report, Value
from reports.periods import Span, day_span, days_span, year_span
from tests.report_world import ReportTown
from tests.world import office_time

FIRST, REORGANISED = date(2024, 9, 2), date(2025, 7, 1)
CLERK, HEAD, DECIDES, ADMIN = (
    By(officer=f"{o}") for o in ("tinh_clerk", "tinh_secretary", "px1_standing", "tinh_admin")
)
OLD, NEW = ("cb1", "cb2", "cb3", "cs1"), ("cb1", "cb2", "cb3", "cs1", "px1")
PAPERS = ("certificate", "application", "life_history", "life_verification", "referral", "opinions",
          "branch_resolution", "committee_resolution")  # fmt: skip
OF_GROUPS = ("religious_opinion", "religious_pledge", "firm_registration", "firm_tax", "firm_labour",
             "health_certificate", "education_exception")  # fmt: skip
KINDS = ("start", "start", *["step"] * 9, "mend", "contact", "move", "answer", "answer", "undo")
ALL_PAPERS = dict.fromkeys(OF_GROUPS, "2024-08-01")

# group -> what makes one of it, and what is wanting in the failing way: the step that then is refused, or None where
# it is only warned; last the warning, and the facts with which it is met
GROUPS: dict[str, tuple[dict[str, Any], str | None, str | None, dict[str, Any]]] = {
    "pupil": ({"is_pupil": True}, "branch_review", "pupil_conduct", {"conduct": "good", "marks": "fair"}),
    "religious": ({"religion": "Công giáo"}, None, "religious_person", {"group_papers": ALL_PAPERS}),
    "owner": ({"is_firm_owner": True, "firm_holds_control": True}, None, "firm_owner",
              {"firm_title": "chair_of_board", "group_papers": ALL_PAPERS}),
    "over 60": ({"birth_date": "1955-03-01", "province_consent_no": "1", "province_consent_on": "2024-01-01"},
                "branch_review", "over_60_standing",
                {"over_60_grounds": "Nơi chưa có đảng viên", "group_papers": ALL_PAPERS}),
    "exception": ({"education": "primary"}, "open_dossier", "education_exception",
                  {"special_area": True, "group_papers": ALL_PAPERS}),
    "far away": ({"works_far_away": True, "away_since": "2024-01-01"}, None, None, {}),
}  # fmt: skip


class Office:
    """A town under a province until the day on which the district level goes, and its people of the groups."""

    def __init__(self, seed: int) -> None:
        self.dice, self.day = Random(seed), FIRST
        self.town = ReportTown(office_time(FIRST))
        self.service = self.town.service
        self.done: Counter[str] = Counter()
        self.begun = 0
        self.people: dict[str, str] = {}  # id -> group
        self.whole: set[str] = set()
        self.reported = date.min  # the last day of which something was reported
        hand = self.service.set_up()
        hand.orgs([OrgChange(id="tinh", kind="province_committee", name="tinh"), OrgChange(id="tu", parent="tinh")])
        hand.officers([
            OfficerChange(id="tinh_clerk", name="tinh_clerk", org="tinh", roles=("clerk",)),
            OfficerChange(id="tinh_admin", name="tinh_admin", org="tinh", roles=("admin", "secretary")),
            OfficerChange(id="tinh_secretary", name="tinh_secretary", org="tinh", roles=("secretary",)),
        ])  # fmt: skip

    # -- what happens

    def live(self, until: date, steps: int) -> None:
        """Does random things up to a day; what is refused changes nothing."""
        for _ in range(steps):
            kind = self.dice.choice(KINDS)
            self.day = min(until, self.day + timedelta(days=self.dice.randint(0, 12)))
            self.town.clock.set(office_time(self.day))
            try:
                getattr(self, kind)()
                self.done[kind] += 1
            except KetnapError:
                self.done[f"{kind} refused"] += 1
        self.day = until
        self.town.clock.set(office_time(until))
        self.service.tick()

    def start(self) -> None:
        """Somebody of one of the groups, with all that is asked for or without it."""
        group, whole = self.dice.choice(sorted(GROUPS)), self.dice.random() < 0.5
        made, _, _, mended = GROUPS[group]
        id, org = f"g{self.begun}", self.dice.choice(OLD)
        self.begun += 1
        facts = {
            "full_name": id, "birth_date": "1990-05-17", "sex": self.dice.choice(("male", "female")),
            "ethnicity": self.dice.choice(("Kinh", "Ê-đê")), "religion": "none", "education": "upper_secondary",
            "motives": "x", "helper": "y", "helper_is_formal": True, "helper_together_since": "2010-01-01",
            "second_referrer": "z", "second_referrer_is_formal": True, "branch_proposed_on": "2024-08-01",
            **made, **(mended if whole else {}),
        }  # fmt: skip
        self.service.start(Start(workflow="candidate", id=id, org=org, facts=facts), CLERK)
        self.people[id] = group
        if whole:
            self.whole.add(id)

    def one(self) -> str:
        """Returns one of them."""
        if not self.people:
            raise BadInput("nobody is left")
        return self.dice.choice(sorted(self.people))

    def step(self) -> None:
        """The next step of somebody on the way to admission; it is judged as the group asks."""
        id = self.one()
        subject, day = self.service.show(id)[0].subject, self.day.isoformat()
        trigger = {"source": "recognise", "elite": "certify", "trained": "open_dossier"}.get(subject.state, "admit")
        if trigger == "admit" and "branch_reviewed_on" not in subject.facts:
            trigger = "branch_review"
        ways: dict[str, dict[str, Any]] = {
            "recognise": {},
            "certify": {"certificate_no": id, "certificate_issuer": "TTCT", "certificate_on": day},
            "open_dossier": {"application_on": day, "papers": dict.fromkeys(PAPERS, day)},
            "branch_review": {"branch_reviewed_on": day, "formal_members": 9, "formal_present": 9, "votes_for": 9},
            "admit": {"decision_no": "1-QĐ", "decision_on": day},
        }
        decides = By(officer="tu_standing") if self.day < REORGANISED else DECIDES
        by = {"recognise": HEAD, "admit": decides}.get(trigger, CLERK)
        answer = self.service.move(Move(subject=id, trigger=trigger, facts=ways[trigger]), by)
        self.judged(id, trigger, answer)

    def judged(self, id: str, trigger: str, answer: Any) -> None:
        """Sees that a group's condition stands in the way, or is only shown, exactly while it is not met."""
        _, refused_at, rule, _ = GROUPS[self.people[id]]
        whole = id in self.whole
        if trigger == refused_at and not whole:
            assert not answer.allowed, (id, trigger)
            self.done[f"refused: {self.people[id]}"] += 1
        elif trigger in ("open_dossier", "branch_review"):
            others = [*answer.blocking("fail"), *answer.blocking("unknown")]
            assert answer.allowed or others == ["dossier_fresh"], (id, self.people[id], others)
        warned = {j.rule.id for j in answer.judgements if j.rule.id == rule and j.result != "pass"}
        if trigger == "branch_review":
            assert warned == (set() if whole or rule is None else {rule}), (id, self.people[id])

    def mend(self) -> None:
        """What is asked for of somebody's group is written."""
        id = self.one()
        self.service.set_facts(SetFacts(subject=id, facts=GROUPS[self.people[id]][3]), CLERK)
        self.whole.add(id)

    def contact(self) -> None:
        """Somebody who works far away was reached, went away, or has come back."""
        facts = self.dice.choice(({"contacted_on": self.day.isoformat()}, {"works_far_away": self.dice.random() < 0.5}))
        self.service.set_facts(SetFacts(subject=self.one(), facts=facts), CLERK)

    def move(self) -> None:
        """Somebody is to go over to another unit."""
        to = self.dice.choice(OLD if self.day < REORGANISED else NEW)
        self._must(Move(subject=self.one(), trigger="transfer", facts={"to_org": to}))

    def answer(self) -> None:
        """A transfer that waits is accepted, or returned."""
        self._must(
            Move(subject=self.one(), trigger=self.dice.choice(("accept_transfer", "return_transfer")), reason="x")
        )

    def undo(self) -> None:
        """The last thing done to somebody is undone, where it is of a day of which nothing was reported yet."""
        id = self.one()
        told = self.service.history(id)
        last = last_step(told, frozenset(e.undoes for e in told if e.undoes is not None)) or told[0]
        if (last.on or "") <= self.reported.isoformat():
            raise BadInput("it would correct what was reported")
        self.service.undo(Undo(subject=id, reason="Nhầm"), HEAD)
        subject = self.service.show(id)[0].subject
        if subject.state == VOID:
            del self.people[id]
        elif not all(subject.facts.get(n) for n in GROUPS[self.people[id]][3]):
            self.whole.discard(id)

    def _must(self, move: Move) -> None:
        if not self.service.move(move, CLERK).allowed:
            raise BadInput("refused")

    def reorganise(self) -> None:
        """The district level goes: one new commune takes over, under the province. It is entered a week before."""
        last, to = REORGANISED - timedelta(days=1), REORGANISED
        decides: dict[str, dict[str, str | None]] = {"decides_admissions": {"from": to.isoformat(), "until": None}}
        put = self.service.organisations.put
        put(
            [OrgChange(id="px1", kind="grassroots_committee", name="px1", parent="tinh", from_=to, marks=decides)],
            ADMIN,
        )
        put([OrgChange(id=id, merge_into="px1", from_=to) for id in ("xa1", "xa2")], ADMIN)
        put([OrgChange(id="cs1", parent="px1", from_=to)], ADMIN)
        put([OrgChange(id=id, until=last) for id in ("tcnv", "ttct")], ADMIN)
        put([OrgChange(id="tu", merge_into="tinh", from_=to)], ADMIN)
        self.service.put_officers(
            [OfficerChange(id="px1_standing", name="px1_standing", org="px1", roles=("standing_committee",))], ADMIN
        )

    # -- what must hold

    def nobody_is_lost(self) -> None:
        """Everybody stands once, at a unit of today, and is reminded of as somebody far away exactly while that."""
        _, tree = self.service.organisations.on()
        with self.service.work() as work:
            rows = [r for r in work.tx.find_subjects(workflow="candidate") if r.state != VOID]
            timers = {t.subject for t in work.tx.timers([r.id for r in rows]) if t.name == "keep_contact"}
        assert sorted(r.id for r in rows) == sorted(self.people)
        by_unit = Counter(r.org for r in rows)
        assert all(tree.by_id[org].period.holds(self.day) for org in by_unit), by_unit
        top = Counter(org for r in rows for org in tree.path(r.org))
        assert top["tinh"] == len(self.people)
        for org in tree.by_id.values():
            assert top[org.id] == by_unit[org.id] + sum(top[c.id] for c in tree.children(org.id))
        far = {r.id for r in rows if r.state != "admitted" and self.service.show(r.id)[1].get("works_far_away") is True}
        assert far <= timers

    def report(self) -> Report:
        """The report of all years up to today, of which the parts add up to the whole."""
        report = self.town.report("yearly", days_span(date(2024, 1, 1), self.day))
        states = Counter(self.service.show(id)[0].subject.state for id in self.people)
        assert report.figures["admitted"] == states["admitted"]
        for table in report.tables:
            rows = [line for line in table.lines if line.kind == "row"]
            for whole in (line for line in table.lines if line.kind == "total"):
                for n, heading in enumerate(table.columns):
                    if heading.adds_up:
                        assert sum(_number(line.cells[n]) for line in rows) == whole.cells[n], (table.title, heading.id)
        return report

    def past(self, *spans: Span) -> list[dict[str, Any]]:
        """Makes the reports of these periods, and of how things stood on their last days."""
        made = [self.town.report("yearly", span) for span in spans]
        made += [self.town.report(n, day_span(s.last)) for s in spans for n in ("elite_list", "silent_branches")]
        return [{k: v for k, v in report.json().items() if k != "made_at"} for report in made]


def _number(cell: Value) -> int | Decimal:
    return cell if isinstance(cell, int | Decimal) else 0


def play(seed: int) -> Office:
    """Plays one history across the reorganisation."""
    office, half = Office(seed), days_span(date(2025, 1, 1), date(2025, 6, 30))
    office.live(date(2025, 1, 6), 40)
    office.reported, of_2024 = date(2024, 12, 31), office.past(year_span(2024))
    office.live(date(2025, 6, 30), 40)
    office.nobody_is_lost()
    office.report()
    office.reported, before = date(2025, 6, 30), office.past(half)
    assert office.past(year_span(2024)) == of_2024
    office.reorganise()
    assert office.past(half) == before, "what is decided for tomorrow changes nothing of today"
    office.day = REORGANISED
    office.town.clock.set(office_time(REORGANISED))
    office.service.tick()
    office.nobody_is_lost()
    office.live(date(2025, 12, 22), 60)
    office.nobody_is_lost()
    office.report()
    assert office.past(year_span(2024)) == of_2024
    assert office.past(half) == before
    return office


QUIET = settings(
    deadline=None, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck), max_examples=3,
    derandomize=True,
)  # fmt: skip


@QUIET
@given(st.integers(0, 2**32))
def test_the_groups_cross_the_reorganisation_and_nobody_is_lost(seed: int) -> None:
    """A year and a half of random things, with every promise looked at before and after the day."""
    play(seed)


def test_what_is_tried_does_happen() -> None:
    """The dice reach every group, the failing way of each that has one, transfers and undoing."""
    office = play(21)
    assert verify(office.service).ok
    assert set(office.people.values()) == set(GROUPS)
    failing = (f"refused: {group}" for group, (_, refused_at, *_) in GROUPS.items() if refused_at is not None)
    for kind in ("start", "step", "mend", "contact", "move", "answer", "undo", *failing):
        assert office.done[kind] > 0, (kind, office.done)


def test_a_clock_that_stood_still_over_the_reorganisation_goes_on() -> None:
    """What a unit would have got while nobody was there opens no more once it is closed; the others' opens late."""
    office = Office(0)
    office.town.clock.set(office_time(date(2025, 6, 20)))
    office.service.tick()
    office.reorganise()
    office.day = date(2025, 8, 5)
    office.town.clock.set(office_time(office.day))
    office.service.tick()
    reviews = office.service.find("monthly_review", None, {"month": "2025-07"})
    assert {office.service.show(id)[0].subject.org for id in reviews} == {"px1", "cs1"}
    assert office.service.find("trail_checkpoint", "tu", {"made_on": "2025-06-30"}) == []


@pytest.mark.soak
@settings(QUIET, max_examples=100, derandomize=False)
@given(st.integers(0, 2**32))
def test_many_histories_of_the_groups(seed: int) -> None:
    """The long form, with new seeds each time."""
    play(seed)
