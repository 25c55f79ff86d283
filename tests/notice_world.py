"""The small office of `tests.world` with its notices running: a set clock, channels that record, a worker."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from engine.clock import SetClock
from engine.library import Source
from engine.officework import OfficerChange
from engine.service import Service
from engine.store.memory import MemoryStore
from engine.store.ports import Store
from engine.store.rows import OutboxRow
from notifications.channels.record import RecordChannel
from notifications.worker import Worker
from tests.world import found_office, office_time

NEW_YEAR = datetime(2023, 12, 29, 8, 0)


def at(day: str, hour: str = "07:30") -> datetime:
    """Returns a time of the office's."""
    return office_time(date.fromisoformat(day), time.fromisoformat(hour))


class NoticeWorld:
    """An office whose notices go to `email` and `sms`, which record what they are given."""

    def __init__(
        self,
        workflows: Iterable[str] = ("annual_plan",),
        *,
        start: datetime = at("2023-12-29", "08:00"),
        store: Store | None = None,
        sources: Iterable[Source] | None = None,
        channels: dict[str, Any] | None = None,
    ) -> None:
        self.clock = SetClock(start)
        self.store = store if store is not None else MemoryStore()
        self.service: Service = found_office(self.store, self.clock, workflows, sources)
        self.email = RecordChannel(name="email", kind="email")
        self.sms = RecordChannel(name="sms", kind="sms")
        self.channels: dict[str, Any] = channels or {"email": self.email, "sms": self.sms}
        self.worker = Worker(self.service, self.channels)

    def go(self, until: datetime) -> None:
        """Moves the clock, doing on the way what falls due."""
        while (due := self.service.next_due()) is not None and due <= until:
            self.clock.set(max(due, self.clock.now()))
            self.settle()
        self.clock.set(until)
        self.settle()

    def settle(self) -> None:
        """Does what is due now."""
        self.service.tick()
        self.worker.deliver()

    def rows(self, rule: str | None = None, to: str | None = None, **wanted: Any) -> list[OutboxRow]:
        """Returns rows of the outbox."""
        return [
            r
            for r, _ in self.service.outbox.rows()
            if rule in (None, r.rule)
            and to in (None, r.recipient)
            and all(getattr(r, k) == v for k, v in wanted.items())
        ]

    def row(self, rule: str | None = None, to: str | None = None, **wanted: Any) -> OutboxRow:
        """Returns the one row that is so."""
        (found,) = self.rows(rule, to, **wanted)
        return found

    def officer(self, id: str, **changed: Any) -> None:
        """Changes an officer."""
        self.service.set_up().officers([OfficerChange(id=id, **changed)])
