"""A copy in memory holds everything, and making it writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.core.errors import Conflict
from engine.store.copy import copy_into_memory
from engine.store.open import open_store
from engine.store.ports import Store
from engine.store.rows import DefinitionRow
from tests.contract.samples import event, moment, notice, subject, timer
from tests.contract.test_office import DEFINITION, OFFICER, ORG, ROLE, SUBSTITUTE
from tests.contract.test_transactions import fill, seen


def fill_all(store: Store) -> None:
    """Puts something into every table, more events than one page holds, and definitions in an order of their own."""
    with store.transaction() as unit:
        fill(unit)
        unit.put_orgs([ORG])
        unit.put_officers([OFFICER])
        unit.put_roles([ROLE])
        unit.put_substitutes([SUBSTITUTE])
        unit.put_definitions([definition(name) for name in ("z", "a", "m")])
        unit.append_events([event(i) for i in range(1, 2_500)])


def definition(id_: str) -> DefinitionRow:
    """Returns a definition loaded at the same moment as the others."""
    return replace(DEFINITION, id=id_)


def everything(store: Store) -> list[object]:
    """Returns all that a store shows."""
    with store.transaction(write=False) as unit:
        office = [unit.orgs(), unit.officers(), unit.roles(), unit.substitutes(), unit.definitions()]
        return [*seen(unit), *map(list, office)]


def test_the_copy_shows_what_the_store_shows_and_then_goes_its_own_way(store: Store) -> None:
    """What is written to the copy is not in the store, nor the other way round."""
    fill_all(store)
    before = everything(store)
    copy = copy_into_memory(store)
    assert everything(copy) == before
    copy.check()
    with copy.transaction() as unit:
        unit.put_setting("name", "copy")
        unit.append_events([event(2_500)])
    assert everything(store) == before
    with store.transaction() as unit:
        unit.put_setting("name", "store")
    with copy.transaction(write=False) as unit:
        assert unit.setting("name") == "copy"
        assert unit.head().size == 2_501
    copy.close()


def test_the_copy_keeps_the_promises_too(store: Store) -> None:
    """Unique keys and versions hold in it."""
    fill_all(store)
    copy = copy_into_memory(store)
    with pytest.raises(Conflict), copy.transaction() as unit:
        unit.insert_subjects([subject("s5", unique_key="one")])
    with pytest.raises(Conflict), copy.transaction() as unit:
        unit.update_subjects([subject("s1", version=7)], [6])
    with copy.transaction() as unit:
        assert unit.put_outbox([notice("n7", occurrence="n1"), notice("n8")]) == 1
        unit.put_timers([timer("s9", due_at=moment(0))])
        assert unit.next_due() == moment(0)
    copy.close()


def test_copying_a_file_changes_none_of_its_bytes(tmp_path: Path) -> None:
    """Neither the file nor its write-ahead log, with commits that stand in the log only."""
    store = open_store(f"sqlite:///{tmp_path / 'a.db'}")
    store.create()
    fill_all(store)

    def files() -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in tmp_path.iterdir() if not file.name.endswith("-shm")}

    before = files()
    assert len(before["a.db-wal"]) > 0, "the test means to copy commits that are not in the file yet"
    copy = copy_into_memory(store)
    with copy.transaction() as unit:
        write_everything_else(unit)
    copy.close()
    assert files() == before
    store.close()


def write_everything_else(unit: object) -> None:
    """Writes to the copy as a forecast does."""
    unit.put_setting("name", "copy")  # type: ignore[attr-defined]
    unit.put_timers([timer("s1", done_at=moment(10))])  # type: ignore[attr-defined]
    unit.append_events([event(2_500)])  # type: ignore[attr-defined]


def test_a_copy_is_of_one_moment_while_others_write(shared_url: str) -> None:
    """A transaction that is not committed is not in it, and does not have to be waited for."""
    store, other = open_store(shared_url), open_store(shared_url)
    fill_all(store)
    before = everything(store)
    with store.transaction() as unit:
        unit.put_setting("name", "half")
        copy = copy_into_memory(other)
        assert everything(copy) == before
    copy.close()
    other.close()
    store.close()


@pytest.fixture
def two(store: Store) -> Iterator[tuple[Store, Store]]:
    """A store and its copy."""
    fill_all(store)
    copy = copy_into_memory(store)
    yield store, copy
    copy.close()


def test_a_copy_of_a_copy_is_the_same(two: tuple[Store, Store]) -> None:
    """And both take the same changes in the same way."""
    store, copy = two
    again = copy_into_memory(copy)
    assert everything(again) == everything(store)
    for each in (store, copy, again):
        with each.transaction() as unit:
            unit.update_subjects([subject("s1", version=2, state="given")], [1])
    assert everything(again) == everything(store) == everything(copy)
    again.close()
