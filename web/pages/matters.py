"""The subjects of a workflow, the latest first, with what may be done next; and the register of numbers it gives."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.errors import NotFound
from engine.core.machine import Definition
from engine.doors.starting import Matter
from web.access import Listed
from web.named import fact_text
from web.pages.home import title_of
from web.pages.start import start_label
from web.site import Site, Visit

NAME = "matters"
AT = "/matters/{workflow}"
MOST = 500


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    need = Listed(NAME)
    return [
        site.get(AT, show, need, name=NAME),
        site.get(f"{AT}/all", show_all, need),
        site.get(f"{AT}/numbers", register, need),
        site.get(f"{AT}/numbers/view/{{view}}", register, need),
        site.post(f"{AT}/numbers", find, need),
    ]


def show(visit: Visit) -> Response:
    """Shows those in which something is left to do."""
    return _page(visit, ended=False)


def show_all(visit: Visit) -> Response:
    """Shows those that have ended too."""
    return _page(visit, ended=True)


def _page(visit: Visit, *, ended: bool) -> Response:
    workflow = visit.path("workflow")
    definition = visit.service.starting.definition(workflow)
    found, whole = visit.service.starting.matters(workflow, visit.by(), ended=ended, limit=MOST)
    return visit.page(
        "matters.html",
        title=definition.file.title.of(visit.lang),
        workflow=workflow,
        rows=[_row(visit, definition, m) for m in found],
        whole=whole,
        ended=ended,
        start=start_label(visit, workflow),
        numbers=definition.file.numbers is not None,
    )


def _row(visit: Visit, newest: Definition, m: Matter) -> dict[str, object]:
    case = m.case
    definition, subject = case.definition, case.subject
    shown = [
        f"{definition.file.facts[f].label.of(visit.lang)}: {fact_text(visit, definition, f, subject.facts[f])[0]}"
        for f in visit.site.pages.of(newest.workflow).head
        if f in subject.facts and f not in definition.sensitive
    ]
    steps = [
        {
            "label": visit.teller.trigger(definition, t),
            "href": f"/subjects/{subject.id}/{'steps' if definition.steps[t].batch is None else 'sheets'}/{t}",
        }
        for t in m.steps
    ]
    return {
        "href": f"/subjects/{subject.id}",
        "title": title_of(visit, case),
        "unit": visit.values.unit(subject.org),
        "state": visit.teller.state(definition, subject.state),
        "since": subject.entered_on,
        "shown": shown,
        "steps": steps,
    }


def register(visit: Visit) -> Response:
    """Shows the register of numbers, all of it or what was searched."""
    workflow = visit.path("workflow")
    definition = visit.service.starting.definition(workflow)
    if definition.file.numbers is None:
        raise NotFound("There is no such page.")
    if (lost := visit.not_kept(f"/matters/{workflow}/numbers")) is not None:
        return lost
    view = visit.request.path_params.get("view")
    kept = visit.kept(view) if view is not None else None
    text = kept if isinstance(kept, str) else ""
    found = visit.service.starting.register(workflow, visit.by(), text)
    with visit.service.work() as work:
        titles = {g.by: work.case(g.by) for g in found}
    return visit.page(
        "numbers.html",
        title=definition.file.title.of(visit.lang),
        workflow=workflow,
        text=text,
        rows=found[:MOST],
        more=max(0, len(found) - MOST),
        givers={id: title_of(visit, case) for id, case in titles.items()},
    )


def find(visit: Visit) -> Response:
    """Searches the register; what was searched stands in no address."""
    at, text = f"/matters/{visit.path('workflow')}/numbers", visit.form.get("text").strip()[:100]
    return visit.redirect(f"{at}/view/{visit.keep(text)}" if text else at)
