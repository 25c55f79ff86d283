"""Random histories of units that come and go, people who move, steps that are undone.

Nobody is lost, nobody stands twice, the parts add up to the whole, and a day of the past stays what it was unless an
entry says that it corrects it.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.clock import SetClock
from engine.core import events
from engine.core.commands import Move, Start, Undo
from engine.core.errors import KetnapError
from engine.core.events import Entry, replay
from engine.library import find_sources
from engine.officework import OfficerChange, OrgChange
from engine.organising import Split
from engine.service import Service
from engine.steps import By
from engine.store.memory import MemoryStore
from engine.verifying import verify
from tests.world import found_office, office_time, wire

FIRST = date(2025, 3, 3)
ADMIN, BOSS = By(officer="tu_admin"), By(officer="tu_secretary")
STEPS = ("recognise", "drop", "reopen", "transfer", "accept_transfer", "return_transfer")
Place = tuple[str, str]  # unit and state


class Town:
    """An office, the people ever entered, and what was counted at the end of each day."""

    def __init__(self, seed: int) -> None:
        self.dice, self.day = Random(seed), FIRST
        self.clock = SetClock(office_time(FIRST))
        self.store = MemoryStore()
        self.service = found_office(self.store, self.clock, ("candidate", "probation"))
        self.service.put_officers([OfficerChange(id="tu_admin", roles=("admin", "secretary"))], ADMIN)
        self.people: list[str] = []
        self.units = 0
        self.counted: dict[date, dict[str, Place]] = {}
        self.done: Counter[str] = Counter()

    # -- what happens

    def go(self, steps: int) -> None:
        """Does random things; what the rules refuse changes nothing."""
        kinds = ("start", "step", "step", "step", "undo", "merge", "split", "move", "found", "night")
        for _ in range(steps):
            kind = self.dice.choice(kinds)
            try:
                getattr(self, kind)()
                self.done[kind] += 1
            except KetnapError:
                self.done[f"{kind} refused"] += 1
            self.nobody_is_lost()

    def orgs(self, *kinds: str) -> list[str]:
        """Returns the units of these kinds that stand today."""
        _, tree = self.service.organisations.on()
        return sorted(o.id for o in tree.by_id.values() if o.kind in kinds and o.period.holds(self.day))

    def start(self) -> None:
        """Somebody new."""
        facts = {"full_name": f"N{len(self.people)}", "motives": "x", "helper": "y"}
        org = self.dice.choice(self.orgs("branch", "grassroots_branch", "grassroots_committee"))
        command = Start(workflow="candidate", id=f"u{len(self.people)}", org=org, facts=facts)
        self.people.append(self.service.start(command, BOSS).subject)

    def step(self) -> None:
        """A step of somebody."""
        trigger, facts = self.dice.choice(STEPS), {}
        if trigger == "recognise":
            facts = {"branch_proposed_on": self.day.isoformat()}
        elif trigger == "drop":
            facts = {"drop_reason": "moved"}
        elif trigger == "transfer":
            facts = {"to_org": self.dice.choice(self.orgs("branch", "grassroots_committee"))}
        command = Move(subject=self.dice.choice(self.people or ["u0"]), trigger=trigger, facts=facts, reason="x")
        if not self.service.move(command, BOSS).allowed:
            self.done["step by rules"] += 1

    def undo(self) -> None:
        """The last step of somebody is undone."""
        self.service.undo(Undo(subject=self.dice.choice(self.people or ["u0"]), reason="Nhầm"), BOSS)

    def found(self) -> None:
        """A new branch."""
        self.units += 1
        parent = self.dice.choice(self.orgs("grassroots_committee"))
        self.service.organisations.put(
            [OrgChange(id=f"n{self.units}", kind="branch", name="x", parent=parent, from_=self.day)], ADMIN
        )

    def merge(self) -> None:
        """Two units become one, today or later."""
        kind = self.dice.choice(("branch", "grassroots_committee"))
        one, other = self.dice.choice(self.orgs(kind)), self.dice.choice(self.orgs(kind))
        on = self.day + timedelta(days=self.dice.choice((0, 0, 3)))
        self.service.organisations.put([OrgChange(id=one, merge_into=other, from_=on)], ADMIN)

    def move(self) -> None:
        """A branch comes under another committee."""
        branch, parent = self.dice.choice(self.orgs("branch")), self.dice.choice(self.orgs("grassroots_committee"))
        self.service.organisations.put([OrgChange(id=branch, parent=parent, from_=self.day)], ADMIN)

    def split(self) -> None:
        """A branch is split between two others; its people by a list, sometimes with one forgotten."""
        one, *into = (self.dice.choice(self.orgs("branch")) for _ in range(3))
        with self.service.work() as work:
            here = [r.id for r in work.tx.find_subjects(orgs=[one])]
        assign = {i: self.dice.choice(into) for i in here if self.dice.random() > 0.1}
        self.service.organisations.split(Split(org=one, into=into, assign=assign), ADMIN)

    def night(self) -> None:
        """The day ends: it is counted, and every day before it is counted again."""
        self.counted[self.day] = self.standing(self.day)
        self.past_days_stay()
        self.day += timedelta(days=1)
        self.clock.set(office_time(self.day))
        self.service.tick()
        self.nobody_is_lost()

    # -- what must hold

    def told(self, id_: str) -> list[Entry]:
        """Returns what happened to somebody."""
        return self.service.history(id_)

    def standing(self, day: date) -> dict[str, Place]:
        """Returns where everybody stood at the end of a day, by the days of the events alone."""
        found: dict[str, Place] = {}
        for id_ in self.people:
            told = [e for e in self.told(id_) if (e.on or "") <= day.isoformat() or e.kind == events.UNDONE]
            if told and told[0].kind == events.STARTED:
                now = replay(told, None, self.service.show(id_)[0].definition.types)
                assert now is not None
                found[id_] = (now.org, now.state)
        return found

    def nobody_is_lost(self) -> None:
        """Everybody stands once, at a unit of today, and the units' numbers add up."""
        _, tree = self.service.organisations.on()
        with self.service.work() as work:
            rows = list(work.tx.find_subjects(workflow="candidate"))
        assert sorted(r.id for r in rows) == sorted(self.people)
        where = {r.id: r.org for r in rows}
        assert all(tree.by_id[org].period.holds(self.day) for org in where.values()), where
        by_unit = Counter(where.values())
        below = {o.id: sum(by_unit[i] for i in tree.below(o.id)) for o in tree.by_id.values()}
        for org in tree.by_id.values():
            assert below[org.id] == by_unit[org.id] + sum(below[c.id] for c in tree.children(org.id))
        assert below["tu"] == len(self.people)

    def past_days_stay(self) -> None:
        """What was counted of a day is counted again, but for those of whom something of that day was undone later."""
        undone = {id_: self._undone(id_) for id_ in self.people}
        for day, before in self.counted.items():
            now = self.standing(day)
            changed = {i for i in now if now[i] != before.get(i)} | (before.keys() - now.keys())
            assert all(any(on <= day < at for on, at in undone[i]) for i in changed), (day, changed)

    def _undone(self, id_: str) -> list[tuple[date, date]]:
        """Returns the day of each step that was undone, and the day on which it was."""
        told = self.told(id_)
        on = {e.id: date.fromisoformat(e.on or "") for e in told}
        return [(on[e.undoes or ""], on[e.id]) for e in told if e.kind == events.UNDONE]


def play(seed: int, steps: int) -> Town:
    """Plays one history, verifies its trail, and takes it through an export into an empty database."""
    town = Town(seed)
    town.go(steps)
    town.night()
    assert verify(town.service).ok
    document = town.service.past.export(BOSS)
    empty = _empty(town)
    empty.past.restore(document)
    for id_ in town.people:
        here, there = town.service.show(id_)[0].subject, empty.show(id_)[0].subject
        assert (here.org, here.state, here.facts, here.doers) == (there.org, there.state, there.facts, there.doers)
    days = [town.day - timedelta(days=n) for n in range(5)]
    for day in days:
        _, one = town.service.organisations.on(day)
        _, two = empty.organisations.on(day)
        assert {(o.id, o.name, o.parent) for o in one.by_id.values()} == {
            (o.id, o.name, o.parent) for o in two.by_id.values()
        }
    assert verify(empty).ok
    return town


def _empty(town: Town) -> Service:
    store = MemoryStore()
    store.create()
    service = wire(store, town.clock)
    service.load(find_sources(["candidate", "probation"]), sandbox=True)
    return service


QUIET = settings(
    deadline=None, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck), max_examples=12,
    derandomize=True,
)  # fmt: skip


@QUIET
@given(st.integers(0, 2**32))
def test_nobody_is_lost_and_the_past_stays(seed: int) -> None:
    """A few dozen random things, with all promises looked at after each."""
    play(seed, 60)


def test_what_is_tried_does_happen() -> None:
    """The dice reach mergers, splits, transfers and undoing, and not only refusals."""
    done = sum((play(seed, 120).done for seed in range(4)), Counter[str]())
    for kind in ("start", "step", "undo", "merge", "split", "move", "found", "night"):
        assert done[kind] > 0, done


@pytest.mark.parametrize("seed", [512000, 726970231, 7479172, 2530266207])
def test_histories_that_once_left_somebody_at_a_unit_that_was_gone(seed: int) -> None:
    """Two units merged into each other; one that was to take over, split; a transfer to one split, and an undo."""
    play(seed, 80)


@pytest.mark.soak
@settings(QUIET, max_examples=300, derandomize=False)
@given(st.integers(0, 2**32))
def test_long_histories_lose_nobody(seed: int) -> None:
    """The long form, with new seeds each time."""
    play(seed, 400)
