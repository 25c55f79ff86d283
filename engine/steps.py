"""Steps of one subject: start, move, set facts. Each in the unit of work it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from engine import likeness
from engine.beginning import checkpoint_facts, home_of, units_below
from engine.core import events
from engine.core.authority import Acting, authorise
from engine.core.commands import Move, SetFacts, Start
from engine.core.decision import Decision, decide, step_from
from engine.core.errors import BadInput, Conflict, Denied
from engine.core.guards import Judgement
from engine.core.machine import Definition, Step
from engine.core.subject import Changes, Subject, changed
from engine.core.values import Json, Value
from engine.core.views import read_facts, view_of
from engine.input import check_named, given_facts
from engine.keyed import check_written
from engine.lateness import check_late
from engine.likeness import Alike
from engine.naming import new_id, taken, taken_key
from engine.store.rows import OutboxRow
from engine.tallying import counted
from engine.work import Case, Work


@dataclass(frozen=True, kw_only=True)
class LineAnswer:
    """What became of one line of a batch."""

    index: int  # -1 for those whom no line named
    subject: str
    workflow: str
    do: str
    state: str  # done, kept, set_aside, refused, denied
    judgements: Sequence[Judgement] = ()
    why: str | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of a command. `to` is None when the rules refused it; then nothing was changed."""

    subject: str
    workflow: str
    trigger: str
    source: str | None
    to: str | None
    version: int
    event: str | None
    judgements: Sequence[Judgement] = ()
    breaches: Sequence[str] = ()
    lines: Sequence[LineAnswer] = ()
    similar: Sequence[Alike] = ()  # of a start: those who may be the same
    sent: Sequence[OutboxRow] = ()  # notices that had gone out and may need a correction, after an undo or a late entry
    opened: Sequence[str] = ()
    corrections: Sequence[OutboxRow] = ()  # notices queued to take back those of `sent`
    closed: Sequence[str] = ()  # after an undo: the subjects that the step had opened
    acting: Acting | None = None  # of a step that was asked for: who may take it, and for whom

    @property
    def allowed(self) -> bool:
        """Tells whether the step was taken."""
        return self.to is not None

    def blocking(self, result: str) -> list[str]:
        """Returns the ids of the guards and limits, over all lines, with this result that stand in the way."""
        lines = [j for line in self.lines for j in line.judgements]
        ids = [
            j.rule.id
            for j in (*self.judgements, *lines)
            if j.result == result and j.force != "warn" and j.rule.id not in self.breaches
        ]
        return list(dict.fromkeys(ids))


@dataclass(frozen=True, kw_only=True)
class By:
    """Who gives a command (None: the clock), and the id by which a repeated command is known.

    `asked` is the digest of what was asked under that id (`repeating.digest`).
    """

    officer: str | None
    command: str | None = None
    asked: str | None = None
    behalf: str | None = None  # the absent officer for whom it is given; None: as authority is found


@dataclass(kw_only=True)
class Extra:
    """What the event of a step says besides."""

    batch: str | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)


# ---- start ----


def start(
    work: Work, command: Start, by: By, *, unasked: bool = False, detail: Mapping[str, Json] | None = None
) -> Answer:
    """Begins a subject. `unasked`: opened by the clock or by another step, so nobody's authority is asked.

    Raises BadInput (unknown workflow, unit or fact, an id or a unique key that stands already, a day in the future,
    a fact asked for and not given) and Denied.
    """
    definition = work.library.newest(command.workflow)
    if not unasked and not definition.file.start.by_hand:
        raise BadInput("{workflow} is opened by a step, never by hand", workflow=command.workflow)
    on = day(work, command.on, None)
    org = home_of(work, definition, command.org)
    changes = given_facts(work, definition, command, org, on)
    facts = changed({}, changes)
    id, unique = new_id(work, definition, command, facts), taken_key(work, definition, org.id, facts)
    check_written(work, definition, id, org.id, {}, changes)
    subject = Subject(
        id=id,
        workflow=command.workflow,
        org=org.id,
        org_kind=org.kind,
        state=definition.initial,
        version=1,
        facts=facts,
        started_on=on,
        entered_on=on,
        person_on=on if by.officer is not None else date.min,
    )
    acting: Acting | None = None
    if not unasked:
        view = view_of(definition, subject, work.moment(on))
        acting = _keeper(work, definition, org.id, view, on, by)
    if definition.file.checkpoint:
        changes = {**changes, **checkpoint_facts(work, definition)}
        subject = replace(subject, facts=changed(facts, changes))
    key_id = key_of(work, definition, subject)
    event = work.ledger.append(
        events.STARTED,
        key_id=key_id,
        payload=payload(changes, command.reason, asked=by.asked),
        subject=id,
        workflow=command.workflow,
        org=org.id,
        to=definition.initial,
        on=on.isoformat(),
        definition=definition.id,
        **who(acting, by),
        **dict(detail or {}),
    )
    case = Case(subject=subject, definition=definition, key_id=key_id, row=None, last_event=event, unique_key=unique)
    similar = likeness.begin(work, definition, id, facts)
    work.add(case)
    work.tell(case, "start", event, since=work.calendar.start_of(on) if unasked and by.officer is None else None)
    return Answer(
        subject=id,
        workflow=command.workflow,
        trigger="start",
        source=None,
        to=definition.initial,
        version=1,
        event=event,
        similar=similar,
    )


def _keeper(work: Work, definition: Definition, org: str, view: Mapping[str, Value], on: date, by: By) -> Acting:
    """Returns who may begin a subject there, or set its facts. Raises Denied."""
    grants = definition.start_grants
    return authorise(work.office, by.officer or "", grants, org, facts=view, on=on, behalf=by.behalf)


def who(acting: Acting | None, by: By) -> dict[str, Json]:
    return {
        "actor": acting.officer if acting is not None else by.officer,
        "behalf": acting.behalf if acting is not None else by.behalf,
        "command": by.command,
    }


def payload(changes: Changes, reason: str | None, **more: Json) -> dict[str, Json]:
    payload: dict[str, Json] = {}
    if changes:
        payload["facts"] = events.changes_json(changes)
    if reason:
        payload["reason"] = reason
    payload.update((k, v) for k, v in more.items() if v)
    return payload


def day(work: Work, on: date | None, subject: Subject | None) -> date:
    today = work.today
    if on is None:
        return today
    if on > today:
        raise BadInput("on: {on} has not come yet, today is {today}", on=on.isoformat(), today=today.isoformat())
    if subject is not None and on < subject.person_on:
        raise BadInput(
            "on: {on} is before this subject's last step, which was on {last}",
            on=on.isoformat(),
            last=subject.person_on.isoformat(),
        )
    return on


def key_of(work: Work, definition: Definition, subject: Subject) -> str:
    """Returns whose key seals the subject."""
    through = definition.file.sealed_with
    other = subject.facts.get(through) if through else None
    return work.case(other).key_id if isinstance(other, str) else subject.id


# ---- move ----


def move(work: Work, command: Move, by: By) -> Answer:
    """Takes a step, or refuses it by rules (`to` is None). Raises BadInput, Denied and Conflict."""
    case = work.case(command.subject)
    check_version(case, command.version)
    if command.lines:
        raise BadInput("{trigger} takes no decisions", trigger=command.trigger)
    return move_one(work, case, command.trigger, command.facts, command.on, command.reason, by)


def check_version(case: Case, version: int | None) -> None:
    if version is not None and version != case.subject.version:
        raise Conflict(
            "{subject} was changed meanwhile: it is at version {now}, you saw {seen}",
            subject=case.subject.id,
            now=case.subject.version,
            seen=version,
        )


def decided(
    work: Work, case: Case, trigger: str, raw: Mapping[str, object], on: date, reason: str | None, by: By
) -> Decision:
    changes = read_facts(case.definition, raw, work.calendar) if raw else {}
    check_named(work, case.definition, changes)
    decision = decide(
        case.definition,
        case.subject,
        trigger,
        moment=work.moment(on),
        changes=changes,
        reason=reason,
        officer=by.officer,
        office=work.office if by.officer is not None else None,
        behalf=by.behalf,
    )
    if decision.changes and case.definition.keyed:
        subject = case.subject
        check_written(work, case.definition, subject.id, subject.org, subject.facts, decision.changes)
    return decision


def move_one(
    work: Work,
    case: Case,
    trigger: str,
    raw: Mapping[str, object],
    on: date | None,
    reason: str | None,
    by: By,
    extra: Extra | None = None,
) -> Answer:
    step = check_trigger(case, trigger, by)
    if by.officer is None:
        when = on or work.today
    else:
        when = day(work, on, case.subject)
        check_late(work, case, step, when)
    decision = decided(work, case, trigger, raw, when, reason, by)
    if not decision.allowed:
        return answered(case, decision, None)
    event = record(work, case, decision, when, reason, by, extra or Extra())
    return answered(work.case(case.subject.id), decision, event, opened=open_other(work, case, decision, by, event))


def check_trigger(case: Case, trigger: str, by: By) -> Step:
    """Returns the step of a trigger.

    Trigger and state are checked before the day; a step of the clock is not an officer's.
    """
    step = step_from(case.definition, case.subject, trigger)
    if step.by_clock and by.officer is not None:
        raise Denied("{trigger} is the clock's step, not an officer's ({why})", why="role", trigger=trigger)
    return step


def answered(case: Case, decision: Decision, event: str | None, opened: Sequence[str] = ()) -> Answer:
    return Answer(
        subject=case.subject.id,
        workflow=case.subject.workflow,
        trigger=decision.trigger,
        source=decision.source,
        to=decision.to,
        version=case.subject.version,
        event=event,
        judgements=decision.judgements,
        breaches=decision.breaches,
        opened=opened,
        acting=decision.acting,
    )


def record(work: Work, case: Case, decision: Decision, on: date, reason: str | None, by: By, extra: Extra) -> str:
    step = case.definition.steps[decision.trigger]
    org = None
    if step.belongs_to is not None:
        there = decision.facts.get(step.belongs_to)
        org = work.office.tree.successor(there, work.today) if isinstance(there, str) else None
        unit = work.office.tree.by_id.get(org or "")
        if unit is not None and unit.period.ended(work.today):
            raise BadInput("{org} was closed on {day}", org=unit.id, day=unit.period.until)
    event = work.ledger.append(
        events.MOVED,
        key_id=case.key_id,
        payload=payload(
            decision.changes, reason, asked=by.asked, counted=counted(case.definition, case.subject.borrowed)
        ),
        subject=case.subject.id,
        workflow=case.subject.workflow,
        org=org or case.subject.org,
        trigger=decision.trigger,
        **{"from": decision.source},
        to=decision.to,
        on=on.isoformat(),
        definition=case.definition.id,
        rules=events.rule_codes(decision.judgements) or None,
        breaches=list(decision.breaches) or None,
        batch=extra.batch,
        happened=_happened(work, step, decision, on),
        **who(decision.acting, by),
        **extra.detail,
    )
    work.change(
        case,
        event,
        decision.changes,
        on=on,
        by=decision.acting.persons if decision.acting is not None else (),
        trigger=decision.trigger,
        to=decision.to,
        org=org,
    )
    work.tell(work.case(case.subject.id), decision.trigger, event)
    return event


def _happened(work: Work, step: Step, decision: Decision, on: date) -> str | None:
    """Returns the day on which a step really happened, where a fact of it says so and it is before the step's day."""
    day = happened_day(work, step, decision.facts)
    return day.isoformat() if day is not None and day < on else None


def happened_day(work: Work, step: Step, facts: Mapping[str, object]) -> date | None:
    """Returns the day that the step's own fact names, None without one."""
    value = facts.get(step.happened or "")
    if isinstance(value, datetime):
        return work.calendar.day_of(value)
    return value if isinstance(value, date) else None


def open_other(work: Work, case: Case, decision: Decision, by: By, event: str) -> Sequence[str]:
    step = case.definition.steps[decision.trigger]
    if step.opens is None or step.opens[0] not in work.library.workflows:
        return ()
    workflow, given = step.opens
    facts = {fact: e.evaluate(decision.facts, work.calendar) for fact, e in given}
    org = work.case(case.subject.id).subject.org if step.opens_at is None else decision.facts.get(step.opens_at)
    if not isinstance(org, str):
        raise BadInput("{trigger} asks for {fact}", trigger=decision.trigger, fact=step.opens_at or "")
    units = units_below(work, org, step.opens_for) if step.opens_for else [org]
    definition = work.library.newest(workflow)
    opened: list[str] = []
    by = By(officer=by.officer, behalf=decision.acting.behalf if decision.acting is not None else by.behalf)
    for unit in units:
        if step.opens_for and taken(work, definition, unit, facts):
            continue
        command = Start(workflow=workflow, org=unit, facts=facts)
        opened.append(start(work, command, by, unasked=True, detail={"opened_by": event}).subject)
    return opened


# ---- set facts ----


def set_facts(work: Work, command: SetFacts, by: By) -> Answer:
    """Writes facts without a step. Raises BadInput, Denied and Conflict."""
    case = work.case(command.subject)
    check_version(case, command.version)
    definition, subject = case.definition, case.subject
    on = day(work, command.on, None)
    if not command.facts:
        raise BadInput("there is no fact to set")
    changes = read_facts(definition, command.facts, work.calendar, fixed=False)
    check_named(work, definition, changes)
    check_written(work, definition, subject.id, subject.org, subject.facts, changes)
    view = view_of(definition, subject, work.moment(on))
    acting = _keeper(work, definition, subject.org, view, on, by)
    event = work.ledger.append(
        events.FACTS_SET,
        key_id=case.key_id,
        payload=payload(changes, command.reason, asked=by.asked),
        subject=subject.id,
        workflow=subject.workflow,
        org=subject.org,
        on=on.isoformat(),
        definition=definition.id,
        **who(acting, by),
    )
    work.change(case, event, changes, on=on)
    return Answer(
        subject=subject.id,
        workflow=subject.workflow,
        trigger="set",
        source=subject.state,
        to=subject.state,
        version=subject.version + 1,
        event=event,
    )


def refused_event(work: Work, subject: str, trigger: str, by: By, answer: Answer | None, why: str | None) -> None:
    """Writes that a step was refused or denied: who tried, and which rules said no."""
    case = work.case(subject)
    judged = answer.judgements if answer is not None else ()
    lines = [line for line in (answer.lines if answer is not None else ()) if line.state in ("refused", "denied")]
    work.ledger.append(
        events.REFUSED if why is None else events.DENIED,
        key_id=case.key_id,
        payload=payload({}, None, asked=by.asked)
        | {"missing": list[Json](sorted({m for j in judged for m in j.missing}))},
        subject=case.subject.id,
        workflow=case.subject.workflow,
        org=case.subject.org,
        trigger=trigger,
        **{"from": case.subject.state},
        on=work.today.isoformat(),
        definition=case.definition.id,
        rules=events.rule_codes(judged) or None,
        lines=[[line.subject, line.do, *events.rule_codes(line.judgements)] for line in lines] or None,
        why=why,
        **who(answer.acting if answer is not None else None, by),
    )
