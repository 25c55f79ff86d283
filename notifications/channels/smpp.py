"""SMS straight to an operator's SMS centre over SMPP 3.4, with `smpplib`."""

from __future__ import annotations

import logging
import select
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import smpplib.client
import smpplib.exceptions
import smpplib.smpp

from notifications.channels.number import good_number
from notifications.channels.port import Kind, Message, Outcome, accepted, failed, refused, unknown
from notifications.channels.receipt import BadReceipt, Receipt, of_status, read_smpp
from notifications.segments import Mode, encode, split

_LOG = logging.getLogger("notifications.smpp")
_UDHI = 0x40  # esm_class: the octets begin with a header
_RECEIPT = 0x04  # esm_class of deliver_sm: it carries a receipt
_CODING = {"gsm7": 0x00, "ucs2": 0x08}
_SYSTEM_ERROR = 0x08
_SETUP_PAUSE_S = 900


@dataclass(frozen=True, kw_only=True)
class SmppSettings:
    """Where the operator's SMS centre is. SMPP has no encryption: use the operator's line or VPN."""

    host: str
    port: int = 2775
    system_id: str
    password: str
    system_type: str = ""
    sender: str  # a number (+84...) or a name of at most 11 letters that the operator gave the office
    mode: Mode = "ucs2"
    max_segments: int = 2
    hex_ids: bool = False  # some centres answer with an id in hex and write it in decimal in the receipt
    timeout_s: float = 20.0


class _Stop(Exception):
    """The conversation ends here, with this outcome."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


class SmppChannel:
    """SMPP as transceiver. Not idempotent: each submit_sm is a message.

    `on_receipt` stores the news of a message; the centre is told "received" only after it returned, and sends the
    receipt again if it raised, so it must stand being called twice. The receipt is asked for the last part only, and
    that part's id is the message's `provider_id`.
    """

    kind: Kind = "sms"
    idempotent = False

    def __init__(self, settings: SmppSettings, *, on_receipt: Callable[[Receipt], None], name: str = "sms") -> None:
        self.name = name
        self._settings = settings
        self._on_receipt = on_receipt
        self._client: Any = None  # smpplib publishes no types
        self._turned_away = False  # a receipt could not be stored and lies at the centre

    def send(self, message: Message) -> Outcome:
        """Submits one SMS, in parts if it is long. See port.Channel."""
        settings = self._settings
        if not good_number(message.to):
            return refused("The phone number is not valid.", bad_contact=True)
        parts = _parts(message, settings.mode)
        if len(parts) > settings.max_segments:
            return refused("The text is too long for SMS.")
        try:
            client = self._connected()
        except _Stop as stop:
            return stop.outcome
        answer = None
        for at, octets in enumerate(parts):
            try:
                answer = self._submit(client, message.to, octets, headed=len(parts) > 1, last=at == len(parts) - 1)
            except Exception:  # noqa: BLE001 - whatever a broken line or PDU raises, the answer is lost
                self.close()
                return unknown("The SMS centre's answer was lost after the message was handed over.")
            if answer.status != 0:
                # A part taken before this one does no harm: the parts bear the same number at the next attempt.
                return of_status(answer.status)
        return accepted("The SMS centre has the message.", provider_id=self._provider_id(answer))

    def check(self) -> Outcome:
        """Binds and asks enquire_link. See port.Channel."""
        try:
            self._connected()
        except _Stop as stop:
            return stop.outcome
        return accepted("The SMS centre is ready.")

    def receive(self, wait_s: float) -> int:
        """Takes in receipts for up to `wait_s`, returning after the first lot; returns how many PDUs were read.

        To be called when there is nothing to send: a centre holds receipts back until somebody is bound.
        """
        try:
            client = self._connected()
            taken = 0
            while select.select([client._socket], [], [], 0 if taken else wait_s)[0]:
                self._take(client, client.read_pdu())
                taken += 1
            if self._turned_away:  # a centre hands over what it has kept to whoever binds
                self._turned_away = False
                self.close()
            return taken
        except _Stop:
            return 0
        except Exception:  # noqa: BLE001 - the line is broken; the centre sends again what was not confirmed
            self.close()
            return 0

    def close(self) -> None:
        """Unbinds and lets go of the connection."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            client.unbind()
        except Exception:  # noqa: BLE001, S110 - the line is broken already
            pass
        finally:
            client.disconnect()

    def _connected(self) -> Any:
        """Returns a bound client that answers: centres drop idle lines without a word. Raises _Stop."""
        if self._client is not None:
            try:
                question = smpplib.smpp.make_pdu("enquire_link", client=self._client)
                self._client.send_pdu(question)
                self._answer(self._client, question.sequence)
                return self._client
            except Exception:  # noqa: BLE001 - nothing was handed over yet: start anew
                self.close()
        self._client = _bind(self._settings)
        return self._client

    def _submit(self, client: Any, to: str, octets: bytes, *, headed: bool, last: bool) -> Any:
        source, ton, npi = _source(self._settings.sender)
        pdu = client.send_message(
            source_addr_ton=ton,
            source_addr_npi=npi,
            source_addr=source,
            dest_addr_ton=1,  # international, SMPP 3.4 5.2.5
            dest_addr_npi=1,  # E.164
            destination_addr=to.removeprefix("+"),
            esm_class=_UDHI if headed else 0,
            data_coding=_CODING[self._settings.mode],
            registered_delivery=1 if last else 0,
            short_message=octets,
        )
        return self._answer(client, pdu.sequence)

    def _answer(self, client: Any, sequence: int) -> Any:
        """Returns the answer to the PDU of this number; takes in receipts that come before it. Raises on time-out."""
        until = time.monotonic() + self._settings.timeout_s
        while time.monotonic() < until:
            pdu = client.read_pdu()
            if pdu.sequence == sequence and (pdu.command.endswith("_resp") or pdu.command == "generic_nack"):
                return pdu
            self._take(client, pdu)
        raise TimeoutError

    def _take(self, client: Any, pdu: Any) -> None:
        """Handles what the centre sends of its own accord."""
        if pdu.command == "enquire_link":
            _reply(client, "enquire_link_resp", pdu)
        elif pdu.command == "unbind":
            _reply(client, "unbind_resp", pdu)
            raise ConnectionResetError
        elif pdu.command == "deliver_sm":
            try:
                if (pdu.esm_class or 0) & _RECEIPT:
                    self._on_receipt(read_smpp((pdu.short_message or b"").decode("latin-1")))
            except BadReceipt:
                pass  # a receipt that nobody can read gets no better by being sent again
            except Exception as error:  # noqa: BLE001 - the message being sent just now must not suffer for it
                # The type alone: the text of a database's error may hold what was to be written.
                _LOG.error("A receipt could not be stored and stays at the SMS centre: %s", type(error).__name__)
                self._turned_away = True
                _reply(client, "deliver_sm_resp", pdu, status=_SYSTEM_ERROR)
                return
            _reply(client, "deliver_sm_resp", pdu)

    def _provider_id(self, answer: Any) -> str | None:
        raw = answer.message_id if answer is not None else None
        id_ = raw.decode("latin-1") if isinstance(raw, bytes) else raw
        if not id_:
            return None
        try:
            return str(int(id_, 16)) if self._settings.hex_ids else str(id_)
        except ValueError:
            return str(id_)


def _bind(settings: SmppSettings) -> Any:
    """Returns a bound client. Raises _Stop."""
    wire = logging.getLogger("notifications.smpp.wire")
    wire.propagate = False  # smpplib logs whole PDUs, with names and numbers in them
    if not wire.handlers:
        wire.addHandler(logging.NullHandler())
    client = smpplib.client.Client(
        settings.host, settings.port, timeout=settings.timeout_s, logger_name=wire.name, allow_unknown_opt_params=True
    )
    try:
        client.connect()
    except Exception as error:
        client.disconnect()
        cause = type(error.__context__ or error).__name__
        raise _Stop(failed("The SMS centre cannot be reached.", code=cause, gateway=True)) from error
    try:
        client.bind_transceiver(
            system_id=settings.system_id, password=settings.password, system_type=settings.system_type
        )
    except smpplib.exceptions.PDUError as error:
        client.disconnect()
        code = f"0x{error.args[1]:02X}" if len(error.args) > 1 else ""
        refusal = failed("The SMS centre refused the sign-in.", code=code, setup=True, retry_after_s=_SETUP_PAUSE_S)
        raise _Stop(refusal) from error
    except Exception as error:
        client.disconnect()
        raise _Stop(failed("The SMS centre does not answer.", code=type(error).__name__, gateway=True)) from error
    return client


def _parts(message: Message, mode: Mode) -> list[bytes]:
    """Returns the octets of each part, with the header of 3GPP TS 23.040 9.2.3.24.1 where there are several.

    The number that binds the parts follows from the message's id: a part sent again takes its own place.
    """
    texts = [encode(text, mode) for text in split(message.text, mode)]
    if len(texts) == 1:
        return texts
    number = zlib.crc32(message.id.encode()) & 0xFF
    return [bytes([5, 0, 3, number, len(texts) & 0xFF, at & 0xFF]) + text for at, text in enumerate(texts, start=1)]


def _source(sender: str) -> tuple[str, int, int]:
    """Returns the sender's address, TON and NPI: a name is alphanumeric (5, 0), a number international (1, 1)."""
    if good_number(sender):
        return sender.removeprefix("+"), 1, 1
    return sender, (0 if sender.isdigit() else 5), (1 if sender.isdigit() else 0)


def _reply(client: Any, command: str, to: Any, *, status: int = 0) -> None:
    pdu = smpplib.smpp.make_pdu(command, client=client, status=status)
    pdu.sequence = to.sequence
    client.send_pdu(pdu)
