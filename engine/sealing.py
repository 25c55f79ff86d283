"""The sealer: writes the nodes of the trail's tree within a second, where the events do not bring them along."""

from __future__ import annotations

import logging
import threading

from engine.core.errors import KetnapError
from engine.store.ports import Store

PAUSE_S = 0.5

log = logging.getLogger("ketnap.sealer")


class TreeSealer:
    """Seals until it is stopped, in a thread of its own. Several at once, in as many processes, are harmless."""

    def __init__(self, store: Store, *, pause_s: float = PAUSE_S) -> None:
        self._store, self._pause_s = store, pause_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sealer", daemon=True)

    def __enter__(self) -> TreeSealer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._pause_s):
            try:
                self._store.seal()
            except KetnapError as error:
                log.error("the tree could not be sealed and is tried again: %s", error.text())
