"""Several writers at once, in threads and in processes: no update is lost, none waits for ever."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import make_url

from engine.core.errors import Conflict, KetnapError
from engine.store.memory import MemoryStore
from engine.store.open import open_store
from engine.store.ports import Store
from engine.store.postgres import PostgresDatabase
from engine.store.sql import SqlStore
from engine.store.sqlite import SqliteDatabase
from tests.contract.samples import event, notice, subject

ROUNDS = 40


def count_up(store: Store, who: str, ready: Callable[[], object]) -> int:
    """Adds 1 to a setting, to a subject's version and to the trail, ROUNDS times; returns how many conflicts it met.

    The subject is read in a transaction of its own first, as a web form does it, so that conflicts do come up.
    """
    ready()
    conflicts = done = 0
    while done < ROUNDS:
        with store.transaction(write=False) as unit:
            read = unit.subjects(["s1"])["s1"]
        try:
            with store.transaction() as unit:
                unit.put_setting("count", str(int(unit.setting("count") or "0") + 1))
                unit.update_subjects([replace(read, version=read.version + 1)], [read.version])
                seq = unit.head().size
                unit.append_events([event(seq, id=f"{who}-{done}", command=f"{who}-{done}")])
        except Conflict:
            conflicts += 1
        else:
            done += 1
    return conflicts


def run_process(url: str, who: str, barrier: object) -> None:
    """Counts up in a process of its own."""
    store = open_store(url)
    count_up(store, who, barrier.wait)  # type: ignore[attr-defined]
    store.close()


def check_counted(store: Store, writers: int) -> None:
    """Everything was counted once, and the trail has no gap."""
    with store.transaction(write=False) as unit:
        assert unit.setting("count") == str(writers * ROUNDS)
        assert unit.subjects(["s1"])["s1"].version == 1 + writers * ROUNDS
        events = list(unit.events())
    assert [row.seq for row in events] == list(range(writers * ROUNDS))
    assert len({row.command for row in events}) == writers * ROUNDS


def test_threads_lose_no_update(store: Store) -> None:
    """Four threads on one store."""
    with store.transaction() as unit:
        unit.insert_subjects([subject()])
    barrier = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(count_up, store, str(i), barrier.wait) for i in range(4)]
        assert all(job.result(60) >= 0 for job in jobs)
    check_counted(store, 4)


def test_processes_lose_no_update(shared_url: str) -> None:
    """Three processes on one database."""
    store = open_store(shared_url)
    with store.transaction() as unit:
        unit.insert_subjects([subject()])
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(3)
    processes = [spawn.Process(target=run_process, args=(shared_url, str(i), barrier)) for i in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    check_counted(store, 3)
    store.close()


def test_two_workers_never_claim_the_same_notice(store: Store) -> None:
    """Reading what is queued and claiming it in one transaction is enough, on every store."""
    with store.transaction() as unit:
        unit.put_outbox([notice(f"n{i:02}") for i in range(60)])
    barrier = threading.Barrier(3)

    def claim() -> list[str]:
        barrier.wait()
        mine: list[str] = []
        while True:
            with store.transaction() as unit:
                queued = unit.outbox(states=["queued"], limit=4)
                unit.update_outbox([replace(row, state="claimed") for row in queued])
            if not queued:
                return mine
            mine += [row.id for row in queued]

    with ThreadPoolExecutor(3) as pool:
        claimed = [id_ for job in [pool.submit(claim) for _ in range(3)] for id_ in job.result(60)]
    assert sorted(claimed) == [f"n{i:02}" for i in range(60)]


def impatient(url: str, wait_s: float) -> Store:
    """Returns a store that waits only so long."""
    parsed = make_url(url)
    if parsed.drivername == "sqlite":
        return SqlStore(SqliteDatabase(Path(parsed.database or ""), wait_s), wait_s)
    return SqlStore(PostgresDatabase(parsed.set(drivername="postgresql+psycopg"), wait_s), wait_s)


def check_gives_up(holder: Store, waiter: Store) -> None:
    """While one writes, the other waits for its time and then raises Conflict; afterwards it writes."""

    def write() -> None:
        with waiter.transaction() as unit:
            unit.put_setting("a", "2")

    with ThreadPoolExecutor(1) as pool:
        with holder.transaction() as unit:
            unit.put_setting("a", "1")
            with pytest.raises(Conflict) as caught:
                pool.submit(write).result(20)
            assert caught.value.exit_code == 4
            assert caught.value.params == {"seconds": "0.2"}
        pool.submit(write).result(20)
    with holder.transaction(write=False) as unit:
        assert unit.setting("a") == "2"


def test_who_waits_too_long_gets_a_conflict(shared_url: str) -> None:
    """In another process, as it were: each store has its own connections."""
    holder, waiter = open_store(shared_url), impatient(shared_url, 0.2)
    check_gives_up(holder, waiter)
    holder.close()
    waiter.close()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_who_waits_too_long_in_memory_gets_a_conflict(kind: str) -> None:
    """Also where one connection, or the dictionaries, are shared by threads."""
    store: Store = MemoryStore(0.2) if kind == "memory" else SqlStore(SqliteDatabase(None), 0.2)
    store.create()
    check_gives_up(store, store)


def test_readers_do_not_wait_for_a_writer(shared_url: str) -> None:
    """A page is shown while a long import runs, in the same thread even."""
    store = open_store(shared_url)
    with store.transaction() as unit:
        unit.put_setting("a", "1")
        with store.transaction(write=False) as reader:
            assert reader.setting("a") is None
    store.close()


def test_a_connection_that_the_server_closed_is_replaced(postgres_url: str) -> None:
    """After a restart of the server the next transaction works; only the one that was under way fails."""
    store, other = open_store(postgres_url), open_store(postgres_url)
    store.create()
    with store.transaction() as unit:
        unit.put_setting("a", "1")
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert isinstance(other, SqlStore)
    with other.connection() as connection:
        connection.rows(kill, ())
    with store.transaction() as unit:
        assert unit.setting("a") == "1"

    def lose_it() -> None:
        with store.transaction() as unit:
            unit.put_setting("a", "2")
            with other.connection() as connection:
                connection.rows(kill, ())

    with pytest.raises(KetnapError):
        lose_it()
    with store.transaction() as unit:
        assert unit.setting("a") == "1"
    store.close()
    other.close()
