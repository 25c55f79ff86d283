"""What every store says when a promise of `ports` cannot be kept, in one place so that all three say the same."""

from __future__ import annotations

from engine.core.errors import BadInput, Conflict, DiskFull, KetnapError

WAIT_S = 30.0  # how long a write transaction waits for the others


def busy(wait_s: float) -> Conflict:
    """Others have been writing for longer than `wait_s`."""
    return Conflict("Someone else has been writing for more than {seconds} seconds. Try again.", seconds=f"{wait_s:g}")


def stands_already(table: str) -> Conflict:
    """A row with the same unique key is in `table`."""
    return Conflict("There is already such a row in {table}; nothing was changed.", table=table)


def changed_meanwhile(subject: str) -> Conflict:
    """The stored version of `subject` is not the one that the change was made from."""
    return Conflict("{subject} has been changed by someone else meanwhile; nothing was changed.", subject=subject)


def trail_moved(size: int, seq: int) -> Conflict:
    """The event `seq` does not follow the last of `size` events."""
    return Conflict("The trail has {size} events, so entry {seq} cannot be the next.", size=size, seq=seq)


def lost() -> Conflict:
    """Something in this transaction failed and was caught, so the rest is not to be kept either."""
    return Conflict("This transaction met a conflict; nothing was changed.")


def unwritable(place: str, detail: object) -> KetnapError:
    """The database refuses: a full disk, a file that may not be written, a server that went away."""
    return KetnapError("The database {place} does not work: {detail}", place=place, detail=str(detail).strip())


def full(place: str) -> DiskFull:
    """There is no room for what was to be written; nothing of it was."""
    return DiskFull(place=place)


class NoTables(BadInput):
    """There is no database of this program at {place}. Make it; run: ketnap init"""

    def __init__(self, place: str) -> None:
        super().__init__(NoTables.__doc__ or "", place=place)


class Taken(BadInput):
    """{place} holds a database already; a backup is restored to a new one"""

    def __init__(self, place: str) -> None:
        super().__init__(Taken.__doc__ or "", place=place)


class Misuse(RuntimeError):
    """The program uses a store against its rules: a fault to mend in the program, never an officer's."""
