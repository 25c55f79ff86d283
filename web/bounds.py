"""What holds for every request, whatever it asks: how many at once, how much may be sent, and how slowly."""

from __future__ import annotations

import asyncio
import logging

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.core.errors import KetnapError
from web.answers import answer

AT_ONCE = 64  # requests that are answered
CONNECTIONS = 512  # open at once, also idle: a browser keeps six; past them the server says 503
PLACE_SECONDS = 10.0  # for which a request waits for its turn, before it is told 503
BODY_LIMIT = 512_000  # bytes of JSON
FILE_LIMIT = 12_000_000  # bytes of anything else; forms that bear no file take less
PROGRAMS, FILES = "/api/", "/api/imports/"  # where JSON is sent, and lists
BODY_SECONDS = 30.0  # in which a whole body has to come

log = logging.getLogger("ketnap.web")


class TooMuch(KetnapError):
    """What was sent is larger than this takes; nothing was saved."""


class TooSlow(KetnapError):
    """What was sent came too slowly; nothing was saved."""


def told(_: Request, error: Exception) -> Response:
    """Returns what is answered to TooMuch and TooSlow where neither people nor programs of officers ask."""
    assert isinstance(error, KetnapError)
    return answer(f"{error.text()}\n", 413 if isinstance(error, TooMuch) else 408)


class Bounded:
    """Answers so many requests at once, and takes bodies up to a size, in a time.

    A request past the number waits for its turn; what it sends is left unread meanwhile. A body past its size or time
    is told to the application while it reads, as TooMuch or TooSlow.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        body_seconds: float = BODY_SECONDS,
        at_once: int = AT_ONCE,
        place_seconds: float = PLACE_SECONDS,
    ) -> None:
        self._app, self._body_seconds, self._place_seconds = app, body_seconds, place_seconds
        self._places = asyncio.Semaphore(at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._place_seconds):
                await self._places.acquire()
        except TimeoutError:
            log.warning("a request waited too long for its turn")
            refusal = answer("not now\n", 503)
            refusal.headers["Retry-After"] = "5"
            await refusal(scope, receive, send)
            return
        try:
            await self._app(scope, self._bounded(scope["path"], receive), send)
        finally:
            self._places.release()

    def _bounded(self, path: str, receive: Receive) -> Receive:
        limit = BODY_LIMIT if path.startswith(PROGRAMS) and not path.startswith(FILES) else FILE_LIMIT
        until = asyncio.get_running_loop().time() + self._body_seconds
        size, done = 0, False

        async def bounded() -> Message:
            nonlocal size, done
            if done:
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise TooSlow() from None
            size += len(message.get("body", b""))
            if size > limit:
                raise TooMuch()
            done = not message.get("more_body", False)
            return message

        return bounded
