"""The Merkle tree of RFC 6962, section 2.1: roots, proofs and their checking.

A node is (level, index): the hash of the leaves from index * 2**level on, 2**level of them, all present. Levels count
from the leaves, which are level 0. Such a node never changes once it stands, so a store may keep it for ever. Nothing
here reads a store: the functions ask a `Nodes` for the few hashes they need, all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_BYTES = 32
SIZE_LIMIT = 2**63  # leaves; a proof is at most 126 hashes long
EMPTY_ROOT = sha256().digest()

Place = tuple[int, int]  # level, index
Nodes = Callable[[Sequence[Place]], Sequence[bytes]]  # gives the hashes at these places, in their order


def leaf_hash(entry: bytes) -> bytes:
    """Returns the 32 bytes that stand for an entry: SHA-256 of 0x00 and the entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Returns the 32 bytes that stand for two subtrees: SHA-256 of 0x01, left and right."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Frontier:
    """All that is needed to append: the complete subtrees of a tree of `size` leaves, largest (leftmost) first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size.bit_count() != len(self.hashes) or any(len(h) != HASH_BYTES for h in self.hashes):
            raise ValueError(f"{len(self.hashes)} hashes cannot be the frontier of {self.size} leaves")

    def append(self, leaf: bytes) -> Frontier:
        """Returns the frontier with one more leaf hash."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> Frontier:
        """Returns the frontier with more leaf hashes; in constant memory, one node hash a leaf on average."""
        size, stack = self.size, list(self.hashes)
        for leaf in leaves:
            full = size
            while full & 1:  # a subtree of this level stands to the left: the two are one of the next level
                leaf = sha256(b"\x01" + stack.pop() + leaf).digest()
                full >>= 1
            stack.append(leaf)
            size += 1
        return Frontier(size=size, hashes=tuple(stack))

    def root(self) -> bytes:
        """Returns the root of the tree."""
        return _fold(self.hashes) if self.hashes else EMPTY_ROOT


def grow(frontier: Frontier, leaves: Iterable[bytes]) -> tuple[Frontier, list[tuple[Place, bytes]]]:
    """Appends leaf hashes, and also returns every node that became complete, leaves too, in the order they did."""
    size, stack = frontier.size, list(frontier.hashes)
    made: list[tuple[Place, bytes]] = []
    for leaf in leaves:
        level, index = 0, size
        made.append(((level, index), leaf))
        while index & 1:
            leaf = node_hash(stack.pop(), leaf)
            level, index = level + 1, index >> 1
            made.append(((level, index), leaf))
        stack.append(leaf)
        size += 1
    return Frontier(size=size, hashes=tuple(stack)), made


def root(leaves: Iterable[bytes]) -> bytes:
    """Returns the root over these leaf hashes."""
    return Frontier().extend(leaves).root()


def frontier_at(size: int, nodes: Nodes) -> Frontier:
    """Returns the frontier that the tree had at `size`; reads at most log2(size) + 1 nodes."""
    return Frontier(size=size, hashes=tuple(_read(nodes, _cover(0, size))))


def inclusion_proof(index: int, size: int, nodes: Nodes) -> tuple[bytes, ...]:
    """Returns the audit path of leaf `index` in the tree of `size` leaves (RFC 6962, 2.1.1). Raises ValueError."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} among {size}")
    return _prove(_path(index, size), nodes)


def consistency_proof(old: int, new: int, nodes: Nodes) -> tuple[bytes, ...]:
    """Returns the proof that the first `old` of `new` leaves are unchanged (RFC 6962, 2.1.2). Raises ValueError.

    It is empty for old == 0, which the RFC leaves out and c2sp.org/tlog-witness defines so.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves never had {old}")
    return _prove(_subproof(old, new), nodes)


def check_inclusion(leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Tells whether `proof` shows that the tree of `size` leaves under `root` holds `leaf` at `index`. Never raises."""
    if not _counts(index, size) or not index < size or not _hashes((leaf, root, *proof)):
        return False
    ranges = _path(index, size)
    if len(proof) != len(ranges):
        return False
    for (_, end), beside in zip(ranges, proof, strict=True):
        leaf = node_hash(beside, leaf) if end <= index else node_hash(leaf, beside)
    return leaf == root


def check_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Tells whether `proof` shows that the tree of `new` leaves goes on from that of `old` leaves. Never raises."""
    if not _counts(old, new) or not old <= new or not _hashes((old_root, new_root, *proof)):
        return False
    if (old == 0 and old_root != EMPTY_ROOT) or (new == 0 and new_root != EMPTY_ROOT):
        return False
    ranges = _subproof(old, new)
    if len(proof) != len(ranges):
        return False
    if old == 0:
        return True
    # Where the old tree is one complete subtree of the new, the proof leaves it out: it is the old root itself.
    was = now = old_root
    pairs = list(zip(ranges, proof, strict=True))
    if pairs and pairs[0][0][1] == old:
        was = now = pairs.pop(0)[1]
    for (_, end), beside in pairs:
        if end <= old:
            was, now = node_hash(beside, was), node_hash(beside, now)
        else:
            now = node_hash(now, beside)
    return was == old_root and now == new_root


def in_memory(leaves: Iterable[bytes]) -> Nodes:
    """Returns a reader over these leaf hashes that holds all nodes in memory, about 300 bytes a leaf."""
    held: Mapping[Place, bytes] = dict(grow(Frontier(), leaves)[1])
    return lambda places: [held[place] for place in places]


def subtree(hashes: Sequence[bytes]) -> bytes:
    """Returns the node over 2**n neighbouring nodes of one level. Raises ValueError for another number of them."""
    if not hashes or len(hashes) & (len(hashes) - 1):
        raise ValueError(f"{len(hashes)} nodes are no complete subtree")
    row = hashes
    while len(row) > 1:
        row = [sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


TILE_LEVELS = 8
ReadRun = Callable[[int, int, int], Sequence[bytes]]  # level, first index, count


def tiled(read: ReadRun) -> Nodes:
    """Returns a reader for a store that keeps only the levels 0, 8, 16, ... and reads runs of at most 128 hashes.

    Such a store writes 1/255 of a row more than the leaves that stand in the events anyhow; the nodes between are
    hashed again when asked for (the thought of c2sp.org/tlog-tiles).
    """

    def nodes(places: Sequence[Place]) -> list[bytes]:
        found = []
        for level, index in places:
            up = level % TILE_LEVELS
            run = list(read(level - up, index << up, 1 << up))
            if len(run) != 1 << up:
                raise LookupError(f"node {index} of level {level} is not complete in the store")
            found.append(subtree(run))
        return found

    return nodes


Range = tuple[int, int]  # first leaf, first leaf after


def _path(index: int, size: int) -> list[Range]:
    """PATH of RFC 6962, 2.1.1: the ranges beside the way from leaf `index` up to the root, lowest first."""
    low, high, ranges = 0, size, []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    return ranges[::-1]


def _subproof(old: int, new: int) -> list[Range]:
    """SUBPROOF of RFC 6962, 2.1.2: the ranges that a consistency proof names, lowest first."""
    low, high, ranges = 0, new, []
    while 0 < old < high:
        middle = low + _split(high - low)
        if old <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    if low:
        ranges.append((low, high))
    return ranges[::-1]


def _split(count: int) -> int:
    """Returns the largest power of two below `count` (`k` of RFC 6962); count > 1."""
    return 1 << ((count - 1).bit_length() - 1)


def _cover(low: int, high: int) -> list[Place]:
    """Returns the complete nodes that make up a range, largest first; `low` is a multiple of the largest."""
    places = []
    while low < high:
        level = (high - low).bit_length() - 1
        places.append((level, low >> level))
        low += 1 << level
    return places


def _prove(ranges: Sequence[Range], nodes: Nodes) -> tuple[bytes, ...]:
    covers = [_cover(low, high) for low, high in ranges]
    hashes = iter(_read(nodes, [place for cover in covers for place in cover]))
    return tuple(_fold([next(hashes) for _ in cover]) for cover in covers)


def _read(nodes: Nodes, places: Sequence[Place]) -> Sequence[bytes]:
    hashes = nodes(places) if places else ()
    if len(hashes) != len(places) or not _hashes(hashes):
        raise ValueError(f"the reader gave {len(hashes)} hashes for {len(places)} places, or one that is none")
    return hashes


def _fold(hashes: Sequence[bytes]) -> bytes:
    """Returns the root over neighbouring complete subtrees, largest first."""
    folded = hashes[-1]
    for left in reversed(hashes[:-1]):
        folded = node_hash(left, folded)
    return folded


def _hashes(values: Iterable[object]) -> bool:
    return all(isinstance(value, bytes) and len(value) == HASH_BYTES for value in values)


def _counts(*numbers: object) -> bool:
    return all(type(number) is int and 0 <= number < SIZE_LIMIT for number in numbers)
