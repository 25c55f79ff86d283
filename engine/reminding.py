"""Reminding now: the notice of a rule about a date, sent at once because an officer asks for it, once a day at most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from engine import outbox, scope
from engine.core import events
from engine.core.errors import BadInput, Denied, NotFound
from engine.core.events import stamp, unstamp
from engine.core.sending import Drafter
from engine.core.timers import NOTICE
from engine.core.values import Json
from engine.steps import By
from engine.store.rows import OutboxRow, TimerRow
from engine.taking import steps_of
from engine.work import Case, Work

BY_HAND = "by_hand"  # what the occurrence of such a notice begins with
SENT = "sent"  # the outcome of a timer whose notice was written


@dataclass(frozen=True, kw_only=True)
class Reminded:
    """What came of one reminder: the messages that go out, or why none does."""

    subject: str
    rows: Sequence[OutboxRow] = ()
    why: BadInput | None = None


def remind(work: Work, drafter: Drafter, subjects: Iterable[str], rule: str, by: By) -> list[Reminded]:
    """Sends the notice of a rule about each of these subjects to its recipients of today; the trail says who asked.

    One that is not to be sent now is left out, with why. Raises NotFound for a subject that the officer does not read,
    and Denied where the officer takes no next step there; then nothing is sent.
    """
    ids = list(dict.fromkeys(subjects))
    work.fetch(ids)
    found: list[Reminded] = []
    put: list[OutboxRow] = []
    done: list[TimerRow] = []
    for id in ids:
        case = work.case(id)
        if case.subject.state == events.VOID or not scope.reads(work, case, by):
            raise NotFound("there is no subject {subject}", subject=id)
        if not steps_of(work, case, by):
            raise Denied("{officer} takes no step there, and may not remind", why="role", officer=by.officer or "")
        try:
            timer, rows = _drafted(work, drafter, case, rule)
        except BadInput as error:
            found.append(Reminded(subject=id, why=error))
            continue
        put += rows
        done.append(replace(timer, done_at=work.ledger.at, outcome=SENT))
        found.append(Reminded(subject=id, rows=rows))
    if put:
        work.keys.flush()
        work.tx.put_outbox(put)
        work.tx.put_timers(done)
        told: list[Json] = [[r.rule, r.subject, r.occurrence, r.recipient, r.channel] for r in put]
        work.ledger.append(events.NOTICE, state="queued", items=told, actor=by.officer, behalf=by.behalf)
    return found


def _drafted(work: Work, drafter: Drafter, case: Case, rule: str) -> tuple[TimerRow, list[OutboxRow]]:
    told = outbox.told_of(case, rule)
    if told is None or told.due is None:
        raise BadInput("{rule} is no notice rule about a date", rule=rule)
    view = work.view(case)
    if (why := outbox.why_not(work, case, told, view)) is not None:
        raise BadInput("{subject}: {error}", subject=case.subject.id, error=outbox.CANCELLED[why])
    if last := _told_today(work, case.subject.id, rule):
        raise BadInput("{subject}: was reminded today already, at {at}", subject=case.subject.id, at=last)
    row = TimerRow(
        subject=case.subject.id,
        name=rule,
        occurrence=f"{BY_HAND}:{work.today.isoformat()}",
        kind=NOTICE,
        due_at=stamp(work.now),
        planned_at=work.ledger.at,
    )
    rows = outbox.drafts_of(work, drafter, case, told, row, view)
    if not any(r.state == "queued" for r in rows):
        raise BadInput("{subject}: there is nobody who could be told", subject=case.subject.id)
    return row, rows


def told_at(work: Work, subjects: Sequence[str], rules: Sequence[str]) -> dict[str, list[str]]:
    """Returns when notices of these rules about subjects went out, by subject, the earliest first."""
    found: dict[str, list[str]] = {}
    for row in work.tx.timers(subjects) if subjects and rules else ():
        if row.name in rules and row.done_at is not None and row.outcome == SENT:
            found.setdefault(row.subject, []).append(row.done_at)
    return {subject: sorted(at) for subject, at in found.items()}


def _told_today(work: Work, subject: str, rule: str) -> str | None:
    """Returns the time of day at which a rule's notice about a subject was sent today, or None."""
    moments = [unstamp(at).astimezone(work.calendar.zone) for at in told_at(work, [subject], [rule]).get(subject, ())]
    today = [m for m in moments if work.calendar.day_of(m) == work.today]
    return max(today).strftime("%H:%M") if today else None
