"""One step for many at once: first what it would do with each, then, once confirmed, what became of each.

What is typed on top is the same for all; what the list names under `each` (the number of a decision) may be typed in
each row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.commands import Move
from engine.core.decision import Decision
from engine.core.errors import BadInput, KetnapError
from engine.core.machine import Definition, Step
from engine.doors.tries import Tried
from engine.steps import Answer
from web.access import Listed
from web.forms import FACT, FactForm, Field, Form, read_day
from web.pages.home import title_of
from web.pages.listing import NAME, PAGE, steps_offered, the_list
from web.pages.step import ON, REASON, units_of_today
from web.pages_file import ListPage
from web.shown import day
from web.site import Site, Visit
from web.words import error_text

SEEN = "seen."  # before a subject: its version when it was shown
EACH = "@"  # before a subject, behind the name of an input: it is of this row


def routes(site: Site) -> list[BaseRoute]:
    """Returns the route."""
    return [site.post("/list/{workflow}/step", take, Listed(NAME))]


def take(visit: Visit) -> Response:
    """Shows what the step would do with each, or takes it for those with which it goes through."""
    definition, page = the_list(visit)
    form = visit.form
    who = list(dict.fromkeys(form.all("who")))[:PAGE]
    trigger = form.get("step")
    if trigger not in dict(steps_offered(visit, definition, page)) or not who:
        raise BadInput("Choose a step and at least one row; nothing was recorded.")
    step = definition.steps[trigger]
    made = FactForm(definition, visit.values, {}, units_of_today(visit))
    fields = _fields(visit, made, step)
    raw, read = made.read([f for f in fields if f.name.startswith(FACT)], visit.say)
    on, error = read_day(form.get(ON, day(visit.today)), visit.say)
    fields = [*read, fields[-2], replace(fields[-1], error=error)]
    reason = form.get(REASON).strip() or None
    facts: dict[str, Mapping[str, object]] = {}
    own: dict[str, list[Field]] = {}
    for id in who:
        theirs, own[id] = _own(visit, made, step, page, id)
        facts[id] = {**raw, **theirs}
    asked = form.has("again") or form.has("confirmed")
    wrong = asked and any(f.error for f in (*fields, *(f for row in own.values() for f in row)))
    if not asked:
        fields = [replace(f, error="") for f in fields]
    tried = visit.service.tries.steps(who, trigger, facts, visit.by(), on=on, reason=reason)
    if form.get("confirmed") == "yes" and not wrong:
        return _record(visit, definition, step, tried, facts, on, reason)
    return _page(visit, definition, step, fields, own, tried, 400 if wrong else 200)


def _own(
    visit: Visit, made: FactForm, step: Step, page: ListPage, subject: str
) -> tuple[dict[str, object], list[Field]]:
    """Returns what was typed in one row and its inputs: of what differs from person to person, where it is typed it
    counts before what was typed for all."""
    mark = f"{EACH}{subject}"
    typed = Form([(n.removesuffix(mark), v) for n, v in visit.form.pairs if n.endswith(mark)])
    names = [n for n in page.each if n in (*step.asks, *step.asks_anew, *step.takes)]
    raw, fields = made.read(made.fields(names, form=typed), visit.say)
    return raw, [replace(f, name=f.name + mark) for f in fields]


def _fields(visit: Visit, made: FactForm, step: Step) -> list[Field]:
    """Returns the inputs, the same for all: what was typed for one step is written to everybody."""
    form = visit.form
    fields = made.fields(
        [*step.asks, *step.asks_anew, *step.takes], required=step.asks_anew, form=form if form.has(ON) else None
    )
    reason = Field(name=REASON, label=visit.say("Reason"), kind="text", value=form.get(REASON))
    on = Field(
        name=ON,
        label=visit.say("The day it happened"),
        kind="day",
        value=form.get(ON, day(visit.today)),
        hint=visit.say("today, or earlier"),
    )
    return [*fields, reason, on]


def _page(visit: Visit, definition: Definition, step: Step, fields: Sequence[Field], own: Mapping[str, list[Field]],
          tried: Sequence[Tried], status: int) -> Response:  # fmt: skip
    rows = [_row(visit, t) | {"fields": own[t.case.subject.id]} | _outlook(visit, t) for t in tried]
    return visit.page(
        "bulk.html",
        status,
        heading=step.label.of(visit.lang),
        definition=definition,
        trigger=step.trigger,
        fields=fields,
        rows=rows,
        going=sum(r["good"] for r in rows),
        done=False,
        seen=[(SEEN + t.case.subject.id, str(t.case.subject.version)) for t in tried],
        who=[t.case.subject.id for t in tried],
    )


def _row(visit: Visit, tried: Tried) -> dict[str, Any]:
    case = tried.case
    return {
        "id": case.subject.id,
        "title": title_of(visit, case),
        "unit": visit.values.unit(case.subject.org),
        "state": visit.teller.state(case.definition, case.subject.state),
    }


def _outlook(visit: Visit, tried: Tried) -> dict[str, Any]:
    definition, decision = tried.case.definition, tried.decision
    if decision is None:
        return {
            "good": False,
            "what": error_text(tried.error, visit.lang) if tried.error is not None else "",
            "why": [],
        }
    if tried.allowed:
        to = visit.teller.state(definition, decision.to or "")
        breaches = [definition.file.rules[r].label.of(visit.lang) for r in decision.breaches]
        return {"good": True, "what": visit.say("Then it stands at: {state}", state=to), "why": breaches}
    missing = visit.teller.facts(definition, decision.missing)
    what = visit.say("It asks for: {what}", what=missing) if missing else visit.say("The rules stand in the way")
    return {"good": False, "what": what, "why": _against(visit, definition, decision)}


def _against(visit: Visit, definition: Definition, told: Decision | Answer) -> list[str]:
    rules = [*told.blocking("fail"), *told.blocking("unknown")]
    return [definition.file.rules[r].label.of(visit.lang) for r in rules if r in definition.file.rules]


def _record(visit: Visit, definition: Definition, step: Step, tried: Sequence[Tried],
            facts: Mapping[str, Mapping[str, object]], on: date | None, reason: str | None) -> Response:  # fmt: skip
    """Takes the step for each that the preview let through, one by one; what became of each is said."""
    rows = []
    for t in tried:
        seen = visit.form.get(SEEN + t.case.subject.id)
        if not t.allowed and not _done_before(visit, t):
            rows.append(_row(visit, t) | _outlook(visit, t) | {"good": False})
            continue
        command = Move(
            subject=t.case.subject.id,
            trigger=step.trigger,
            facts=facts[t.case.subject.id],
            on=on,
            reason=reason,
            version=int(seen) if seen.isdigit() and len(seen) < 10 else None,
        )
        rows.append(_row(visit, t) | _became(visit, definition, command))
    return visit.page(
        "bulk.html",
        heading=step.label.of(visit.lang),
        definition=definition,
        trigger=step.trigger,
        fields=[],
        rows=rows,
        going=sum(r["good"] for r in rows),
        done=True,
        seen=[],
        who=[],
    )


def _done_before(visit: Visit, tried: Tried) -> bool:
    """Tells whether this very form was sent before, when it went through for this subject."""
    command = _command(visit, tried.case.subject.id)
    with visit.service.work() as work:
        return command is not None and work.tx.event_of_command(command) is not None


def _command(visit: Visit, subject: str) -> str | None:
    given = visit.by_form().command
    return hashlib.sha256(f"{given}/{subject}".encode()).hexdigest()[:32] if given is not None else None


def _became(visit: Visit, definition: Definition, command: Move) -> dict[str, Any]:
    try:
        answer: Answer = visit.service.move(command, visit.by(_command(visit, command.subject)))
    except KetnapError as error:
        return {"good": False, "what": error_text(error, visit.lang), "why": []}
    if not answer.allowed:
        return {"good": False, "what": visit.say("Refused by the rules"), "why": _against(visit, definition, answer)}
    to = visit.teller.state(definition, answer.to or "")
    return {"good": True, "what": visit.say("Recorded; it stands at: {state}", state=to), "state": to, "why": []}
