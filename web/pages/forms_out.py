"""The forms about a subject: what is still missing first, then the Word file or the PDF. The trail notes who got it."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.errors import BadInput, NotFound
from reports.filling import Filled, hand_out
from reports.forms import ReadyForm
from reports.handing import MEDIA_TYPES
from web.access import READS
from web.pages.home import title_of
from web.pages.reports import NAME as REPORTS
from web.pages.reports import report_titles
from web.site import Site, Visit
from web.words import error_text

KINDS = ("docx", "pdf")


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/subjects/{subject}/forms", show_all, READS),
        site.get("/subjects/{subject}/forms/{form}", show, READS),
        site.post("/subjects/{subject}/forms/{form}", take, READS),
    ]


def _forms(visit: Visit) -> list[ReadyForm]:
    with visit.service.work() as work:
        workflow = work.case(visit.path("subject")).subject.workflow
    return [f for f in visit.site.forms.values() if f.spec.of == workflow]


def show_all(visit: Visit) -> Response:
    """Shows which forms there are about a subject; that it was opened is noted."""
    visit.service.access.opened(visit.path("subject"), "forms", visit.by())
    with visit.service.work() as work:
        case = work.case(visit.path("subject"))
    titles = report_titles(visit) if visit.offers(REPORTS) else {}
    wanted = visit.site.pages.of(case.subject.workflow).reports
    return visit.page(
        "forms.html",
        subject=case.subject,
        title=title_of(visit, case),
        forms=_forms(visit),
        reports=[(name, titles[name]) for name in wanted if name in titles],
    )


def _form(visit: Visit) -> ReadyForm:
    found = next((f for f in _forms(visit) if f.id == visit.path("form")), None)
    if found is None:
        raise NotFound("There is no such page.")
    return found


def _filled(visit: Visit, form: ReadyForm, *, only_asked: bool) -> Filled:
    note = visit.say("SANDBOX: made for trying out, no real document") if visit.site.sandbox else None
    letter = visit.site.wired.letter
    return hand_out(
        visit.service, form, visit.path("subject"), visit.by(), letter, visit.lang, note, only_asked=only_asked
    )


def show(visit: Visit) -> Response:
    """Shows what a form still misses, and the buttons that hand it out."""
    form = _form(visit)
    with visit.service.work() as work:
        case = work.case(visit.path("subject"))
    nobody = ""
    try:
        missing = [(visit.say(g.label), g.row) for g in _filled(visit, form, only_asked=True).missing]
    except BadInput as error:
        missing, nobody = [], error_text(error, visit.lang)
    return visit.page(
        "form.html",
        subject=case.subject,
        title=title_of(visit, case),
        form=form,
        missing=missing,
        nobody=nobody,
        kinds=KINDS,
    )


def take(visit: Visit) -> Response:
    """Hands the file out."""
    form, kind = _form(visit), visit.form.get("kind")
    if kind not in KINDS:
        raise BadInput("{value} is not one of {known}", value=kind[:20], known=", ".join(KINDS))
    filled = _filled(visit, form, only_asked=False)
    data = filled.pdf() if kind == "pdf" else filled.content
    response = Response(data, media_type=MEDIA_TYPES[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="{form.id}.{kind}"'
    return visit.finish(response)
