"""Accounts of officers: passwords, and the first account of a database in which nobody can sign in yet."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from engine import officework
from engine.core.errors import BadInput, NotFound
from engine.officework import Counts, OfficerChange
from engine.service import Service
from engine.steps import By
from engine.store.rows import OfficerRow

SHORTEST = 10  # letters of a password


def hash_password(password: str) -> str:
    """Returns the Argon2 hash of a password. Vietnamese keyboards type `ệ` in two forms: both are the same password.

    Raises BadInput for one that is too short.
    """
    from pwdlib import PasswordHash

    text = unicodedata.normalize("NFC", password)
    if len(text) < SHORTEST:
        raise BadInput("a password has at least {n} letters", n=SHORTEST)
    return PasswordHash.recommended().hash(text)


def password_fits(password: str, hashed: str | None) -> bool:
    """Tells whether a password is the one that was hashed; takes as long where there is none."""
    from pwdlib import PasswordHash

    hasher = PasswordHash.recommended()
    text = unicodedata.normalize("NFC", password)
    if hashed is None:
        hasher.hash(text)
        return False
    return hasher.verify(text, hashed)


def nobody_signs_in(rows: Sequence[OfficerRow]) -> bool:
    """Tells whether no officer can show who they are: none has an account, a token or a password."""
    return all(r.account is None and r.token is None and r.password is None for r in rows)


def put_account(service: Service, change: OfficerChange, by: By) -> Counts:
    """Adds or changes an officer's account. Officers may set their own password.

    While nobody can sign in, whoever holds the database's key may give the first officer an account or a token.
    Raises BadInput and Denied.
    """
    with service.work(write=True) as work:
        standing = work.tx.officers()
        own = change == OfficerChange(id=change.id, password=change.password) and by.officer == change.id
        first = nobody_signs_in(standing) and any(r.id == change.id for r in standing)
        signs = change == OfficerChange(
            id=change.id, account=change.account, token=change.token, password=change.password
        )
        if not own and not (first and signs):
            officework.permit(work, "officers" if change.roles is not None else "accounts", by)
        if change.disabled and not any(r.id == change.id for r in standing):
            raise NotFound("{officer} is not an officer here", officer=change.id)
        return officework.put_officers(work, [change], by)
