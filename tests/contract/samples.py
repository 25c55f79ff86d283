"""Rows to put into a store; every field can be given."""

from __future__ import annotations

import hashlib
from typing import Any

from engine.store.rows import EventRow, OutboxRow, SubjectRow, TimerRow


def moment(minute: int) -> str:
    """Returns a time as rows hold it."""
    return f"2026-01-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00.000000Z"


def subject(id_: str = "s1", **given: Any) -> SubjectRow:
    """Returns a subject."""
    fields: dict[str, Any] = {
        "workflow": "loan",
        "org": "branch",
        "state": "asked",
        "version": 1,
        "definition": "d1",
        "key_id": f"k-{id_}",
        "refers": None,
        "unique_key": None,
        "facts_json": '{"amount": 5, "note": "Đợt một"}',
        "sealed": b"\x00\xff sealed",
        "doers_json": "{}",
        "started_on": "2026-01-01",
        "entered_on": "2026-01-01",
        "person_on": "2026-01-01",
        "last_event": "e0",
    }
    return SubjectRow(id=id_, **(fields | given))


def event(seq: int, **given: Any) -> EventRow:
    """Returns an event."""
    body = f"body {seq}".encode()
    fields: dict[str, Any] = {
        "id": f"e{seq}",
        "kind": "moved",
        "subject": "s1",
        "workflow": "loan",
        "org": "branch",
        "trigger": "ask",
        "actor": "an",
        "behalf": None,
        "at": moment(seq),
        "on": "2026-01-01",
        "command": f"c{seq}",
        "body": body,
        "leaf": hashlib.sha256(b"\x00" + body).digest(),
        "link": hashlib.sha256(body).digest(),
    }
    return EventRow(seq=seq, **(fields | given))


def timer(subject_: str = "s1", name: str = "late", occurrence: str = "1", **given: Any) -> TimerRow:
    """Returns a timer due at minute 10."""
    fields: dict[str, Any] = {"kind": "fire", "due_at": moment(10), "planned_at": moment(0)}
    return TimerRow(subject=subject_, name=name, occurrence=occurrence, **(fields | given))


def notice(id_: str = "n1", **given: Any) -> OutboxRow:
    """Returns a queued notice, due and to be tried at minute 10; its key has the id as occurrence."""
    fields: dict[str, Any] = {
        "rule": "remind",
        "subject": "s1",
        "occurrence": id_,
        "recipient": "an",
        "behalf": None,
        "channel": "email",
        "urgent": False,
        "state": "queued",
        "due_at": moment(10),
        "next_try_at": moment(10),
        "attempts": 0,
        "message": None,
        "sent_at": None,
        "provider_id": None,
        "detail": None,
        "key_id": "k-s1",
        "sealed": b"\x01 notice",
    }
    return OutboxRow(id=id_, **(fields | given))
