"""What would be sent if nothing changed: the real program, on a copy of the database, with a clock that is moved on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from engine.clock import SetClock
from engine.core.sending import SENT
from engine.outbox import Claimed
from engine.service import Service
from engine.store.rows import OutboxRow
from notifications.channels.port import Channel, Kind, Message, Outcome
from notifications.channels.record import RecordChannel
from notifications.worker import Worker

KINDS: tuple[Kind, ...] = ("email", "sms", "webhook")
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

    `service` stands on a copy that may be spoiled, and reads `clock`: timers run, messages go to channels that only
    record them.
    """
    channels: dict[str, Channel] = {kind: RecordChannel(name=kind, kind=kind) for kind in KINDS}
    worker = Worker(service, channels)
    for _ in range(TURNS):
        found: list[Expected] = []

        def note(claimed: Claimed, _: Message, outcome: Outcome, found: list[Expected] = found) -> None:
            if outcome.state in SENT:
                found.extend(_expected(claimed, clock.now()))

        did = service.tick() + worker.deliver(note)
        yield from found
        due = service.next_due()
        if due is None or due >= until or (not did and due <= clock.now()):
            return
        clock.set(max(due, clock.now()))


def _expected(claimed: Claimed, at: datetime) -> Iterator[Expected]:
    for row, text in zip(claimed.rows, claimed.texts, strict=True):
        yield Expected(at=at, row=row, subject_line=text.get("subject_line", ""), body=text.get("body", ""))
