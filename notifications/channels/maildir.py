"""Writes emails into folders instead of sending them: for the sandbox. Any mail program opens a Maildir."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from notifications.channels.letter import Sender, good_address, write
from notifications.channels.number import good_number
from notifications.channels.port import Kind, Message, Outcome, accepted, failed, refused

_NAME = re.compile(r"\+?[A-Za-z0-9_][A-Za-z0-9_@.+-]{0,200}\Z")


@dataclass(frozen=True, kw_only=True)
class MaildirSettings:
    """`root` holds a Maildir for each address."""

    root: Path
    sender: Sender


class MaildirChannel:
    """Idempotent: the file's name follows from the message's id, and a name is taken only once."""

    idempotent = True

    def __init__(self, settings: MaildirSettings, *, name: str = "maildir", kind: Kind = "email") -> None:
        self.name = name
        self.kind: Kind = kind
        self._settings = settings

    def send(self, message: Message) -> Outcome:
        """Writes one .eml into `root/<to>/new`, whole or not at all. See port.Channel."""
        box = self._box(message.to)
        if not _NAME.match(box):
            return refused("This is not the name of a mailbox.", bad_contact=True)
        try:
            raw = write(self._as_email(message), self._settings.sender)
        except (ValueError, UnicodeError):
            return refused("The message cannot be written as an email.")
        try:
            self._deliver(self._settings.root / box, file_name(message.id), raw)
        except OSError as error:
            return failed("The mailbox cannot be written.", code=type(error).__name__)
        return accepted("The message lies in the mailbox.", provider_id=file_name(message.id))

    def check(self) -> Outcome:
        """Tries whether the root can be written."""
        try:
            self._settings.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return failed("The mailbox cannot be written.", code=type(error).__name__, setup=True)
        if not os.access(self._settings.root, os.W_OK | os.X_OK):
            return failed("The mailbox cannot be written.", code="PermissionError", setup=True)
        return accepted("The mailbox can be written.")

    def close(self) -> None:
        """Holds nothing."""

    def _box(self, to: str) -> str:
        """Returns the name of the folder: what is addressed to a program lies under the name of its machine."""
        return urlsplit(to).hostname or "" if self.kind == "webhook" else to

    def _as_email(self, message: Message) -> Message:
        """Returns a message to an address, so that an SMS in the sandbox opens in a mail program too."""
        if good_address(message.to):
            return message
        box = self._box(message.to)
        local = box.removeprefix("+") if good_number(box) else box
        return replace(message, to=f"{local}@{self.kind}.invalid")

    def _deliver(self, box: Path, name: str, raw: bytes) -> None:
        """Writes to tmp, syncs, links into new: a reader never sees half a message (maildir(5))."""
        for folder in ("tmp", "new", "cur"):
            (box / folder).mkdir(parents=True, exist_ok=True)
        if any((box / "cur").glob(f"{name}*")):  # read already, so it was delivered
            return
        draft = box / "tmp" / f"{name}.{os.getpid()}"
        with draft.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        try:
            (box / "new" / name).hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        folder_fd = os.open(box / "new", os.O_RDONLY)
        try:
            os.fsync(folder_fd)
        finally:
            os.close(folder_fd)


def file_name(message_id: str) -> str:
    """Returns the file that a message lies in: a digest of its id, with no sign that Maildir gives a meaning."""
    return f"{hashlib.sha256(message_id.encode()).hexdigest()[:40]}.ketnap.eml"
