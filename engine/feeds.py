"""The secret addresses of officers' calendar feeds."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

from engine.core import events
from engine.core.authority import Officer
from engine.core.errors import NotFound
from engine.officework import mark_of
from engine.permits import permit
from engine.steps import By
from engine.work import Work

SECRET_BYTES = 24


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_token(work: Work, officer: str, by: By) -> str:
    """Returns a new secret for an officer's feed; the one before opens nothing any more. Raises NotFound and Denied.

    Officers ask for their own; for others, whoever keeps the accounts.
    """
    token = work.kit.random(SECRET_BYTES).hex()
    _put(work, officer, _digest(token), by, "feed_opened")
    return token


def revoke(work: Work, officer: str, by: By) -> None:
    """Closes an officer's feed. Raises NotFound and Denied."""
    _put(work, officer, None, by, "feed_closed")


def _put(work: Work, officer: str, digest: str | None, by: By, what: str) -> None:
    row = next((o for o in work.tx.officers() if o.id == officer), None)
    if row is None:
        raise NotFound("{officer} is not an officer here", officer=officer)
    if by.officer != officer:
        by = permit(work, "accounts", by, row.org)
    else:
        by = replace(by, behalf=None)  # one's own
    work.tx.put_officers([replace(row, feed=digest)])
    work.ledger.append(
        events.OFFICE, what=what, officer=officer, org=row.org, mark=mark_of(digest), actor=by.officer, behalf=by.behalf
    )
    work.office_changed()


def owner(work: Work, token: str) -> Officer:
    """Returns the officer whose feed this secret opens. Raises NotFound, also for one who has left."""
    wanted = _digest(token)
    found = [o.id for o in work.tx.officers() if o.feed is not None and hmac.compare_digest(o.feed, wanted)]
    officer = work.office.officers.get(found[0]) if found else None
    if officer is None or not officer.present(work.today):
        raise NotFound("there is no calendar feed at this address")
    return officer
