"""Organisations: the tree as of a day, how each came to be as it is, and what changes them, with day and decision."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.authority import Org, Tree
from engine.core.collation import text_key
from engine.core.errors import BadInput, NotFound
from engine.doors.organisations import standing
from web.access import Listed, May
from web.asked import Asked
from web.changing import CHANGES, ID, At, Change, markable
from web.forms import Field, read_day
from web.resuming import resuming
from web.site import Said, Site, Visit
from web.words import error_text

NAME = "organisations"


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    keeps = May("organisations")
    return [
        site.get("/organisations", show_all, Listed(NAME), name=NAME),
        site.get("/organisations/{org}", show, Listed(NAME)),
        site.get("/organisations/{org}/{change}", ask, keeps),
        site.post("/organisations/{org}/{change}", resuming(ask, record), keeps),
    ]


# ---- showing ----


def show_all(visit: Visit) -> Response:
    """Shows the tree as it stands on a day."""
    typed = str(visit.request.query_params.get("on", ""))[:20]
    on, error = read_day(typed, visit.say)
    day, tree = visit.service.organisations.on(on)
    orgs = standing(tree, day)
    rows = [{"org": o, "depth": min(len(tree.path(o.id)) - 1, 4), "kind": kind(visit, o.kind)} for o in orgs]
    field = Field(name="on", label=visit.say("As it stood on"), kind="day", value=typed, error=error)
    found = visit.may(NAME)
    top = next((o.id for o in orgs if o.parent is None), None)
    return visit.page("organisations.html", rows=rows, on=day, field=field, found=found and top is not None, top=top)


def kind(visit: Visit, name: str) -> str:
    """Returns what a kind of organisation is called."""
    with visit.service.work() as work:
        spec = work.library.area.file.kinds.get(name)
    return spec.label.of(visit.lang) if spec is not None else name


def show(visit: Visit) -> Response:
    """Shows a unit: how it stands, what stands under it, who serves there, and how it came to be so."""
    tree, org = _org(visit)
    rows, chapters = visit.service.organisations.story(org.id)
    serving = [o for o in visit.service.keeping.directory(visit.by()).officers if o.org == org.id and not o.disabled]
    with visit.service.work() as work:
        roles, marks = work.library.area.file.roles, work.library.area.file.marks
    told = {
        "founded": visit.say("founded"),
        "changed": visit.say("changed"),
        "merged": visit.say("merged"),
        "split": visit.say("split up"),
        "closed": visit.say("closed"),
    }
    return visit.page(
        "organisation.html",
        org=org,
        kind=kind(visit, org.kind),
        path=[tree.by_id[o] for o in reversed(tree.path(org.id)[1:])],
        under=sorted(tree.children(org.id), key=lambda o: text_key(o.name)),
        rows=rows,
        chapters=[(c, told.get(c.what, c.what), visit.officer_name(c.actor)) for c in reversed(chapters)],
        officers=[
            (o, ", ".join(roles[h.role].label.of(visit.lang) for h in o.holdings if h.period.holds(visit.today)))
            for o in serving
        ],
        marks=[(marks[m].label.of(visit.lang), p) for m, p in org.marks.items() if m in marks],
        actions=[(name, visit.say(c.label)) for name, c in CHANGES.items() if name != "mark" or markable(visit, org)]
        if visit.may(NAME, org.id) and not org.period.ended(visit.today)
        else [],
    )


def _org(visit: Visit) -> tuple[Tree, Org]:
    _, tree = visit.service.organisations.on()
    org = tree.by_id.get(visit.path("org"))
    if org is None:
        raise NotFound("there is no organisation {org}", org=visit.path("org"))
    return tree, org


# ---- changing: asked for, tried and shown with all that follows, then recorded ----


def _change(visit: Visit) -> Change:
    found = CHANGES.get(visit.path("change"))
    if found is None:
        raise NotFound("There is no such page.")
    return found


def ask(visit: Visit) -> Response:
    """Asks for what a change needs."""
    tree, org = _org(visit)
    at = At(visit=visit, tree=tree, org=org)
    return _form(visit, org, Asked(visit, _change(visit).fields(at)).fields, "", 200)


def _form(visit: Visit, org: Org, fields: Sequence[Field], error: str, status: int) -> Response:
    change = _change(visit)
    address = f"/organisations/{org.id}"
    return visit.page(
        "asked.html",
        status,
        heading=visit.say(change.label),
        crumbs=[("/organisations", visit.say("Organisations")), (address, org.name)],
        fields=fields,
        error=error,
        action=f"{address}/{visit.path('change')}",
        button=visit.say("Look at what follows"),
        back=address,
    )


def record(visit: Visit) -> Response:
    """Tries a change and shows what follows; recorded when that was confirmed."""
    tree, org = _org(visit)
    change, at = _change(visit), At(visit=visit, tree=tree, org=org)
    asked = Asked(visit, change.fields(at))
    if not asked.read():
        return _form(visit, org, asked.fields, visit.say("Look at the fields marked below."), 400)
    confirmed = visit.form.get("confirmed") == "yes"
    try:
        change.run(at, asked, not confirmed)
    except (BadInput, NotFound) as error:
        return _form(visit, org, asked.fields, error_text(error, visit.lang), 422)
    told = change.told(at, asked)
    if confirmed:
        return visit.redirect(f"/organisations/{asked.text(ID) or org.id}", Said(" ".join(told[:1])))
    address = f"/organisations/{org.id}"
    return visit.page(
        "confirm.html",
        heading=visit.say(change.label),
        back=address,
        title=org.name,
        told=told,
        action=f"{address}/{visit.path('change')}",
        button=visit.say(change.label),
        pairs=asked.pairs,
        risk=change.risk,
        version=None,
    )
