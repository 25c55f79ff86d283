"""Where a subject lives when units come and go: what a merged unit had goes to the one that follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from engine import listing
from engine.core import events
from engine.core.errors import BadInput
from engine.ledger import entries
from engine.steps import By
from engine.work import Case, Work


def settle(work: Work, case: Case, by: By) -> None:
    """Takes a subject to the unit that follows its own, where that was merged meanwhile.

    Raises BadInput where its unit has ended and none follows: it was split or closed.
    """
    to = work.office.tree.successor(case.subject.org, work.today)
    if not moves_along(case):
        return
    unit = work.office.tree.by_id[to]
    if unit.period.ended(work.today):
        raise BadInput("{org} was closed on {day}", org=to, day=unit.period.until)
    if to != case.subject.org:
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
        behalf=by.behalf,
        merged_from=subject.org,
        decision=decision,
    )
    work.change(case, event, {}, on=max(on, subject.started_on), org=to)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A subject that is to go over to another unit, which has not answered yet. `since`: the day it was asked."""

    subject: str
    workflow: str
    title: str
    state: str
    org: str
    to: str
    since: date
    trigger: str


def waiting(work: Work) -> list[Waiting]:
    """Returns the subjects that wait for the answer of another unit, those that wait longest first."""
    found: list[Waiting] = []
    for definition in work.library.all_newest().values():
        if not definition.moving:
            continue
        for case in listing.marked(work, definition.workflow, listing.MOVING):
            facts = case.subject.facts
            for fact in definition.moving:
                to = facts.get(fact)
                if isinstance(to, str) and case.subject.state not in (*case.definition.final, events.VOID):
                    found.append(_waiting(work, case, fact, to))
    return sorted(found, key=lambda w: (w.since, w.subject))


def _waiting(work: Work, case: Case, fact: str, to: str) -> Waiting:
    subject, told = case.subject, list(entries(work.tx.events(subject=case.subject.id), work.keys, work.kit.sealer))
    asked = next(e for e in reversed(told) if (e.payload or {}).get("facts", {}).get(fact) == to)  # type: ignore[union-attr]
    named = subject.facts.get(case.definition.file.title_fact or "")
    return Waiting(
        subject=subject.id,
        workflow=subject.workflow,
        title=named if isinstance(named, str) else subject.id,
        state=subject.state,
        org=subject.org,
        to=work.office.tree.successor(to, work.today),
        since=date.fromisoformat(asked.on or asked.at[:10]),
        trigger=asked.trigger or "",
    )
