"""The supervision of a unit over a period: made in the background, shown, and taken away as a file."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.errors import BadInput
from engine.service import Service
from reports import supervision
from reports.document import written
from reports.handing import FORMATS, MEDIA_TYPES, give, rows_of
from web.forms import Field
from web.jobs import Job
from web.pages.inspection import NEED, read_period
from web.pages.reports import PAPER, Made, download, parts, units
from web.shown import day
from web.site import Site, Visit

KIND = "supervision"


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/inspection/supervision", ask, NEED),
        site.post("/inspection/supervision", make, NEED),
        site.get("/inspection/supervised/{job}", show, NEED),
        site.post("/inspection/supervised/{job}", take, NEED),
    ]


def ask(visit: Visit) -> Response:
    """Shows the form."""
    return _form(visit, {}, 200)


def _form(visit: Visit, errors: Mapping[str, str], status: int) -> Response:
    say, form = visit.say, visit.form
    year = visit.today.replace(month=1, day=1)
    fields = [
        Field(name="unit", label=say("Unit"), kind="choice", value=form.get("unit"), options=units(visit),
              hint=say("with all below it"), error=errors.get("unit", ""), required=True),
        Field(name="first", label=say("From day"), kind="day", value=form.get("first") or day(year),
              error=errors.get("first", "")),
        Field(name="last", label=say("To day"), kind="day", value=form.get("last"), hint=say("empty: today"),
              error=errors.get("last", "")),
        Field(name="cases", label=say("Each case on a page"), kind="yes_no", value=form.get("cases") or "true",
              options=[("true", say("Yes")), ("false", say("No"))]),
        Field(name="purpose", label=say("What it is made for"), kind="text", value=form.get("purpose"),
              hint=say("the decision, if there is one; is noted in the trail")),
    ]  # fmt: skip
    return visit.page("supervision.html", status, fields=fields, recent=visit.works(KIND))


def make(visit: Visit) -> Response:
    """Makes the report in the background, and leads to it."""
    errors: dict[str, str] = {}
    first, last = read_period(visit, errors)
    known = dict(units(visit))
    unit = visit.form.get("unit")
    if unit not in known:
        errors["unit"] = visit.say("Choose one of the list.")
    if first is None and "first" not in errors:
        errors["first"] = visit.say("This is needed.")
    if errors or first is None:
        return _form(visit, errors, 400)
    until = last or visit.today
    by, teller, now, today, sandbox = visit.by_form(), visit.teller, visit.now, visit.today, visit.site.sandbox
    cases, counting = visit.form.get("cases") != "false", visit.say("Reading the trail")
    about = {"unit": unit, "from": first.isoformat(), "to": until.isoformat()}
    purpose = visit.form.get("purpose").strip()[:500] or None
    name = known[unit].strip()

    def run(service: Service, job: Job) -> tuple[Made, str | None]:
        job.count(counting, 0)
        found = service.oversight.supervision(unit, first, until, by)
        report = supervision.make(
            found, teller, unit_name=name, now=now, today=today, sandbox=sandbox, cases=cases
        )  # fmt: skip
        service.access.listed(supervision.NAME, rows_of(report), by, **about)
        file = f"{supervision.NAME}-{unit}-{first.isoformat()}-{until.isoformat()}"
        return Made(report=report, name=file, layout=False), purpose

    title = visit.say("Supervision of {unit}", unit=name)
    return visit.work_on(KIND, title, run, to="/inspection/supervised/{job}", back="/inspection/supervision")


def show(visit: Visit) -> Response:
    """Shows the report."""
    made, _ = visit.worked(KIND)
    job = visit.path("job")
    return visit.page(
        "report_made.html",
        job=job,
        made=made,
        report=made.report,
        parts=parts(visit, made.report),
        formats=PAPER,
        written=lambda v, shows: written(v, shows, made.report.lang),
        back="/inspection/supervision",
        back_label=visit.say("Supervise a unit"),
        action=f"/inspection/supervised/{job}",
    )


def take(visit: Visit) -> Response:
    """Gives the report as a file; the trail notes who took it."""
    made, asked_for = visit.worked(KIND)
    form = visit.form.get("form")
    if form not in FORMATS:
        raise BadInput("{value} is not one of {known}", value=form[:20], known=", ".join(FORMATS))
    purpose = visit.form.get("purpose").strip()[:500] or asked_for
    handed = give(visit.service, made.report, form, visit.by_form(), purpose=purpose)
    return download(visit, handed.data, f"{made.name}.{form}", MEDIA_TYPES[form])
