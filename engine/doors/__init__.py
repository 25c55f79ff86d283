"""What the one door is made of: a class for each area, reached as an attribute of `Service`.

`Service.__init__` makes each with the way to open a unit of work (`OpenWork`), and what else it needs; a method opens
one unit of work, asks who may (`permits.permit`), and calls the module that knows how. Whoever changes state comes
through `Service`: nothing else makes these classes.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from engine.ledger import Via
from engine.work import Work


class OpenWork(Protocol):
    """Opens a unit of work, for reading unless said otherwise: one transaction, written when the block ends."""

    def __call__(self, *, write: bool = False, via: Via | None = None) -> AbstractContextManager[Work]: ...
