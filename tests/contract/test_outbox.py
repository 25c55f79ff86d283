"""The outbox: one notice per rule, subject, occurrence, recipient and channel."""

from __future__ import annotations

from typing import Any

import pytest

from engine.core.errors import Conflict
from engine.store.ports import Store
from tests.contract.samples import moment, notice


def test_a_notice_that_stands_already_is_left_out_and_the_others_go_in(store: Store) -> None:
    """The one that stood first is not changed, whatever the second says, and the count is of those that went in."""
    first = notice("n1", occurrence="day 1")
    with store.transaction() as unit:
        assert unit.put_outbox([first, notice("n2", occurrence="day 1", state="failed")]) == 1
    with store.transaction() as unit:
        again = [notice("n3", occurrence="day 1"), notice("n4", occurrence="day 2"), notice("n5", occurrence="day 2")]
        assert unit.put_outbox(again) == 1
        assert unit.put_outbox([notice("n6", occurrence="day 1")]) == 0
        assert unit.put_outbox([first]) == 0
        assert list(unit.outbox()) == [first, again[1]]


@pytest.mark.parametrize("other", ["rule", "subject", "occurrence", "recipient", "channel"])
def test_a_notice_that_differs_in_any_part_of_the_key_is_another(store: Store, other: str) -> None:
    """Each of the five parts counts."""
    with store.transaction() as unit:
        assert unit.put_outbox([notice("n1"), notice("n2", **{"occurrence": "n1", other: "x"})]) == 2


def test_an_id_that_stands_already_for_another_notice_is_a_conflict(store: Store) -> None:
    """A notice is never lost in silence because two got the same id."""
    with store.transaction() as unit:
        unit.put_outbox([notice("n1")])
    with pytest.raises(Conflict), store.transaction() as unit:
        unit.put_outbox([notice("n1", occurrence="another")])


def test_notices_are_changed_by_id(store: Store) -> None:
    """All other columns are written; a notice that is not there is a conflict."""
    sent = notice(
        state="delivered", next_try_at=None, attempts=2, message="m", sent_at=moment(11), urgent=True, detail="x",
        message_at=moment(9), claimed_at=moment(11), sent_to="digest", code="550 5.1.1", provider_id="p1",
    )  # fmt: skip
    with store.transaction() as unit:
        unit.put_outbox([notice("n1"), notice("n2")])
        unit.update_outbox([sent, notice("n2", state="claimed")])
    with pytest.raises(Conflict) as caught, store.transaction() as unit:
        unit.update_outbox([notice("n1", state="failed"), notice("n9")])
    assert caught.value.params == {"subject": "n9"}
    with store.transaction(write=False) as unit:
        assert list(unit.outbox()) == [sent, notice("n2", state="claimed")]


def test_notices_that_meet_every_condition_come_by_due_time_and_id(store: Store) -> None:
    """Each condition against a plain filter written here."""
    rows = [
        notice(
            f"n{i:03}",
            subject=f"s{i % 3}",
            state=("queued", "claimed", "delivered")[i % 7 % 3],
            due_at=moment(100 - i // 2),
            next_try_at=moment(i) if i % 5 else None,
            message=f"m{i % 4}" if i % 2 else None,
            recipient=f"o{i % 6}",
            provider_id=f"p{i % 9}" if i % 4 else None,
            claimed_at=moment(i) if i % 3 else None,
        )
        for i in range(90)
    ]
    order = sorted(rows, key=lambda row: (row.due_at, row.id))
    with store.transaction() as unit:
        assert unit.put_outbox(rows) == 90

        def check(expected: Any, **asked: Any) -> None:
            assert list(unit.outbox(**asked)) == [row for row in order if expected(row)], asked

        check(lambda _: True)
        check(lambda row: row.id in ("n003", "n050"), ids=["n050", "none", "n003"])
        check(lambda row: row.id == "n003", ids=iter(["n003"]))
        check(lambda _: False, ids=[])
        check(lambda row: row.id < "n090", ids=[f"n{i:03}" for i in range(70_000)])
        check(lambda row: row.state == "queued", states=["queued"])
        check(lambda row: row.state in ("claimed", "delivered"), states=["delivered", "claimed"])
        check(lambda row: row.subject == "s1", subject="s1")
        check(lambda row: row.message == "m3", message="m3")
        check(lambda row: row.provider_id == "p2", provider_id="p2")
        check(lambda row: row.recipient in ("o1", "o4"), recipients=["o4", "o1", "nobody"])
        check(lambda _: False, recipients=[])
        check(lambda row: row.recipient == "o5" and row.state == "queued", recipients=["o5"], states=["queued"])
        check(lambda row: row.next_try_at and row.next_try_at <= moment(40), due=moment(40))
        check(
            lambda row: (
                row.next_try_at and row.next_try_at <= moment(60) and row.state == "queued" and row.subject == "s2"
            ),
            due=moment(60),
            states=["queued"],
            subject="s2",
        )
        assert list(unit.outbox(limit=4)) == order[:4]
        assert list(unit.outbox(limit=0)) == []


def test_notices_are_found_by_when_they_were_due_with_both_ends(store: Store) -> None:
    """Both bounds are included, also with other conditions and a limit."""
    rows = [notice(f"n{h}", due_at=moment(h), state="queued" if h % 2 else "failed") for h in range(8, 14)]
    with store.transaction() as unit:
        unit.put_outbox(rows)
    with store.transaction(write=False) as unit:
        assert [r.id for r in unit.outbox(since=moment(9), until=moment(11))] == ["n9", "n10", "n11"]
        assert [r.id for r in unit.outbox(since=moment(9), states=["queued"])] == ["n9", "n11", "n13"]
        assert [r.id for r in unit.outbox(until=moment(11), states=["failed", "queued"], limit=2)] == ["n8", "n9"]


def test_the_next_try_is_of_queued_notices_only(store: Store) -> None:
    """What is claimed, parked or done is not tried."""
    with store.transaction() as unit:
        assert unit.next_try() is None
        unit.put_outbox(
            [
                notice("n1", state="claimed", next_try_at=moment(1)),
                notice("n2", next_try_at=None),
                notice("n3", next_try_at=moment(8)),
                notice("n4", next_try_at=moment(5)),
            ]
        )
        assert unit.next_try() == moment(5)
        unit.update_outbox([notice("n4", state="delivered", next_try_at=None)])
        assert unit.next_try() == moment(8)


def test_what_is_due_comes_first_tried_first(store: Store) -> None:
    """Only queued ones, by the time they are to be tried, then by due time and id, at most so many."""
    rows = [
        notice(f"n{i:02}", state=("queued", "claimed")[i % 5 == 0], next_try_at=moment(i % 7), due_at=moment(9 - i % 3))
        for i in range(40)
    ]
    with store.transaction() as unit:
        unit.put_outbox([*rows, notice("parked", next_try_at=None)])
        wanted = [r for r in rows if r.state == "queued" and (r.next_try_at or "") <= moment(4)]
        wanted.sort(key=lambda r: (r.next_try_at, r.due_at, r.id))
        assert list(unit.outbox_due(moment(4), 100)) == wanted
        assert list(unit.outbox_due(moment(4), 3)) == wanted[:3]
        assert list(unit.outbox_due(moment(4), 0)) == []


def test_notices_are_counted_by_state(store: Store) -> None:
    """A state that no notice is in is not named."""
    with store.transaction() as unit:
        assert unit.outbox_counts() == {}
        unit.put_outbox([notice("n1"), notice("n2"), notice("n3", state="failed")])
        assert unit.outbox_counts() == {"queued": 2, "failed": 1}
        unit.update_outbox([notice("n3", state="queued")])
        assert unit.outbox_counts() == {"queued": 3}
