"""The door to tokens: by which programs act for officers, each for some of what the officer may do, until a day."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from engine import officework, permits
from engine.core import events
from engine.core.authority import Officer
from engine.core.errors import BadInput, Denied, KetnapError, NotFound
from engine.core.events import stamp, unstamp
from engine.doors import OpenWork
from engine.kit import Kit
from engine.officework import OfficerChange
from engine.signing_in import digest
from engine.steps import By
from engine.store.rows import TokenRow
from engine.work import Work

PREFIX = "ketnap_"  # by which a token is known where it should not stand
# What a token may be made for. A token never lets its officer do more than they may themselves.
SCOPES = ("read", "steps", "import", "office", "audit")
LONGEST = timedelta(days=366)
USUAL = 90  # days
MOST = 20  # living tokens of one officer


class NoToken(KetnapError):
    """There is no such token, or it has ended. Make another on the page of your account."""

    exit_code = 3


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """A token that is used, with whom it acts for."""

    row: TokenRow
    officer: Officer
    absent: Sequence[str]  # the officers for whom this one may act today

    @property
    def scopes(self) -> frozenset[str]:
        """What the token was made for."""
        return frozenset(self.row.scopes.split())


class Tokens:
    """Tokens of officers. Only a hash of each is kept."""

    def __init__(self, open_work: OpenWork, kit: Kit) -> None:
        self._work, self._kit = open_work, kit

    def make(self, officer: str, name: str, scopes: Collection[str], days: int, by: By) -> tuple[str, TokenRow]:
        """Returns a new token, which is told once, and what is kept of it. Officers make their own.

        Raises BadInput for a scope that is none or a time that is too long, NotFound and Denied.
        """
        wrong = sorted(set(scopes) - set(SCOPES))
        if wrong or not scopes:
            raise BadInput("{value} is not one of {known}", value=", ".join(wrong) or "''", known=", ".join(SCOPES))
        if not 1 <= days <= LONGEST.days:
            raise BadInput("a token lives for 1 to {most} days", most=LONGEST.days)
        if not name.strip() or len(name) > 80 or not name.isprintable():
            raise BadInput("give the token a name of up to 80 letters, by which you know it again")
        with self._work(write=True) as work:
            if officer not in work.office.officers:
                raise NotFound("{officer} is not an officer here", officer=officer)
            if by.officer != officer:
                raise Denied("officers make tokens for themselves only", why="identity", officer=officer)
            if sum(_lives(work, r) for r in work.tx.tokens_of(officer)) >= MOST:
                raise BadInput("there are {most} tokens already; end one first", most=MOST)
            secret = PREFIX + self._kit.random(32).hex()
            row = TokenRow(
                id=digest(secret),
                officer=officer,
                name=name.strip(),
                scopes=" ".join(s for s in SCOPES if s in scopes),
                created_at=stamp(work.now),
                expires_at=stamp(work.now + timedelta(days=days)),
            )
            work.tx.put_tokens([row])
            self._tell(work, "token_made", officer, by, row)
            return secret, row

    def of(self, officer: str, by: By) -> list[TokenRow]:
        """Returns an officer's tokens that have not ended, the oldest first. Raises Denied."""
        with self._work() as work:
            if by.officer != officer:
                _permit(work, officer, by)
            return [r for r in work.tx.tokens_of(officer) if _lives(work, r)]

    def end(self, officer: str, tokens: Collection[str], by: By) -> int:
        """Ends tokens of an officer, by their ids or how these begin. Officers end their own, whoever keeps the
        accounts anybody's. Returns how many. Raises NotFound and Denied."""
        with self._work(write=True) as work:
            if by.officer != officer:
                by = _permit(work, officer, by)
            living = [r for r in work.tx.tokens_of(officer) if _lives(work, r)]
            ended = [r for r in living if any(len(t) >= 8 and r.id.startswith(t) for t in tokens)]
            if not ended:
                raise NotFound("{officer} has no such token", officer=officer)
            for row in ended:
                work.tx.put_tokens([replace(row, ended_at=stamp(work.now))])
                self._tell(work, "token_ended", officer, by, row)
            return len(ended)

    def bearer(self, secret: str) -> Bearer:
        """Returns whose token this is. Raises NoToken when there is none, it has ended, or the officer has left."""
        with self._work() as work:
            row = work.tx.token(digest(secret))
            officer = work.office.officers.get(row.officer) if row is not None and _lives(work, row) else None
            if row is None or officer is None or not officer.present(work.today):
                raise NoToken()
            return Bearer(row=row, officer=officer, absent=tuple(work.office.absent_for(officer.id)))

    def _tell(self, work: Work, what: str, officer: str, by: By, row: TokenRow) -> None:
        place = work.office.officers[officer].org if officer in work.office.officers else None
        work.ledger.append(
            events.ACCESS,
            what=what,
            officer=officer,
            org=place,
            actor=by.officer,
            behalf=by.behalf if by.officer != officer else None,
            token=row.id[:12],
            mark=officework.mark_of(row.id),
            scopes=row.scopes,
            until=row.expires_at,
        )


def _permit(work: Work, officer: str, by: By) -> By:
    """Sees that somebody keeps the accounts of this officer's unit; returns who does. Raises Denied."""
    return permits.permit_officers(work, "accounts", by, [OfficerChange(id=officer)])


def _lives(work: Work, row: TokenRow) -> bool:
    return row.ended_at is None and unstamp(row.expires_at) > work.now
