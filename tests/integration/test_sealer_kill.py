"""kill -9 of the sealer on PostgreSQL, in the midst of sealing: nothing acknowledged is lost, the next one goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from engine.clock import SetClock
from engine.core.commands import Start
from engine.steps import By
from engine.store.open import open_store
from engine.verifying import verify
from tests.integration.audit.lab import KEY
from tests.world import START, found_office, wire

ROOT = Path(__file__).parents[2]
EACH = 600  # events between two killings: two nodes of the tree or three


# Before it has read, having read, before, within and after the writing of the nodes.
POINTS = (("before", "rows"), ("after", "rows"), ("before", "run_many"), ("within", "run_many"), ("after", "run_many"))


def _sealer(url: str, when: str = "never", name: str = "") -> int:
    command = [sys.executable, "-m", "tests.integration.sealer_kill", url, when, name]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).returncode


def test_a_sealer_killed_at_any_call_leaves_a_trail_that_verifies_and_is_sealed_on(postgres_url: str) -> None:
    """A process of its own dies before, within and after each statement, writers go on, and all that was acknowledged
    is there; a checkpoint signed meanwhile holds."""
    store = open_store(postgres_url)
    service = found_office(store, SetClock(START), ("candidate",))
    service.kit.signer = lambda: KEY
    acknowledged: list[str] = []
    notes: list[bytes] = []

    def write() -> None:
        n = len(acknowledged)
        starts = [
            Start(workflow="candidate", id=f"p{i}", org="cb1", facts={"full_name": f"Người {i}"})
            for i in range(n, n + EACH)
        ]
        acknowledged.extend(a.event or "" for a in service.start_many(starts, By(officer="cb1_clerk")))
        notes.append(service.trail.sign().note.encode())

    def look(*, full: bool) -> None:
        beside = wire(open_store(postgres_url), SetClock(START))
        beside.kit.store.check()
        report = verify(beside, checkpoints=notes, key=KEY.verifier, full=full)
        assert report.problems == []
        with beside.work() as work:
            assert set(acknowledged) <= {e.id for e in work.tx.events()}
        beside.kit.store.close()

    for when, name in POINTS:
        write()
        assert _sealer(postgres_url, when, name) == -signal.SIGKILL, (when, name)
        look(full=False)
        if when == "within":  # else the next sealer finds what several left behind
            assert _sealer(postgres_url) == 0
    assert _sealer(postgres_url) == 0
    with store.transaction(write=False) as tx:
        assert len(tx.hashes(8, 0, 1_000)) == tx.head().size // 256
    look(full=True)
    store.close()
