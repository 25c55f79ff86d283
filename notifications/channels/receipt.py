"""What an SMS gateway says of a message after taking it: its words turned into an outcome. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from engine.core.errors import BadInput
from notifications.channels.port import Outcome, accepted, delivered, failed, refused

_NACK = re.compile(r"NACK/(0x[0-9A-Fa-f]{1,8}|[0-9]{1,10})/")
_NACK_BY_NAME = re.compile(r"NACK/(.+)")
_STAT = re.compile(r"\bstat:([A-Za-z]{1,10})", re.ASCII)
_ERR = re.compile(r"\berr:(\w{1,8})", re.ASCII)
_RECEIPT_ID = re.compile(r"\bid:(\S{1,65})", re.ASCII)


class BadReceipt(BadInput):
    """This is no receipt of a message that was sent from here."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """News of one message. Exactly one of the two ids may be None.

    `final` is False while better news may follow: an outcome that is not final replaces none that is.
    """

    message_id: str | None  # ours, where the gateway gives it back
    provider_id: str | None  # theirs
    outcome: Outcome
    final: bool


# SMPP 3.4 5.1.3: statuses of submit_sm, by what they mean for the message. Any other is a plain refusal.
_LATER = {
    0x01: None,  # nothing wrong is named; seen from gateways that are starting up
    0x08: 60,  # ESME_RSYSERR
    0x14: 60,  # ESME_RMSGQFUL
    0x45: 60,  # ESME_RSUBMITFAIL
    0x58: 30,  # ESME_RTHROTTLED
}
_BAD_NUMBER = {0x0B, 0x50, 0x51}  # ESME_RINVDSTADR, ESME_RINVDSTTON, ESME_RINVDSTNPI
_NOT_WELCOME = {0x04, 0x05, 0x0D, 0x0E, 0x0F}  # bind state, already bound, bind failed, password, system id


def of_status(status: int) -> Outcome:
    """Returns the outcome of a command_status of submit_sm or bind that is not 0 (SMPP 3.4 5.1.3)."""
    code = f"0x{status:02X}"
    if status == 0x58:
        pause = _LATER[status]
        return failed("The SMS centre asks to send more slowly.", code=code, retry_after_s=pause, gateway=True)
    if status in _LATER:
        full = status == 0x14  # its queue, so it takes nobody's
        return failed("The SMS centre put the message off.", code=code, retry_after_s=_LATER[status], gateway=full)
    if status in _BAD_NUMBER:
        return refused("The SMS centre does not know this number.", code=code, bad_contact=True)
    if status in _NOT_WELCOME:
        return failed("The SMS centre refused the sign-in.", code=code, setup=True, retry_after_s=900)
    return refused("The SMS centre refused the message.", code=code)


def of_stat(stat: str, err: str, provider_id: str | None) -> tuple[Outcome, bool]:
    """Returns outcome and finality of a delivery receipt's `stat` (SMPP 3.4 appendix B)."""
    code = f"{stat} {err}".strip()
    match stat.upper():
        case "DELIVRD":
            return delivered("The phone has the message.", code=code, provider_id=provider_id), True
        case "ACCEPTD" | "ENROUTE" | "BUFFERD" | "UNKNOWN":
            return accepted("The SMS centre is still trying.", code=code, provider_id=provider_id), False
        case "REJECTD":
            return refused("The SMS centre refused the message.", code=code, provider_id=provider_id), True
        case "EXPIRED":
            detail = "The phone was out of reach until the message expired."
            return failed(detail, code=code, retry=False, provider_id=provider_id), True
        case _:
            # UNDELIV and DELETED: it did not arrive, and the centre does not say whose fault it was.
            detail = "The SMS centre could not deliver the message."
            return failed(detail, code=code, retry=False, provider_id=provider_id), True


def read_smpp(text: str) -> Receipt:
    """Reads the text of a deliver_sm with a receipt: `id:... stat:DELIVRD err:000`. Raises BadReceipt."""
    found = _RECEIPT_ID.search(text)
    stat = _STAT.search(text)
    if found is None or stat is None:
        raise BadReceipt
    err = _ERR.search(text)
    outcome, final = of_stat(stat[1], err[1] if err else "", found[1])
    return Receipt(message_id=None, provider_id=found[1], outcome=outcome, final=final)


def kannel_token(message_id: str, secret: str) -> str:
    """Returns what proves that a callback speaks of a message sent from here: HMAC-SHA256, 128 bits in hex."""
    return hmac.new(secret.encode(), b"kannel-dlr\n" + message_id.encode(), hashlib.sha256).hexdigest()[:32]


def kannel_callback(url: str, message_id: str, secret: str) -> str:
    """Returns the address that Kannel calls; Kannel itself fills %d (kind), %F (the centre's id) and %A (its words)."""
    ours = urlencode({"id": message_id, "token": kannel_token(message_id, secret)})
    return f"{url}{'&' if '?' in url else '?'}{ours}&kind=%d&centre=%F&answer=%A"


def read_kannel(query: Mapping[str, str], secret: str) -> Receipt:
    """Reads the arguments of Kannel's call to `kannel_callback`. Raises BadReceipt.

    Kinds (Kannel user guide, "Delivery reports"): 1 delivered, 2 not delivered, 4 queued, 8 the centre has it,
    16 the centre refused it.
    """
    message_id = query.get("id", "")
    if not hmac.compare_digest(query.get("token", "").encode(), kannel_token(message_id, secret).encode()):
        raise BadReceipt
    answer = query.get("answer", "")
    provider_id = query.get("centre") or None
    match query.get("kind"):
        case "1" | "2" as kind:
            outcome, final = _of_report(kind, answer, provider_id)
        case "4":
            outcome, final = accepted("The SMS gateway keeps the message until the SMS centre answers."), False
        case "8":
            outcome, final = accepted("The SMS centre has the message.", provider_id=provider_id), False
        case "16":
            outcome, final = _of_nack(answer), True
        case _:
            raise BadReceipt
    return Receipt(message_id=message_id, provider_id=provider_id, outcome=outcome, final=final)


def _of_report(kind: str, answer: str, provider_id: str | None) -> tuple[Outcome, bool]:
    stat, err = _STAT.search(answer), _ERR.search(answer)
    if kind == "1":
        return of_stat("DELIVRD", err[1] if err else "", provider_id)
    name = stat[1] if stat and stat[1].upper() != "DELIVRD" else "UNDELIV"
    outcome, final = of_stat(name, err[1] if err else "", provider_id)
    return outcome, final


def _of_nack(answer: str) -> Outcome:
    """`NACK/0x0000000b/Invalid Destination Address`, or `NACK/Retries Exceeded` after Kannel's own attempts."""
    if found := _NACK.search(answer):
        return of_status(int(found[1], 16 if found[1].startswith("0x") else 10))
    if (named := _NACK_BY_NAME.search(answer)) and named[1].strip().lower() == "retries exceeded":
        return failed("The SMS centre asks to send more slowly.", code="NACK", retry_after_s=300)
    return refused("The SMS centre refused the message.", code="NACK")
