"""Forms of a subject made from its definition: a step, facts without a step, undo. Each asks for just what it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.commands import Move, SetFacts, Undo
from engine.core.decision import Decision
from engine.core.errors import BadInput, Conflict, NotFound
from engine.core.guards import Judgement
from engine.core.machine import Definition, Step
from engine.core.values import Value
from engine.steps import Answer
from engine.work import Case
from web.access import READS
from web.forms import FACT, FactForm, Field, Form, beside, read_day
from web.pages.home import title_of
from web.pages.subject import law, step_shown
from web.resuming import resuming
from web.shown import day, order_key
from web.site import Said, Site, Visit
from web.words import error_text

ON, REASON = "on", "reason"


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/subjects/{subject}/steps/{trigger}", show, READS),
        site.post("/subjects/{subject}/steps/{trigger}", resuming(show, take), READS),
        site.post("/subjects/{subject}/steps/{trigger}/check", check, READS),
        site.get("/subjects/{subject}/facts", show_facts, READS),
        site.get("/subjects/{subject}/facts/{names}", show_facts, READS),
        site.post("/subjects/{subject}/facts", resuming(show_facts, write_facts), READS),
        site.post("/subjects/{subject}/facts/{names}", resuming(show_facts, write_facts), READS),
        site.get("/subjects/{subject}/undo", show_undo, READS),
        site.post("/subjects/{subject}/undo", undo, READS),
    ]


# ---- a step ----


def show(visit: Visit) -> Response:
    """Shows the form of a step."""
    return _step_page(visit, None, 200)


def _guards(
    visit: Visit, definition: Definition, judged: Sequence[Judgement], breaches: Sequence[str]
) -> list[dict[str, Any]]:
    """Returns what the rules said, what stands in the way first."""
    order = ("fail", "unknown", "pass")
    told = [
        visit.teller.judgement(definition, j, breaches) | {"said": "", "mends": [], "law": law(definition, j.rule.id)}
        for j in judged
    ]
    return sorted(told, key=lambda g: order.index(g["result"]))


def _step_page(visit: Visit, fields: Sequence[Field] | None, status: int, *, said: str = "",
               answer: Answer | None = None) -> Response:  # fmt: skip
    case, facts, prospect = visit.service.desk.prospect(visit.path("subject"), visit.path("trigger"), visit.by())
    if prospect.step.by_clock or prospect.step.batch is not None:
        raise NotFound("There is no such page.")
    told, typed = step_shown(visit, case, prospect), visit.form if visit.form.pairs else None
    if answer is not None:
        told["guards"] = _guards(visit, case.definition, answer.judgements, answer.breaches)
    return visit.page(
        "step.html",
        status,
        case=case,
        subject=case.subject,
        title=title_of(visit, case),
        step=told,
        fields=fields if fields is not None else step_fields(visit, case, facts, prospect.step, typed),
        said_late=said,
        version=_seen(visit, case),
    )


def _seen(visit: Visit, case: Case) -> int:
    """Returns which version whoever fills in the form saw: also when it comes back refused or after a sign-in."""
    return _version(visit.form) or case.subject.version


def step_fields(visit: Visit, case: Case, facts: Mapping[str, Value], step: Step, form: Form | None) -> list[Field]:
    """Returns the inputs of a step: what it asks for, what it takes, its day and its reason."""
    definition = case.definition
    made = fact_form(visit, definition, {n: v for n, v in facts.items() if n not in step.asks_anew}, case.subject.org)
    must = [*step.asks, *step.asks_anew]
    fields = made.fields([*must, *step.takes, *_mends(definition, step, facts)], required=must, form=form)
    reason = form.get(REASON) if form is not None else ""
    needs = any("reason" in r.reads and force == "guard" for force, r in step.rules)
    fields.append(
        Field(name=REASON, label=visit.say("Reason"), kind="lines" if needs else "text", value=reason, required=needs)
    )
    on = form.get(ON) if form is not None and form.has(ON) else day(visit.today)
    fields.append(
        Field(
            name=ON, label=visit.say("The day it happened"), kind="day", value=on, hint=visit.say("today, or earlier")
        )
    )
    return fields


def _mends(definition: Definition, step: Step, facts: Mapping[str, Value]) -> list[str]:
    """Returns the facts that the step's rules read and nobody knows yet: they may be filled in with the step."""
    spec = definition.file.facts
    read = [n for force, rule in step.rules if force != "warn" for n in sorted(rule.reads)]
    return [
        n
        for n in dict.fromkeys(read)
        if n in spec and n not in facts and not spec[n].worked_out and not spec[n].fixed
        and n not in step.asks_anew and spec[n].type != "map"
    ]  # fmt: skip


def fact_form(visit: Visit, definition: Definition, facts: Mapping[str, Value], org: str | None = None) -> FactForm:
    """Returns what makes the inputs of facts; an organisation is chosen among those of the area.

    `org`: the subject's unit, for maps by organisations: they have an input for each unit of the tree it acts on.
    """
    below = visit.service.sheets.units_of(org) if org is not None and _by_unit(definition) else ()
    return FactForm(definition, visit.values, facts, units_of_today(visit), [(u, visit.values.unit(u)) for u in below])


def _by_unit(definition: Definition) -> bool:
    return any(f.type == "map" and f.keys == "orgs" for f in definition.file.facts.values())


def units_of_today(visit: Visit) -> list[tuple[str, str]]:
    """Returns the organisations that stand today, by name."""
    there = (o.id for o in visit.values.tree.by_id.values() if o.period.holds(visit.today))
    return sorted(((u, visit.values.unit_apart(u)) for u in there), key=lambda pair: order_key(pair[1]))


def take(visit: Visit) -> Response:
    """Takes the step, or says beside each field and each rule why it was not taken."""
    case, facts, prospect = visit.service.desk.prospect(visit.path("subject"), visit.path("trigger"), visit.by())
    step, form = prospect.step, visit.form
    fields = step_fields(visit, case, facts, step, form)
    known = {n: v for n, v in facts.items() if n not in step.asks_anew}
    raw, fields = fact_form(visit, case.definition, known, case.subject.org).read(
        [f for f in fields if f.name.startswith(FACT)], visit.say
    )
    fields += step_fields(visit, case, facts, step, form)[-2:]
    on, error = read_day(form.get(ON), visit.say)
    if error:
        fields[-1] = replace(fields[-1], error=error)
    if any(f.error for f in fields):
        return _step_page(visit, fields, 400, said=visit.say("Look at the fields marked below."))
    if _weighty(case, step) and form.get("confirmed") != "yes":
        reason = form.get(REASON).strip() or None
        given = {case.subject.id: raw}
        tried = visit.service.tries.steps([case.subject.id], step.trigger, given, visit.by(), on=on, reason=reason)[0]
        if tried.allowed and tried.decision is not None:
            return _confirm(visit, case, step, tried.decision)
    command = Move(
        subject=case.subject.id,
        trigger=step.trigger,
        facts=raw,
        on=on,
        reason=form.get(REASON).strip() or None,
        version=_version(form),
    )
    try:
        answer = visit.service.move(command, visit.by_form())
    except Conflict:
        return _conflict(visit, fields)
    except BadInput as bad:
        return _step_page(visit, *_placed(visit, fields, bad))
    if not answer.allowed:
        text = visit.say("The rules refused this step; nothing was changed. What stands in the way is marked below.")
        return _step_page(visit, fields, 422, said=text, answer=answer)
    label = visit.teller.trigger(case.definition, step.trigger)
    text = visit.say("Recorded: {step}, {title}.", step=label, title=title_of(visit, case))
    return visit.redirect(f"/subjects/{case.subject.id}", Said(text, undo=f"/subjects/{case.subject.id}/undo"))


def check(visit: Visit) -> Response:
    """Says what the rules make of what is typed so far; nothing is written, not even that it was tried."""
    case, facts, prospect = visit.service.desk.prospect(visit.path("subject"), visit.path("trigger"), visit.by())
    step, form = prospect.step, visit.form
    if step.by_clock or step.batch is not None:
        raise NotFound("There is no such page.")
    known = {n: v for n, v in facts.items() if n not in step.asks_anew}
    fields = [f for f in step_fields(visit, case, facts, step, form) if f.name.startswith(FACT)]
    raw, fields = fact_form(visit, case.definition, known, case.subject.org).read(fields, visit.say)
    on, error = read_day(form.get(ON), visit.say)
    wrong = [f"{f.label}: {f.error}" for f in fields if f.error and f.value.strip()] + ([error] if error else [])
    reason = form.get(REASON).strip() or None
    tried = visit.service.tries.steps(
        [case.subject.id], step.trigger, {case.subject.id: raw}, visit.by(), on=on, reason=reason
    )[0]
    if tried.error is not None:
        wrong.append(error_text(tried.error, visit.lang))
    judged = tried.decision.judgements if tried.decision is not None else ()
    breaches = tried.decision.breaches if tried.decision is not None else ()
    guards = _guards(visit, case.definition, judged, breaches)
    return visit.page("rules.html", guards=guards, wrong=wrong)


def _placed(visit: Visit, fields: Sequence[Field], error: BadInput) -> tuple[list[Field], int]:
    """Returns the fields with what is wrong beside the right one, and the status; else raises the error."""
    fact = str(error.params.get("fact", "")).partition(":")[0]
    placed, found = beside(fields, fact, error_text(error, visit.lang))
    if not found and error.message.startswith(("on:", "{trigger}")):
        placed, found = beside([replace(f, error="") for f in fields], ON, error_text(error, visit.lang))
    if not found:
        raise error
    return placed, 400


def _weighty(case: Case, step: Step) -> bool:
    """Tells whether a step is shown once more before it is recorded: it clears, ends, or goes over to another unit."""
    ends = any(t in case.definition.final for t, _ in step.targets)
    return bool(step.clears.cycles or ends or step.belongs_to)


def _confirm(visit: Visit, case: Case, step: Step, decision: Decision) -> Response:
    """Shows what a step that its rules allow will do; one that they refuse is refused at once."""
    definition = case.definition
    told: list[str] = []
    if decision.to is not None and decision.to != case.subject.state:
        told.append(visit.say("Then it stands at: {state}", state=visit.teller.state(definition, decision.to)))
    if step.belongs_to is not None and isinstance(unit := decision.facts.get(step.belongs_to), str):
        told.append(visit.say("Then it belongs to: {unit}", unit=visit.values.unit_apart(unit)))
    cleared = [f for f in case.subject.facts if definition.file.facts[f].cycle in step.clears.cycles]
    if cleared:
        what = visit.teller.facts(definition, cleared)
        told.append(visit.say("These become unknown, and stay in the history: {what}", what=what))
    if step.opens is not None:
        with visit.service.work() as work:
            loaded = work.library.workflows
            other = work.library.newest(step.opens[0]).file.title.of(visit.lang) if step.opens[0] in loaded else ""
        if other:
            told.append(visit.say("Another procedure begins: {what}", what=other))
    return visit.page(
        "confirm.html",
        heading=visit.teller.trigger(definition, step.trigger),
        title=title_of(visit, case),
        told=told,
        button=visit.say("Record it"),
        action=str(visit.request.url.path),
        back=f"/subjects/{case.subject.id}",
        pairs=visit.form.input,
        version=visit.form.get("version"),
        risk=bool(cleared),
    )


def _version(form: Form) -> int | None:
    text = form.get("version")
    return int(text) if text.isdigit() and len(text) < 10 else None


def _conflict(visit: Visit, fields: Sequence[Field]) -> Response:
    """Shows what the other person changed beside what was typed here; sending it again is a choice."""
    dossier = visit.service.desk.dossier(visit.path("subject"), visit.by())
    seen = _version(visit.form) or 0
    theirs = []
    for entry in dossier.history[::-1][: max(1, dossier.case.subject.version - seen)]:
        facts = [n for n in visit.teller.entry(entry)["facts"] if n in dossier.case.definition.file.facts]
        trigger = visit.teller.entry(entry)["trigger"] or ""
        theirs.append(
            {
                "at": entry.at,
                "by": visit.officer_name(entry.actor),
                "what": visit.teller.trigger(dossier.case.definition, trigger)
                if trigger != "set"
                else visit.say("Facts written"),
                "facts": visit.teller.facts(dossier.case.definition, facts),
            }
        )
    definition = dossier.case.definition
    rows = []
    for f in fields:
        fact = f.name.removeprefix(FACT).partition(".")[0]
        if not f.name.startswith(FACT) or not f.value or fact in definition.sensitive:
            continue
        stands = dossier.facts.get(fact)
        text = "" if isinstance(stands, dict) else visit.values.text(definition, fact, stands)
        mine = next((label for key, label in f.options if key == f.value), f.value)
        if text != mine:
            rows.append({"label": f.label, "mine": mine, "theirs": text})
    return visit.page(
        "conflict.html",
        409,
        title=title_of(visit, dossier.case),
        subject=dossier.case.subject,
        theirs=theirs,
        rows=rows,
        action=str(visit.request.url.path),
        pairs=visit.form.input,
    )


# ---- facts ----


def _wanted(definition: Definition, names: str) -> list[str]:
    """Returns the facts that an address names, or all that may be written."""
    spec = definition.file.facts
    wanted = [n for n in names.split("+") if n in spec] if names else list(spec)
    return [n for n in wanted if not spec[n].worked_out and not spec[n].fixed]


def show_facts(visit: Visit) -> Response:
    """Shows the form of facts."""
    return _facts_page(visit, None, 200)


def _facts_page(visit: Visit, fields: Sequence[Field] | None, status: int, said: str = "") -> Response:
    dossier = visit.service.desk.dossier(visit.path("subject"), visit.by())
    case = dossier.case
    names = _wanted(case.definition, visit.request.path_params.get("names", ""))
    if not names:
        raise NotFound("There is no such page.")
    if fields is None:
        made = fact_form(visit, case.definition, dossier.facts, case.subject.org)
        typed = visit.form if visit.form.pairs else None
        fields = [*made.fields(names, form=typed), _reason(visit, visit.form.get(REASON))]
    return visit.page(
        "facts.html",
        status,
        subject=case.subject,
        title=title_of(visit, case),
        fields=fields,
        said_late=said,
        version=_seen(visit, case),
        action=str(visit.request.url.path),
    )


def _reason(visit: Visit, value: str) -> Field:
    return Field(name=REASON, label=visit.say("Reason of the correction, if it is one"), kind="lines", value=value)


def write_facts(visit: Visit) -> Response:
    """Writes facts."""
    dossier = visit.service.desk.dossier(visit.path("subject"), visit.by())
    case, form = dossier.case, visit.form
    names = _wanted(case.definition, visit.request.path_params.get("names", ""))
    made = fact_form(visit, case.definition, dossier.facts, case.subject.org)
    raw, read = made.read([f for f in made.fields(names, form=form) if form.has(f.name)], visit.say)
    fields = [*read, _reason(visit, form.get(REASON))]
    if any(f.error for f in fields):
        return _facts_page(visit, fields, 400, visit.say("Look at the fields marked below."))
    if not raw:
        return visit.redirect(f"/subjects/{case.subject.id}", Said(visit.say("Nothing was changed."), "soon"))
    command = SetFacts(
        subject=case.subject.id, facts=raw, reason=form.get(REASON).strip() or None, version=_version(form)
    )
    try:
        visit.service.set_facts(command, visit.by_form())
    except Conflict:
        return _conflict(visit, fields)
    except BadInput as bad:
        return _facts_page(visit, *_placed(visit, fields, bad))
    what = visit.teller.facts(case.definition, raw)
    return visit.redirect(f"/subjects/{case.subject.id}", Said(visit.say("Written: {what}.", what=what)))


# ---- undo ----


def show_undo(visit: Visit) -> Response:
    """Shows what would be undone, and asks why."""
    return _undo_page(visit, "", 200)


def _undo_page(visit: Visit, error: str, status: int) -> Response:
    dossier = visit.service.desk.dossier(visit.path("subject"), visit.by())
    case = dossier.case
    field: dict[str, Any] = {"name": REASON, "label": visit.say("Reason"), "kind": "lines", "required": True}
    return visit.page(
        "undo.html",
        status,
        subject=case.subject,
        title=title_of(visit, case),
        field=Field(**field, value=visit.form.get(REASON), error=error),
        version=case.subject.version,
    )


def undo(visit: Visit) -> Response:
    """Undoes the last step by an entry that takes it back."""
    subject, reason = visit.path("subject"), visit.form.get(REASON).strip()
    if not reason:
        return _undo_page(visit, visit.say("This is needed."), 400)
    answer = visit.service.undo(Undo(subject=subject, reason=reason, version=_version(visit.form)), visit.by_form())
    text = visit.say("The last step is undone.")
    if answer.sent:
        text += " " + visit.say("Notices sent already, which may need a correction: {n}.", n=len(answer.sent))
    with visit.service.work() as work:
        gone = work.case(subject).subject.state == "void"
    return visit.redirect("/" if gone else f"/subjects/{subject}", Said(text))
