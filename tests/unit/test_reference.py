"""What is generated from the models is current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from engine.core.reference import ORDER

ROOT = Path(__file__).parents[2]


def test_the_reference_and_the_schemas_are_current():
    """Whoever changes the grammar runs scripts/make-reference."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/make-reference"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_key_of_a_workflow_file_is_explained():
    """A key without a word of explanation is a key nobody can use."""
    silent = [f"{m.__name__}.{n}" for m in ORDER for n, f in m.model_fields.items() if not f.description]
    assert silent == []
