"""Cookies, the token that a form must bear, and where a posted form came from."""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from engine.signing_in import LONGEST, digest

LANGUAGES = ("vi", "en")
YEAR_S = 365 * 24 * 3600
ADDRESS_LIMIT = 64
TRIP_S = 600  # for signing in at an identity provider


class Cookies:
    """The cookies of the pages. `secure`: only over TLS, and then for this host alone."""

    def __init__(self, *, secure: bool) -> None:
        self.secure = secure
        self._prefix = "__Host-" if secure else ""

    def session(self, request: Request) -> str:
        """Returns the secret of the session, '' without one."""
        return request.cookies.get(self._prefix + "ketnap", "")[:128]

    def begin(self, response: Response, secret: str) -> None:
        """Gives the browser a session."""
        self._set(response, "ketnap", secret, int(LONGEST.total_seconds()), "lax")

    def end(self, response: Response) -> None:
        """Takes the session away."""
        self._set(response, "ketnap", "", 0, "lax")

    def start(self, request: Request) -> str:
        """Returns what ties the form of signing in to this browser, '' when it has none yet."""
        return request.cookies.get(self._prefix + "ketnap_start", "")[:128]

    def give_start(self, response: Response, value: str) -> None:
        """Ties the form of signing in to this browser."""
        self._set(response, "ketnap_start", value, int(LONGEST.total_seconds()), "strict")

    def trip(self, request: Request) -> str:
        """Returns what ties a trip to the identity provider to this browser, '' without one."""
        return request.cookies.get(self._prefix + "ketnap_trip", "")[:128]

    def travel(self, response: Response, value: str) -> None:
        """Ties a trip to the identity provider to this browser; '' ends it. Lax: the browser comes from elsewhere."""
        self._set(response, "ketnap_trip", value, TRIP_S if value else 0, "lax")

    def language(self, request: Request) -> str | None:
        """Returns the language that was chosen."""
        found = request.cookies.get(self._prefix + "ketnap_lang")
        return found if found in LANGUAGES else None

    def give_language(self, response: Response, lang: str) -> None:
        """Keeps the language that was chosen."""
        self._set(response, "ketnap_lang", lang, YEAR_S, "lax")

    def _set(self, response: Response, name: str, value: str, age: int, same_site: str) -> None:
        response.set_cookie(
            self._prefix + name,
            value,
            max_age=age,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="strict" if same_site == "strict" else "lax",
        )


def new_start() -> str:
    """Returns a value that nobody can guess."""
    return secrets.token_hex(16)


def token_of(secret: str) -> str:
    """Returns what a form of this session bears; the session's secret cannot be found from it."""
    return digest(f"form:{secret}")[:32] if secret else ""


def fits(given: str, secret: str) -> bool:
    """Tells whether a form's token is this session's."""
    return bool(secret) and hmac.compare_digest(given.encode(), token_of(secret).encode())


def from_elsewhere(request: Request) -> bool:
    """Tells whether a browser says that a form was posted from another site."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin not in (None, "null") and urlsplit(origin).netloc != request.headers.get("host", "")


def address_of(request: Request, *, proxied: bool) -> str:
    """Returns where a request comes from: as the proxy in front says last, where there is one."""
    if proxied:
        return request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()[:ADDRESS_LIMIT]
    return request.client.host if request.client is not None else ""


def local_path(text: str) -> str:
    """Returns a path of this site to go to; the first page for anything else."""
    if not text.startswith("/") or text.startswith(("//", "/\\")) or any(ord(c) < 33 for c in text) or len(text) > 500:
        return "/"
    return text


def browser(agent: str) -> str:
    """Returns what people call a browser and its system, from what it says of itself."""
    names = (("Edg/", "Edge"), ("OPR/", "Opera"), ("coc_coc", "Cốc Cốc"), ("Firefox/", "Firefox"),
             ("Chrome/", "Chrome"), ("Safari/", "Safari"))  # fmt: skip
    systems = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
               ("Mac OS", "macOS"), ("Linux", "Linux"))  # fmt: skip
    name = next((n for sign, n in names if sign in agent), "")
    system = next((s for sign, s in systems if sign in agent), "")
    return ", ".join(filter(None, (name, system)))
