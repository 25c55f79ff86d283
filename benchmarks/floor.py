"""The floor: one audited step written by hand on `sqlite3`, for this one step of this one workflow.

It reads the rows that the engine reads and writes the same rows with the same bytes (a test compares the two files),
hashed, linked and sealed as the engine does, under the same durability. What it leaves out is everything that makes the
engine one: rules, authority, the calendar. What those found is handed to it in a `Template`.
"""

from __future__ import annotations

import base64
import hmac
import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.town import BY, MASTER, NOW, Town, candidate, copy_of, review

PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "secure_delete = ON",
    "temp_store = MEMORY",
    "cache_size = -65536",
)
SUBJECT = (
    "id, workflow, org, state, version, definition, key_id, refers, unique_key, facts_json, sealed, doers_json, "
    "started_on, entered_on, person_on, last_event"
)
TIMER = "subject, name, occurrence, kind, due_at, planned_at, done_at, outcome"
READ_TIMERS = f"SELECT {TIMER} FROM timers WHERE subject = ? ORDER BY subject, due_at, name, occurrence"
UPDATE = (
    "UPDATE subjects SET workflow=?, org=?, state=?, version=?, definition=?, key_id=?, refers=?, unique_key=?, "
    "facts_json=?, sealed=?, doers_json=?, started_on=?, entered_on=?, person_on=?, last_event=? "
    "WHERE id = ? AND version = ?"
)
EVENT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
PUT_TIMER = (
    f"INSERT INTO timers ({TIMER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (subject, name, occurrence) DO UPDATE "
    "SET kind=excluded.kind, due_at=excluded.due_at, planned_at=excluded.planned_at, done_at=excluded.done_at, "
    "outcome=excluded.outcome"
)
DELETE_TIMER = "DELETE FROM timers WHERE subject = ? AND name = ? AND occurrence = ?"
HEAD = "SELECT seq, link, at FROM events ORDER BY seq DESC LIMIT 1"


def connect(file: Path) -> sqlite3.Connection:
    """Opens a file with the settings that the engine's store has."""
    db = sqlite3.connect(file, isolation_level=None)
    for pragma in PRAGMAS:
        db.execute(f"PRAGMA {pragma}")
    return db


@dataclass(frozen=True, kw_only=True)
class Template:
    """What rules, authority and calendar found for the step; the same for every candidate."""

    body: dict[str, Any]  # the event, less what differs from one candidate to another
    facts: dict[str, Any]  # what the step writes, as stored
    officer: str
    put: Sequence[tuple[Any, ...]]  # timers after the subject's id
    delete: Sequence[tuple[str, str]]  # name, occurrence


def template_of(file: Path, folder: Path, n: int) -> Template:
    """Has the engine take the step once on a copy of the town, and reads what it wrote."""
    town = copy_of(file, folder / "template.db")
    try:
        before = _timers(town, n)
        answer = town.service.move(review(n), BY)
        after = _timers(town, n)
        entry = town.service.history(candidate(n))[-1]
        with town.store.transaction(write=False) as tx:
            row = next(r for r in tx.events(subject=candidate(n)) if r.id == answer.event)
    finally:
        town.close()
    if not answer.allowed or entry.payload is None:
        raise RuntimeError("the benchmark's own step was refused")
    body = json.loads(row.body)
    for name in ("id", "subject", "org", "key", "sealed"):
        del body[name]
    return Template(
        body=body,
        facts=dict(entry.payload["facts"]),  # type: ignore[arg-type]  # a mapping, in every event of a step
        officer=BY.officer or "",
        put=[t[1:] for t in after if t not in before],
        delete=[t[1:3] for t in before if t[:3] not in {a[:3] for a in after}],
    )


def _timers(town: Town, n: int) -> list[tuple[Any, ...]]:
    with town.store.transaction(write=False) as tx:
        return [
            (r.subject, r.name, r.occurrence, r.kind, r.due_at, r.planned_at, r.done_at, r.outcome)
            for r in tx.timers([candidate(n)])
        ]


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _part(key: bytes, use: bytes) -> bytes:
    return hmac.digest(key, b"ketnap seal v1 " + use + b"\x01", "sha256")


class Seal:
    """AES-256-GCM under one key, in the engine's format."""

    def __init__(self, key: bytes) -> None:
        self._cipher, self._commitment = AESGCM(_part(key, b"encryption")), _part(key, b"commitment")

    def seal(self, nonce: bytes, text: bytes, aad: bytes) -> bytes:
        """Seals."""
        return b"\x01" + nonce + self._commitment + self._cipher.encrypt(nonce, text, b"\x01" + aad)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Opens."""
        if sealed[13:45] != self._commitment:
            raise ValueError("another key")
        return self._cipher.decrypt(sealed[1:13], sealed[45:], b"\x01" + aad)


class Floor:
    """Takes the step by hand."""

    def __init__(self, file: Path, template: Template, random: Callable[[int], bytes]) -> None:
        self.db = connect(file)
        self._template, self._random = template, random
        self._master = Seal(MASTER)
        self._at = NOW.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def step(self, subject: str) -> None:
        """Takes one step in a transaction of its own."""
        run = self.db.execute
        run("BEGIN IMMEDIATE")
        run("SELECT value FROM settings WHERE name = 'cache_version'").fetchone()
        row = run(f"SELECT {SUBJECT} FROM subjects WHERE id = ?", (subject,)).fetchone()
        (wrapped,) = run("SELECT wrapped FROM keys WHERE id = ?", (row[6],)).fetchone()
        run(READ_TIMERS, (subject,)).fetchall()
        seq, link, _ = run(HEAD).fetchone()
        key = Seal(self._master.open(wrapped, b"ketnap wrapped key\n" + row[6].encode()))
        event = self._event(row, key, seq + 1, link)
        puts, deletes = self._timers(subject)
        if deletes:
            self.db.executemany(DELETE_TIMER, deletes)
        self.db.executemany(PUT_TIMER, puts)
        run(EVENT, event)
        if run(UPDATE, self._update(row, key, event[1])).rowcount != 1:
            raise RuntimeError("changed meanwhile")
        run("COMMIT")

    def batch(self, subjects: Sequence[str]) -> None:
        """Takes many steps in one transaction, reading in few queries and writing with one statement a table."""
        run, many = self.db.execute, self.db.executemany
        listed = json.dumps(list(subjects))
        among = "IN (SELECT value FROM json_each(?))"
        run("BEGIN IMMEDIATE")
        run("SELECT value FROM settings WHERE name = 'cache_version'").fetchone()
        rows = run(f"SELECT {SUBJECT} FROM subjects WHERE id {among}", (listed,)).fetchall()
        keys = dict(run(f"SELECT id, wrapped FROM keys WHERE id {among}", (json.dumps([r[6] for r in rows]),)))
        run(f"SELECT {TIMER} FROM timers WHERE subject {among} ORDER BY subject", (listed,)).fetchall()
        seq, link, _ = run(HEAD).fetchone()
        stood = {row[0]: row for row in rows}
        events, sealing, puts, deletes = [], [], [], []
        for subject in subjects:
            row = stood[subject]
            key = Seal(self._master.open(keys[row[6]], b"ketnap wrapped key\n" + row[6].encode()))
            seq += 1
            event = self._event(row, key, seq, link)
            link = event[-1]
            events.append(event)
            sealing.append(key)
            put, delete = self._timers(subject)
            puts += put
            deletes += delete
        updates = [self._update(stood[s], k, e[1]) for s, k, e in zip(subjects, sealing, events, strict=True)]
        many(DELETE_TIMER, deletes)
        many(PUT_TIMER, puts)
        many(EVENT, events)
        if many(UPDATE, updates).rowcount != len(updates):
            raise RuntimeError("changed meanwhile")
        run("COMMIT")

    def _timers(self, subject: str) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """Returns the timers to write and to delete."""
        put, delete = self._template.put, self._template.delete
        return [(subject, *timer) for timer in put], [(subject, *timer) for timer in delete]

    def _event(self, row: tuple[Any, ...], key: Seal, seq: int, link: bytes) -> tuple[Any, ...]:
        """Returns the event, sealed, hashed and linked."""
        subject, workflow, org = row[:3]
        id = self._random(16).hex()
        payload = _dump({"facts": self._template.facts}).encode()
        sealed = base64.b64encode(key.seal(self._random(12), payload, id.encode())).decode("ascii")
        body = {**self._template.body, "id": id, "subject": subject, "org": org, "key": row[6], "sealed": sealed}
        data = _dump(body).encode()
        leaf = sha256(b"\x00" + data).digest()
        return (
            seq, id, body["kind"], subject, workflow, org, body["trigger"], body["actor"], None, self._at, body["on"],
            None, data, leaf, sha256(link + leaf).digest(),
        )  # fmt: skip

    def _update(self, row: tuple[Any, ...], key: Seal, event: str) -> tuple[Any, ...]:
        """Returns the values that update the subject's row."""
        subject, workflow, org, _, version, definition, key_id, refers, unique, facts_json, sealed, doers, *days = row
        body = self._template.body
        facts = json.loads(facts_json)
        for name, value in self._template.facts.items():
            facts[name] = {**facts.get(name, {}), **value} if isinstance(value, dict) else value
        covered = json.loads(key.open(sealed, b"facts:" + subject.encode()))
        anew = key.seal(self._random(12), _dump(covered).encode(), b"facts:" + subject.encode())
        done = json.loads(doers)
        done[body["trigger"]] = [self._template.officer]
        return (
            workflow, org, body["to"], version + 1, definition, key_id, refers, unique, _dump(facts), anew, _dump(done),
            days[0], days[1], body["on"], event, subject, version,
        )  # fmt: skip

    def close(self) -> None:
        """Closes the file."""
        self.db.close()
