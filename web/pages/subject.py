"""A subject's page: where it stands, what may happen next and why not, facts, papers, what happened, notices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from markupsafe import Markup
from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.asking import Prospect
from engine.core import events
from engine.core.diagram import svg
from engine.core.events import Entry
from engine.core.machine import Definition
from engine.core.marks import Corrected
from engine.core.values import Value
from engine.doors.desk import Dossier
from engine.work import Case
from web.access import READS
from web.named import fact_text, has_forms, named
from web.pages.home import title_of
from web.shown import day, entries
from web.site import Site, Visit

OPEN = "opened"  # on the shelf: sensitive facts opened on this subject's page, for the next showing only
LINES = 12  # of what happened, on the page itself


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/subjects/{subject}", show, READS),
        site.post("/subjects/{subject}/open", uncover, READS),
        site.get("/subjects/{subject}/history", show_history, READS),
    ]


def show(visit: Visit) -> Response:
    """Shows the page."""
    dossier = visit.service.desk.dossier(visit.path("subject"), visit.by())
    case = dossier.case
    opened = visit.site.shelf.take(visit.session.row.id, f"{OPEN}:{case.subject.id}") or ()
    shown = visit.site.pages.of(case.subject.workflow)
    return visit.page(
        "subject.html",
        case=case,
        definition=case.definition,
        subject=case.subject,
        title=title_of(visit, case),
        state=visit.teller.state(case.definition, case.subject.state),
        head=[t for f in shown.head if (t := _plain(visit, dossier, f))],
        stages=stages(visit, dossier),
        steps=[step_shown(visit, case, p) for p in dossier.prospects if not p.step.by_clock],
        clock=[step_shown(visit, case, p) for p in dossier.prospects if p.step.by_clock],
        groups=groups(visit, dossier, frozenset(opened)),
        covered=bool(case.definition.sensitive),
        purposes={k: t.of(visit.lang) for k, t in visit.site.pages.purposes.items()},
        papers=[papers(visit, dossier, f) for f in shown.papers if f in case.definition.file.facts],
        timeline=timeline(visit, dossier)[:LINES],
        more=max(0, len(dossier.history) - LINES),
        drawing=Markup(svg(case.definition, visit.lang, here=case.subject.state)),  # noqa: S704 - our own drawing, every text in it is escaped
        notices=notices(visit, dossier),
        may_undo=case.subject.version > 0,
        **named(visit, case),
        has_forms=has_forms(visit, case.subject.workflow),
    )


def show_history(visit: Visit) -> Response:
    """Shows everything that happened."""
    dossier = visit.service.desk.dossier(visit.path("subject"), visit.by())
    case = dossier.case
    lines = timeline(visit, dossier)
    return visit.page("history.html", subject=case.subject, title=title_of(visit, case), timeline=lines)


def _plain(visit: Visit, dossier: Dossier, fact: str) -> str:
    definition = dossier.case.definition
    if fact in definition.sensitive or fact not in dossier.facts:
        return ""
    text, _ = fact_text(visit, definition, fact, dossier.facts[fact])
    return f"{definition.file.facts[fact].label.of(visit.lang)}: {text}" if text else ""


# ---- where it stands ----


def stages(visit: Visit, dossier: Dossier) -> list[dict[str, str]]:
    """Returns the rail: the states passed on the way, where it is, and what is still to come."""
    definition, subject = dossier.case.definition, dossier.case.subject
    order = list(visit.site.pages.of(definition.workflow).rail) or list(definition.file.states)
    if subject.state not in order:
        order = [s for s in order if s in _entered(dossier)] + [subject.state]
    here = order.index(subject.state)
    entered = _entered(dossier)
    found = []
    for at, state in enumerate(order):
        kind = "here" if at == here else "past" if at < here else "next"
        note = visit.say("since {day}", day=day(subject.entered_on)) if at == here else day(entered.get(state))
        found.append(
            {"label": visit.teller.state(definition, state), "note": note if kind != "next" else "", "kind": kind}
        )
    return found


def _entered(dossier: Dossier) -> Mapping[str, str]:
    """Returns the day on which each state was last entered."""
    found: dict[str, str] = {}
    for entry in dossier.history:
        if entry.kind in events.CHANGING and entry.to is not None and entry.to != entry.source:
            found[entry.to] = entry.on or entry.at
    return found


# ---- what may happen next ----


def step_shown(visit: Visit, case: Case, p: Prospect) -> dict[str, Any]:
    """Returns a step as the page shows it: may it be taken, by whom, and each criterion with how it is mended."""
    definition = case.definition
    told = visit.teller.prospect(definition, case.subject, p)
    order = ("fail", "unknown", "pass")
    guards = sorted(told["guards"], key=lambda g: order.index(g["result"]))
    for guard in guards:
        guard["said"] = _said(visit, definition, guard)
        guard["mends"] = mending(definition, p, guard["rule"])
        guard["law"] = law(definition, guard["rule"])
    counts = {r: sum(g["result"] == r and g["kind"] != "warn" for g in guards) for r in order}
    denied = "" if p.denied is None else told["next"][0]
    return {
        **told,
        "guards": guards,
        "counts": counts,
        "refused": denied,
        "href": f"/subjects/{case.subject.id}/{'steps' if p.step.batch is None else 'sheets'}/{p.step.trigger}",
        "wants": visit.teller.facts(definition, told["asks"]),
        "hint": visit.teller.invalid(p.invalid) if p.invalid is not None else "",
    }


def law(definition: Definition, rule: str) -> str:
    """Returns where a rule stands with all its versions and sources."""
    return f"/procedures/{definition.workflow}#rule-{rule}"


def _said(visit: Visit, definition: Definition, guard: Mapping[str, Any]) -> str:
    """Returns the values a rule looked at, without those that are covered."""
    facts = definition.file.facts
    told = []
    for name in guard["facts"]:
        head = name.partition(".")[0]
        if head not in facts or head in definition.sensitive:
            continue
        stored = guard["facts"][name]
        if stored is None:
            told.append(visit.say("{what}: not known yet", what=visit.teller.fact(definition, name)))
        elif not isinstance(stored, dict):
            told.append(f"{visit.teller.fact(definition, name)}: {_value(visit, definition, head, name, stored)}")
    return "; ".join(told[:6])


def _value(visit: Visit, definition: Definition, head: str, name: str, stored: Any) -> str:
    type_ = definition.types[head]
    if "." in name:
        return day(stored) if type_.of is not None and type_.of.name == "date" else str(stored)
    if type_.name == "date":
        return day(stored)
    return visit.values.text(definition, head, stored)


def mending(definition: Definition, p: Prospect, rule: str) -> list[str]:
    """Returns the facts by which a rule that does not hold may be mended: those missing, else those that it reads."""
    found = next((j for j in (p.decision.judgements if p.decision is not None else ()) if j.rule.id == rule), None)
    if found is None or found.result == "pass":
        return []
    names = found.missing or tuple(found.rule.reads)
    heads = dict.fromkeys(n.partition(".")[0] for n in names)
    spec = definition.file.facts
    return [n for n in heads if n in spec and not spec[n].worked_out and not spec[n].fixed]


# ---- facts and papers ----


def groups(visit: Visit, dossier: Dossier, opened: Iterable[str]) -> list[dict[str, Any]]:
    """Returns the facts by group; what is sensitive stays covered unless it was opened for this showing."""
    definition = dossier.case.definition
    shown = visit.site.pages.of(definition.workflow)
    names: dict[str, list[dict[str, Any]]] = {g: [] for g in shown.groups}
    for fact, spec in definition.file.facts.items():
        if fact in shown.papers or fact == definition.file.title_fact or spec.keys in ("subjects", "orgs"):
            continue  # what has a place of its own
        value: Value | None = dossier.facts.get(fact)
        covered = spec.sensitive and fact not in set(opened) and value is not None
        text, href = ("", "") if covered else fact_text(visit, definition, fact, value)
        if not text and not covered:
            continue
        row = {"fact": fact, "label": spec.label.of(visit.lang), "text": text, "href": href, "covered": covered}
        names.setdefault(spec.group or "", []).append(row)
    return [
        {"label": shown.groups[g].of(visit.lang) if g in shown.groups else visit.say("Facts"), "rows": rows}
        for g, rows in names.items()
        if rows
    ]


def papers(visit: Visit, dossier: Dossier, fact: str) -> dict[str, Any]:
    """Returns a map fact as a checklist: what is there with its date, and what is not."""
    definition = dossier.case.definition
    held = dossier.facts.get(fact)
    have = held if isinstance(held, dict) else {}
    idle = dossier.idle.get(fact, frozenset())
    rows = [
        {"label": entry.label.of(visit.lang), "text": visit.values.plain(have.get(key)), "idle": key in idle}
        for key, entry in entries(definition, fact).items()
    ]
    until = dossier.facts.get(visit.site.pages.of(definition.workflow).papers_until.get(fact, ""))
    return {
        "fact": fact,
        "label": definition.file.facts[fact].label.of(visit.lang),
        "missing": [r for r in rows if not r["text"] and not r["idle"]],
        "there": [r for r in rows if r["text"]],
        "idle": [r for r in rows if not r["text"] and r["idle"]],
        "all": sum(bool(r["text"]) or not r["idle"] for r in rows),
        "until": until if isinstance(until, date) else None,
    }


def uncover(visit: Visit) -> Response:
    """Opens sensitive facts for one showing; that they were, by whom and what for, is recorded first."""
    subject = visit.path("subject")
    facts = visit.form.all("fact")
    purpose = visit.form.get("purpose")
    wanted = visit.site.pages.purposes.get(purpose)
    said = wanted.of("vi") if wanted is not None else visit.form.get("why").strip()[:200]
    visit.service.desk.opened(subject, said, visit.by())
    visit.site.shelf.put(visit.session.row.id, f"{OPEN}:{subject}", tuple(facts))
    return visit.redirect(f"/subjects/{subject}#facts")


# ---- what happened, and what was told ----


def timeline(visit: Visit, dossier: Dossier) -> list[dict[str, Any]]:
    """Returns what happened, newest first: when it did, what, and when it was written down by whom."""
    definition = dossier.case.definition
    undone = {e.undoes for e in dossier.history if e.undoes}
    marks = visit.service.past.marks(dossier.case.subject.id)
    found = []
    for entry in reversed(dossier.history):
        told = visit.teller.entry(entry)
        facts = {n: v for n, v in told["facts"].items() if n in definition.file.facts}
        found.append(
            {
                "on": entry.happened or entry.on,
                "at": entry.at,
                "late": _late(visit, entry.happened or entry.on, entry.entered)
                if entry.restored or not entry.history
                else 0,
                "past": entry.history,
                "entered": entry.entered if entry.entered != entry.at else None,
                "corrected": _corrected(visit, definition, marks[entry.id].corrects) if entry.id in marks else [],
                "what": _what(visit, definition, entry.kind, told["trigger"]),
                "facts": visit.teller.facts(definition, facts),
                "reason": told["reason"] or "",
                "by": _who(visit, entry),
                "behalf": visit.officer_name(entry.behalf),
                "undone": entry.id in undone,
                "rules": _judged(visit, definition, entry),
                "breaches": [
                    definition.file.rules[r].label.of(visit.lang) for r in entry.breaches if r in definition.rules
                ],
            }
        )
    return found


def _who(visit: Visit, entry: Entry) -> str:
    """Returns who wrote it down; of what an export brought, who did it there."""
    persons = (entry.actor,) if entry.actor is not None else entry.persons
    return ", ".join(visit.officer_name(p) for p in persons) or visit.say("the clock")


def _judged(visit: Visit, definition: Definition, entry: Entry) -> list[dict[str, str]]:
    """Returns the rules that were judged at a step, each with its result and the version of that day."""
    results = {"pass": visit.say("met"), "fail": visit.say("not met"), "unknown": visit.say("not known")}
    found = []
    for rule, _, result, first in (map(str, r) for r in entry.rules):
        spec = definition.rules.get(rule)
        found.append(
            {
                "label": spec.label.of(visit.lang) if spec is not None else rule,
                "law": law(definition, rule) if spec is not None else "",
                "result": results.get(result, result),
                "first": first if first != "None" else "",
            }
        )
    return found


def _corrected(visit: Visit, definition: Definition, corrects: Iterable[Corrected]) -> list[dict[str, str]]:
    """Returns the values that an entry puts right: what stood before, what stands now; sensitive ones stay covered."""
    found = []
    for one in corrects:
        head = one.fact.partition(".")[0]
        if head not in definition.types:
            continue
        covered = head in definition.sensitive
        was, now = ("·····" if covered else _value(visit, definition, head, one.fact, v) for v in (one.was, one.now))
        found.append({"label": visit.teller.fact(definition, one.fact), "was": was, "now": now})
    return found


def _late(visit: Visit, on: str | None, at: str) -> int:
    if not on:
        return 0
    happened = date.fromisoformat(on)
    recorded = visit.calendar.day_of(events.unstamp(at))
    return max(0, visit.calendar.working_days_between(happened, recorded)) if recorded > happened else 0


def _what(visit: Visit, definition: Definition, kind: str, trigger: str | None) -> str:
    own = {
        events.FACTS_SET: visit.say("Facts written"),
        events.UNDONE: visit.say("A step undone"),
        events.VOIDED: visit.say("The beginning undone"),
        events.TAKEN_OVER: visit.say("Taken over by another unit"),
        events.NOTICE: visit.say("A notice"),
    }
    if kind in own:
        return own[kind]
    label = visit.teller.trigger(definition, trigger or "")
    if kind == events.REFUSED:
        return visit.say("{step}: refused by the rules", step=label)
    if kind == events.DENIED:
        return visit.say("{step}: tried by somebody who may not", step=label)
    return label


def notices(visit: Visit, dossier: Dossier) -> list[dict[str, str]]:
    """Returns the notices about a subject: those to come first, then those sent, newest first."""
    rules = dossier.case.definition.file.notices
    found = [
        {
            "at": visit.teller.time(at) or "",
            "when": visit.say("to be sent"),
            "text": rules[r].label.of(visit.lang),
            "to": "",
        }
        for r, at in sorted(dossier.coming, key=lambda pair: pair[1])
        if r in rules
    ]
    for row, text in sorted(dossier.notices, key=lambda pair: pair[0].due_at, reverse=True):
        found.append(
            {
                "at": visit.teller.time(row.sent_at or row.due_at) or "",
                "when": visit.say(row.state),
                "text": text.get("subject_line", "") or row.rule,
                "to": visit.officer_name(row.recipient),
            }
        )
    return found[:20]
