"""What every answer shares: a door to the database for each thread, and headers that let nothing be kept or framed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from engine.service import Service

T = TypeVar("T")

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # addresses here bear secrets
    "X-Content-Type-Options": "nosniff",
}


class Door:
    """The one door, for the threads that answer requests: each has its own, as its caches are not shared."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._own = threading.local()

    @property
    def service(self) -> Service:
        """This thread's door."""
        found: Service | None = getattr(self._own, "service", None)
        if found is None:
            found = self._own.service = self._service.beside()
        return found

    async def ask(self, question: Callable[[Service], T]) -> T:
        """Runs a question beside the loop that serves, and returns its answer."""
        return await run_in_threadpool(lambda: question(self.service))


def answer(text: str, status: int = 200, kind: str = "text/plain; charset=utf-8") -> Response:
    """Returns an answer; it never sets a cookie."""
    return Response(text, status, HEADERS, kind)
