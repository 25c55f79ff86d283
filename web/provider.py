"""An identity provider that vouches for officers: OpenID Connect, the code flow with PKCE, state and nonce.

Sources: OpenID Connect Core 1.0 (3.1), RFC 7636 (PKCE), RFC 9207 (iss in the answer).
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from engine.core.errors import BadInput, KetnapError

WAIT_S = 10.0  # for one answer of the provider
LEEWAY_S = 60  # by how much its clock and ours may differ
LARGEST = 1_000_000  # bytes of one of its answers
SIGNED_BY = ("RS256", "PS256", "ES256", "EdDSA")  # never `none`, never a secret that both know


class ProviderFailed(KetnapError):
    """The identity provider gave no answer that may be trusted; nobody is signed in. Try again, or use the password."""

    exit_code = 3


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a browser was sent to the provider with; it has to come back with the same `state`."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, kw_only=True)
class Vouched:
    """Whom the provider vouches for: the name under which officers are mapped, and an address that it verified."""

    name: str | None
    email: str | None


@dataclass(kw_only=True)
class Provider:
    """One provider. `back` is where it sends browsers back to, `claim` the claim that is an officer's mapped name."""

    issuer: str
    client: str
    secret: str | None
    back: str
    claim: str = "preferred_username"
    _found: Mapping[str, Any] | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        for url in (self.issuer, self.back):
            parts = urlsplit(url)
            if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
                raise BadInput("{url}: signing in through a provider needs https:// addresses", url=url)

    def send(self) -> Sent:
        """Returns where to send a browser. Raises ProviderFailed."""
        verifier, state, nonce = (secrets.token_urlsafe(48) for _ in range(3))
        asked = {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": self.back,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        url = str(add_params_to_uri(self._endpoint("authorization_endpoint"), list(asked.items())))
        return Sent(url=url, state=state, nonce=nonce, verifier=verifier)

    def receive(self, sent: Sent, answer: Mapping[str, str], now: datetime) -> Vouched:
        """Returns whom the provider vouches for, from what a browser came back with. Raises ProviderFailed."""
        if not hmac.compare_digest(answer.get("state", "").encode(), sent.state.encode()):
            raise ProviderFailed()
        if answer.get("iss", self.issuer) != self.issuer or "error" in answer or not answer.get("code"):
            raise ProviderFailed()
        token = self._token(answer["code"], sent.verifier)
        claims = self._claims(token, sent.nonce, now)
        name, email = claims.get(self.claim), claims.get("email")
        return Vouched(
            name=name if isinstance(name, str) and name else None,
            email=email if isinstance(email, str) and email and claims.get("email_verified") is True else None,
        )

    # -- the provider's own answers

    def _endpoint(self, name: str) -> str:
        url = self._metadata().get(name)
        if not isinstance(url, str) or urlsplit(url).scheme not in ("https", urlsplit(self.issuer).scheme):
            raise ProviderFailed()
        return url

    def _metadata(self) -> Mapping[str, Any]:
        with self._lock:
            if self._found is None:
                found = self._ask("GET", self.issuer.rstrip("/") + "/.well-known/openid-configuration")
                if found.get("issuer") != self.issuer:
                    raise ProviderFailed()
                self._found = found
            return self._found

    def _token(self, code: str, verifier: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.back,
            "client_id": self.client,
            "code_verifier": verifier,
        }
        known = (self.client, self.secret) if self.secret is not None else None
        return self._ask("POST", self._endpoint("token_endpoint"), data=form, auth=known)

    def _ask(self, method: str, url: str, **more: Any) -> Mapping[str, Any]:
        try:
            with httpx.Client(timeout=WAIT_S, follow_redirects=False) as client:
                answer = client.request(method, url, headers={"Accept": "application/json"}, **more)
            found = answer.json() if answer.status_code == 200 and len(answer.content) <= LARGEST else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            found = None
        if not isinstance(found, dict):
            raise ProviderFailed()
        return found

    def _claims(self, token: Mapping[str, Any], nonce: str, now: datetime) -> CodeIDToken:
        try:
            keys = KeySet.import_key_set(self._ask("GET", self._endpoint("jwks_uri")))  # type: ignore[arg-type]
            registry = JWSRegistry(algorithms=list(SIGNED_BY), strict_check_header=False)
            found = jwt.decode(str(token.get("id_token", "")), key=keys, registry=registry)
            claims = CodeIDToken(
                found.claims,
                found.header,
                {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self.client}},
                {"nonce": nonce, "client_id": self.client, "access_token": token.get("access_token")},
            )
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY_S)
        except (JoseError, ValueError, KeyError, TypeError):
            raise ProviderFailed() from None
        return claims
