"""Work that goes on in the background: how far it is, and then its result."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.errors import KetnapError
from web.access import SIGNED
from web.site import Site, Visit
from web.words import error_text


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [site.get("/work/{job}", show, SIGNED)]


def show(visit: Visit) -> Response:
    """Shows how far the work is; leads on to its result."""
    job = visit.site.jobs.find(visit.path("job"), visit.session.officer.id)
    if not job.ended.is_set():
        return visit.page("work.html", job=job)
    if job.error is None:
        return visit.redirect(job.href)
    if isinstance(job.error, KetnapError):
        return visit.page("work_failed.html", 400, job=job, text=error_text(job.error, visit.lang))
    return visit.page("work_failed.html", 503, job=job, text=visit.say("Something in the program went wrong."))
