"""Sealing what belongs to one subject under a key of its own, so that erasing the key erases the subject.

Sealed bytes: version (1 byte, 0x01) · nonce (12) · commitment to the key (32) · AES-256-GCM ciphertext and tag (16).
The commitment is there because AES-GCM alone is not key-committing: whoever makes a ciphertext can make it open to two
different texts under two keys ("invisible salamanders": Dodis, Grubbs, Ristenpart and Woodage, CRYPTO 2018). The trail
hashes ciphertext, so without it an office could hand two inspectors two keys, and two histories, for one tree.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.core.errors import Damaged, KetnapError

Random = Callable[[int], bytes]  # gives that many bytes nobody can guess; os.urandom in the wiring

KEY_BYTES = 32
_VERSION = b"\x01"
_NONCE_BYTES = 12
_COMMIT_BYTES = 32
_HEAD_BYTES = 1 + _NONCE_BYTES + _COMMIT_BYTES
_TAG_BYTES = 16


class KeyErased(KetnapError):
    """The key was erased; what it sealed can no longer be read."""


class WrongKey(Damaged):
    """This was sealed under another key."""


def new_key(random: Random) -> bytes:
    """Returns a new key of 32 bytes."""
    return _take(random, KEY_BYTES)


class Sealer:
    """Seals and opens. Safe to share between threads; keeps the last `keep` prepared keys in memory."""

    def __init__(self, random: Random, *, keep: int = 4096) -> None:
        self._random = random
        self._keep = keep
        self._ready: dict[bytes, tuple[AESGCM, bytes]] = {}
        self._lock = threading.Lock()

    def seal(self, key: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Returns `plaintext` sealed under `key` (32 bytes), bound to `aad`; 61 bytes longer than it was."""
        cipher, commitment = self._ready.get(key) or self._prepare(key)
        nonce = _take(self._random, _NONCE_BYTES)
        return b"".join((_VERSION, nonce, commitment, cipher.encrypt(nonce, plaintext, _VERSION + aad)))

    def open(self, key: bytes | None, sealed: bytes, aad: bytes) -> bytes:
        """Returns what was sealed. Raises KeyErased (no key), WrongKey, or Damaged (other bytes or other `aad`)."""
        if key is None:
            raise KeyErased()
        if len(sealed) < _HEAD_BYTES + _TAG_BYTES or sealed[:1] != _VERSION:
            raise Damaged("These are not sealed bytes of a known version.")
        cipher, commitment = self._ready.get(key) or self._prepare(key)
        if not hmac.compare_digest(sealed[1 + _NONCE_BYTES : _HEAD_BYTES], commitment):
            raise WrongKey()
        try:
            return cipher.decrypt(sealed[1 : 1 + _NONCE_BYTES], sealed[_HEAD_BYTES:], _VERSION + aad)
        except InvalidTag:
            raise Damaged("Sealed bytes were altered, or belong to another place.") from None

    def forget(self, key: bytes) -> None:
        """Drops the prepared form of an erased key from memory."""
        with self._lock:
            self._ready.pop(key, None)

    def _prepare(self, key: bytes) -> tuple[AESGCM, bytes]:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
        # Two independent values from one key, so that the public commitment says nothing of the cipher's key.
        pair = AESGCM(_derive(key, b"encryption")), _derive(key, b"commitment")
        with self._lock:
            while len(self._ready) >= self._keep:
                del self._ready[next(iter(self._ready))]
            self._ready[key] = pair
        return pair


class MasterKey:
    """The office's key that wraps the subjects' keys. It is never stored beside them."""

    def __init__(self, key: bytes, random: Random) -> None:
        self._key = key
        self._sealer = Sealer(random, keep=1)
        self._sealer._prepare(key)

    def wrap(self, key_id: str, key: bytes) -> bytes:
        """Returns `key` sealed for storing under `key_id`."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
        return self._sealer.seal(self._key, key, _wrap_aad(key_id))

    def digest(self, data: bytes) -> str:
        """Returns a digest that only holders of this key can make, so that it can be compared and not be guessed."""
        return hmac.digest(_derive(self._key, b"digest"), data, "sha256")[:16].hex()

    def unwrap(self, key_id: str, wrapped: bytes | None) -> bytes:
        """Returns the key. Raises KeyErased (None), WrongKey (another master key), or Damaged (altered, other id)."""
        return self._sealer.open(None if wrapped is None else self._key, wrapped or b"", _wrap_aad(key_id))


def _wrap_aad(key_id: str) -> bytes:
    return b"ketnap wrapped key\n" + key_id.encode()


def _derive(key: bytes, use: bytes) -> bytes:
    # One block of HKDF-Expand (RFC 5869, section 2.3); the key is uniform, so Extract may be left out (section 3.3).
    return hmac.digest(key, b"ketnap seal v1 " + use + b"\x01", "sha256")


def _take(random: Random, count: int) -> bytes:
    taken = random(count)
    if len(taken) != count:
        raise ValueError(f"the source of randomness gave {len(taken)} bytes instead of {count}")
    return taken
