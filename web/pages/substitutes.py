"""Substitutes: who acts for whom from when to when; officers name their own, keepers of the office those of others."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.authority import Officer
from engine.core.collation import name_key
from engine.core.errors import BadInput, NotFound
from web.access import Listed
from web.asked import Asked
from web.forms import Field
from web.resuming import resuming
from web.site import Said, Site, Visit
from web.words import error_text

NAME = "substitutes"


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/substitutes", show, Listed(NAME), name=NAME),
        site.post("/substitutes", resuming(show, add), Listed(NAME)),
        site.post("/substitutes/end", end, Listed(NAME)),
    ]


def show(visit: Visit) -> Response:
    """Shows who stands in for whom, and the form that names a substitute."""
    return _page(visit, Asked(visit, _fields(visit)), "", 200)


def _fields(visit: Visit) -> list[Field]:
    by = visit.by()
    reach = visit.service.keeping.reach("substitutes", by)
    with visit.service.work() as work:
        office = work.office
        own = office.officers[visit.session.officer.id]
        present = [o for o in office.officers.values() if o.present(office.day)]
        near = {*office.tree.path(own.org), *office.tree.below(office.root(office.tree.by_id[own.org])), *reach}
    absent = [o for o in present if o.org in reach or o.id == own.id]
    return [
        Field(
            name="officer",
            label=visit.say("Who is absent"),
            kind="choice",
            required=True,
            options=_options(visit, absent),
            value=own.id,
        ),
        Field(
            name="stand_in",
            label=visit.say("Who acts for them"),
            kind="choice",
            required=True,
            options=_options(visit, [o for o in present if o.org in near]),
        ),
        Field(name="first", label=visit.say("First day"), kind="day", required=True),
        Field(name="last", label=visit.say("Last day"), kind="day", required=True),
    ]


def _options(visit: Visit, officers: list[Officer]) -> list[tuple[str, str]]:
    ordered = sorted(officers, key=lambda o: name_key(o.name))
    return [(o.id, f"{o.name} ({visit.values.unit(o.org)})") for o in ordered]


def _page(visit: Visit, asked: Asked, error: str, status: int) -> Response:
    today = visit.today.isoformat()
    rows = [
        {
            "row": s.row,
            "officer": visit.officer_name(s.row.officer),
            "stand_in": visit.officer_name(s.row.stand_in),
            "may_end": s.may_end,
            "when": "past" if s.row.until_day < today else "now" if s.row.from_day <= today else "next",
            "never": s.row.until_day < s.row.from_day,
        }
        for s in visit.service.keeping.substitutes(visit.by())
    ]
    return visit.page("substitutes.html", status, rows=rows, fields=asked.fields, error=error)


def add(visit: Visit) -> Response:
    """Names a substitute."""
    asked = Asked(visit, _fields(visit))
    if not asked.read():
        return _page(visit, asked, visit.say("Look at the fields marked below."), 400)
    first, last = asked.day("first"), asked.day("last")
    assert first is not None
    assert last is not None
    officer, stand_in = asked.text("officer") or "", asked.text("stand_in") or ""
    try:
        visit.service.add_substitute(officer, stand_in, first, last, visit.by_form())
    except (BadInput, NotFound) as error:
        return _page(visit, asked, error_text(error, visit.lang), 422)
    text = visit.say(
        "{stand_in} acts for {officer} from {first} to {last}.",
        stand_in=visit.officer_name(stand_in),
        officer=visit.officer_name(officer),
        first=first.strftime("%d/%m/%Y"),
        last=last.strftime("%d/%m/%Y"),
    )
    return visit.redirect("/substitutes", Said(text))


def end(visit: Visit) -> Response:
    """Ends a substitution from today on."""
    visit.service.keeping.end_substitute(visit.form.get("end")[:200], visit.by_form())
    return visit.redirect("/substitutes", Said(visit.say("The substitution is ended.")))
