"""What a test needs of the machine: where it is absent the test is skipped, or fails where nothing may be skipped."""

from __future__ import annotations

import os

import pytest


def need(condition: bool, reason: str) -> None:
    """Skips the running test unless `condition`; fails it instead where KETNAP_NO_SKIP=1 (continuous integration)."""
    if condition:
        return
    if os.environ.get("KETNAP_NO_SKIP") == "1":
        pytest.fail(f"needed here, since KETNAP_NO_SKIP=1: {reason}", pytrace=False)
    pytest.skip(reason)
