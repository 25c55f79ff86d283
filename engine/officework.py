"""Changes of the office itself: organisations, officers, roles, substitutes, days off. Each with its event."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from urllib.parse import urlsplit

from engine.core import events
from engine.core.definition import CHANNELS
from engine.core.errors import BadInput, NotFound
from engine.office import ALWAYS_FROM
from engine.steps import By
from engine.store.rows import DayRow, OfficerRow, RoleRow, SubstituteRow
from engine.work import Work

Marks = Mapping[str, Mapping[str, str | None]]


@dataclass(frozen=True, kw_only=True)
class OrgChange:
    """An organisation to be founded or changed from a day on (None: for as long as anybody knows).

    None leaves a part of an organisation that stands already as it is.
    """

    id: str
    kind: str | None = None
    name: str | None = None
    parent: str | None = None
    from_: date | None = None
    until: date | None = None
    merge_into: str | None = None
    marks: Marks | None = None
    decision: str | None = None  # the number of the decision that says so


@dataclass(frozen=True, kw_only=True)
class OfficerChange:
    """An officer to be added or changed; roles are held in the officer's organisation."""

    id: str
    name: str | None = None
    org: str | None = None
    roles: Sequence[str] | None = None
    email: str | None = None
    phone: str | None = None
    from_: date | None = None
    until: date | None = None
    disabled: bool | None = None
    account: str | None = None
    token: str | None = None
    password: str | None = None
    webhook: str | None = None
    channels: Sequence[str] | None = None  # tried in this order before the office's; empty: only the office's


@dataclass(frozen=True, kw_only=True)
class Term:
    """A role that an officer holds in an organisation, from the first to the last day (None: without end)."""

    officer: str
    role: str
    org: str
    from_: date | None = None
    until: date | None = None


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many were created, updated, and found as they were."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    ids: Sequence[str] = field(default_factory=list)


# ---- officers ----


def put_officers(work: Work, changes: Iterable[OfficerChange], by: By) -> Counts:
    """Adds or changes officers and their roles. A role no longer named ends yesterday. Raises BadInput."""
    created = updated = unchanged = 0
    ids: list[str] = []
    standing = {o.id: o for o in work.tx.officers()}
    held: dict[str, dict[tuple[str, str, str], RoleRow]] = {}
    for r in work.tx.roles():
        held.setdefault(r.officer, {})[(r.org, r.role, r.from_day)] = r
    for change in changes:
        old = standing.get(change.id)
        row = _officer_row(work, change, old, by)
        roles = _role_rows(work, change, row, list(held.get(change.id, {}).values()))
        held.setdefault(change.id, {}).update(((r.org, r.role, r.from_day), r) for r in roles)
        ids.append(change.id)
        if old == row and not roles:
            unchanged += 1
            continue
        created, updated = (created + 1, updated) if old is None else (created, updated + 1)
        work.tx.put_officers([row])
        work.tx.put_roles(roles)
        standing[row.id] = row
        officer_event(work, row, roles, by)
    if created or updated:
        work.office_changed()
    return Counts(created=created, updated=updated, unchanged=unchanged, ids=ids)


def _officer_row(work: Work, change: OfficerChange, old: OfficerRow | None, by: By) -> OfficerRow:
    org = change.org or (old.org if old is not None else None)
    if org is None or org not in work.office.tree.by_id:
        raise NotFound("{officer}: there is no organisation {org}", officer=change.id, org=org)
    name = change.name or (old.name if old is not None else "")
    if not name.strip():
        raise BadInput("{officer} has no name", officer=change.id)
    return OfficerRow(
        id=change.id,
        name=name.strip(),
        org=org,
        email=_kept(change.email, old.email if old else None),
        phone=_kept(change.phone, old.phone if old else None),
        from_day=change.from_.isoformat() if change.from_ else (old.from_day if old else ALWAYS_FROM),
        until_day=change.until.isoformat() if change.until else (old.until_day if old else None),
        disabled=change.disabled if change.disabled is not None else (old.disabled if old else False),
        account=_kept(change.account, old.account if old else None),
        token=_kept(change.token, old.token if old else None),
        password=_kept(change.password, old.password if old else None),
        bad_email=old.bad_email if old else None,
        bad_phone=old.bad_phone if old else None,
        feed=old.feed if old else None,
        webhook=_url(change.id, _kept(change.webhook, old.webhook if old else None)),
        bad_webhook=old.bad_webhook if old else None,
        channels=_order(change, old.channels if old else None),
        password_by=_given(change, old.password_by if old else None, by),
    )


def _given(change: OfficerChange, before: str | None, by: By) -> str | None:
    """Returns which other officer gave the password; one that is the officer's own, or set up by nobody, is no gift."""
    if change.password is None:
        return before
    return by.officer if change.password and by.officer != change.id else None


def _url(officer: str, webhook: str | None) -> str | None:
    """Raises BadInput for what is not the address of a web server; which may be called stands in the settings."""
    parts = urlsplit(webhook or "")
    if webhook is not None and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise BadInput("{officer}: {value} is not an address like https://name/path", officer=officer, value=webhook)
    return webhook


def _order(change: OfficerChange, before: str | None) -> str | None:
    if change.channels is None:
        return before
    for channel in change.channels:
        if channel not in CHANNELS:
            raise BadInput(
                "{officer}: there is no channel {value}; there are: {known}",
                officer=change.id,
                value=channel,
                known=", ".join(CHANNELS),
            )
    return ",".join(dict.fromkeys(change.channels)) or None


def _kept(new: str | None, old: str | None) -> str | None:
    """None leaves what was; an empty text takes it away."""
    return old if new is None else (new.strip() or None)


def _role_rows(work: Work, change: OfficerChange, row: OfficerRow, before: Sequence[RoleRow]) -> list[RoleRow]:
    if change.roles is None:
        return []
    known = work.library.area.file.roles
    for role in change.roles:
        if role not in known:
            raise BadInput(
                "{officer}: there is no role {role}; there are: {known}",
                officer=change.id,
                role=role,
                known=", ".join(known),
            )
    today = work.today.isoformat()
    held = [r for r in before if r.until_day is None or r.until_day >= today]
    keep = {r.role for r in held if r.org == row.org and r.role in change.roles}
    ends = (work.today - timedelta(days=1)).isoformat()
    rows = [replace(r, until_day=ends) for r in held if not (r.org == row.org and r.role in change.roles)]
    first = row.from_day if not held else today
    rows += [
        RoleRow(officer=change.id, org=row.org, role=r, from_day=first, until_day=None)
        for r in change.roles
        if r not in keep
    ]
    return rows


def mark_of(kept: str | None) -> str | None:
    """Returns what tells in the trail that a kept secret is still the same: a hash of the hash that is kept of it."""
    return None if kept is None else hashlib.sha256(b"ketnap mark\n" + kept.encode()).hexdigest()[:32]


def officer_event(work: Work, row: OfficerRow, roles: Sequence[RoleRow], by: By) -> None:
    """Writes that an officer was added or changed, with these roles."""
    personal = {f: getattr(row, f) for f in ("name", "email", "phone", "account", "webhook")}
    work.ledger.append(
        events.OFFICE,
        key_id=f"officer:{row.id}",
        payload=personal,
        what="officer",
        officer=row.id,
        org=row.org,
        from_day=row.from_day,
        until_day=row.until_day,
        disabled=row.disabled or None,
        has_password=row.password is not None or None,
        has_token=row.token is not None or None,
        password_mark=mark_of(row.password),
        password_by=row.password_by,
        token_mark=mark_of(row.token),
        channels=row.channels,
        roles=[[r.role, r.org, r.from_day, r.until_day] for r in roles] or None,
        actor=by.officer,
        behalf=by.behalf,
    )


# ---- terms of office ----


def put_terms(work: Work, terms: Iterable[Term], by: By) -> Counts:
    """Adds terms of office, or gives those that begin on the same day another end. Raises BadInput and NotFound.

    Two terms of one officer in one role and unit never overlap.
    """
    created = updated = unchanged = 0
    officers = {o.id: o for o in work.tx.officers()}
    held = list(work.tx.roles())
    for term in terms:
        officer = officers.get(term.officer)
        if officer is None:
            raise NotFound("{officer} is not an officer here", officer=term.officer)
        row = _term_row(work, term)
        same = [r for r in held if (r.officer, r.org, r.role) == (row.officer, row.org, row.role)]
        old = next((r for r in same if r.from_day == row.from_day), None)
        if old == row:
            unchanged += 1
            continue
        for other in same:
            if other is not old and _overlap(other, row):
                raise BadInput(
                    "{officer} holds {role} at {org} from {from_} until {until} already",
                    officer=row.officer,
                    role=row.role,
                    org=row.org,
                    from_="…" if other.from_day == ALWAYS_FROM else other.from_day,
                    until=other.until_day or "…",
                )
        created, updated = (created + 1, updated) if old is None else (created, updated + 1)
        held = [r for r in held if r is not old] + [row]
        work.tx.put_roles([row])
        officer_event(work, officer, [row], by)
    if created or updated:
        work.office_changed()
    return Counts(created=created, updated=updated, unchanged=unchanged)


def _term_row(work: Work, term: Term) -> RoleRow:
    known = work.library.area.file.roles
    if term.role not in known:
        raise BadInput(
            "{officer}: there is no role {role}; there are: {known}",
            officer=term.officer,
            role=term.role,
            known=", ".join(known),
        )
    if term.org not in work.office.tree.by_id:
        raise NotFound("{officer}: there is no organisation {org}", officer=term.officer, org=term.org)
    if term.from_ is not None and term.until is not None and term.until < term.from_:
        raise BadInput("the last day, {until}, lies before the first, {from_}", until=term.until, from_=term.from_)
    return RoleRow(
        officer=term.officer,
        org=term.org,
        role=term.role,
        from_day=term.from_.isoformat() if term.from_ else ALWAYS_FROM,
        until_day=term.until.isoformat() if term.until else None,
    )


def _overlap(one: RoleRow, other: RoleRow) -> bool:
    late, early = max(one.from_day, other.from_day), [d for d in (one.until_day, other.until_day) if d is not None]
    return not early or late <= min(early)


def end_term(work: Work, officer: str, role: str, org: str, last: date, by: By) -> None:
    """Ends the term that an officer holds on a day, with that day as its last. Raises NotFound."""
    day = last.isoformat()
    for row in work.tx.roles():
        same = (row.officer, row.role, row.org) == (officer, role, org)
        if same and row.from_day <= day and (row.until_day is None or row.until_day >= day):
            first = None if row.from_day == ALWAYS_FROM else date.fromisoformat(row.from_day)
            put_terms(work, [Term(officer=officer, role=role, org=org, from_=first, until=last)], by)
            return
    raise NotFound("{officer} does not hold {role} at {org} on {day}", officer=officer, role=role, org=org, day=day)


# ---- substitutes, days off ----


def add_substitute(work: Work, officer: str, stand_in: str, first: date, last: date, by: By) -> str:
    """Lets `stand_in` act for `officer` from the first to the last day. Returns its id. Raises BadInput."""
    known = work.office.officers
    for id in (officer, stand_in):
        if id not in known:
            raise NotFound("{officer} is not an officer here", officer=id)
    if officer == stand_in:
        raise BadInput("{officer} cannot stand in for themselves", officer=officer)
    if last < first:
        raise BadInput(
            "the last day, {until}, lies before the first, {from_}", until=last.isoformat(), from_=first.isoformat()
        )
    id = f"{officer}/{stand_in}/{first.isoformat()}"
    row = SubstituteRow(
        id=id, officer=officer, stand_in=stand_in, from_day=first.isoformat(), until_day=last.isoformat()
    )
    work.tx.put_substitutes([row])
    work.ledger.append(
        events.OFFICE,
        what="substitute",
        officer=officer,
        stand_in=stand_in,
        from_day=row.from_day,
        until_day=row.until_day,
        actor=by.officer,
        behalf=by.behalf,
    )
    work.office_changed()
    return id


def end_substitute(work: Work, id: str, by: By) -> None:
    """Ends a substitution before its day: yesterday was its last; one still to come never begins. Raises BadInput."""
    row = next((s for s in work.tx.substitutes() if s.id == id), None)
    if row is None:
        raise NotFound("there is no such substitution")
    yesterday = (work.today - timedelta(days=1)).isoformat()
    if row.until_day <= yesterday:
        raise BadInput("this substitution has ended already")
    ended = replace(row, until_day=yesterday)
    work.tx.put_substitutes([ended])
    work.ledger.append(
        events.OFFICE,
        what="substitute",
        officer=row.officer,
        stand_in=row.stand_in,
        from_day=row.from_day,
        until_day=ended.until_day,
        actor=by.officer,
        behalf=by.behalf,
    )
    work.office_changed()


def put_days(work: Work, days: Iterable[tuple[date, bool]], by: By) -> int:
    """Declares days off (True) or working (False); what is planned on them is planned anew.

    Returns how many changed.
    """
    standing = {d.day: d.off for d in work.tx.days()}
    rows = [DayRow(day=d.isoformat(), off=off) for d, off in days if standing.get(d.isoformat()) != off]
    if not rows:
        return 0
    work.tx.put_days(rows)
    for row in rows:
        work.ledger.append(events.OFFICE, what="day", day=row.day, off=row.off, actor=by.officer, behalf=by.behalf)
    work.office_changed()
    work.replan(work.tx.pending_subjects())
    return len(rows)
