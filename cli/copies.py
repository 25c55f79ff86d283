"""The wiring of backups: the tables of the store that the settings name, out and in, and the master key beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli.bootstrap import key_file, sqlite_file
from cli.settings import Settings
from engine.audit.keys import master_key, master_key_text, parse_master_key, write_master_key
from engine.core.errors import BadInput, NotFound
from engine.store.archive import REVISION, Part, clear, fill, parts
from engine.store.faults import Taken
from engine.store.open import open_store
from engine.store.ports import Store

STORE_REVISION = REVISION


def backup_parts(store: Store) -> Iterator[Part]:
    """Yields every table of a store as of one moment."""
    return parts(store)


def master_text(settings: Settings) -> str:
    """Returns the master key as a text. Raises NotFound, BadInput."""
    return master_key_text(master_key(file=key_file(settings), given=settings.master_key))


def keep_master(settings: Settings, text: str | None) -> Path | None:
    """Writes a backup's master key where none stands, and returns the file. Raises BadInput where another stands."""
    file = key_file(settings)
    if settings.master_key is not None or file.exists():
        if text is not None and master_text(settings) != text:
            raise BadInput(
                "the key in {file} is not that of the backup; name another file (KETNAP_MASTER_KEY_FILE)",
                file=str(file),
            )
        return None
    if text is None:
        raise NotFound("There is no key in {file}.", file=str(file))
    write_master_key(file, parse_master_key(text))
    return file


def fill_store(settings: Settings, revision: str, found: Iterator[Any]) -> None:
    """Makes the database of the settings out of a backup's tables. Raises BadInput."""
    store = open_store(settings.db)
    try:
        fill(store, revision, found)
    except Taken:
        raise
    except BaseException:
        if sqlite_file(settings.db) is None:
            clear(store)
        raise
    finally:
        store.close()


def clear_store(settings: Settings) -> None:
    """Takes what `fill_store` made out of a database on a server again."""
    store = open_store(settings.db)
    try:
        clear(store)
    finally:
        store.close()
