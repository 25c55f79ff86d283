"""Accounts of officers, and the first account of a database in which nobody can sign in yet."""

from __future__ import annotations

from collections.abc import Sequence

from engine import officework, permits
from engine.core.errors import BadInput, Denied, NotFound
from engine.officework import Counts, OfficerChange
from engine.service import Service
from engine.steps import By
from engine.store.rows import OfficerRow
from engine.trail import is_sandbox
from engine.work import Work


def nobody_signs_in(rows: Sequence[OfficerRow]) -> bool:
    """Tells whether no officer can show who they are: none has an account, a token or a password."""
    return all(r.account is None and r.token is None and r.password is None for r in rows)


def put_account(service: Service, change: OfficerChange, by: By) -> Counts:
    """Adds or changes an officer's account. Officers may set their own password, and the order of
    their channels.

    While nobody can sign in to a real database nobody can show who they are: whoever holds its key is taken at their
    word, once, and only for an officer who may give accounts to the others. Raises BadInput and Denied.
    """
    with service.work(write=True) as work:
        standing = work.tx.officers()
        if nobody_signs_in(standing) and not is_sandbox(work.tx):
            return _first_account(work, change, by)
        theirs = OfficerChange(id=change.id, password=change.password, channels=change.channels)
        own = change == theirs and by.officer == change.id
        if not own:
            by = permits.permit_officers(work, "officers" if change.roles is not None else "accounts", by, [change])
        if change.disabled and by.officer == change.id:
            raise BadInput("nobody takes their own access away; another administrator does")
        if change.disabled and not any(r.id == change.id for r in standing):
            raise NotFound("{officer} is not an officer here", officer=change.id)
        return officework.put_officers(work, [change], by)


def _first_account(work: Work, change: OfficerChange, by: By) -> Counts:
    """Adds the officer who will give accounts to the others, or lets them sign in. Raises Denied for anybody else."""
    lacking = permits.nobody_may(work, "accounts")
    if change.roles is not None and not lacking:
        raise Denied("somebody else here may give accounts; a first account gives no roles", why="role")
    counts = officework.put_officers(work, [change], by)
    try:
        permits.permit(work, "accounts", By(officer=change.id))
    except Denied as error:
        raise Denied(
            "the first account is that of an officer who may give accounts to the others: {roles}",
            why=error.why,
            roles=", ".join(permits.roles_that_may(work, "accounts")),
        ) from error
    return counts
