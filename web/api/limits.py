"""Limits: how often an account or an address may ask."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from web.api.problems import TooMany

REMEMBERED = 10_000  # accounts and addresses


@dataclass(frozen=True)
class Rate:
    """So many requests at once, and so many more every minute."""

    at_once: int
    a_minute: int


ACCOUNT = Rate(120, 600)
ADDRESS = Rate(400, 2_400)  # many officers may share one
FAILED = Rate(20, 10)  # tokens that are none, by address


class Buckets:
    """What is left to each account or address, in memory: a bucket that fills up again."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._lock = now, threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str, rate: Rate, *, cost: float = 1.0) -> None:
        """Takes a request out of somebody's bucket; at cost 0 it only looks. Raises TooMany when it is empty."""
        now, each = self._now(), rate.a_minute / 60
        with self._lock:
            left, at = self._left.get(who, (float(rate.at_once), now))
            left = min(float(rate.at_once), left + (now - at) * each)
            if left < 1:
                raise TooMany(max(1, round((1 - left) / each)))
            self._left[who] = (left - cost, now)
            self._left.move_to_end(who)
            while len(self._left) > REMEMBERED:
                self._left.popitem(last=False)
