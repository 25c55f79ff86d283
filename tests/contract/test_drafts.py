"""Drafts: kept by subject and name, read by subject or all, deleted one by one."""

from __future__ import annotations

from dataclasses import replace

from engine.store.ports import Store
from engine.store.rows import DraftRow

ROW = DraftRow(
    subject="r1", name="hold", officer="an", saved_at="2025-01-21T02:00:00.000Z", version=1, key_id="r1",
    sealed=b"\x00\x01",
)  # fmt: skip
OTHERS = [replace(ROW, subject="r2"), replace(ROW, name="hold:cb1")]


def test_the_later_one_of_a_subject_and_a_name_stands(store: Store) -> None:
    with store.transaction() as unit:
        unit.put_drafts([ROW, *OTHERS])
        unit.put_drafts([replace(ROW, version=2, sealed=b"\x02")])
    with store.transaction(write=False) as unit:
        assert list(unit.drafts(["r1"])) == [replace(ROW, version=2, sealed=b"\x02"), replace(ROW, name="hold:cb1")]
        assert list(unit.drafts(["r3"])) == []
        assert [(r.subject, r.name) for r in unit.drafts()] == [("r1", "hold"), ("r1", "hold:cb1"), ("r2", "hold")]


def test_one_is_deleted_and_no_other(store: Store) -> None:
    with store.transaction() as unit:
        unit.put_drafts([ROW, *OTHERS])
        unit.delete_drafts([ROW])
        assert [(r.subject, r.name) for r in unit.drafts()] == [("r1", "hold:cb1"), ("r2", "hold")]
