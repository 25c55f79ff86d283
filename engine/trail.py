"""The trail as a tree: its root, signed checkpoints of it, the keys that sign them, and which of them left the machine.

Whatever happens here is an event of the trail itself; the settings below only save reading the whole trail again, and
`verify` compares them with it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.audit import checkpoint as checkpoints
from engine.audit import note as notes
from engine.audit.checkpoint import Checkpoint, Tenure
from engine.audit.note import BadKey, NotVerified, SigningKey, VerifierKey
from engine.audit.tree import TILE_LEVELS, Nodes, frontier_at, subtree, tiled
from engine.audit.words import to_words
from engine.core import events
from engine.core.errors import BadInput, KetnapError, NotFound
from engine.core.events import unstamp
from engine.store.ports import Transaction
from engine.store.rows import EventSearch, OutboxRow
from engine.work import Case, Work

if TYPE_CHECKING:
    from engine.steps import By

KEYS = "trail_keys"  # setting: the first key and the notes by which it was handed on
SANDBOX = "sandbox"  # setting: whether this is a database to try things in, whose clock may be set
LEFT = "trail_left"  # setting: the largest checkpoint that left the machine


class KeyChanged(BadInput):
    """The signing key is not the one in charge of this trail; a new one takes over by: ketnap audit rotate-key"""


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A checkpoint with its note, which is what an inspector keeps."""

    checkpoint: Checkpoint
    note: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Left:
    """That a checkpoint of `size` events left the machine."""

    size: int
    at: str
    way: str  # mail, print, file, witness
    to: str | None = None


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """How much of the trail could still be rewritten without an inspector's checkpoint showing it."""

    events: int  # since the last checkpoint that left
    size: int
    last: Left | None
    age: timedelta | None  # since it left


# ---- the tree ----


def nodes(tx: Transaction) -> Nodes:
    """Returns the reader of the tree's nodes; those that the sealer has not come to are hashed from what is below."""

    def run(level: int, first: int, count: int) -> list[bytes]:
        found = list(tx.hashes(level, first, count))
        if level:
            width = 1 << TILE_LEVELS
            missing = range(first + len(found), first + count)
            found += [subtree(run(level - TILE_LEVELS, place * width, width)) for place in missing]
        return found

    return tiled(run)


def root_at(tx: Transaction, size: int) -> bytes:
    """Returns the root over the first `size` events."""
    return frontier_at(size, nodes(tx)).root()


def is_sandbox(tx: Transaction) -> bool:
    """Tells whether the database is a sandbox."""
    return tx.setting(SANDBOX) == "true"


# ---- keys ----


def key_chain(tx: Transaction) -> tuple[VerifierKey, tuple[str, ...]] | None:
    """Returns the trail's first key and the notes of its rotations, or None before the first checkpoint."""
    stored = tx.setting(KEYS)
    if stored is None:
        return None
    kept = json.loads(stored)
    return VerifierKey.parse(kept["first"]), tuple(kept["rotations"])


def tenures(tx: Transaction) -> tuple[Tenure, ...]:
    """Returns the keys of this trail, each with its time. Raises NotFound before the first checkpoint."""
    chain = key_chain(tx)
    if chain is None:
        raise NotFound("no checkpoint has been made yet; run: ketnap audit checkpoint")
    first, rotations = chain
    return checkpoints.tenures(first, first.name, (r.encode() for r in rotations))


def can_sign(work: Work) -> bool:
    """Tells whether there is a key, and the one in charge."""
    try:
        _signer(work)
    except KetnapError:
        return False
    return True


def _signer(work: Work) -> SigningKey:
    """Returns the key in charge. Raises NotFound, KeyChanged, and what is wrong with the key's file."""
    if work.kit.signer is None and key_chain(work.tx) is not None:
        raise NotFound("the key that signs this trail is missing; put its file, or its copy, back")
    if work.kit.signer is None:
        raise NotFound("there is no signing key; run: ketnap init")
    key = work.kit.signer()
    if key_chain(work.tx) is not None and tenures(work.tx)[-1].key != key.verifier:
        raise KeyChanged()
    return key


def begin(work: Work) -> None:
    """Writes the first key into the trail, once, and whether the trail is a sandbox's."""
    key = _signer(work)
    if key_chain(work.tx) is None:
        work.ledger.append(events.SIGNING_KEY, verifier=str(key.verifier), sandbox=is_sandbox(work.tx))
        _keep_keys(work, str(key.verifier), ())


def _keep_keys(work: Work, first: str, rotations: Sequence[str]) -> None:
    work.tx.put_setting(KEYS, json.dumps({"first": first, "rotations": list(rotations)}, ensure_ascii=False))


def rotate(work: Work, new: SigningKey, by: By) -> Signed:
    """Hands over to a new key of the same name, in a note signed by both. Returns the checkpoint it is bound to."""
    work.ledger.lock()
    old = _signer(work)
    begin(work)
    if new.name != old.name:
        raise BadKey("The new key has the name of the old one: {name}", name=old.name)
    signed = _sign(work, old, [old, new], by)
    note = bytes(checkpoints.rotate(signed.checkpoint, old=old, new=new, at=work.now)).decode()
    chain = key_chain(work.tx)
    assert chain is not None
    work.ledger.append(events.SIGNING_KEY, verifier=str(new.verifier), note=note, actor=by.officer, behalf=by.behalf)
    _keep_keys(work, str(chain[0]), (*chain[1], note))
    return signed


# ---- checkpoints ----


def sign(work: Work, by: By | None = None) -> Signed:
    """Signs what the trail held before this unit of work, and writes that into it, with who asked for it.

    Raises NotFound and KeyChanged.
    """
    work.ledger.lock()
    key = _signer(work)
    begin(work)
    return _sign(work, key, [key], by)


def _sign(work: Work, key: SigningKey, keys: Sequence[SigningKey], by: By | None) -> Signed:
    size = work.tx.head().size
    checkpoint = Checkpoint(origin=key.name, size=size, root=root_at(work.tx, size))
    note = bytes(checkpoints.sign(checkpoint, keys)).decode()
    root = base64.b64encode(checkpoint.root).decode()
    work.ledger.append(events.CHECKPOINT, size=size, root=root, note=note, **_named(by))
    return Signed(checkpoint=checkpoint, note=note, at=work.now)


def last_signed(work: Work) -> Signed | None:
    """Returns the newest checkpoint that this program signed, or None before the first."""
    before = None
    while rows := work.tx.search_events(EventSearch(kinds=(events.CHECKPOINT,)), before=before, limit=50):
        for row in rows:
            body = json.loads(row.body)
            if "witness" not in body:
                opened = open_own(work.tx, body["note"].encode())
                return Signed(checkpoint=opened.checkpoint, note=body["note"], at=unstamp(row.at))
            before = row.seq
    return None


def facts_of(signed: Signed) -> dict[str, str | int]:
    """Returns what a workflow may keep of a checkpoint as facts, by the names of the key `checkpoint` of its file."""
    words = "\n".join(" - ".join(line) for line in to_words(signed.checkpoint.root))
    root = base64.b64encode(signed.checkpoint.root).decode()
    return {"note": signed.note, "size": signed.checkpoint.size, "root": root, "words": words}


def cosigned(work: Work, note: str, witness: VerifierKey) -> Left:
    """Keeps the cosignature of a witness. Raises NotVerified where it is not one of a checkpoint of this trail."""
    opened = open_own(work.tx, note.encode(), [witness])
    if not opened.witnessed:
        raise NotVerified("The note has no signature of the witness {name}.", name=witness.name)
    work.ledger.append(events.CHECKPOINT, size=opened.checkpoint.size, note=note, witness=str(witness))
    return leave(work, opened.checkpoint.size, "witness", witness.name)


def open_own(tx: Transaction, data: bytes, witnesses: Iterable[VerifierKey] = ()) -> checkpoints.Opened:
    """Reads a checkpoint and verifies that a key of this trail signed it. Raises BadNote and NotVerified."""
    keys = tenures(tx)
    return checkpoints.open_checkpoint(data, origin=keys[0].key.name, tenures=keys, witnesses=witnesses)


def _named(by: By | None) -> dict[str, Any]:
    return {} if by is None else {"actor": by.officer, "behalf": by.behalf}


# ---- leaving the machine ----


def leave(work: Work, size: int, way: str, to: str | None = None, by: By | None = None) -> Left:
    """Notes that a checkpoint left the machine, and where it went."""
    work.ledger.append(events.CHECKPOINT_LEFT, size=size, way=way, to_whom=to, **_named(by))
    return _keep_left(work, Left(size=size, at=work.ledger.at, way=way, to=to))


def _keep_left(work: Work, left: Left) -> Left:
    before = last_left(work.tx)
    if before is None or before.size <= left.size:
        work.tx.put_setting(LEFT, json.dumps(asdict(left), ensure_ascii=False))
    return left


def last_left(tx: Transaction) -> Left | None:
    """Returns the largest checkpoint that left the machine, or None."""
    stored = tx.setting(LEFT)
    return None if stored is None else Left(**json.loads(stored))


def mailed(work: Work, rows: Iterable[OutboxRow]) -> None:
    """Notes which of the messages that have just gone out carried a checkpoint; the notice has an event already."""
    carrying = {w for w, d in work.library.all_newest().items() if d.file.checkpoint}
    if not carrying:
        return
    for subject, found in work.tx.subjects({r.subject for r in rows if r.subject}).items():
        if found.workflow in carrying and (size := _size_in(work.case(subject))) is not None:
            _keep_left(work, Left(size=size, at=work.ledger.at, way="mail", to=None))


def _size_in(case: Case) -> int | None:
    fact = case.definition.file.checkpoint.get("size")
    value = case.subject.facts.get(fact) if fact is not None else None
    return value if isinstance(value, int) else None


def exposure(work: Work) -> Exposure:
    """Returns how many events no checkpoint outside this machine covers."""
    size, left = work.tx.head().size, last_left(work.tx)
    age = None if left is None else max(work.now - unstamp(left.at), timedelta())
    return Exposure(events=size - (left.size if left else 0), size=size, last=left, age=age)


def read_note(text: str) -> list[bytes]:
    """Returns the checkpoints in a text: a note as it is, or pasted from a mail, with spaces or quote marks before it.

    Raises BadNote when there is none.
    """
    lines = [line.strip().lstrip("> ").rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    found: list[bytes] = []
    for at in range(len(lines) - 4):
        if not lines[at] or not lines[at + 1].isdecimal() or len(lines[at + 2]) != 44:
            continue
        end = at + 3
        while end < len(lines) and lines[end] and not lines[end].startswith("\N{EM DASH} "):
            end += 1
        sigs = end + 1
        while sigs < len(lines) and lines[sigs].startswith("\N{EM DASH} "):
            sigs += 1
        if sigs > end + 1 and not lines[end]:
            found.append(("\n".join(lines[at:sigs]) + "\n").encode())
    if not found:
        raise notes.BadNote("There is no checkpoint in this text.")
    return found
