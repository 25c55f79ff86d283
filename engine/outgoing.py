"""What went out, against the trail: every outcome that the outbox shows was recorded, and every recorded one is shown.

What was written down of notices is read once; about 150 bytes of memory are kept for each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.comparing import Problem
from engine.contacts import REPORT, report_subject
from engine.core import events
from engine.correcting import CORRECTION
from engine.outbox import NOBODY
from engine.outcomes import NOT_SENT
from engine.store.rows import EventRow, OutboxRow, TimerRow
from engine.work import Work

AGAIN = "resolved_again"
# the last recorded outcome (None: none) -> the states in which the notice may stand; any other is its own
_MAY: Mapping[str | None, frozenset[str]] = {
    None: frozenset({"queued", "claimed"}),
    "queued": frozenset({"queued", "claimed"}),
    "unknown": frozenset({"unknown", "queued", "claimed"}),  # the answer came late: to be tried again
    AGAIN: frozenset({"queued", "claimed"}),
    "resolved_sent": frozenset({"accepted"}),
    "resolved_cancel": frozenset({"cancelled"}),
}
_NOBODY = frozenset({"failed", "cancelled"})  # of one that could not be addressed, said nothing or sent again


class Outgoing:
    """Compares the outbox with the outcomes in the trail. One for a verification."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._codes: list[str] = []  # outcomes, by the number under which they are kept
        self._last: dict[int, int] = {}  # notice and recipient -> the last outcome
        self._unsent: set[int] = set()
        self._again: set[int] = set()
        self._rows = 0
        for row in work.tx.events(kind=events.NOTICE):
            self._take(row)

    def _take(self, row: EventRow) -> None:
        for key, state, item in _told(row):
            if state == NOT_SENT:
                self._unsent.add(_hash(*item[:3]))
                continue
            if state == AGAIN:
                self._again.add(_hash(*item[:3]))
            if state not in self._codes:
                self._codes.append(state)
            self._last[key] = self._codes.index(state)

    def unsent(self, timer: TimerRow) -> bool:
        """Tells whether the trail says why a due notice came to nothing."""
        return _hash(timer.name, timer.subject, timer.occurrence) in self._unsent

    def again(self, timer: TimerRow) -> bool:
        """Tells whether somebody had a notice worked out again."""
        return _hash(timer.name, timer.subject, timer.occurrence) in self._again

    def look(self, rows: Sequence[OutboxRow], timers: Sequence[TimerRow]) -> Problem | None:
        """Returns the first thing wrong with what the outbox has of a subject, or None."""
        asked = {(t.name, t.occurrence) for t in timers}
        for row in rows:
            self._rows += 1
            code = self._last.pop(_hash(row.rule, row.subject, row.occurrence, row.recipient, row.channel), None)
            last = None if code is None else self._codes[code]
            told = (row.rule, row.occurrence) in asked or row.rule == REPORT or (row.rule == CORRECTION and last)
            if not told:
                return _problem(
                    "the notice {id} to {recipient} ({rule}) is in the outbox, and nothing called for it", row
                )
            may = _MAY.get(last, frozenset({last}))
            if row.state not in may and not (row.channel == NOBODY and row.state in _NOBODY):
                return _problem(
                    "the notice {id} to {recipient} ({rule}) is {state}, and its last outcome in the trail is {last}",
                    row,
                    last=last or "-",
                )
        return None

    def rest(self) -> Iterator[Problem]:
        """Yields what is wrong beside the subjects: reports about officers, rows of nobody, rows that are missing.

        To be asked last.
        """
        for officer in self._work.tx.officers():
            problem = self.look(self._work.tx.outbox(subject=report_subject(officer.id)), ())
            if problem is not None:
                yield problem
        if sum(self._work.tx.outbox_counts().values()) != self._rows:
            message = "the outbox has notices about somebody who is not there"
            yield Problem(event=None, kind="notice", message=message)
        if self._last:
            yield from self._missing()

    def _missing(self) -> Iterator[Problem]:
        for row in self._work.tx.events(kind=events.NOTICE):
            for key, _, item in _told(row):
                if key in self._last:
                    yield Problem(
                        event=row.seq,
                        kind="notice",
                        message="event {event}: the notice {rule} about {subject} is not in the outbox any more",
                        params={"event": row.seq, "rule": item[0], "subject": item[1]},
                    )
                    return


def _told(row: EventRow) -> Iterator[tuple[int, str, Sequence[str]]]:
    """Yields what an event says of notices: a number for the notice and its recipient, the outcome, the item."""
    body: dict[str, Any] = json.loads(row.body)
    for item in body.get("items", ()):
        rule, subject, occurrence, *more = item
        recipient, channel = more if len(more) == 2 else (body.get("recipient"), body.get("notice_channel"))
        yield _hash(rule, subject, occurrence, recipient, channel), str(body["state"]), item


def _hash(*parts: object) -> int:
    joined = "\n".join(str(p) for p in parts).encode()
    return int.from_bytes(hashlib.blake2b(joined, digest_size=8).digest(), "big")


def _problem(message: str, row: OutboxRow, **more: object) -> Problem:
    params = {"id": row.id, "recipient": row.recipient, "rule": row.rule, "state": row.state, **more}
    return Problem(event=None, kind="notice", message=message, params=params)
