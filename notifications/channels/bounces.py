"""Emails that come back: delivery status notifications (RFC 3464), read from bytes or from a mailbox over IMAP."""

from __future__ import annotations

import contextlib
import email
import email.policy
import imaplib
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Literal

from notifications.channels.letter import id_of
from notifications.channels.port import Outcome, accepted, delivered, failed, refused

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_SIZE_LIMIT = 1_000_000  # octets fetched of one mail: a bounce may carry the whole of somebody's attachment
_BATCH = 200


@dataclass(frozen=True, kw_only=True)
class Bounce:
    """News of one email. `recipient` is compared with the notice's own before anything is believed."""

    message_id: str  # the id of the message, not the header
    recipient: str  # address in lower case; empty if the notification does not say
    outcome: Outcome
    final: bool  # False for "delayed"


def read_bounce(raw: bytes, domain: str) -> Bounce | None:
    """Returns the news in a mail; None for any other mail, and for one about a message not sent from `domain`.

    Anybody can write such a mail. So it must name a Message-ID of ours, and the caller compares the recipient.
    Never raises.
    """
    try:
        return _read(raw, domain)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # what the parser of the standard library makes of a mail written to break it


def _read(raw: bytes, domain: str) -> Bounce | None:
    mail = email.message_from_bytes(raw, policy=email.policy.compat32)
    if mail.get_content_type() != "multipart/report":
        return None
    report = next((part for part in mail.walk() if part.get_content_type() == "message/delivery-status"), None)
    about = _original_id(mail, domain)
    blocks = report.get_payload() if report is not None else None
    if about is None or not isinstance(blocks, list):
        return None
    for block in blocks:
        if isinstance(block, Message) and block.get("Action"):
            outcome, final = _outcome(str(block["Action"]), str(block.get("Status", "")))
            return Bounce(message_id=about, recipient=_recipient(block), outcome=outcome, final=final)
    return None


def _original_id(mail: Message, domain: str) -> str | None:
    """Finds our Message-ID: in the returned message or its headers, else in what the notification answers to."""
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822" and isinstance(part.get_payload(), list):
            returned = part.get_payload(0)
            found = id_of(str(returned.get("Message-ID", "")), domain) if isinstance(returned, Message) else None
        elif kind in ("text/rfc822-headers", "message/rfc822-headers"):
            text = part.get_payload(decode=True)
            headers = email.message_from_bytes(text if isinstance(text, bytes) else b"")
            found = id_of(str(headers.get("Message-ID", "")), domain)
        else:
            continue
        if found:
            return found
    return id_of(str(mail.get("In-Reply-To", "")), domain) or id_of(str(mail.get("References", "")), domain)


def _recipient(block: Message) -> str:
    """Original-Recipient where the server kept it: an alias bounces under the name that it stands for."""
    for name in ("Original-Recipient", "Final-Recipient"):
        _, _, address = str(block.get(name, "")).partition(";")
        if address.strip():
            return address.strip().strip("<>").lower()
    return ""


def _outcome(action: str, status: str) -> tuple[Outcome, bool]:
    """RFC 3464 2.3.3 and RFC 3463: the class of the status says whether trying again can help."""
    found = _STATUS.search(status)
    code = found[0] if found else ""
    match action.strip().lower():
        case "failed" if code.startswith("4"):
            return failed("The email was put off until it expired.", code=code, retry=False), True
        case "failed":
            # Policy, system and content (x.7, x.3, x.6) are not the address's fault.
            bad = not code.startswith(("5.7.", "5.3.", "5.6."))
            return refused("The email came back.", code=code, bad_contact=bad), True
        case "delayed":
            return accepted("The email is still on its way.", code=code), False
        case "delivered":
            return delivered("The mailbox has the email.", code=code), True
        case _:  # relayed, expanded: it went on to where no news comes from
            return accepted("The email went on to another server.", code=code), False


@dataclass(frozen=True, kw_only=True)
class BounceSettings:
    """The mailbox that bounces come back to; best one of its own."""

    host: str
    port: int = 993
    tls: Literal["starttls", "tls"] = "tls"
    user: str
    password: str
    folder: str = "INBOX"
    domain: str  # as in the sender's
    ca_file: Path | None = None
    timeout_s: float = 30.0


class BounceBox:
    """Reads new bounces. One that was handled is marked as seen; other mail is left as it is."""

    def __init__(self, settings: BounceSettings) -> None:
        self._settings = settings
        self._looked_at: tuple[str, int] = ("", 0)  # UIDVALIDITY and the highest UID that was read

    def read(self, handle: Callable[[Bounce], None]) -> Outcome:
        """Calls `handle` for each new bounce, oldest first, and marks it after that.

        A crash in between shows the bounce again, so `handle` must stand being called twice; an error of its own
        that is no OSError passes through. Returns `accepted` with the number of bounces in `code`, or `failed` with
        what is wrong.
        """
        try:
            box = self._sign_in()
        except ssl.SSLError:
            return failed("The mailbox server's certificate is not trusted.", setup=True, retry_after_s=900)
        except imaplib.IMAP4.abort:
            return failed("The connection to the mailbox server was lost.")
        except imaplib.IMAP4.error:
            detail = "The mailbox server refused the user name or password."
            return failed(detail, setup=True, retry_after_s=900)
        except OSError as error:
            return failed("The mailbox server cannot be reached.", code=type(error).__name__)
        try:
            return accepted("The bounces were read.", code=str(self._read_new(box, handle)))
        except (imaplib.IMAP4.error, OSError) as error:
            return failed("The connection to the mailbox server was lost.", code=type(error).__name__)
        finally:
            _leave(box)

    def _sign_in(self) -> imaplib.IMAP4:
        settings = self._settings
        context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
        box: imaplib.IMAP4
        if settings.tls == "tls":
            box = imaplib.IMAP4_SSL(settings.host, settings.port, ssl_context=context, timeout=settings.timeout_s)
        else:
            box = imaplib.IMAP4(settings.host, settings.port, timeout=settings.timeout_s)
        try:
            if settings.tls == "starttls":
                box.starttls(context)
            box.login(settings.user, settings.password)
        except BaseException:
            with contextlib.suppress(OSError):  # the socket may be gone already, and the reason is what matters
                box.shutdown()
            raise
        return box

    def _read_new(self, box: imaplib.IMAP4, handle: Callable[[Bounce], None]) -> int:
        answer, _ = box.select(_quoted(self._settings.folder))
        if answer != "OK":
            raise imaplib.IMAP4.error("no such folder")
        _, validity = box.response("UIDVALIDITY")
        epoch = str(validity[0]) if validity else ""
        after = self._looked_at[1] if self._looked_at[0] == epoch else 0
        _, found = box.uid("SEARCH", f"UID {after + 1}:* UNSEEN")
        # `n:*` always names the last mail, even one before n (RFC 3501 6.4.8).
        uids = sorted(uid for uid in map(int, (found[0] or b"").split()) if uid > after)[:_BATCH]
        handled = 0
        for uid in uids:
            _, parts = box.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{_SIZE_LIMIT}>)")
            raw = next((part[1] for part in parts if isinstance(part, tuple)), b"")
            bounce = read_bounce(raw, self._settings.domain)
            if bounce is not None:
                handle(bounce)
                box.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)")
                handled += 1
            self._looked_at = (epoch, uid)
        return handled


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _leave(box: imaplib.IMAP4) -> None:
    try:
        box.logout()
    except (imaplib.IMAP4.error, OSError):
        with contextlib.suppress(OSError):
            box.shutdown()
