"""The nodes of the trail's tree that are stored: every eighth level, a row for 256 of the level below.

So a trail of a million events has 3,922 of them. The leaves stand with the events; the levels between are hashed again
when a proof asks for them, from at most 128 hashes each (the thought of c2sp.org/tlog-tiles).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.audit.tree import TILE_LEVELS, ReadRun, subtree
from engine.store.rows import NodeRow

WIDTH = 1 << TILE_LEVELS


def made_between(before: int, after: int, read: ReadRun) -> Iterator[Sequence[NodeRow]]:
    """Yields, level by level from below, the nodes that are complete at `after` events and were not at `before`.

    Each list must be readable by `read` before the next one is asked for.
    """
    level = TILE_LEVELS
    while after >> level > before >> level:
        yield [
            NodeRow(level=level, place=place, hash=subtree(read(level - TILE_LEVELS, place * WIDTH, WIDTH)))
            for place in range(before >> level, after >> level)
        ]
        level += TILE_LEVELS
