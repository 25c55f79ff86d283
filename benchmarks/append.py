"""`append`: writing events with the tree, beside writing them with the hash link alone."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Result, Sizes, alternate, timed
from benchmarks.trail import rows
from engine.store.open import open_store
from engine.store.sql import SqlStore

FLOOR = "the same store writing the same events, hashed and linked, without the nodes of the tree"
EACH = 300  # events in transactions of their own a round
MANY = 20_000  # events in one transaction a round


def run(folder: Path, sizes: Sizes) -> Result:
    """One event a transaction, and many in one."""
    ours, floor = (_store(folder / f"{name}.db") for name in ("tree", "link"))
    floor.database.seals_apart = True  # the nodes are left to a sealer, which does not run
    each, many = min(EACH, 10 * sizes.steps), min(MANY, 2 * sizes.batch)
    try:
        figures = [
            alternate(
                name,
                "event",
                ours=lambda n=n, batch=batch: _append(ours, n, batch),  # type: ignore[misc]
                floor=lambda n=n, batch=batch: _append(floor, n, batch),  # type: ignore[misc]
                count=n,
                rounds=sizes.rounds,
                aim=1.2,
            )
            for name, n, batch in (("one event a transaction", each, 1), ("many in one", many, many))
        ]
    finally:
        ours.close()
        floor.close()
    return Result(name="append", title="Appending to the trail", floor=FLOOR, figures=figures)


def _store(file: Path) -> SqlStore:
    store = open_store(f"sqlite:///{file}")
    assert isinstance(store, SqlStore)
    store.create()
    return store


def _append(store: SqlStore, n: int, batch: int) -> float:
    with store.transaction(write=False) as tx:
        head = tx.head()
    made = rows(head.size, n, head.link)

    def work() -> None:
        for at in range(0, n, batch):
            with store.transaction() as tx:
                tx.append_events(made[at : at + batch])

    return timed(work)
