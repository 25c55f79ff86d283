"""Telling those who were told: what a notice said was a mistake, and why."""

from __future__ import annotations

from collections.abc import Iterable

from engine.core import events
from engine.core.errors import BadInput, NotFound
from engine.core.events import stamp, unstamp
from engine.core.sending import Drafter
from engine.core.values import Json
from engine.steps import By
from engine.store.rows import OutboxRow
from engine.texts import open_text, seal
from engine.undoing import WENT_OUT
from engine.work import Work

CORRECTION = "correction"  # the rule of notices that take another back; no workflow file may declare it


def correct(work: Work, drafter: Drafter, ids: Iterable[str], reason: str | None, by: By) -> list[OutboxRow]:
    """Queues a correction of notices that went out, each once, to whoever got it. Returns what was queued.

    Raises NotFound, and BadInput without a reason or for a notice that never went out.
    """
    ids = list(dict.fromkeys(ids))
    if not (reason or "").strip():
        raise BadInput("a correction asks for a reason")
    rows = {r.id: r for r in work.tx.outbox(ids=ids)}
    for id in ids:
        if id not in rows:
            raise NotFound("there is no notice {notice}", notice=id)
        if rows[id].state not in WENT_OUT or rows[id].rule == CORRECTION:
            raise BadInput("the notice {notice} did not go out, there is nothing to correct", notice=id)
    return queue(work, drafter, rows.values(), reason or "", by)


def queue(work: Work, drafter: Drafter, rows: Iterable[OutboxRow], reason: str, by: By) -> list[OutboxRow]:
    """Queues a correction of each of these notices."""
    at = stamp(work.calendar.next_sending(work.now))
    queued = []
    for row in rows:
        sent = work.calendar.day_of(unstamp(row.sent_at or row.due_at))
        draft = drafter.correction(open_text(work, row), sent, reason.strip())
        text = {"group": draft.group, "subject_line": draft.subject_line, "body": draft.body, "short": draft.short}
        queued.append(
            row.another(
                work.kit.random(12).hex(),
                at,
                rule=CORRECTION,
                occurrence=row.id,
                urgent=False,
                due_at=at,
                sealed=seal(work, row.key_id, {**text, "day": work.today.isoformat()}),
            )
        )
    work.keys.flush()
    if queued:
        work.tx.put_outbox(queued)
        told: list[Json] = [[r.rule, r.subject, r.occurrence, r.recipient, r.channel] for r in queued]
        work.ledger.append(events.NOTICE, state="queued", items=told, actor=by.officer, behalf=by.behalf)
    return queued
