"""Backups of an office on PostgreSQL, and of one that moves there: whole, or nothing at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.cli.conftest import Ketnap
from tests.integration.cli.test_backups import PASSPHRASE
from tests.integration.cli.test_persons import ERASE, NAME


def _on(office: Ketnap, url: str, *args: str, code: int = 0) -> Any:
    return office.ask("--db", url, *args, code=code)


@pytest.fixture
def folder(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> Ketnap:
    """A folder with a passphrase; the keys stand in files of their own there, whatever the database."""
    (ketnap.folder / "mk.txt").write_text(PASSPHRASE + "\n", encoding="utf-8")
    (ketnap.folder / "b").mkdir()
    monkeypatch.setenv("KETNAP_BACKUP_DIR", "b")
    monkeypatch.setenv("KETNAP_BACKUP_PASSPHRASE_FILE", "mk.txt")
    return ketnap


def _found(office: Ketnap, url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Makes an office with one person and one who is erased; returns its backup."""
    monkeypatch.setenv("KETNAP_DB", url)
    office.office()
    for id in ("u1", "u2"):
        office.elite(id)
    office.run("move", "u2", "drop", "--as", "lan", "--fact", "drop_reason=moved", "--reason", "Chuyển đi")
    made: dict[str, Any] = office.ask("backup")
    office.run("person", "erase", "u2", *ERASE)
    monkeypatch.delenv("KETNAP_DB")
    return made


def _same(office: Ketnap, url: str, made: dict[str, Any]) -> None:
    assert _on(office, url, "show", "u1")["facts"]["full_name"] == NAME
    assert "full_name" not in _on(office, url, "show", "u2")["facts"]
    verified = _on(office, url, "audit", "verify")
    assert (verified["ok"], verified["events"]) == (True, made["events"] + 4)  # erased again, restored, opened twice
    _on(office, url, "set", "u1", "occupation=Giáo viên", "--as", "lan")


@pytest.mark.parametrize("to", ["server", "file"])
def test_an_office_on_a_server_comes_back_on_another_and_in_a_file(
    folder: Ketnap, postgres_url: str, second_postgres_url: str, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its history, its triggers, its tree, and the erased still erased; it goes on from there."""
    made = _found(folder, postgres_url, monkeypatch)
    url = second_postgres_url if to == "server" else "sqlite:///new.db"
    done = _on(folder, url, "restore", made["file"], "--passphrase-file", "mk.txt")
    assert (done["events"], done["erased_again"]) == (made["events"], ["u2"])
    _same(folder, url, made)
    if to == "server":
        with psycopg.connect(_plain(url)) as raw, pytest.raises(psycopg.errors.RaiseException):
            raw.execute("DELETE FROM events")
        again = _on(folder, url, "restore", made["file"], "--passphrase-file", "mk.txt", code=2)
        assert again["error"]["code"] == "taken"
        _on(folder, url, "show", "u1")


def test_an_office_in_a_file_moves_to_a_server(
    folder: Ketnap, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same backup, another database."""
    made = _found(folder, "sqlite:///old.db", monkeypatch)
    monkeypatch.setenv("KETNAP_MASTER_KEY_FILE", "old.db.key")
    done = _on(folder, postgres_url, "restore", made["file"], "--passphrase-file", "mk.txt")
    assert (done["events"], done["erased_again"]) == (made["events"], ["u2"])
    _same(folder, postgres_url, made)


def test_a_restore_that_fails_leaves_nothing_on_the_server(
    folder: Ketnap, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether while the rows come in, or when they are verified; what else is in the database stays."""
    made = _found(folder, "sqlite:///old.db", monkeypatch)
    with psycopg.connect(_plain(postgres_url)) as raw:
        raw.execute("CREATE TABLE another_program (n int)")
    file = Path(made["file"])
    body = file.read_bytes()
    at = len(body) * 9 // 10
    file.write_bytes(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])
    args = ("restore", made["file"], "--passphrase-file", "mk.txt")
    assert _on(folder, postgres_url, *args, code=1)["error"]["code"] == "damaged"
    assert _left(postgres_url) == ({"another_program"}, set())
    file.write_bytes(body)
    keys = Path(made["keys"])
    first, rest = keys.read_text(encoding="ascii").split("\n", 1)
    whole = keys.read_bytes()
    keys.write_text(first[:65] + "-" * len(first[65:]) + "\n" + rest, encoding="ascii")
    assert _on(folder, postgres_url, *args, "--without-erasures", code=1)["error"]["code"] == "damaged"
    assert _left(postgres_url) == ({"another_program"}, set())
    assert not (folder.folder / "ketnap.key").exists()
    keys.write_bytes(whole)
    assert _on(folder, postgres_url, *args)["events"] == made["events"]


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


def _left(url: str) -> tuple[set[str], set[str]]:
    with psycopg.connect(_plain(url)) as raw:
        tables = raw.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
        functions = raw.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
        ).fetchall()
    return {t for (t,) in tables}, {f for (f,) in functions}
