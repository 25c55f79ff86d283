"""A small identity provider (OpenID Connect, code flow with PKCE): signs real ID tokens, and errs where a test says."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from web.app import Server, listen


@dataclass(kw_only=True)
class IdentityServer:
    """Vouches for whoever `claims` says. `spoil` changes what goes into a token, `forge` signs it with another key."""

    now: Callable[[], datetime]
    client: str = "ketnap"
    secret: str = "bí mật"
    claims: dict[str, Any] = field(default_factory=dict)
    spoil: dict[str, Any] = field(default_factory=dict)
    forge: str = ""
    down: bool = False

    def __post_init__(self) -> None:
        self._key = ECKey.generate_key("P-256", parameters={"kid": "1", "use": "sig", "alg": "ES256"})
        self._codes: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()
        listening = listen("127.0.0.1", 0)
        self.issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
        routes = [
            Route("/.well-known/openid-configuration", self._metadata),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
            Route("/keys", lambda _: JSONResponse(KeySet([self._key]).as_dict(private=False))),
        ]
        self._server = Server(Starlette(routes=routes), listening)

    def __enter__(self) -> IdentityServer:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def _metadata(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
        )

    def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        with self._lock:
            self._codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 303)

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        with self._lock:
            asked = self._codes.pop(str(form["code"]), None)
        known = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
        if self.down:
            return Response("not now", 503)
        if (
            asked is None
            or known != f"{self.client}:{self.secret}"
            or asked["redirect_uri"] != form["redirect_uri"]
            or asked["code_challenge"] != challenge.decode().rstrip("=")
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        at = int(self.now().timestamp())
        claims = {
            "iss": self.issuer, "aud": self.client, "sub": "1", "iat": at, "exp": at + 300, "nonce": asked["nonce"],
            **self.claims, **self.spoil,
        }  # fmt: skip
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": self._signed(claims)})

    def _signed(self, claims: dict[str, Any]) -> str:
        if self.forge == "key":
            return jwt.encode({"alg": "ES256", "kid": "1"}, claims, ECKey.generate_key("P-256"))
        if self.forge == "secret":
            return jwt.encode({"alg": "HS256", "kid": "1"}, claims, OctKey.import_key(self.secret * 8))
        if self.forge == "none":
            parts = (b'{"alg":"none"}', str(claims).replace("'", '"').encode())
            return ".".join(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts) + "."
        return jwt.encode({"alg": "ES256", "kid": "1"}, claims, self._key)
