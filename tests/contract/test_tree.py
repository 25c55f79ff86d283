"""The tree over the trail: its stored nodes come with the events, or with the sealer, and never change."""

from __future__ import annotations

from itertools import pairwise

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from engine.audit import tree
from engine.core.errors import Conflict
from engine.store.open import open_store
from engine.store.ports import Store
from engine.store.rows import EventRow
from tests.contract.samples import event

MANY = 70_000  # past the first node of level 16


def rows(first: int, end: int) -> list[EventRow]:
    """Returns events whose leaves are those of their bodies."""
    made = [event(seq, command=None, at="2026-01-01T00:00:00.000000Z") for seq in range(first, end)]
    return [event(r.seq, command=None, at=r.at, leaf=tree.leaf_hash(r.body)) for r in made]


def test_the_stored_nodes_are_those_of_the_tree(store: Store) -> None:
    """However the events came: one by one, over a tile's end, many at once."""
    leaves = [r.leaf for r in rows(0, 1500)]
    cuts = [0, 1, 255, 256, 257, 600, 1500]
    for first, end in pairwise(cuts):
        with store.transaction() as unit:
            unit.append_events(rows(first, end))
        store.seal()
        with store.transaction(write=False) as unit:
            assert list(unit.hashes(8, 0, 99)) == [
                tree.subtree(leaves[i * 256 : i * 256 + 256]) for i in range(end // 256)
            ]
            assert tree.frontier_at(end, tree.tiled(unit.hashes)).root() == tree.root(leaves[:end])
    assert store.seal() == 0


def test_proofs_come_from_stored_hashes(store: Store) -> None:
    """Inclusion and consistency, over tiles and the rest."""
    with store.transaction() as unit:
        unit.append_events(rows(0, 700))
    store.seal()
    leaves = [r.leaf for r in rows(0, 700)]
    with store.transaction(write=False) as unit:
        nodes = tree.tiled(unit.hashes)
        for index in (0, 255, 256, 511, 512, 699):
            proof = tree.inclusion_proof(index, 700, nodes)
            assert tree.check_inclusion(leaves[index], index, 700, tree.root(leaves), proof)
        for old in (1, 256, 300, 699, 700):
            proof = tree.consistency_proof(old, 700, nodes)
            assert tree.check_consistency(old, tree.root(leaves[:old]), 700, tree.root(leaves), proof)


def test_what_is_rolled_back_leaves_no_node(store: Store) -> None:
    """The nodes are of the events' own transaction, or come after it."""
    with pytest.raises(Conflict), store.transaction() as unit:
        unit.append_events([*rows(0, 300), event(7)])
    store.seal()
    with store.transaction(write=False) as unit:
        assert list(unit.hashes(8, 0, 9)) == []
        assert list(unit.trail()) == []


def test_the_trail_is_read_as_it_is_hashed(store: Store) -> None:
    """Number, bytes, leaf and link, over the end of a page."""
    with store.transaction() as unit:
        unit.append_events(rows(0, 1100))
    with store.transaction(write=False) as unit:
        assert list(unit.trail(after=3)) == [(r.seq, r.body, r.leaf, r.link) for r in rows(4, 1100)]


def test_a_sealer_that_was_killed_leaves_nothing_behind_for_ever(postgres_url: str) -> None:
    """The next one writes also the upper levels that it had not come to."""
    store = open_store(postgres_url)
    store.create()
    with store.transaction() as unit:
        unit.append_events(rows(0, MANY))
    engine = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    store.seal()
    with engine.begin() as db:
        db.execute(text("ALTER TABLE tree DISABLE TRIGGER tree_append_only"))
        db.execute(text("DELETE FROM tree WHERE level = 16"))
        db.execute(text("ALTER TABLE tree ENABLE TRIGGER tree_append_only"))
    with store.transaction() as unit:
        unit.append_events(rows(MANY, MANY + 256))
    assert store.seal() > 0
    with store.transaction(write=False) as unit:
        assert len(unit.hashes(16, 0, 9)) == 1
    engine.dispose()
    store.close()


@pytest.mark.parametrize("statement", ["UPDATE tree SET hash = hash", "DELETE FROM tree"])
def test_the_database_itself_refuses_to_change_a_node(shared_url: str, statement: str) -> None:
    """As with the events."""
    store = open_store(shared_url)
    with store.transaction() as unit:
        unit.append_events(rows(0, 300))
    store.seal()
    url = make_url(shared_url)
    engine = create_engine(url if url.drivername == "sqlite" else url.set(drivername="postgresql+psycopg"))
    with pytest.raises(DBAPIError, match="tree is append-only"), engine.begin() as db:
        db.execute(text(statement))
    engine.dispose()
    store.close()
