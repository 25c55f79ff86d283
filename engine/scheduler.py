"""The clock's hand: APScheduler, in memory, wakes one ticker when something falls due. It stores nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

from engine.clock import SystemClock
from engine.core.errors import KetnapError
from engine.service import Service

PULSE_S = 30.0  # looks at least so often, whatever the machine's clock does meanwhile

log = logging.getLogger("ketnap.scheduler")


class Ticker:
    """Ticks when something is due. What is due stands in the database; the scheduler only keeps the next waking.

    A pulse by the monotonic clock wakes it besides, so that a system clock that was put back, or what another process
    planned meanwhile, delays nothing by more than `pulse_s`. `deliver` is called after each tick: the worker, or None.
    """

    def __init__(self, service: Service, deliver: Callable[[], int] | None = None, *, pulse_s: float = PULSE_S) -> None:
        self._service, self._deliver, self._pulse_s = service, deliver, pulse_s
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(1)},
            # its default drops a waking that comes a second late, for ever
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._turn = threading.Lock()
        self._waking: datetime | None = None
        self._stopping = False

    def run(self, stop: threading.Event) -> None:
        """Ticks until `stop` is set. What fails is logged and tried again at the next waking."""
        self._scheduler.start()
        try:
            self.once()
            while not stop.wait(self._pulse_s):
                self.once()
        finally:
            with self._turn:
                self._stopping = True
            self._scheduler.remove_all_jobs()  # APScheduler stumbles over a job that falls due while it stops
            self._scheduler.shutdown(wait=True)

    def once(self) -> None:
        """Ticks, delivers, and has itself woken when there is next something to do."""
        with self._turn:
            try:
                done = self._service.tick()
                sent = self._deliver() if self._deliver is not None else 0
                if done or sent:
                    log.info("ticked: %d done, %d messages tried", done, sent)
                self._wake_next()
            except KetnapError as error:
                log.error("the tick failed and is tried again: %s", error.text())
            except Exception:  # a fault of the program in one turn must not end the office's reminders
                log.exception("the tick failed and is tried again")

    def _wake_next(self) -> None:
        due = self._service.next_due()
        if due is None or self._stopping:
            return
        wait = max(due - self._service.kit.clock.now(), timedelta(seconds=1))
        if wait >= timedelta(seconds=self._pulse_s):
            return  # the pulse comes first
        now = SystemClock().now()  # a sandbox's clock may stand elsewhere than the machine's
        at = now + wait
        if self._waking is not None and now < self._waking <= at:
            return
        self._waking = at
        self._scheduler.add_job(self.once, DateTrigger(at))
