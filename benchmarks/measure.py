"""Measuring: two ways of doing one thing in alternating rounds, their medians, the ratio and its spread."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

Timed = Callable[[], float]  # does its work, returns the seconds of the part that counts


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much each benchmark does. The defaults are those of the published figures."""

    rounds: int = 7
    steps: int = 300  # single steps a round
    batch: int = 10_000  # steps in one transaction
    batch_rounds: int = 5
    decisions: int = 3_000  # a round
    due: int = 1_000  # timers due in one tick
    few: int = 10_000  # timers that stand beside them
    many: int = 1_000_000
    trail: int = 1_000_000  # events whose hashes, tree and checkpoints are verified
    verified: int = 5_000  # subjects whose events are verified, four events each
    notices: int = 500  # sent in a round, each a message of its own
    reported: int = 20_000  # people over ten years, of whom reports are made
    faulty: int = 2_000  # sent under faults, once
    few_people: int = 1_000  # on whose pages those of `people` are measured
    people: int = 100_000
    units: int = 300
    officers: int = 20  # at once
    visits: int = 2  # of every page by every officer in a round
    web_rounds: int = 3


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measurement beside its floor. Times are seconds for one `unit`; `ratio` is the median of the rounds' ratios.

    `low` and `high` are the least and the greatest ratio of a round, `aim` the ratio that is not to be exceeded. Where
    it is known, `bare` is what the statements of `ours` take without anything around them, `processor` the time of the
    processor of `ours`, and `processor_ratio` that over the floor's.
    """

    name: str
    unit: str
    ours: float
    floor: float
    ratio: float
    low: float
    high: float
    rounds: int
    aim: float | None = None
    bare: float | None = None
    processor: float | None = None
    processor_ratio: float | None = None

    @property
    def met(self) -> bool | None:
        """Tells whether the aim is met; None where there is none."""
        return None if self.aim is None else self.ratio <= self.aim


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one benchmark found. `floor` says in words what stands beside it."""

    name: str
    title: str
    floor: str
    figures: Sequence[Figure]
    counts: Mapping[str, int] = field(default_factory=dict)  # what is counted, not timed: name -> how many


def timed(work: Callable[[], object]) -> float:
    """Returns the seconds that the work takes, with the garbage of what went before swept away."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternate(
    name: str,
    unit: str,
    *,
    ours: Timed,
    floor: Timed,
    count: int,
    rounds: int,
    aim: float | None = None,
    floor_count: int | None = None,
) -> Figure:
    """Measures both in turn, the one that begins changing each round, so that a slow minute slows both.

    `count` is how many units a round of `ours` does, `floor_count` how many the floor does, if not as many.
    """
    own: list[float] = []
    base: list[float] = []
    for turn in range(rounds):
        for work, times, units in _in_turn((ours, own, count), (floor, base, floor_count or count), turn):
            times.append(work() / units)
    ratios = [a / b for a, b in zip(own, base, strict=True)]
    return Figure(
        name=name,
        unit=unit,
        ours=median(own),
        floor=median(base),
        ratio=median(ratios),
        low=min(ratios),
        high=max(ratios),
        rounds=rounds,
        aim=aim,
    )


_Side = tuple[Timed, list[float], int]


def _in_turn(one: _Side, other: _Side, turn: int) -> Sequence[_Side]:
    return (one, other) if turn % 2 else (other, one)
