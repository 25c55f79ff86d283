"""The door to notices: the outbox of messages with what became of each, and officers' calendar feeds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from engine import correcting, delivering, feeds, outbox, permits, receipts, resolving
from engine.core.errors import Denied, NotFound
from engine.core.sending import Came, Drafter, News, State
from engine.doors import OpenWork
from engine.ledger import Via
from engine.outbox import Claimed
from engine.steps import By
from engine.store.rows import OutboxRow
from engine.work import Work

CLOCK = Via(channel="clock")


class Outbox:
    """The messages that are to go out and those that went."""

    def __init__(self, open_work: OpenWork, drafter: Drafter) -> None:
        self._work, self._drafter = open_work, drafter

    def claim(self, limit: int = 200) -> list[Claimed]:
        """Claims messages that are due. Committed before anything is sent."""
        return self.turn((), limit)

    def record(
        self,
        message: str,
        state: State,
        *,
        provider_id: str | None = None,
        detail: str | None = None,
        retry: bool = False,
    ) -> None:
        """Records what became of a message."""
        self.turn([(message, Came(state=state, provider_id=provider_id, detail=detail, retry=retry))], 0)

    def turn(self, came: Sequence[tuple[str, Came]], limit: int) -> list[Claimed]:
        """Records what became of messages and claims up to `limit` others, in one transaction.

        Once it returned, what it claimed may go over the wire; a crash before the next turn leaves just these unknown.
        """
        with self._work(write=True, via=CLOCK) as work:
            delivering.record(work, self._drafter, came)
            receipts.settle_early(work, self._drafter, came)
            return delivering.claim(work, self._drafter, limit) if limit else []

    def receive(self, news: News) -> bool:
        """Records what is heard of a message after it was handed over; returns whether it was believed."""
        with self._work(write=True, via=CLOCK) as work:
            return receipts.receive(work, self._drafter, news)

    def park_stalled(self, older_than: timedelta, idempotent: Collection[str] = ()) -> int:
        """Marks as unknown what a worker claimed and never answered for; on the channels named it is sent again."""
        with self._work(write=True, via=CLOCK) as work:
            return delivering.park_stalled(work, older_than, idempotent)

    def resolve(self, ids: Iterable[str], outcome: str, by: By, reason: str | None = None) -> int:
        """Says of notices whether they were sent, are to be sent again, or are not wanted (with a reason).

        Raises BadInput and Denied.
        """
        with self._work(write=True) as work:
            ids = list(ids)
            by = permit_notices(work, ids, by)
            return resolving.resolve(work, ids, outcome, by, reason)

    def correct(self, ids: Iterable[str], reason: str | None, by: By) -> list[OutboxRow]:
        """Tells those who got these notices that they do not hold. Raises BadInput, NotFound and Denied."""
        with self._work(write=True) as work:
            ids = list(ids)
            by = permit_notices(work, ids, by)
            return correcting.correct(work, self._drafter, ids, reason, by)

    def rows(
        self, *, states: Iterable[str] | None = None, subject: str | None = None
    ) -> list[tuple[OutboxRow, dict[str, str]]]:
        """Returns the outbox, each row with its text."""
        with self._work() as work:
            rows = work.tx.outbox(states=states, subject=subject)
            work.keys.fetch(r.key_id for r in rows)
            return [(r, outbox.open_text(work, r)) for r in rows]


class Feeds:
    """The calendar feeds of officers, each behind a secret of its own."""

    def __init__(self, open_work: OpenWork) -> None:
        self._work = open_work

    def open(self, officer: str, by: By) -> str:
        """Returns a new secret for an officer's calendar feed; the old one ends. Raises NotFound and Denied."""
        with self._work(write=True) as work:
            return feeds.new_token(work, officer, by)

    def close(self, officer: str, by: By) -> None:
        """Closes an officer's calendar feed. Raises NotFound and Denied."""
        with self._work(write=True) as work:
            feeds.revoke(work, officer, by)


def permit_notices(work: Work, ids: Iterable[str], by: By) -> By:
    """Sees that an officer may settle these notices: over the units of those they went to; returns who does.

    Raises Denied, and NotFound for one that went to somebody else's, as if it were not there.
    """
    acting = permits.permit(work, "notices", by)
    for row in work.tx.outbox(ids=list(ids)):
        recipient = work.office.officers.get(row.recipient)
        try:
            permits.permit(work, "notices", by, recipient.org if recipient is not None else None)
        except Denied:
            raise NotFound("there is no notice {id}", id=row.id) from None
    return acting
