"""Ways in, against the trail: passwords, tokens, feeds, contacts, one-time codes and sessions are those it knows of.

Of a secret the trail holds a mark (`officework.mark_of`), which tells whether it is still the same and nothing else. An
event of before there were marks says only that there was a secret: then it is told that nothing can be said of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.comparing import Problem
from engine.core import events
from engine.core.events import Entry, stamp, unstamp
from engine.ledger import entries
from engine.officework import mark_of
from engine.signing_in import LONGEST
from engine.store.rows import EventSearch, OfficerRow, SessionRow, TokenRow
from engine.work import Work

UNMARKED = ""  # there was one, and the event that gave it is of before there were marks

_OLD = {
    "password": "{officer}: the password is older than the trail's marks, and is not compared until a new one is set",
    "token": "{officer}: the token is older than the trail's marks, and is not compared until a new one is made",
    "feed": "{officer}: the feed is older than the trail's marks, and is not compared until it is opened anew",
}  # fmt: skip


@dataclass(kw_only=True)
class _Known:
    """What the trail knows of one officer."""

    password: str | None = None
    password_by: str | None = None
    token: str | None = None
    feed: str | None = None
    bad: set[str] = field(default_factory=set)
    codes: bool = False  # whether they sign in with a one-time code
    acted_for: set[str] = field(default_factory=set)
    tokens: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # mark -> scopes, last moment, whether it ended


def entrances(work: Work) -> Iterator[Problem]:
    """Compares what lets officers in, and where notices reach them, with the events that gave it."""
    known: dict[str, _Known] = {}
    for kind, take in ((events.OFFICE, _office), (events.ACCESS, _access)):
        for entry in entries(work.tx.events(kind=kind), None, work.kit.sealer):
            if "officer" in entry.detail:
                take(known.setdefault(str(entry.detail["officer"]), _Known()), entry)
    for row in work.tx.officers():
        for what in _differs(work, row, known.get(row.id, _Known())):
            yield Problem(event=None, kind="access", message=what, params={"officer": row.id})


def unmarked(work: Work) -> Iterator[Problem]:
    """Yields, as notes and not as faults, the secrets of which the trail does not tell whether they are the same."""
    known: dict[str, _Known] = {}
    for entry in entries(work.tx.events(kind=events.OFFICE), None, work.kit.sealer):
        if "officer" in entry.detail:
            _office(known.setdefault(str(entry.detail["officer"]), _Known()), entry)
    for id, one in known.items():
        for what, message in _OLD.items():
            if getattr(one, what) == UNMARKED:
                yield Problem(event=None, kind="unmarked", message=message, params={"officer": id})


def _office(known: _Known, entry: Entry) -> None:
    detail: Mapping[str, Any] = entry.detail
    match detail.get("what"):
        case "officer":
            for name in ("password", "token"):
                setattr(known, name, detail.get(f"{name}_mark", UNMARKED if detail.get(f"has_{name}") else None))
            known.password_by = detail.get("password_by")
        case "feed_opened":
            known.feed = detail.get("mark", UNMARKED)
        case "feed_closed":
            known.feed = None
        case "bad_contact":
            known.bad.add(str(detail["contact"]))
        case _:
            pass


def _access(known: _Known, entry: Entry) -> None:
    match entry.detail.get("what"):
        case "factor_set":
            known.codes = True
        case "factor_taken":
            known.codes = False
        case "acts_for":
            known.acted_for.add(entry.behalf or "")
        case "token_made" | "token_ended" as what:
            detail: Mapping[str, Any] = entry.detail
            known.tokens[str(detail.get("mark"))] = (detail["scopes"], detail["until"], what == "token_ended")
        case _:
            pass


def _differs(work: Work, row: OfficerRow, known: _Known) -> Iterator[str]:
    if not _same(row.password, known.password):
        yield "{officer}: the password is not the one that the trail knows of"
    if row.password_by != known.password_by:
        yield "{officer}: who gave the password is not whom the trail names"
    if not _same(row.token, known.token):
        yield "{officer}: the token is not the one that the trail knows of"
    if not _same(row.feed, known.feed):
        yield "{officer}: the calendar feed is not the one that the trail knows of"
    bad = {"email": row.bad_email, "sms": row.bad_phone, "webhook": row.bad_webhook}
    if any(value is not None and channel not in known.bad for channel, value in bad.items()):
        yield "{officer}: a contact is marked as refused, and the trail knows nothing of it"
    factor = work.tx.factor(row.id)
    if known.codes != (factor is not None and factor.confirmed_at is not None):
        yield "{officer}: the one-time codes are not those that the trail knows of"
    if any(known.tokens.get(mark or "") != said for mark, said in map(_token, work.tx.tokens_of(row.id))):
        yield "{officer}: a program's token is not one that the trail knows of"
    if not all(_signed_in(work, session, known) for session in work.tx.sessions_of(row.id)):
        yield "{officer}: there is a session that nobody signed in to"


def _same(kept: str | None, mark: str | None) -> bool:
    return kept is not None if mark == UNMARKED else mark_of(kept) == mark


def _token(row: TokenRow) -> tuple[str | None, tuple[Any, ...]]:
    return mark_of(row.id), (row.scopes, row.expires_at, row.ended_at is not None)


def _signed_in(work: Work, session: SessionRow, known: _Known) -> bool:
    """Tells whether a session began with a sign-in, lasts no longer than one may, and acts for whom it said."""
    wanted = EventSearch(
        kinds=(events.SIGNED_IN,), officer=session.officer, since=session.created_at, until=session.created_at
    )
    return (
        bool(work.tx.search_events(wanted, limit=1))
        and session.expires_at <= stamp(unstamp(session.created_at) + LONGEST)
        and (session.behalf is None or session.behalf in known.acted_for)
    )
