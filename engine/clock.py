"""The one place where the machine's clock is read."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time. Passed to whatever needs it."""

    def now(self) -> datetime:
        """Returns the time, aware, in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Returns the time, aware, in UTC."""
        return datetime.now(UTC)


class SetClock:
    """A clock that stands where it was set: for scenarios, the forecast and sandboxes."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """Returns the time it was set to, in UTC."""
        return self._at

    def set(self, at: datetime) -> None:
        """Sets the clock, forward only. Raises ValueError for a time before."""
        if at < self._at:
            raise ValueError(f"the clock stands at {self._at}, it does not go back to {at}")
        self._at = at.astimezone(UTC)


class ShiftedClock:
    """A sandbox's clock: begins at a given time and goes on with the machine's."""

    def __init__(self, start: datetime, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._start, self._monotonic, self._from = start.astimezone(UTC), monotonic, monotonic()

    def now(self) -> datetime:
        """Returns the start plus what has passed since, in UTC."""
        return self._start + timedelta(seconds=self._monotonic() - self._from)
