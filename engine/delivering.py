"""The outbox at work: rows are claimed before the wire as messages, and what came of them is recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from engine.contacts import REPORT, fall_back, mark_bad, report, still_unreached
from engine.core.authority import Officer
from engine.core.errors import KetnapError, NotFound
from engine.core.events import stamp, unstamp
from engine.core.sending import (
    BAD_CONTACT,
    HAS_LEFT,
    NO_CONTACT,
    NOT_DELIVERED,
    SENT,
    WORKER_DIED,
    Came,
    Drafter,
    News,
)
from engine.correcting import CORRECTION
from engine.lanes import Lanes, pause
from engine.outbox import CANCELLED, EXPANDING, Claimed, drafts_of, told_of, why_not
from engine.outcomes import cancelled, note
from engine.store.rows import OutboxRow, TimerRow
from engine.texts import open_text
from engine.trail import mailed
from engine.work import Work

GIVE_UP = 60  # attempts
PASSES = 50  # looks at the outbox in one claim, past which the rest waits for the next
WRITING = timedelta(minutes=10)  # a mark that notices are being written older than this was left by a crash


def digest_of(message: str, address: str) -> str:
    """Returns what tells, without naming it, that a message went to an address."""
    return hashlib.sha256(f"{message}\n{address.lower()}".encode()).hexdigest()[:32]


def claim(work: Work, drafter: Drafter, limit: int) -> list[Claimed]:
    """Claims up to `limit` messages: what falls to one officer on one channel now is one, urgent ones apart.

    The condition is asked again; what is no longer true is cancelled. What waits for office hours or for a gateway is
    put off. A row keeps its message through its attempts.
    """
    work.ledger.lock()
    since = work.tx.setting(EXPANDING)
    if since and work.now - unstamp(since) < WRITING:
        return []
    taking = _Taking(work, drafter)
    for _ in range(PASSES):
        groups = _groups(work, limit - len(taking.claimed)) if len(taking.claimed) < limit else []
        if not groups:
            break
        for group in groups:
            taking.take(group)
        taking.write()
    return taking.claimed


def _groups(work: Work, limit: int) -> list[list[OutboxRow]]:
    """Returns due rows by message, of at most `limit` messages, each whole."""
    now = stamp(work.now)
    recipients = list(dict.fromkeys(r.recipient for r in work.tx.outbox_due(now, 4 * limit)))[:limit]
    # One by one: among a list of recipients SQLite would walk through all that is queued.
    rows = [r for one in recipients for r in work.tx.outbox(states=["queued"], due=now, recipients=[one])]
    groups: dict[tuple[str, ...], list[OutboxRow]] = {}
    for row in rows:
        key = (row.message,) if row.message else (row.recipient, row.channel, row.id if row.urgent else "")
        groups.setdefault(key, []).append(row)
    return list(groups.values())[:limit]


class _Taking:
    """One claim: decides of each group whether it goes now."""

    def __init__(self, work: Work, drafter: Drafter) -> None:
        self.work, self.drafter = work, drafter
        self.lanes = Lanes(work.tx, work.now)
        self.claimed: list[Claimed] = []
        self._changed: list[OutboxRow] = []
        self._lost: list[tuple[OutboxRow, str]] = []
        self._gone: list[OutboxRow] = []

    def take(self, group: list[OutboxRow]) -> None:
        """Claims, puts off or cancels the rows of one message."""
        work, head = self.work, group[0]
        opens = work.now if head.urgent else work.calendar.next_sending(work.now)
        if opens > work.now:
            self._put_off(group, stamp(opens))
            return
        work.fetch(r.subject for r in group if r.rule != REPORT)
        group = [r for r in (self._asked(r) for r in group) if r is not None]
        if not group:
            return
        officer = work.office.officers.get(head.recipient)
        address = officer.address(head.channel) if officer is not None else None
        if officer is None or not officer.present(work.today) or address is None:
            why = NO_CONTACT if officer is not None and officer.present(work.today) else HAS_LEFT
            self._lost += [(r, why) for r in group]
            return
        until = self.lanes.held(head.channel, address)
        if until is not None:
            self._put_off(group, stamp(until if head.urgent else work.calendar.next_sending(until)))
            return
        self._claim(group, officer, address)

    def write(self) -> None:
        """Writes what was decided; those that cannot be sent go another way."""
        work = self.work
        if self._changed or self._gone:
            work.tx.update_outbox([*self._changed, *self._gone])
            cancelled(work, self._gone)
        for why in dict.fromkeys(why for _, why in self._lost):
            rows = [r for r, w in self._lost if w == why]
            _end(work, self.drafter, rows, Came(state="failed", detail=why), why)
        self._changed, self._lost, self._gone = [], [], []

    def _put_off(self, group: Iterable[OutboxRow], until: str) -> None:
        self._changed += [replace(r, next_try_at=until) for r in group]

    def _asked(self, row: OutboxRow) -> OutboxRow | None:
        """Returns the row when its notice is still to be sent, with today's words."""
        why = _gone(self.work, row)
        if why is not None:
            self._gone.append(replace(row, state="cancelled", next_try_at=None, detail=CANCELLED[why]))
            return None
        text = open_text(self.work, row)
        if row.rule == REPORT or text.get("day", "") == self.work.today.isoformat() or not text["body"]:
            return row
        return self._anew(row)

    def _anew(self, row: OutboxRow) -> OutboxRow | None:
        """Writes a notice of an earlier day anew: how long is left, that it is late, and who is to get it now."""
        work = self.work
        case = work.case(row.subject)
        told = told_of(case, row.rule)
        if told is None:
            return row
        kind = "told" if told.spec.on else "notice"
        timer = TimerRow(
            subject=row.subject,
            name=row.rule,
            occurrence=row.occurrence,
            kind=kind,
            due_at=row.due_at,
            planned_at=row.due_at,
        )
        try:
            drafted = drafts_of(work, self.drafter, case, told, timer, work.view(case))
        except KetnapError:
            return row  # the words of yesterday are better than none
        for new in drafted:
            if new.recipient == row.recipient:
                return replace(row, sealed=new.sealed, behalf=new.behalf)
        self._gone.append(replace(row, state="cancelled", next_try_at=None, detail=CANCELLED["recipient"]))
        work.keys.flush()
        work.tx.put_outbox(drafted)
        return None

    def _claim(self, group: list[OutboxRow], officer: Officer, address: str) -> None:
        work, head = self.work, group[0]
        message = head.message or work.kit.random(12).hex()
        now = stamp(work.now)
        made_at = head.message_at or now
        taken = [
            replace(
                r,
                state="claimed",
                message=message,
                attempts=r.attempts + 1,
                message_at=made_at,
                claimed_at=now,
                sent_to=digest_of(message, address),
            )
            for r in group
        ]
        self._changed += taken
        self.claimed.append(
            Claimed(
                message=message,
                recipient=head.recipient,
                channel=head.channel,
                urgent=head.urgent,
                today=work.today,
                made_at=unstamp(made_at),
                to=address,
                name=officer.name,
                rows=taken,
                texts=[{**open_text(work, r), "rule": r.rule, "subject": r.subject} for r in taken],
            )
        )


def _gone(work: Work, row: OutboxRow) -> str | None:
    if row.rule == CORRECTION:
        return None
    if row.rule == REPORT:
        return None if still_unreached(work, row) else "condition"
    try:
        case = work.case(row.subject)
    except NotFound:
        return "subject"
    told = told_of(case, row.rule)
    if told is None:
        return "rule"
    if told.spec.on and not told.states:
        return None
    return why_not(work, case, told, work.view(case))


# ---- outcomes ----


def record(work: Work, drafter: Drafter, came: Sequence[tuple[str, Came]]) -> None:
    """Records what came of messages. What may succeed later is queued again after a pause, in office hours.

    A message that was given up as lost meanwhile is settled by its answer; one that a receipt has settled stays so.
    """
    if not came:
        return
    work.ledger.lock()
    lanes = Lanes(work.tx, work.now)
    for message, one in came:
        rows = [
            r
            for r in work.tx.outbox(message=message, states=["claimed", "unknown"])
            if r.state == "claimed" or r.detail == WORKER_DIED
        ]
        if rows:
            _settle(work, drafter, lanes, rows, one)
    lanes.flush()


def _settle(work: Work, drafter: Drafter, lanes: Lanes, rows: Sequence[OutboxRow], came: Came) -> None:
    head = rows[0]
    officer = work.office.officers.get(head.recipient)
    address = (officer.address(head.channel) if officer is not None else None) or ""
    if came.untried:
        pass
    elif came.state in (*SENT, "refused"):
        lanes.passed(head.channel, address)
    else:
        lanes.failed(head.channel, address, head.recipient, came)
    free = came.untried or came.setup or came.gateway  # not the message's own fault
    if came.retry and (free or head.attempts < GIVE_UP):
        at = work.now if free else work.now + pause(head.attempts, came.retry_after_s)
        at = max(at, lanes.held(head.channel, address) or at)
        again = stamp(at if head.urgent else work.calendar.next_sending(at))
        attempts = head.attempts - 1 if free else head.attempts
        work.tx.update_outbox(
            [
                replace(r, state="queued", next_try_at=again, attempts=attempts, detail=came.detail, code=came.code)
                for r in rows
            ]
        )
    elif came.state in ("failed", "refused"):
        why = BAD_CONTACT if came.bad_contact else NOT_DELIVERED
        _end(work, drafter, rows, came, why)
    else:
        _finish(work, rows, came)


def _finish(work: Work, rows: Sequence[OutboxRow], came: Came) -> None:
    sent = stamp(work.now) if came.state in SENT else None
    work.tx.update_outbox(
        [
            replace(
                r,
                state=came.state,
                next_try_at=None,
                sent_at=r.sent_at or sent,
                provider_id=came.provider_id or r.provider_id,
                detail=came.detail,
                code=came.code,
            )
            for r in rows
        ]
    )
    note(work, rows, came.state, came)
    if sent is not None:
        mailed(work, rows)


def _end(work: Work, drafter: Drafter, rows: Sequence[OutboxRow], came: Came, why: str) -> None:
    """Ends what did not arrive: the contact is marked where it is to blame, the other channel tried, others told."""
    _finish(work, rows, came)
    head = rows[0]
    if came.bad_contact:
        mark_bad(work, head.recipient, head.channel, came.code)
    fall_back(work, rows)
    for officer in dict.fromkeys(r.recipient for r in rows if r.rule != REPORT):
        report(work, drafter, officer, why)


def settle_news(work: Work, drafter: Drafter, rows: Sequence[OutboxRow], news: News) -> None:
    """Records what was heard of a message later on.

    What was put off in the end is sent again: under a new number where the other side goes by ours, so that the same
    news coming twice does not fall on the second message.
    """
    came = news.came
    if came.state == "failed" and came.retry and rows[0].attempts < GIVE_UP:
        at = work.now + pause(rows[0].attempts, came.retry_after_s)
        again = stamp(at if rows[0].urgent else work.calendar.next_sending(at))
        queued = [
            replace(r, state="queued", next_try_at=again, sent_at=None, detail=came.detail, code=came.code)
            for r in rows
        ]
        if news.message is not None:
            queued = [replace(r, message=None, message_at=None, provider_id=None) for r in queued]
        work.tx.update_outbox(queued)
        note(work, rows, "queued", came)
    elif came.state in ("failed", "refused"):
        _end(work, drafter, rows, came, BAD_CONTACT if came.bad_contact else NOT_DELIVERED)
    else:
        _finish(work, rows, came)


def park_stalled(work: Work, older_than: timedelta, idempotent: Collection[str] = ()) -> int:
    """Takes up what was claimed so long ago that its worker must have died. Returns how many rows.

    It is unknown whether it was sent, so a person decides; on the channels that are `idempotent` it is sent again.
    """
    before = stamp(work.now - older_than)
    stalled = [r for r in work.tx.outbox(states=["claimed"]) if (r.claimed_at or r.due_at) <= before]
    messages: dict[str, list[OutboxRow]] = {}
    for row in stalled:
        messages.setdefault(row.message or row.id, []).append(row)
    for rows in messages.values():
        if rows[0].channel in idempotent:
            now = stamp(work.now)
            work.tx.update_outbox([replace(r, state="queued", next_try_at=now, detail=WORKER_DIED) for r in rows])
        else:
            _finish(work, rows, Came(state="unknown", detail=WORKER_DIED))
    return len(stalled)
