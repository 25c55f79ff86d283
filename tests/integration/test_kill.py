"""kill -9 at random moments of a busy loop of steps, ticks and deliveries: no step that was answered is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.need import need

ROOT = Path(__file__).parents[2]


def kill(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    """Runs the loop in a process of its own, which forks what it kills; returns what it found."""
    need(hasattr(os, "fork"), "processes are forked here")
    command = [sys.executable, "-m", "tests.integration.kill_loop", str(folder), str(kills), str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def check(found: dict[str, Any], kills: int) -> None:
    """Nothing is wrong, and enough was going on for that to mean something."""
    assert found["problems"] == []
    assert found["kills"] == kills
    assert found["acknowledged"] > kills
    assert found["sent"] > 0


def test_200_kills_lose_no_acknowledged_step(tmp_path: Path) -> None:
    """The database opens, every acknowledged event is there, the trail verifies, a repeated command counts once."""
    check(kill(tmp_path, 200, 1), 200)


@pytest.mark.soak
def test_2000_kills_lose_no_acknowledged_step(tmp_path: Path) -> None:
    """The long form."""
    check(kill(tmp_path, 2000, int.from_bytes(os.urandom(4), "big")), 2000)
