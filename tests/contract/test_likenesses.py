"""Digests by which subjects are compared: found by digest, replaced by subject."""

from __future__ import annotations

from engine.store.ports import Store
from engine.store.rows import LikenessRow


def row(digest: str, subject: str) -> LikenessRow:
    """Returns a row."""
    return LikenessRow(digest=digest, subject=subject)


def test_rows_are_found_by_their_digests_in_order(store: Store) -> None:
    with store.transaction() as unit:
        unit.put_likenesses([], [row("b", "s2"), row("a", "s2"), row("a", "s1"), row("a", "s1")])
        assert list(unit.likenesses(["a", "c"])) == [row("a", "s1"), row("a", "s2")]
        assert list(unit.likenesses([])) == []
    with store.transaction(write=False) as unit:
        assert list(unit.likenesses(["b", "a"])) == [row("a", "s1"), row("a", "s2"), row("b", "s2")]


def test_the_rows_of_a_subject_are_replaced_and_nobody_elses(store: Store) -> None:
    with store.transaction() as unit:
        unit.put_likenesses([], [row("a", "s1"), row("b", "s1"), row("a", "s2")])
    with store.transaction() as unit:
        unit.put_likenesses(["s1", "s9"], [row("c", "s1"), row("a", "s3")])
        assert list(unit.likenesses(["a", "b", "c"])) == [row("a", "s2"), row("a", "s3"), row("c", "s1")]
    with store.transaction() as unit:
        unit.put_likenesses(["s1", "s2", "s3"], [])
        assert list(unit.likenesses(["a", "b", "c"])) == []


def test_nothing_of_it_is_left_after_an_error(store: Store) -> None:
    with store.transaction() as unit:
        unit.put_likenesses([], [row("a", "s1")])
    try:
        with store.transaction() as unit:
            unit.put_likenesses(["s1"], [row("b", "s2")])
            raise KeyError("x")
    except KeyError:
        pass
    with store.transaction(write=False) as unit:
        assert list(unit.likenesses(["a", "b"])) == [row("a", "s1")]
