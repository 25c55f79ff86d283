"""`verify`: reading the whole trail, beside hashing the stored bytes alone."""

from __future__ import annotations

import time
from hashlib import sha256
from pathlib import Path

from benchmarks.floor import connect
from benchmarks.measure import Result, Sizes, alternate, timed
from benchmarks.town import made, open_town
from engine.verifying import verify

FLOOR = "reading body, leaf and link from SQLite and hashing the stored bytes: two SHA-256 an event, nothing else"
EVERY = 1_000  # events between two reports of progress


def run(folder: Path, sizes: Sizes) -> Result:
    """Verifying hashes, links and columns; and with the replay of every subject beside what is shown of it."""
    file = made(folder, "verify", sizes.verified)
    events = hashed(file)
    if events < EVERY:
        raise ValueError(f"the trail has {events} events, too few for a report of progress")
    town = open_town(file)

    def whole() -> None:
        report = verify(town.service)
        if not report.ok or report.events != events:
            raise RuntimeError(f"the benchmark's own trail does not verify: {report.problems}")

    def trail() -> float:
        """The part before the replay ends with the last report of progress."""
        seen: list[tuple[int, float]] = []
        start = time.perf_counter()
        verify(town.service, lambda _, n: seen.append((n, time.perf_counter() - start)))
        count, seconds = seen[-1]
        return seconds * events / count

    try:
        figures = [
            alternate(
                name,
                "event",
                ours=ours,
                floor=lambda: timed(lambda: hashed(file)),
                count=events,
                rounds=sizes.batch_rounds,
            )
            for name, ours in (("hashes, links and columns", trail), ("all, with replay", lambda: timed(whole)))
        ]
    finally:
        town.close()
    return Result(name="verify", title=f"Verifying {events:,} events", floor=FLOOR, figures=figures)


def hashed(file: Path) -> int:
    """Recomputes every hash and link by hand; returns how many events there are."""
    db = connect(file)
    before, count = bytes(32), 0
    try:
        for body, leaf, link in db.execute("SELECT body, leaf, link FROM events ORDER BY seq"):
            if sha256(b"\x00" + body).digest() != leaf or sha256(before + leaf).digest() != link:
                raise RuntimeError("the benchmark's own trail does not verify")
            before = link
            count += 1
    finally:
        db.close()
    return count
