"""Checkpoints against the trail: those that inspectors kept, and those that the trail itself speaks of."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.audit import checkpoint as checkpoints
from engine.audit.checkpoint import Checkpoint, Opened, Tenure
from engine.audit.note import BadKey, BadNote, NotVerified, VerifierKey
from engine.audit.note import parse as parse_note
from engine.audit.tree import frontier_at
from engine.comparing import Problem
from engine.core import events
from engine.hashing import Hashed

UNFIT = (BadNote, BadKey, NotVerified)


@dataclass(kw_only=True)
class Attested:
    """What the trail says of its own checkpoints and keys, in its order: (event, body)."""

    keys: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)
    made: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)

    def take(self, seq: int, data: bytes) -> None:
        """Takes in the bytes of an event, if it is of a key or a checkpoint."""
        try:
            body = json.loads(data)
        except ValueError:
            return  # what is no body is found when the bodies are read
        if body["kind"] == events.SIGNING_KEY:
            self.keys.append((seq, body))
        elif body["kind"] == events.CHECKPOINT:
            self.made.append((seq, body))

    def tenures(self) -> tuple[Tenure, ...]:
        """Returns the keys of the trail. Raises BadNote, BadKey or NotVerified where one does not follow the other."""
        if not self.keys:
            return ()
        first = VerifierKey.parse(str(self.keys[0][1]["verifier"]))
        notes = [str(body["note"]).encode() for _, body in self.keys[1:]]
        return checkpoints.tenures(first, first.name, notes)


def given(
    notes: Sequence[bytes], hashed: Hashed, tenures: Sequence[Tenure], trusted: VerifierKey | None
) -> Iterator[Problem]:
    """Compares the trail with the checkpoints that an inspector holds; `trusted` is the key the inspector knows."""
    if trusted is not None and (not tenures or tenures[0].key != trusted):
        message = (
            "the first key of this trail is not the one you were given: its history was written anew, or it is another "
            "office's"
        )
        yield _problem("other_key", 0, message)
    held: list[Checkpoint] = []
    for note in notes:
        checkpoint, problem = _open(note, tenures, trusted)
        if problem is not None:
            yield problem
        if checkpoint is not None:
            held.append(checkpoint)
    yield from _split(held)
    agree = 0
    for checkpoint in sorted(held, key=lambda c: c.size):
        problem = _compare(checkpoint, hashed, agree)
        if problem is not None:
            yield problem
            return
        agree = max(agree, checkpoint.size)


def _open(
    note: bytes, tenures: Sequence[Tenure], trusted: VerifierKey | None
) -> tuple[Checkpoint | None, Problem | None]:
    """Returns the checkpoint, unless it was altered, and what is to be said of it."""
    known = [*tenures, *([Tenure(key=trusted, since=0, until=None)] if trusted is not None else [])]
    try:
        parsed = parse_note(note)
        checkpoint = Checkpoint.parse(parsed.text)
    except UNFIT as error:
        return None, _problem("signature", None, "a checkpoint was altered: {why}", why=error.text())
    try:
        checkpoints.open_checkpoint(note, origin=checkpoint.origin, tenures=known)
    except UNFIT as error:
        if {(s.name, s.key_id) for s in parsed.signatures} & {(t.key.name, t.key.key_id) for t in known}:
            return None, _problem("signature", None, "a checkpoint was altered: {why}", why=error.text())
        message = (
            "the checkpoint of {size} events is signed by a key that this trail never had: the history was written "
            "anew under another key, or the checkpoint is another office's"
        )
        return checkpoint, _problem("other_key", None, message, size=checkpoint.size)
    return checkpoint, None


def _split(held: Sequence[Checkpoint]) -> Iterator[Problem]:
    roots: dict[tuple[str, int], bytes] = {}
    for one in held:
        if roots.setdefault((one.origin, one.size), one.root) != one.root:
            message = "two checkpoints of {size} events contradict each other: two histories were shown"
            yield _problem("split", None, message, size=one.size)


def _compare(checkpoint: Checkpoint, hashed: Hashed, agree: int) -> Problem | None:
    if checkpoint.size > hashed.size:
        message = "the trail has {there} events, the checkpoint {size}: its end was cut off, or this is an older copy"
        return _problem("truncated", hashed.size, message, there=hashed.size, size=checkpoint.size)
    if frontier_at(checkpoint.size, hashed.nodes).root() == checkpoint.root:
        return None
    message = "the first {size} events are not those of the checkpoint: the history was written anew"
    if agree:
        message = (
            "the first {agree} events are those of an earlier checkpoint, but not all {size} are those of the next: an "
            "older copy went on, or they were written anew"
        )
    return _problem("rewritten", agree, message, agree=agree, size=checkpoint.size)


def own(said: Attested, hashed: Hashed, tenures: Sequence[Tenure]) -> Iterator[Problem]:
    """Compares the trail with the checkpoints that it speaks of itself; tells of the first that does not hold."""
    for seq, body in said.made:
        try:
            found = _own(body, tenures)
        except UNFIT as error:
            message = "event {event} holds a checkpoint whose signature does not hold: {why}"
            yield _problem("signature", seq, message, why=error.text())
            return
        size = found.checkpoint.size
        if size > seq or frontier_at(size, hashed.nodes).root() != found.checkpoint.root:
            yield _problem("rewritten", seq, "event {event} holds a checkpoint of another history")
            return


def _own(body: Mapping[str, Any], tenures: Sequence[Tenure]) -> Opened:
    origin = tenures[0].key.name if tenures else ""
    witnesses = [VerifierKey.parse(str(body["witness"]))] if "witness" in body else []
    found = checkpoints.open_checkpoint(str(body["note"]).encode(), origin=origin, tenures=tenures, witnesses=witnesses)
    root = base64.b64encode(found.checkpoint.root).decode()
    if len(found.witnessed) < len(witnesses) or body["size"] != found.checkpoint.size or body.get("root", root) != root:
        raise NotVerified()
    return found


def _problem(kind: str, event: int | None, message: str, **params: object) -> Problem:
    return Problem(event=event, kind=kind, message=message, params={"event": event, **params})
