"""Honest proofs over trees of many sizes, and every way of spoiling them that leaves the checkpoints honest.

A size alone is never altered: RFC 6962 proofs do not authenticate it (a proof for leaf 0 of 5 has the shape of one for
leaf 0 of 6), a signed checkpoint does; so size and root are only ever exchanged together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from engine.audit import tree

SIZES = (*range(1, 70), 100, 127, 128, 129, 255, 256, 257, 300)
ENTRIES = tuple(f"entry {i}".encode() for i in range(max(SIZES)))
LEAVES = tuple(tree.leaf_hash(entry) for entry in ENTRIES)
ROOTS = tuple(tree.root(LEAVES[:size]) for size in range(len(LEAVES) + 1))
NODES = tree.in_memory(LEAVES)


@dataclass(frozen=True, kw_only=True)
class Inclusion:
    entry: bytes
    index: int
    size: int
    root: bytes
    proof: tuple[bytes, ...]

    def holds(self) -> bool:
        return tree.check_inclusion(tree.leaf_hash(self.entry), self.index, self.size, self.root, self.proof)


@dataclass(frozen=True, kw_only=True)
class Consistency:
    old: int
    old_root: bytes
    size: int
    root: bytes
    proof: tuple[bytes, ...]

    def holds(self) -> bool:
        return tree.check_consistency(self.old, self.old_root, self.size, self.root, self.proof)


def honest(random: Random) -> Iterator[Inclusion | Consistency]:
    """Yields honest proofs without end, of both kinds in turn."""
    while True:
        size = random.choice(SIZES)
        index = random.randrange(size)
        yield Inclusion(
            entry=ENTRIES[index],
            index=index,
            size=size,
            root=ROOTS[size],
            proof=tree.inclusion_proof(index, size, NODES),
        )
        old = random.randint(1, size)
        yield Consistency(
            old=old,
            old_root=ROOTS[old],
            size=size,
            root=ROOTS[size],
            proof=tree.consistency_proof(old, size, NODES),
        )


def spoiled(random: Random) -> Iterator[Inclusion | Consistency]:
    """Yields claims without end that are false: each an honest proof with one thing altered."""
    for claim in honest(random):
        other = _altered_claim(random, claim) if random.random() < 0.4 else _altered_proof(random, claim)
        if other != claim:
            yield other


def _altered_proof(random: Random, claim: Inclusion | Consistency) -> Inclusion | Consistency:
    proof = list(claim.proof)
    at = random.randrange(len(proof) + 1)
    match random.choice(("flip", "drop", "insert", "swap", "repeat", "short", "long", "empty", "reverse")):
        case "flip" if at < len(proof):
            proof[at] = _flipped(random, proof[at])
        case "drop" if at < len(proof):
            del proof[at]
        case "insert":
            proof.insert(at, random.choice((bytes(32), random.choice(LEAVES), claim.root, tree.EMPTY_ROOT)))
        case "swap" if len(proof) > 1:
            one, two = random.sample(range(len(proof)), 2)
            proof[one], proof[two] = proof[two], proof[one]
        case "repeat" if at < len(proof):
            proof.insert(at, proof[at])
        case "short" if at < len(proof):
            proof[at] = proof[at][: random.randrange(32)]
        case "long" if at < len(proof):
            proof[at] += b"\x00"
        case "empty":
            proof.clear()
        case "reverse":
            proof.reverse()
    return replace(claim, proof=tuple(proof))


def _altered_claim(random: Random, claim: Inclusion | Consistency) -> Inclusion | Consistency:
    size = random.choice(SIZES)
    if isinstance(claim, Consistency):
        old = random.choice(SIZES)
        return random.choice(
            (
                replace(claim, size=size, root=ROOTS[size]) if size != claim.old else claim,
                replace(claim, old=old, old_root=ROOTS[old]) if old != claim.size else claim,
                replace(claim, root=_flipped(random, claim.root)),
                replace(claim, old_root=_flipped(random, claim.old_root)),
                replace(claim, old=claim.size, old_root=claim.root, size=claim.old, root=claim.old_root),
            )
        )
    index = random.randrange(-2, claim.size + 3)
    return random.choice(
        (
            replace(claim, index=index),
            replace(claim, size=size, root=ROOTS[size]),
            replace(claim, entry=random.choice(ENTRIES)),
            replace(claim, entry=claim.entry + b" "),
            replace(claim, root=_flipped(random, claim.root)),
        )
    )


def _flipped(random: Random, value: bytes) -> bytes:
    bit = random.randrange(len(value) * 8)
    return bytes(b ^ (1 << (bit % 8)) if i == bit // 8 else b for i, b in enumerate(value))
