"""Subjects: versions, unique keys, finding."""

from __future__ import annotations

import pytest

from engine.core.errors import Conflict
from engine.store.ports import Store
from tests.contract.samples import subject


def test_only_subjects_that_exist_are_returned_however_many_are_asked_for(store: Store) -> None:
    """No id, one, several and more than any database takes as single places."""
    rows = [subject(f"s{i:05}") for i in range(300)]
    with store.transaction() as unit:
        unit.insert_subjects(rows)
        assert unit.subjects([]) == {}
        assert unit.subjects(["none"]) == {}
        assert unit.subjects(iter(["s00001"])) == {"s00001": rows[1]}
        assert unit.subjects(["s00002", "none", "s00001", "s00002"]) == {"s00001": rows[1], "s00002": rows[2]}
        assert unit.subjects(f"s{i:05}" for i in range(70_000)) == {row.id: row for row in rows}


@pytest.mark.parametrize("stored", [1, 5])
@pytest.mark.parametrize("step", [-1, 1, 2])
def test_a_version_that_is_not_the_stored_one_is_a_conflict(store: Store, stored: int, step: int) -> None:
    """Whoever read another version cannot write, and nothing of their transaction is kept."""
    with store.transaction() as unit:
        unit.insert_subjects([subject(version=stored), subject("s2")])
    with pytest.raises(Conflict) as caught, store.transaction() as unit:
        unit.update_subjects([subject("s2", version=2), subject("s1", version=9, state="given")], [1, stored + step])
    assert caught.value.params == {"subject": "s1"}
    with store.transaction() as unit:
        assert unit.subjects(["s1", "s2"]) == {"s1": subject(version=stored), "s2": subject("s2")}
        unit.update_subjects([subject(version=stored + 3, state="given")], [stored])  # several steps at once
        assert unit.subjects(["s1"])["s1"].state == "given"


def test_a_subject_that_is_not_there_cannot_be_updated(store: Store) -> None:
    """It is a conflict, not a silent nothing."""
    with pytest.raises(Conflict), store.transaction() as unit:
        unit.update_subjects([subject(version=2)], [1])


def test_nothing_is_a_valid_list(store: Store) -> None:
    """Empty lists are written without effect."""
    with store.transaction() as unit:
        unit.insert_subjects([])
        unit.update_subjects([], [])
        unit.append_events([])
        unit.put_timers([])
        unit.delete_timers([])
        unit.update_outbox([])
        assert unit.put_outbox([]) == 0
        assert unit.head().size == 0


@pytest.mark.parametrize(
    "second",
    [
        {"id_": "s1", "unique_key": "b"},
        {"id_": "s2", "unique_key": "a"},
    ],
)
def test_an_id_or_a_unique_key_that_stands_already_is_a_conflict(store: Store, second: dict[str, str]) -> None:
    """The second subject is refused, the first stays as it was."""
    with store.transaction() as unit:
        unit.insert_subjects([subject(unique_key="a")])
    with pytest.raises(Conflict) as caught, store.transaction() as unit:
        unit.insert_subjects([subject("s0", unique_key="c"), subject(**second)])
    assert caught.value.params == {"table": "subjects"}
    with store.transaction(write=False) as unit:
        assert list(unit.find_subjects()) == [subject(unique_key="a")]


def test_a_unique_key_belongs_to_its_workflow_and_unknown_is_never_the_same(store: Store) -> None:
    """Other workflows may use the key, and any number of subjects may have none."""
    rows = [
        subject("s1", unique_key="a"),
        subject("s2", unique_key="a", workflow="grant"),
        subject("s3"),
        subject("s4"),
    ]
    with store.transaction() as unit:
        unit.insert_subjects(rows)
        assert list(unit.find_subjects(unique_key="a")) == rows[:2]
        assert list(unit.find_subjects(workflow="grant", unique_key="a")) == [rows[1]]
        assert list(unit.find_subjects(workflow="grant", unique_key="b")) == []


def test_a_unique_key_cannot_be_taken_by_an_update_but_can_be_given_up(store: Store) -> None:
    """A key that was given up is free at once."""
    with store.transaction() as unit:
        unit.insert_subjects([subject("s1", unique_key="a"), subject("s2", unique_key="b")])
    with pytest.raises(Conflict), store.transaction() as unit:
        unit.update_subjects([subject("s2", version=2, unique_key="a")], [1])
    with store.transaction() as unit:
        unit.update_subjects([subject("s1", version=2, unique_key=None)], [1])
        unit.update_subjects([subject("s2", version=2, unique_key="a")], [1])
        unit.insert_subjects([subject("s3", unique_key="b")])


def test_found_subjects_meet_every_condition_and_come_by_id(store: Store) -> None:
    """Each condition alone and all together, against a plain filter written here."""
    rows = [
        subject(
            f"s{i:03}",
            workflow=f"w{i % 2}",
            org=f"o{i % 3}",
            state=f"t{i % 5}",
            refers=f"s{i % 7:03}" if i % 4 else None,
        )
        for i in range(120)
    ]
    with store.transaction() as unit:
        unit.insert_subjects(list(reversed(rows)))

        def found(**asked: object) -> list[str]:
            return [row.id for row in unit.find_subjects(**asked)]  # type: ignore[arg-type]

        assert list(unit.find_subjects()) == rows
        assert found(workflow="w1") == [row.id for row in rows if row.workflow == "w1"]
        assert found(orgs=["o2"]) == [row.id for row in rows if row.org == "o2"]
        assert found(orgs=iter(["o2", "o0", "none"])) == [row.id for row in rows if row.org in ("o0", "o2")]
        assert found(orgs=[]) == []
        assert found(states=[], workflow="w1") == []
        assert found(states=["t1", "t4"]) == [row.id for row in rows if row.state in ("t1", "t4")]
        assert found(refers="s003") == [row.id for row in rows if row.refers == "s003"]
        assert found(after="s100") == [row.id for row in rows if row.id > "s100"]
        assert found(limit=7) == [row.id for row in rows[:7]]
        assert found(limit=0) == []
        assert found(orgs=[f"o{i}" for i in range(70_000)], limit=1) == ["s000"]
        whole = [
            row.id
            for row in rows
            if row.workflow == "w1" and row.org in ("o1", "o2") and row.state == "t2" and row.id > "s010"
        ]
        assert len(whole) > 4
        assert found(workflow="w1", orgs=["o1", "o2"], states=["t2"], after="s010", limit=4) == whole[:4]


def test_ids_are_in_the_order_of_their_letters_code_points(store: Store) -> None:
    """No database sorts by the rules of a language: pages by `after` would then skip or repeat."""
    ids = ["Z", "a", "a-b", "a_b", "ab", "b", "Á", "á", "đ", "ｚ", "😀"]
    assert ids == sorted(ids)
    with store.transaction() as unit:
        unit.insert_subjects([subject(id_) for id_ in reversed(ids)])
        assert [row.id for row in unit.find_subjects()] == ids
        paged, after = [], ""
        while page := unit.find_subjects(after=after, limit=2):
            paged += [row.id for row in page]
            after = paged[-1]
        assert paged == ids
