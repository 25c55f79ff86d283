"""A long trail, written without its office: events of the usual size, hashed and linked, checkpoints among them."""

from __future__ import annotations

import base64
from pathlib import Path

from engine.audit import checkpoint as checkpoints
from engine.audit.canonical import canonical
from engine.audit.checkpoint import Checkpoint
from engine.audit.note import SigningKey
from engine.audit.tree import Frontier, leaf_hash
from engine.ledger import link
from engine.store.open import open_store
from engine.store.rows import EventRow

KEY = SigningKey(name="ketnap/bench", seed=bytes([5] * 32))
AT = "2026-01-01T00:00:00.000000Z"
SEALED = base64.b64encode(bytes(range(256)) + bytes(150)).decode()  # what a step's facts take, sealed
EVERY = 2_000  # events between two checkpoints: about those of a town's day
PAGE = 20_000


def row(seq: int, body: dict[str, object], before: bytes) -> EventRow:
    """Returns a row with its bytes, leaf and link."""
    data = canonical(body)  # type: ignore[arg-type]  # a body of plain values
    leaf = leaf_hash(data)
    nothing = dict.fromkeys(("subject", "workflow", "org", "trigger", "actor", "behalf", "on", "command"))
    linked = link(before, leaf)
    id, kind = str(body["id"]), str(body["kind"])
    return EventRow(seq=seq, id=id, kind=kind, at=AT, body=data, leaf=leaf, link=linked, **nothing)


def rows(first: int, n: int, before: bytes) -> list[EventRow]:
    """Returns so many events of steps, from a number on."""
    made: list[EventRow] = []
    for seq in range(first, first + n):
        body: dict[str, object] = {
            "v": 1, "id": f"{seq:032x}", "kind": "moved", "at": AT, "on": "2026-01-01", "channel": "cli",
            "actor": "lan", "subject": f"s{seq // 4}", "workflow": "candidate", "org": "cb1", "trigger": "review",
            "from": "a", "to": "b",
            "rules": [[f"rule_{i}", "guard", "pass", "2016-01-01"] for i in range(6)], "key": f"s{seq // 4}",
            "sealed": SEALED,
        }  # fmt: skip
        made.append(row(seq, body, before))
        before = made[-1].link
    return made


def long_trail(file: Path, events: int) -> bytes:
    """Makes a database with that many events, a checkpoint every 2,000. Returns the last one."""
    store = open_store(f"sqlite:///{file}")
    store.create()
    frontier, before, size, note = Frontier(), bytes(32), 0, b""
    first: dict[str, object] = {"v": 1, "id": "key", "kind": "signing_key", "at": AT, "channel": "cli"}
    page = [row(0, {**first, "verifier": str(KEY.verifier)}, before)]
    while size < events:
        with store.transaction() as tx:
            tx.append_events(page)
        frontier = frontier.extend(r.leaf for r in page)
        size, before = frontier.size, page[-1].link
        head = Checkpoint(origin=KEY.name, size=size, root=frontier.root())
        note = bytes(checkpoints.sign(head, [KEY]))
        body: dict[str, object] = {
            "v": 1,
            "id": f"c{size}",
            "kind": "checkpoint",
            "at": AT,
            "channel": "cli",
            "size": size,
        }
        body |= {"root": base64.b64encode(head.root).decode(), "note": note.decode()}
        page = [row(size, body, before)]
        page += rows(size + 1, min(EVERY - 1, max(events - size - 1, 0)), page[0].link)
    store.close()
    return note
