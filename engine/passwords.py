"""Passwords: hashed with Argon2, the same however a Vietnamese keyboard composes a letter."""

from __future__ import annotations

import unicodedata

from engine.core.errors import BadInput

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
