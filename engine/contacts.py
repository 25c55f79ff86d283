"""Officers who cannot be reached: contacts that were refused, the other channel, and who is told of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from engine.core import events
from engine.core.events import stamp
from engine.core.sending import BAD_CONTACT, NO_CONTACT, Drafter, Unreached
from engine.store.rows import OutboxRow
from engine.texts import seal
from engine.work import Work

REPORT = "unreached"  # the rule of notices that say that others did not arrive; no workflow file may declare it
CHANNELS = ("email", "sms")  # in the order in which a person is tried


def report_subject(officer: str) -> str:
    """Returns what stands as the subject of a report: the officer whom nothing reaches."""
    return f"officer:{officer}"


def mark_bad(work: Work, officer: str, channel: str, code: str | None) -> None:
    """Marks the officer's present address or number as refused: not used again until it is changed or trusted."""
    row = next((o for o in work.tx.officers() if o.id == officer), None)
    if row is None:
        return
    marked = replace(row, bad_phone=row.phone) if channel == "sms" else replace(row, bad_email=row.email)
    if marked == row:
        return
    work.tx.put_officers([marked])
    work.ledger.append(
        events.OFFICE, what="bad_contact", officer=officer, org=row.org, contact=channel, code=code or None
    )
    work.office_changed()


def trust(work: Work, officers: Iterable[tuple[str, str]], actor: str | None) -> None:
    """Takes back that a contact is bad: somebody says it is right now. `officers` are pairs of officer and channel."""
    wanted = set(officers)
    marked = [o for o in work.tx.officers() if (o.bad_email, o.bad_phone) != (None, None)]
    for row in marked:
        new = replace(row, bad_email=None) if (row.id, "email") in wanted else row
        new = replace(new, bad_phone=None) if (row.id, "sms") in wanted else new
        if new != row:
            work.tx.put_officers([new])
            work.ledger.append(events.OFFICE, what="good_contact", officer=row.id, org=row.org, actor=actor)
            work.office_changed()


def fall_back(work: Work, rows: Sequence[OutboxRow]) -> int:
    """Queues notices that did not arrive on the officer's other channel. Returns how many."""
    queued: list[OutboxRow] = []
    for row in rows:
        officer = work.office.officers.get(row.recipient)
        other = next((c for c in CHANNELS if c != row.channel), None)
        if officer is None or row.channel not in CHANNELS or other is None or officer.address(other) is None:
            continue
        at = work.now if row.urgent else work.calendar.next_sending(work.now)
        queued.append(
            replace(
                row,
                id=work.kit.random(12).hex(),
                channel=other,
                state="queued",
                next_try_at=stamp(at),
                attempts=0,
                message=None,
                message_at=None,
                claimed_at=None,
                sent_to=None,
                sent_at=None,
                provider_id=None,
                detail=None,
                code=None,
            )
        )
    return work.tx.put_outbox(queued) if queued else 0


def report(work: Work, drafter: Drafter, officer: str, why: str) -> None:
    """Tells the head of the officer's unit and the administrator, once a day for one cause.

    That a report does not arrive is not reported again: it stands in the outbox.
    """
    drafts = drafter.report(Unreached(officer=officer, why=why, today=work.today), work.library.area, work.office)
    subject = report_subject(officer)
    at = stamp(work.calendar.next_sending(work.now))
    rows = [
        OutboxRow(
            id=work.kit.random(12).hex(),
            rule=REPORT,
            subject=subject,
            occurrence=f"{work.today.isoformat()}/{why}",
            recipient=d.recipient,
            behalf=d.behalf,
            channel=d.channel,
            urgent=False,
            state="queued",
            due_at=at,
            next_try_at=at,
            attempts=0,
            message=None,
            sent_at=None,
            provider_id=None,
            detail=None,
            key_id=subject,
            sealed=seal(work, subject, {"group": d.group, "subject_line": d.subject_line, "body": d.body,
                                        "short": d.short, "day": work.today.isoformat()}),
        )
        for d in drafts
        if d.channel is not None
    ]  # fmt: skip
    work.keys.flush()
    if rows:
        work.tx.put_outbox(rows)


def still_unreached(work: Work, row: OutboxRow) -> bool:
    """Tells whether what a report says is still so."""
    officer = work.office.officers.get(row.subject.removeprefix("officer:"))
    if officer is None or row.occurrence.partition("/")[2] not in (NO_CONTACT, BAD_CONTACT):
        return True
    wanted = [c for c in CHANNELS if (officer.phone if c == "sms" else officer.email) is not None]
    return not wanted or any(officer.address(c) is None for c in wanted)
