"""Where a subject lives when units come and go: what a merged unit had goes to the one that follows."""

from __future__ import annotations

from datetime import date

from engine.core import events
from engine.core.errors import BadInput
from engine.steps import By
from engine.work import Case, Work


def settle(work: Work, case: Case, by: By) -> None:
    """Takes a subject to the unit that follows its own, where that was merged meanwhile."""
    to = work.office.tree.successor(case.subject.org, work.today)
    if to != case.subject.org and moves_along(case):
        take_over(work, case, to, work.today, by)


def moves_along(case: Case) -> bool:
    """Tells whether a subject goes along when its unit is merged: what still runs, and is not of the unit itself.

    What stands once for a unit and a period (a plan, a sitting) stays with the unit it is about; whoever follows that
    unit reaches it there.
    """
    definition, subject = case.definition, case.subject
    return not (subject.state in definition.final or subject.state == events.VOID or definition.file.unique)


def take_over(work: Work, case: Case, to: str, on: date, by: By, decision: str | None = None) -> None:
    """Writes that a subject goes over to another unit. Raises BadInput where its workflow has no place there."""
    kind = work.office.tree.by_id[to].kind
    definition, subject = case.definition, case.subject
    if kind not in definition.kinds:
        raise BadInput(
            "{subject}: {workflow} does not live at {kind} ({org}); move it elsewhere first",
            subject=subject.id,
            workflow=definition.workflow,
            kind=kind,
            org=to,
        )
    event = work.ledger.append(
        events.TAKEN_OVER,
        key_id=case.key_id,
        subject=subject.id,
        workflow=subject.workflow,
        org=to,
        on=max(on, subject.started_on).isoformat(),
        definition=definition.id,
        actor=by.officer,
        merged_from=subject.org,
        decision=decision,
    )
    work.change(case, event, {}, on=max(on, subject.started_on), org=to)
