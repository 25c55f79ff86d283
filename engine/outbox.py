"""From timers to the outbox: due notices become rows, one a recipient and channel, with their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from engine.contacts import report
from engine.core.errors import KetnapError
from engine.core.events import VOID, stamp, unstamp
from engine.core.machine import Told
from engine.core.sending import NOT_WRITTEN, Draft, Drafter, Matter
from engine.core.timers import FIRE, NOTICE, TOLD
from engine.core.values import Value
from engine.ledger import entries
from engine.outcomes import not_sent
from engine.store.rows import OutboxRow, TimerRow
from engine.telling import people_of
from engine.texts import open_text, seal
from engine.work import Case, Work

__all__ = ["EXPANDING", "Claimed", "drafts_of", "expand_due", "open_text", "told_of", "why_not"]

EXPANDING = "expanding_since"  # setting: due notices are being written, and not all of them are yet
NOTHING = ("cancelled", "superseded", "nobody")  # how the outcomes begin that left nothing in the outbox
NOBODY = "none"  # the channel of a notice that could not be addressed

# Why a notice is not sent after all: gettext keys.
CANCELLED = {
    "state": "The matter has moved on.",
    "condition": "What the notice was about no longer holds.",
    "not_in_force": "The notice rule is not in force today.",
    "closed": "The unit has been closed.",
    "rule": "The notice rule is no longer there, or the office has turned it off.",
    "subject": "What the notice was about is no longer there.",
    "recipient": "Somebody else is to get the notice now.",
}


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A message to be sent now: the rows it carries, with their texts opened.

    `made_at` is the time of its first attempt, the same at every later one; `to` the address.
    """

    message: str
    recipient: str
    channel: str
    urgent: bool
    today: date
    made_at: datetime
    to: str
    name: str
    rows: Sequence[OutboxRow]
    texts: Sequence[Mapping[str, str]]  # subject_line, body, short, group, due, waiting_days, late, urgent, day


def expand_due(work: Work, drafter: Drafter, limit: int) -> int:
    """Turns due notices into outbox rows; one whose cause is gone is cancelled, one that fails stops no other.

    Of several of one rule and subject that are due together, as after a time without power, only the last is sent.
    Returns how many timers it did.
    """
    due = [t for t in work.tx.due_timers(stamp(work.now), limit) if t.kind != FIRE]
    _mark_progress(work, more=len(due) == limit)
    work.fetch(t.subject for t in due)
    last = _last_due(work, due)
    done: list[TimerRow] = []
    drafted: list[OutboxRow] = []
    for row in due:
        if last.get((row.subject, row.name), row.occurrence) != row.occurrence and row.kind == NOTICE:
            outcome = "superseded"
        else:
            try:
                outcome, rows = _expand(work, drafter, row)
            except KetnapError as error:
                outcome, rows = f"failed: {error.text()}", [_unwritten(work, row, error)]
            drafted += rows
        done.append(replace(row, done_at=work.ledger.at, outcome=outcome[:200]))
    work.keys.flush()
    if drafted:
        _put(work, drafted)
    not_sent(work, ((t, t.outcome) for t in done if t.outcome is not None and t.outcome.startswith(NOTHING)))
    for officer, why in dict.fromkeys((r.recipient, r.detail or "") for r in drafted if r.channel == NOBODY):
        if officer:
            report(work, drafter, officer, why)
    if done:
        work.tx.put_timers(done)
    return len(done)


def _mark_progress(work: Work, *, more: bool) -> None:
    """Lets workers wait until a morning's notices are all written, so that a person gets them as one message."""
    standing = work.tx.setting(EXPANDING) or ""
    if more != bool(standing):
        work.tx.put_setting(EXPANDING, stamp(work.now) if more else "")


def _last_due(work: Work, due: Sequence[TimerRow]) -> dict[tuple[str, str], str]:
    """Returns the last occurrence of each rule and subject to go out at the next sending time, in this batch or not."""
    subjects = list(dict.fromkeys(t.subject for t in due if t.kind == NOTICE))
    now = stamp(work.calendar.next_sending(work.now))
    last: dict[tuple[str, str], str] = {}
    for row in work.tx.timers(subjects) if subjects else ():  # by due time
        if row.kind == NOTICE and row.done_at is None and row.due_at <= now:
            last[(row.subject, row.name)] = row.occurrence
    return last


def told_of(case: Case, rule: str) -> Told | None:
    """Returns the notice rule as it is now."""
    return next((n for n in case.definition.notices if n.rule == rule), None)


def _expand(work: Work, drafter: Drafter, row: TimerRow) -> tuple[str, list[OutboxRow]]:
    case = work.case(row.subject)
    told = told_of(case, row.name)
    if told is None:
        return "cancelled: rule", []
    view = work.view(case)
    why = why_not(work, case, told, view)
    if why is not None:
        return f"cancelled: {why}", []
    rows = drafts_of(work, drafter, case, told, row, view)
    return ("sent" if rows else "nobody to tell"), rows


def drafts_of(
    work: Work, drafter: Drafter, case: Case, told: Told, row: TimerRow, view: Mapping[str, Value]
) -> list[OutboxRow]:
    """Returns the outbox rows of a notice as it would be written now."""
    matter = _matter(work, case, told, row, view)
    about = {
        "due": matter.due.isoformat() if matter.due is not None else "",
        "waiting_days": str((matter.today - matter.entered_on).days),
        "late": "true" if matter.planned_on < matter.today else "false",
        "urgent": "true" if told.spec.urgent else "false",
        "day": matter.today.isoformat(),
    }
    again = work.now if told.spec.urgent else work.calendar.next_sending(work.now)
    return [
        _row(work, case.key_id, row, d, about, again=stamp(again), urgent=told.spec.urgent)
        for d in drafter.drafts(matter, case.definition.area, work.office)
    ]


def _row(
    work: Work, key_id: str, timer: TimerRow, draft: Draft, about: Mapping[str, str], *, again: str, urgent: bool
) -> OutboxRow:
    text = {"group": draft.group, "subject_line": draft.subject_line, "body": draft.body, "short": draft.short}
    return OutboxRow(
        id=work.kit.random(12).hex(),
        rule=timer.name,
        subject=timer.subject,
        occurrence=timer.occurrence,
        recipient=draft.recipient,
        behalf=draft.behalf,
        channel=draft.channel or NOBODY,
        urgent=urgent,
        state="queued" if draft.channel else "failed",
        due_at=timer.due_at,
        next_try_at=again if draft.channel else None,
        attempts=0,
        message=None,
        sent_at=None,
        provider_id=None,
        detail=None if draft.channel else draft.why,
        key_id=key_id,
        sealed=seal(work, key_id, {**about, **text}),
    )


def _unwritten(work: Work, timer: TimerRow, error: KetnapError) -> OutboxRow:
    """Returns what stands in the outbox for a notice that could not be written: somebody has to see it."""
    key_id = work.case(timer.subject).key_id
    draft = Draft(
        recipient="",
        behalf=None,
        channel=None,
        subject_line=timer.name,
        body=error.text(),
        short="",
        group="",
        why=NOT_WRITTEN,
    )
    return _row(work, key_id, timer, draft, {"day": work.today.isoformat()}, again="", urgent=False)


def _put(work: Work, rows: Sequence[OutboxRow]) -> None:
    """Puts rows; where one that could not be addressed stands from an earlier attempt it is a failure once more."""
    work.tx.put_outbox(rows)
    for subject in {r.subject for r in rows if r.channel == NOBODY}:
        lost = {(r.rule, r.occurrence, r.recipient) for r in rows if r.subject == subject and r.channel == NOBODY}
        again = [
            replace(r, state="failed")
            for r in work.tx.outbox(subject=subject, states=["cancelled"])
            if r.channel == NOBODY and (r.rule, r.occurrence, r.recipient) in lost
        ]
        if again:
            work.tx.update_outbox(again)


def why_not(work: Work, case: Case, told: Told, view: Mapping[str, Value]) -> str | None:
    """Returns None while a notice is to be sent, else a key of CANCELLED."""
    if case.subject.state == VOID:
        return "subject"
    org = work.office.tree.by_id.get(case.subject.org)
    if org is not None and not org.period.holds(work.today):
        return "closed"
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
        planned_on=_planned_on(work, case, row, view),
        today=work.today,
        reason=_reason(work, row),
        people=people_of(work, case, told, view, row.occurrence if row.kind == TOLD else None),
    )


def _planned_on(work: Work, case: Case, row: TimerRow, view: Mapping[str, Value]) -> date:
    """Returns the day on which the notice ought to go out, were the program always at work.

    A notice planned after its day, about something that began before that day, ought to have gone out then.
    """
    kept = work.calendar.day_of(unstamp(row.due_at))
    if row.kind != NOTICE:
        return kept
    for planned in work.kit.notifier.plan(case.definition, case.subject.state, view, work.calendar):
        if (planned.name, planned.occurrence) == (row.name, row.occurrence):
            day = work.calendar.day_of(planned.due_at)
            return day if case.subject.started_on <= day < kept else kept
    return kept


def _reason(work: Work, row: TimerRow) -> str | None:
    if row.kind != "told":
        return None
    for entry in entries(work.tx.events(subject=row.subject), work.keys, work.kit.sealer):
        if entry.id == row.occurrence and entry.payload is not None:
            reason = entry.payload.get("reason")
            return reason if isinstance(reason, str) else None
    return None
