"""Notices tried out: a rule's text as it would be written now, and a channel without a notice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.bootstrap import LazyDrafter
from cli.channels import TABLES, ChannelTables
from cli.delivery import Delivery, channel_named, sends, tables_of
from cli.session import Session
from engine.core.errors import BadInput, NotFound
from engine.core.events import stamp
from engine.core.suggestions import suggest
from engine.core.timers import NOTICE
from engine.outbox import CANCELLED, drafts_of, open_text, told_of, why_not
from engine.store.rows import TimerRow
from notifications.channels.port import Message, Outcome
from notifications.segments import Mode, count

if TYPE_CHECKING:
    from engine.core.machine import Definition
    from engine.work import Case, Work

NAMES = (*TABLES, "sms")
NO_DATE = "The date it is about is not known yet."


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A notice rule on one subject. `why` is None where it would go out now, else a sentence."""

    notices: list[dict[str, Any]]
    why: str | None


def preview(session: Session, rule: str, subject: str) -> Preview:
    """Returns what a rule would say of a subject today, to whom, and by which channel. Writes and sends nothing.

    Raises NotFound.
    """
    settings = session.settings
    drafter = LazyDrafter(session.lang, settings.base_url)
    mode = _mode(tables_of(settings), settings.sms)
    with session.service.work() as work:
        case = work.case(subject)
        told = told_of(case, rule)
        if told is None:
            raise _unknown_rule(rule, case.definition)
        view = work.view(case)
        rows = drafts_of(work, drafter, case, told, _timer(work, case, rule, on=bool(told.spec.on)), view)
        notices = [_document(row, open_text(work, row), mode) for row in rows]
        why = None if told.spec.on and not told.states else why_not(work, case, told, view)
        undated = told.due is not None and told.due.evaluate(view, work.calendar) is None
    return Preview(notices=notices, why=CANCELLED[why] if why is not None else NO_DATE if undated else None)


def _mode(tables: ChannelTables, chosen: str | None) -> Mode:
    """Returns how text messages are written here; with diacritics until a channel says otherwise."""
    found = tables.sms(chosen)
    return "ucs2" if found is None else found.mode


def _unknown_rule(rule: str, definition: Definition) -> NotFound:
    near = suggest(rule, [n.rule for n in definition.notices])
    if near is None:
        return NotFound("{rule} is not a notice rule of {workflow}", rule=rule, workflow=definition.workflow)
    return NotFound(
        "{rule} is not a notice rule of {workflow}; did you mean {near}?",
        rule=rule,
        workflow=definition.workflow,
        near=near,
    )


def _timer(work: Work, case: Case, rule: str, *, on: bool) -> TimerRow:
    """Returns the rule's next timer of the subject, or one that is due now."""
    waiting = (t for t in work.tx.timers([case.subject.id]) if t.name == rule and t.done_at is None)
    found = next(waiting, None)
    now = stamp(work.now)
    kind = "told" if on else NOTICE
    return found or TimerRow(
        subject=case.subject.id, name=rule, occurrence="preview", kind=kind, due_at=now, planned_at=now
    )


def _document(row: Any, text: dict[str, str], mode: Mode) -> dict[str, Any]:
    short = text.get("short", "")
    return {
        "rule": row.rule,
        "subject": row.subject,
        "to": row.recipient,
        "on_behalf_of": row.behalf,
        "channel": row.channel,
        "urgent": row.urgent,
        "subject_line": text.get("subject_line", ""),
        "body": short if row.channel == "sms" else text.get("body", ""),
        "short": short,
        "segments": count(short, mode) if short else 0,
        "detail": row.detail,
    }


def try_channel(session: Session, name: str, to: str | None) -> Outcome:
    """Tries a channel: connection, certificate and sign-in; with `to` it really sends one message.

    Raises BadInput for a name that is none, a channel that is not set up, and for sending out of a sandbox.
    """
    if name not in NAMES:
        near = suggest(name, NAMES)
        if near is None:
            raise BadInput("{value} is not one of {known}", value=name, known=", ".join(NAMES))
        raise BadInput("there is no channel {name}; did you mean {near}?", name=name, near=near)
    settings = session.settings
    tables = tables_of(settings)
    if name == "bounces":
        return _try_bounces(session, tables, to)
    if to is not None and name != "maildir" and not sends(settings, sandbox=session.opened.sandbox):
        raise BadInput("this is a sandbox, which sends nothing; the setting sandbox_sends lets it")
    clock = session.service.kit.clock
    channel = channel_named(name, tables, settings, clock)
    if channel is None:
        raise BadInput("channels.{name} is not set up in ketnap.toml", name=name)
    try:
        if to is None:
            return channel.check()
        text = session.say("This message tries the channel {name}. Nothing has to be done.", name=name)
        title = session.say("Trial of the channel {name}", name=name)
        id_ = f"trial-{session.service.kit.random(8).hex()}"
        return channel.send(
            Message(id=id_, to=to, to_name="", subject=title, text=text, html=None, created_at=clock.now())
        )
    finally:
        channel.close()


def _try_bounces(session: Session, tables: ChannelTables, to: str | None) -> Outcome:
    """Reads the mailbox as the worker does: what is read is marked there, so it must not be lost here."""
    from notifications.channels.bounces import BounceBox

    if tables.bounces is None:
        raise BadInput("channels.{name} is not set up in ketnap.toml", name="bounces")
    if to is not None:
        raise BadInput("the mailbox of bounces is read, not sent to; leave out --to")
    opened = session.opened
    if not sends(session.settings, sandbox=opened.sandbox):
        raise BadInput("this is a sandbox; it does not read the office's mailbox")
    delivery = Delivery(opened.service, session.settings, sandbox=opened.sandbox, lang=session.lang)
    try:
        return delivery.bounces(BounceBox(tables.bounces))
    finally:
        delivery.close()
