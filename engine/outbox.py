"""Notices on their way: due ones become outbox rows, rows are claimed before the wire, outcomes are recorded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from engine.audit.seal import KeyErased
from engine.core import events
from engine.core.errors import BadInput, KetnapError, NotFound
from engine.core.events import stamp, unstamp
from engine.core.machine import Told
from engine.core.sending import Drafter, Matter, State
from engine.core.timers import FIRE
from engine.core.values import Value
from engine.ledger import entries
from engine.steps import By
from engine.store.rows import OutboxRow, TimerRow
from engine.work import Case, Work

RETRY_MINUTES = (1, 5, 15, 60)  # pauses after a temporary failure; then hourly
GIVE_UP = 60  # attempts


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A message to be sent now: the rows it carries, with their texts opened."""

    message: str
    recipient: str
    channel: str
    urgent: bool
    today: date
    rows: Sequence[OutboxRow]
    texts: Sequence[Mapping[str, str]]  # subject_line, body, group, due, waiting_days, late, urgent


# ---- from timers to the outbox ----


def expand_due(work: Work, drafter: Drafter, limit: int) -> int:
    """Turns due notices into outbox rows, one a recipient and channel; one whose cause is gone is cancelled.

    Of several of one rule and subject that are due together, as after a time without power, only the last is sent.
    Returns how many timers it did.
    """
    due = [t for t in work.tx.due_timers(stamp(work.now), limit) if t.kind != FIRE]
    work.fetch(t.subject for t in due)
    last: dict[tuple[str, str], TimerRow] = {}
    for row in due:
        if row.kind == "notice":
            last[(row.subject, row.name)] = row
    done: list[TimerRow] = []
    drafted: list[OutboxRow] = []
    for row in due:
        if last.get((row.subject, row.name), row) is not row:
            outcome = "superseded"
        else:
            try:
                outcome, rows = _expand(work, drafter, row)
                drafted += rows
            except KetnapError as error:
                outcome = f"failed: {error.text()}"
        done.append(replace(row, done_at=work.ledger.at, outcome=outcome[:200]))
    work.keys.flush()
    if drafted:
        work.tx.put_outbox(drafted)
    if done:
        work.tx.put_timers(done)
    return len(done)


def told_of(case: Case, rule: str) -> Told | None:
    """Returns the notice rule as it is now."""
    return next((n for n in case.definition.notices if n.rule == rule), None)


def _expand(work: Work, drafter: Drafter, row: TimerRow) -> tuple[str, list[OutboxRow]]:
    case = work.case(row.subject)
    told = told_of(case, row.name)
    if told is None:
        return "rule gone", []
    view = work.view(case)
    why = _why_not(work, case, told, view)
    if why is not None:
        return f"cancelled: {why}", []
    matter = _matter(work, case, told, row, view)
    drafts = drafter.drafts(matter, case.definition.area, work.office)
    about = {
        "due": matter.due.isoformat() if matter.due is not None else "",
        "waiting_days": str((matter.today - matter.entered_on).days),
        "late": "true" if matter.planned_on < matter.today else "false",
        "urgent": "true" if told.spec.urgent else "false",
    }
    rows = [
        OutboxRow(
            id=work.kit.random(12).hex(),
            rule=row.name,
            subject=row.subject,
            occurrence=row.occurrence,
            recipient=d.recipient,
            behalf=d.behalf,
            channel=d.channel or "none",
            urgent=told.spec.urgent,
            state="queued" if d.channel else "failed",
            due_at=row.due_at,
            next_try_at=stamp(work.now) if d.channel else None,
            attempts=0,
            message=None,
            sent_at=None,
            provider_id=None,
            detail=None if d.channel else "no_contact",
            key_id=case.key_id,
            sealed=_seal(
                work, case.key_id, {**about, "group": d.group, "subject_line": d.subject_line, "body": d.body}
            ),
        )
        for d in drafts
    ]
    return ("sent" if rows else "nobody to tell"), rows


def _why_not(work: Work, case: Case, told: Told, view: Mapping[str, Value]) -> str | None:
    org = work.office.tree.by_id.get(case.subject.org)
    if org is not None and not org.period.holds(work.today):
        return "unit closed"
    return work.kit.notifier.holds(told, case.subject.state, view, work.calendar, work.today)


def _matter(work: Work, case: Case, told: Told, row: TimerRow, view: Mapping[str, Value]) -> Matter:
    due = told.due.evaluate(dict(view), work.calendar) if told.due is not None else None
    definition = case.definition
    sensitive = {n for n, f in definition.file.facts.items() if f.sensitive}
    return Matter(
        definition=definition,
        templates=work.library.templates(definition.workflow),
        told=told,
        subject=case.subject.id,
        unit=case.subject.org,
        state=case.subject.state,
        entered_on=case.subject.entered_on,
        facts={n: v for n, v in view.items() if n in definition.types and n not in sensitive},
        due=due if isinstance(due, date) else None,
        working_days_left=work.calendar.working_days_between(work.today, due) if isinstance(due, date) else None,
        planned_on=work.calendar.day_of(unstamp(row.due_at)),
        today=work.today,
        reason=_reason(work, row),
    )


def _reason(work: Work, row: TimerRow) -> str | None:
    if row.kind != "told":
        return None
    for entry in entries(work.tx.events(subject=row.subject), work.keys, work.kit.sealer):
        if entry.id == row.occurrence and entry.payload is not None:
            reason = entry.payload.get("reason")
            return reason if isinstance(reason, str) else None
    return None


def _seal(work: Work, key_id: str, text: Mapping[str, str]) -> bytes:
    data = json.dumps(text, ensure_ascii=False, sort_keys=True).encode()
    return work.kit.sealer.seal(work.keys.make(key_id), data, b"notice:" + key_id.encode())


def open_text(work: Work, row: OutboxRow) -> dict[str, str]:
    """Returns the text of a notice; empty once the subject's key is erased."""
    try:
        opened = work.kit.sealer.open(work.keys.get(row.key_id), row.sealed, b"notice:" + row.key_id.encode())
    except KeyErased:
        return {"subject_line": "", "body": ""}
    text = json.loads(opened)
    assert isinstance(text, dict)
    return text


# ---- claiming and recording ----


def claim(work: Work, limit: int) -> list[Claimed]:
    """Claims what is due, grouped into messages: what falls to one officer on one channel now is one, urgent ones
    apart.

    The condition is asked again; what is no longer true is cancelled. A row keeps its message through its attempts.
    """
    rows = work.tx.outbox(states=["queued"], due=stamp(work.now), limit=limit)
    work.fetch(r.subject for r in rows)
    groups: dict[tuple[str, ...], list[OutboxRow]] = {}
    changed: list[OutboxRow] = []
    for row in rows:
        why = _gone(work, row)
        if why is not None:
            changed.append(replace(row, state="cancelled", next_try_at=None, detail=why))
            continue
        key = (row.message,) if row.message else (row.recipient, row.channel, row.id if row.urgent else "")
        groups.setdefault(key, []).append(row)
    claimed: list[Claimed] = []
    for group in groups.values():
        message = group[0].message or work.kit.random(12).hex()
        taken = [replace(r, state="claimed", message=message, attempts=r.attempts + 1) for r in group]
        changed += taken
        claimed.append(
            Claimed(
                message=message,
                recipient=group[0].recipient,
                channel=group[0].channel,
                urgent=group[0].urgent,
                today=work.today,
                rows=taken,
                texts=[{**open_text(work, r), "rule": r.rule, "subject": r.subject} for r in taken],
            )
        )
    if changed:
        work.tx.update_outbox(changed)
    return claimed


def _gone(work: Work, row: OutboxRow) -> str | None:
    try:
        case = work.case(row.subject)
    except NotFound:
        return "subject gone"
    told = told_of(case, row.rule)
    if told is None:
        return "rule gone"
    if told.spec.on and not told.states:
        return None
    return _why_not(work, case, told, work.view(case))


def record(work: Work, message: str, state: State, *, provider_id: str | None, detail: str | None, retry: bool) -> None:
    """Records what became of a message. A temporary failure is queued again after its pause, in office hours."""
    rows = work.tx.outbox(message=message, states=["claimed"])
    if not rows:
        return
    again: str | None = None
    if state == "failed" and retry and rows[0].attempts < GIVE_UP:
        pause = RETRY_MINUTES[min(rows[0].attempts, len(RETRY_MINUTES)) - 1]
        at = work.now + timedelta(minutes=pause)
        again = stamp(at if rows[0].urgent else work.calendar.next_sending(at))
    sent = stamp(work.now) if state in ("accepted", "delivered") else None
    work.tx.update_outbox(
        [
            replace(
                r,
                state="queued" if again else state,
                next_try_at=again,
                sent_at=sent,
                provider_id=provider_id or r.provider_id,
                detail=detail,
            )
            for r in rows
        ]
    )
    if again is None:
        _event(work, rows, state, detail)


def _event(work: Work, rows: Sequence[OutboxRow], state: str, detail: str | None, by: By | None = None) -> None:
    work.ledger.append(
        events.NOTICE,
        message=rows[0].message,
        recipient=rows[0].recipient,
        notice_channel=rows[0].channel,
        state=state,
        detail=detail,
        items=[[r.rule, r.subject, r.occurrence] for r in rows],
        actor=by.officer if by is not None else None,
    )


def park_stalled(work: Work, older_than: timedelta) -> int:
    """Marks as unknown what was claimed so long ago that its worker must have died. Returns how many."""
    before = stamp(work.now - older_than)
    rows = [r for r in work.tx.outbox(states=["claimed"]) if (r.next_try_at or r.due_at) <= before]
    if rows:
        work.tx.update_outbox([replace(r, state="unknown", next_try_at=None, detail="worker died") for r in rows])
        for message in {r.message for r in rows}:
            _event(work, [r for r in rows if r.message == message], "unknown", "worker died")
    return len(rows)


def resolve(work: Work, ids: Iterable[str], outcome: str, by: By) -> int:
    """Says of unknown or failed notices that they were sent, are to be sent again, or are not wanted any more.

    `outcome` is `sent`, `again` or `cancel`. Returns how many rows it changed. Raises BadInput.
    """
    wanted = list(ids)
    rows = work.tx.outbox(ids=wanted)
    missing = set(wanted) - {r.id for r in rows}
    if missing:
        raise NotFound("there is no notice {id}", id=", ".join(sorted(missing)))
    states: dict[str, tuple[State, str | None]] = {
        "sent": ("accepted", None),
        "again": ("queued", stamp(work.calendar.next_sending(work.now))),
        "cancel": ("cancelled", None),
    }
    if outcome not in states:
        raise BadInput("{outcome} is not one of sent, again, cancel", outcome=outcome)
    state, again = states[outcome]
    allowed = {"sent": {"unknown"}, "again": {"unknown", "failed", "refused"}, "cancel": {"queued", "unknown"}}[outcome]
    for row in rows:
        if row.state not in allowed:
            raise BadInput(
                "notice {id} is {state}; it cannot be {outcome}", id=row.id, state=row.state, outcome=outcome
            )
    work.tx.update_outbox(
        [replace(r, state=state, next_try_at=again, message=None if again else r.message) for r in rows]
    )
    for row in rows:
        _event(work, [row], f"resolved_{outcome}", None, by)
    return len(rows)
