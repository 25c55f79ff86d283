"""A full disk, and the end of the process, at every write of steps, checkpoints and backups."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.core.errors import DiskFull
from engine.store.open import open_store
from engine.store.sql import SqlStore
from engine.verifying import verify
from tests.integration.kill_loop import give
from tests.need import need
from tests.world import START, found_office

ROOT = Path(__file__).parents[2]


def attempts(folder: Path, share: int) -> dict[str, Any]:
    """Runs the attempts in a process of their own; returns what was found."""
    need(sys.platform == "linux", "the size of files is limited here as on Linux")
    command = [sys.executable, "-m", "tests.integration.full_disk", str(folder), str(share)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["problems"] == []
    assert found["stopped"] > found["attempts"] // 2  # most places lie on the way
    assert found["acknowledged"] > 0
    assert found["sealed"] > 0
    return found


def test_at_a_share_of_all_writes_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """It opens, verifies, goes on; that the disk is full is told in Vietnamese; a backup is whole or not there."""
    assert attempts(tmp_path, 40)["attempts"] > 20


@pytest.mark.soak
def test_at_every_write_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """The long form."""
    assert attempts(tmp_path, 1)["attempts"] > 800


def test_a_database_that_may_not_grow_refuses_and_goes_on_once_it_may(tmp_path: Path) -> None:
    """SQLite's own limit on pages, raised by one after each refusal."""
    from engine.clock import SetClock

    store = open_store(f"sqlite:///{tmp_path / 'k.db'}")
    service = found_office(store, SetClock(START), ("candidate", "monthly_review"))
    assert isinstance(store, SqlStore)

    def limit(pages: int) -> None:
        with store.connection() as connection:
            connection.rows(f"PRAGMA max_page_count = {pages}", ())

    with store.connection() as connection:
        ((pages,),) = connection.rows("PRAGMA page_count", ())
    refused = n = 0
    while n < 16:
        limit(pages + refused)
        try:
            give(service, n)
        except DiskFull:
            refused += 1
            continue
        n += 1
    assert refused > 3
    limit(1 << 30)
    assert verify(service).problems == []
    store.close()
