"""`step` and `batch`: the audited step on SQLite, beside the floor written by hand."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.floor import Floor, template_of
from benchmarks.measure import Result, Sizes, alternate, timed
from benchmarks.town import BY, candidate, copy_of, fresh, made, open_town, review

FLOOR = "the same rows with the same bytes, hashes and encryption, written by hand on sqlite3 (WAL, synchronous=FULL)"
WARM = 20  # steps before the first round, so that statements are prepared and files have grown on both sides


def step(folder: Path, sizes: Sizes) -> Result:
    """One durable audited step with six guards, each on a subject not read before."""
    file = made(folder, "step", WARM + sizes.rounds * sizes.steps + 1)
    template = template_of(file, folder, WARM + sizes.rounds * sizes.steps)
    town = copy_of(file, folder / "ours.db")
    floor = Floor(file, template, os.urandom)
    ours_at, floor_at = iter(range(10**9)), iter(range(10**9))

    def ours(count: int) -> None:
        for _ in range(count):
            if not town.service.move(review(next(ours_at)), BY).allowed:
                raise RuntimeError("the benchmark's own step was refused")

    def base(count: int) -> None:
        for _ in range(count):
            floor.step(candidate(next(floor_at)))

    try:
        ours(WARM)
        base(WARM)
        figure = alternate(
            "step",
            "step",
            ours=lambda: timed(lambda: ours(sizes.steps)),
            floor=lambda: timed(lambda: base(sizes.steps)),
            count=sizes.steps,
            rounds=sizes.rounds,
            aim=2.0,
        )
    finally:
        floor.close()
        town.close()
    return Result(name="step", title="One durable audited step with six guards", floor=FLOOR, figures=[figure])


def batch(folder: Path, sizes: Sizes) -> Result:
    """Many steps in one transaction. Every round begins with a fresh copy of the same file, freshly opened."""
    file = made(folder, "batch", sizes.batch + 1)
    template = template_of(file, folder, sizes.batch)
    commands = [review(n) for n in range(sizes.batch)]
    subjects = [candidate(n) for n in range(sizes.batch)]

    def ours() -> float:
        with fresh(file, folder) as copy:
            town = open_town(copy)
            try:
                town.service.move(review(sizes.batch), BY)  # definitions and office are read once a process
                return timed(lambda: town.service.move_many(commands, BY))
            finally:
                town.close()

    def base() -> float:
        with fresh(file, folder) as copy:
            floor = Floor(copy, template, os.urandom)
            try:
                floor.step(candidate(sizes.batch))
                return timed(lambda: floor.batch(subjects))
            finally:
                floor.close()

    figure = alternate("batch", "step", ours=ours, floor=base, count=sizes.batch, rounds=sizes.batch_rounds, aim=3.0)
    title = f"{sizes.batch:,} steps in one transaction"
    return Result(name="batch", title=title, floor=FLOOR, figures=[figure])
