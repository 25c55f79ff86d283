"""Email through an SMTP server (RFC 5321, 3207, 4954), one connection for a batch."""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from notifications.channels.letter import Sender, good_address, stuffed, write
from notifications.channels.port import Kind, Message, Outcome, accepted, failed, refused, unknown

_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?=\s|$)")
_SETUP_PAUSE_S = 900  # a wrong password tried every minute gets the account locked


@dataclass(frozen=True, kw_only=True)
class EmailSettings:
    """Where the office's mail server is and who signs in. `ca_file` is for a server with a certificate of its own.

    `tls="none"` is for a server on this machine only; a password is never sent without TLS.
    """

    host: str
    port: int = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    sender: Sender
    bounce_address: str | None = None  # where bounces go; the sender's address if None
    helo_name: str | None = None
    timeout_s: float = 30.0


class _Stop(Exception):
    """The conversation ends here, with this outcome."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


class EmailChannel:
    """SMTP. Not idempotent: a server takes the same Message-ID twice."""

    kind: Kind = "email"
    idempotent = False

    def __init__(self, settings: EmailSettings, *, name: str = "email") -> None:
        self.name = name
        self._settings = settings
        self._smtp: smtplib.SMTP | None = None

    def send(self, message: Message) -> Outcome:
        """Hands one email to the server. See port.Channel."""
        if not good_address(message.to):
            return refused("The email address is not valid.", bad_contact=True)
        try:
            raw = write(message, self._settings.sender)
        except (ValueError, UnicodeError):
            return refused("The message cannot be written as an email.")
        try:
            self._begin(message.to)
            return self._data(raw)
        except _Stop as stop:
            return stop.outcome
        except (OSError, smtplib.SMTPException):
            # Nothing is handed over before the end of DATA, and _data catches what comes after it.
            self.close()
            return failed("The connection to the mail server was lost before the message was handed over.")

    def check(self) -> Outcome:
        """Connects, signs in and asks NOOP. See port.Channel."""
        try:
            self._connected()
            return accepted("The mail server is ready.")
        except _Stop as stop:
            return stop.outcome
        except (OSError, smtplib.SMTPException):
            self.close()
            return failed("The connection to the mail server was lost before the message was handed over.")

    def close(self) -> None:
        """Says QUIT and lets go of the connection."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            smtp.quit()
        except (OSError, smtplib.SMTPException):
            smtp.close()

    def _connected(self) -> smtplib.SMTP:
        """Returns a connection that answers: a server drops idle ones, often without a word. Raises _Stop."""
        if self._smtp is not None:
            try:
                if self._smtp.noop()[0] == 250:
                    return self._smtp
            except (OSError, smtplib.SMTPException):
                pass
            self.close()
        smtp = _open(self._settings)
        try:
            _secure(smtp, self._settings)
            _sign_in(smtp, self._settings)
        except BaseException:
            smtp.close()
            raise
        self._smtp = smtp
        return smtp

    def _begin(self, to: str) -> None:
        """Says MAIL FROM and RCPT TO. Raises _Stop with the server's no."""
        smtp = self._connected()
        code, text = smtp.mail(self._settings.bounce_address or self._settings.sender.address)
        if code // 100 == 2:
            code, text = smtp.rcpt(to)
            no = self._no_recipient
        else:
            no = self._no_mail
        if code // 100 != 2:
            self._reset(code)
            raise _Stop(no(code, _answer(code, text)))

    def _no_mail(self, code: int, answer: str) -> Outcome:
        if code // 100 == 4:  # nobody is named yet, so it is meant for all
            return failed("The mail server put the message off.", code=answer, gateway=True)
        if code in (530, 535) or _policy(answer):
            return _unwelcome(answer)
        return refused("The mail server refused the message.", code=answer)

    def _no_recipient(self, code: int, answer: str) -> Outcome:
        if code // 100 == 4:
            return failed("The mail server put the message off.", code=answer)
        if code == 530 or (_policy(answer) and self._settings.user is None):
            return _unwelcome(answer)
        if _policy(answer):  # x.7.x speaks of who may send what (RFC 3463 3.8), not of the address
            return refused("The mail server refused the message.", code=answer)
        return refused("The mail server refused this recipient.", code=answer, bad_contact=True)

    def _data(self, raw: bytes) -> Outcome:
        smtp = self._connected_now()
        code, text = smtp.docmd("DATA")
        if code != 354:
            answer = _answer(code, text)
            self._reset(code)
            if code // 100 == 4:
                return failed("The mail server put the message off.", code=answer)
            return refused("The mail server refused the message.", code=answer)
        smtp.send(stuffed(raw))
        try:
            # From here on the server may have the whole message, whatever happens to the connection.
            smtp.send(b".\r\n")
            code, text = smtp.getreply()
        except (OSError, smtplib.SMTPException):
            self.close()
            return unknown("The mail server's answer was lost after the message was handed over.")
        answer = _answer(code, text)
        if code // 100 == 2:
            return accepted("The mail server took the message.", code=answer)
        self._reset(code)
        if code // 100 == 4:
            return failed("The mail server put the message off.", code=answer)
        if code // 100 == 5:
            return refused("The mail server refused the message.", code=answer)
        self.close()
        return unknown("The mail server's answer was not understood.", code=answer)

    def _connected_now(self) -> smtplib.SMTP:
        if self._smtp is None:
            raise smtplib.SMTPServerDisconnected("no connection")
        return self._smtp

    def _reset(self, code: int) -> None:
        """Makes the connection ready for the next message; 421 means that the server hangs up (RFC 5321 3.8)."""
        smtp = self._connected_now()
        try:
            if code == 421 or smtp.docmd("RSET")[0] != 250:
                self.close()
        except (OSError, smtplib.SMTPException):
            self.close()


def _open(settings: EmailSettings) -> smtplib.SMTP:
    helo = settings.helo_name or settings.sender.domain  # smtplib's own choice asks the DNS, for seconds
    try:
        if settings.tls == "tls":
            context = _trust(settings)
            return smtplib.SMTP_SSL(settings.host, settings.port, helo, timeout=settings.timeout_s, context=context)
        return smtplib.SMTP(settings.host, settings.port, helo, timeout=settings.timeout_s)
    except ssl.SSLError as error:
        raise _Stop(_no_tls(error)) from error
    except smtplib.SMTPConnectError as error:
        answer = _answer(error.smtp_code, error.smtp_error)
        raise _Stop(failed("The mail server does not take connections now.", code=answer, gateway=True)) from error
    except (OSError, smtplib.SMTPException) as error:
        raise _Stop(failed("The mail server cannot be reached.", code=_errno(error), gateway=True)) from error


def _secure(smtp: smtplib.SMTP, settings: EmailSettings) -> None:
    """Says EHLO, and STARTTLS where the settings ask for it. Raises _Stop rather than go on in the open."""
    smtp.ehlo_or_helo_if_needed()
    if settings.tls != "starttls":
        return
    if not smtp.has_extn("starttls"):
        raise _Stop(_setup("The mail server offers no STARTTLS."))
    try:
        code, text = smtp.starttls(context=_trust(settings))
    except ssl.SSLError as error:
        raise _Stop(_no_tls(error)) from error
    if code != 220:
        raise _Stop(failed("The mail server put STARTTLS off.", code=_answer(code, text), gateway=True))
    smtp.ehlo_or_helo_if_needed()


def _sign_in(smtp: smtplib.SMTP, settings: EmailSettings) -> None:
    if settings.user is None:
        return
    if settings.tls == "none":
        raise _Stop(_setup("A password is set but TLS is not: it is not sent in the open."))
    try:
        smtp.login(settings.user, settings.password or "", initial_response_ok=True)
    except smtplib.SMTPAuthenticationError as error:
        answer = _answer(error.smtp_code, error.smtp_error)
        if error.smtp_code // 100 == 4:  # 454: the server cannot ask for the password just now (RFC 4954 4)
            raise _Stop(failed("The mail server put the sign-in off.", code=answer, gateway=True)) from error
        raise _Stop(_setup("The mail server refused the user name or password.", code=answer)) from error
    except (smtplib.SMTPNotSupportedError, UnicodeError) as error:
        raise _Stop(_setup("The mail server offers no way to sign in.")) from error
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException as error:
        raise _Stop(_setup("The mail server offers no way to sign in.")) from error


def _trust(settings: EmailSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise _Stop(_setup("The file of trusted certificates cannot be read.")) from error


def _no_tls(error: ssl.SSLError) -> Outcome:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _setup("The mail server's certificate is not trusted.", code=error.verify_message)
    return _setup("The mail server and this machine agree on no TLS.", code=error.reason or "")


def _setup(detail: str, *, code: str = "") -> Outcome:
    return failed(detail, code=code, setup=True, retry_after_s=_SETUP_PAUSE_S)


def _unwelcome(answer: str) -> Outcome:
    return _setup("The mail server wants a sign-in or does not let this machine send.", code=answer)


def _policy(answer: str) -> bool:
    return answer.partition(" ")[2].startswith("5.7.")


def _answer(code: int, text: bytes | str) -> str:
    """Returns code and enhanced status (RFC 3463) only: the words after them often repeat the address."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    found = _ENHANCED.match(words)
    return f"{code} {found[1]}" if found else str(code)


def _errno(error: Exception) -> str:
    return type(error).__name__
