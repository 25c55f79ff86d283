"""Random commands at the candidate's machine, each compared with what the oracle says must come of it."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from engine.clock import SetClock
from engine.core.commands import Move, SetFacts, Start, Undo
from engine.core.errors import BadInput, Conflict, Denied
from engine.core.events import DENIED, REFUSED, replay
from engine.service import Service
from engine.steps import Answer, By
from engine.store.memory import MemoryStore
from engine.store.open import open_store
from engine.store.ports import Store
from engine.verifying import verify
from notifications.channels.record import RecordChannel
from notifications.worker import Worker
from tests.unit import oracle_who as who
from tests.unit.oracle import RULES
from tests.unit.oracle_person import Happened, Person
from tests.unit.oracle_steps import AT_TO_ORG, STEPS, UNDO_DAYS, Verdict, judge_step
from tests.unit.oracle_typed import BadFact, read
from tests.unit.oracle_values import (
    ASKED_BESIDES,
    BAD,
    FORWARD,
    KEEPERS,
    PREPARED,
    UNITS_OF_PERSONS,
    USUAL,
    edges,
    usual,
)
from tests.world import OFFICERS, START, UNITS, ZONE, found_office, trail

# Hypothesis chooses which commands come and in what order; dice that begin at its number and the turn, what each says
SEED = st.integers(0, 2**32)


def outcome(command: Callable[[], Answer]) -> Answer | BadInput | Denied:
    """Returns what came of a command: its answer, or the error that it raised."""
    try:
        return command()
    except (BadInput, Denied) as error:
        return error


def kind_of(came: Answer | BadInput | Denied) -> str:
    """Returns the oracle's word for it."""
    if isinstance(came, Answer):
        return "allowed" if came.allowed else "refused"
    return "denied" if isinstance(came, Denied) else "bad"


class Machine(RuleBasedStateMachine):
    """A few persons, all officers, any command. `seen` counts what came of commands, over all runs of a test."""

    seen: ClassVar[Counter[str]] = Counter()
    url: ClassVar[str] = "memory:"

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store: Store = MemoryStore() if self.url == "memory:" else open_store(f"sqlite:///{self.folder.name}/k.db")
        self.clock = SetClock(START)
        self.service: Service = found_office(self.store, self.clock)
        channels = {name: RecordChannel(name=name, kind=name) for name in ("email", "sms")}
        self.worker = Worker(self.service, channels)
        self.persons: dict[str, Person] = {}
        self.substitutes: list[tuple[str, str, date, date]] = []
        self.trail_size = len(trail(self.store))
        self.turn = 0

    def teardown(self) -> None:
        """After every run: the trail verifies, and each person is what the trail says, told anew."""
        report = verify(self.service)
        assert report.ok, report.problems
        for id, person in self.persons.items():
            case, _ = self.service.show(id)
            told = replay(self.service.history(id), None, case.definition.types)
            assert told is not None
            assert (told.state, told.org, told.version, dict(told.facts)) == (
                person.state,
                person.unit,
                person.version,
                person.facts,
            )
        self.store.close()
        self.folder.cleanup()

    # -- helpers

    def dice(self, seed: int) -> Random:
        """Returns what decides the rest of a command."""
        self.turn += 1
        return Random(f"{seed}/{self.turn}")

    @property
    def today(self) -> date:
        return self.clock.now().astimezone(ZONE).date()

    def absent(self, officer: str) -> list[str]:
        """For whom the officer stands in today; of several who may, the first by id is taken."""
        return sorted(a for a, s, first, last in self.substitutes if s == officer and first <= self.today <= last)

    def new_events(self) -> list[Any]:
        found = trail(self.store, self.trail_size - 1)
        self.trail_size += len(found)
        return found

    def same(self, id: str) -> None:
        """The person is as the oracle says."""
        person = self.persons[id]
        case, _ = self.service.show(id)
        now = case.subject
        assert (now.state, now.org, now.version) == (person.state, person.unit, person.version)
        assert dict(now.facts) == person.facts

    def facts(self, dice: Random, names: tuple[str, ...], *, rare: int = 25) -> dict[str, Any]:
        """Draws values as typed for these facts: mostly usual ones, some at the edge, unknown, missing or wrong."""
        typed: dict[str, Any] = {}
        for name in names:
            at = edges(name, self.today)
            n = dice.randrange(25)
            if n == 0:
                continue
            if n == 1:
                typed[name] = None
            elif at and n in (2, 3, 4, 5):
                typed[name] = dice.choice(at)
            else:
                typed[name] = usual(name, self.today)
        if dice.randrange(rare) == 0:
            name, wrong = dice.choice(BAD)
            typed[name] = wrong
        return typed

    def officer(self, dice: Random, likely: tuple[str, ...]) -> str:
        return dice.choice(likely * 12 + tuple(OFFICERS))

    # -- what may happen

    @initialize(seed=SEED)
    def first_person(self, seed: int) -> None:
        """A run begins with a person of whom much is known."""
        facts = {n: usual(n, self.today) for n in (*PREPARED[:10], "full_name") if n != "papers"}
        self._start(Start(workflow="candidate", org="cb1", id="p0", facts=facts), "cb1_clerk")
        assert "p0" in self.persons

    @precondition(lambda self: len(self.persons) < 3)
    @rule(seed=SEED)
    def start(self, seed: int) -> None:
        """Somebody is entered, or not."""
        dice = self.dice(seed)
        names = ("full_name", *PREPARED[:9]) if dice.randrange(4) else ("full_name",)
        unit = dice.choice((*UNITS_OF_PERSONS * 3, "doan1", "nowhere"))
        on = dice.choice((None,) * 6 + (self.today - timedelta(days=3), self.today + timedelta(days=1)))
        id = dice.choice((f"p{len(self.persons)}",) * 8 + ("p0",))
        command = Start(workflow="candidate", org=unit, id=id, facts=self.facts(dice, names, rare=40), on=on)
        self._start(command, self.officer(dice, KEEPERS))

    def _start(self, command: Start, officer: str) -> None:
        on = command.on or self.today
        expected = self._start_verdict(command, officer, on)
        came = outcome(lambda: self.service.start(command, By(officer=officer)))
        assert kind_of(came) == expected, came
        if expected != "allowed":
            assert self.new_events() == []
        else:
            assert len(self.new_events()) == 1
            assert command.id is not None
            started = {k: v for k, v in read(command.facts).items() if v is not None}
            self.persons[command.id] = Person(org=command.org, started=started, started_on=on)
            self.same(command.id)
        self.seen[f"start {expected}"] += 1

    def _start_verdict(self, command: Start, officer: str, on: date) -> str:
        kind = UNITS.get(command.org, ("",))[0]
        if kind not in (*who.CELLS, *who.COMMITTEES) or on > self.today or command.id in self.persons:
            return "bad"
        try:
            facts = read(command.facts)
        except BadFact:
            return "bad"
        if facts.get("full_name") is None:
            return "bad"
        may = who.permission(officer, who.KEEPERS, command.org, on, self.absent(officer))
        return "allowed" if may.persons else "denied"

    @rule(seed=SEED, id=st.integers(0, 2))
    def forward(self, seed: int, id: int) -> None:
        """The next steps on the main line."""
        dice = self.dice(seed)
        name, person = self._person(id)
        for _ in range(dice.randint(1, 6)):
            trigger = FORWARD.get(person.state, "reopen")
            if person.state == "dossier":
                voted = "branch_reviewed_on" in person.facts
                trigger = dice.choice(("admit", "admit", "branch_review", "refuse") if voted else ("branch_review",))
            self._move(dice, name, person, trigger)
            if person.state == "admitted":
                break

    @rule(seed=SEED, id=st.integers(0, 2), trigger=st.sampled_from((*STEPS, "lapse", "promote")))
    def any_step(self, seed: int, id: int, trigger: str) -> None:
        """Any step, from any state."""
        dice = self.dice(seed)
        self._move(dice, *self._person(id), trigger)

    @rule(seed=SEED, id=st.integers(0, 2))
    def possible_step(self, seed: int, id: int) -> None:
        """Any step that leaves the state."""
        dice = self.dice(seed)
        name, person = self._person(id)
        leaving = [t for t, s in STEPS.items() if person.state in s.sources and not t.endswith("_transfer")]
        if "to_org" in person.facts:
            leaving += list(AT_TO_ORG)
        self._move(dice, name, person, dice.choice(leaving or ["drop"]))

    def _person(self, n: int) -> tuple[str, Person]:
        name = f"p{min(n, len(self.persons) - 1)}"
        return name, self.persons[name]

    def _move(self, dice: Random, name: str, person: Person, trigger: str) -> None:
        step = STEPS.get(trigger)
        asked = (*step.asks, *step.anew, *ASKED_BESIDES.get(trigger, ())) if step is not None else ()
        typed = self.facts(dice, asked)
        if trigger == "renew_dossier" and isinstance(typed.get("papers"), dict):
            typed["papers"] = {k: v for k, v in typed["papers"].items() if k != "branch_resolution"} or None
        if typed.get("to_org") == person.unit:
            typed["to_org"] = "cb2" if person.unit != "cb2" else "cb1"
        reason = dice.choice((None, "  ", *["Theo nghị quyết"] * 5))
        ago = dice.choice((*[0] * 12, 1, 10, -1))
        on = None if ago == 0 else self.today - timedelta(days=ago)
        officer = self.officer(dice, USUAL.get(trigger, KEEPERS))
        version = dice.choice((*[None] * 10, *[person.version] * 4, person.version + 1))
        verdict = judge_step(
            person,
            trigger,
            typed,
            officer=officer,
            absent=self.absent(officer),
            on=on or self.today,
            now=self.clock.now(),
            today=self.today,
            reason=reason,
        )
        command = Move(subject=name, trigger=trigger, facts=typed, on=on, reason=reason, version=version)
        if version is not None and version != person.version:
            with pytest.raises(Conflict):
                self.service.move(command, By(officer=officer))
            assert self.new_events() == []
            self.same(name)
            return
        self._compare(command, officer, person, verdict)

    def _compare(self, command: Move, officer: str, person: Person, verdict: Verdict) -> None:
        trigger = command.trigger
        came = outcome(lambda: self.service.move(command, By(officer=officer)))
        assert kind_of(came) == verdict.kind, (came, verdict)
        if isinstance(came, Denied):
            assert came.why in verdict.why
            assert [(e.kind, e.subject, e.trigger) for e in self.new_events()] == [(DENIED, command.subject, trigger)]
            self.seen[f"denied {came.why}"] += 1
        elif isinstance(came, BadInput):
            assert verdict.word in str(came)
            assert self.new_events() == []
            self.seen["bad"] += 1
        else:
            self._answered(came, command, officer, person, verdict)
        self.same(command.subject)

    def _answered(self, answer: Answer, command: Move, officer: str, person: Person, verdict: Verdict) -> None:
        says = {"pass": True, "fail": False, "unknown": None}
        # what only warns special groups is no part of the contract's table, and never stands in the way
        judged = [j for j in answer.judgements if j.rule.id in RULES or j.force != "warn"]
        assert {(j.force, j.rule.id): says[j.result] for j in judged} == verdict.results
        for j in judged:
            if j.note not in ("not_applicable", "no_day"):
                assert (j.version.from_ if j.version else None) == verdict.versions[j.rule.id], j
            self.seen[f"{j.rule.id} {j.result}"] += 1
        assert set(answer.blocking("fail")) == verdict.failing
        assert set(answer.blocking("unknown")) == verdict.unknown
        if not answer.allowed:
            assert [(e.kind, e.actor) for e in self.new_events()] == [(REFUSED, officer)]
            self.seen["refused"] += 1
            return
        assert set(answer.breaches) == verdict.breaches
        assert verdict.happened is not None
        person.add(verdict.happened)
        events = self.new_events()
        assert [(e.kind, e.subject) for e in events[:1]] == [("moved", command.subject)]
        assert {events[0].actor, events[0].behalf} - {None} == set(verdict.happened.persons)
        assert len(events) == (2 if command.trigger == "admit" else 1)
        self.seen[f"did {command.trigger}"] += 1
        self.seen["breach"] += bool(answer.breaches)
        self.seen["for another"] += events[0].behalf is not None

    @rule(seed=SEED, id=st.integers(0, 2))
    def old_certificate(self, seed: int, id: int) -> None:
        """It turns out that a certificate is about to run out, or has."""
        dice = self.dice(seed)
        name, person = self._person(id)
        if person.state in ("trained", "dossier") and dice.randrange(2):
            changes = {"certificate_on": dice.choice(edges("certificate_on", self.today))}
            if dice.randrange(4):
                changes["branch_reviewed_on"] = None
            self.service.set_facts(SetFacts(subject=name, facts=changes), By(officer="tu_clerk"))
            person.add(Happened(changes=changes))
            self.new_events()
            self.same(name)
            self._wait(self.clock.now() + timedelta(days=dice.randrange(1, 4)), late=bool(dice.randrange(2)))

    @rule(seed=SEED, id=st.integers(0, 2))
    def write_facts(self, seed: int, id: int) -> None:
        """Facts are written without a step."""
        dice = self.dice(seed)
        name, person = self._person(id)
        chosen = dice.sample(PREPARED, dice.randint(1, 4))
        typed = self.facts(dice, tuple(chosen), rare=20)
        officer = self.officer(dice, KEEPERS)
        late = dice.randrange(15) == 0
        on = self.today + timedelta(days=1) if late else None
        may = who.permission(officer, who.KEEPERS, person.unit, self.today, self.absent(officer))
        try:
            changes = read(typed)
            expected = "bad" if late or not typed else "allowed" if may.persons else "denied"
        except BadFact:
            expected = "bad"
        came = outcome(lambda: self.service.set_facts(SetFacts(subject=name, facts=typed, on=on), By(officer=officer)))
        assert kind_of(came) == expected, came
        if isinstance(came, Denied):
            assert came.why in may.why
            assert [e.kind for e in self.new_events()] == [DENIED]
        elif isinstance(came, BadInput):
            assert self.new_events() == []
        else:
            assert [e.kind for e in self.new_events()] == ["facts_set"]
            person.add(Happened(changes=changes))
        self.same(name)
        self.seen[f"set {expected}"] += 1

    @rule(seed=SEED, id=st.integers(0, 2), reason=st.sampled_from(("", *["Nhập nhầm"] * 4)))
    def undo(self, seed: int, id: int, reason: str) -> None:
        """The last step is undone: by who did it, in time; the clock's by a keeper; never by an inspector."""
        dice = self.dice(seed)
        if dice.randrange(4) == 0:
            return
        name, person = self._person(id)
        last = person.last_step()
        by_self = "" if last is None else last.actor or "cb1_secretary"
        officer = dice.choice((*[by_self or "tu_secretary"] * 3, "tu_inspector"))
        expected = self._undo_verdict(person, officer, reason)
        if expected is None:
            return
        came = outcome(lambda: self.service.undo(Undo(subject=name, reason=reason), By(officer=officer)))
        assert kind_of(came) == expected, came
        if expected != "allowed":
            assert [e.kind for e in self.new_events()] == [DENIED] * (expected == "denied")
        else:
            assert self.new_events()[0].kind == "undone"
            person.undo()
        self.same(name)
        self.seen[f"undo {expected}"] += 1

    def _undo_verdict(self, person: Person, officer: str, reason: str | None) -> str | None:
        last = person.last_step()
        if last is None or not reason:
            return "bad"
        if officer == "tu_inspector":
            return "denied" if not self.absent(officer) else None
        if last.actor is None:
            may = who.permission(officer, who.KEEPERS, person.unit, self.today, self.absent(officer))
            return "allowed" if may.persons else "denied"
        assert last.at is not None
        return "allowed" if self.clock.now() - last.at <= UNDO_DAYS else None

    @rule(seed=SEED, late=st.booleans())
    def time_passes(self, seed: int, late: bool) -> None:
        """The clock goes on, and what is due is done as it comes, or all at once afterwards, as after a standstill."""
        dice = self.dice(seed)
        days = dice.choice((0, 0, 0, 0, 1, 1, 2, 6, 20, 45, 100))
        target = self.clock.now() + timedelta(days=days, minutes=dice.randrange(900))
        self._wait(target, late=late)

    def _wait(self, target: datetime, *, late: bool) -> None:
        before = self.today
        while not late and (due := self.service.next_due()) is not None and due <= target:
            self.clock.set(max(due, self.clock.now()))
            self._settle()
        self.clock.set(target)
        self._settle()
        assert self.service.tick() == 0, "ticking twice does nothing twice"
        for name, person in self.persons.items():
            if self.today > before:
                self.seen["lapse"] += person.lapse(self.today)
            self.same(name)
        self.new_events()

    def _settle(self) -> None:
        self.service.tick()
        self.worker.deliver()

    @rule(
        absent=st.sampled_from(("xa1_secretary", "cb1_secretary", "tu_standing", "xa1_clerk")),
        stand_in=st.sampled_from(("cb1_clerk", "xa1_both", "tu_inspector", "cb3_secretary", "xa2_standing")),
        begins=st.integers(-1, 3),
        days=st.integers(0, 20),
    )
    def substitute(self, absent: str, stand_in: str, begins: int, days: int) -> None:
        """An officer goes away, and another stands in."""
        if any(a == absent for a, *_ in self.substitutes):
            return
        first = self.today + timedelta(days=begins)
        last = first + timedelta(days=days)
        self.service.set_up().substitute(absent, stand_in, first, last)
        self.substitutes.append((absent, stand_in, first, last))
        self.new_events()
