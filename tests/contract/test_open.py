"""From a URL to a store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.core.errors import BadInput
from engine.store.memory import MemoryStore
from engine.store.open import open_store
from engine.store.postgres import PostgresDatabase
from engine.store.sql import SqlStore
from engine.store.sqlite import SqliteDatabase


def test_each_url_opens_its_kind_of_store_and_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening touches neither disk nor network."""
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_store("memory:"), MemoryStore)
    for url, place in (
        ("sqlite://", "sqlite://"),
        ("sqlite:///:memory:", "sqlite://"),
        ("sqlite:///a.db", "a.db"),
        (f"sqlite:///{tmp_path}/tên có dấu?#%20.db", None),
    ):
        store = open_store(url) if place else None
        if store is not None:
            assert isinstance(store, SqlStore)
            assert isinstance(store.database, SqliteDatabase)
            assert store.database.place == place
    for url in ("postgresql://u:secret@h:1/d", "postgresql+psycopg://u:secret@h:1/d"):
        store = open_store(url)
        assert isinstance(store, SqlStore)
        assert isinstance(store.database, PostgresDatabase)
        assert store.database.place == "postgresql+psycopg://u:***@h:1/d"
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_spaces_letters_and_percent_signs_is_opened_by_its_name(tmp_path: Path) -> None:
    """The name is not taken for a part of an address."""
    file = tmp_path / "Đảng bộ 50% #1.db"
    store = open_store(f"sqlite:///{file}")
    store.create()
    with store.transaction() as unit:
        unit.put_setting("a", "1")
    assert file.exists()
    store.close()


@pytest.mark.parametrize(
    "url",
    ["", "ketnap.db", "mysql://u:secret@h/d", "sqlite://host/a.db", "sqlite:///a.db?mode=ro", "postgresql", "x:y:z"],
)
def test_a_url_that_names_no_database_is_bad_input_and_keeps_the_password(url: str) -> None:
    """The message shows how to write one."""
    with pytest.raises(BadInput, match=r"sqlite:///file\.db") as caught:
        open_store(url)
    assert "secret" not in caught.value.text()


def test_a_store_in_memory_needs_no_sql() -> None:
    """Opening one loads neither SQLAlchemy nor a driver."""
    program = (
        "import sys; from engine.store.open import open_store; open_store('memory:').create();"
        "sys.exit(any(name in sys.modules for name in ('sqlalchemy', 'sqlite3', 'psycopg', 'alembic')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_opening_a_made_store_needs_no_alembic(tmp_path: Path) -> None:
    """Alembic is slow to load; every command starts by opening."""
    url = f"sqlite:///{tmp_path / 'a.db'}"
    store = open_store(url)
    store.create()
    store.close()
    program = (
        "import sys; from engine.store.open import open_store; s = open_store(sys.argv[1]); s.create(); s.check();"
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, url], check=False).returncode == 0
