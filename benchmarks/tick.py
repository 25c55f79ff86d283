"""`tick`: what one turn of the clock costs when many timers stand that are not due."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from benchmarks.floor import TIMER, connect
from benchmarks.measure import Result, Sizes, alternate, timed
from benchmarks.town import NOW, Town, found, open_town, populate
from engine.core.calendar import add_months
from engine.core.events import stamp

DUE = date(2025, 9, 16)  # a Tuesday; 90 days before it the certificates' first notice falls due
AT = datetime(2025, 9, 16, 3, 0, 0, tzinfo=NOW.tzinfo)
EARLIER = NOW + timedelta(hours=1)
LATER = date(2026, 2, 1)  # from here on fall the timers that are not due
BRANCHES = 20


def run(folder: Path, sizes: Sizes) -> Result:
    """A tick with `due` notices among many timers, and with as many among few; the same with nothing due."""
    if sizes.few < 5 * sizes.due:
        raise ValueError("each candidate with a notice due has five timers, which are to be among the few")
    few, many = _files(folder, sizes)
    towns = [open_town(file, at=EARLIER) for file in (few, many)]
    try:
        for town in towns:
            town.service.tick()  # opens what opens by itself, once
        idle = alternate(
            "tick, nothing due",
            "tick",
            ours=lambda: timed(lambda: _idle(towns[1])),
            floor=lambda: timed(lambda: _idle(towns[0])),
            count=_IDLE,
            rounds=sizes.rounds,
            aim=1.5,
        )
        for town in towns:
            town.clock.set(AT)
        busy = alternate(
            f"tick, {sizes.due:,} due",
            "notice due",
            ours=lambda: _busy(towns[1], sizes.due),
            floor=lambda: _busy(towns[0], sizes.due),
            count=sizes.due,
            rounds=sizes.rounds,
            aim=1.5,
        )
    finally:
        for town in towns:
            town.close()
    return Result(
        name="tick",
        title=f"A tick among {sizes.many:,} timers",
        floor=f"the same tick among {sizes.few:,} timers",
        figures=[busy, idle],
    )


_IDLE = 20  # ticks a round


def _idle(town: Town) -> None:
    for _ in range(_IDLE):
        if town.service.tick():
            raise RuntimeError("something was due")


def _busy(town: Town, due: int) -> float:
    seconds = timed(town.service.tick)
    db = connect(town.file)
    try:
        (written,) = db.execute("SELECT count(*) FROM outbox").fetchone()
        (outcomes,) = db.execute("SELECT count(*) FROM timers WHERE done_at = ? AND outcome = 'sent'", _at()).fetchone()
        if (written, outcomes) != (due, due):
            raise RuntimeError(f"{due} notices were due, {outcomes} done, {written} in the outbox")
        # Armed again by hand, so that every round finds the same file.
        db.execute("UPDATE timers SET done_at = NULL, outcome = NULL WHERE done_at = ?", _at())
        db.execute("DELETE FROM outbox")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        db.close()
    return seconds


def _at() -> tuple[str]:
    return (stamp(AT),)


def _files(folder: Path, sizes: Sizes) -> tuple[Path, Path]:
    """Makes a town with the notices that will be due, and two files of it with timers of others beside them."""
    town = open_town(folder / "few.db", at=NOW)
    found(town, BRANCHES)
    runs_out = DUE + timedelta(days=90)
    populate(town, range(sizes.due), BRANCHES, lambda _: add_months(runs_out, -60))
    town.close()
    many = folder / "many.db"
    shutil.copyfile(town.file, many)
    for file, total in ((town.file, sizes.few), (many, sizes.many)):
        _fill(file, total, sizes.due)
    return town.file, many


def _fill(file: Path, total: int, first: int) -> None:
    """Adds timers of subjects that nobody will ask for, up to a number in all."""
    db = connect(file)
    try:
        (stand,) = db.execute("SELECT count(*) FROM timers").fetchone()
        db.execute("BEGIN")
        db.executemany(f"INSERT INTO timers ({TIMER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _others(total - stand, first))
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        db.close()


def _others(count: int, first: int) -> Iterator[tuple[str | None, ...]]:
    for n in range(count):
        # A factor without a common divisor scatters the days over ten years in another order than the ids.
        day = (LATER + timedelta(days=n * 7919 % 3650)).isoformat()
        at, occurrence = f"{day}T00:30:00.000000Z", f"{day}/90_days_before"
        yield (f"candidate-{first + n}", "certificate_expiring", occurrence, "notice", at, stamp(NOW), None, None)
