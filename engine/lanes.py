"""The retry clocks of gateways and of the domains behind them, so that one in trouble holds up nobody else.

A gateway (a channel) is held as soon as it says that it takes nothing, or is set up wrongly. A domain is held when many
different officers there were put off one after the other: a single bad address holds up only itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from engine.core.events import stamp, unstamp
from engine.core.sending import Came
from engine.store.ports import Transaction

LANES = "delivery_lanes"  # setting: those in trouble
PAUSES_MINUTES = (1, 5, 15, 60)  # after each failure in a row; then the last
MANY = 10  # officers of one domain put off in a row, or answers of one gateway lost


@dataclass(frozen=True, kw_only=True)
class Lane:
    """A gateway, or a domain behind one, that is in trouble. Times as stored; `until` is None while it is not held."""

    channel: str
    domain: str
    since: str
    until: str | None = None
    failures: int = 0
    officers: tuple[str, ...] = ()
    detail: str | None = None
    code: str | None = None
    setup: bool = False


def domain_of(address: str) -> str:
    """Returns the domain of an address in lower case; '' for what has none, such as a number."""
    return address.rpartition("@")[2].lower() if "@" in address else ""


def pause(failures: int, retry_after_s: int | None = None) -> timedelta:
    """Returns how long to wait after so many failures in a row, at least as long as the other side asked for."""
    minutes = PAUSES_MINUTES[min(max(failures, 1), len(PAUSES_MINUTES)) - 1]
    return max(timedelta(minutes=minutes), timedelta(seconds=retry_after_s or 0))


def read_lanes(tx: Transaction) -> list[Lane]:
    """Returns the gateways and domains in trouble."""
    stored = json.loads(tx.setting(LANES) or "[]")
    return [Lane(**{**lane, "officers": tuple(lane["officers"])}) for lane in stored]


class Lanes:
    """The clocks within one transaction that holds the trail's lock; written by `flush`."""

    def __init__(self, tx: Transaction, now: datetime) -> None:
        self._tx, self._now = tx, now
        self._before = read_lanes(tx)
        self._lanes = {(lane.channel, lane.domain): lane for lane in self._before}

    def held(self, channel: str, address: str) -> datetime | None:
        """Returns until when nothing is to be sent there; None when it may go."""
        found = [self._lanes.get((channel, domain)) for domain in {"", domain_of(address)}]
        until = max((lane.until for lane in found if lane is not None and lane.until is not None), default=None)
        return unstamp(until) if until is not None and until > stamp(self._now) else None

    def passed(self, channel: str, address: str) -> None:
        """Notes that the other side answered: nothing is held there any more."""
        for domain in ("", domain_of(address)):
            self._lanes.pop((channel, domain), None)

    def failed(self, channel: str, address: str, officer: str, came: Came) -> None:
        """Notes a temporary failure or a lost answer, and holds the gateway or the domain where it is time to."""
        if came.setup or came.gateway:
            self._fail((channel, ""), came, officer, hold_at=1)
        elif came.state == "unknown":
            self._fail((channel, ""), came, officer, hold_at=MANY)
        elif domain := domain_of(address):
            self._fail((channel, domain), came, officer, hold_at=None)

    def _fail(self, key: tuple[str, str], came: Came, officer: str, *, hold_at: int | None) -> None:
        channel, domain = key
        old = self._lanes.get(key) or Lane(channel=channel, domain=domain, since=stamp(self._now))
        if old.until is not None and old.until > stamp(self._now):
            return  # held already: one more of the same batch
        officers = tuple(sorted({*old.officers, officer}))[:MANY] if hold_at is None else ()
        failures = old.failures + 1
        due = len(officers) >= MANY if hold_at is None else failures >= hold_at
        rounds = old.failures + 1 if hold_at == 1 else max(1, failures - MANY + 1)
        until = stamp(self._now + pause(rounds, came.retry_after_s)) if due else None
        self._lanes[key] = replace(
            old,
            until=until,
            failures=failures,
            officers=officers,
            detail=came.detail,
            code=came.code,
            setup=came.setup,
        )

    def all(self) -> Iterable[Lane]:
        """Returns those in trouble."""
        return self._lanes.values()

    def flush(self) -> None:
        """Writes the clocks if they have changed."""
        after = list(self._lanes.values())
        if after != self._before:
            self._tx.put_setting(LANES, json.dumps([asdict(lane) for lane in after], ensure_ascii=False))
            self._before = after
