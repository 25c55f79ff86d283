"""Checkpoints of the trail (c2sp.org/tlog-checkpoint), witnesses' cosignatures, and the change of a signing key.

A checkpoint is a signed note that says: the trail of this origin has so many entries, and their tree has this root. Who
holds one can later show that anything under it was changed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.audit import note as notes
from engine.audit.note import BadKey, BadNote, KeyKind, Note, NotVerified, SigningKey, Verified, VerifierKey
from engine.audit.tree import EMPTY_ROOT, HASH_BYTES, SIZE_LIMIT

_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\Z")
_ROTATION = "ketnap key rotation v1"
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """How far a trail goes and what it holds. `root` has 32 bytes; `extensions` are lines that nobody can audit."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lines = (self.origin, *self.extensions)
        if not all(line and "\n" not in line for line in lines):
            raise BadNote("A line of a checkpoint is not empty.")
        if not 0 <= self.size < SIZE_LIMIT or len(self.root) != HASH_BYTES:
            raise BadNote("The size or the root of a checkpoint is out of bounds.")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise BadNote("The root of an empty trail is another one.")

    def text(self) -> str:
        """Returns the text that is signed."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @staticmethod
    def parse(text: str) -> Checkpoint:
        """Reads the text of a note strictly. Raises BadNote."""
        lines = text.removesuffix("\n").split("\n")
        if not text.endswith("\n") or len(lines) < 3:
            raise BadNote("This is not a checkpoint.")
        return Checkpoint(
            origin=lines[0], size=_parse_size(lines[1]), root=_parse_root(lines[2]), extensions=tuple(lines[3:])
        )


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A checkpoint that was verified, with the signatures that hold: the log's own, and the witnesses'."""

    checkpoint: Checkpoint
    signed: tuple[Verified, ...]
    witnessed: tuple[Verified, ...]


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """From `size` entries under `root` on, the trail's checkpoints are signed by `new` instead of `old`."""

    origin: str
    old: VerifierKey
    new: VerifierKey
    size: int
    root: bytes
    at: datetime  # to the second

    def text(self) -> str:
        """Returns the text that both keys sign. Its second line is a key, so that it is never a checkpoint."""
        root = base64.b64encode(self.root).decode()
        at = self.at.astimezone(UTC).strftime(_TIME)
        return f"{_ROTATION}\n{self.origin}\n{self.old}\n{self.new}\n{self.size}\n{root}\n{at}\n"

    @staticmethod
    def parse(text: str) -> Rotation:
        """Reads the text of a note strictly. Raises BadNote or BadKey."""
        lines = text.removesuffix("\n").split("\n")
        if len(lines) != 7 or lines[0] != _ROTATION:
            raise BadNote("This is not the rotation of a key.")
        try:
            at = datetime.strptime(lines[6], _TIME).replace(tzinfo=UTC)
        except ValueError:
            raise BadNote("The time of a rotation is not well formed.") from None
        rotation = Rotation(
            origin=lines[1],
            old=VerifierKey.parse(lines[2]),
            new=VerifierKey.parse(lines[3]),
            size=_parse_size(lines[4]),
            root=_parse_root(lines[5]),
            at=at,
        )
        if rotation.text() != text:
            raise BadNote("This is not the rotation of a key.")
        return rotation


@dataclass(frozen=True, kw_only=True)
class Tenure:
    """The time of a key, counted in entries: it signs checkpoints of `since` to `until` entries, both included."""

    key: VerifierKey
    since: int
    until: int | None  # None: the key of today


def sign(checkpoint: Checkpoint, keys: Sequence[SigningKey]) -> Note:
    """Returns the checkpoint signed by every key given (one, or two while a key is changed). Raises BadKey."""
    if not keys or any(key.kind is not KeyKind.ED25519 for key in keys):
        raise BadKey("A checkpoint is signed by a log's key.")
    return notes.sign(checkpoint.text(), keys)


def cosign(note: Note, witness: SigningKey, at: datetime) -> Note:
    """Returns the checkpoint with a witness's signature and time added. Raises BadNote, BadKey.

    A witness must first have verified the log's signature, and the consistency with what it signed before.
    """
    if witness.kind is not KeyKind.COSIGNATURE:
        raise BadKey("A checkpoint is cosigned by a witness's key.")
    Checkpoint.parse(note.text)
    return note.with_signatures((witness.sign(note.text, at),))


def open_checkpoint(
    data: bytes, *, origin: str, tenures: Sequence[Tenure], witnesses: Iterable[VerifierKey] = ()
) -> Opened:
    """Reads and verifies a checkpoint of `origin`; it must be signed by a key whose tenure holds its size.

    Raises BadNote (not well formed), or NotVerified: no such signature, one that does not hold, or another origin.
    """
    note = notes.parse(data)
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != origin:
        raise NotVerified("The checkpoint is of {found}, not of {origin}.", found=checkpoint.origin, origin=origin)
    logs = {tenure.key for tenure in tenures if tenure.key.kind is KeyKind.ED25519}
    verified = notes.verify(note, logs | {key for key in witnesses if key.kind is KeyKind.COSIGNATURE})
    in_charge = {tenure.key for tenure in tenures if _holds(tenure, checkpoint.size)}
    signed = tuple(v for v in verified if v.key in in_charge)
    if not signed:
        raise NotVerified("No key that was in charge at {size} entries signed the checkpoint.", size=checkpoint.size)
    witnessed = tuple(v for v in verified if v.key.kind is KeyKind.COSIGNATURE)
    return Opened(checkpoint=checkpoint, signed=signed, witnessed=witnessed)


def rotate(checkpoint: Checkpoint, *, old: SigningKey, new: SigningKey, at: datetime) -> Note:
    """Returns the note by which `old` hands over to `new` at this checkpoint, signed by both. Raises BadKey."""
    if old.verifier == new.verifier or {old.kind, new.kind} != {KeyKind.ED25519}:
        raise BadKey("A rotation takes two different keys of a log.")
    if at.tzinfo is None:
        raise ValueError("a time needs a zone")
    rotation = Rotation(
        origin=checkpoint.origin,
        old=old.verifier,
        new=new.verifier,
        size=checkpoint.size,
        root=checkpoint.root,
        at=at,
    )
    return notes.sign(rotation.text(), (old, new))


def tenures(first: VerifierKey, origin: str, rotations: Iterable[bytes]) -> tuple[Tenure, ...]:
    """Follows the rotations, oldest first, from the key that is trusted to the key of today.

    Raises BadNote, BadKey, or NotVerified: a rotation of another origin, by a key that is not in charge, without the
    signature of either, or that goes back.
    """
    chain = [Tenure(key=first, since=0, until=None)]
    for data in rotations:
        note = notes.parse(data)
        rotation = Rotation.parse(note.text)
        last = chain[-1]
        if rotation.origin != origin or rotation.old != last.key or rotation.size < last.since:
            raise NotVerified("The rotation does not go on from the key in charge.")
        if {v.key for v in notes.verify(note, (rotation.old, rotation.new))} != {rotation.old, rotation.new}:
            raise NotVerified("A rotation needs the signatures of both keys.")
        chain[-1] = Tenure(key=last.key, since=last.since, until=rotation.size)
        chain.append(Tenure(key=rotation.new, since=rotation.size, until=None))
    return tuple(chain)


def _holds(tenure: Tenure, size: int) -> bool:
    return tenure.since <= size and (tenure.until is None or size <= tenure.until)


def _parse_size(text: str) -> int:
    if not _SIZE.match(text):
        raise BadNote("The size of a checkpoint is not well formed.")
    return int(text)


def _parse_root(text: str) -> bytes:
    try:
        root = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        root = b""
    if len(root) != HASH_BYTES or base64.b64encode(root).decode() != text:
        raise BadNote("The root of a checkpoint is not well formed.")
    return root
