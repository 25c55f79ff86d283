"""What a person says of notices that the program cannot settle alone: sent, to be sent again, not wanted any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from engine.contacts import trust
from engine.core import events
from engine.core.errors import BadInput, NotFound
from engine.core.events import stamp
from engine.core.timers import FIRE
from engine.outbox import NOBODY
from engine.steps import By
from engine.store.rows import OutboxRow
from engine.work import Work

# outcome -> the states of a notice that it may be said of
ALLOWED = {
    "sent": frozenset({"unknown"}),
    "again": frozenset({"unknown", "failed", "refused"}),
    "cancel": frozenset({"queued", "unknown"}),
}
AGAIN = "Somebody had it sent again."
UNWANTED = "Somebody said that it is not wanted any more."


def resolve(work: Work, ids: Iterable[str], outcome: str, by: By, reason: str | None = None) -> int:
    """Says of notices that they were sent, are to be sent again, or are not wanted any more (with a reason).

    Sent and again are said of the whole message that carried a notice. Sending again also trusts the contact again.
    Returns how many notices it changed. Raises BadInput and NotFound.
    """
    if outcome not in ALLOWED:
        raise BadInput("{outcome} is not one of sent, again, cancel", outcome=outcome)
    if outcome == "cancel" and not (reason or "").strip():
        raise BadInput("a notice is cancelled with a reason")
    rows = _rows(work, ids, outcome)
    if outcome == "again":
        changed = _again(work, rows, by)
    elif outcome == "sent":
        now = stamp(work.now)
        changed = [replace(r, state="accepted", next_try_at=None, sent_at=r.sent_at or now, detail=None) for r in rows]
    else:
        changed = [replace(r, state="cancelled", next_try_at=None, detail=UNWANTED) for r in rows]
    work.tx.update_outbox(changed)
    for row in changed:
        work.ledger.append(
            events.NOTICE,
            key_id=row.key_id,
            payload={"reason": reason} if reason else None,
            message=row.message,
            recipient=row.recipient,
            notice_channel=row.channel,
            state=f"resolved_{outcome}",
            items=[[row.rule, row.subject, row.occurrence]],
            actor=by.officer,
            behalf=by.behalf,
        )
    return len(changed)


def _rows(work: Work, ids: Iterable[str], outcome: str) -> list[OutboxRow]:
    wanted = list(dict.fromkeys(ids))
    found = {r.id: r for r in work.tx.outbox(ids=wanted)}
    missing = [id for id in wanted if id not in found]
    if missing:
        raise NotFound("there is no notice {id}", id=", ".join(missing))
    for row in list(found.values()):
        if row.state not in ALLOWED[outcome]:
            raise BadInput(
                "notice {id} is {state}; it cannot be {outcome}", id=row.id, state=row.state, outcome=outcome
            )
        if outcome != "cancel" and row.message is not None:
            found.update((r.id, r) for r in work.tx.outbox(message=row.message, states=[row.state]))
    return list(found.values())


def _again(work: Work, rows: Sequence[OutboxRow], by: By) -> list[OutboxRow]:
    trust(work, ((r.recipient, r.channel) for r in rows), by.officer)
    changed: list[OutboxRow] = []
    for row in rows:
        if row.channel == NOBODY:
            _plan_again(work, row)
            changed.append(replace(row, state="cancelled", detail=AGAIN))
            continue
        at = stamp(work.now if row.urgent else work.calendar.next_sending(work.now))
        new = replace(row, state="queued", next_try_at=at, attempts=0, detail=AGAIN, code=None)
        # What may have arrived keeps its message: a mail program that has it shows the second copy as the same.
        # A message that was refused ends with its number, so that news of it does not fall on the new one.
        changed.append(new if row.state == "unknown" else replace(new, message=None, message_at=None, provider_id=None))
    return changed


def _plan_again(work: Work, row: OutboxRow) -> None:
    """Has a notice that could not be addressed or written worked out again at the next tick."""
    timers = [
        replace(t, done_at=None, outcome=None)
        for t in work.tx.timers([row.subject])
        if (t.name, t.occurrence) == (row.rule, row.occurrence) and t.kind != FIRE
    ]
    if timers:
        work.tx.put_timers(timers)
