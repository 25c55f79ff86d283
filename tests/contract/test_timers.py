"""Timers: in the order in which they are due, and no more than asked for."""

from __future__ import annotations

import random

from engine.store.ports import Store
from tests.contract.samples import moment, timer


def test_timers_of_subjects_come_done_or_not_by_subject_due_name_and_occurrence(store: Store) -> None:
    """Those of other subjects do not come."""
    rows = [
        timer("s1", "b", "1", due_at=moment(5)),
        timer("s1", "a", "1", due_at=moment(6)),
        timer("s1", "a", "2", due_at=moment(6), done_at=moment(7), outcome="fired"),
        timer("s1", "b", "2", due_at=moment(6)),
        timer("s2", "a", "1", due_at=moment(1)),
    ]
    with store.transaction() as unit:
        unit.put_timers([*reversed(rows), timer("s3")])
        assert list(unit.timers(["s2", "s1", "s1", "none"])) == rows
        assert list(unit.timers(["s1"])) == rows[:4]
        assert list(unit.timers([])) == []
        assert list(unit.timers(f"s{i}" for i in range(70_000)))[:5] == rows


def test_due_timers_are_those_not_done_in_order_and_at_most_the_limit(store: Store) -> None:
    """A timer due at that very moment is due."""
    rows = [timer(f"s{i % 5}", f"n{i % 3}", str(i), due_at=moment(i // 4)) for i in range(200)]
    done = [timer("done", "n", str(i), due_at=moment(0), done_at=moment(1)) for i in range(50)]
    with store.transaction() as unit:
        unit.put_timers(random.Random(3).sample(rows + done, 250))
        due = sorted(
            (row for row in rows if row.due_at <= moment(20)),
            key=lambda row: (row.due_at, row.subject, row.name, row.occurrence),
        )
        assert list(unit.due_timers(moment(20), 1000)) == due
        assert list(unit.due_timers(moment(20), 7)) == due[:7]
        assert list(unit.due_timers(moment(20), 0)) == []
        assert list(unit.due_timers("", 5)) == []
        late = [row for row in due if row.due_at >= moment(9)]
        assert list(unit.due_timers(moment(20), 1000, since=moment(9))) == late
        assert list(unit.due_timers(moment(20), 7, since=moment(9))) == late[:7]
        assert list(unit.due_timers(moment(20), 7, since=moment(21))) == []


def test_a_timer_that_is_moved_done_or_deleted_is_due_accordingly(store: Store) -> None:
    """Putting replaces by (subject, name, occurrence)."""
    with store.transaction() as unit:
        assert unit.next_due() is None
        unit.put_timers([timer("s1", due_at=moment(5)), timer("s2", due_at=moment(6)), timer("s3", due_at=moment(7))])
        assert unit.next_due() == moment(5)
        unit.put_timers([timer("s1", due_at=moment(9))])
        assert [row.subject for row in unit.due_timers(moment(60), 9)] == ["s2", "s3", "s1"]
        unit.put_timers([timer("s2", due_at=moment(6), done_at=moment(6), outcome="fired")])
        assert unit.next_due() == moment(7)
        unit.delete_timers([timer("s3"), timer("none")])
        assert unit.next_due() == moment(9)
        assert list(unit.pending_subjects()) == ["s1"]
        assert list(unit.timers(["s3"])) == []
        unit.put_timers([timer("s1", done_at=moment(9))])
        assert unit.next_due() is None
        assert list(unit.pending_subjects()) == []
        assert list(unit.due_timers(moment(60), 9)) == []


def test_pending_subjects_are_told_once_and_by_id(store: Store) -> None:
    """Those all of whose timers are done are not among them."""
    with store.transaction() as unit:
        unit.put_timers([timer(s, n) for s in ("s2", "s1") for n in ("a", "b")] + [timer("s0", done_at=moment(1))])
        assert list(unit.pending_subjects()) == ["s1", "s2"]
