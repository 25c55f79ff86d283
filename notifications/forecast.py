"""What would be sent if nothing changed: the real program, on a copy of the database, with a clock that is moved on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from engine.clock import SetClock
from engine.service import Service
from engine.store.rows import OutboxRow

TURNS = 100_000  # moves of the clock, past which something goes round in circles


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A notice that would go out at a time, with its text."""

    at: datetime
    row: OutboxRow
    subject_line: str
    body: str


def forecast(service: Service, clock: SetClock, until: datetime) -> Iterator[Expected]:
    """Yields what would go out from the clock's time to before `until`, in order.

    `service` stands on a copy that may be spoiled, and reads `clock`: timers run, messages are claimed and recorded as
    accepted, nothing is sent.
    """
    for _ in range(TURNS):
        service.tick()
        for claimed in service.claim():
            service.record(claimed.message, "accepted", detail="forecast")
            for row, text in zip(claimed.rows, claimed.texts, strict=True):
                yield Expected(
                    at=clock.now(), row=row, subject_line=text.get("subject_line", ""), body=text.get("body", "")
                )
        due = service.next_due()
        if due is None or due >= until:
            return
        clock.set(max(due, clock.now()))
