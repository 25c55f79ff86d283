"""The ticker: wakes for what is due, survives what fails, stops when asked."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.clock import SystemClock
from engine.core.errors import Conflict
from engine.scheduler import Ticker

WAIT_S = 20.0  # for a thread to get its turn on a busy machine


class Due:
    """What a ticker needs of the one door, with one thing due shortly."""

    def __init__(self, *, due_in_s: float | None, fail: int = 0) -> None:
        self.kit: Any = self
        self.clock = SystemClock()
        self._due = None if due_in_s is None else self.clock.now() + timedelta(seconds=due_in_s)
        self._fail = fail
        self.ticks: list[datetime] = []
        self.ticked = threading.Semaphore(0)

    def tick(self) -> int:
        self.ticks.append(self.clock.now())
        self.ticked.release()
        if self._fail:
            self._fail -= 1
            raise Conflict()
        return 0

    def next_due(self) -> datetime | None:
        return None if self._due is None or self._due <= self.clock.now() else self._due


def _running(ticker: Ticker) -> tuple[threading.Thread, threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=ticker.run, args=(stop,))
    thread.start()
    return thread, stop


def test_it_ticks_at_once_wakes_for_what_is_due_before_the_pulse_and_stops_when_asked() -> None:
    door = Due(due_in_s=1.2)
    thread, stop = _running(Ticker(door, pulse_s=600))  # type: ignore[arg-type]
    try:
        assert door.ticked.acquire(timeout=WAIT_S)
        assert door.ticked.acquire(timeout=WAIT_S), "nothing but the scheduler can have woken it"
    finally:
        stop.set()
        thread.join(WAIT_S)
    assert not thread.is_alive()
    assert door.ticks[1] - door.ticks[0] >= timedelta(seconds=1)


def test_the_pulse_ticks_though_nothing_is_known_to_be_due() -> None:
    door = Due(due_in_s=None)
    thread, stop = _running(Ticker(door, pulse_s=0.05))  # type: ignore[arg-type]
    try:
        assert all(door.ticked.acquire(timeout=WAIT_S) for _ in range(4))
    finally:
        stop.set()
        thread.join(WAIT_S)


def test_a_tick_that_fails_is_tried_again_at_the_next_waking() -> None:
    door = Due(due_in_s=None, fail=2)
    delivered = threading.Event()

    def deliver() -> int:
        delivered.set()
        return 1

    thread, stop = _running(Ticker(door, deliver, pulse_s=0.05))  # type: ignore[arg-type]
    try:
        assert delivered.wait(WAIT_S)
    finally:
        stop.set()
        thread.join(WAIT_S)
    assert len(door.ticks) >= 3


def test_what_is_due_far_off_is_left_to_the_pulse() -> None:
    door = Due(due_in_s=3600)
    ticker = Ticker(door, pulse_s=30)  # type: ignore[arg-type]
    ticker.once()
    assert ticker._scheduler.get_jobs() == []
    assert door.ticks[0] <= datetime.now(UTC)


def test_a_fault_of_the_program_in_a_delivery_does_not_end_the_ticking(caplog: pytest.LogCaptureFixture) -> None:
    """One broken turn is logged with its place; the next comes all the same."""
    door = Due(due_in_s=None)

    def deliver() -> int:
        raise ZeroDivisionError

    ticker = Ticker(door, deliver, pulse_s=30)  # type: ignore[arg-type]
    ticker.once()
    ticker.once()
    assert len(door.ticks) == 2
    assert "ZeroDivisionError" in caplog.text
