"""What became of notices, in the trail: ids and codes, no words of a notice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.core import events
from engine.core.sending import Came
from engine.core.values import Json
from engine.steps import By
from engine.store.rows import OutboxRow, TimerRow
from engine.work import Work

NOT_SENT = "not_sent"  # of a due notice that nobody was to get; its items have a fourth part: why


def note(work: Work, rows: Sequence[OutboxRow], state: str, came: Came, by: By | None = None) -> None:
    """Writes what became of a message."""
    work.ledger.append(
        events.NOTICE,
        message=rows[0].message,
        recipient=rows[0].recipient,
        notice_channel=rows[0].channel,
        state=state,
        detail=came.detail,
        code=came.code or None,
        items=[[r.rule, r.subject, r.occurrence] for r in rows],
        actor=by.officer if by is not None else None,
    )


def cancelled(work: Work, rows: Iterable[OutboxRow], by: By | None = None) -> None:
    """Writes that notices which waited are not sent after all, one event a recipient, channel and cause."""
    groups: dict[tuple[str, ...], list[OutboxRow]] = {}
    for row in rows:
        groups.setdefault((row.recipient, row.channel, row.detail or "", row.message or ""), []).append(row)
    for group in groups.values():
        note(work, group, "cancelled", Came(state="cancelled", detail=group[0].detail), by)


def not_sent(work: Work, rows: Iterable[tuple[TimerRow, str]]) -> None:
    """Writes that due notices came to nothing, and why: their cause is gone, a later one goes, nobody is to get it."""
    items: list[Json] = [[t.name, t.subject, t.occurrence, why] for t, why in rows]
    if items:
        work.ledger.append(events.NOTICE, state=NOT_SENT, items=items)
