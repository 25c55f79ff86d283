"""Trying a change in full and writing nothing: what it would do, or why it cannot be, is known before it is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.kit import Kit

if TYPE_CHECKING:
    from engine.doors import OpenWork
    from engine.work import Work


class _Stop(Exception):
    """Leaves the transaction with nothing written."""


@contextmanager
def writing(open_work: OpenWork, kit: Kit, *, rehearse: bool = False) -> Iterator[Work]:
    """Opens a unit of work that writes, or one that does all of it and takes it back."""
    try:
        with open_work(write=True) as work:
            yield work
            if rehearse:
                work.flush()
                raise _Stop
    except _Stop:
        kit.known = kit.office = None  # what was read within the transaction never came to stand
