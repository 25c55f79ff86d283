"""The Merkle tree against Certificate Transparency's vectors, against its definition, and against forgers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audit import tree
from engine.audit.tree import Frontier, Place
from tests.unit.audit import forgery

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "rfc6962.json").read_text())
ENTRIES = [bytes.fromhex(leaf) for leaf in VECTORS["leaves"]]
LEAVES = [tree.leaf_hash(entry) for entry in ENTRIES]


def mth(entries: Sequence[bytes]) -> bytes:
    """MTH as RFC 6962, 2.1 writes it down: slow, and sharing nothing with the code under test."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """PATH as RFC 6962, 2.1.1 writes it down."""
    if len(entries) == 1:
        return []
    k = 1
    while k * 2 < len(entries):
        k *= 2
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m: int, entries: Sequence[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF as RFC 6962, 2.1.2 writes it down."""
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = 1
    while k * 2 < len(entries):
        k *= 2
    if m <= k:
        return [*subproof(m, entries[:k], whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]


def test_roots_are_those_of_certificate_transparency():
    assert tree.root([]).hex() == tree.EMPTY_ROOT.hex() == VECTORS["empty_root"]
    assert [tree.root(LEAVES[: n + 1]).hex() for n in range(8)] == VECTORS["roots"]


def test_inclusion_proofs_are_those_of_certificate_transparency():
    for vector in VECTORS["inclusion"]:
        proof = tree.inclusion_proof(vector["index"], vector["size"], tree.in_memory(LEAVES))
        assert [h.hex() for h in proof] == vector["proof"]


def test_consistency_proofs_are_those_of_certificate_transparency():
    for vector in VECTORS["consistency"]:
        proof = tree.consistency_proof(vector["old"], vector["new"], tree.in_memory(LEAVES))
        assert [h.hex() for h in proof] == vector["proof"]


def test_the_example_trees_of_rfc_6962_section_2_1_3_have_the_paths_it_names():
    leaf = [tree.leaf_hash(bytes([i])) for i in range(7)]
    a, b, c, d, e, f, j = leaf
    g, h, i = tree.node_hash(a, b), tree.node_hash(c, d), tree.node_hash(e, f)
    k, l = tree.node_hash(g, h), tree.node_hash(i, j)  # noqa: E741  # the RFC's own letter
    nodes = tree.in_memory(leaf)
    assert tree.inclusion_proof(0, 7, nodes) == (b, h, l)
    assert tree.inclusion_proof(3, 7, nodes) == (c, g, l)
    assert tree.inclusion_proof(4, 7, nodes) == (f, j, k)
    assert tree.inclusion_proof(6, 7, nodes) == (i, k)
    assert tree.consistency_proof(3, 7, nodes) == (c, d, g, l)
    assert tree.consistency_proof(4, 7, nodes) == (l,)
    assert tree.consistency_proof(6, 7, nodes) == (i, j, k)


def test_every_root_and_proof_up_to_40_leaves_is_what_the_definition_says():
    entries = forgery.ENTRIES[:40]
    for size in range(41):
        assert tree.root(forgery.LEAVES[:size]) == mth(entries[:size])
        for index in range(size):
            assert tree.inclusion_proof(index, size, forgery.NODES) == tuple(path(index, entries[:size]))
        for old in range(1, size + 1):
            assert tree.consistency_proof(old, size, forgery.NODES) == tuple(subproof(old, entries[:size], True))


@given(leaves=st.lists(st.binary(min_size=32, max_size=32), max_size=80), cut=st.integers(0, 80))
def test_appending_one_by_one_in_two_parts_or_at_once_gives_one_tree(leaves: list[bytes], cut: int):
    one_by_one = Frontier()
    for leaf in leaves:
        one_by_one = one_by_one.append(leaf)
    parts = Frontier().extend(leaves[:cut]).extend(leaves[cut:])
    grown, made = tree.grow(Frontier(), leaves)
    nodes = tree.in_memory(leaves)
    assert one_by_one == parts == grown == tree.frontier_at(len(leaves), nodes)
    assert one_by_one.root() == tree.root(leaves)
    assert len({place for place, _ in made}) == len(made) == 2 * len(leaves) - len(leaves).bit_count()


@settings(max_examples=60)
@given(size=st.integers(1, 3000), data=st.data())
def test_honest_proofs_are_accepted_at_any_size(size: int, data: st.DataObject):
    leaves = [tree.leaf_hash(i.to_bytes(4, "big")) for i in range(size)]
    nodes = tree.in_memory(leaves)
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(0, size))
    root = tree.root(leaves)
    assert tree.check_inclusion(leaves[index], index, size, root, tree.inclusion_proof(index, size, nodes))
    was = tree.root(leaves[:old])
    assert tree.check_consistency(old, was, size, root, tree.consistency_proof(old, size, nodes))


def accepted(claims: int, seed: int) -> list[object]:
    return [claim for claim in islice(forgery.spoiled(Random(seed)), claims) if claim.holds()]


def test_of_1000_honest_proofs_all_are_accepted():
    assert all(claim.holds() for claim in islice(forgery.honest(Random(1)), 1000))


def test_of_10000_spoiled_proofs_none_is_accepted():
    assert accepted(10_000, 2) == []


@pytest.mark.soak
def test_of_10000_honest_proofs_all_and_of_100000_spoiled_ones_none_is_accepted():
    assert all(claim.holds() for claim in islice(forgery.honest(Random(3)), 10_000))
    assert accepted(100_000, 4) == []


@pytest.mark.parametrize("junk", [b"", b"short", bytes(33), "text" * 8, None, 7, bytearray(32)])
def test_a_proof_of_anything_but_hashes_is_false_and_no_error(junk: Any):
    root = tree.root(LEAVES)
    proof = tree.inclusion_proof(5, 8, tree.in_memory(LEAVES))
    assert not tree.check_inclusion(LEAVES[5], 5, 8, root, (junk, *proof[1:]))
    assert not tree.check_inclusion(junk, 5, 8, root, proof)
    assert not tree.check_inclusion(LEAVES[5], 5, 8, junk, proof)
    proof = tree.consistency_proof(3, 8, tree.in_memory(LEAVES))
    assert not tree.check_consistency(3, tree.root(LEAVES[:3]), 8, root, (*proof[:-1], junk))
    assert not tree.check_consistency(3, junk, 8, root, proof)


@pytest.mark.parametrize("number", [-1, 2**63, 2**200, 1.5, "1", None, True])
def test_sizes_out_of_bounds_are_false_and_no_error(number: Any):
    assert not tree.check_inclusion(LEAVES[0], 0, number, LEAVES[0], ())
    assert not tree.check_inclusion(LEAVES[0], number, 8, LEAVES[0], ())
    assert not tree.check_consistency(number, LEAVES[0], 8, LEAVES[0], ())
    assert not tree.check_consistency(0, tree.EMPTY_ROOT, number, LEAVES[0], ())


def test_only_the_empty_tree_is_consistent_with_anything_and_only_by_its_own_root():
    root = tree.root(LEAVES)
    assert tree.check_consistency(0, tree.EMPTY_ROOT, 8, root, ())
    assert tree.check_consistency(0, tree.EMPTY_ROOT, 0, tree.EMPTY_ROOT, ())
    assert not tree.check_consistency(0, root, 8, root, ())
    assert not tree.check_consistency(0, root, 0, root, ())
    assert not tree.check_consistency(0, tree.EMPTY_ROOT, 0, root, ())
    assert not tree.check_consistency(0, tree.EMPTY_ROOT, 8, root, (root,))


def test_a_leaf_cannot_stand_for_a_node_nor_a_node_for_a_leaf():
    one, two = LEAVES[:2]
    assert tree.leaf_hash(one + two) != tree.node_hash(one, two)
    assert not tree.check_inclusion(tree.leaf_hash(one + two), 0, 1, tree.root(LEAVES[:2]), ())


def test_proofs_on_a_million_leaves_read_few_nodes_and_few_runs_of_tiles():
    size = 1_000_000
    leaves = [hashlib.sha256(i.to_bytes(4, "big")).digest() for i in range(4096)]
    stored = dict(tree.grow(Frontier(), leaves)[1])
    asked: list[Place] = []

    def nodes(places: Sequence[Place]) -> list[bytes]:
        # The leaves repeat every 4096, so the nodes do; above that level any hash will do to count the reads.
        asked.extend(places)
        return [stored[level, index % (4096 >> level)] if level <= 12 else bytes(32) for level, index in places]

    for index in (0, 1, 4095, 524_287, 524_288, 999_999):
        asked.clear()
        tree.inclusion_proof(index, size, nodes)
        assert len(asked) <= 40
        asked.clear()
        tree.consistency_proof(index + 1, size, nodes)
        assert len(asked) <= 40


@given(size=st.integers(1, 700), data=st.data())
@settings(max_examples=40)
def test_a_store_of_every_eighth_level_proves_the_same_with_short_runs(size: int, data: st.DataObject):
    leaves = [tree.leaf_hash(i.to_bytes(4, "big")) for i in range(size)]
    kept = {place: h for place, h in tree.grow(Frontier(), leaves)[1] if place[0] % tree.TILE_LEVELS == 0}
    assert len(kept) == size + size // 256
    runs: list[int] = []

    def read(level: int, first: int, count: int) -> list[bytes]:
        runs.append(count)
        return [kept[level, index] for index in range(first, first + count)]

    whole, tiled = tree.in_memory(leaves), tree.tiled(read)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    assert tree.inclusion_proof(index, size, tiled) == tree.inclusion_proof(index, size, whole)
    assert tree.consistency_proof(old, size, tiled) == tree.consistency_proof(old, size, whole)
    assert tree.frontier_at(old, tiled) == tree.frontier_at(old, whole)
    assert max(runs) <= 128


def test_a_store_that_gives_too_few_hashes_is_found_out():
    with pytest.raises(LookupError):
        tree.inclusion_proof(0, 8, tree.tiled(lambda _level, _first, count: LEAVES[: count - 1]))
    with pytest.raises(ValueError, match="reader gave 0 hashes"):
        tree.inclusion_proof(0, 8, lambda _: [])
    with pytest.raises(ValueError, match="or one that is none"):
        tree.inclusion_proof(0, 8, lambda places: [b"x"] * len(places))


def test_proofs_that_cannot_be_are_refused():
    nodes = tree.in_memory(LEAVES)
    for index, size in ((8, 8), (-1, 8), (0, 0)):
        with pytest.raises(ValueError, match="there is no leaf"):
            tree.inclusion_proof(index, size, nodes)
    for old, new in ((9, 8), (-1, 8)):
        with pytest.raises(ValueError, match="never had"):
            tree.consistency_proof(old, new, nodes)


def test_a_frontier_whose_hashes_do_not_fit_its_size_is_refused():
    for size, hashes in ((1, ()), (3, (bytes(32),)), (1, (b"short",)), (0, (bytes(32),))):
        with pytest.raises(ValueError, match="frontier"):
            Frontier(size=size, hashes=hashes)
