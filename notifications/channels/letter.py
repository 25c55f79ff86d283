"""An email as bytes: the same bytes for the same message, whatever the attempt (RFC 5322, 2047, 3834)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from notifications.channels.port import Message

# Folding at 78 would break a long Message-ID into encoded words; 998 is the hard limit of RFC 5322 2.1.1. Only headers
# that need no encoding come near it: encoded words have a limit of their own, 75.
_POLICY = SMTP.clone(max_line_length=200)
_MESSAGE_ID = re.compile(r"<([A-Za-z0-9._-]+)@([A-Za-z0-9.-]+)>")
_DOT = re.compile(rb"(?m)^\.")
_SPACE = re.compile(r"\s+")
# local@domain in ASCII, RFC 5321 4.1.2 without quoted local parts, which no office uses and many servers refuse.
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?=.{1,253}\Z)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z")


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who the emails come from. `domain` stands in Message-IDs: the office's own, and never changed afterwards."""

    address: str
    name: str
    domain: str


def good_address(address: str) -> bool:
    """True if this is an address that every mail server takes: `local@domain`, in ASCII."""
    local, _, _ = address.partition("@")
    return bool(_ADDRESS.match(address)) and not local.startswith(".") and not local.endswith(".") and ".." not in local


def message_id(id_: str, domain: str) -> str:
    """Returns the Message-ID of a message: `<id@domain>`."""
    return f"<{id_}@{domain}>"


def id_of(text: str, domain: str) -> str | None:
    """Returns the id of the first of our own Message-IDs in a header; None if none is ours."""
    for found in _MESSAGE_ID.finditer(text):
        if found[2].lower() == domain.lower():
            return found[1]
    return None


def one_line(text: str) -> str:
    """Returns a header's text on one line: a line break in a subject would be a header of the attacker's choice."""
    return _SPACE.sub(" ", "".join(c if c.isprintable() or c.isspace() else " " for c in text)).strip()


def write(message: Message, sender: Sender) -> bytes:
    """Returns the whole email, text and HTML as alternatives. Raises ValueError for what mail cannot carry."""
    mail = EmailMessage(policy=_POLICY)
    mail["Message-ID"] = message_id(message.id, sender.domain)
    mail["Date"] = format_datetime(message.created_at)
    mail["From"] = _mailbox(sender.name, sender.address)
    mail["To"] = _mailbox(message.to_name, message.to)
    mail["Subject"] = one_line(message.subject)
    if message.reply_to:
        mail["Reply-To"] = _mailbox("", message.reply_to)
    # RFC 3834 5: no holiday replier answers this. Exchange goes by a header of its own.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if message.urgent:
        mail["Importance"] = "high"
        mail["X-Priority"] = "1"
    for name, value in message.headers.items():
        if name in mail:
            raise ValueError("a header that the channel writes itself was given twice")
        mail[name] = one_line(value)
    mail.set_content(message.text, charset="utf-8", cte="base64")
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html", charset="utf-8", cte="base64")
        # The boundary is drawn by lot otherwise, and the same notice would be different bytes at each attempt.
        mail.set_boundary(f"=={message.id[:60]}==")
    return mail.as_bytes()


def stuffed(raw: bytes) -> bytes:
    """Returns a mail as DATA carries it: a dot at the beginning of a line is doubled (RFC 5321 4.5.2)."""
    doubled = _DOT.sub(b"..", raw)
    return doubled if doubled.endswith(b"\r\n") else doubled + b"\r\n"


def _mailbox(name: str, address: str) -> Address:
    if not good_address(address):
        raise ValueError("this is not an email address")
    return Address(display_name=one_line(name), addr_spec=address)
