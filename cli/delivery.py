"""Delivery wired up: the channels of the settings, the worker over them, and what is heard of messages later."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from cli.channels import ChannelTables, read_tables
from cli.settings import Settings
from engine.clock import Clock
from engine.service import Service
from notifications.channels.bounces import BounceBox
from notifications.channels.email import EmailChannel
from notifications.channels.gammu import GammuChannel
from notifications.channels.kannel import KannelChannel, KannelSettings
from notifications.channels.letter import Sender
from notifications.channels.maildir import MaildirChannel, MaildirSettings
from notifications.channels.port import Channel, Kind, Outcome
from notifications.channels.receipt import Receipt
from notifications.channels.smpp import SmppChannel, SmppSettings
from notifications.channels.webhook import WebhookChannel
from notifications.receiving import Receiver
from notifications.worker import Worker

BOUNCES_EVERY_S = 120.0

log = logging.getLogger("ketnap.worker")

OnReceipt = Callable[[Receipt], None]


def tables_of(settings: Settings) -> ChannelTables:
    """Returns the channels that are set up. Raises BadInput."""
    return read_tables(settings.channels)


def folder_of(settings: Settings, tables: ChannelTables, *, sandbox: bool) -> MaildirSettings | None:
    """Returns where messages are kept as files; a sandbox always has such a folder."""
    from cli.bootstrap import sqlite_file

    if tables.maildir is not None:
        return tables.maildir
    root = settings.maildir
    if root is None and sandbox:
        file = sqlite_file(settings.db)
        root = Path("ketnap.mail") if file is None else file.with_name(file.name + ".mail")
    if root is None:
        return None
    domain = settings.mail_from.rpartition("@")[2]
    return MaildirSettings(root=root, sender=Sender(address=settings.mail_from, name=settings.mail_name, domain=domain))


def sends(settings: Settings, *, sandbox: bool) -> bool:
    """Tells whether messages may leave this machine: never from a sandbox, unless the settings say so."""
    return not sandbox or settings.sandbox_sends


def channels_of(settings: Settings, clock: Clock, on_receipt: OnReceipt, *, sandbox: bool) -> dict[str, Channel]:
    """Returns the channels by which notices go. What has no channel of its own is kept as files, where there is a
    folder for them. Raises BadInput."""
    tables = tables_of(settings)
    kept = folder_of(settings, tables, sandbox=sandbox)
    found: dict[str, Channel] = {}
    if kept is not None:
        kinds: tuple[Kind, ...] = ("email", "sms", "webhook")
        found = {kind: MaildirChannel(kept, name=kind, kind=kind) for kind in kinds}
    if not sends(settings, sandbox=sandbox):
        return found
    if tables.email is not None:
        found["email"] = EmailChannel(tables.email)
    if (sms := tables.sms(settings.sms)) is not None:
        found["sms"] = _sms(sms, clock, on_receipt)
    if tables.webhook is not None:
        found["webhook"] = WebhookChannel(tables.webhook, clock=clock.now)
    return found


def _sms(settings: object, clock: Clock, on_receipt: OnReceipt) -> Channel:
    if isinstance(settings, KannelSettings):
        return KannelChannel(settings)
    if isinstance(settings, SmppSettings):
        return SmppChannel(settings, on_receipt=on_receipt)
    return GammuChannel(settings, clock=clock.now)  # type: ignore[arg-type]


def channel_named(name: str, tables: ChannelTables, settings: Settings, clock: Clock) -> Channel | None:
    """Returns the channel of one table, whatever the notices go by; None where it is not set up. Raises BadInput."""

    def forget(_: Receipt) -> None:
        """A trial has no notice to write a receipt to."""

    if name == "sms":
        chosen = tables.sms(settings.sms)
        return None if chosen is None else _sms(chosen, clock, forget)
    given = getattr(tables, name)
    if given is None:
        return None
    if name == "email":
        return EmailChannel(given)
    if name == "maildir":
        return MaildirChannel(given)
    return WebhookChannel(given, clock=clock.now) if name == "webhook" else _sms(given, clock, forget)


class Delivery:
    """The worker and its ears. One thread at a time."""

    def __init__(self, service: Service, settings: Settings, *, sandbox: bool, lang: str) -> None:
        """Raises BadInput for settings that are wrong."""
        tables = tables_of(settings)
        self.channels: Mapping[str, Channel] = channels_of(
            settings, service.kit.clock, self._on_receipt, sandbox=sandbox
        )
        self._worker = Worker(service, self.channels, lang=lang)
        self._receiver = Receiver(service, self._worker.flush)
        heard = tables.bounces if sends(settings, sandbox=sandbox) else None
        self._box = BounceBox(heard) if heard is not None else None
        self._next_look = time.monotonic()

    def _on_receipt(self, receipt: Receipt) -> None:
        self._receiver.receipt(receipt)

    def deliver(self) -> int:
        """Sends what is due; returns how many messages were tried."""
        return self._worker.deliver()

    def turn(self) -> int:
        """Sends what is due and hears what there is to be heard; returns how many messages were tried."""
        tried = self.deliver()
        self.listen()
        return tried

    def listen(self, *, now: bool = False) -> None:
        """Takes in receipts of the SMS centre and the modem, and bounces when it is time for them, or `now`."""
        sms = self.channels.get("sms")
        if isinstance(sms, SmppChannel):
            sms.receive(0)
        elif isinstance(sms, GammuChannel):
            self._receiver.modem(sms)
        if self._box is not None and (now or time.monotonic() >= self._next_look):
            outcome = self.bounces(self._box)
            self._next_look = time.monotonic() + max(BOUNCES_EVERY_S, float(outcome.retry_after_s or 0))

    def bounces(self, box: BounceBox) -> Outcome:
        """Reads the mailbox of bounces."""
        outcome = self._receiver.bounces(box)
        if outcome.state != "accepted":
            log.warning("%s %s", outcome.detail, outcome.code)
        return outcome

    def close(self) -> None:
        """Records what is not recorded yet and lets go of all connections."""
        self._worker.flush()
        for channel in self.channels.values():
            channel.close()
