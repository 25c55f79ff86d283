"""Those who are to go over to another unit and wait for its answer, the longest first."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from web.access import Listed
from web.site import Site, Visit

NAME = "transfers"


def routes(site: Site) -> list[BaseRoute]:
    """Returns the route."""
    return [site.get("/transfers", show, Listed(NAME), name=NAME)]


def show(visit: Visit) -> Response:
    """Shows them, with how long each has waited."""
    found = visit.service.organisations.waiting(by=visit.by())
    with visit.service.work() as work:
        definitions = {w.workflow: work.library.newest(w.workflow) for w in found}
    rows = [
        {
            "href": f"/subjects/{w.subject}",
            "title": w.title,
            "what": visit.teller.trigger(definitions[w.workflow], w.trigger),
            "from": visit.values.unit_apart(w.org),
            "to": visit.values.unit_apart(w.to),
            "since": w.since,
            "days": (visit.today - w.since).days,
        }
        for w in found
    ]
    return visit.page("transfers.html", rows=rows)
