"""A file sealed to whoever holds a passphrase or a private key: how backups leave the machine.

Layout: a header of one JSON line, then chunks of at most 64 KiB, each AES-256-GCM with its number and whether it is the
last in the nonce (the STREAM construction: Hoang, Reyhanitabar, Rogaway and Vizár, CRYPTO 2015), bound to the header.
So no chunk can be altered, left out, moved, or cut off the end unseen. The data key is fresh for each file, wrapped by
scrypt (RFC 7914) of the passphrase, or by X25519 with HKDF (RFC 7748, RFC 5869).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from engine.core.errors import BadInput, Damaged

Random = Callable[[int], bytes]

FORMAT = "ketnap-backup-1"
CHUNK = 1 << 16
_TAG = 16
_HEADER_LIMIT = 1 << 16
_SCRYPT = {"n": 1 << 16, "r": 8, "p": 1}  # 64 MiB; about a fifth of a second
_N_LIMIT = 1 << 20  # a header from elsewhere must not make us take more than a gigabyte
_PUBLIC, _PRIVATE = "KETNAP-BACKUP-PUBLIC-1", "KETNAP-BACKUP-PRIVATE-1"


class WrongSecret(BadInput):
    """This passphrase or key does not open the backup."""


@dataclass(frozen=True, kw_only=True)
class Secret:
    """What seals (a passphrase, or a public key) or opens (a passphrase, or a private key)."""

    passphrase: str | None = None
    public: bytes | None = None
    private: bytes | None = None


def make_pair(random: Random) -> tuple[str, str]:
    """Returns a new private and public key, as texts."""
    private = X25519PrivateKey.from_private_bytes(random(32))
    return _text(_PRIVATE, private.private_bytes_raw()), _text(_PUBLIC, private.public_key().public_bytes_raw())


def read_public(text: str) -> Secret:
    """Reads a public key. Raises BadInput."""
    return Secret(public=_parse(_PUBLIC, text))


def read_private(text: str) -> Secret:
    """Reads a private key. Raises BadInput, never with the secret in its message."""
    return Secret(private=_parse(_PRIVATE, text))


def is_private(text: str) -> bool:
    """Tells whether a text claims to be a private key."""
    return text.strip().startswith(_PRIVATE)


def _text(kind: str, key: bytes) -> str:
    return f"{kind}+{hashlib.sha256(key).hexdigest()[:8]}+{base64.b64encode(key).decode()}"


def _parse(kind: str, text: str) -> bytes:
    found, _, rest = text.strip().partition("+")
    check, _, material = rest.partition("+")
    try:
        key = base64.b64decode(material, validate=True)
    except ValueError:
        key = b""
    if found != kind or len(key) != 32 or hashlib.sha256(key).hexdigest()[:8] != check:
        raise BadInput("This is not a key for backups of the kind {kind}.", kind=kind)
    return key


class Writer:
    """Seals a stream. `about` goes into the header, readable by anybody. Memory: one chunk."""

    def __init__(self, out: BinaryIO, about: Mapping[str, Any], secret: Secret, random: Random) -> None:
        self.key = random(32)
        header = {"format": FORMAT, **about, "sealed_for": _wrap(self.key, secret, random)}
        line = json.dumps(header, ensure_ascii=False, sort_keys=True).encode() + b"\n"
        self._aad = hashlib.sha256(line).digest()
        self._cipher = AESGCM(_derive(self.key, b"body"))
        self._out, self._held, self._number = out, bytearray(), 0
        out.write(line)

    def write(self, data: bytes) -> None:
        """Adds to the stream."""
        self._held += data
        while len(self._held) > CHUNK:  # the last chunk is never empty but of an empty stream
            self._seal(bytes(self._held[:CHUNK]), last=False)
            del self._held[:CHUNK]

    def close(self) -> None:
        """Ends the stream; without it the file is known to be cut off."""
        self._seal(bytes(self._held), last=True)

    def _seal(self, plain: bytes, *, last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._number, last=last), plain, self._aad))
        self._number += 1


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A container: what its header says, its data key, and the stream, read once."""

    header: Mapping[str, Any]
    key: bytes
    stream: Iterator[bytes]


def read_header(source: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Returns what a header says, and its line. Raises BadInput for another file."""
    line = source.readline(_HEADER_LIMIT)
    try:
        header = json.loads(line)
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT or not line.endswith(b"\n"):
        raise BadInput("This is not a backup of this program.")
    return header, line


def open_container(source: BinaryIO, secret: Secret) -> Opened:
    """Opens a container. Raises BadInput, WrongSecret; the stream raises Damaged where it was altered or cut off."""
    header, line = read_header(source)
    key = _unwrap(header.get("sealed_for"), secret)
    return Opened(header=header, key=key, stream=_chunks(source, key, hashlib.sha256(line).digest()))


def _chunks(source: BinaryIO, key: bytes, aad: bytes) -> Iterator[bytes]:
    cipher, number = AESGCM(_derive(key, b"body")), 0
    sealed = source.read(CHUNK + _TAG)
    while True:
        following = source.read(CHUNK + _TAG)
        try:
            plain = cipher.decrypt(_nonce(number, last=not following), sealed, aad)
        except (InvalidTag, ValueError):
            raise Damaged("The backup was altered or cut off after {n} parts.", n=number) from None
        if plain:
            yield plain
        if not following:
            return
        sealed, number = following, number + 1


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


# ---- single values under the same data key ----


def seal_one(key: bytes, plain: bytes, aad: bytes, random: Random) -> bytes:
    """Returns a value sealed by itself, so that it can be taken out of a file without opening the rest."""
    nonce = random(12)
    return nonce + AESGCM(_derive(key, b"single")).encrypt(nonce, plain, aad)


def open_one(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """Returns what `seal_one` sealed. Raises Damaged."""
    try:
        return AESGCM(_derive(key, b"single")).decrypt(sealed[:12], sealed[12:], aad)
    except (InvalidTag, ValueError):
        raise Damaged("A key in the backup was altered.") from None


# ---- wrapping ----


def _derive(key: bytes, use: bytes, salt: bytes | None = None) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=b"ketnap backup v1 " + use).derive(key)


def _scrypt(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=n, r=r, p=p).derive(passphrase.encode())


def _wrap(key: bytes, secret: Secret, random: Random) -> dict[str, Any]:
    if secret.public is not None:
        ephemeral = X25519PrivateKey.from_private_bytes(random(32))
        mine = ephemeral.public_key().public_bytes_raw()
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(secret.public))
        wrapping = _derive(shared, b"wrap", mine + secret.public)
        about: dict[str, Any] = {"kind": "public_key", "ephemeral": _b64(mine), "for": _print(secret.public)}
    elif secret.passphrase:
        salt = random(16)
        wrapping = _scrypt(secret.passphrase, salt, **_SCRYPT)
        about = {"kind": "passphrase", "salt": _b64(salt), **_SCRYPT}
    else:
        raise BadInput("a backup is sealed by a passphrase or a public key")
    return {**about, "wrapped": _b64(AESGCM(wrapping).encrypt(bytes(12), key, b"ketnap backup key"))}


def _unwrap(sealed_for: Any, secret: Secret) -> bytes:
    try:
        wrapped = base64.b64decode(sealed_for["wrapped"])
        if sealed_for["kind"] == "public_key":
            wrapping = _agreed(secret, base64.b64decode(sealed_for["ephemeral"]))
        else:
            n, r, p = (int(sealed_for[k]) for k in ("n", "r", "p"))
            if secret.passphrase is None or not (n <= _N_LIMIT and r <= 16 and p <= 4):
                raise WrongSecret()
            wrapping = _scrypt(secret.passphrase, base64.b64decode(sealed_for["salt"]), n, r, p)
        return AESGCM(wrapping).decrypt(bytes(12), wrapped, b"ketnap backup key")
    except (InvalidTag, KeyError, TypeError, ValueError):
        raise WrongSecret() from None


def _agreed(secret: Secret, ephemeral: bytes) -> bytes:
    if secret.private is None:
        raise WrongSecret()
    private = X25519PrivateKey.from_private_bytes(secret.private)
    shared = private.exchange(X25519PublicKey.from_public_bytes(ephemeral))
    return _derive(shared, b"wrap", ephemeral + private.public_key().public_bytes_raw())


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _print(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:8]
