"""`notices`: from a timer that is due to a message handed over, beside a bare loop over the outbox table; and counts of
what becomes of notices when everything fails that can."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from benchmarks import faults
from benchmarks.floor import connect
from benchmarks.measure import Figure, Result, Sizes, alternate, timed
from benchmarks.tick import AT, DUE
from benchmarks.town import NOW, found, fresh, open_town, populate
from engine.core.calendar import add_months
from engine.core.events import stamp
from notifications.channels.record import RecordChannel
from notifications.worker import Worker

FLOOR = "a bare loop over the outbox table: claim all in one commit, then for each keep the text and commit `accepted`"


def run(folder: Path, sizes: Sizes) -> Result:
    """Notices to as many officers, so that each is a message of its own, on a channel that only records."""
    due = _due(folder, sizes.notices)
    queued = folder / "queued.db"
    shutil.copyfile(due, queued)
    town = open_town(queued, at=AT)
    town.service.tick()
    town.close()

    def ours(file: Path, tick: bool) -> float:
        with fresh(file, folder) as copy:
            town = open_town(copy, at=AT)
            channel = RecordChannel()
            try:
                town.service.next_due()  # definitions and office are read once a process
                start = time.perf_counter()
                if tick:
                    town.service.tick()
                Worker(town.service, {"email": channel}).deliver()
                seconds = time.perf_counter() - start
            finally:
                town.close()
            _check(len(channel.sent), sizes.notices)
            return seconds

    def base() -> float:
        with fresh(queued, folder) as copy:
            sent: list[bytes] = []
            seconds = timed(lambda: bare_loop(copy, sent))
            _check(len(sent), sizes.notices)
            return seconds

    figures = [
        alternate(
            name,
            "notice",
            ours=lambda file=file, tick=tick: ours(file, tick),  # type: ignore[misc]  # bound now, called in the loop
            floor=base,
            count=sizes.notices,
            rounds=sizes.batch_rounds,
        )
        for name, file, tick in (("tick and worker", due, True), ("worker alone", queued, False))
    ]
    title = f"{sizes.notices:,} notices, each a message of its own"
    return Result(name="notices", title=title, floor=FLOOR, figures=figures, counts=_counts(folder, sizes, figures))


def _counts(folder: Path, sizes: Sizes, figures: Sequence[Figure]) -> dict[str, int]:
    """Returns notices per second, and what becomes of notices under faults (see `benchmarks.faults`)."""
    whole, worker = figures
    (under := folder / "faults").mkdir()
    played = faults.play(under, sizes.faulty, idempotent=False, speed=faults.SPEED, patience_s=60 + sizes.faulty)
    played.service.kit.store.close()
    return {
        "notices per second, tick and worker": round(1 / whole.ours),
        "notices per second, the worker alone": round(1 / worker.ours),
        "notices per second, the bare loop": round(1 / worker.floor),
        "under faults: notices": len(played.rows),
        "under faults: doubled": played.doubled,
        "under faults: lost": played.lost,
        "under faults: unknown, all listed for a person": played.unknown,
        "under faults: workers killed": played.killed,
        "under faults: notices per second": round(len(played.rows) / played.seconds),
    }


def _check(sent: int, wanted: int) -> None:
    if sent != wanted:
        raise RuntimeError(f"{wanted} notices were to be sent, {sent} were")


def bare_loop(file: Path, sent: list[bytes]) -> None:
    """Delivers what is queued by hand, with the claim before the sending and the outcome after it."""
    db = connect(file)
    try:
        db.execute("BEGIN IMMEDIATE")
        wanted = "state = 'queued' AND next_try_at <= ? ORDER BY due_at, id"
        rows = db.execute(f"SELECT id, sealed FROM outbox WHERE {wanted}", (stamp(AT),)).fetchall()
        db.executemany(
            "UPDATE outbox SET state = 'claimed', message = id, attempts = attempts + 1 WHERE id = ?",
            [(id,) for id, _ in rows],
        )
        db.execute("COMMIT")
        for id, text in rows:
            sent.append(text)
            db.execute("BEGIN IMMEDIATE")
            db.execute(
                "UPDATE outbox SET state = 'accepted', next_try_at = NULL, sent_at = ? WHERE id = ?", (stamp(AT), id)
            )
            db.execute("COMMIT")
    finally:
        db.close()


def _due(folder: Path, count: int) -> Path:
    """Makes a town of as many branches, each with a secretary and a candidate; returns its closed file."""
    town = open_town(folder / "due.db", at=NOW)
    found(town, count, told=True)
    runs_out = DUE + timedelta(days=90)
    populate(town, range(count), count, lambda _: add_months(runs_out, -60))
    town.close()
    return town.file
