"""The trail: without a gap, each command answered once, never changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.core.errors import Conflict
from engine.store import sql_search
from engine.store.ports import Store
from engine.store.rows import BLOCK, HAPPENED, EventRow, EventSearch, Head, JudgedRow
from tests.contract.samples import event, moment


def test_an_empty_trail_has_an_empty_head(store: Store) -> None:
    """Size 0, 32 zero bytes, no time."""
    with store.transaction() as unit:
        assert unit.head() == Head(size=0, link=bytes(32), at="")
        assert list(unit.events()) == []


def test_the_head_tells_of_the_last_event_in_the_same_transaction_and_in_the_next(store: Store) -> None:
    """Also between two appends."""
    with store.transaction() as unit:
        unit.append_events([event(0), event(1)])
        assert unit.head() == Head(size=2, link=event(1).link, at=moment(1))
        unit.append_events([event(2)])
        assert unit.head() == Head(size=3, link=event(2).link, at=moment(2))
    with store.transaction() as unit:
        assert unit.head() == Head(size=3, link=event(2).link, at=moment(2))
    with store.transaction(write=False) as unit:
        assert unit.head().size == 3


@pytest.mark.parametrize("seqs", [[1], [0, 2], [0, 0], [-1]])
def test_a_gap_is_a_conflict(store: Store, seqs: list[int]) -> None:
    """The next event has the number of events as its seq."""
    with pytest.raises(Conflict), store.transaction() as unit:
        unit.append_events([event(seq, id=f"e{place}", command=None) for place, seq in enumerate(seqs)])
    with store.transaction(write=False) as unit:
        assert list(unit.events()) == []


@pytest.mark.parametrize("twice", [{"id": "e0"}, {"command": "c0"}])
def test_an_id_or_a_command_stands_once(store: Store, twice: dict[str, str]) -> None:
    """The second event is a conflict, in a later transaction and in the same list."""
    with store.transaction() as unit:
        unit.append_events([event(0)])
    with pytest.raises(Conflict) as caught, store.transaction() as unit:
        unit.append_events([event(1), event(2, **twice)])
    assert caught.value.params == {"table": "events"}
    with pytest.raises(Conflict), store.transaction() as unit:
        unit.append_events(
            [event(1, id="x", command="y"), event(2, **{name: "xy"[name == "command"] for name in twice})]
        )
    with store.transaction() as unit:
        assert list(unit.events()) == [event(0)]
        unit.append_events([event(1, command=None), event(2, command=None)])  # any number answer no command


def test_events_come_by_seq_and_meet_every_condition(store: Store) -> None:
    """More of them than one page; each condition against a plain filter written here."""
    rows = [
        event(i, subject=f"s{i % 3}" if i % 10 else None, kind=f"k{i % 4}", workflow=f"w{i % 5}") for i in range(2_500)
    ]
    with store.transaction() as unit:
        unit.append_events(rows)
    with store.transaction(write=False) as unit:
        assert list(unit.events()) == rows
        assert list(unit.events(after=999)) == rows[1000:]
        assert list(unit.events(after=-5)) == rows
        assert list(unit.events(until=1000)) == rows[:1001]
        assert list(unit.events(after=1000, until=1000)) == []
        assert list(unit.events(after=9_999)) == []
        assert list(unit.events(subject="s1")) == [row for row in rows if row.subject == "s1"]
        assert list(unit.events(kind="k2")) == [row for row in rows if row.kind == "k2"]
        assert list(unit.events(subject="s2", kind="k2", after=20, until=2_000)) == [
            row for row in rows if row.subject == "s2" and row.kind == "k2" and 20 < row.seq <= 2_000
        ]
        assert list(unit.events(workflow="w3")) == [row for row in rows if row.workflow == "w3"]
        assert list(unit.events(subject="none")) == []


def test_the_event_of_a_command_is_found(store: Store) -> None:
    """So that a repeated command is answered, not done twice."""
    with store.transaction() as unit:
        unit.append_events([event(0), event(1, command=None), event(2)])
        assert unit.event_of_command("c2") == event(2)
        assert unit.event_of_command("c1") is None


_OVER, _EARLIER = '{"breaches":["over"]}', '{"happened":"2025-12-30"}'


def _mixed(i: int) -> EventRow:
    return event(
        i,
        subject=f"s{i % 7}" if i % 10 else None,
        org=f"o{i % 3}",
        kind=f"k{i % 4}",
        actor=f"a{i % 5}" if i % 6 else None,
        behalf="a1" if i % 11 == 3 else None,
        trigger="ask" if i % 2 else "give",
        at=moment(i // 2),
        on=f"2026-01-0{1 + i % 3}" if i % 4 else None,
        body=f"body {i} {({11: _OVER, 12: _EARLIER}).get(i % 50, '')}".encode(),
    )


@pytest.mark.parametrize(
    ("wanted", "plain"),
    [
        (EventSearch(), lambda _: True),
        (EventSearch(subjects=("s1",)), lambda r: r.subject == "s1"),
        (EventSearch(subjects=()), lambda _: False),
        (EventSearch(orgs=("o1", "o2"), kinds=("k3",)), lambda r: r.org in ("o1", "o2") and r.kind == "k3"),
        (EventSearch(officer="a1"), lambda r: "a1" in (r.actor, r.behalf)),
        (EventSearch(officer="a1", trigger="give"), lambda r: "a1" in (r.actor, r.behalf) and r.trigger == "give"),
        (EventSearch(breached=True), lambda r: b'"breaches":[' in r.body),
        (EventSearch(since=moment(100), until=moment(200)), lambda r: moment(100) <= r.at <= moment(200)),
        (EventSearch(since=moment(9_999)), lambda _: False),
        (EventSearch(until="2025"), lambda _: False),
        (
            EventSearch(late_turn="17:00"),
            lambda r: (
                HAPPENED in r.body or (r.on and (r.on < r.at[:10] or (r.on == r.at[:10] and r.at[11:16] >= "17:00")))
            ),
        ),
    ],
)
def test_a_search_gives_the_newest_events_that_meet_every_condition_page_after_page(
    store: Store, wanted: EventSearch, plain: Callable[[EventRow], bool]
) -> None:
    """Against a plain filter; two events share each minute; the pages join without a gap."""
    rows = [_mixed(i) for i in range(600)]
    with store.transaction() as unit:
        unit.append_events(rows)
    expected = [row for row in reversed(rows) if plain(row)]
    with store.transaction(write=False) as unit:
        assert list(unit.search_events(wanted, limit=1_000)) == expected
        found: list[EventRow] = []
        before = None
        while page := unit.search_events(wanted, before=before, limit=37):
            found += page
            before = page[-1].seq
        assert found == expected


JUDGED_IN = (3, 4, 300, 301, 511, 512, 1500, 1799)  # of 1,800 events: neighbouring blocks, a block alone, both ends


@pytest.mark.parametrize(
    "wanted",
    [
        EventSearch(rule="age"),
        EventSearch(rule="age", officer="a1"),
        EventSearch(rule="age", since=moment(2), until=moment(750)),
        EventSearch(rule="age", breached=True),
        EventSearch(rule="other"),
    ],
)
def test_a_search_by_rule_finds_every_event_in_which_it_was_judged(store: Store, wanted: EventSearch) -> None:
    """Against a plain filter, in one page and in pages of two; a rule with a like name is another."""

    def body(i: int) -> bytes:
        rule = "age" if i in JUDGED_IN else "average"
        return f'{i} ["{rule}","guard","pass",null] {_OVER if i in (5, 511) else ""}'.encode()

    rows = [replace(_mixed(i), body=body(i), actor="a1" if i % 2 else "a2") for i in range(1_800)]
    with store.transaction() as unit:
        unit.append_events(rows)
        unit.put_judged([JudgedRow(rule="age", block=i // BLOCK) for i in JUDGED_IN])
        unit.put_judged([JudgedRow(rule="average", block=i) for i in range(8)])
        unit.put_judged([JudgedRow(rule="age", block=0)])  # it stands already
    expected = [
        r
        for r in reversed(rows)
        if wanted.rule == "age"
        and r.seq in JUDGED_IN
        and (wanted.officer is None or "a1" in (r.actor, r.behalf))
        and (not wanted.breached or b'"breaches":[' in r.body)
        and (wanted.since or "") <= r.at <= (wanted.until or "~")
    ]
    with store.transaction(write=False) as unit:
        assert list(unit.judged_blocks("age")) == [7, 5, 2, 1, 0]
        assert list(unit.judged_blocks("none")) == []
        assert [(r.block, r.rule) for r in unit.judged(5, 7)] == [(5, "age"), (5, "average"), (6, "average")]
        assert list(unit.search_events(wanted, limit=1_000)) == expected
        found: list[EventRow] = []
        before = None
        while page := unit.search_events(wanted, before=before, limit=2):
            found += page
            before = page[-1].seq
        assert found == expected


def test_who_changed_after_a_day_is_told_by_the_day_of_an_event_or_else_by_its_time(store: Store) -> None:
    """Only those asked for, by events of the kinds asked for."""
    days = ["2026-01-01", "2026-01-02", "2026-01-03", None, None, "2026-01-09"]
    kinds = ["moved", "moved", "moved", "facts_set", "opened", "opened"]
    happened = zip(days, kinds, strict=True)
    with store.transaction() as unit:
        unit.append_events(
            [event(n, subject=f"s{n}", on=on, kind=kind, at=moment(1440 * n)) for n, (on, kind) in enumerate(happened)]
        )
        unit.append_events([event(6, subject=None, on="2026-02-01"), event(7, subject="s0", on="2026-01-01")])
    with store.transaction(write=False) as unit:
        everybody = [f"s{n}" for n in range(6)]
        assert unit.changed_after("2026-01-02", everybody, ("moved", "facts_set")) == {"s2", "s3"}
        assert unit.changed_after("2026-01-03", everybody, ("moved", "facts_set")) == {"s3"}
        assert unit.changed_after("2026-01-04", everybody, ("moved", "facts_set")) == set()
        assert unit.changed_after("2026-01-02", ["s0", "s3", "none"], ("facts_set",)) == {"s3"}
        assert unit.changed_after("2026-01-02", [], ("moved",)) == set()


@pytest.mark.parametrize("kinds", [None, ("moved",), ("moved", "refused"), ("never",)])
@pytest.mark.parametrize("orgs", [(), ("a", "b"), ("a", "b", "c", "none"), ("b",)])
def test_old_events_of_many_units_are_found_newest_first_however_long_the_trail(
    store: Store, orgs: tuple[str, ...], kinds: tuple[str, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the recent ones each unit is read by itself, a few events at a time; who reads no unit finds nothing."""
    monkeypatch.setattr(sql_search, "RECENT", 6)
    monkeypatch.setattr(sql_search, "FIRST_STRETCH", 3)
    made = [event(n, org="abcdd"[n * 7 % 5], kind=("moved", "refused")[n % 3 == 0]) for n in range(60)]
    with store.transaction() as unit:
        unit.append_events(made)
    fits = [e for e in reversed(made) if e.org in orgs and (kinds is None or e.kind in kinds)]
    wanted = EventSearch(orgs=orgs, kinds=kinds)
    with store.transaction(write=False) as unit:
        for limit in (1, 3, 10, 100):
            assert list(unit.search_events(wanted, limit=limit)) == fits[:limit]
            older = [e for e in fits if e.seq < 40]
            assert list(unit.search_events(wanted, before=40, limit=limit)) == older[:limit]
