"""Edits made straight in the database, past the service: verifying names each of them and never breaks."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from engine.clock import SetClock
from engine.core.commands import Start
from engine.steps import By
from engine.store.open import open_store
from engine.verifying import verify
from tests.world import START, found_office, wire


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with an office, one person and a day off."""
    file = tmp_path_factory.mktemp("tampering") / "office.db"
    store = open_store(f"sqlite:///{file}")
    store.create()
    service = found_office(store, SetClock(START))
    service.start(
        Start(workflow="candidate", id="b1", org="cb1", facts={"full_name": "Lê An"}), By(officer="cb1_clerk")
    )
    service.set_up().days([(date(2025, 4, 1), True)])
    service.set_up().substitute("cb1_clerk", "xa1_secretary", date(2025, 3, 3), date(2025, 3, 9))
    assert verify(service).ok
    store.close()
    return file


@pytest.fixture
def edited(original: Path, tmp_path: Path) -> Path:
    """A copy whose triggers are gone, ready to be edited."""
    copy = tmp_path / "edited.db"
    with closing(sqlite3.connect(original)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            target.execute(f'DROP TRIGGER "{name}"')
        target.commit()
    return copy


EDITS = {
    "a body that is JSON no more": (
        "UPDATE events SET body = substr(body, 1, length(body) - 1) || x'7d' WHERE seq = 3",
        "edited",
    ),
    "a body with another day": (
        "UPDATE events SET body = replace(body, '2025', '2024') WHERE subject = 'b1'",
        "edited",
    ),
    "an entry taken out": ("DELETE FROM events WHERE seq = 5", "missing"),
    "a column of an entry": ("UPDATE events SET actor = 'somebody' WHERE subject = 'b1'", "columns"),
    "facts that are JSON no more": ("UPDATE subjects SET facts_json = 'garbage'", "projection"),
    "a fact": ('UPDATE subjects SET facts_json = \'{"full_name":"X"}\'', "projection"),
    "a state": ("UPDATE subjects SET state = 'elite'", "projection"),
    "a unit": ("UPDATE subjects SET org = 'xa1'", "projection"),
    "a pinned definition": ("UPDATE subjects SET definition = 'other'", "projection"),
    "when it began": ("UPDATE subjects SET started_on = '2020-01-01'", "projection"),
    "a subject taken out": ("DELETE FROM subjects", "projection"),
    "a key taken out": ("DELETE FROM keys WHERE id = 'b1'", "key"),
    "a key emptied": ("UPDATE keys SET wrapped = NULL WHERE id = 'b1'", "key"),
    "the law in a definition": (
        "UPDATE definitions SET text = replace(text, '60)', '90)') WHERE workflow = 'candidate'",
        "definition",
    ),
    "a power given to oneself": (
        "INSERT INTO roles VALUES ('cb1_clerk', 'tu', 'standing_committee', '0001-01-01', NULL)",
        "office",
    ),
    "a role taken away": ("DELETE FROM roles WHERE officer = 'cb1_clerk'", "office"),
    "an officer's address": ("UPDATE officers SET email = 'x@y.example' WHERE id = 'cb1_clerk'", "office"),
    "an organisation's place": ("UPDATE orgs SET parent = 'tu' WHERE id = 'cb1'", "office"),
    "a day off": ("DELETE FROM days", "office"),
    "a substitute": ("UPDATE substitutes SET until_day = '2030-01-01'", "office"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_past_the_service_is_named(edited: Path, name: str) -> None:
    """Whatever was edited, verifying says so and of what kind it is."""
    statement, kind = EDITS[name]
    with closing(sqlite3.connect(edited)) as db, db:
        assert db.execute(statement).rowcount > 0
    store = open_store(f"sqlite:///{edited}")
    with closing(store):
        report = verify(wire(store, SetClock(START)))
    assert kind in {p.kind for p in report.problems}
    assert all(p.text() for p in report.problems)
