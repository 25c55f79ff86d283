"""The index of rules over the trail: which rules were judged in which block of 256 events.

A row for each event and rule would be most of what a step writes; the events of a block are looked through instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.store.rows import BLOCK

BREACHED = b'"breaches":['  # stands in the bytes of every event that went through against a time limit


def rule_marker(rule: str) -> bytes:
    """Returns the bytes that stand in the body of every event in which a rule was judged."""
    return f'["{rule}","'.encode()


def stretches_of(blocks: Iterable[int], first: int | None, before: int | None) -> Iterator[tuple[int, int]]:
    """Yields the blocks as (first event, the one after the last), neighbours as one, the last one first; cut to what
    is looked through."""
    low = high = 0
    for block in blocks:
        if (block + 1) * BLOCK != low and low < high:
            yield from _cut(low, high, first, before)
            high = 0
        high = high or (block + 1) * BLOCK
        low = block * BLOCK
    if high:
        yield from _cut(low, high, first, before)


def _cut(low: int, high: int, first: int | None, before: int | None) -> Iterator[tuple[int, int]]:
    low, high = max(low, first or 0), high if before is None else min(high, before)
    if low < high:
        yield low, high
