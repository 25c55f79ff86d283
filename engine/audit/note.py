"""Signed notes (c2sp.org/signed-note): a text, an empty line, and signatures by named Ed25519 keys.

Two kinds of key: an office's (0x01) signs the text; a witness's (0x04, c2sp.org/tlog-cosignature) signs the text and
the time at which it was seen.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from engine.core.errors import BadInput

NOTE_LIMIT = 1_000_000  # bytes
SIGNATURE_LIMIT = 100  # as in Go's sumdb/note
_DASH = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_PRIVATE = "PRIVATE+KEY+"


class BadNote(BadInput):
    """This is not a signed note."""


class BadKey(BadInput):
    """This is not a key of a known form."""


class NotVerified(BadInput):
    """No trusted key signed this text as it stands."""


class KeyKind(IntEnum):
    """The signature type byte of c2sp.org/signed-note."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, kw_only=True)
class VerifierKey:
    """A public key with its name: what a verifier keeps. Written `name+hash+base64`."""

    name: str
    kind: KeyKind
    public: bytes  # 32 bytes, RFC 8032

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name, newline, kind, public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_b64(bytes([self.kind]) + self.public)}"

    @staticmethod
    def parse(text: str) -> VerifierKey:
        """Reads `name+hash+base64`. Raises BadKey."""
        name, hash_, material = _split_key(text.strip())
        key = VerifierKey(name=name, kind=KeyKind(material[0]), public=material[1:])
        if key.key_id.hex() != hash_:
            raise BadKey("The key and its check do not agree; it was copied wrongly.")
        return key


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A private key with its name. `text()` is the form of Go's sumdb/note; `repr` and `str` do not show the secret."""

    name: str
    kind: KeyKind = KeyKind.ED25519
    seed: bytes = field(repr=False)  # 32 bytes, RFC 8032

    def __post_init__(self) -> None:
        if not valid_name(self.name):
            raise BadKey("The name of a key is not empty and has no space, plus sign or control character.")
        if len(self.seed) != 32:
            raise BadKey("A signing key has 32 bytes.")
        object.__setattr__(self, "_private", Ed25519PrivateKey.from_private_bytes(self.seed))

    @staticmethod
    def make(name: str, random: Callable[[int], bytes], kind: KeyKind = KeyKind.ED25519) -> SigningKey:
        """Returns a new key. `random(n)` gives n bytes nobody can guess. Raises BadKey on a name."""
        return SigningKey(name=name, kind=kind, seed=random(32))

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(name=self.name, kind=self.kind, public=self._private_key().public_key().public_bytes_raw())

    def text(self) -> str:
        """Returns `PRIVATE+KEY+name+hash+base64`, the secret in full."""
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{_b64(bytes([self.kind]) + self.seed)}"

    @staticmethod
    def parse(text: str) -> SigningKey:
        """Reads what `text()` wrote. Raises BadKey, never with the secret in its message."""
        text = text.strip()
        if not text.startswith(_PRIVATE):
            raise BadKey("This is not a signing key.")
        name, hash_, material = _split_key(text.removeprefix(_PRIVATE))
        key = SigningKey(name=name, kind=KeyKind(material[0]), seed=material[1:])
        if key.verifier.key_id.hex() != hash_:
            raise BadKey("The key and its check do not agree; it was copied wrongly.")
        return key

    def sign(self, text: str, at: datetime | None = None) -> Signature:
        """Signs `text` (ending in a newline). A witness's key needs `at`, with a zone; an office's key takes none."""
        if (self.kind is KeyKind.COSIGNATURE) != (at is not None):
            raise ValueError("a cosignature, and only a cosignature, carries a time")
        head = b"" if at is None else _seconds(at).to_bytes(8, "big")
        raw = self._private_key().sign(_message(text, head))
        return Signature(name=self.name, key_id=self.verifier.key_id, blob=head + raw)

    def _private_key(self) -> Ed25519PrivateKey:
        private: Ed25519PrivateKey = self.__dict__["_private"]
        return private


@dataclass(frozen=True, kw_only=True)
class Signature:
    """One signature line. `blob` is what follows the key id: 64 bytes, or time (8) and 64 of a cosignature."""

    name: str
    key_id: bytes
    blob: bytes

    def line(self) -> str:
        """Returns the line, with its newline."""
        return f"{_DASH}{self.name} {_b64(self.key_id + self.blob)}\n"


@dataclass(frozen=True, kw_only=True)
class Verified:
    """A signature that holds. `at` is the time a witness gave, None from an office's key."""

    key: VerifierKey
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Note:
    """A text and its signatures, believed by nobody until `verify`."""

    text: str
    signatures: tuple[Signature, ...]

    def __bytes__(self) -> bytes:
        return (self.text + "\n" + "".join(s.line() for s in self.signatures)).encode()

    def with_signatures(self, more: Iterable[Signature]) -> Note:
        """Returns the note with `more` signatures; one by the same key takes the place of the earlier."""
        by_key = {(s.name, s.key_id): s for s in (*self.signatures, *more)}
        return Note(text=self.text, signatures=tuple(by_key.values()))


def sign(text: str, keys: Sequence[SigningKey]) -> Note:
    """Returns `text` signed by every key (of the kind ED25519). Raises BadNote when `text` cannot stand in a note."""
    _check_text(text)
    return Note(text=text, signatures=tuple(key.sign(text) for key in keys))


def parse(data: bytes) -> Note:
    """Reads a note strictly: the bytes that come back from `bytes(note)` are `data`. Raises BadNote."""
    if len(data) > NOTE_LIMIT:
        raise BadNote("The note is longer than a note may be.")
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise BadNote("The note is not UTF-8.") from None
    text, gap, tail = whole.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise BadNote("The note has no signatures.")
    text += "\n"
    _check_text(text)
    lines = tail[:-1].split("\n")
    if len(lines) > SIGNATURE_LIMIT:
        raise BadNote("The note has too many signatures.")
    return Note(text=text, signatures=tuple(_parse_line(line) for line in lines))


def verify(note: Note, trusted: Iterable[VerifierKey]) -> tuple[Verified, ...]:
    """Returns the signatures by trusted keys, in the note's order; those by unknown keys count for nothing.

    Raises NotVerified when there is none, or when one that names a trusted key does not hold (signed-note, Signatures).
    """
    known = {(key.name, key.key_id): key for key in trusted}
    found: list[Verified] = []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not _holds(key, note.text, signature.blob):
            raise NotVerified("The signature of {name} does not hold for this text.", name=key.name)
        at = None
        if key.kind is KeyKind.COSIGNATURE:
            at = _time(signature.blob[:8])
        found.append(Verified(key=key, at=at))
    if not found:
        raise NotVerified()
    return tuple(found)


def valid_name(name: str) -> bool:
    """Tells whether a key may be called so: not empty, no Unicode space, plus sign or control character."""
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " or "\ud800" <= c <= "\udfff" for c in name)


def _holds(key: VerifierKey, text: str, blob: bytes) -> bool:
    head = 8 if key.kind is KeyKind.COSIGNATURE else 0
    if len(blob) != head + 64 or (head and _time(blob[:head]) is None):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(blob[head:], _message(text, blob[:head]))
    except (InvalidSignature, ValueError):
        return False
    return True


def _message(text: str, time: bytes) -> bytes:
    if not time:
        return text.encode()
    return f"cosignature/v1\ntime {int.from_bytes(time, 'big')}\n{text}".encode()


def _seconds(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("a time needs a zone")
    return int(at.timestamp())


def _time(head: bytes) -> datetime | None:
    try:
        return datetime.fromtimestamp(int.from_bytes(head, "big"), UTC)
    except (OverflowError, OSError, ValueError):
        return None  # after the year 9999


def _check_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise BadNote("The text of a note ends in a newline and has no other control character.")


def _parse_line(line: str) -> Signature:
    name, _, material = line.removeprefix(_DASH).partition(" ")
    blob = _unb64(material)
    if not line.startswith(_DASH) or not valid_name(name) or blob is None or len(blob) < 5:
        raise BadNote("A signature line of the note is not well formed.")
    return Signature(name=name, key_id=blob[:4], blob=blob[4:])


def _split_key(text: str) -> tuple[str, str, bytes]:
    """Returns name, hash and kind+key; the kind is known and the key has 32 bytes."""
    parts = text.split("+", 2)  # base64 may hold a plus sign, a name may not
    if len(parts) != 3 or not valid_name(parts[0]):
        raise BadKey("A key is written name+hash+base64.")
    material = _unb64(parts[2])
    if material is None or len(material) != 33 or material[0] not in tuple(KeyKind):
        raise BadKey()
    return parts[0], parts[1], material


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(text: str) -> bytes | None:
    """Returns the bytes, or None unless `text` is exactly what would be written for them."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _b64(data) == text else None
