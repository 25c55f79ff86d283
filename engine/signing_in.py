"""Signing in: how long failures make the next try wait, how long a session lasts, who needs a one-time code."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from engine.core.errors import KetnapError
from engine.core.events import stamp, unstamp
from engine.store.rows import AttemptRow, SessionRow
from engine.work import Work

IDLE = timedelta(hours=2)  # a session that nobody used for so long has ended
LONGEST = timedelta(hours=12)  # and so has one that is this old
TOUCH = timedelta(minutes=1)  # how exactly it is kept when a session was last used
KEPT = timedelta(days=2)  # failures are forgotten after this
REMEMBERED = timedelta(days=180)  # when an officer was last here: what changed since is shown at the next visit
FREE_LOGIN, FREE_ADDRESS = 4, 30  # failures before the first pause; many officers may share an address
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)

# How far a session goes: all the way, or only to the choice of an own password, or to setting up the second factor.
FULL, CHOOSING, SETTING_UP = "full", "choosing", "setting_up"


class SignInRefused(KetnapError):
    """The name, the password or the code is not right."""

    exit_code = 3


class SignInPaused(KetnapError):
    """Too many tries. `until` says from when on another is looked at."""

    exit_code = 3

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__("Too many tries failed. The next one is looked at from {until} on.", until=stamp(until))


class NoSession(KetnapError):
    """This session has ended; sign in again."""

    exit_code = 3


class Codes(Protocol):
    """One-time codes, as the pages know how to make and read them."""

    def secret(self) -> str:
        """Returns a new secret."""

    def step(self, secret: str, code: str) -> int | None:
        """Returns the time step to which a code belongs, or None where it is none of about now."""


@dataclass(frozen=True, kw_only=True)
class Try:
    """What somebody typed, and from where."""

    login: str
    password: str
    code: str = ""
    address: str = ""
    agent: str = ""


def digest(text: str) -> str:
    """Returns what is kept of a secret, a login or an address."""
    return hashlib.sha256(text.encode()).hexdigest()


def counted(tried: Try) -> dict[str, int]:
    """Returns what a failure counts for, with how many are free: the login, known or not, and the address."""
    found = {digest(f"login:{tried.login.strip().casefold()}"): FREE_LOGIN}
    if tried.address:
        found[digest(f"address:{tried.address}")] = FREE_ADDRESS
    return found


def count(work: Work, tried: Try) -> None:
    """Counts a try as failed before it is looked at, so that many at once gain nothing. Raises SignInPaused."""
    rows: list[AttemptRow] = []
    for id, free in counted(tried).items():
        before = work.tx.attempt(id)
        if before is not None and unstamp(before.until_at) > work.now:
            raise SignInPaused(unstamp(before.until_at))
        fresh = before is None or unstamp(before.last_at) + KEPT < work.now
        failures = 1 if before is None or fresh else before.failures + 1
        rows.append(
            AttemptRow(
                id=id, failures=failures, last_at=stamp(work.now), until_at=stamp(work.now + pause(failures - free))
            )
        )
    work.tx.put_attempts(rows)
    work.tx.forget_sign_ins(stamp(work.now - REMEMBERED), stamp(work.now - KEPT))


def pause(over: int) -> timedelta:
    """Returns how long to wait after so many failures past the free ones: it doubles up to an hour."""
    if over <= 0:
        return timedelta(0)
    return LONGEST_PAUSE if over > 8 else min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (over - 1))


def forgive(work: Work, tried: Try) -> None:
    """Takes the failures of a login back after it came in; the address keeps all but this one."""
    now = stamp(work.now)
    rows = []
    for id, free in counted(tried).items():
        row = work.tx.attempt(id)
        if row is not None:
            failures = 0 if free == FREE_LOGIN else max(0, row.failures - 1)
            rows.append(AttemptRow(id=id, failures=failures, last_at=row.last_at, until_at=now))
    work.tx.put_attempts(rows)


def needs_code(work: Work, officer: str) -> bool:
    """Tells whether an officer holds a role today that signs in with a one-time code, also in another's place."""
    office = work.office
    asked = work.library.area.second_factor
    for id in (officer, *office.absent_for(officer)):
        found = office.officers.get(id)
        if found is not None and any(h.role in asked for h, _ in office.holdings(found)):
            return True
    return False


def alive(work: Work, row: SessionRow | None) -> bool:
    """Tells whether a session may be used: neither too old nor idle, its officer in office."""
    if row is None or unstamp(row.expires_at) <= work.now or unstamp(row.seen_at) + IDLE <= work.now:
        return False
    officer = work.office.officers.get(row.officer)
    return officer is not None and officer.present(work.today)


def renewed(work: Work, row: SessionRow) -> bool:
    """Tells whether it is time to write down that a session is used."""
    return unstamp(row.seen_at) + TOUCH <= work.now
