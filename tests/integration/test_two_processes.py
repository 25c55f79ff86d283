"""Two processes tick, deliver and step at once: nothing happens twice, nothing is lost, who is too late is told so."""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.clock import SetClock
from engine.core.commands import Move, SetFacts, Start
from engine.core.errors import Conflict
from engine.service import Service
from engine.steps import By
from engine.store.open import open_store
from engine.store.ports import Store
from engine.verifying import verify
from notifications.channels.port import Message, Outcome
from notifications.channels.record import RecordChannel
from notifications.worker import Worker
from tests.unit.oracle_values import usual
from tests.world import START, found_office, trail, wire

WRITINGS = 25  # of each process, on one person
PERSONS = 12
MONTHS = 3
LATE = START + timedelta(days=31 * MONTHS)
KNOWN = ("full_name", "motives", "helper", "introduced_by", "branch_proposed_on")


@pytest.fixture(params=("sqlite", "postgres"))
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that several processes can open, with the office in it and persons in source."""
    url = f"sqlite:///{tmp_path}/k.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    store = open_store(url)
    service = found_office(store, SetClock(START), ("candidate", "monthly_review", "annual_plan"))
    facts = {name: usual(name, START.date()) for name in KNOWN}
    for n in range(PERSONS):
        command = Start(workflow="candidate", org="cb1", id=f"b{n}", facts=facts)
        service.start(command, By(officer="cb1_clerk"))
        old = {"certificate_on": START.date() - timedelta(days=1826 - 10 - n), "certificate_no": "1"}
        service.set_facts(
            SetFacts(subject=f"b{n}", facts={**old, "certificate_issuer": "TTCT"}), By(officer="cb1_clerk")
        )
        if n < PERSONS - 2:  # these will have lapsed
            service.move(Move(subject=f"b{n}", trigger="recognise"), By(officer="xa1_secretary"))
            service.move(Move(subject=f"b{n}", trigger="certify"), By(officer="ttct_trainer"))
    store.close()
    return str(url)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """The same database, opened here."""
    store = open_store(url)
    yield store
    store.close()


class Wire(RecordChannel):
    """Keeps the ids of what went out."""

    def __init__(self) -> None:
        super().__init__(name="email", kind="email")
        self.ids: list[str] = []

    def send(self, message: Message) -> Outcome:
        """Sends."""
        self.ids.append(message.id)
        return super().send(message)


def busy(url: str, who: int, ready: Any, told: Any) -> None:
    """One process: ticks, delivers and steps in turns; tells how it fared."""
    store = open_store(url)
    service = wire(store, SetClock(LATE))
    channel = Wire()
    worker = Worker(service, {"email": channel})
    came: Counter[str] = Counter()
    ready.wait()
    done = 0
    while done < WRITINGS:
        done += _write_once(service, who, done, came, ready)
        if done % 5 == 0:
            came["ticked"] += service.tick()
            worker.deliver()
    for n in (PERSONS - 2, PERSONS - 1):  # both want to take the same step
        try:
            answer = service.move(Move(subject=f"b{n}", trigger="recognise", version=2), By(officer="xa1_secretary"))
            came["moved"] += answer.allowed
        except Conflict as error:
            came[f"exit {error.exit_code}"] += 1
    service.tick()
    worker.deliver()
    told.put(json.dumps({"came": came, "sent": channel.ids}))
    store.close()


def _write_once(service: Service, who: int, n: int, came: Counter[str], ready: Any) -> int:
    """Reads a person, as a page does, and writes what it saw plus one. Returns how often it was written, 0 or 1."""
    subject = service.show("b0")[0].subject
    seen = int(str(subject.facts.get("occupation", "0")))
    if n == 0 and not came["exit 4"]:
        ready.wait()  # both have seen the same
    command = SetFacts(subject="b0", facts={"occupation": str(seen + 1)}, version=subject.version)
    try:
        service.set_facts(command, By(officer="cb1_clerk", command=f"w{who}-{n}"))
    except Conflict as error:
        came[f"exit {error.exit_code}"] += 1
        return 0
    return 1


def run(url: str) -> list[dict[str, Any]]:
    """Runs two processes at the same time; returns what each tells."""
    spawn = multiprocessing.get_context("spawn")
    ready, told = spawn.Barrier(2), spawn.Queue()
    processes = [spawn.Process(target=busy, args=(url, who, ready, told)) for who in range(2)]
    for process in processes:
        process.start()
    said = [json.loads(told.get(timeout=120)) for _ in processes]
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    return said


def test_two_processes_do_nothing_twice_and_lose_nothing(url: str, store: Store) -> None:
    """Recurrences, timers and messages come once; every writing counts; of two takers of one step one is too late."""
    said = run(url)
    service = wire(store, SetClock(LATE))
    events = trail(store)

    opened = Counter((e.workflow, e.subject) for e in events if e.kind == "started" and e.channel == "clock")
    assert set(opened.values()) == {1}
    assert sum(1 for workflow, _ in opened if workflow == "monthly_review") == 3 * MONTHS
    with store.transaction(write=False) as unit:
        keys = [(r.workflow, r.unique_key) for r in unit.find_subjects() if r.unique_key is not None]
    assert len(keys) == len(set(keys)) >= 3 * MONTHS

    lapsed = Counter(e.subject for e in events if e.trigger == "lapse")
    assert lapsed == {f"b{n}": 1 for n in range(PERSONS - 2)}

    facts = service.show("b0")[0].subject.facts
    assert facts["occupation"] == str(2 * WRITINGS)
    assert sum(e.kind == "facts_set" and e.command is not None for e in events) == 2 * WRITINGS

    for n in (PERSONS - 2, PERSONS - 1):
        assert [e.trigger for e in events if e.subject == f"b{n}" and e.kind == "moved"] == ["recognise"]
    assert sum(one["came"].get("moved", 0) for one in said) == 2
    assert sum(one["came"].get("exit 4", 0) for one in said) >= 3, "one too late at the first writing, one at each step"

    sent = [id for one in said for id in one["sent"]]
    assert len(sent) == len(set(sent)) > 0
    rows = [row for row, _ in service.outbox.rows()]
    assert {row.state for row in rows} == {"accepted"}
    assert {row.message for row in rows} == set(sent)
    keys_of = [(r.rule, r.subject, r.occurrence, r.recipient, r.channel) for r in rows]
    assert len(keys_of) == len(set(keys_of))
    assert service.tick() == 0
    assert verify(service).ok
