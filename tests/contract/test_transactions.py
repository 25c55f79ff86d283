"""What a transaction writes is read back in it, seen by nobody else before the commit, and gone after an error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from engine.core.errors import Conflict
from engine.store.faults import Misuse
from engine.store.memory import MemoryStore
from engine.store.open import open_store
from engine.store.ports import Store, Transaction
from engine.store.rows import DayRow, KeyRow
from engine.store.sql import SqlStore
from tests.contract.samples import event, moment, notice, subject, timer


class Stop(Exception):
    """Raised by a test to end a transaction."""


def write_everything(unit: Transaction) -> None:
    """Changes every kind of thing that `fill` made, and adds to it."""
    unit.put_setting("name", "new")
    unit.put_days([DayRow(day="2026-01-01", off=False), DayRow(day="2026-01-02", off=True)])
    unit.put_keys([KeyRow(id="k1", wrapped=None, erased_at=moment(3)), KeyRow(id="k2", wrapped=b"2")])
    unit.update_subjects([subject("s1", version=2, state="given", refers=None, unique_key="other")], [1])
    unit.insert_subjects([subject("s2", unique_key="one", refers="s1")])
    unit.append_events([event(1), event(2, subject="s2")])
    unit.put_timers([timer("s1", done_at=moment(11)), timer("s2")])
    unit.delete_timers([timer("s1", "early")])
    unit.update_outbox([notice("n1", state="delivered", next_try_at=None, message="m1")])
    assert unit.put_outbox([notice("n2", next_try_at=moment(12))]) == 1


def write_in_vain(store: Store) -> None:
    """Changes everything and then fails."""
    with store.transaction() as unit:
        write_everything(unit)
        raise Stop


def fill(unit: Transaction) -> None:
    """Writes one thing of each kind."""
    unit.put_setting("name", "old")
    unit.put_days([DayRow(day="2026-01-01", off=True)])
    unit.put_keys([KeyRow(id="k1", wrapped=b"1")])
    unit.insert_subjects([subject("s1", unique_key="one", refers="s0")])
    unit.append_events([event(0)])
    unit.put_timers([timer("s1"), timer("s1", "early", due_at=moment(1))])
    unit.put_outbox([notice("n1")])


def seen(unit: Transaction) -> list[object]:
    """Returns all that reading shows, by every way of asking."""
    return [
        unit.setting("name"),
        list(unit.days()),
        unit.keys(["k1", "k2"]),
        unit.subjects(["s1", "s2"]),
        list(unit.find_subjects()),
        list(unit.find_subjects(refers="s0")),
        list(unit.find_subjects(refers="s1")),
        list(unit.find_subjects(workflow="loan", unique_key="one")),
        unit.head(),
        list(unit.events()),
        list(unit.events(subject="s1")),
        list(unit.events(subject="s2")),
        unit.event_of_command("c1"),
        list(unit.timers(["s1", "s2"])),
        list(unit.due_timers(moment(60), 10)),
        unit.next_due(),
        list(unit.pending_subjects()),
        list(unit.outbox()),
        list(unit.outbox(subject="s1")),
        list(unit.outbox(message="m1")),
        list(unit.outbox(due=moment(60))),
        unit.next_try(),
        unit.outbox_counts(),
    ]


def test_what_is_written_is_read_back_in_the_same_transaction_and_after_it(store: Store) -> None:
    """Every way of reading shows the changed rows, before the commit as after it."""
    with store.transaction() as unit:
        fill(unit)
        before = seen(unit)
        write_everything(unit)
        after = seen(unit)
    with store.transaction(write=False) as unit:
        assert seen(unit) == after
    changed = [old != new for old, new in zip(before, after, strict=True)]
    assert all(changed), f"write_everything must change all that is seen; it did not change {changed.index(False)}"


def test_an_error_leaves_nothing(store: Store) -> None:
    """After an error in the block everything reads as it did before the transaction."""
    with store.transaction() as unit:
        fill(unit)
    with store.transaction(write=False) as unit:
        before = seen(unit)
    with pytest.raises(Stop):
        write_in_vain(store)
    with store.transaction(write=False) as unit:
        assert seen(unit) == before
    with store.transaction() as unit:  # and the same can be done again
        write_everything(unit)
        assert seen(unit) != before


def test_a_conflict_that_is_caught_inside_still_loses_the_transaction(store: Store) -> None:
    """A program that swallows a Conflict does not get half of its changes kept."""
    with store.transaction() as unit:
        fill(unit)

    def swallow() -> None:
        with store.transaction() as unit:
            unit.put_setting("name", "half")
            with suppress(Conflict):
                unit.update_subjects([subject("s1", version=9)], [8])

    with pytest.raises(Conflict):
        swallow()
    with store.transaction(write=False) as unit:
        assert unit.setting("name") == "old"


def test_a_transaction_is_of_no_use_after_its_block(store: Store) -> None:
    """Reading and writing are refused once the block is left."""
    with store.transaction() as unit:
        fill(unit)
    with pytest.raises(Misuse):
        unit.setting("name")
    with pytest.raises(Misuse):
        unit.put_setting("name", "late")
    with pytest.raises(Misuse):
        list(unit.events())


def test_a_reading_transaction_does_not_write(store: Store) -> None:
    """Each way of writing is refused, and nothing is changed."""
    with store.transaction() as unit:
        fill(unit)
        before = seen(unit)
    with store.transaction(write=False) as unit:
        attempts: list[Callable[[Transaction], object]] = [
            lambda u: u.put_setting("name", "new"),
            lambda u: u.put_keys([KeyRow(id="k9", wrapped=None)]),
            lambda u: u.insert_subjects([subject("s9")]),
            lambda u: u.update_subjects([subject("s1", version=2)], [1]),
            lambda u: u.append_events([event(1)]),
            lambda u: u.put_timers([timer("s9")]),
            lambda u: u.delete_timers([timer("s1")]),
            lambda u: u.put_outbox([notice("n9")]),
            lambda u: u.update_outbox([notice("n1", state="failed")]),
        ]
        for attempt in attempts:
            with pytest.raises(Misuse):
                attempt(unit)
        assert seen(unit) == before


def test_writing_inside_writing_in_one_thread_is_refused_at_once(store: Store) -> None:
    """It could only wait for itself."""
    with store.transaction() as unit:
        with pytest.raises(Misuse), store.transaction():
            pass
        fill(unit)
    with store.transaction(write=False) as unit:
        assert unit.setting("name") == "old"


def test_others_see_nothing_before_the_commit(store: Store) -> None:
    """A reader in another thread sees all or nothing: the state before the commit, or waits for it."""
    with store.transaction() as unit:
        fill(unit)
        before = seen(unit)
    begun, finish = threading.Event(), threading.Event()
    states: list[list[object]] = []

    def write() -> None:
        with suppress(Stop), store.transaction() as unit:
            write_everything(unit)
            begun.set()
            finish.wait(20)
            raise Stop

    def read() -> None:
        with store.transaction(write=False) as unit:
            states.append(seen(unit))
            finish.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert begun.wait(20)
    if isinstance(store, MemoryStore) or (isinstance(store, SqlStore) and store.database.single):
        finish.set()  # one at a time: the reader waits for the writer's end
    reader = threading.Thread(target=read)
    reader.start()
    reader.join(20)
    writer.join(20)
    assert states == [before]


def test_a_reading_transaction_sees_one_moment(store: Store) -> None:
    """What another thread commits meanwhile is not seen; where only one transaction may run, the other waits."""
    with store.transaction() as unit:
        fill(unit)
    writer = threading.Thread(target=lambda: write_alone(store))
    with store.transaction(write=False) as unit:
        before = seen(unit)
        writer.start()
        writer.join(0.3)  # long enough to commit where it can; the promise holds whether it could or not
        assert seen(unit) == before
    writer.join(20)
    with store.transaction(write=False) as unit:
        assert seen(unit) != before


def write_alone(store: Store) -> None:
    """Writes in a transaction of its own."""
    with store.transaction() as unit:
        write_everything(unit)


def test_rows_come_back_as_they_were_written(store: Store) -> None:
    """Vietnamese letters, every byte, empty texts and unknowns survive."""
    odd = subject(
        "s-đ-😀",
        facts_json='{"name": "Nguyễn Thị Hạnh \\" \' % ; -- ?"}',
        sealed=bytes(range(256)),
        refers="",
        unique_key=None,
        org="%s ? :x",
    )
    bare = replace(odd, id="", sealed=None, refers=None)
    with store.transaction() as unit:
        unit.insert_subjects([odd, bare])
        unit.put_outbox([notice(urgent=True), notice("n2", urgent=False, detail="")])
    with store.transaction(write=False) as unit:
        assert unit.subjects([odd.id, ""]) == {odd.id: odd, "": bare}
        assert list(unit.outbox()) == [notice(urgent=True), notice("n2", urgent=False, detail="")]
        assert [row.urgent for row in unit.outbox()] == [True, False]
        assert all(type(row.urgent) is bool for row in unit.outbox())


@pytest.mark.parametrize("url", ["memory:", "sqlite://"])
def test_a_store_in_memory_is_empty_each_time(url: str) -> None:
    """Two stores in memory know nothing of each other."""
    one, other = open_store(url), open_store(url)
    for opened in (one, other):
        opened.create()
    with one.transaction() as unit:
        unit.put_setting("name", "one")
    with other.transaction(write=False) as unit:
        assert unit.setting("name") is None
