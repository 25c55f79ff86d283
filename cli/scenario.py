"""Running scenarios: an office on a set clock, through the same service as the real thing, on channels that record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cli.bootstrap import build_service, store_at
from cli.scenario_file import OfficePart, OrgPart, ScenarioFile, Step, read_scenario
from engine.clock import SetClock
from engine.core.commands import Line, Move, SetFacts, Start, Undo
from engine.core.errors import BadInput, Denied, FileRefused, KetnapError
from engine.core.reader import Node
from engine.ledger import Via
from engine.library import Compiled, find_sources, shipped_sources
from engine.officework import OfficerChange, OrgChange
from engine.outbox import Claimed
from engine.service import Service
from engine.steps import Answer, By
from engine.store.ports import Store
from notifications.channels.port import Message, Outcome
from notifications.channels.record import RecordChannel
from notifications.worker import Worker

TURNS = 100_000  # moves of the clock in one step, past which something goes round in circles


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A notice that went out, within the message that carried it."""

    message: str
    rule: str
    subject: str
    to: str
    channel: str
    at: datetime
    text: str


@dataclass(kw_only=True)
class Outcomes:
    """What came of a step: an answer, a denial or bad input."""

    subject: str | None = None
    answer: Answer | None = None
    denied: Denied | None = None
    error: BadInput | None = None


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An expectation that does not hold."""

    step: int
    line: int
    expected: Any
    got: Any


@dataclass(kw_only=True)
class Result:
    """What came of a scenario."""

    scenario: str
    file: str
    steps: int = 0
    failures: list[Failure] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Tells whether everything expected held."""
        return not self.failures


class Runner:
    """Plays one scenario. Everything but the database, the clock and the channels can be lost (`restart`)."""

    def __init__(self, file: ScenarioFile, tree: Node, path: Path, store: Store) -> None:
        self.file, self.tree, self.path, self.store = file, tree, path, store
        names = file.workflows
        self.sources = shipped_sources() if names is None else find_sources(names, path.parent)
        self.channels = {c: RecordChannel(name=c, kind=c) for c in ("email", "sms", "webhook")}
        self.sent: list[Sent] = []
        self.zone = ZoneInfo(file.zone) if file.zone else None
        self.clock = SetClock(datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC")))
        self.service: Service
        self.worker: Worker

    def begin(self) -> None:
        """Makes the database and the office."""
        self.store.create()
        self.restart()
        zone = self.zone or ZoneInfo(next(iter(self._definitions())).area.file.calendar.zone)
        self.zone = zone
        self.clock.set(self.file.clock.replace(tzinfo=zone))
        self.service.load(self.sources, sandbox=True)
        self.office(self.file.office)

    def _definitions(self) -> list[Any]:
        from engine.library import compile_all

        return list(compile_all(self.sources, self.service.kit.compiled).values())

    def restart(self) -> None:
        """Stops the process and starts it again: only the database stays."""
        via = Via(channel="scenario")
        self.service = build_service(self.store, self.clock, via, master=b"\x07" * 32, zone=self.zone)
        self.service.kit.compiled = _compiled()
        self.worker = Worker(self.service, self.channels)

    # -- time

    def time(self, at: datetime) -> datetime:
        """Returns an office time of the file with its zone."""
        return at.replace(tzinfo=self.zone)

    def advance(self, at: datetime) -> None:
        """Moves the clock, doing on the way what falls due, in order. Raises BadInput when it would go back."""
        target = self.time(at)
        if target < self.clock.now():
            raise BadInput(
                "at: the clock stands at {now}, it does not go back", now=str(self.clock.now().astimezone(self.zone))
            )
        for _ in range(TURNS):
            due = self.service.next_due()
            if due is None or due > target:
                break
            self.clock.set(max(due, self.clock.now()))
            self.settle()
        self.clock.set(target)
        self.settle()

    def settle(self) -> None:
        """Does what is due at this moment."""
        self.service.tick()
        self.worker.deliver(self._note)

    def _note(self, claimed: Claimed, message: Message, outcome: Outcome) -> None:
        if outcome.state not in ("accepted", "delivered"):
            return
        for row, text in zip(claimed.rows, claimed.texts, strict=True):
            self.sent.append(
                Sent(
                    message=claimed.message,
                    rule=row.rule,
                    subject=row.subject,
                    to=row.recipient,
                    channel=row.channel,
                    at=self.clock.now(),
                    text=text["short"]
                    if row.channel == "sms"
                    else f"{message.subject}\n{text['subject_line']}\n{text['body']}",
                )
            )

    # -- the office

    def office(self, part: OfficePart) -> None:
        """Adds to the office, parents first."""
        hand = self.service.set_up()
        waiting = list(part.orgs)
        while waiting:
            ids = {o.id for o in waiting}
            ripe = [o for o in waiting if o.parent not in ids] or waiting
            hand.orgs([_org(o) for o in ripe])
            waiting = [o for o in waiting if o not in ripe]
        hand.officers(
            OfficerChange(
                id=o.id,
                name=o.name or o.id,
                org=o.org,
                roles=o.roles,
                email=o.email,
                phone=o.phone,
                from_=o.from_,
                until=o.until,
                disabled=o.disabled,
            )
            for o in part.officers
        )
        for s in part.substitutes:
            hand.substitute(s.officer, s.stands_in, s.from_, s.until)
        hand.days((h.day, h.off) for h in part.holidays)

    # -- steps

    def subject_of(self, named: str | dict[str, Any] | None) -> str:
        """Returns the id of the subject that a step names. Raises BadInput when the map form finds none or several."""
        if isinstance(named, str):
            return named
        wanted = dict(named or {})
        workflow, org = wanted.pop("workflow", None), wanted.pop("org", None)
        if not isinstance(workflow, str):
            raise BadInput("subject: a subject is named by its id, or by workflow, org and facts")
        found = self.service.find(workflow, org, wanted)
        if len(found) != 1:
            raise BadInput("subject: {n} subjects of {workflow} are so", n=len(found), workflow=workflow)
        return found[0]

    def do(self, step: Step) -> Outcomes:
        """Does what a step says. What is wrong with its input is an outcome, too."""
        came = Outcomes()
        by = By(officer=step.as_)
        try:
            if step.start is not None:
                s = step.start
                command = Start(workflow=s.workflow, id=s.id, org=s.org, facts=s.facts, on=step.on, reason=step.reason)
                came.subject = s.id
                came.answer = self.service.start(command, by)
                came.subject = came.answer.subject
            elif step.subject is not None:
                came.subject = self.subject_of(step.subject)
                came.answer = self._act(step, came.subject, by)
        except Denied as error:
            came.denied = error
        except BadInput as error:
            came.error = error
        return came

    def _act(self, step: Step, subject: str, by: By) -> Answer | None:
        if step.undo:
            return self.service.undo(Undo(subject=subject, reason=step.reason), by)
        if step.set_ is not None:
            return self.service.set_facts(
                SetFacts(subject=subject, facts=step.set_, on=step.on, reason=step.reason), by
            )
        if step.do is None:
            return None
        lines = tuple(
            Line(
                subject=self.subject_of(d.subject),
                do=d.do or step.do,
                facts=d.facts,
                reason=d.reason,
                set_aside=d.set_aside,
            )
            for d in step.decisions or ()
        )
        return self.service.move(
            Move(subject=subject, trigger=step.do, facts=step.facts, on=step.on, reason=step.reason, lines=lines), by
        )

    def play(self) -> Result:
        """Plays the scenario. Raises FileRefused when the file asks for what cannot be."""
        from cli.expectations import failures

        result = Result(scenario=self.file.scenario, file=str(self.path))
        self.begin()
        for i, step in enumerate(self.file.steps):
            line = self.tree["steps"].item_places[i].line
            try:
                came = self._play_step(step)
            except KetnapError as error:
                if isinstance(error, FileRefused):
                    raise
                raise FileRefused("{error}", file=str(self.path), line=line, error=error.text()) from error
            result.steps += 1
            for expected, got in failures(self, step, came):
                result.failures.append(Failure(step=i + 1, line=line, expected=expected, got=got))
        return result

    def _play_step(self, step: Step) -> Outcomes:
        if step.restart:
            self.restart()
        if step.at is not None:
            self.advance(step.at)
        if step.office is not None:
            self.office(step.office)
        if step.fail is not None:
            fault: Any = {"temporary": "temporary", "permanent": "permanent", "timeout": "lost_before"}[step.fail.kind]
            channel = self.channels.get(step.fail.channel)
            if channel is None:
                raise BadInput("fail: there is no channel {channel}", channel=step.fail.channel)
            channel.script(*[fault] * step.fail.times)
        came = self.do(step)
        self.settle()
        return came


@cache
def _compiled() -> Compiled:
    """Definitions are told apart by their hash and never change: scenarios of one process share them."""
    return Compiled()


def _written(message: Message, text: Mapping[str, str]) -> str:
    return f"{message.subject}\n{text['subject_line']}\n{text['body']}"


def _org(part: OrgPart) -> OrgChange:
    marks = {
        mark: {"from": _day(value, "from"), "until": _day(value, "until")}
        for mark, value in (part.model_extra or {}).items()
    }
    return OrgChange(
        id=part.id,
        kind=part.kind,
        name=part.name or (part.id if part.kind else None),
        parent=part.parent,
        from_=part.from_,
        until=part.until,
        merge_into=part.merge_into,
        marks=marks or None,
    )


def _day(value: object, key: str) -> str | None:
    given = value.get(key) if isinstance(value, dict) else None
    if given is None:
        return None
    try:
        return date.fromisoformat(str(given)).isoformat()
    except ValueError:
        raise BadInput("{key}: {value} is not a date (YYYY-MM-DD)", key=key, value=str(given)) from None


def run_file(path: Path, db_url: str | None = None) -> Result:
    """Runs one scenario, on a fresh database in memory or on an empty one that is kept. Raises BadInput."""
    file, tree = read_scenario(path)
    store: Store = store_at(db_url or "memory:")
    if db_url is not None:
        store.create()
        with store.transaction(write=False) as tx:
            if tx.definitions():
                raise BadInput("{db} is not empty: a scenario runs on an empty database", db=db_url)
    try:
        return Runner(file, tree, path, store).play()
    finally:
        store.close()


def as_json(result: Result) -> dict[str, Any]:
    """Returns the result as its JSON line."""
    return {
        "scenario": result.scenario,
        "passed": result.passed,
        "steps": result.steps,
        "file": result.file,
        "failures": [{"step": f.step, "line": f.line, "expected": f.expected, "got": f.got} for f in result.failures],
    }


def exit_code(results: Sequence[Result]) -> int:
    """Returns 0 when all passed, else 1."""
    return 0 if all(r.passed for r in results) else 1
