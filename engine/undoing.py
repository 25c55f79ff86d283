"""Undoing a step: a compensating event, nothing is erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from engine import steps
from engine.core import events
from engine.core.authority import Acting, authorise
from engine.core.commands import Undo
from engine.core.errors import BadInput
from engine.core.events import Entry
from engine.core.views import view_of
from engine.ledger import entries
from engine.steps import Answer, By
from engine.store.rows import EventRow, OutboxRow
from engine.work import Case, Work


def undo(work: Work, command: Undo, by: By) -> Answer:
    """Undoes the subject's last step: its facts and state are what its other events make, nothing is erased.

    What the step opened is closed, its notices not yet sent are cancelled, those sent are listed. Raises BadInput
    without a reason or a step, and Denied.
    """
    case = work.case(command.subject)
    steps.check_version(case, command.version)
    if not (command.reason or "").strip():
        raise BadInput("undo asks for a reason")
    found = list(entries(work.tx.events(subject=case.subject.id), work.keys, work.kit.sealer))
    undone = frozenset(e.undoes for e in found if e.undoes)
    last = events.last_step(found, undone)
    if last is None:
        raise BadInput("{subject} has no step to undo", subject=case.subject.id)
    acting = _may_undo(work, case, last, by)
    event = _undo_one(work, case, last, found, command.reason, acting, by)
    members = [e for e in entries(_batch_rows(work, last), work.keys, work.kit.sealer) if e.subject is not None]
    for member in members:
        other = work.case(member.subject or "")
        theirs = list(entries(work.tx.events(subject=other.subject.id), work.keys, work.kit.sealer))
        if other.last_event != member.id and member.kind == events.MOVED:
            raise BadInput("{subject} has gone on since; undo that first", subject=other.subject.id)
        _undo_one(work, other, member, theirs, command.reason, acting, By(officer=by.officer))
    _close_opened(work, last, acting, by)
    sent = _cancel_notices(work, last)
    now = work.case(case.subject.id).subject
    return Answer(
        subject=now.id,
        workflow=now.workflow,
        trigger="undo",
        source=case.subject.state,
        to=now.state,
        version=now.version,
        event=event,
        sent=sent,
    )


def _batch_rows(work: Work, last: Entry) -> list[EventRow]:
    step = None
    if last.workflow is not None and last.trigger is not None:
        step = work.library.newest(last.workflow).steps.get(last.trigger)
    if step is None or step.batch is None:
        return []
    marker = f'"batch":"{last.id}"'.encode()
    return [row for row in work.tx.events(after=last.seq) if marker in row.body]


def _may_undo(work: Work, case: Case, last: Entry, by: By) -> Acting:
    """The clock's step: whoever may start. A person's: that person within the set time, or an officer above later."""
    area = case.definition.area
    view = view_of(case.definition, case.subject, work.moment())
    if not last.by_person:
        return authorise(
            work.office, by.officer or "", case.definition.start_grants, case.subject.org, facts=view, on=work.today
        )
    soon = work.now - events.unstamp(last.at) <= timedelta(days=area.file.undo.within_days)
    if soon and by.officer is not None and by.officer == last.actor:
        return Acting(officer=by.officer, behalf=last.behalf)
    return authorise(work.office, by.officer or "", area.undo_above, case.subject.org, facts=view, on=work.today)


def _undo_one(
    work: Work, case: Case, last: Entry, found: Sequence[Entry], reason: str | None, acting: Acting, by: By
) -> str:
    standing = events.replay(found, None, case.definition.types, but=last.id)
    assert standing is not None
    event = work.ledger.append(
        events.UNDONE,
        key_id=case.key_id,
        payload=steps.payload({}, reason, asked=by.asked),
        subject=case.subject.id,
        workflow=case.subject.workflow,
        org=standing.org,
        trigger=last.trigger,
        **{"from": case.subject.state},
        to=standing.state,
        on=work.today.isoformat(),
        definition=case.definition.id,
        undoes=last.id,
        **steps.who(acting, by),
    )
    work.stand(case, replace(standing, last_event=event))
    return event


def _close_opened(work: Work, last: Entry, acting: Acting, by: By) -> None:
    if last.subject is None:
        return
    for row in work.tx.find_subjects(refers=last.subject):
        first = next(iter(entries(work.tx.events(subject=row.id), None, work.kit.sealer)))
        if first.detail.get("opened_by") != last.id:
            continue
        other = work.adopt([row])[0]
        if other.last_event != first.id:
            raise BadInput("{subject}, which this step opened, has gone on since; undo that first", subject=row.id)
        event = work.ledger.append(
            events.VOIDED,
            key_id=other.key_id,
            payload=None,
            subject=row.id,
            workflow=row.workflow,
            org=row.org,
            on=work.today.isoformat(),
            undoes=first.id,
            **steps.who(acting, By(officer=by.officer)),
        )
        other.unique_key = None
        work.change(other, event, {}, on=work.today, to=events.VOID)


def _cancel_notices(work: Work, last: Entry) -> list[OutboxRow]:
    """Cancels what the step told and is not sent; returns what was sent since the step, for a correction."""
    assert last.subject is not None
    sent: list[OutboxRow] = []
    cancel: list[OutboxRow] = []
    for row in work.tx.outbox(subject=last.subject):
        if row.state == "queued" and row.occurrence == last.id:
            cancel.append(replace(row, state="cancelled", next_try_at=None, detail="undone"))
        elif row.state in ("accepted", "delivered", "unknown", "claimed") and (row.sent_at or row.due_at) >= last.at:
            sent.append(row)
    if cancel:
        work.tx.update_outbox(cancel)
    told = [t for t in work.tx.timers([last.subject]) if t.occurrence == last.id and t.done_at is None]
    if told:
        work.tx.put_timers([replace(t, done_at=work.ledger.at, outcome="undone") for t in told])
    return sent
