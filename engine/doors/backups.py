"""The door by which backups and restored copies come into the trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import likeness, listing, persons
from engine.core import events
from engine.doors import OpenWork
from engine.ledger import Via
from engine.steps import By
from engine.store.ports import Store


class Backups:
    """Notes that a copy was made, or that this database is one; keeps the erased erased."""

    def __init__(self, open_work: OpenWork, via: Via, store: Store) -> None:
        self._work, self._via, self._store = open_work, via, store

    def made(self, id: str, size: int, root: bytes, by: By | None = None) -> str:
        """Notes a backup: its id, and the trail that it holds. Returns the event."""
        with self._work(write=True) as work:
            actor = by.officer if by is not None else None
            return work.ledger.append(events.BACKED_UP, backup=id, size=size, root=root.hex(), actor=actor)

    def derive(self) -> None:
        """Makes anew what a copy does not hold because it follows from the subjects: how they stand in lists, whom they
        resemble."""
        with self._work(write=True) as work:
            listing.rebuild(work)
            for workflow in work.library.workflows:
                likeness.learn(work, workflow)

    def restored(self, id: str, made_at: str, size: int, root: bytes, missing: int | None) -> str:
        """Notes that this database was restored from a backup, for good: whoever reads the trail sees it.

        `missing`: how many events a checkpoint from outside knows that the copy had not; None without a checkpoint.
        """
        with self._work(write=True) as work:
            return work.ledger.append(
                events.RESTORED, backup=id, made_at=made_at, size=size, root=root.hex(), missing=missing
            )

    def erase_again(self, erased: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Erases those who were erased after the copy was made (person -> what stays of each subject); returns them.

        Nobody's authority is asked: it was, then.
        """
        with self._work(write=True) as work:
            again = [person for person, kept in erased.items() if persons.erase_again(work, person, kept)]
        if again:
            self._store.scrub()
        return again
