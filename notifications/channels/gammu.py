"""SMS through a modem with gammu-smsd's FILES service: a file in `outbox` is a message, the daemon moves it on.

See gammu-smsd-files(7). The daemon moves a message, under its name, to `sent` or to `error`. Its `transmitformat` must
be `auto`: it is `7bit` by default, which sends Vietnamese without its diacritics and says nothing.
"""

from __future__ import annotations

import codecs
import configparser
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from notifications.channels.number import good_number
from notifications.channels.port import Kind, Message, Outcome, accepted, failed, refused
from notifications.channels.receipt import Receipt
from notifications.segments import Mode, count, normal


@dataclass(frozen=True, kw_only=True)
class GammuSettings:
    """The folders of smsdrc: `outboxpath`, `sentsmspath`, `errorsmspath`, on one disk, closed to strangers.

    A message that waits in `outbox` longer than `stuck_after_s` says that the daemon or the modem is off.
    """

    outbox: Path
    sent: Path
    error: Path
    mode: Mode = "ucs2"
    max_segments: int = 2
    stuck_after_s: int = 900
    file_mode: int = 0o660  # the daemon runs as another user of the same group
    smsdrc: Path | None = None  # the daemon's own settings, so that `check` can look at them


class GammuChannel:
    """Idempotent as long as the daemon's folders are kept: the file's name follows from the message.

    A daemon that is killed while it sends finds the file in `outbox` again and sends it again; nobody outside can
    prevent that.
    """

    kind: Kind = "sms"
    idempotent = True

    def __init__(self, settings: GammuSettings, *, clock: Callable[[], datetime], name: str = "sms") -> None:
        """`clock` returns an aware time, for telling how long a message has waited."""
        self.name = name
        self._settings = settings
        self._clock = clock

    def send(self, message: Message) -> Outcome:
        """Lays one message in the daemon's outbox. See port.Channel."""
        settings = self._settings
        if not good_number(message.to):
            return refused("The phone number is not valid.", bad_contact=True)
        if count(message.text, settings.mode) > settings.max_segments:
            return refused("The text is too long for SMS.")
        name = file_name(message)
        taken = accepted("The message lies in the modem's outbox.", provider_id=name)
        try:
            if (settings.outbox / name).exists() or (settings.sent / name).exists():
                return taken
            if (settings.error / name).exists():  # the modem gave up on it: it gets another round
                (settings.error / name).rename(settings.outbox / name)
                return taken
            self._write(name, normal(message.text, settings.mode))
        except OSError as error:
            return failed("The modem's folders cannot be written.", code=type(error).__name__, setup=True)
        return taken

    def look(self, provider_id: str) -> Receipt | None:
        """Returns what became of a message; None while it waits, or if no folder has it. Never raises.

        `sent` means that the network took it: this service of gammu-smsd gives no word of the phone.
        """
        if "/" in provider_id:
            return None
        if (self._settings.sent / provider_id).exists():
            outcome = accepted("The modem has sent the message.", provider_id=provider_id)
        elif (self._settings.error / provider_id).exists():
            outcome = failed("The modem could not send the message.", provider_id=provider_id)
        else:
            return None
        return Receipt(message_id=None, provider_id=provider_id, outcome=outcome, final=True)

    def check(self) -> Outcome:
        """Tries the folders, and whether anything has waited in the outbox for long."""
        settings = self._settings
        for folder in (settings.outbox, settings.sent, settings.error):
            if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
                return failed("The modem's folders cannot be written.", code=folder.name, setup=True)
        if settings.mode == "ucs2" and not _keeps_diacritics(settings.smsdrc):
            return failed("gammu-smsd sends without diacritics: set transmitformat = auto.", setup=True)
        now = self._clock().astimezone(UTC).timestamp()
        try:
            waiting = [now - file.stat().st_mtime for file in settings.outbox.glob("OUT*")]
        except OSError:  # the daemon moved one away meanwhile: it is at work
            waiting = []
        if max(waiting, default=0) > settings.stuck_after_s:
            return failed("Messages wait in the modem's outbox: gammu-smsd or the modem is off.", setup=True)
        return accepted("The modem's outbox can be written.")

    def close(self) -> None:
        """Holds nothing."""

    def _write(self, name: str, text: str) -> None:
        # The daemon passes over names that begin with a dot, so it never sees half a file.
        draft = self._settings.outbox / f".{name}.{os.getpid()}"
        with draft.open("wb") as file:
            # Without the mark the daemon reads bytes as Latin letters.
            file.write(codecs.BOM_UTF16_LE + text.encode("utf-16-le"))
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(self._settings.file_mode)
        draft.rename(self._settings.outbox / name)


def _keeps_diacritics(smsdrc: Path | None) -> bool:
    """False if the daemon's settings say 7bit, or nothing, which means 7bit; true if they cannot be read."""
    if smsdrc is None:
        return True
    reader = configparser.ConfigParser(interpolation=None, strict=False, inline_comment_prefixes=("#", ";"))
    try:
        reader.read_string(smsdrc.read_text("utf-8", "replace"))
    except (OSError, configparser.Error):
        return True
    return reader.get("smsd", "transmitformat", fallback="7bit").strip().lower() in ("auto", "unicode")


def file_name(message: Message) -> str:
    """Returns `OUT<priority><date>_<time>_00_<number>_<digest>.txt`: the same at every attempt.

    Under 100 octets: gammu-smsd 1.42 copies the name into a buffer of that size without looking. Urgent ones are
    called A and go first, since the daemon takes files by name.
    """
    priority = "A" if message.urgent else "C"
    made = message.created_at.astimezone(UTC).strftime("%Y%m%d_%H%M%S")
    digest = hashlib.sha256(message.id.encode()).hexdigest()[:24]
    return f"OUT{priority}{made}_00_{message.to}_{digest}.txt"
