"""`verify`: hashes, tree and checkpoints of a long trail, and all parts of verifying a town's, beside hashing alone."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from benchmarks.floor import connect
from benchmarks.measure import Figure, Result, Sizes, alternate, timed
from benchmarks.town import MASTER, made, open_town
from benchmarks.trail import KEY, long_trail
from cli.bootstrap import build_service
from engine.clock import SystemClock
from engine.ledger import Via
from engine.store.open import open_store
from engine.verifying import Report, verify

FLOOR = "reading the stored bytes from SQLite and hashing them: one SHA-256 an event, nothing else"
PARTS = ("hashes", "bodies", "checkpoints", "office", "subjects", "deciding")


def run(folder: Path, sizes: Sizes) -> Result:
    """The long trail, fast; and each part of the full verification, of which `subjects` opens what is sealed and
    replays it, `deciding` takes every step again."""
    figures = [_long(folder / "long.db", sizes)]
    file = made(folder, "verify", sizes.verified)
    events = hashed(file)
    town = open_town(file)

    def part(name: str) -> Callable[[], float]:
        return lambda: _sound(verify(town.service), events).seconds[name]

    def whole() -> float:
        return timed(lambda: _sound(verify(town.service), events))

    try:
        for name, ours in (*((n, part(n)) for n in PARTS), ("all parts", whole)):
            figures.append(_beside(f"full: {name}", ours, file, events, sizes.batch_rounds))
    finally:
        town.close()
    title = f"Verifying {sizes.trail:,} events fast, {events:,} in full"
    return Result(name="verify", title=title, floor=FLOOR, figures=figures)


def _long(file: Path, sizes: Sizes) -> Figure:
    note = long_trail(file, sizes.trail)
    store = open_store(f"sqlite:///{file}")
    service = build_service(store, SystemClock(), Via(channel="cli"), master=MASTER)

    def ours() -> float:
        return timed(
            lambda: _sound(
                verify(service, checkpoints=[note], key=KEY.verifier, full=False), sizes.trail
            )
        )  # fmt: skip

    try:
        return _beside("hashes, tree and checkpoints", ours, file, sizes.trail, min(sizes.batch_rounds, 3), aim=3.0)
    finally:
        store.close()


def _beside(
    name: str, ours: Callable[[], float], file: Path, events: int, rounds: int, aim: float | None = None
) -> Figure:
    floor = lambda: timed(lambda: hashed(file))  # noqa: E731 - one line says it
    return alternate(name, "event", ours=ours, floor=floor, count=events, rounds=rounds, aim=aim)


def _sound(report: Report, events: int) -> Report:
    if not report.ok or report.events < events:
        raise RuntimeError(f"the benchmark's own trail does not verify: {report.problems}")
    return report


def hashed(file: Path) -> int:
    """Hashes the stored bytes of every event; returns how many there are."""
    db = connect(file)
    count = 0
    try:
        for body, leaf in db.execute("SELECT body, leaf FROM events ORDER BY seq"):
            if sha256(b"\x00" + body).digest() != leaf:
                raise RuntimeError("the benchmark's own trail does not verify")
            count += 1
    finally:
        db.close()
    return count
