"""What is kept for a session between two requests, in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

SHELF = 2_000  # things kept for sessions between two requests
# What a page says in whose address there is a view that is not kept any more.
FORGOTTEN = (
    "What you asked for is not kept any more: it was long ago, or the program began anew. "
    "This is the page as it opens by itself; search or filter again."
)


class Shelf:
    """Things kept for a session between two requests, in memory: what is said next, views that were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], Any] = OrderedDict()

    def put(self, session: str, name: str, thing: object) -> None:
        """Keeps a thing; the oldest ones make room."""
        with self._lock:
            self._kept[(session, name)] = thing
            self._kept.move_to_end((session, name))
            while len(self._kept) > SHELF:
                self._kept.popitem(last=False)

    def get(self, session: str, name: str) -> Any:
        """Returns a thing, or None."""
        with self._lock:
            return self._kept.get((session, name))

    def take(self, session: str, name: str) -> Any:
        """Returns a thing and keeps it no longer."""
        with self._lock:
            return self._kept.pop((session, name), None)
