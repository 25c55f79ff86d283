"""Undoing a step: a compensating event, nothing is erased. What the step opened is closed, and what that opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from engine import steps
from engine.core import events
from engine.core.authority import Acting, authorise
from engine.core.commands import Undo
from engine.core.errors import BadInput
from engine.core.events import Entry
from engine.core.sending import SENT
from engine.core.timers import TOLD
from engine.core.views import view_of
from engine.ledger import entries
from engine.outbox import CANCELLED, told_of, why_not
from engine.outcomes import cancelled
from engine.places import settle
from engine.steps import Answer, By
from engine.store.rows import EventRow, OutboxRow, TimerRow
from engine.work import Case, Work

WENT_OUT = frozenset({*SENT, "unknown", "claimed"})  # on the wire, or perhaps


def undo(work: Work, command: Undo, by: By) -> Answer:
    """Undoes the subject's last step: its facts and state are what its other events make, nothing is erased.

    A batch is undone as one. What the step opened is closed, its notices not yet sent are cancelled, those sent are
    listed. Raises BadInput without a reason or a step, or where what it opened has gone on (unless `deep`), and Denied.
    """
    case = work.case(command.subject)
    steps.check_version(case, command.version)
    if not (command.reason or "").strip():
        raise BadInput("undo asks for a reason")
    found = events_of(work, case)
    last = events.last_step(found, undone_of(found))
    if last is None:
        raise BadInput("{subject} has no step to undo", subject=case.subject.id)
    acting = _may_undo(work, case, last, by)
    back = TakingBack(work=work, reason=command.reason, acting=acting, by=by, deep=command.deep)
    event = back.step(case, last, found)
    back.finish()
    now = work.case(case.subject.id).subject
    return Answer(
        subject=now.id,
        workflow=now.workflow,
        trigger="undo",
        source=case.subject.state,
        to=now.state,
        version=now.version,
        event=event,
        sent=back.sent,
        closed=back.closed,
    )


def events_of(work: Work, case: Case) -> list[Entry]:
    """Returns the events of a subject, oldest first."""
    return list(entries(work.tx.events(subject=case.subject.id), work.keys, work.kit.sealer))


def undone_of(found: Sequence[Entry]) -> frozenset[str]:
    """Returns the ids of the events that were undone."""
    return frozenset(e.undoes for e in found if e.undoes)


def _may_undo(work: Work, case: Case, last: Entry, by: By) -> Acting:
    """The clock's step: whoever may start. A person's: that person within the set time, or an officer above later."""
    area = case.definition.area
    view = view_of(case.definition, case.subject, work.moment())
    if not last.by_person:
        return authorise(
            work.office,
            by.officer or "",
            case.definition.start_grants,
            case.subject.org,
            facts=view,
            on=work.today,
            behalf=by.behalf,
        )
    soon = work.now - events.unstamp(last.at) <= timedelta(days=area.file.undo.within_days)
    if soon and by.officer is not None and by.officer == last.actor:
        return Acting(officer=by.officer, behalf=last.behalf)
    return authorise(
        work.office, by.officer or "", area.undo_above, case.subject.org, facts=view, on=work.today, behalf=by.behalf
    )


@dataclass(kw_only=True)
class TakingBack:
    """One undo: the steps it takes back, the subjects it closes, the notices that had gone out."""

    work: Work
    reason: str | None
    acting: Acting
    by: By  # its command's id belongs to the first event
    deep: bool = False
    sent: list[OutboxRow] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    _cancel: list[OutboxRow] = field(default_factory=list)
    _cancelled: list[TimerRow] = field(default_factory=list)

    def step(self, case: Case, last: Entry, found: Sequence[Entry]) -> str:
        """Takes back a subject's last step with all that came of it; a batch with all its members."""
        work = self.work
        event = self._one(case, last, found)
        for member in entries(_batch_rows(work, last), work.keys, work.kit.sealer):
            if member.subject is None:
                continue
            other = work.case(member.subject)
            theirs = events_of(work, other)
            undone = undone_of(theirs)
            if member.id in undone:
                continue
            latest = events.last_step(theirs, undone)
            if member.kind == events.MOVED and latest is not None and latest.id != member.id:
                raise BadInput("{subject} has gone on since; undo that first", subject=other.subject.id)
            self._one(other, member, theirs)
        return event

    def _one(self, case: Case, last: Entry, found: Sequence[Entry]) -> str:
        work = self.work
        standing = events.replay(found, None, case.definition.types, but=last.id)
        assert standing is not None
        event = work.ledger.append(
            events.UNDONE,
            key_id=case.key_id,
            payload=steps.payload({}, self.reason, asked=self.by.asked),
            subject=case.subject.id,
            workflow=case.subject.workflow,
            org=standing.org,
            trigger=last.trigger,
            **{"from": case.subject.state},
            to=standing.state,
            on=work.today.isoformat(),
            definition=case.definition.id,
            undoes=last.id,
            **steps.who(self.acting, self.by),
        )
        self.by = By(officer=self.by.officer)
        work.stand(case, replace(standing, last_event=event))
        settle(work, work.case(case.subject.id), self.by)
        self._close_opened(last)
        self._notices(work.case(case.subject.id), last)
        return event

    def _close_opened(self, last: Entry) -> None:
        work = self.work
        step = work.case(last.subject or "").definition.steps.get(last.trigger or "")
        if step is None or step.opens is None:
            return
        marker = f'"opened_by":"{last.id}"'.encode()
        begun = [r.subject for r in work.tx.events(after=last.seq, kind=events.STARTED) if marker in r.body]
        for id in begun:
            other = work.case(id or "")
            if other.subject.state != events.VOID:
                self._close(other, events_of(work, other))

    def _close(self, other: Case, found: Sequence[Entry]) -> None:
        """Closes a subject that a step opened, after what its own steps opened."""
        work = self.work
        undone = undone_of(found)
        taken = [e for e in found if e.kind in events.STEPS and e.id not in undone]
        if any(e.by_person and not e.history for e in taken):
            if not self.deep:
                raise BadInput(
                    "{subject}, which this step opened, has gone on since; undo that first", subject=other.subject.id
                )
            view = view_of(other.definition, other.subject, work.moment())
            above = other.definition.area.undo_above
            authorise(work.office, self.by.officer or "", above, other.subject.org, facts=view, on=work.today)
        for step in reversed(taken):
            self._close_opened(step)
        event = work.ledger.append(
            events.VOIDED,
            key_id=other.key_id,
            payload=steps.payload({}, self.reason),
            subject=other.subject.id,
            workflow=other.subject.workflow,
            org=other.subject.org,
            on=work.today.isoformat(),
            undoes=found[0].id,
            **steps.who(self.acting, self.by),
        )
        other.unique_key = None
        work.change(other, event, {}, on=work.today, to=events.VOID)
        self.closed.append(other.subject.id)
        self._notices(work.case(other.subject.id), found[0])

    def _notices(self, case: Case, last: Entry) -> None:
        """Notes what the step told, or what no longer holds: to be cancelled, or sent since."""
        work, id = self.work, case.subject.id
        void = case.subject.state == events.VOID
        for row in work.tx.outbox(subject=id):
            why = "undone" if void or row.occurrence == last.id else holds_no_more(work, case, row)
            if why is None:
                continue
            if row.state == "queued":
                detail = why if why == "undone" else CANCELLED[why]
                self._cancel.append(replace(row, state="cancelled", next_try_at=None, detail=detail))
            elif row.state in WENT_OUT and (row.sent_at or row.due_at) >= last.at:
                self.sent.append(row)
        self._cancelled += [
            replace(t, done_at=work.ledger.at, outcome="undone")
            for t in work.tx.timers([id])
            if t.done_at is None and (t.occurrence == last.id or (void and t.kind == TOLD))
        ]

    def finish(self) -> None:
        """Cancels the notices that wait. Not before it is sure that nothing is refused any more: this is written."""
        if self._cancel:
            self.work.tx.update_outbox(self._cancel)
            cancelled(self.work, self._cancel, self.by)
        if self._cancelled:
            self.work.tx.put_timers(self._cancelled)


def holds_no_more(work: Work, case: Case, row: OutboxRow) -> str | None:
    """Returns why a notice about a date would not be sent as things stand now, None while it would be."""
    told = told_of(case, row.rule)
    if told is None or told.spec.on:
        return None
    return why_not(work, case, told, work.view(case))


def _batch_rows(work: Work, last: Entry) -> list[EventRow]:
    step = None
    if last.workflow is not None and last.trigger is not None:
        step = work.library.newest(last.workflow).steps.get(last.trigger)
    if step is None or step.batch is None:
        return []
    marker = f'"batch":"{last.id}"'.encode()
    return [row for row in work.tx.events(after=last.seq) if marker in row.body]
