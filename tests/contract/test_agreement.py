"""Memory and SQLite do the same: Hypothesis drives both with the same calls and compares what they answer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.core.errors import Conflict
from engine.store.memory import MemoryStore
from engine.store.ports import Store, Transaction
from engine.store.rows import KeyRow
from engine.store.sql import SqlStore
from engine.store.sqlite import SqliteDatabase
from tests.contract.samples import event, moment, notice, subject, timer

few = st.sampled_from
ids = few(["s0", "s1", "s2", "s3"])
times = st.integers(0, 5).map(moment)
maybe_times = st.none() | times
states = few(["queued", "claimed", "delivered"])

subjects = st.builds(
    subject,
    ids,
    workflow=few(["loan", "grant"]),
    state=few(["asked", "given"]),
    version=st.integers(1, 3),
    refers=st.none() | ids,
    unique_key=st.none() | few(["a", "b"]),
    org=few(["o1", "o2"]),
)
timers = st.builds(timer, ids, few(["a", "b"]), few(["1", "2"]), due_at=times, done_at=maybe_times)
notices = st.builds(
    notice,
    few([f"n{i}" for i in range(6)]),
    occurrence=few(["1", "2", "3"]),
    subject=ids,
    state=states,
    due_at=times,
    next_try_at=maybe_times,
    message=st.none() | few(["m1", "m2"]),
)


def everything(unit: Transaction) -> list[Any]:
    """Returns all that can be seen without arguments."""
    return [
        list(unit.find_subjects()),
        list(unit.events()),
        unit.head(),
        list(unit.timers(["s0", "s1", "s2", "s3"])),
        list(unit.due_timers(moment(3), 100)),
        unit.next_due(),
        list(unit.pending_subjects()),
        list(unit.outbox()),
        unit.next_try(),
        unit.outbox_counts(),
        unit.setting("a"),
        unit.keys(["k0", "k1"]),
    ]


class Agreement(RuleBasedStateMachine):
    """Two stores, a transaction open on both or on neither."""

    def __init__(self) -> None:
        super().__init__()
        self.stores: list[Store] = [MemoryStore(), SqlStore(SqliteDatabase(None))]
        self.managers: list[AbstractContextManager[Transaction]] = []
        self.units: list[Transaction] = []
        for store in self.stores:
            store.create()

    def teardown(self) -> None:
        self.leave(None)
        for store in self.stores:
            store.close()

    def leave(self, error: Exception | None) -> list[object]:
        """Ends the transactions, with an error or without; returns what each raised."""
        raised: list[object] = []
        for manager in self.managers:
            try:
                manager.__exit__(type(error) if error else None, error, None)
                raised.append(None)
            except Conflict as caught:
                raised.append((type(caught), caught.params))
        self.managers, self.units = [], []
        return raised

    def both(self, call: Callable[[Transaction], Any]) -> None:
        """Does the same to both; the answers, or the conflicts, must be the same. A conflict ends the transactions."""
        answers: list[object] = []
        for unit in self.units:
            try:
                got = call(unit)
                answers.append(got if isinstance(got, dict | int | str | None) else list(got))
            except Conflict as conflict:
                answers.append((type(conflict), conflict.message, conflict.params))
        assert answers[0] == answers[1]
        if isinstance(answers[0], tuple):
            self.leave(Conflict())

    @precondition(lambda self: not self.units)
    @rule()
    def begin(self) -> None:
        self.managers = [store.transaction() for store in self.stores]
        self.units = [manager.__enter__() for manager in self.managers]

    @precondition(lambda self: self.units)
    @rule(keep=few([True, True, False]))
    def end(self, keep: bool) -> None:
        raised = self.leave(None if keep else Conflict())
        assert raised[0] == raised[1]

    @precondition(lambda self: self.units)
    @rule(rows=st.lists(subjects, max_size=3))
    def insert_subjects(self, rows: list[Any]) -> None:
        self.both(lambda unit: unit.insert_subjects(rows))

    @precondition(lambda self: self.units)
    @rule(rows=st.lists(subjects, max_size=3, unique_by=lambda row: row.id))
    def update_subjects(self, rows: list[Any]) -> None:
        self.both(lambda unit: unit.update_subjects(rows, [max(row.version - 1, 1) for row in rows]))

    @precondition(lambda self: self.units)
    @rule(
        workflow=st.none() | few(["loan", "grant"]),
        orgs=st.none() | st.lists(few(["o1", "o2", "o3"])),
        states=st.none() | st.lists(few(["asked", "given"])),
        refers=st.none() | ids,
        unique_key=st.none() | few(["a", "b"]),
        after=few(["", "s0", "s1"]),
        limit=st.none() | st.integers(0, 3),
    )
    def find_subjects(self, **asked: Any) -> None:
        self.both(lambda unit: unit.find_subjects(**asked))

    @precondition(lambda self: self.units)
    @rule(gap=few([0, 0, 0, 1]), command=st.none() | few(["c1", "c2", "c3"]), of=st.none() | ids)
    def append_events(self, gap: int, command: str | None, of: str | None) -> None:
        self.both(lambda unit: unit.append_events([event(unit.head().size + gap, command=command, subject=of)]))

    @precondition(lambda self: self.units)
    @rule(
        subject=st.none() | ids,
        after=st.integers(-2, 4),
        until=st.none() | st.integers(0, 4),
        kind=st.none() | few(["moved", "none"]),
        command=few(["c1", "c2", "c3"]),
    )
    def read_events(self, command: str, **asked: Any) -> None:
        self.both(lambda unit: unit.events(**asked))
        self.both(lambda unit: [unit.event_of_command(command)])

    @precondition(lambda self: self.units)
    @rule(rows=st.lists(timers, max_size=4))
    def put_timers(self, rows: list[Any]) -> None:
        self.both(lambda unit: unit.put_timers(rows))

    @precondition(lambda self: self.units)
    @rule(rows=st.lists(timers, max_size=2))
    def delete_timers(self, rows: list[Any]) -> None:
        self.both(lambda unit: unit.delete_timers(rows))

    @precondition(lambda self: self.units)
    @rule(now=times, limit=st.integers(0, 3), of=st.lists(ids))
    def read_timers(self, now: str, limit: int, of: list[str]) -> None:
        self.both(lambda unit: unit.due_timers(now, limit))
        self.both(lambda unit: unit.timers(of))

    @precondition(lambda self: self.units)
    @rule(rows=st.lists(notices, max_size=4))
    def put_outbox(self, rows: list[Any]) -> None:
        self.both(lambda unit: unit.put_outbox(rows))

    @precondition(lambda self: self.units)
    @rule(row=notices)
    def update_outbox(self, row: Any) -> None:
        def change(unit: Transaction) -> None:
            if found := unit.outbox(ids=[row.id]):  # the key of a notice never changes
                unit.update_outbox(
                    [
                        notice(
                            row.id,
                            occurrence=found[0].occurrence,
                            subject=found[0].subject,
                            state=row.state,
                            due_at=row.due_at,
                            next_try_at=row.next_try_at,
                            message=row.message,
                        )
                    ]
                )

        self.both(change)

    @precondition(lambda self: self.units)
    @rule(
        ids=st.none() | st.lists(few(["n0", "n1", "n2"])),
        states=st.none() | st.lists(states),
        subject=st.none() | ids,
        message=st.none() | few(["m1", "m2"]),
        due=maybe_times,
        limit=st.none() | st.integers(0, 3),
    )
    def read_outbox(self, **asked: Any) -> None:
        self.both(lambda unit: unit.outbox(**asked))

    @precondition(lambda self: self.units)
    @rule(value=few(["1", "2"]), wrapped=st.none() | st.binary(max_size=3))
    def put_small(self, value: str, wrapped: bytes | None) -> None:
        self.both(lambda unit: unit.put_setting("a", value))
        self.both(lambda unit: unit.put_keys([KeyRow(id=f"k{value}", wrapped=wrapped)]))

    @invariant()
    def look_the_same(self) -> None:
        units = self.units
        if units:
            assert everything(units[0]) == everything(units[1])
            return
        seen = []
        for store in self.stores:
            with store.transaction(write=False) as unit:
                seen.append(everything(unit))
        assert seen[0] == seen[1]


Agreement.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAgreement = Agreement.TestCase
