"""The two secrets of an office as files: the master key, which wraps the subjects' keys, and the signing key.

A file is made once, with mode 600, and is refused when others may read it. A key may be given as a text instead
(KETNAP_MASTER_KEY, KETNAP_SIGNING_KEY); the caller reads the environment and hands the text over.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from engine.audit.note import BadKey, SigningKey
from engine.core.errors import BadInput, Conflict, NotFound

Random = Callable[[int], bytes]

_MASTER = "KETNAP-MASTER-KEY-1"
_FILE_LIMIT = 4096  # bytes; no key is as long


class KeyFileRefused(BadInput):
    """The file of a key is not safe."""


def master_key(*, file: Path, given: str | None) -> bytes:
    """Returns the 32 bytes of the master key: `given` where there is one, else the file's.

    Raises NotFound, KeyFileRefused (others may read it) or BadKey.
    """
    return parse_master_key(given if given else _read(file))


def signing_key(*, file: Path, given: str | None) -> SigningKey:
    """Returns the signing key: `given` where there is one, else the file's. Raises as `master_key`."""
    return SigningKey.parse(given if given else _read(file))


def make_master_key(file: Path, random: Random) -> bytes:
    """Makes a master key, writes it to a new file of mode 600 and returns it. Raises Conflict when the file stands."""
    key = random(32)
    write_master_key(file, key)
    return key


def write_master_key(file: Path, key: bytes) -> None:
    """Writes a master key to a new file of mode 600. Raises Conflict when the file stands."""
    _write(file, master_key_text(key))


def make_signing_key(file: Path, name: str, random: Random) -> SigningKey:
    """Makes a signing key of that name, writes it to a new file of mode 600. Raises Conflict, or BadKey on the name."""
    key = SigningKey.make(name, random)
    write_signing_key(file, key)
    return key


def write_signing_key(file: Path, key: SigningKey) -> None:
    """Writes a key to a new file of mode 600, durable once returned. Raises Conflict when the file stands."""
    _write(file, key.text())


def master_key_text(key: bytes) -> str:
    """Returns `KETNAP-MASTER-KEY-1+check+base64`, the secret in full; the check finds a slip in copying."""
    if len(key) != 32:
        raise BadKey("A master key has 32 bytes.")
    return f"{_MASTER}+{_check(key)}+{base64.b64encode(key).decode()}"


def parse_master_key(text: str) -> bytes:
    """Reads what `master_key_text` wrote. Raises BadKey, never with the secret in its message."""
    head, _, rest = text.strip().partition("+")
    check, _, material = rest.partition("+")
    if head != _MASTER:
        raise BadKey("This is not a master key.")
    try:
        key = base64.b64decode(material, validate=True)
    except (binascii.Error, ValueError):
        raise BadKey("This is not a master key.") from None
    if len(key) != 32 or check != _check(key) or master_key_text(key) != text.strip():
        raise BadKey("The key and its check do not agree; it was copied wrongly.")
    return key


def _check(key: bytes) -> str:
    return hashlib.sha256(b"ketnap master key\n" + key).digest()[:4].hex()


def _read(file: Path) -> str:
    try:
        # Not a link: its target could be exchanged. Not blocking: a pipe in the file's place must not hang the start.
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound("There is no key in {file}.", file=str(file)) from None
    except OSError as error:
        raise KeyFileRefused(
            "The key in {file} cannot be read: {reason}", file=str(file), reason=error.strerror
        ) from None
    try:
        _check_file(file, os.fstat(handle))  # of what was opened, so that nothing can be exchanged in between
        data = os.read(handle, _FILE_LIMIT + 1)
    finally:
        os.close(handle)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise BadKey("There is no key in {file}.", file=str(file)) from None
    if len(data) > _FILE_LIMIT:
        raise BadKey("There is no key in {file}.", file=str(file))
    return text


def _check_file(file: Path, about: os.stat_result) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise KeyFileRefused("{file} is not a plain file.", file=str(file))
    if about.st_mode & 0o077:
        mode = f"{stat.S_IMODE(about.st_mode):o}"
        raise KeyFileRefused("Others may use {file} (mode {mode}); run: chmod 600 {file}", file=str(file), mode=mode)
    if about.st_uid not in (os.geteuid(), 0):
        raise KeyFileRefused("{file} belongs to another user, who could exchange it.", file=str(file))


def _write(file: Path, text: str) -> None:
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise Conflict("{file} stands already; a key is never overwritten.", file=str(file)) from None
    except OSError as error:
        raise KeyFileRefused("{file} cannot be made: {reason}", file=str(file), reason=error.strerror) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text + "\n")
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        file.unlink()  # half a key would only stand in the way of the next try
        raise KeyFileRefused("{file} cannot be made: {reason}", file=str(file), reason=error.strerror) from None
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # the name must survive a power cut too: losing this key loses what it sealed
    finally:
        os.close(folder)
