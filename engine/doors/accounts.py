"""The door to accounts: signing in and out, sessions, passwords, one-time codes, for whom a substitute acts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine import officework, permits, signing_in
from engine.core import events
from engine.core.authority import Officer
from engine.core.errors import BadInput, Denied, NotFound
from engine.core.events import stamp
from engine.core.values import Json
from engine.doors import OpenWork
from engine.kit import Kit
from engine.officework import OfficerChange
from engine.passwords import hash_password, password_fits
from engine.signing_in import (
    CHOOSING,
    FULL,
    LONGEST,
    SETTING_UP,
    Codes,
    NoSession,
    SignInRefused,
    Try,
    alive,
    digest,
)
from engine.steps import By
from engine.store.rows import EventSearch, FactorRow, SessionRow
from engine.work import Work


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A session that is used, with whom it belongs to."""

    row: SessionRow
    officer: Officer
    absent: Sequence[Officer]  # those for whom the officer may act today

    @property
    def whole(self) -> bool:
        """Tells whether this session goes all the way: an own password is chosen and the second factor set up."""
        return self.row.level == FULL

    def by(self, command: str | None = None) -> By:
        """Returns who acts."""
        return By(officer=self.officer.id, command=command, behalf=self.row.behalf)


class Accounts:
    """Who signs in on the pages, and how."""

    def __init__(self, open_work: OpenWork, kit: Kit) -> None:
        self._work, self._kit = open_work, kit

    # -- in and out

    def sign_in(self, tried: Try, codes: Codes) -> tuple[str, SignedIn]:
        """Returns the secret of a new session, and the session. Raises SignInRefused and SignInPaused."""
        with self._work(write=True) as work:
            signing_in.count(work, tried)
            row = next((r for r in work.tx.officers() if r.id == tried.login.strip()), None)
        fits = password_fits(tried.password, row.password if row is not None else None)  # outside: it takes long
        with self._work(write=True) as work:
            officer = work.office.officers.get(tried.login.strip())
            known = officer is not None and officer.present(work.today) and fits
            level = self._level(work, officer.id, tried.code, codes) if officer is not None and known else None
            if level is not None and row is not None and row.password_by is not None:
                level = CHOOSING
            if officer is None or level is None:
                named = officer.id if officer is not None else None  # no other name is kept: it may be a password
                work.ledger.append(events.SIGN_IN_FAILED, actor=named, how="password", known=named is not None)
                secret = None
            else:
                signing_in.forgive(work, tried)
                secret = self._kit.random(32).hex()
                session = self._open(work, officer.id, secret, level, tried.agent, "password")
        if secret is None:
            raise SignInRefused()
        with self._work() as work:
            return secret, self._signed_in(work, session)

    def sign_in_vouched(self, name: str | None, email: str | None, agent: str = "") -> tuple[str, SignedIn]:
        """Returns a new session for the one officer whom an identity provider vouches for; it asked for any second
        factor itself.

        `name` is the officer's mapped account, else `email` (verified) is their address. Raises SignInRefused where
        nobody present is meant, or several are.
        """
        with self._work(write=True) as work:
            officer = _vouched(work, name, email)
            if officer is None:
                work.ledger.append(events.SIGN_IN_FAILED, how="provider", known=False)
                secret = None
            else:
                secret = self._kit.random(32).hex()
                session = self._open(work, officer, secret, FULL, agent, "provider")
        if secret is None:
            raise SignInRefused()
        with self._work() as work:
            return secret, self._signed_in(work, session)

    def _open(self, work: Work, officer: str, secret: str, level: str, agent: str, how: str) -> SessionRow:
        now = stamp(work.now)
        row = SessionRow(
            id=digest(secret),
            officer=officer,
            behalf=None,
            level=level,
            created_at=now,
            seen_at=now,
            expires_at=stamp(work.now + LONGEST),
            seen_seq=self._seen(work, officer),
            agent=agent[:120],
        )
        work.tx.put_sessions([row])
        work.ledger.append(events.SIGNED_IN, actor=officer, how=how)
        return row

    def _seen(self, work: Work, officer: str) -> int:
        """Returns where the trail ended when the officer was last here; for somebody new a little before its end."""
        before = max((s.seen_at for s in work.tx.sessions_of(officer)), default=None)
        if before is None:
            return max(0, work.tx.head().size - _FIRST_LOOK)
        last = work.tx.search_events(EventSearch(until=before), limit=1)
        return last[0].seq + 1 if last else 0

    def _level(self, work: Work, officer: str, code: str, codes: Codes) -> str | None:
        """Returns how far a session goes, or None where the code is wrong; a code that fits is used up."""
        factor = work.tx.factor(officer)
        if factor is not None and factor.confirmed_at is not None and not self._use(work, factor, code, codes):
            return None
        return self._beyond_password(work, officer, factor)

    def _beyond_password(self, work: Work, officer: str, factor: FactorRow | None) -> str:
        """Returns how far a session goes whose password is its owner's own."""
        lacks = factor is None or factor.confirmed_at is None
        return SETTING_UP if lacks and signing_in.needs_code(work, officer) else FULL

    def _use(self, work: Work, factor: FactorRow, code: str, codes: Codes) -> bool:
        step = codes.step(self._secret(work, factor), code)
        if step is None or step <= factor.step:
            return False
        work.tx.put_factors([replace(factor, step=step, confirmed_at=factor.confirmed_at or stamp(work.now))])
        return True

    def sign_out(self, secret: str) -> None:
        """Ends a session. Nothing is said of one that is not there."""
        with self._work(write=True) as work:
            row = work.tx.session(digest(secret))
            if row is not None:
                _end(work, [replace(row, seen_at=stamp(work.now))])
                self._tell(work, "signed_out", row.officer)

    # -- sessions

    def session(self, secret: str) -> SignedIn:
        """Returns the session of a secret. Raises NoSession when there is none or it has ended."""
        with self._work() as work:
            row = work.tx.session(digest(secret))
            if row is None or not alive(work, row):
                raise NoSession()
            found = self._signed_in(work, row)
            due = signing_in.renewed(work, row)
        if due:
            with self._work(write=True) as work:
                row = work.tx.session(row.id)
                if row is not None:
                    work.tx.put_sessions([replace(row, seen_at=stamp(work.now))])
        return found

    def ended(self, secret: str) -> str | None:
        """Returns whose session it was that has ended, as long as that is known."""
        with self._work() as work:
            row = work.tx.session(digest(secret))
            return row.officer if row is not None else None

    def _signed_in(self, work: Work, row: SessionRow) -> SignedIn:
        officers = work.office.officers
        absent = [officers[o] for o in work.office.absent_for(row.officer) if o in officers]
        if row.behalf is not None and row.behalf not in [o.id for o in absent]:
            row = replace(row, behalf=None)  # the time of acting for them is over
        return SignedIn(row=row, officer=officers[row.officer], absent=absent)

    def sessions(self, officer: str) -> list[SessionRow]:
        """Returns an officer's sessions that have not ended, the newest first."""
        with self._work() as work:
            return [r for r in reversed(work.tx.sessions_of(officer)) if alive(work, r)]

    def end(self, officer: str, sessions: Sequence[str], by: By) -> int:
        """Ends sessions of an officer, by their ids. Officers end their own. Raises Denied."""
        with self._work(write=True) as work:
            if by.officer != officer:
                by = permits.permit_officers(work, "accounts", by, [OfficerChange(id=officer)])
            rows = [r for r in work.tx.sessions_of(officer) if r.id in set(sessions) and alive(work, r)]
            _end(work, rows)
            if rows:
                self._tell(work, "sessions_ended", officer, actor=by.officer, behalf=by.behalf, ended=len(rows))
            return len(rows)

    def act_for(self, session: SessionRow, absent: str | None) -> None:
        """Has a session act for an absent officer from now on, or for nobody. Raises Denied and NoSession."""
        with self._work(write=True) as work:
            row = work.tx.session(session.id)
            if row is None:
                raise NoSession()
            if absent is not None and absent not in work.office.absent_for(row.officer):
                raise Denied("{officer} does not stand in for {absent} today ({why})", why="role",
                             officer=row.officer, absent=absent)  # fmt: skip
            work.tx.put_sessions([replace(row, behalf=absent)])
            self._tell(work, "acts_for" if absent else "acts_for_nobody", row.officer, behalf=absent)

    # -- passwords and codes

    def change_password(self, session: SessionRow, old: str, new: str) -> int:
        """Changes the officer's own password and ends their other sessions. Returns how many ended.

        Raises SignInRefused where the old one is wrong, SignInPaused after several wrong ones, BadInput where the new
        one is too short.
        """
        tried = _guess("password", session.officer)
        with self._work(write=True) as work:
            signing_in.count(work, tried)
            row = next(r for r in work.tx.officers() if r.id == session.officer)
        if not password_fits(old, row.password):
            raise SignInRefused("The old password is not right.")
        with self._work(write=True) as work:
            signing_in.forgive(work, tried)
        hashed = hash_password(new)
        with self._work(write=True) as work:
            officework.put_officers(work, [OfficerChange(id=row.id, password=hashed)], By(officer=row.id))
            others = [s for s in work.tx.sessions_of(row.id) if s.id != session.id and alive(work, s)]
            _end(work, others)
            return len(others)

    def choose_password(self, session: SessionRow, new: str) -> None:
        """Takes the officer's own password in place of the one that was given; the session goes on, others end.

        Raises NoSession where this session has no password to choose, BadInput where the new one is too short or the
        one that was given.
        """
        with self._work() as work:
            row = next(r for r in work.tx.officers() if r.id == session.officer)
        if password_fits(new, row.password):
            raise BadInput("this is the password that you were given; choose another")
        hashed = hash_password(new)
        with self._work(write=True) as work:
            own = work.tx.session(session.id)
            if own is None or own.level != CHOOSING or not alive(work, own):
                raise NoSession()
            officework.put_officers(work, [OfficerChange(id=row.id, password=hashed)], By(officer=row.id))
            _end(work, [s for s in work.tx.sessions_of(row.id) if s.id != own.id and alive(work, s)])
            level = self._beyond_password(work, row.id, work.tx.factor(row.id))
            work.tx.put_sessions([replace(own, level=level)])
            self._tell(work, "password_chosen", row.id)

    def reset_password(self, officer: str, password: str, by: By) -> int:
        """Gives an officer another password, to be exchanged for their own at the next sign-in; all sessions end.

        Returns how many ended. Raises BadInput, NotFound and Denied.
        """
        hashed = hash_password(password)
        with self._work(write=True) as work:
            change = OfficerChange(id=officer, password=hashed)
            by = permits.permit_officers(work, "accounts", by, [change])
            if officer not in work.office.officers:
                raise NotFound("{officer} is not an officer here", officer=officer)
            officework.put_officers(work, [change], by)
            rows = [s for s in work.tx.sessions_of(officer) if alive(work, s)]
            _end(work, rows)
            return len(rows)

    def has_factor(self, officer: str) -> bool:
        """Tells whether an officer signs in with a one-time code."""
        with self._work() as work:
            row = work.tx.factor(officer)
            return row is not None and row.confirmed_at is not None

    def begin_factor(self, officer: str, codes: Codes) -> str:
        """Returns the secret of a second factor that is being set up: the same until it is confirmed.

        Raises BadInput where one is set up.
        """
        with self._work(write=True) as work:
            row = work.tx.factor(officer)
            if row is not None and row.confirmed_at is not None:
                raise BadInput("{officer} has a second factor; have it taken away first", officer=officer)
            if row is not None:
                return self._secret(work, row)
            return self._new_factor(work, officer, codes.secret(), confirmed=False)

    def confirm_factor(self, session: SessionRow, code: str, codes: Codes) -> None:
        """Confirms a second factor by its first code; the session goes all the way then.

        Raises SignInRefused, and SignInPaused after several wrong codes.
        """
        tried = _guess("factor", session.officer)
        with self._work(write=True) as work:
            signing_in.count(work, tried)
        with self._work(write=True) as work:
            factor = work.tx.factor(session.officer)
            if factor is None or not self._use(work, factor, code, codes):
                raise SignInRefused("The code is not right. Look at the clock of the telephone and type the next one.")
            signing_in.forgive(work, tried)
            row = work.tx.session(session.id)
            if row is not None:
                work.tx.put_sessions([replace(row, level=FULL)])
            self._tell(work, "factor_set", session.officer)

    def give_factor(self, officer: str, secret: str, by: By) -> None:
        """Gives an officer a second factor whose secret they have by another way. Raises NotFound and Denied."""
        with self._work(write=True) as work:
            by = permits.permit_officers(work, "accounts", by, [OfficerChange(id=officer)])
            if officer not in work.office.officers:
                raise NotFound("{officer} is not an officer here", officer=officer)
            self._new_factor(work, officer, secret, confirmed=True)
            self._tell(work, "factor_set", officer, actor=by.officer, behalf=by.behalf)

    def shown_secret(self, officer: str) -> str:
        """Returns the secret of an officer's second factor, in a sandbox only. Raises BadInput and NotFound."""
        with self._work() as work:
            if work.tx.setting("sandbox") != "true":
                raise BadInput("codes are shown in a sandbox only; this is a real database")
            row = work.tx.factor(officer)
            if row is None:
                raise NotFound("{officer} has no second factor", officer=officer)
            return self._secret(work, row)

    def take_factor(self, officer: str, by: By) -> None:
        """Takes an officer's second factor away, as when the telephone is lost; all sessions end. Raises Denied."""
        with self._work(write=True) as work:
            by = permits.permit_officers(work, "accounts", by, [OfficerChange(id=officer)])
            row = work.tx.factor(officer)
            if row is None:
                raise NotFound("{officer} has no second factor", officer=officer)
            work.tx.delete_factors([row])
            _end(work, work.tx.sessions_of(officer))
            self._tell(work, "factor_taken", officer, actor=by.officer, behalf=by.behalf)

    def _new_factor(self, work: Work, officer: str, secret: str, *, confirmed: bool) -> str:
        key = work.keys.make(_key(officer))
        work.keys.flush()
        sealed = self._kit.sealer.seal(key, json.dumps(secret).encode(), _aad(officer))
        now = stamp(work.now) if confirmed else None
        work.tx.put_factors([FactorRow(officer=officer, sealed=sealed, step=0, confirmed_at=now)])
        return secret

    def _secret(self, work: Work, row: FactorRow) -> str:
        opened = self._kit.sealer.open(work.keys.get(_key(row.officer)), row.sealed, _aad(row.officer))
        return str(json.loads(opened))

    def _tell(self, work: Work, what: str, officer: str | None, **plain: Json) -> None:
        found = work.office.officers.get(officer or "")
        place = found.org if found is not None else None
        told: dict[str, Any] = {"actor": officer, **plain}
        work.ledger.append(events.ACCESS, what=what, officer=officer, org=place, **told)


_FIRST_LOOK = 200  # entries of the trail that somebody new is shown as news


def _end(work: Work, rows: Sequence[SessionRow]) -> None:
    """Ends sessions; when the officer was last here stays known for a while."""
    work.tx.put_sessions([replace(r, expires_at=min(r.expires_at, stamp(work.now))) for r in rows])


def _guess(what: str, officer: str) -> Try:
    """Returns what wrong guesses of a signed-in officer are counted under, apart from those of signing in."""
    return Try(login=f"{what}:{officer}", password="")


def _vouched(work: Work, name: str | None, email: str | None) -> str | None:
    """Returns the one officer present today who is mapped to a name, else the one whose address it is."""
    rows = [
        r for r in work.tx.officers() if (o := work.office.officers.get(r.id)) is not None and o.present(work.today)
    ]
    for wanted in (
        [r.id for r in rows if name and r.account == name],
        [r.id for r in rows if email and (r.email or "").casefold() == email.casefold()],
    ):
        if wanted:
            return wanted[0] if len(wanted) == 1 else None
    return None


def _key(officer: str) -> str:
    return f"officer:{officer}"


def _aad(officer: str) -> bytes:
    return b"factor:" + officer.encode()
