"""Notices under faults: real worker processes, a gateway that crashes, loses answers and puts off, and kill -9.

Used by `ketnap bench notices` and by the tests. Two workers share one SQLite file; one of them is killed every few
seconds and started again. What became of every notice is compared with what the gateway wrote down.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as hour
from pathlib import Path
from zoneinfo import ZoneInfo

from cli.bootstrap import build_service
from engine.clock import Clock
from engine.core.errors import Conflict
from engine.ledger import Via
from engine.library import find_sources
from engine.officework import OfficerChange, OrgChange
from engine.service import Service
from engine.store.open import open_store
from engine.store.rows import OutboxRow

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MASTER = b"\x07" * 32
BEFORE = datetime(2023, 12, 29, 9, 0, tzinfo=ZONE)
START = datetime(2024, 1, 2, 7, 30, tzinfo=ZONE)  # the first working day, on which every plan opens and is told
CLOSES = hour(17, 0)
SPEED = 60.0  # a minute of the office's in a second
FAST = 300.0  # for where every notice is to end: an hour's pause in twelve seconds
WORKERS = 2
KILL_EVERY_S = 3.0
SCRIPT = Path(__file__).with_name("faulty_worker.py")


class OfficeClock:
    """Runs faster than the machine's clock, in office hours only: nights and weekends take no time.

    The same in all processes that are told the same `began` (of the machine's monotonic clock).
    """

    def __init__(self, began: float, speed: float) -> None:
        self._began, self._speed = began, speed

    def now(self) -> datetime:
        """Returns the time."""
        gone = (time.monotonic() - self._began) * self._speed
        day = (datetime.combine(START, CLOSES, ZONE) - START).total_seconds()
        days, rest = divmod(max(gone, 0.0), day)
        weeks, left = divmod(int(days) + START.weekday(), 5)
        on = START + timedelta(days=7 * weeks + left - START.weekday(), seconds=rest)
        return on.astimezone(UTC)


class _Standing:
    """A clock that stands."""

    def now(self) -> datetime:
        """Returns the time."""
        return BEFORE.astimezone(UTC)


def open_office(url: str, clock: Clock) -> Service:
    """Returns the service on the office's file."""
    return build_service(open_store(url), clock, Via(channel="bench"), master=MASTER)


def found(url: str, notices: int) -> Service:
    """Makes an office in which so many officers are told on the first working day that a plan has opened."""
    service = open_office(url, _Standing())
    service.kit.store.create()
    service.load(find_sources(["annual_plan"]), sandbox=True)
    units = max(notices // 50, 1)
    hand = service.set_up()
    orgs = [OrgChange(id="tu", kind="town_committee", name="tu")]
    orgs += [OrgChange(id=f"x{i}", kind="grassroots_committee", name=f"x{i}", parent="tu") for i in range(units)]
    hand.orgs(orgs)
    hand.officers(
        OfficerChange(id=f"c{i}", name=f"c{i}", org=f"x{i % units}", roles=("clerk",), email=f"c{i}@d{i % 97}.example")
        for i in range(notices)
    )
    return service


def at_work(log: Path, pid: int) -> Path:
    """Returns the file that a worker makes when it has begun to send."""
    return log.with_name(f"at-work.{pid}")


class Crowd:
    """Worker processes that are killed and started again."""

    def __init__(self, settings: dict[str, object]) -> None:
        self._settings = settings
        self._seed = 0
        self.killed = 0
        self._processes = [self._start() for _ in range(WORKERS)]

    def _start(self) -> subprocess.Popen[bytes]:
        self._seed += 1
        return subprocess.Popen([sys.executable, str(SCRIPT), json.dumps({**self._settings, "seed": self._seed})])

    def kill_one(self, which: int) -> None:
        """Kills one with SIGKILL and starts another in its place. Raises RuntimeError when it had ended by itself.

        One that has not begun to send is let be: where starting takes longer than the killing, nothing would ever go.
        """
        process = self._processes[which]
        if process.poll() is not None:
            raise RuntimeError(f"a worker ended by itself, with {process.returncode}")
        if not at_work(Path(str(self._settings["log"])), process.pid).exists():
            return
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.killed += 1
        self._processes[which] = self._start()

    def stop(self) -> None:
        """Kills all."""
        for process in self._processes:
            process.kill()
            process.wait()


def deliver(service: Service, crowd: Crowd, patience_s: float) -> None:
    """Lets the workers work, killing one every few seconds, until nothing waits. Raises RuntimeError past patience."""
    until = time.monotonic() + patience_s
    kill_at = time.monotonic() + KILL_EVERY_S
    chosen = random.Random(1)
    counts: dict[str, int] = {}
    while time.monotonic() < until:
        try:
            with service.work() as work:
                counts = work.tx.outbox_counts()
        except Conflict:
            continue
        if not counts.get("queued") and not counts.get("claimed"):
            return
        if time.monotonic() > kill_at:
            crowd.kill_one(chosen.randrange(WORKERS))
            kill_at = time.monotonic() + KILL_EVERY_S
        time.sleep(0.2)  # the workers are processes of their own: there is nothing else to wait on
    raise RuntimeError(f"after {patience_s} s notices still wait: {counts}")


@dataclass(frozen=True, kw_only=True)
class Played:
    """What became of the notices. `taken` is how often the gateway took each message; `seconds` the delivery alone."""

    service: Service
    rows: Sequence[OutboxRow]
    taken: Counter[str]
    killed: int
    seconds: float

    @property
    def doubled(self) -> int:
        """How many messages the gateway took more than once."""
        return sum(n > 1 for n in self.taken.values())

    @property
    def lost(self) -> int:
        """How many notices are said to have gone out and never reached the gateway, or went and stand nowhere."""
        messages = {r.message for r in self.rows}
        said = sum(r.state == "accepted" and r.message not in self.taken for r in self.rows)
        return said + sum(m not in messages for m in self.taken)

    @property
    def unknown(self) -> int:
        """How many are listed for a person to settle."""
        return sum(r.state == "unknown" for r in self.rows)


def play(folder: Path, notices: int, *, idempotent: bool, speed: float, patience_s: float) -> Played:
    """Delivers so many notices under faults: 5 % crash before the wire, 5 % after acceptance and before recording, 7 %
    lose the answer, 5 % are put off, and every three seconds a worker is killed with SIGKILL."""
    url, log = f"sqlite:///{folder / 'office.db'}", folder / "gateway.log"
    service = found(url, notices)
    opening = time.monotonic()
    service.kit.clock = OfficeClock(opening, 0.0)  # stands at 07:30 while the notices are written
    service.tick()
    began = time.monotonic()
    service.kit.clock = OfficeClock(began, speed)
    told = {"db": url, "log": str(log), "began": began, "speed": speed, "idempotent": idempotent}
    crowd = Crowd(told)
    try:
        deliver(service, crowd, patience_s)
        seconds = time.monotonic() - began
    finally:
        crowd.stop()
    rows = [r for r, _ in service.outbox.rows()]
    taken = Counter(line.split()[0] for line in log.read_text(encoding="utf-8").splitlines())
    return Played(service=service, rows=rows, taken=taken, killed=crowd.killed, seconds=seconds)
