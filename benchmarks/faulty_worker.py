"""A worker process with faults at every boundary, for `benchmarks.faults`: `faulty_worker.py SETTINGS` (JSON).

The gateway is a file: one line for each message that it took. A crash in the process throws away everything that the
worker knows and has not recorded; the test itself kills the whole process now and then.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.faults import OfficeClock, at_work, open_office
from engine.core.errors import Conflict
from notifications.channels.port import Kind, Message, Outcome, accepted, failed, unknown
from notifications.worker import Worker


class Crash(BaseException):
    """The process ends here."""


class FaultyGateway:
    """Takes messages by writing their ids to a file; of each kind of fault as many percent as the settings say."""

    kind: Kind = "email"
    name = "email"

    def __init__(self, log: Path, *, idempotent: bool, seed: int) -> None:
        self.idempotent = idempotent
        self._log = log
        self._random = random.Random(seed)
        self._began = False

    def send(self, message: Message) -> Outcome:
        """Takes the message, or fails."""
        if not self._began:
            at_work(self._log, os.getpid()).touch()
            self._began = True
        at = self._random.random()
        if at < 0.05:
            raise Crash  # before the wire
        if at < 0.08:
            return unknown("The answer was lost.")  # and the message did not arrive
        if at < 0.13:
            return failed("The channel put the message off.", code="451")
        self._take(message)
        if at < 0.18:
            raise Crash  # after acceptance, before recording
        if at < 0.22:
            return unknown("The answer was lost.")  # and the message did arrive
        return accepted("The message was taken.", provider_id=f"g-{message.id}")

    def _take(self, message: Message) -> None:
        line = f"{message.id} {message.to}\n".encode()
        descriptor = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def check(self) -> Outcome:
        """Is always ready."""
        return accepted("The gateway is ready.")

    def close(self) -> None:
        """Holds nothing."""


def main() -> None:
    """Delivers until somebody kills it."""
    settings = json.loads(sys.argv[1])
    clock = OfficeClock(settings["began"], settings["speed"])
    gateway = FaultyGateway(Path(settings["log"]), idempotent=settings["idempotent"], seed=settings["seed"])
    service = open_office(settings["db"], clock)
    while True:
        worker = Worker(service, {"email": gateway}, batch=1)
        try:
            worker.deliver()
        except (Crash, Conflict):
            continue
        time.sleep(0.05)  # there is nothing to do just now


if __name__ == "__main__":
    main()
