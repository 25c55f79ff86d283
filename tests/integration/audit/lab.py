"""The attacker's tools: the whole database in hand, triggers dropped, and everything that can be recomputed is."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from engine.audit import checkpoint as checkpoints
from engine.audit import tree
from engine.audit.canonical import canonical
from engine.audit.checkpoint import Checkpoint
from engine.audit.note import SigningKey
from engine.clock import SetClock
from engine.core.commands import Move, Start
from engine.ledger import link
from engine.service import Service
from engine.steps import By
from engine.store.open import open_store
from engine.store.tiles import made_between
from engine.verifying import Report, verify
from tests.unit.oracle_values import usual
from tests.world import START, found_office, minutes, wire

KEY = SigningKey(name="ketnap/lab", seed=bytes([7] * 32))
NEW_KEY = SigningKey(name="ketnap/lab", seed=bytes([8] * 32))
EVENTS = 270  # past the first stored node of the tree

Body = dict[str, Any]
KNOWN = ("full_name", "birth_date", "education", "motives", "helper", "introduced_by")


def serve(file: Path, key: SigningKey | None = KEY, at: Any = START) -> Service:
    """Returns the service over a database file; its store is closed by the test's end."""
    service = wire(open_store(f"sqlite:///{file}"), SetClock(at))
    service.kit.signer = None if key is None else lambda: key
    return service


def person(service: Service, n: int) -> None:
    """Begins a person and recognises them."""
    facts = {name: usual(name, START.date()) for name in KNOWN}
    service.start(Start(workflow="candidate", id=f"p{n}", org="cb1", facts=facts), By(officer="cb1_clerk"))
    service.move(Move(subject=f"p{n}", trigger="recognise"), By(officer="xa1_secretary"))


def grown(file: Path, first: int, end: int, at: Any = START) -> bytes:
    """Adds persons, and returns the checkpoint that an inspector then gets."""
    service = serve(file, at=at)
    for n in range(first, end):
        person(service, n)
    signed = service.trail.sign()
    service.kit.store.close()
    return signed.note.encode()


def original(folder: Path) -> tuple[Path, bytes, Path, bytes]:
    """Makes the office's database. Returns it with the inspector's two checkpoints, and a copy as of the first."""
    file, old = folder / "office.db", folder / "old.db"
    store = open_store(f"sqlite:///{file}")
    service = found_office(store, SetClock(START))
    service.kit.signer = lambda: KEY
    service.start_many(
        [Start(workflow="candidate", id=f"m{n}", org="cb1", facts={"full_name": f"Người {n}"}) for n in range(EVENTS)],
        By(officer="cb1_clerk"),
    )
    store.close()
    first = grown(file, 0, 3)
    copy(file, old)
    return file, first, old, grown(file, 3, 6, START + minutes(10))


def copy(file: Path, to: Path) -> Path:
    """Copies a database, with its log."""
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    return to


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """The database past the service, its triggers gone."""
    with closing(sqlite3.connect(file)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f'DROP TRIGGER "{name}"')
        yield db
        db.commit()


def bodies(db: sqlite3.Connection) -> list[Body]:
    """Returns all bodies."""
    return [json.loads(row[0]) for row in db.execute("SELECT body FROM events ORDER BY seq")]


def rewrite(db: sqlite3.Connection, change: Callable[[list[Body]], list[Body]], key: SigningKey = KEY) -> None:
    """Writes the whole history anew: columns, hashes, links, tree; its own checkpoints are signed again with `key`."""
    columns = ("id", "kind", "subject", "workflow", "org", "trigger", "actor", "behalf", "at", "on", "command")
    made = change(bodies(db))
    db.execute("DELETE FROM events")
    db.execute("DELETE FROM tree")
    before, leaves = bytes(32), []  # type: tuple[bytes, list[bytes]]
    for seq, body in enumerate(made):
        if body["kind"] == "signing_key":
            body["verifier"] = str(key.verifier)
        if body["kind"] == "checkpoint":
            root = tree.root(leaves[: body["size"]])
            body["root"] = base64.b64encode(root).decode()
            head = Checkpoint(origin=key.name, size=body["size"], root=root)
            body["note"] = bytes(checkpoints.sign(head, [key])).decode()
        data = canonical(body)
        leaf = tree.leaf_hash(data)
        before = link(before, leaf)
        leaves.append(leaf)
        places = ", ".join("?" * (len(columns) + 4))
        db.execute(f"INSERT INTO events VALUES ({places})", (seq, *(body.get(c) for c in columns), data, leaf, before))
    _nodes(db, leaves)
    first = next((b["verifier"] for b in made if b["kind"] == "signing_key"), None)
    db.execute(
        "UPDATE settings SET value = ? WHERE name = 'trail_keys'", (json.dumps({"first": first, "rotations": []}),)
    )


def _nodes(db: sqlite3.Connection, leaves: list[bytes]) -> None:
    held: dict[tuple[int, int], bytes] = {(0, n): leaf for n, leaf in enumerate(leaves)}

    def read(level: int, first: int, count: int) -> list[bytes]:
        return [held[level, n] for n in range(first, first + count)]

    for nodes in made_between(0, len(leaves), read):
        held |= {(n.level, n.place): n.hash for n in nodes}
        db.executemany("INSERT INTO tree VALUES (?, ?, ?)", [(n.level, n.place, n.hash) for n in nodes])


def relink(db: sqlite3.Connection) -> None:
    """Recomputes leaves and links, and leaves the tree as it is."""
    before = bytes(32)
    for seq, body in db.execute("SELECT seq, body FROM events ORDER BY seq").fetchall():
        leaf = tree.leaf_hash(body)
        before = link(before, leaf)
        db.execute("UPDATE events SET leaf = ?, link = ? WHERE seq = ?", (leaf, before, seq))


def renumber(db: sqlite3.Connection) -> None:
    """Closes the gaps in the numbers."""
    for n, (seq,) in enumerate(db.execute("SELECT seq FROM events ORDER BY seq").fetchall()):
        db.execute("UPDATE events SET seq = ? WHERE seq = ?", (n, seq))


def verified(file: Path, *held: bytes, key: bool = False) -> Report:
    """Verifies as an inspector does who holds these checkpoints, and perhaps the trail's first key."""
    service = serve(file, at=START + minutes(60))
    try:
        return verify(service, checkpoints=held, key=KEY.verifier if key else None)
    finally:
        service.kit.store.close()
