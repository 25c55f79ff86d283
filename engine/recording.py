"""History: what happened before this program, entered with its days. No rule is asked, and every entry says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from engine import steps
from engine.core import events
from engine.core.authority import Acting, authorise
from engine.core.commands import Start
from engine.core.errors import BadInput, NotFound
from engine.core.machine import Definition
from engine.core.subject import Subject, changed
from engine.core.values import Json
from engine.core.views import read_facts, view_of
from engine.input import check_named
from engine.naming import new_id, taken_key
from engine.places import moves_along
from engine.steps import By
from engine.work import Case, Work

LINKS = ("batch", "opened_by")  # details that name another event


@dataclass(frozen=True, kw_only=True)
class Past:
    """Something that happened to a subject before it stood here: a step, facts written (no `trigger`), or a change of
    unit (`org` alone). `to` is the state a step led to, where the definition does not say."""

    on: date
    trigger: str | None = None
    to: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    org: str | None = None
    by: Sequence[str] = ()  # who took the step, for separation of duties
    by_clock: bool = False
    reason: str | None = None
    breaches: Sequence[str] = ()
    opens: Sequence[Past] | None = None  # None: what such a step opens is not opened; else what happened to it
    detail: Mapping[str, Json] = field(default_factory=dict)
    was: str | None = None  # the event's id where it comes from


@dataclass(frozen=True, kw_only=True)
class Record:
    """A subject with its history, oldest first."""

    workflow: str
    org: str
    on: date
    id: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    past: Sequence[Past] = ()
    reason: str | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)
    was: str | None = None


def record(
    work: Work, command: Record, by: By, *, unasked: bool = False, restored: dict[str, str] | None = None
) -> str:
    """Enters a subject with its history and returns its id. `unasked`: nobody's authority is tried.

    `restored`: it comes whole from another database, its days in whatever order they were entered there; maps the
    events' ids there to those here, also those that a detail names.

    Raises BadInput (what is not declared, days that go back or have not come, a closed unit for what still runs) and
    Denied.
    """
    definition = work.library.newest(command.workflow)
    org = work.office.tree.by_id.get(command.org)
    if org is None:
        raise NotFound("there is no organisation {org}", org=command.org)
    if org.kind not in definition.kinds:
        raise BadInput(
            "{workflow} does not live at {kind} ({org})", workflow=command.workflow, kind=org.kind, org=org.id
        )
    _check_days(work, command, ordered=restored is None)
    changes = read_facts(definition, command.facts, work.calendar)
    check_named(work, definition, changes, past=True)
    facts = changed({}, changes)
    for fact in definition.file.start.asks:
        if facts.get(fact) is None:
            raise BadInput("{workflow} asks for {fact}", workflow=command.workflow, fact=fact).about(definition)
    start = Start(workflow=command.workflow, org=org.id, id=command.id, facts=command.facts, on=command.on)
    subject = Subject(
        id=new_id(work, definition, start, facts),
        workflow=command.workflow,
        org=org.id,
        org_kind=org.kind,
        state=definition.initial,
        version=1,
        facts=facts,
        started_on=command.on,
        entered_on=command.on,
        person_on=date.min if command.detail.get("by_clock") else command.on,
    )
    unique = taken_key(work, definition, org.id, facts)
    acting = None if by.officer is None else Acting(officer=by.officer)
    if not unasked:
        view = view_of(definition, subject, work.moment())
        acting = authorise(work.office, by.officer or "", definition.start_grants, org.id, facts=view, on=work.today)
    key_id = steps.key_of(work, definition, subject)
    event = work.ledger.append(
        events.STARTED,
        key_id=key_id,
        payload=steps.payload(changes, command.reason),
        subject=subject.id,
        workflow=command.workflow,
        org=org.id,
        to=definition.initial,
        on=command.on.isoformat(),
        definition=definition.id,
        history=True,
        **steps.who(acting, by),
        **_renamed(command.detail, restored),
    )
    _keep(restored, command.was, event)
    work.add(Case(subject=subject, definition=definition, key_id=key_id, row=None, last_event=event, unique_key=unique))
    for past in command.past:
        _record_past(work, subject.id, past, acting, By(officer=by.officer), restored)
    _check_place(work, work.case(subject.id))
    return subject.id


def _renamed(detail: Mapping[str, Json], restored: Mapping[str, str] | None) -> dict[str, Json]:
    if restored is None:
        return dict(detail)
    return {k: restored.get(v, v) if k in LINKS and isinstance(v, str) else v for k, v in detail.items()}


def _keep(restored: dict[str, str] | None, was: str | None, event: str) -> None:
    if restored is not None and was is not None:
        restored[was] = event


def _check_days(work: Work, command: Record, *, ordered: bool) -> None:
    last = command.on
    for day in (command.on, *(p.on for p in command.past)):
        if day > work.today:
            raise BadInput(
                "on: {on} has not come yet, today is {today}", on=day.isoformat(), today=work.today.isoformat()
            )
        if ordered and day < last:
            raise BadInput("on: {on} is before {last}, which is entered ahead of it", on=day, last=last)
        last = day


def _check_place(work: Work, case: Case) -> None:
    """Sees that what still runs lives at a unit that stands."""
    org = work.office.tree.by_id[case.subject.org]
    if moves_along(case) and not org.period.holds(work.today):
        raise BadInput(
            "{org} does not stand today; what is still {state} is entered under the unit that follows it now",
            org=org.id,
            state=case.subject.state,
        )


def _record_past(
    work: Work, id: str, past: Past, acting: Acting | None, by: By, restored: dict[str, str] | None
) -> None:
    case = work.case(id)
    definition = case.definition
    if past.org is not None and past.org not in work.office.tree.by_id:
        raise NotFound("there is no organisation {org}", org=past.org)
    changes = read_facts(definition, past.facts, work.calendar)
    check_named(work, definition, changes, past=True)
    to = _target(definition, case.subject.state, past)
    kind = events.RECORDED if past.trigger is not None else events.FACTS_SET
    if past.trigger is None and past.org is not None:
        kind = events.TAKEN_OVER
    event = work.ledger.append(
        kind,
        key_id=case.key_id,
        payload=steps.payload(changes, past.reason),
        subject=id,
        workflow=case.subject.workflow,
        org=past.org or case.subject.org,
        trigger=past.trigger,
        **({"from": case.subject.state} if past.trigger is not None else {}),
        to=to if past.trigger is not None else None,
        on=past.on.isoformat(),
        definition=definition.id,
        breaches=list(past.breaches) or None,
        history=True,
        by=list(past.by) or None,
        by_clock=past.by_clock or None,
        **steps.who(acting, by),
        **_renamed(past.detail, restored),
    )
    _keep(restored, past.was, event)
    work.change(
        case,
        event,
        changes,
        on=past.on,
        by=past.by,
        trigger=past.trigger,
        to=to,
        org=past.org,
        by_person=not past.by_clock,
    )
    _open(work, work.case(id), past, event, by)


def _target(definition: Definition, state: str, past: Past) -> str:
    if past.trigger is None:
        return state
    step = definition.steps.get(past.trigger)
    if step is None:
        raise BadInput(
            "{trigger} is not a trigger of {workflow}; there are: {known}",
            trigger=past.trigger,
            workflow=definition.workflow,
            known=", ".join(definition.steps),
        )
    to = past.to or next((t for t, when in step.targets if when is None), step.targets[-1][0])
    if to == "same":
        return state
    if to not in definition.file.states:
        raise BadInput("{state} is not a state of {workflow}", state=to, workflow=definition.workflow)
    return to


def _open(work: Work, case: Case, past: Past, event: str, by: By) -> None:
    """Opens what such a step opens, with what happened to it since."""
    step = case.definition.steps.get(past.trigger or "")
    if past.opens is None or step is None or step.opens is None or step.opens[0] not in work.library.workflows:
        return
    workflow, given = step.opens
    view = view_of(case.definition, case.subject, work.moment(past.on))
    facts = {f: v for f, e in given if (v := e.evaluate(view, work.calendar)) is not None}
    other = Record(
        workflow=workflow,
        org=case.subject.org,
        on=past.on,
        facts=facts,
        past=past.opens,
        detail={"opened_by": event},
    )
    record(work, other, by, unasked=True)
