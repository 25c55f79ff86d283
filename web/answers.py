"""What every page shares: the door to the database, and answers that no browser or proxy keeps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    """The one door, for the threads that answer requests: one at a time, as its caches are not shared."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()

    @contextmanager
    def _open(self) -> Iterator[Service]:
        with self._lock:
            yield self._service

    async def ask(self, question: Callable[[Service], T]) -> T:
        """Runs a question beside the loop that serves, and returns its answer."""

        def run() -> T:
            with self._open() as service:
                return question(service)

        return await run_in_threadpool(run)


def answer(text: str, status: int = 200, kind: str = "text/plain; charset=utf-8") -> Response:
    """Returns an answer; it never sets a cookie."""
    return Response(text, status, HEADERS, kind)
