"""The first reading of the trail: bytes, hashes, links and the tree, and nothing that needs a key or a definition.

Memory is bounded by a hash for 256 events. What is found is named as what it looks like; the first fault ends it, as
everything after it hangs on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from engine.audit.tree import EMPTY_ROOT, TILE_LEVELS, Frontier, Nodes, subtree, tiled
from engine.comparing import Problem
from engine.ledger import link
from engine.store.ports import Transaction

EMPTY_LINK = bytes(32)
WIDTH = 1 << TILE_LEVELS
EVERY = 1024  # events between two reports of progress

Progress = Callable[[str, int], None]  # the part, and how many events or subjects of it are done


@dataclass(frozen=True, kw_only=True)
class Hashed:
    """What the bytes give: how many events, the tree over them, and the first fault or None."""

    size: int
    nodes: Nodes
    root: bytes
    problem: Problem | None


# What stands in the bytes of an event that speaks of the trail itself; whoever gets it reads what it really is.
_OF_KEY, _OF_CHECKPOINT = b'"kind":"signing_key"', b'"kind":"checkpoint"'


def hash_trail(
    tx: Transaction, progress: Progress | None = None, said: Callable[[int, bytes], None] = lambda *_: None
) -> Hashed:
    """Recomputes every hash, link and node of the tree. `said` gets the events that may speak of the trail itself."""
    earlier, before, size = EMPTY_LINK, EMPTY_LINK, 0
    tile: list[bytes] = []
    tiles: list[bytes] = []
    problem: Problem | None = None
    add = tile.append
    for seq, body, leaf, linked in tx.trail():
        if seq != size or type(body) is not bytes or sha256(b"\x00" + body).digest() != leaf:
            problem = _broken(size, seq)
            break
        if sha256(before + leaf).digest() != linked:
            problem = _unlinked(tx, size, earlier, before, leaf, linked)
            break
        if _OF_CHECKPOINT in body or _OF_KEY in body:
            said(seq, body)
        earlier, before = before, linked
        size += 1
        add(leaf)
        if not size & (WIDTH - 1):
            tiles.append(subtree(tile))
            tile.clear()
            if progress is not None and not size % EVERY:
                progress("hashes", size)
    if problem is None:
        problem = _stored(tx, tiles)
    return Hashed(size=size, nodes=_nodes(tx, tiles), root=_root(tiles, tile), problem=problem)


def _broken(expected: int, seq: int) -> Problem:
    if seq != expected:
        return Problem(
            event=expected,
            kind="missing",
            message="event {event} is missing; {next} follows",
            params={"event": expected, "next": seq},
        )
    return Problem(
        event=seq,
        kind="edited",
        message="event {event}: its bytes are not those that were hashed",
        params={"event": seq},
    )


def _unlinked(tx: Transaction, seq: int, earlier: bytes, before: bytes, leaf: bytes, linked: bytes) -> Problem:
    """Names what a broken link looks like, by how the events around it hang together."""
    if seq and link(earlier, leaf) == linked:  # it hangs on the one before the one before
        params = {"event": seq - 1}
        return Problem(event=seq - 1, kind="inserted", message="event {event} was put in afterwards", params=params)
    after = list(islice(tx.trail(after=seq), 2))
    kind, message = "relinked", "event {event}: it does not link to the one before it"
    if after and link(before, after[0][2]) == after[0][3]:
        kind, message = "inserted", "event {event} was put in afterwards"
        if link(after[0][3], leaf) == linked:
            kind, message = "reordered", "event {event} stood after the one that now follows it"
    elif after and link(linked, after[0][2]) == after[0][3]:
        message = (
            "event {event} was exchanged, or one before it was taken out: what follows hangs on it, but it does not "
            "hang on the one before"
        )
    return Problem(event=seq, kind=kind, message=message, params={"event": seq})


def _stored(tx: Transaction, tiles: Sequence[bytes]) -> Problem | None:
    """Compares the nodes that are stored with those that the events make."""
    level, made = TILE_LEVELS, list(tiles)
    while made:
        stored: list[bytes] = []
        while page := tx.hashes(level, len(stored), 4096):
            stored += page
        for place, node in enumerate(stored):
            if place >= len(made):
                return _cut(place << level)
            if node != made[place]:
                return Problem(
                    event=place << level,
                    kind="tree",
                    message="the tree over the events from {event} to {last} is not the one that was stored",
                    params={"event": place << level, "last": ((place + 1) << level) - 1},
                )
        made = [subtree(made[n : n + WIDTH]) for n in range(0, len(made) - WIDTH + 1, WIDTH)]
        level += TILE_LEVELS
    return _cut(0) if not tiles and tx.hashes(TILE_LEVELS, 0, 1) else None


def _cut(event: int) -> Problem:
    message = "the stored tree goes on after the last event: the end of the trail was cut off"
    return Problem(event=event, kind="truncated", message=message, params={"event": event})


def _nodes(tx: Transaction, tiles: Sequence[bytes]) -> Nodes:
    """Returns the tree's nodes as the events make them; nothing of the stored nodes is believed."""

    def run(level: int, first: int, count: int) -> Sequence[bytes]:
        if level == 0:
            return tx.hashes(0, first, count)
        if level == TILE_LEVELS:
            return tiles[first : first + count]
        return [subtree(run(level - TILE_LEVELS, n * WIDTH, WIDTH)) for n in range(first, first + count)]

    return tiled(run)


def _root(tiles: Sequence[bytes], rest: Sequence[bytes]) -> bytes:
    """Returns the root over whole tiles and what is left after them."""
    folded: bytes | None = None
    for left in reversed((*Frontier().extend(tiles).hashes, *Frontier().extend(rest).hashes)):
        folded = left if folded is None else sha256(b"\x01" + left + folded).digest()
    return EMPTY_ROOT if folded is None else folded
