"""A person's data as a whole: held, copied for the person, erased for good; and whose is past its time."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.errors import BadInput
from engine.doors.persons import Standing
from engine.persons import StillNeeded
from reports import person_copy
from web.access import READS, Listed
from web.asked import Asked
from web.forms import Field
from web.pages.home import title_of
from web.site import Said, Site, Visit
from web.words import error_text

NAME = "personal_data"


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    at = "/subjects/{subject}/person"
    return [
        site.get("/personal-data", overdue, Listed(NAME), name=NAME),
        site.get(at, show, READS),
        site.post(at + "/hold", hold, READS),
        site.post(at + "/release", release, READS),
        site.post(at + "/copy", copy, READS),
        site.post(at + "/erase", erase, READS),
    ]


def overdue(visit: Visit) -> Response:
    """Shows whose data has been kept as long as it may be."""
    rows = [
        {
            "href": f"/subjects/{o.subject}/person",
            "id": o.subject,
            "workflow": case.definition.file.title.of(visit.lang),
            "unit": visit.values.unit(case.subject.org),
            "state": visit.teller.state(case.definition, o.state),
            "since": o.since,
            "past": o.past,
            "source": o.source,
            "held": o.hold is not None,
        }
        for o, case in visit.service.persons.overdue_for(visit.by())
    ]
    return visit.page("personal_data.html", rows=rows)


# ---- one person ----


def _standing(visit: Visit) -> Standing:
    return visit.service.persons.standing(visit.path("subject"), visit.by())


def _hold_fields(visit: Visit) -> list[Field]:
    public = visit.say("it stays readable, so it names nobody")
    return [
        Field(name="reason", label=visit.say("Reason"), kind="text", required=True, hint=public),
        Field(name="until", label=visit.say("Last day"), kind="day", hint=visit.say("empty: until it is released")),
    ]


def _release_fields(visit: Visit) -> list[Field]:
    return _hold_fields(visit)[:1]


def _erase_fields(visit: Visit) -> list[Field]:
    known = visit.say("document, number and clause")
    code = visit.say("the code of the request, if somebody asked")
    return [
        Field(name="reason", label=visit.say("Reason"), kind="text", required=True, hint=_hold_fields(visit)[0].hint),
        Field(name="basis", label=visit.say("Legal basis"), kind="text", required=True, hint=known),
        Field(name="request", label=visit.say("Request"), kind="text", hint=code),
    ]


def show(visit: Visit) -> Response:
    """Shows how a person's data stands, and what may be done with it."""
    return _page(visit, _standing(visit), {}, "", 200)


def _page(visit: Visit, standing: Standing, typed: dict[str, Asked], error: str, status: int) -> Response:
    visit.service.access.opened(visit.path("subject"), "person", visit.by())
    named = next(c for c in standing.cases if c.subject.id == visit.path("subject"))
    forms = {
        "hold": _hold_fields(visit),
        "release": _release_fields(visit),
        "erase": _erase_fields(visit),
    }
    forms |= {name: asked.fields for name, asked in typed.items()}
    return visit.page(
        "person.html",
        status,
        title=title_of(visit, named),
        at=f"/subjects/{named.subject.id}/person",
        subject=named.subject,
        parts=[
            (c.definition.file.title.of(visit.lang), visit.teller.state(c.definition, c.subject.state), c.subject.id)
            for c in standing.cases
        ],
        hold=standing.hold,
        holder=visit.officer_name(standing.hold.by) if standing.hold is not None else "",
        needed=_needed(visit, standing),
        forms=forms,
        error=error,
    )


def _needed(visit: Visit, standing: Standing) -> str:
    """Returns why the data is not erased now, '' where it may be."""
    error = standing.needed
    if error is None:
        return ""
    case = next((c for c in standing.cases if c.subject.id == error.params.get("subject")), None)
    if case is None:
        return error_text(error, visit.lang)
    what, state = case.definition.file.title.of(visit.lang), visit.teller.state(case.definition, case.subject.state)
    return visit.say(
        "{what} is still open ({state}); nothing can be erased before it has ended.", what=what, state=state
    )


def hold(visit: Visit) -> Response:
    """Has the data kept, whoever asks for its erasure."""
    standing, asked = _standing(visit), Asked(visit, _hold_fields(visit))
    if not asked.read():
        return _page(visit, standing, {"hold": asked}, visit.say("Look at the fields marked below."), 400)
    try:
        visit.service.persons.hold(visit.path("subject"), asked.text("reason"), asked.day("until"), visit.by_form())
    except BadInput as error:
        return _page(visit, standing, {"hold": asked}, error_text(error, visit.lang), 422)
    return visit.redirect(_at(visit), Said(visit.say("The data is held: it is not erased until that ends.")))


def _at(visit: Visit) -> str:
    return f"/subjects/{visit.path('subject')}/person"


def release(visit: Visit) -> Response:
    """Ends a hold."""
    standing, asked = _standing(visit), Asked(visit, _release_fields(visit))
    if not asked.read():
        return _page(visit, standing, {"release": asked}, visit.say("Look at the fields marked below."), 400)
    visit.service.persons.release(visit.path("subject"), asked.text("reason"), visit.by_form())
    return visit.redirect(_at(visit), Said(visit.say("The data is not held any more.")))


def copy(visit: Visit) -> Response:
    """Gives all that is kept about the person, to be handed to them; that it was given out is recorded first."""
    _standing(visit)
    found = visit.service.persons.copy(visit.path("subject"), visit.by())
    response = visit.finish(Response(person_copy.page(found, visit.teller), media_type="text/html; charset=utf-8"))
    response.headers["Content-Disposition"] = 'attachment; filename="ban-sao.html"'
    return response


def erase(visit: Visit) -> Response:
    """Shows what an erasure does; erases for good when that was confirmed."""
    standing, asked = _standing(visit), Asked(visit, _erase_fields(visit))
    if not asked.read():
        return _page(visit, standing, {"erase": asked}, visit.say("Look at the fields marked below."), 400)
    if standing.needed is not None:
        return _page(visit, standing, {"erase": asked}, error_text(standing.needed, visit.lang), 422)
    if visit.form.get("confirmed") != "yes":
        return visit.page(
            "confirm.html",
            heading=visit.say("Erase for good"),
            back=_at(visit),
            title=title_of(visit, next(c for c in standing.cases if c.subject.id == visit.path("subject"))),
            told=[
                visit.say("Everything that tells who this person was is erased, everywhere, also in the backups."),
                visit.say("Subjects: {n}. Notices that have not gone out are cancelled.", n=len(standing.cases)),
                visit.say("What counts in statistics stays; the trail can still be verified."),
                visit.say("Nobody can undo this."),
            ],
            action=_at(visit) + "/erase",
            button=visit.say("Erase for good"),
            pairs=asked.pairs,
            risk=True,
            version=None,
        )
    try:
        done = visit.service.persons.erase(
            visit.path("subject"), asked.text("reason"), asked.text("basis"), visit.by_form(), asked.text("request")
        )
    except (BadInput, StillNeeded) as error:
        return _page(visit, standing, {"erase": asked}, error_text(error, visit.lang), 422)
    copies = visit.site.wired.erase_copies
    blotted = copies(visit.service) if copies is not None else 0
    text = visit.say("Erased: {n} subjects, and the key in {copies} backups.", n=len(done.subjects), copies=blotted)
    return visit.redirect("/", Said(text))
