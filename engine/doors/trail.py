"""The door to the trail: checkpoints, the keys that sign them, proofs, and how much no checkpoint covers yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine import permits, trail
from engine.audit.checkpoint import Tenure
from engine.audit.note import SigningKey, VerifierKey
from engine.audit.tree import consistency_proof, inclusion_proof
from engine.core.commands import Start
from engine.core.errors import BadInput
from engine.doors import OpenWork
from engine.steps import By, start
from engine.trail import Exposure, Left, Signed


@dataclass(frozen=True, kw_only=True)
class Proof:
    """That the tree of `size` events holds the event `index`, or goes on from its first `old` ones."""

    size: int
    root: bytes
    hashes: tuple[bytes, ...]
    index: int | None = None
    body: bytes | None = None
    old: int | None = None


class Trail:
    """What may be done with the trail itself."""

    def __init__(self, open_work: OpenWork, seal: Callable[[], int]) -> None:
        self._work, self.seal = open_work, seal

    def begin(self) -> None:
        """Writes the first signing key into the trail, once: whose key it was from the start is then on record."""
        with self._work(write=True) as work:
            trail.begin(work)

    def sign(self, by: By | None = None) -> Signed:
        """Makes a checkpoint of all there is; the trail says who asked. Raises NotFound without a key, KeyChanged with
        another one."""
        with self._work(write=True) as work:
            return trail.sign(work, by)

    def last(self) -> Signed | None:
        """Returns the newest checkpoint, or None before the first."""
        with self._work() as work:
            return trail.last_signed(work)

    def open_at(self, workflow: str, org: str | None, by: By) -> str | None:
        """Begins a subject of a workflow that keeps a checkpoint, because something else went out.

        At this unit (None: the first there is) or the next above where such a one lives. Returns its id; None where
        nothing can be signed or none lives. The same command again (the next file of one report) begins no second one.
        """
        with self._work(write=True) as work:
            if by.command is not None and (row := work.tx.event_of_command(by.command)) is not None:
                return row.subject
            definition, tree = work.library.newest(workflow), work.office.tree
            living = sorted(o.id for o in tree.by_id.values() if o.kind in definition.kinds)
            home = tree.by_id.get(org if org is not None else next(iter(living), ""))
            while home is not None and home.kind not in definition.kinds:
                home = tree.by_id.get(home.parent or "")
            if home is None or (definition.file.checkpoint and not trail.can_sign(work)):
                return None
            return start(work, Start(workflow=workflow, org=home.id), by, unasked=True).subject

    def leave(self, size: int, way: str, to: str | None = None, by: By | None = None) -> Left:
        """Notes that a checkpoint left the machine: `way` is print, file, or what else somebody carried it by."""
        with self._work(write=True) as work:
            if size > work.tx.head().size:
                raise BadInput("there are no {size} events yet", size=size)
            return trail.leave(work, size, way, to, by)

    def cosigned(self, note: str, witness: VerifierKey) -> Left:
        """Keeps what a witness signed. Raises NotVerified."""
        with self._work(write=True) as work:
            return trail.cosigned(work, note, witness)

    def rotate(self, new: SigningKey, by: By) -> Signed:
        """Hands over to a new signing key. Raises Denied, KeyChanged and BadKey."""
        with self._work(write=True) as work:
            return trail.rotate(work, new, permits.permit(work, "accounts", by))

    def keys(self) -> tuple[Tenure, ...]:
        """Returns the keys of the trail, oldest first. Raises NotFound before the first checkpoint."""
        with self._work() as work:
            return trail.tenures(work.tx)

    def exposure(self) -> Exposure:
        """Returns how many events no checkpoint outside this machine covers."""
        with self._work() as work:
            return trail.exposure(work)

    def inclusion(self, event: int, size: int | None = None) -> Proof:
        """Proves that an event (by its number) is in the tree of `size` events. Raises BadInput."""
        with self._work() as work:
            of = work.tx.head().size if size is None else size
            if not 0 <= event < of <= work.tx.head().size:
                raise BadInput("there is no event {event} among {size}", event=event, size=of)
            proof = inclusion_proof(event, of, trail.nodes(work.tx))
            body = next(iter(work.tx.trail(after=event - 1)))[1]
            return Proof(size=of, root=trail.root_at(work.tx, of), hashes=proof, index=event, body=body)

    def consistency(self, old: int, size: int | None = None) -> Proof:
        """Proves that the tree of `size` events goes on from its first `old` ones. Raises BadInput."""
        with self._work() as work:
            of = work.tx.head().size if size is None else size
            if not 0 <= old <= of <= work.tx.head().size:
                raise BadInput("there is no event {event} among {size}", event=old, size=of)
            proof = consistency_proof(old, of, trail.nodes(work.tx))
            return Proof(size=of, root=trail.root_at(work.tx, of), hashes=proof, old=old)
