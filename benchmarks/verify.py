"""`verify`: hashes, tree and checkpoints of a long trail, and all parts of verifying a town's, beside hashing alone."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from statistics import median

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
PARTS = ("hashes", "bodies", "checkpoints", "office", "subjects", "deciding", "waiting")


def run(folder: Path, sizes: Sizes) -> Result:
    """The long trail, fast; and each part of the full verification, of which `subjects` opens what is sealed and
    replays it, `deciding` takes every step again."""
    figures = [_long(folder / "long.db", sizes)]
    file = made(folder, "verify", sizes.verified)
    events = hashed(file)
    town = open_town(file)

    try:
        figures += _parts(lambda: _sound(verify(town.service), events), file, events, sizes.batch_rounds)
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


def _parts(once: Callable[[], Report], file: Path, events: int, rounds: int) -> list[Figure]:
    """Measures every part of the full verification in the same rounds, each beside one hashing."""
    taken: dict[str, list[float]] = {}
    floors: list[float] = []
    for _ in range(rounds):
        floors.append(timed(lambda: hashed(file)) / events)
        seconds = once().seconds
        for name in PARTS:
            taken.setdefault(name, []).append(seconds[name] / events)
        taken.setdefault("all parts", []).append(sum(seconds.values()) / events)
    return [_figure(f"full: {name}", own, floors) for name, own in taken.items()]


def _figure(name: str, own: list[float], floors: list[float]) -> Figure:
    ratios = [a / b for a, b in zip(own, floors, strict=True)]
    return Figure(
        name=name,
        unit="event",
        ours=median(own),
        floor=median(floors),
        ratio=median(ratios),
        low=min(ratios),
        high=max(ratios),
        rounds=len(own),
    )


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
