"""SMS through Kannel's HTTP interface (its user guide, "SMS push"): accepted here, delivered by a later callback."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from notifications.channels.number import good_number
from notifications.channels.port import Kind, Message, Outcome, accepted, failed, refused, unknown
from notifications.channels.receipt import kannel_callback
from notifications.segments import Mode, count, normal

_DLR_MASK = 1 | 2 | 8 | 16  # delivered, not delivered, the centre has it, the centre refused it
_ANSWER_LIMIT = 2_000  # bytes
_THROTTLE_PAUSE_S = 30
_SETUP_PAUSE_S = 900


@dataclass(frozen=True, kw_only=True)
class KannelSettings:
    """Where Kannel's smsbox listens, and how it calls back.

    `callback_url` and `callback_secret` go together; without them no message is ever seen as delivered.
    """

    url: str  # http://127.0.0.1:13013/cgi-bin/sendsms
    user: str
    password: str
    sender: str | None = None  # a name or number that the operator gave the office
    mode: Mode = "ucs2"  # ucs2 keeps diacritics, gsm7 leaves them out
    max_segments: int = 2
    callback_url: str | None = None
    callback_secret: str = ""
    ca_file: Path | None = None
    timeout_s: float = 20.0


class KannelChannel:
    """Kannel. Not idempotent: each call is a message."""

    kind: Kind = "sms"
    idempotent = False

    def __init__(self, settings: KannelSettings, *, name: str = "sms") -> None:
        self.name = name
        self._settings = settings

    def send(self, message: Message) -> Outcome:
        """Hands one SMS to Kannel. See port.Channel."""
        if not good_number(message.to):
            return refused("The phone number is not valid.", bad_contact=True)
        if count(message.text, self._settings.mode) > self._settings.max_segments:
            return refused("The text is too long for SMS.")
        return self._call(self._arguments(message))

    def check(self) -> Outcome:
        """Asks Kannel to send to nobody: 400 says that the user name and password are right."""
        arguments = {"username": self._settings.user, "password": self._settings.password, "to": "", "text": ""}
        outcome = self._call(arguments)
        return accepted("The SMS gateway is ready.") if outcome.code == "400" else outcome

    def close(self) -> None:
        """Holds nothing."""

    def _arguments(self, message: Message) -> dict[str, str]:
        settings = self._settings
        arguments = {
            "username": settings.user,
            "password": settings.password,
            "to": message.to,
            "text": normal(message.text, settings.mode),
            "charset": "UTF-8",
            # Without coding=2 Kannel answers 202 all the same, and ư and ệ arrive as question marks.
            "coding": "2" if settings.mode == "ucs2" else "0",
        }
        if settings.sender:
            arguments["from"] = settings.sender
        if settings.callback_url:
            arguments["dlr-mask"] = str(_DLR_MASK)
            arguments["dlr-url"] = kannel_callback(settings.callback_url, message.id, settings.callback_secret)
        return arguments

    def _call(self, arguments: dict[str, str]) -> Outcome:
        try:
            connection, path = self._open()
        except ssl.SSLError:
            return _setup("The SMS gateway's certificate is not trusted.")
        except ValueError:
            return _setup("The SMS gateway's address is not valid.")
        except OSError as error:
            return failed("The SMS gateway cannot be reached.", code=type(error).__name__, gateway=True)
        try:
            # Once the request is on its way Kannel may have taken it, whatever happens to the connection.
            connection.request("GET", f"{path}?{urlencode(arguments)}")
            response = connection.getresponse()
            status, words = response.status, response.read(_ANSWER_LIMIT).decode("utf-8", "replace")
        except http.client.InvalidURL:
            return _setup("The SMS gateway's address is not valid.")
        except (OSError, http.client.HTTPException):
            return unknown("The SMS gateway's answer was lost after the message was handed over.")
        finally:
            connection.close()
        return _outcome(status, words)

    def _open(self) -> tuple[http.client.HTTPConnection, str]:
        parts = urlsplit(self._settings.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(parts.scheme)
        timeout = self._settings.timeout_s
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            ca_file = self._settings.ca_file
            context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
            connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=context)
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        connection.connect()
        return connection, parts.path or "/"


def _outcome(status: int, words: str) -> Outcome:
    code = str(status)
    queued = words.lstrip().startswith("3")
    match status:
        case 202 | 200 if queued:
            return accepted("The SMS gateway keeps the message until the SMS centre answers.", code=code)
        case 202 | 200:
            return accepted("The SMS gateway took the message.", code=code)
        case 400:
            return refused("The SMS gateway refused the message.", code=code)
        case 401 | 403:
            return _setup("The SMS gateway refused the user name or password.", code=code)
        case 404 | 405 | 301 | 302 | 307 | 308:
            return _setup("The SMS gateway's address is not valid.", code=code)
        case 429 | 503:
            pause = _THROTTLE_PAUSE_S
            return failed("The SMS gateway put the message off.", code=code, retry_after_s=pause, gateway=True)
        case _:
            # 500, 502 and 504 also come from a proxy that has passed the request on.
            return unknown("The SMS gateway's answer was not understood.", code=code)


def _setup(detail: str, *, code: str = "") -> Outcome:
    return failed(detail, code=code, setup=True, retry_after_s=_SETUP_PAUSE_S)
