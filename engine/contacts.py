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
# channel -> where an officer's row keeps the address, and the one that was refused
_KEPT = {"email": ("email", "bad_email"), "sms": ("phone", "bad_phone"), "webhook": ("webhook", "bad_webhook")}


def report_subject(officer: str) -> str:
    """Returns what stands as the subject of a report: the officer whom nothing reaches."""
    return f"officer:{officer}"


def mark_bad(work: Work, officer: str, channel: str, code: str | None) -> None:
    """Marks the officer's present address or number as refused: not used again until it is changed or trusted."""
    row = next((o for o in work.tx.officers() if o.id == officer), None)
    if row is None:
        return
    contact, bad = _KEPT[channel]
    marked = replace(row, **{bad: getattr(row, contact)})
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
    for row in work.tx.officers():
        new = row
        for channel, (_, bad) in _KEPT.items():
            if (row.id, channel) in wanted:
                new = replace(new, **{bad: None})  # type: ignore[arg-type]
        if new != row:
            work.tx.put_officers([new])
            work.ledger.append(events.OFFICE, what="good_contact", officer=row.id, org=row.org, actor=actor)
            work.office_changed()


def fall_back(work: Work, rows: Sequence[OutboxRow]) -> int:
    """Queues notices that did not arrive on the officer's next channel that was not tried. Returns how many."""
    usual = work.library.area.file.channels
    queued = 0
    for row in rows:
        officer = work.office.officers.get(row.recipient)
        if officer is None or row.channel not in _KEPT:
            continue
        at = stamp(work.now if row.urgent else work.calendar.next_sending(work.now))
        for other in officer.order(usual):
            if officer.address(other) is not None and work.tx.put_outbox(
                [row.another(work.kit.random(12).hex(), at, channel=other)]
            ):
                queued += 1
                break
    return queued


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
    wanted = [c for c in officer.order(work.library.area.file.channels) if officer.contact(c) is not None]
    return not wanted or any(officer.address(c) is None for c in wanted)
