"""Limits: how often an account or an address may ask, how much may be sent, and how slowly."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.api.problems import TooMany, TooMuch, TooSlow

BODY_LIMIT = 512_000  # bytes of JSON
FILE_LIMIT = 12_000_000  # bytes of a list
FILES = "/imports/"  # addresses below which lists are sent
BODY_SECONDS = 30.0  # in which a whole body has to come
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


class Bounded:
    """Takes bodies up to a size, in a time. What is over is told to the application as an error while it reads."""

    def __init__(self, app: ASGIApp, seconds: float = BODY_SECONDS) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = FILE_LIMIT if FILES in scope["path"] else BODY_LIMIT
        loop = asyncio.get_running_loop()
        until = loop.time() + self._seconds
        size, done = 0, False

        async def bounded() -> Message:
            nonlocal size, done
            if done:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), max(0.01, until - loop.time()))
            except TimeoutError:
                raise TooSlow() from None
            size += len(message.get("body", b""))
            if size > limit:
                raise TooMuch()
            done = not message.get("more_body", False)
            return message

        await self._app(scope, bounded, send)
