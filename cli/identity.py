"""Who acts: `--as` names an officer, and outside a sandbox the account or a token must be that officer's."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from cli.session import Session
from cli.settings import Settings
from engine.core.errors import BadInput, Denied, NotFound
from engine.service import Service
from engine.steps import By

if TYPE_CHECKING:
    from web.provider import Provider


def token_hash(token: str) -> str:
    """Returns what the database keeps of a token."""
    return hashlib.sha256(token.strip().encode()).hexdigest()


def new_token() -> str:
    """Returns a new token: 256 bits that nobody can guess, so that a plain hash of it is enough."""
    return secrets.token_urlsafe(32)


def acting(
    session: Session,
    service: Service,
    officer: str | None,
    token: str | None = None,
    *,
    founding: bool = False,
    command: str | None = None,
) -> By:
    """Returns who gives this command. `founding`: it needs nobody as long as the database has no officers.

    Raises BadInput where nobody is named or somebody unknown, Denied where this account is not that officer's: that
    it was tried is noted.
    """
    with service.work() as work:
        rows = {o.id: o for o in work.tx.officers()}
    if officer is None:
        if founding and not rows:
            return By(officer=None, command=command)
        raise BadInput("who acts? name the officer with --as OFFICER")
    row = rows.get(officer)
    if row is None:
        raise NotFound("{officer} is not an officer here", officer=officer)
    if not session.opened.sandbox:
        given = token or session.settings.token
        if given is not None:
            known = row.token is not None and hmac.compare_digest(row.token, token_hash(given))
            if not known:
                service.access.sign_in_failed(officer, "token")
                raise Denied("this is not the token of {officer}", why="identity", officer=officer)
        elif row.account is None or row.account != session.account:
            service.access.sign_in_failed(officer, "account")
            raise Denied(
                "--as {officer}: the account {account} is not that officer's; use --token, or have it mapped with "
                "ketnap user add {officer} --account {account}",
                why="identity",
                officer=officer,
                account=session.account,
            )
    return By(officer=officer, command=command)


def provider_of(settings: Settings) -> Provider | None:
    """Returns the identity provider through which officers sign in on the pages, if one is set. Raises BadInput."""
    from web.provider import Provider

    if settings.oidc_issuer is None:
        return None
    if not settings.base_url:
        raise BadInput("setting {name} needs {other}", name="oidc_issuer", other="base_url")
    return Provider(
        issuer=settings.oidc_issuer,
        client=settings.oidc_client,
        secret=settings.oidc_secret,
        back=settings.base_url.rstrip("/") + "/sign-in/provider/back",
        claim=settings.oidc_claim,
    )


def reader(session: Session, officer: str | None, token: str | None) -> By:
    """Returns who reads; whoever may open the database and its keys may also read the trail out, by no name."""
    return By(officer=None) if officer is None else acting(session, session.service, officer, token)
