"""Notices to another program: JSON over HTTP, signed as standardwebhooks.com says, with an idempotency key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from notifications.channels.port import Kind, Message, Outcome, accepted, failed, refused, unknown

_TOLERANCE = timedelta(minutes=5)
_ANSWER_LIMIT = 2_000  # bytes
_PAUSE_LIMIT_S = 86_400
_SETUP_PAUSE_S = 900


@dataclass(frozen=True, kw_only=True)
class WebhookSettings:
    """Whom the office's notices may be given to.

    `hosts` are the only ones that are called (`name` or `name:port`): an address typed into a contact must not make
    this machine call others inside the office's network. `check_url` is asked by `check`.
    """

    secret: bytes  # at least 24 bytes, shared with the receiver
    hosts: tuple[str, ...]
    check_url: str | None = None
    ca_file: Path | None = None
    timeout_s: float = 15.0


def signature(secret: bytes, id_: str, timestamp: int, body: bytes) -> str:
    """Returns `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`."""
    digest = hmac.new(secret, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def verify(
    secret: bytes, headers: Mapping[str, str], body: bytes, *, now: datetime, tolerance: timedelta = _TOLERANCE
) -> bool:
    """True if the call is ours, whole, and not an old one played again. `headers` have names in lower case."""
    try:
        timestamp = int(headers.get("webhook-timestamp", ""))
        expected = signature(secret, headers.get("webhook-id", ""), timestamp, body)
        age_s = abs(now.timestamp() - timestamp)
    except (ValueError, OverflowError):
        return False
    given = headers.get("webhook-signature", "").split(" ")
    return age_s <= tolerance.total_seconds() and any(
        hmac.compare_digest(expected.encode(), one.encode()) for one in given
    )


def body_of(message: Message) -> bytes:
    """Returns the JSON of a message: the same bytes at every attempt."""
    return json.dumps(
        {
            "id": message.id,
            "created_at": message.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "to_name": message.to_name,
            "subject": message.subject,
            "text": message.text,
            "urgent": message.urgent,
        },
        ensure_ascii=True,
        sort_keys=True,
    ).encode()


class WebhookChannel:
    """HTTP POST with an Idempotency-Key, which the receiver must honour: so this is idempotent."""

    kind: Kind = "webhook"
    idempotent = True

    def __init__(self, settings: WebhookSettings, *, clock: Callable[[], datetime], name: str = "webhook") -> None:
        """`clock` gives the time of the attempt, which is signed; it returns an aware time."""
        self.name = name
        self._settings = settings
        self._clock = clock

    def send(self, message: Message) -> Outcome:
        """Posts one message. See port.Channel."""
        parts = self._parts(message.to)
        if parts is None:
            return refused("This address is not one that may be called.", bad_contact=True)
        body = body_of(message)
        timestamp = int(self._clock().timestamp())
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.id,
            "webhook-id": message.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._settings.secret, message.id, timestamp, body),
        }
        return self._call(parts, "POST", headers, body)

    def check(self) -> Outcome:
        """Asks `check_url` with HEAD: any answer of an HTTP server will do."""
        if self._settings.check_url is None:
            return accepted("There is no address to try.")
        parts = self._parts(self._settings.check_url)
        if parts is None:
            return _setup("This address is not one that may be called.")
        outcome = self._call(parts, "HEAD", {}, b"")
        return accepted("The other program answers.", code=outcome.code) if outcome.code.isdigit() else outcome

    def close(self) -> None:
        """Holds nothing."""

    def _parts(self, url: str) -> SplitResult | None:
        try:
            parts = urlsplit(url)
            known = parts.scheme in ("http", "https") and parts.username is None and url.isascii() and url.isprintable()
            named = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        except ValueError:
            return None
        return parts if known and " " not in url and named in self._settings.hosts else None

    def _call(self, parts: SplitResult, method: str, headers: dict[str, str], body: bytes) -> Outcome:
        try:
            connection = self._open(parts)
        except ssl.SSLError:
            return _setup("The other program's certificate is not trusted.")
        except OSError as error:
            return failed("The other program cannot be reached.", code=type(error).__name__)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request(method, target, body or None, headers)
            response = connection.getresponse()
            response.read(_ANSWER_LIMIT)
        except (OSError, http.client.HTTPException):
            return unknown("The other program's answer was lost after the message was handed over.")
        finally:
            connection.close()
        return _outcome(response.status, response.headers.get("Retry-After", ""))

    def _open(self, parts: SplitResult) -> http.client.HTTPConnection:
        timeout = self._settings.timeout_s
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            ca_file = self._settings.ca_file
            context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
            connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout, context=context)
        else:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        connection.connect()
        return connection


def _outcome(status: int, retry_after: str) -> Outcome:
    code = str(status)
    # Retry-After may also be a date (RFC 9110 10.2.3); then the caller's own pause is good enough.
    pause = min(int(retry_after), _PAUSE_LIMIT_S) if retry_after.isascii() and retry_after.isdigit() else None
    if 200 <= status < 300:
        return accepted("The other program took the message.", code=code)
    if 300 <= status < 400:
        # Following would send the notice to a host that nobody has allowed.
        return _setup("The other program sends us elsewhere; redirects are not followed.", code=code)
    if status in (401, 403):
        return _setup("The other program refused the signature.", code=code)
    if status in (404, 410):
        return refused("The other program does not know this address.", code=code, bad_contact=True)
    if status in (408, 409, 423, 425, 429) or status >= 500:
        return failed("The other program put the message off.", code=code, retry_after_s=pause)
    if status >= 400:
        return refused("The other program refused the message.", code=code)
    return unknown("The other program's answer was not understood.", code=code)


def _setup(detail: str, *, code: str = "") -> Outcome:
    return failed(detail, code=code, setup=True, retry_after_s=_SETUP_PAUSE_S)
