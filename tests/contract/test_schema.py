"""The tables as the migrations make them, and what the databases themselves refuse."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from engine.core.errors import BadInput, KetnapError
from engine.store import rows, tables
from engine.store.faults import NoTables
from engine.store.migrate import upgrade
from engine.store.open import open_store
from engine.store.ports import Store
from engine.store.sql import SqlStore
from engine.store.sql_unit import Shape
from tests.contract.conftest import url_of
from tests.contract.samples import event, moment, notice, subject, timer


@pytest.fixture
def engine(shared_url: str) -> Iterator[Engine]:
    """Anybody's connection to the database, past the store."""
    url = make_url(shared_url)
    made = create_engine(url if url.drivername == "sqlite" else url.set(drivername="postgresql+psycopg"))
    yield made
    made.dispose()


def test_the_migrations_make_the_tables_that_the_program_uses(engine: Engine) -> None:
    """Comparing the made database with the metadata finds no difference."""
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_a_difference_between_tables_and_migrations_would_be_found(engine: Engine) -> None:
    """The comparison does look at columns and indexes."""
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE days ADD COLUMN extra TEXT"))
        connection.execute(text("DROP INDEX outbox_state"))
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), tables.metadata)
    assert {difference[0] for difference in found} == {"remove_column", "add_index"}


@pytest.mark.parametrize("kind", ["sqlite_file", "postgres"])
def test_the_events_of_an_older_database_come_into_the_index_of_rules(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """An upgrade reads what was judged out of the bodies, over the end of a page; an unreadable one is left alone."""

    def body(i: int) -> bytes:
        judged = [["age", "guard", "pass", None], [f"r{i % 2}", "limit", "fail", "2016-01-01"]]
        return json.dumps({"rules": judged} if i in places else {"kind": "opened"}, separators=(",", ":")).encode()

    places = range(5, 5_000, 615)
    store = open_store(url_of(kind, tmp_path, request))
    assert isinstance(store, SqlStore)
    upgrade(store.database, "0010")
    given = [event(i, body=body(i), command=None) for i in range(5_000)]
    given.append(event(5_000, body=b'{"rules":[', command=None))
    insert = store.statements.insert(tables.events)
    with store.connection() as connection:
        connection.begin(write=True)
        connection.run_many(insert.sql, Shape(tables.events, rows.EventRow).values(insert.order, given))
        connection.commit()
    store.create()
    with store.transaction(write=False) as unit:
        assert {(r.rule, r.block) for r in unit.judged(0, 100)} == {
            (rule, i // rows.BLOCK) for i in places for rule in ("age", f"r{i % 2}")
        }
        assert [e.seq for e in unit.search_events(rows.EventSearch(rule="r1"), limit=3)] == [4_925, 3_695, 2_465]
    store.close()


def test_the_revision_that_is_checked_is_the_last_migration() -> None:
    """The number beside the tables is kept by hand, so that a start needs no Alembic."""
    config = Config()
    config.set_main_option("script_location", "engine.store:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [tables.REVISION]


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("orgs", rows.OrgRow),
        ("officers", rows.OfficerRow),
        ("roles", rows.RoleRow),
        ("substitutes", rows.SubstituteRow),
        ("days", rows.DayRow),
        ("definitions", rows.DefinitionRow),
        ("keys", rows.KeyRow),
        ("subjects", rows.SubjectRow),
        ("events", rows.EventRow),
        ("tree", rows.NodeRow),
        ("judged", rows.JudgedRow),
        ("timers", rows.TimerRow),
        ("outbox", rows.OutboxRow),
    ],
)
def test_columns_have_the_names_and_the_unknowns_of_the_fields(table: str, row: Any) -> None:
    """A field that may be None is a column that may be NULL, and no other."""
    columns = [column for column in tables.metadata.tables[table].columns if column.name != "number"]
    assert [(column.name, bool(column.nullable)) for column in columns] == [
        (field.name, "None" in str(field.type)) for field in fields(row)
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET actor = 'ba'",
        "UPDATE events SET body = body WHERE seq = 0",
        "DELETE FROM events",
        "TRUNCATE events",
    ],
)
def test_the_database_itself_refuses_to_change_the_trail(shared_url: str, engine: Engine, statement: str) -> None:
    """Past the program too, and it says why."""
    if statement.startswith("TRUNCATE") and engine.dialect.name == "sqlite":
        statement = "DELETE FROM events WHERE seq >= 0"  # SQLite has no TRUNCATE
    store = open_store(shared_url)
    with store.transaction() as unit:
        unit.append_events([event(0), event(1)])
    with pytest.raises(DBAPIError, match="events is append-only"), engine.begin() as connection:
        connection.execute(text(statement))
    with store.transaction(write=False) as unit:
        assert list(unit.events()) == [event(0), event(1)]
    store.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE definitions SET text = 'x'",
        "DELETE FROM definitions",
        "DELETE FROM keys",
    ],
)
def test_the_database_itself_keeps_definitions_and_keys(shared_url: str, engine: Engine, statement: str) -> None:
    """The rules that were in force and the keys of persons are evidence; only erasing a key empties it."""
    store = open_store(shared_url)
    kept = rows.DefinitionRow(
        id="d", workflow="w", area="a", area_text="", text="", templates_json="{}", file="f", loaded_at=moment(0)
    )
    with store.transaction() as unit:
        unit.put_definitions([kept])
        unit.put_keys([rows.KeyRow(id="k", wrapped=b"1")])
    with pytest.raises(DBAPIError, match="kept as evidence"), engine.begin() as connection:
        connection.execute(text(statement))
    with store.transaction() as unit:
        unit.put_keys([rows.KeyRow(id="k", wrapped=None, erased_at=moment(1))])
        assert list(unit.definitions()) == [kept]
        assert unit.keys(["k"])["k"].wrapped is None
    store.close()


def test_making_twice_keeps_what_is_there(store: Store) -> None:
    """`create` is safe to call on a database in use."""
    store.create()
    with store.transaction() as unit:
        unit.insert_subjects([subject()])
    store.create()
    store.check()
    with store.transaction(write=False) as unit:
        assert unit.subjects(["s1"]) == {"s1": subject()}


def test_two_who_make_the_same_database_at_once_both_succeed(tmp_path: Path) -> None:
    """The second waits for the first."""
    from concurrent.futures import ThreadPoolExecutor

    stores = [open_store(f"sqlite:///{tmp_path / 'new.db'}") for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        for job in [pool.submit(store.create) for store in stores]:
            job.result(60)
    stores[0].check()
    for store in stores:
        store.close()


def test_a_database_without_tables_is_refused_with_the_mend(tmp_path: Path, postgres_url: str) -> None:
    """Checked or not: using it tells the same, and no empty file is left behind."""
    file = tmp_path / "none.db"
    for url in (f"sqlite:///{file}", postgres_url):
        store = open_store(url)
        with pytest.raises(NoTables, match="run: ketnap init"):
            store.check()
        with pytest.raises(NoTables, match="run: ketnap init"), store.transaction() as unit:
            unit.put_setting("a", "1")
        store.close()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.db").touch()
    with pytest.raises(NoTables):
        open_store(f"sqlite:///{tmp_path / 'empty.db'}").check()


@pytest.mark.parametrize(("version", "message"), [("0000", "run: ketnap init"), ("9999", "later version")])
def test_a_database_of_another_version_is_refused_with_the_mend(
    shared_url: str, engine: Engine, version: str, message: str
) -> None:
    """An older one is brought up to date, for a newer one the program is."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    store = open_store(shared_url)
    with pytest.raises(BadInput, match=message):
        store.check()
    if version > tables.REVISION:
        with pytest.raises(BadInput, match=message):
            store.create()
    store.close()


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    """Neither checking nor making writes into somebody's letter."""
    letter = tmp_path / "letter.txt"
    letter.write_text("Kính gửi: " * 500)
    before = letter.read_bytes()
    store = open_store(f"sqlite:///{letter}")
    for attempt in (store.check, store.create):
        with pytest.raises(BadInput, match="not a database file"):
            attempt()
    assert letter.read_bytes() == before


@pytest.mark.parametrize("name", ["", "no/such/place/a.db"])
def test_a_place_that_cannot_hold_a_database_is_refused(tmp_path: Path, name: str) -> None:
    """A folder, or a folder that is not there."""
    store = open_store(f"sqlite:///{tmp_path / name}")
    with pytest.raises(BadInput):
        store.create()
    with pytest.raises(BadInput):
        store.check()


def test_a_server_or_a_database_that_is_not_there_is_bad_input_without_the_password(postgres_url: str) -> None:
    """The message names the address and the mend, and keeps the secret."""
    gone = make_url(postgres_url).set(database="ketnap_no_such_database", password="secret-word")
    nobody = gone.set(host="127.0.0.1", port=1)
    for url in (gone, nobody):
        with pytest.raises(BadInput, match="cannot be opened") as caught:
            open_store(url.render_as_string(hide_password=False)).check()
        assert "secret-word" not in caught.value.text()


def test_a_file_that_may_not_be_written_says_so(tmp_path: Path) -> None:
    """It is a failure of the machine, with the database's own words."""
    store = open_store(f"sqlite:///{tmp_path / 'a.db'}")
    store.create()
    assert isinstance(store, SqlStore)

    def write() -> None:
        with store.transaction() as unit:
            unit.put_setting("a", "1")

    with store.connection() as connection:
        connection.rows("PRAGMA query_only = ON", ())
    with pytest.raises(KetnapError, match="readonly"):
        write()


def test_a_new_file_is_for_its_owner_only_and_every_commit_is_synced(tmp_path: Path) -> None:
    """It holds persons; and an answered step must survive a power cut."""
    file = tmp_path / "a.db"
    store = open_store(f"sqlite:///{file}")
    store.create()
    assert file.stat().st_mode & 0o777 == 0o600
    assert isinstance(store, SqlStore)
    with store.connection() as connection:
        got = {
            name: connection.rows(f"PRAGMA {name}", ())[0][0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert got == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    store.close()


def test_after_scrubbing_no_file_holds_what_was_overwritten(tmp_path: Path) -> None:
    """Neither the database nor its write-ahead log."""
    store = open_store(f"sqlite:///{tmp_path / 'a.db'}")
    store.create()
    secret = b"Nguyen Van Bi Mat" * 30
    with store.transaction() as unit:
        unit.insert_subjects([subject(sealed=secret), subject("s2", sealed=b"kept" * 2000)])

    def holds(what: bytes) -> bool:
        return any(what in file.read_bytes() for file in tmp_path.iterdir())

    assert holds(secret[:17])
    with store.transaction() as unit:
        unit.update_subjects([subject(version=2, sealed=None)], [1])
    store.scrub()
    assert not holds(secret[:17])
    assert holds(b"kept")
    store.close()


def test_scrubbing_is_safe_on_every_store(store: Store) -> None:
    """Nothing that stands is lost by it."""
    with store.transaction() as unit:
        unit.insert_subjects([subject()])
        unit.put_outbox([notice()])
    store.scrub()
    with store.transaction(write=False) as unit:
        assert unit.subjects(["s1"]) == {"s1": subject()}
        assert list(unit.outbox()) == [notice()]


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda unit: unit.due_timers(moment(1), 5), "timers_due"),
        (lambda unit: unit.next_due(), "timers_due"),
        (lambda unit: unit.pending_subjects(), "timers_due"),
        (lambda unit: unit.timers(["s1", "s2"]), "PRIMARY KEY"),
        (lambda unit: unit.subjects(["s1"]), "sqlite_autoindex_subjects_1"),
        (lambda unit: unit.subjects(["s1", "s2"]), "sqlite_autoindex_subjects_1"),
        (lambda unit: unit.find_subjects(refers="s1"), "subjects_refers"),
        (lambda unit: unit.find_subjects(workflow="loan", unique_key="a"), "subjects_unique"),
        (lambda unit: unit.find_subjects(workflow="loan", orgs=["a", "b"], states=["c", "d"]), "subjects_place"),
        (lambda unit: unit.outbox(due=moment(1), states=["queued"]), "outbox_next_try"),
        (lambda unit: unit.outbox(states=["claimed"]), "outbox_state"),
        (lambda unit: unit.outbox(message="m"), "outbox_message"),
        (lambda unit: unit.outbox(subject="s1"), "outbox_subject"),
        (lambda unit: unit.next_try(), "outbox_next_try"),
        (lambda unit: unit.outbox_counts(), "outbox_state"),
        (lambda unit: list(unit.events(subject="s1")), "events_subject"),
        (lambda unit: unit.event_of_command("c"), "sqlite_autoindex_events_2"),
        (lambda unit: unit.head(), None),
    ],
)
def test_what_is_asked_often_reads_by_an_index(tmp_path: Path, ask: Any, index: str | None) -> None:
    """The cost follows what is found, not the size of the table: SQLite's plan names the index and sorts no table."""
    store = open_store(f"sqlite:///{tmp_path / 'a.db'}")
    store.create()
    with store.transaction() as unit:
        unit.insert_subjects([subject("s1"), subject("s2")])
        unit.append_events([event(0)])
        unit.put_timers([timer()])
        unit.put_outbox([notice()])
    asked: list[str] = []
    assert isinstance(store, SqlStore)
    with store.connection() as connection:
        raw: sqlite3.Connection = connection._raw  # type: ignore[attr-defined]
        raw.set_trace_callback(asked.append)
    with store.transaction(write=False) as unit:
        ask(unit)
    raw.set_trace_callback(None)
    queries = [sql for sql in asked if sql.startswith("SELECT")]
    assert len(queries) == 1
    plan = [row[3] for row in raw.execute("EXPLAIN QUERY PLAN " + queries[0])]
    steps = [step for step in plan if step.startswith(("SEARCH", "SCAN")) and "anon_" not in step]
    if index is not None:
        assert all(index in step for step in steps), plan
    assert not any(step.startswith("SCAN") and "INDEX" not in step for step in steps) or index is None, plan
    store.close()
