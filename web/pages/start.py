"""Beginning a subject of any workflow: the form is made from the definition, and who may be the same is shown first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.commands import Start
from engine.core.errors import BadInput, NotFound
from engine.core.machine import Definition
from engine.doors.starting import Same
from web.access import BEGINS
from web.forms import FACT, Field, Form, beside, read_day
from web.pages.home import title_of
from web.pages.step import ON, REASON, fact_form
from web.resuming import resuming
from web.shown import day
from web.site import Said, Site, Visit

UNIT = "unit"


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [site.get("/start/{workflow}", show, BEGINS), site.post("/start/{workflow}", resuming(show, begin), BEGINS)]


def start_label(visit: Visit, workflow: str) -> str:
    """Returns what beginning a subject is called, '' where the officer begins none of this workflow."""
    if not visit.service.starting.places(workflow, visit.by()):
        return ""
    return visit.service.starting.definition(workflow).file.start.label.of(visit.lang)


class Page:
    """One visit to the form of a beginning."""

    def __init__(self, visit: Visit, form: Form | None) -> None:
        self.visit, self.form = visit, form
        self.workflow = visit.path("workflow")
        self.definition: Definition = visit.service.starting.definition(self.workflow)
        self.places = visit.service.starting.places(self.workflow, visit.by())
        if not self.places:
            raise NotFound("There is no such page.")
        self.facts = fact_form(visit, self.definition, {}, self.unit or self.places[0])

    @property
    def unit(self) -> str:
        """The unit that was chosen, at first the officer's own, or the only one there is; '' for none."""
        given = self.form.get(UNIT) if self.form is not None else self.visit.session.officer.org
        if given in self.places:
            return given
        return self.places[0] if len(self.places) == 1 else ""

    def fields(self) -> list[Field]:
        """Returns the inputs: the unit, what the beginning asks for and takes, its day and a reason."""
        visit, start, form = self.visit, self.definition.file.start, self.form
        made: list[Field] = []
        if len(self.places) > 1:
            options = [(u, visit.values.unit_apart(u)) for u in self.places]
            made.append(
                Field(
                    name=UNIT, label=visit.say("Unit"), kind="choice", value=self.unit, options=options, required=True
                )
            )
        made += self.facts.fields([*start.asks, *start.takes], required=start.asks, form=form)
        on = form.get(ON) if form is not None and form.has(ON) else day(visit.today)
        hint = visit.say("today, or earlier")
        made.append(Field(name=ON, label=visit.say("The day it happened"), kind="day", value=on, hint=hint))
        reason = form.get(REASON) if form is not None else ""
        made.append(Field(name=REASON, label=visit.say("Reason"), kind="text", value=reason))
        return made

    def show(
        self, status: int = 200, *, fields: Sequence[Field] | None = None, said: str = "", same: Same | None = None
    ) -> Response:
        """Returns the page."""
        visit = self.visit
        alike = [
            {
                "title": title_of(visit, c),
                "href": f"/subjects/{c.subject.id}",
                "unit": visit.values.unit(c.subject.org),
                "state": visit.teller.state(c.definition, c.subject.state),
            }
            for c in (same.cases if same is not None else ())
        ]
        return visit.page(
            "start.html",
            status,
            title=self.definition.file.title.of(visit.lang),
            label=self.definition.file.start.label.of(visit.lang),
            fields=fields if fields is not None else self.fields(),
            said_late=said,
            alike=alike,
            elsewhere=same.elsewhere if same is not None else 0,
        )


def show(visit: Visit) -> Response:
    """Shows the form."""
    return Page(visit, visit.form if visit.form.pairs else None).show()


def begin(visit: Visit) -> Response:
    """Begins a subject, after those who may be the same were looked at."""
    page, form = Page(visit, visit.form), visit.form
    fields = page.fields()
    raw, read = page.facts.read([f for f in fields if f.name.startswith(FACT)], visit.say)
    checked = {f.name: f for f in read}
    fields = [checked.get(f.name, f) for f in fields]
    on, error = read_day(form.get(ON), visit.say)
    wrong = {ON: error, UNIT: "" if page.unit else visit.say("This is needed.")}
    fields = [replace(f, error=wrong[f.name]) if wrong.get(f.name) else f for f in fields]
    if any(f.error for f in fields):
        return page.show(400, fields=fields, said=visit.say("Look at the fields marked below."))
    try:
        same = visit.service.starting.alike(page.workflow, raw, visit.by())
        if (same.cases or same.elsewhere) and form.get("anyway") != "yes":
            return page.show(409, fields=fields, same=same)
        command = Start(
            workflow=page.workflow, org=page.unit, facts=raw, on=on, reason=form.get(REASON).strip() or None
        )
        answer = visit.service.start(command, visit.by_form())
    except BadInput as bad:
        text = visit.teller.invalid(bad)
        placed, found = beside(fields, str(bad.params.get("fact", "")).partition(":")[0], text)
        if not found and bad.message.startswith("on:"):
            placed, found = beside(fields, ON, text)
        return page.show(400, fields=placed, said=visit.say("Look at the fields marked below.") if found else text)
    with visit.service.work() as work:
        case = work.case(answer.subject)
    said = Said(
        visit.say("Recorded: {step}, {title}.", step=page.definition.file.start.label.of(visit.lang),
                  title=title_of(visit, case)),
        undo=f"/subjects/{answer.subject}/undo",
    )  # fmt: skip
    return visit.redirect(f"/subjects/{answer.subject}", said)
