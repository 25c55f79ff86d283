"""A sealer that is killed: run as a program, on a PostgreSQL database, by `test_sealer_kill`.

It runs the sealer of `ketnap run` in its thread and kills its own process with signal 9 at the call of the driver that
is named: before the server got it, within it where it writes several rows, or after it answered.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from engine.sealing import TreeSealer
from engine.store.open import open_store
from engine.store.postgres import PostgresConnection
from engine.store.sql import SqlStore


def die() -> None:
    """Ends this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def half(many: Sequence[Any]) -> Iterator[Any]:
    """Yields the first half of the rows; then the process is gone."""
    yield from many[: len(many) // 2]
    die()


def main(url: str, when: str, name: str) -> None:
    """Seals once. `when`: `before`, `within` or `after` the first call of this name (`rows`, `run_many`); `never`."""
    ended = threading.Event()
    seal = SqlStore.seal

    def counted(name: str) -> Callable[..., Any]:
        plain = getattr(PostgresConnection, name)

        def call(self: PostgresConnection, sql: str, values: Any) -> Any:
            if when == "before":
                die()
            answer = plain(self, sql, half(values) if when == "within" else values)
            if when == "after":
                die()
            return answer

        return call

    def sealed(self: SqlStore) -> int:
        made = seal(self)
        ended.set()
        return made

    if when != "never":
        setattr(PostgresConnection, name, counted(name))
    SqlStore.seal = sealed  # type: ignore[method-assign]  # so that the main thread knows when it was done
    with TreeSealer(open_store(url), pause_s=0):
        ended.wait(60)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3])
