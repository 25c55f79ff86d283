"""Comparing the index of rules with the events that it is about, block after block as they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.comparing import Problem
from engine.ledger import judged_in
from engine.store.ports import Transaction
from engine.store.rows import BLOCK, JudgedRow

_NEVER = 1 << 62  # no trail has so many blocks


class Indexed:
    """Takes the events of a trail in their order; keeps what one block of them says."""

    def __init__(self, tx: Transaction) -> None:
        self._tx, self._block = tx, 0
        self._said: set[JudgedRow] = set()

    def take(self, seq: int, body: Mapping[str, Any]) -> Problem | None:
        """Takes in an event. Returns what is wrong with the block before it, when one ended."""
        problem = None
        if seq // BLOCK != self._block:
            problem = self._compare(self._block, self._block + 1)
            self._block, self._said = seq // BLOCK, set()
        self._said.update(judged_in(seq, body))
        return problem

    def end(self) -> Problem | None:
        """Returns what is wrong with the last block, or stands after it."""
        return self._compare(self._block, _NEVER)

    def _compare(self, block: int, end: int) -> Problem | None:
        if set(self._tx.judged(block, end)) == self._said:
            return None
        return Problem(
            event=block * BLOCK,
            kind="projection",
            message="the index of rules over the events from {event} to {last} is not what they say",
            params={"event": block * BLOCK, "last": (block + 1) * BLOCK - 1},
        )
