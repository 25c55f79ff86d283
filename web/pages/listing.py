"""The list of a workflow's subjects: a board by state, a table narrowed and ordered, views kept, a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine import listing
from engine.core.errors import BadInput, NotFound
from engine.core.machine import Definition
from engine.doors.lists import Asked, Row
from engine.store.rows import Order
from reports.handing import MEDIA_TYPES, give
from reports.rows_given import Given, report_of
from web.access import Listed
from web.pages.home import title_of
from web.pages.start import start_label
from web.pages_file import ListPage, Narrow
from web.shown import age, entries, order_key
from web.site import Said, Site, Visit
from web.words import error_text

NAME = "list"
PAGE = 50  # rows of a page
EXPORTED = 20_000  # rows of a file
SOON = timedelta(days=30)
WEEK = timedelta(days=7)
ORDERS: Mapping[str, Order] = {"name": "name", "due": "due", "entered": "entered"}
EVERY = "*"  # every state, also those in which a subject has ended

View = dict[str, Any]


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    here, need = "/list/{workflow}", Listed(NAME)
    return [
        site.get("/list", first, need, name=NAME),
        site.post("/find", find, need),
        site.get(here, show, need),
        site.post(here, narrow, need),
        site.get(here + "/after/{subject}", show, need),
        site.get(here + "/at/{state}", at_state, need),
        site.get(here + "/at/{state}/after/{subject}", at_state, need),
        site.get(here + "/view/{view}", show, need),
        site.get(here + "/view/{view}/after/{subject}", show, need),
        site.post(here + "/file", export, need),
        site.post(here + "/saved", save, need),
        site.get(here + "/saved/{id}", open_saved, need),
        site.get(here + "/saved/{id}/after/{subject}", open_saved, need),
        site.post(here + "/saved/{id}/forget", forget, need),
    ]


# ---- which list ----


def listed(visit: Visit) -> dict[str, ListPage]:
    """Returns the lists there are, by workflow."""
    with visit.service.work() as work:
        known = work.library.all_newest()
    pages = visit.site.pages.workflows
    return {
        w: s.list for w, s in pages.items() if s.list is not None and w in known and known[w].file.listing is not None
    }


def the_list(visit: Visit) -> tuple[Definition, ListPage]:
    """Returns the workflow of the address, and its list. Raises NotFound."""
    workflow = visit.path("workflow")
    page = listed(visit).get(workflow)
    if page is None:
        raise NotFound("There is no such page.")
    with visit.service.work() as work:
        return work.library.newest(workflow), page


def first(visit: Visit) -> Response:
    """Leads to the first list."""
    for workflow in listed(visit):
        return visit.redirect(f"/list/{workflow}")
    raise NotFound("There is no such page.")


def find(visit: Visit) -> Response:
    """Finds by name, from the box on top of every page."""
    for workflow in listed(visit):
        view = usual() | {"text": visit.form.get("q").strip()[:200], "states": EVERY}
        return visit.redirect(f"/list/{workflow}/view/{visit.keep(view)}")
    raise NotFound("There is no such page.")


# ---- what is asked ----


def usual() -> View:
    """Returns what a list shows before anybody asks."""
    return {"unit": "", "states": "", "text": "", "marks": [], "missing": "", "due": "", "order": "name"}


def _view(visit: Visit) -> View | None:
    id = visit.request.path_params.get("view")
    if id is None:
        return usual()
    kept = visit.kept(id)
    return kept if isinstance(kept, dict) else None


def read_view(visit: Visit, definition: Definition, page: ListPage) -> View:
    """Returns what the form asks for; what is no choice of the page is left out."""
    form, made = visit.form, choices(visit, definition, page)
    marks = [v for f in made["narrow"] if (v := form.get(f["name"])) in {key for key, _ in f["options"]} and v]
    return {
        "unit": _one_of(form.get("unit"), made["units"]),
        "states": _one_of(form.get("states"), made["states"]),
        "text": form.get("text").strip()[:200],
        "marks": marks,
        "missing": _one_of(form.get("missing"), made["missing"]),
        "due": _one_of(form.get("due"), made["due"]),
        "order": _one_of(form.get("order"), made["order"]) or "name",
    }


def _one_of(value: str, options: Sequence[tuple[str, str]]) -> str:
    return value if any(value == key for key, _ in options) else ""


def asked_of(visit: Visit, definition: Definition, view: View) -> Asked:
    """Returns the question that a view puts."""
    states = view["states"]
    still = tuple(s for s in definition.file.states if s not in definition.final)
    today = visit.today
    since, until = {
        "late": (None, today - timedelta(days=1)),
        "week": (today, today + WEEK),
        "month": (today, today + SOON),
        "any": (None, date.max),
    }.get(view["due"], (None, None))
    marks = [*view["marks"], *([view["missing"]] if view["missing"] else [])]
    return Asked(
        workflow=definition.workflow,
        unit=view["unit"],
        states=() if states == EVERY else (states,) if states else still,
        text=view["text"],
        marks=tuple(marks),
        since=since,
        until=until,
        order=ORDERS.get(view["order"], "name"),
    )


def choices(visit: Visit, definition: Definition, page: ListPage) -> dict[str, Any]:
    """Returns what the form offers: units, states, papers, days, orders, and the page's own filters."""
    say, tree = visit.say, visit.values.tree
    mine = visit.service.lists.units(visit.by())
    units = sorted(((u, visit.values.unit_apart(u)) for u in mine), key=lambda pair: order_key(pair[1]))
    states = [(s, v.label.of(visit.lang)) for s, v in definition.file.states.items()]
    spec = definition.file.listing
    papers = [
        (f"{listing.MISSING}={key}", entry.label.of(visit.lang))
        for fact in (spec.missing if spec is not None else {})
        for key, entry in entries(definition, fact).items()
    ]
    near = sorted({o for u in mine for o in (u, *(c.id for c in tree.children(u)))} | set(_introducers(visit, mine)))
    return {
        "units": [("", say("All units")), *units] if len(units) > 1 else [],
        "states": [("", say("In progress")), (EVERY, say("All, also ended")), *states],
        "missing": [("", say("All")), (listing.MISSING, say("Papers missing")), *papers] if papers else [],
        "due": [
            ("", say("All")),
            ("late", say("Overdue")),
            ("week", say("In the next 7 days")),
            ("month", say("In the next 30 days")),
            ("any", say("With a date")),
        ],
        "order": [("name", say("By name")), ("due", say("By due day")), ("entered", say("By time in the stage"))],
        "narrow": [_narrow(visit, definition, n, f, near) for n, f in enumerate(page.filters)],
    }


def _introducers(visit: Visit, units: Sequence[str]) -> list[str]:
    """Returns what stands directly below the units above these: organisations beside them."""
    tree = visit.values.tree
    above = {tree.by_id[u].parent for u in units if u in tree.by_id}
    return [c.id for a in above if a is not None for c in tree.children(a)] + [a for a in above if a is not None]


def _narrow(visit: Visit, definition: Definition, n: int, spec: Narrow, near: Sequence[str]) -> dict[str, Any]:
    facts = definition.file.facts
    first_ = spec.facts[0]
    label = (spec.label or facts[first_].label).of(visit.lang)
    options = [("", visit.say("All"))]
    if len(spec.facts) > 1 or facts[first_].type == "bool":
        options += [(listing.mark(f, True), facts[f].label.of(visit.lang)) for f in spec.facts]
    elif facts[first_].type == "choice":
        known = entries(definition, first_)
        options += [(listing.mark(first_, k), e.label.of(visit.lang)) for k, e in known.items()]
    else:
        kinds, by_id = definition.area.kinds(facts[first_].of or []), visit.values.tree.by_id
        there = [(o, by_id[o].name) for o in near if o in by_id and (not kinds or by_id[o].kind in kinds)]
        options += [(listing.mark(first_, o), name) for o, name in sorted(there, key=lambda pair: order_key(pair[1]))]
    return {"name": f"narrow{n}", "label": label, "options": options}


# ---- showing ----


def show(visit: Visit) -> Response:
    """Shows the board and a page of the table."""
    definition, page = the_list(visit)
    if (lost := visit.not_kept(f"/list/{definition.workflow}")) is not None:
        return lost
    view = _view(visit) or usual()
    return shown(visit, definition, page, view)


def at_state(visit: Visit) -> Response:
    """Shows those in one state."""
    definition, page = the_list(visit)
    if visit.path("state") not in definition.file.states:
        raise NotFound("There is no such page.")
    return shown(visit, definition, page, usual() | {"states": visit.path("state")})


def shown(
    visit: Visit, definition: Definition, page: ListPage, view: View, status: int = 200, error: str = ""
) -> Response:
    """Returns the page of a view."""
    by, after = visit.by(), visit.request.path_params.get("subject", "")
    found = visit.service.lists.page(asked_of(visit, definition, view), by, after=after, limit=PAGE)
    made = choices(visit, definition, page)
    base = str(visit.request.url.path).partition("/after/")[0]
    if visit.request.method == "POST":
        base = f"/list/{definition.workflow}/view/{visit.keep(view)}"
    return visit.page(
        "list.html",
        status,
        definition=definition,
        title=page.title.of(visit.lang),
        start=start_label(visit, definition.workflow),
        lists=[(w, p.title.of(visit.lang)) for w, p in listed(visit).items()],
        board=board(visit, definition, page),
        view=view,
        made=made,
        columns=[definition.file.facts[f].label.of(visit.lang) for f in page.columns],
        has_papers=bool(made["missing"]),
        rows=[row_shown(visit, page, r) for r in found.rows],
        steps=steps_offered(visit, definition, page),
        saved=visit.service.lists.saved(definition.workflow, by),
        narrowed=view != usual(),
        started=bool(after),
        back=base,
        next=f"{base}/after/{found.next}" if found.next else "",
        most=EXPORTED,
        error=error,
    )


def board(visit: Visit, definition: Definition, page: ListPage) -> list[dict[str, Any]]:
    """Returns the states with how many stand there, since when the first, and how many are late or soon."""
    counts = {c.state: c for c in visit.service.lists.board(definition.workflow, visit.by(), soon=visit.today + SOON)}
    rail = visit.site.pages.of(definition.workflow).rail or list(definition.file.states)
    found = []
    for state in dict.fromkeys([*rail, *page.board]):
        c = counts.get(state)
        n, late, soon = (c.count, c.late, c.soon) if c is not None else (0, 0, 0)
        since = age(date.fromisoformat(c.oldest), visit.today, visit.translate) if c is not None else ""
        found.append(
            {
                "state": state,
                "label": visit.teller.state(definition, state),
                "count": n,
                "oldest": since if state not in definition.final else "",
                "late": late,
                "soon": soon,
                "wide": [100 * (n - late - soon) // n, 100 * soon // n, 100 * late // n] if n else [0, 0, 0],
                "ended": state in definition.final,
            }
        )
    return found


def row_shown(visit: Visit, page: ListPage, row: Row) -> dict[str, Any]:
    """Returns a row as the table shows it; a fact that is covered is not in it."""
    case = row.case
    definition, subject = case.definition, case.subject
    plain = {n: v for n, v in row.view.items() if n not in definition.covered}
    gone = [e[k].label.of(visit.lang) for f, ks in row.missing.items() if (e := entries(definition, f)) for k in ks]
    rule = definition.file.notices.get(row.rule)
    return {
        "id": subject.id,
        "title": title_of(visit, case),
        "cells": [
            visit.values.text(definition, f, plain.get(f)) if f in definition.types else "" for f in page.columns
        ],
        "unit": visit.values.unit(subject.org),
        "state": visit.teller.state(definition, subject.state),
        "age": age(subject.entered_on, visit.today, visit.translate),
        "missing": gone,
        "papers": bool(row.missing),
        "due": row.due,
        "rule": rule.label.of(visit.lang) if rule is not None else "",
    }


def steps_offered(visit: Visit, definition: Definition, page: ListPage) -> list[tuple[str, str]]:
    """Returns the steps that may be taken for many at once."""
    wanted = page.steps or list(definition.steps)
    offered = [definition.steps[t] for t in wanted if t in definition.steps]
    return [(s.trigger, s.label.of(visit.lang)) for s in offered if not s.by_clock and s.batch is None]


# ---- asking ----


def narrow(visit: Visit) -> Response:
    """Keeps what the form asks for, and leads to it: nothing that was typed stands in the address."""
    definition, page = the_list(visit)
    if visit.form.get("clear"):
        return visit.redirect(f"/list/{definition.workflow}")
    return visit.redirect(f"/list/{definition.workflow}/view/{visit.keep(read_view(visit, definition, page))}")


def save(visit: Visit) -> Response:
    """Keeps a view under a name; what was searched for by name is left out, for it may name somebody."""
    definition, page = the_list(visit)
    view = read_view(visit, definition, page)
    try:
        id = visit.service.lists.save(definition.workflow, visit.form.get("name"), view | {"text": ""}, visit.by())
    except BadInput as error:
        return shown(visit, definition, page, view, 400, error_text(error, visit.lang))
    return visit.redirect(f"/list/{definition.workflow}/saved/{id}", Said(visit.say("The filter is kept.")))


def open_saved(visit: Visit) -> Response:
    """Leads to a view that was kept."""
    definition, page = the_list(visit)
    for kept in visit.service.lists.saved(definition.workflow, visit.by()):
        if kept.id == visit.path("id"):
            view = usual() | {k: v for k, v in kept.view.items() if k in usual()}
            return shown(visit, definition, page, view)
    raise NotFound("There is no such page.")


def forget(visit: Visit) -> Response:
    """Keeps a view no longer."""
    definition, _ = the_list(visit)
    visit.service.lists.forget(definition.workflow, visit.path("id"), visit.by())
    return visit.redirect(f"/list/{definition.workflow}", Said(visit.say("The filter is kept no longer.")))


def export(visit: Visit) -> Response:
    """Gives the list as a file; the trail notes who took it, with how many rows."""
    definition, page = the_list(visit)
    view = read_view(visit, definition, page)
    facts = definition.file.facts
    say = visit.say
    columns = [say("Name"), *(facts[f].label.of(visit.lang) for f in page.columns), say("Unit"), say("Stage"),
               say("In the stage since"), say("Papers missing"), say("Due"), say("What is due")]  # fmt: skip
    try:
        rows = [
            _cells(visit, page, r)
            for r in visit.service.lists.every(asked_of(visit, definition, view), visit.by(), most=EXPORTED)
        ]
    except BadInput as error:
        return shown(visit, definition, page, view, 400, error_text(error, visit.lang))
    given = Given(
        id=f"list_{definition.workflow}",
        title=page.title.of(visit.lang),
        issuer=visit.values.unit(visit.session.officer.org),
        sandbox=say("This is a sandbox: nothing here is real, and its clock may be set.") if visit.site.sandbox else "",
        made_at=visit.now,
        columns=columns,
        rows=rows,
        number=say("No."),
        page=say("Page {page} of {pages}"),
        lang=visit.lang,
    )
    file = give(visit.service, report_of(given), "xlsx", visit.by())
    response = visit.finish(Response(file.data, media_type=MEDIA_TYPES["xlsx"]))
    name = f"{definition.workflow}-{visit.today.isoformat()}.xlsx"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _cells(visit: Visit, page: ListPage, row: Row) -> list[Any]:
    told = row_shown(visit, page, row)
    definition = row.case.definition
    days = [row.view.get(f) if definition.types[f].name == "date" else t
            for f, t in zip(page.columns, told["cells"], strict=True)]  # fmt: skip
    return [
        told["title"], *days, told["unit"], told["state"], row.case.subject.entered_on, "; ".join(told["missing"]),
        row.due, told["rule"],
    ]  # fmt: skip
