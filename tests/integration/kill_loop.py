"""Kills a busy process, again and again, and looks at what it left: run as a program, apart from the tests' process.

A child gives one command after the other, ticks and delivers, and says in a pipe what it was told is done; then it is
killed with signal 9 at a random moment. The next child begins with the command that the last one was giving, as a
client does that got no answer. Prints one JSON document.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from engine.audit.note import SigningKey
from engine.clock import Clock, ShiftedClock
from engine.core.commands import Line, Move, SetFacts, Start, Undo
from engine.ledger import entries
from engine.service import Service
from engine.steps import Answer, By
from engine.store.open import open_store
from engine.store.ports import Store
from engine.verifying import verify
from notifications.channels.port import Message, Outcome
from notifications.channels.record import RecordChannel
from notifications.worker import Worker
from tests.unit.oracle_values import usual
from tests.world import START, found_office, office_time, wire

TODAY = START.date()
FRESH_EVERY = 20  # kills, then a new database, so that looking at it stays quick
STAGES = 8
SIGNER = SigningKey(name="ketnap/kill", seed=bytes([4] * 32))
WIRE_S = 0.02  # what a mail server takes, so that some are killed while they wait for its answer
KNOWN = (
    "full_name", "birth_date", "education", "motives", "helper", "helper_is_formal", "helper_together_since",
    "second_referrer", "second_referrer_is_formal", "introduced_by", "branch_proposed_on", "union_member",
)  # fmt: skip


def known(*names: str) -> dict[str, Any]:
    """Returns facts with which the rules hold."""
    return {name: usual(name, TODAY) for name in names}


def give(service: Service, n: int) -> Answer:
    """Gives the n-th command of the loop; always the same one for the same n."""
    round_, stage = divmod(n, STAGES)

    def by(officer: str) -> By:
        return By(officer=officer, command=f"c{n}")

    return (_sitting if round_ % 4 == 3 else _person)(service, round_, stage, by)


def _start(service: Service, id: str, by: By) -> Answer:
    return service.start(Start(workflow="candidate", org="cb1", id=id, facts=known(*KNOWN)), by)


def _person(service: Service, round_: int, stage: int, by: Callable[[str], By]) -> Answer:
    """Takes one person along the main line, to admission or refusal."""
    id = f"p{round_}"
    line: list[tuple[str, str, dict[str, Any], str | None]] = [
        ("recognise", "xa1_secretary", {}, None),
        ("certify", "ttct_trainer", known("certificate_no", "certificate_issuer", "certificate_on"), None),
        ("open_dossier", "cb1_clerk", known("application_on", "papers"), None),
        ("branch_review", "cb1_clerk",
         known("branch_reviewed_on", "formal_members", "formal_excused", "formal_present", "votes_for"), None),
        ("admit", "tu_standing", known("decision_no", "decision_on"), None)
        if round_ % 2 else ("refuse", "tu_standing", {"refused_by": "Thị ủy"}, "Chưa đủ điều kiện"),
    ]  # fmt: skip
    if stage == 0:
        return _start(service, id, by("cb1_clerk"))
    if stage <= len(line):
        trigger, officer, facts, reason = line[stage - 1]
        return service.move(Move(subject=id, trigger=trigger, facts=facts, reason=reason), by(officer))
    if stage == 6:
        return service.set_facts(SetFacts(subject=id, facts={"occupation": f"Nghề {round_}"}), by("cb1_clerk"))
    return service.undo(Undo(subject=id, reason="Nhập nhầm"), by("tu_standing"))


def _sitting(service: Service, round_: int, stage: int, by: Callable[[str], By]) -> Answer:
    """Holds a review whose decisions move three persons, and takes it back."""
    review, persons = f"r{round_}", [f"p{round_}-{i}" for i in range(3)]
    if stage < 3:
        return _start(service, persons[stage], by("cb1_clerk"))
    if stage == 3:
        month = f"{2030 + round_ // 12}-{round_ % 12 + 1:02}"
        start = Start(workflow="monthly_review", org="xa1", id=review, facts={"month": month})
        return service.start(start, by("xa1_clerk"))
    if stage in (4, 6):
        lines = tuple(Line(subject=p, do="add") for p in persons)
        return service.move(Move(subject=review, trigger="hold", lines=lines), by("xa1_secretary"))
    if stage == 5:
        return service.undo(Undo(subject=review, reason="Nhập nhầm"), by("xa1_secretary"))
    return service.move(Move(subject=review, trigger="close"), by("xa1_secretary"))


# ---- the child ----


class Wire(RecordChannel):
    """Says in the pipe which message went out, before it answers."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(name="email", kind="email")
        self._say = say

    def send(self, message: Message) -> Outcome:
        """Sends."""
        self._say(f"sent {message.id}")
        time.sleep(WIRE_S)
        return super().send(message)


def child(url: str, clock: Clock, begin: int, pipe: int) -> None:
    """Gives commands from `begin` on until it is killed."""

    def say(line: str) -> None:
        os.write(pipe, f"{line}\n".encode())  # one write: a line is there whole, or not at all

    service = wire(open_store(url), clock)
    service.kit.signer = lambda: SIGNER
    worker = Worker(service, {"email": Wire(say)})
    n = begin
    while True:
        say(f"give {n}")
        answer = give(service, n)
        say(f"done {n} {answer.event} {int(answer.allowed)}")
        if n % 3 == 0:
            service.tick()
            worker.deliver()
        if n % 12 == 1:
            service.trail.sign()
        n += 1


# ---- who kills, and looks ----


@dataclass
class Found:
    """What was seen over all kills."""

    kills: int = 0
    acknowledged: int = 0
    sent: int = 0
    unknown: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class Said:
    """What the children of one database said."""

    next: int = 0
    done: dict[int, str] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)


def kill_one(url: str, clock: Clock, said: Said, after_s: float) -> str | None:
    """Runs a child, kills it, and notes what it said. Returns what is wrong with what it said, or None."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(read)
            child(url, clock, said.next, write)
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent is told, and fails the test
            os.write(write, f"fell {type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(1)
    os.close(write)
    time.sleep(after_s)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with os.fdopen(read, encoding="utf-8") as pipe:
        lines = pipe.read().splitlines()
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "give":
            said.next = int(rest)
        elif word == "done":
            n, event, allowed = rest.split()
            if allowed != "1":
                return f"command {n} was refused, or told to be"
            if said.done.setdefault(int(n), event) != event:
                return f"command {n} was answered with {event} and {said.done[int(n)]}"
            said.next = int(n) + 1
        elif word == "sent":
            said.sent.append(rest)
        else:
            return line
    return None


def look(store: Store, service: Service, said: Said) -> list[str]:
    """Returns what is wrong with what is in the database."""
    store.check()
    problems = [p.text() for p in verify(service).problems]
    with store.transaction(write=False) as unit:
        found = list(entries(unit.events(), None, service.kit.sealer))
        outbox = unit.outbox()
    ids = {e.id for e in found}
    problems += [f"command {n}, acknowledged as {event}, is lost" for n, event in said.done.items() if event not in ids]
    commands = [e.command for e in found if e.command]
    problems += [f"command {c} was done twice" for c in set(commands) if commands.count(c) > 1]
    last = said.next
    problems += [f"command {n} is there, nobody gave it" for n in (int(c[1:]) for c in commands) if n > last]
    held = [e for e in found if e.trigger == "hold" and e.kind == "moved"]
    for e in held:
        lines = sum(1 for m in found if m.detail.get("batch") == e.id and m.trigger == "recognise")
        if lines != 3 and not any(m.detail.get("batch") == e.id for m in found if m.trigger == "recognise"):
            problems.append(f"the sitting {e.id} has {lines} of its 3 lines")
    opened = {e.detail.get("opened_by") for e in found if e.kind == "started"}
    problems += [
        f"{e.id} opened nothing" for e in found if e.trigger == "admit" and e.kind == "moved" and e.id not in opened
    ]
    with store.transaction(write=False) as unit:
        told = {t.occurrence for t in unit.timers({e.subject for e in found if e.subject})}
    problems += [
        f"nobody is told of {e.id}" for e in found if (e.kind, e.trigger) == ("moved", "refuse") and e.id not in told
    ]
    problems += [f"message {m} went out twice" for m in set(said.sent) if said.sent.count(m) > 1]
    accepted = {row.message for row in outbox if row.state == "accepted"}
    problems += [f"message {m} is accepted and was never sent" for m in accepted if m not in said.sent]
    problems += _timers(store, service)
    return problems


def _timers(store: Store, service: Service) -> list[str]:
    """Working the timers out again changes nothing: they were written with their step."""
    with service.work(write=True) as work:
        subjects = [row.id for row in work.tx.find_subjects()]
        before = list(work.tx.timers(subjects))
        work.replan(subjects)
        work.flush()
        after = list(work.tx.timers(subjects))
    return [] if before == after else ["the timers are not those of the steps"]


def finish(service: Service, said: Said, found: Found) -> list[str]:
    """Lets all that is left be done; returns what is wrong at the end."""
    late = service.kit.clock.now() + timedelta(minutes=20)
    service.kit.clock = ShiftedClock(late)
    service.tick()
    Worker(service, {"email": Wire(lambda line: said.sent.append(line.partition(" ")[2]))}).deliver()
    rows = [row for row, _ in service.outbox.rows()]
    found.sent += len(said.sent)
    found.unknown += sum(row.state == "unknown" for row in rows)
    left = {row.state for row in rows} - {"accepted", "unknown", "cancelled"}
    twice = [f"message {m} went out twice" for m in set(said.sent) if said.sent.count(m) > 1]
    return twice + ([f"notices are left {sorted(left)}"] if left else [])


def run(folder: Path, kills: int, seed: int) -> Found:
    """Kills so many times, and looks each time."""
    dice = random.Random(seed)
    clock = ShiftedClock(office_time(date(2025, 3, 3)))
    found = Found()
    while found.kills < kills and not found.problems:
        url = f"sqlite:///{folder}/kill{found.kills}.db"
        store = open_store(url)
        found_office(store, clock, ("candidate", "monthly_review"))
        store.close()
        said = Said()
        for _ in range(min(FRESH_EVERY, kills - found.kills)):
            wrong = kill_one(url, clock, said, dice.uniform(0.0, 0.25) ** 1.5 * 2)
            found.kills += 1
            store = open_store(url)
            service = wire(store, clock)
            found.problems += ([wrong] if wrong else []) + look(store, service, said)
            store.close()
            if found.problems:
                break
        store = open_store(url)
        found.problems += finish(wire(store, clock), said, found)
        store.close()
        found.acknowledged += len(said.done)
    return found


if __name__ == "__main__":
    report = run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps(vars(report), ensure_ascii=False) + "\n")
