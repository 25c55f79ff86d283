"""Waiting for what another process does: bounded, and by asking, never by a fixed pause."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def until(question: Callable[[], T | None], *, what: str, log: Path | None = None, within_s: float = 20.0) -> T:
    """Returns the first answer that is true; after `within_s` raises AssertionError with `what` and the log's end."""
    end = time.monotonic() + within_s
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            end_of_log = f"\n{tail(log)}" if log else ""
            raise AssertionError(f"not within {within_s:g} s: {what}{end_of_log}")
        select.select([], [], [], 0.02)


def free_ports(how_many: int) -> list[int]:
    """Returns different ports on 127.0.0.1 that nobody listens on just now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(how_many)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def listening(port: int) -> bool:
    """True if somebody takes connections on the port."""
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


def start(command: list[str], log: Path, *, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Starts a server in a process group of its own, its words in `log`."""
    with log.open("ab") as out:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            env={**os.environ, **(env or {})},
        )


def stop(process: subprocess.Popen[bytes] | None, *, within_s: float = 15.0) -> None:
    """Ends a server that `start` started: by asking, then by force."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(within_s)


def tail(path: Path, lines: int = 8) -> str:
    """Returns the end of a log, for the message of a failure."""
    return "\n".join(path.read_text("utf-8", "replace").splitlines()[-lines:]) if path.exists() else "(no log)"
