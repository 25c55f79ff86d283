"""A notice rule tried out: its text as it would be written now. Nothing is written and nothing sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.core.errors import NotFound
from engine.core.events import stamp
from engine.core.machine import Definition
from engine.core.sending import Drafter
from engine.core.suggestions import suggest
from engine.core.timers import NOTICE, TOLD
from engine.outbox import CANCELLED, drafts_of, open_text, told_of, why_not
from engine.store.rows import OutboxRow, TimerRow
from engine.work import Case, Work

NO_DATE = "The date it is about is not known yet."


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A notice rule on one subject. `why` is None where it would go out now, else a sentence."""

    notices: Sequence[tuple[OutboxRow, Mapping[str, str]]]
    why: str | None


def preview(work: Work, drafter: Drafter, rule: str, subject: str) -> Preview:
    """Returns what a rule would say of a subject today, to whom, and by which channel. Raises NotFound."""
    case = work.case(subject)
    told = told_of(case, rule)
    if told is None:
        raise _unknown_rule(rule, case.definition)
    view = work.view(case)
    rows = drafts_of(work, drafter, case, told, _timer(work, case, rule, on=bool(told.spec.on)), view)
    why = None if told.spec.on and not told.states else why_not(work, case, told, view)
    undated = told.due is not None and told.due.evaluate(view, work.calendar) is None
    return Preview(
        notices=[(row, open_text(work, row)) for row in rows],
        why=CANCELLED[why] if why is not None else NO_DATE if undated else None,
    )


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
    kind = TOLD if on else NOTICE
    return found or TimerRow(
        subject=case.subject.id, name=rule, occurrence="preview", kind=kind, due_at=now, planned_at=now
    )
