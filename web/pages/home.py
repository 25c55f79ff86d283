"""What waits for the officer, by urgency, each with the one button that does it; and what changed since last time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.doors.desk import COUNTED, MOST, News, Waiting
from engine.work import Case
from web.access import SIGNED
from web.asked import page_asked
from web.shown import period
from web.site import Site, Visit

NAME = "home"  # by which a menu leads here
AHEAD = timedelta(days=31)
NEWS, ALL_NEWS = 12, 500


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing to do as the page shows it."""

    due: date | None
    title: str
    detail: str
    href: str
    button: str
    to: str


def routes(site: Site) -> list[BaseRoute]:
    """Returns the route."""
    return [site.get("/", show, SIGNED, name=NAME)]


def show(visit: Visit) -> Response:
    """Shows what waits."""
    by, today = visit.by(), visit.today
    steps = {w: s.waiting for w, s in visit.site.pages.workflows.items()}
    page = page_asked(visit)
    waiting, more = visit.service.desk.waiting(by, today + AHEAD, steps, page)
    week_ends = today + timedelta(days=6 - today.weekday())
    parts: dict[str, list[Item]] = {"late": [], "week": [], "month": []}
    for w in waiting:
        assert w.due is not None
        ends = steps.get(w.case.subject.workflow, {}).get(w.rule, "")
        parts["late" if w.due < today else "week" if w.due <= week_ends else "month"].append(_item(visit, w, ends))
    session = visit.session.row
    every = visit.request.query_params.get("news") == "all"
    news, older = visit.service.desk.news(by, session.seen_seq, ALL_NEWS if every else NEWS)
    return visit.page(
        "home.html",
        parts=parts,
        titles={"late": visit.say("Overdue"), "week": visit.say("This week"), "month": visit.say("This month")},
        page_number=page,
        looked_at=((page - 1) * MOST + 1, page * MOST),
        more=more,
        counted=COUNTED,
        news=[_news(visit, n) for n in news],
        older=older,
    )


def title_of(visit: Visit, case: Case) -> str:
    """Returns what people call a subject: its name, or what its workflow is called, its period and where it lives."""
    named = visit.teller.title(case.definition, case.subject.facts)
    if named:
        return named
    borrowed = next((v for n, v in case.subject.borrowed.items() if case.definition.types[n].name == "text"), None)
    if isinstance(borrowed, str):
        return borrowed
    definition, facts = case.definition, case.subject.facts
    apart = [n for n in definition.file.unique if n in facts]  # of a unit's plans, that of 2025
    told = " ".join(period(visit.values.text(definition, n, facts[n])) for n in apart)
    return f"{definition.file.title.of(visit.lang)}{f' {told}' if told else ''}, {visit.values.unit(case.subject.org)}"


def _item(visit: Visit, w: Waiting, ends: str) -> Item:
    """Returns a thing to do. `ends` is what ends it by the pages' file: a step, or a fact that is written."""
    definition, subject = w.case.definition, w.case.subject
    href = f"/subjects/{subject.id}"
    notice = definition.file.notices[w.rule].label.of(visit.lang)
    button, to = visit.say("Look at it"), href
    if w.step:
        button = visit.teller.trigger(definition, w.step)
        to = f"{href}/{'steps' if definition.steps[w.step].batch is None else 'sheets'}/{w.step}"
    elif ends in definition.file.facts:
        button = visit.say("Record: {what}", what=definition.file.facts[ends].label.of(visit.lang))
        to = f"{href}/facts/{ends}"
    return Item(
        due=w.due,
        title=f"{title_of(visit, w.case)}: {notice}",
        detail=f"{visit.values.unit(subject.org)} · {visit.teller.state(definition, subject.state)}",
        href=href,
        button=button,
        to=to,
    )


def _news(visit: Visit, news: News) -> dict[str, str]:
    entry, case = news.entry, news.case
    actor = visit.officer_name(entry.actor)
    done = visit.teller.entry(entry)["trigger"] or ""
    labels = {"set": visit.say("Facts written"), "undo": visit.say("A step undone"), "merge": visit.say("Taken over")}
    step = labels.get(done) or visit.teller.trigger(case.definition, done)
    return {
        "at": entry.at,
        "href": f"/subjects/{case.subject.id}",
        "title": title_of(visit, case),
        "what": step,
        "by": actor or visit.say("the clock"),
    }
