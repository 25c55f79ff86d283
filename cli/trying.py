"""Notices tried out: a rule's text as it would be written now, and a channel without a notice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cli.bootstrap import LazyDrafter, Opened
from cli.channels import TABLES, ChannelTables
from cli.delivery import Delivery, channel_named, sends, tables_of
from cli.session import Session
from cli.settings import Settings
from engine import previewing
from engine.core.errors import BadInput
from engine.core.suggestions import suggest
from notifications.channels.port import Message, Outcome
from notifications.segments import Mode, count

NAMES = (*TABLES, "sms")


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A notice rule on one subject. `why` is None where it would go out now, else a sentence."""

    notices: list[dict[str, Any]]
    why: str | None


def preview(session: Session, rule: str, subject: str) -> Preview:
    """Returns what a rule would say of a subject today, to whom, and by which channel. Writes and sends nothing.

    Raises NotFound.
    """
    settings = session.settings
    mode = _mode(tables_of(settings), settings.sms)
    with session.service.work() as work:
        found = previewing.preview(work, LazyDrafter(session.lang, settings.base_url), rule, subject)
    return Preview(notices=[_document(row, text, mode) for row, text in found.notices], why=found.why)


def _mode(tables: ChannelTables, chosen: str | None) -> Mode:
    """Returns how text messages are written here; with diacritics until a channel says otherwise."""
    found = tables.sms(chosen)
    return "ucs2" if found is None else found.mode


def _document(row: Any, text: Mapping[str, str], mode: Mode) -> dict[str, Any]:
    short = text.get("short", "")
    return {
        "rule": row.rule,
        "subject": row.subject,
        "to": row.recipient,
        "on_behalf_of": row.behalf,
        "channel": row.channel,
        "urgent": row.urgent,
        "subject_line": text.get("subject_line", ""),
        "body": short if row.channel == "sms" else text.get("body", ""),
        "short": short,
        "segments": count(short, mode) if short else 0,
        "detail": row.detail,
    }


def try_channel(session: Session, name: str, to: str | None) -> Outcome:
    """Tries a channel: connection, certificate and sign-in; with `to` it really sends one message.

    Raises BadInput for a name that is none, a channel that is not set up, and for sending out of a sandbox.
    """
    return Trial(session.settings, session.opened, session.say, session.lang).run(name, to)


@dataclass(frozen=True)
class Trial:
    """Tries channels as the settings have them; `say` writes in the reader's language."""

    settings: Settings
    opened: Opened
    say: Callable[..., str]
    lang: str

    def run(self, name: str, to: str | None) -> Outcome:
        """Tries one channel. Raises BadInput."""
        if name not in NAMES:
            near = suggest(name, NAMES)
            if near is None:
                raise BadInput("{value} is not one of {known}", value=name, known=", ".join(NAMES))
            raise BadInput("there is no channel {name}; did you mean {near}?", name=name, near=near)
        settings = self.settings
        tables = tables_of(settings)
        if name == "bounces":
            return self._bounces(tables, to)
        if to is not None and name != "maildir" and not sends(settings, sandbox=self.opened.sandbox):
            raise BadInput("this is a sandbox, which sends nothing; the setting sandbox_sends lets it")
        kit = self.opened.service.kit
        channel = channel_named(name, tables, settings, kit.clock)
        if channel is None:
            raise BadInput("channels.{name} is not set up in ketnap.toml", name=name)
        try:
            if to is None:
                return channel.check()
            text = self.say("This message tries the channel {name}. Nothing has to be done.", name=name)
            title = self.say("Trial of the channel {name}", name=name)
            id_ = f"trial-{kit.random(8).hex()}"
            return channel.send(
                Message(id=id_, to=to, to_name="", subject=title, text=text, html=None, created_at=kit.clock.now())
            )
        finally:
            channel.close()

    def _bounces(self, tables: ChannelTables, to: str | None) -> Outcome:
        """Reads the mailbox as the worker does: what is read is marked there, so it must not be lost here."""
        from notifications.channels.bounces import BounceBox

        if tables.bounces is None:
            raise BadInput("channels.{name} is not set up in ketnap.toml", name="bounces")
        if to is not None:
            raise BadInput("the mailbox of bounces is read, not sent to; leave out --to")
        if not sends(self.settings, sandbox=self.opened.sandbox):
            raise BadInput("this is a sandbox; it does not read the office's mailbox")
        delivery = Delivery(self.opened.service, self.settings, sandbox=self.opened.sandbox, lang=self.lang)
        try:
            return delivery.bounces(BounceBox(tables.bounces))
        finally:
            delivery.close()


def channels_set_up(settings: Settings) -> list[str]:
    """Returns the names of the channels that are set up, the mailbox of bounces left out."""
    tables = tables_of(settings)
    return [n for n in TABLES if n != "bounces" and getattr(tables, n) is not None]
