"""What is served as it is: the stylesheet and the scripts. Nothing else is read from the disk by its address."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.errors import NotFound
from web.access import ANYONE
from web.rendering import ASSETS
from web.site import Site, Visit

KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
FILES = {p.name: p.read_bytes() for p in sorted(ASSETS.iterdir()) if p.suffix in KINDS}


def routes(site: Site) -> list[BaseRoute]:
    """Returns the route."""
    return [site.get("/static/{file}", show, ANYONE)]


def show(visit: Visit) -> Response:
    """Gives a file; browsers ask again after an hour."""
    name = visit.path("file")
    if name not in FILES:
        raise NotFound("There is no such page.")
    response = visit.finish(Response(FILES[name], media_type=KINDS[name[name.rindex(".") :]]))
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
