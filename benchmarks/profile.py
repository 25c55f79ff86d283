"""Where the time goes: `python -m benchmarks.profile step|batch|decide|verify` prints the costliest functions.

The profiler slows every call by the same amount, so small functions look dearer than they are: compare, do not quote.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from benchmarks.town import BY, CLERK, REVIEW, Town, candidate, made, open_town, review
from engine.core.decision import decide
from engine.verifying import verify

COUNT = 1_000
LINES = 45


def _step(town: Town) -> None:
    for n in range(COUNT):
        town.service.move(review(n), BY)


def _batch(town: Town) -> None:
    town.service.move_many([review(n) for n in range(COUNT)], BY)


def _decide(town: Town) -> None:
    with town.service.work() as work:
        case, moment, office = work.case(candidate(0)), work.moment(), work.office
    once = partial(decide, case.definition, case.subject, "branch_review", moment=moment, raw=REVIEW)
    for _ in range(COUNT):
        once(officer=CLERK, office=office)


def _verify(town: Town) -> None:
    verify(town.service)


PROFILED: Mapping[str, Callable[[Town], None]] = {"step": _step, "batch": _batch, "decide": _decide, "verify": _verify}


def profile(name: str, order: str = "tottime") -> None:
    """Prints the profile of one benchmark's own side, by `tottime` or `cumtime`."""
    with tempfile.TemporaryDirectory(dir=Path()) as folder:
        town = open_town(made(Path(folder), name, COUNT + 1))
        try:
            town.service.move(review(COUNT), BY)  # what is read once a process is read now
            profiler = cProfile.Profile()
            profiler.runcall(PROFILED[name], town)
        finally:
            town.close()
    pstats.Stats(profiler).sort_stats(order).print_stats(LINES)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in PROFILED:
        sys.exit(f"usage: python -m benchmarks.profile {'|'.join(PROFILED)} [tottime|cumtime]")
    profile(*sys.argv[1:3])
