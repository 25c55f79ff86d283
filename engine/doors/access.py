"""The door that notes who saw what: openings of subjects, lists and files given out, sign-ins and their failures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from engine import scope
from engine.core import events
from engine.core.events import stamp
from engine.core.values import Json
from engine.doors import OpenWork
from engine.ledger import Via, read_body
from engine.steps import By
from engine.store.rows import EventSearch
from engine.work import Case, Work

AGAIN = timedelta(minutes=10)  # the same opening by the same person within this time is one
PROGRAMS = frozenset({"scenario", "forecast", "clock"})  # nobody sees what these read
RECENT = 200  # events of a subject that are looked through for the same opening
PURPOSES = "purposes"  # the key under which purposes of files are sealed that are about nobody in particular


class Access:
    """Who saw what. Every reading of a subject through `Service` comes here by itself."""

    def __init__(self, open_work: OpenWork, via: Via) -> None:
        self._work, self._via = open_work, via

    def opened(self, subject: str, through: str, by: By | None = None, purpose: str | None = None) -> None:
        """Notes that a subject was opened, before it is shown. `through`: what showed it, such as `history`.

        Only subjects that hold sensitive facts are noted, or are sealed with one that does. Raises NotFound.
        """
        if self._via.channel in PROGRAMS:
            return
        with self._work() as work:
            case = work.case(subject)
            definition = case.definition
            if not definition.sensitive and definition.file.sealed_with is None:
                return
            reader = self._reader(work, by)
            behalf = scope.through(work, case, by) if by is not None else None
            said = {"actor": reader, "behalf": behalf, "through": through}
            if not purpose and self._noted(work, case, said):
                return
        with self._work(write=True) as work:
            case = work.case(subject)
            erased = work.keys.get(case.key_id) is None
            work.ledger.append(
                events.OPENED,
                key_id=case.key_id,
                payload={"purpose": purpose} if purpose and not erased else None,
                subject=subject,
                workflow=case.subject.workflow,
                org=case.subject.org,
                **said,
            )

    def _noted(self, work: Work, case: Case, said: Mapping[str, Json]) -> bool:
        wanted = EventSearch(subjects=(case.subject.id,), kinds=(events.OPENED,), since=stamp(work.now - AGAIN))
        same = {**said, "account": self._via.account, "channel": self._via.channel}
        found = (read_body(row) for row in work.tx.search_events(wanted, limit=RECENT))
        return any(all(body.get(k) == v for k, v in same.items()) for body in found)

    def _reader(self, work: Work, by: By | None) -> str | None:
        """Returns the officer who reads: the one named, else the one whose account it is."""
        if by is not None and by.officer is not None:
            return by.officer
        if self._via.account is None:
            return None
        return next((o.id for o in work.tx.officers() if o.account == self._via.account), None)

    def listed(self, what: str, count: int, by: By | None = None, **about: Json) -> None:
        """Notes that a list with persons in it was shown: which, how many rows, `about` what (ids and codes only)."""
        self._note(events.LISTED, what, count, by, about)

    def exported(
        self, what: str, count: int, by: By | None = None, *, purpose: str | None = None, **about: Json
    ) -> None:
        """Notes that a file, a report or a printout was given out; `purpose` is sealed, for it may name somebody."""
        self._note(events.EXPORTED, what, count, by, about, purpose)

    def _note(
        self, kind: str, what: str, count: int, by: By | None, about: dict[str, Json], purpose: str | None = None
    ) -> None:
        if self._via.channel in PROGRAMS:
            return
        with self._work(write=True) as work:
            actor = self._reader(work, by)
            payload: dict[str, Json] | None = {"purpose": purpose} if purpose else None
            work.ledger.append(
                kind,
                key_id=PURPOSES,
                payload=payload,
                what=what,
                count=count,
                actor=actor,
                behalf=_chosen(by),
                about=about or None,
            )

    def _listed_just_now(self, what: str, by: By | None, about: dict[str, Json]) -> bool:
        """Tells whether the same list was shown to the same person within minutes: that is one."""
        with self._work() as work:
            reader = self._reader(work, by)
            wanted = EventSearch(kinds=(events.LISTED,), officer=reader, since=stamp(work.now - AGAIN))
            same: dict[str, Json] = {
                "actor": reader,
                "behalf": _chosen(by),
                "account": self._via.account,
                "channel": self._via.channel,
            }
            same |= {"what": what, "about": about or None}
            found = (read_body(row) for row in work.tx.search_events(wanted, limit=RECENT))
            return any(all(body.get(k) == v for k, v in same.items()) for body in found)

    def signed_in(self, officer: str, how: str) -> None:
        """Notes a sign-in. `how`: password, token, account..."""
        with self._work(write=True) as work:
            work.ledger.append(events.SIGNED_IN, actor=officer, how=how)

    def sign_in_failed(self, officer: str | None, how: str) -> None:
        """Notes a sign-in that failed. A name that is no officer's is not kept: it may be a password in its place."""
        with self._work(write=True) as work:
            known = officer if officer in work.office.officers else None
            work.ledger.append(events.SIGN_IN_FAILED, actor=known, how=how, known=known is not None)


def _chosen(by: By | None) -> str | None:
    """Returns for which absent officer somebody reads, as they chose; None for themselves."""
    return by.behalf if by is not None else None
