"""Reports: which there are, each made for a period and a unit, shown with bars and tables, and taken away as a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine import scope
from engine.core.calendar import add_months
from engine.core.errors import BadInput, NotFound
from engine.service import Service
from reports.document import Line, Report, Table, written
from reports.handing import FORMATS, MEDIA_TYPES, give, hand_out
from reports.layouts import LayoutFile
from reports.making import Request, reports_of, title_of
from reports.of_subject import choices, needed
from reports.periods import Span, day_span, days_span, month_span, quarter_span, year_span, years_span
from web.access import Listed
from web.charts import Chart, chart
from web.forms import Field, read_day
from web.jobs import Job
from web.site import Site, Visit

NAME = "reports"
YEARS, QUARTERS, MONTHS = 12, 8, 18  # of these the form offers the latest; any other days may be typed
PAPER = ("xlsx", "docx", "pdf")
WIDE = 8  # columns up to which a row becomes a card on a phone; a wider table is scrolled


@dataclass(frozen=True, kw_only=True)
class Made:
    """A report that was made for an officer. `layout`: it has one, which may ask for a checkpoint when it goes out."""

    report: Report
    name: str
    layout: bool = True


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    need = Listed(NAME)
    return [
        site.get("/reports", show_all, need, name=NAME),
        site.get("/reports/made/{job}", show, need),
        site.post("/reports/made/{job}", take, need),
        site.get("/reports/{name}", ask, need),
        site.post("/reports/{name}", make, need),
    ]


# ---- which there are ----


def show_all(visit: Visit) -> Response:
    """Shows which reports there are."""
    with visit.service.work() as work:
        clauses = work.library.area.file.clauses
    found = [(name, title_of(file, visit.lang), file) for name, file in _layouts(visit).items()]
    return visit.page("reports.html", reports=found, clauses=clauses, kinds=_kinds(visit))


def _layouts(visit: Visit) -> dict[str, LayoutFile]:
    folder = visit.site.wired.folder
    if folder is None:
        return {}
    with visit.service.work() as work:
        return reports_of(folder, work.library.workflows)


def report_titles(visit: Visit) -> dict[str, str]:
    """Returns what the reports are called, by id."""
    return {name: title_of(file, visit.lang) for name, file in _layouts(visit).items()}


def _layout(visit: Visit) -> tuple[str, LayoutFile]:
    name = visit.path("name")
    found = _layouts(visit).get(name)
    if found is None:
        raise NotFound("There is no such page.")
    return name, found


def _kinds(visit: Visit) -> dict[str, str]:
    say = visit.say
    return {
        "year": say("a year"), "quarter": say("a quarter"), "month": say("a month"), "years": say("several years"),
        "days": say("any days"), "day": say("a day"),
    }  # fmt: skip


# ---- asking for one ----


def ask(visit: Visit) -> Response:
    """Shows the form of a report."""
    name, file = _layout(visit)
    return _form(visit, name, file, {}, 200)


def _form(visit: Visit, name: str, file: LayoutFile, errors: dict[str, str], status: int) -> Response:
    form, say = visit.form, visit.say
    offered = list(offers(visit, file))

    def field(field_name: str, label: str, kind: str, **more: Any) -> Field:
        return Field(name=field_name, label=label, kind=kind, error=errors.get(field_name, ""),
                     value=form.get(field_name), **more)  # fmt: skip

    typed: list[Field] = []
    if "days" in file.periods:
        typed += [field("first", say("Or from day"), "day"), field("last", say("to day"), "day")]
    if "years" in file.periods:
        typed += [field("first_year", say("Or from year"), "number"), field("last_year", say("to year"), "number")]
    if "day" in file.periods:
        typed += [field("on", say("As of the day"), "day", hint=say("empty: today"))]
    return visit.page(
        "report.html",
        status,
        name=name,
        title=title_of(file, visit.lang),
        file=file,
        offered=offered,
        chosen=form.get("period") or (offered[0][0] if offered else ""),
        period_error=errors.get("period", ""),
        typed=typed,
        place=Field(
            name="unit", label=say("Unit"), kind="choice", value=form.get("unit"), options=units(visit),
            hint=say("none: all that you read"), error=errors.get("unit", ""),
        ),
        about=_about(visit, file, errors),
        recent=[j for j in visit.works("report") if j.result is not None],
    )  # fmt: skip


def _about(visit: Visit, file: LayoutFile, errors: dict[str, str]) -> Field | None:
    """Returns the field of the subject that the report is made of, None where it is made of none."""
    if file.subject is None:
        return None
    must = needed(file)
    found = choices(visit.service, file.subject.workflow, visit.by())
    return Field(
        name="subject", label=file.subject.label.of(visit.lang), kind="choice", value=visit.form.get("subject"),
        options=found, required=must, hint="" if must else visit.say("none: the list of all"),
        error=errors.get("subject", ""),
    )  # fmt: skip


def offers(visit: Visit, file: LayoutFile) -> Iterator[tuple[str, str]]:
    """Yields the periods that the form offers: `kind:value`, and what people call them."""
    today, say = visit.today, visit.say
    this = today.replace(day=1)
    if "month" in file.periods:
        for n in range(MONTHS):
            at = add_months(this, -n)
            yield f"month:{at:%Y-%m}", say("Month {month}", month=f"{at:%m/%Y}")
    if "quarter" in file.periods:
        begins = this.replace(month=(this.month - 1) // 3 * 3 + 1)
        for n in range(QUARTERS):
            at = add_months(begins, -3 * n)
            number = (at.month - 1) // 3
            quarter = ("I", "II", "III", "IV")[number]
            yield f"quarter:{at.year}-Q{number + 1}", say("Quarter {quarter} of {year}", quarter=quarter, year=at.year)
    if "year" in file.periods:
        for year in range(today.year, today.year - YEARS, -1):
            yield f"year:{year}", say("Year {year}", year=year)


def units(visit: Visit) -> list[tuple[str, str]]:
    """Returns the units that the officer reads, each after the one above it."""
    with visit.service.work() as work:
        tree = work.office.tree
        mine = scope.units(work.office, work.library.area, visit.by())
        named = [([tree.by_id[u].name for u in reversed(tree.path(org))], org) for org in mine]
    least = min((len(path) for path, _ in named), default=1)
    return [(org, "\u2003" * (len(path) - least) + path[-1]) for path, org in sorted(named)]


# ---- making it ----


def make(visit: Visit) -> Response:
    """Makes a report in the background, and leads to it."""
    name, file = _layout(visit)
    errors: dict[str, str] = {}
    org = visit.form.get("unit") or None
    if org is not None and org not in {id for id, _ in units(visit)}:
        errors["unit"] = visit.say("Choose one of the list.")
    about = (visit.form.get("subject") or None) if file.subject is not None else None
    if about is not None and file.subject is not None:
        if about not in {id for id, _ in choices(visit.service, file.subject.workflow, visit.by())}:
            errors["subject"] = visit.say("Choose one of the list.")
    elif needed(file):
        errors["subject"] = visit.say("This is needed.")
    span = _span(visit, file, errors)
    if errors or span is None:
        return _form(visit, name, file, errors, 400)
    folder, letter = visit.site.wired.folder, visit.site.wired.letter
    assert folder is not None
    by, session = visit.by_form(), visit.session
    officer = session.row.behalf or session.officer.id
    request = Request(name=name, span=span, org=org, subject=about, officer=officer, lang=visit.lang)
    file_name = request.file_name

    def run(service: Service, job: Job) -> Made:
        job.count(visit.say("Counting"), 0)
        return Made(report=hand_out(service, folder, request, letter, None, by=by).report, name=file_name)

    title, to = title_of(file, visit.lang), "/reports/made/{job}"
    return visit.work_on("report", title, run, to=to, back=f"/reports/{name}")


def _span(visit: Visit, file: LayoutFile, errors: dict[str, str]) -> Span | None:
    """Returns the period that was asked for: what was typed, else what was chosen. Writes down what is wrong."""
    form, say = visit.form, visit.say
    days: dict[str, date | None] = {}
    for field in ("first", "last", "on"):
        days[field], wrong = read_day(form.get(field), say)
        if wrong:
            errors[field] = wrong
    if errors:
        return None
    try:
        if "days" in file.periods and (days["first"] or days["last"]):
            if days["first"] is None:
                errors["first"] = say("This is needed.")
                return None
            return days_span(days["first"], days["last"] or visit.today)
        if "years" in file.periods and (form.get("first_year").strip() or form.get("last_year").strip()):
            return years_span(_year(form.get("first_year")), _year(form.get("last_year") or form.get("first_year")))
        if days["on"] is not None or file.periods == ["day"]:
            return day_span(days["on"] or visit.today)
        return _chosen(form.get("period"), file)
    except BadInput as error:
        errors["period"] = say(error.message, **error.params)
        return None


def _year(text: str) -> int:
    if not text.strip().isdecimal():
        raise BadInput("{value} is not a year", value=text[:10])
    return int(text)


def _chosen(text: str, file: LayoutFile) -> Span:
    kind, _, value = text.partition(":")
    if kind not in file.periods:
        raise BadInput("Choose a period.")
    if kind == "year":
        return year_span(_year(value))
    return quarter_span(value) if kind == "quarter" else month_span(value)


# ---- looking at it, and taking it away ----


def show(visit: Visit) -> Response:
    """Shows a report that was made."""
    job = visit.path("job")
    made: Made = visit.worked("report")
    return visit.page("report_made.html", job=job, made=made, report=made.report, parts=parts(visit, made.report),
                      formats=PAPER, written=lambda v, shows: written(v, shows, made.report.lang))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Part:
    """A table of a report with its bars."""

    table: Table
    chart: Chart | None
    wide: bool

    def shows(self, line: Line, i: int) -> str:
        """Returns how a cell is written."""
        return line.shows or self.table.columns[i].shows


def parts(visit: Visit, report: Report) -> list[Part]:
    """Returns the parts of a report as the page shows them."""
    about = visit.say("Bars of the table below, where every number stands.")
    return [
        Part(table=t, chart=chart(t, report.lang, f"c{i}", about) if t.chart else None, wide=len(t.columns) > WIDE)
        for i, t in enumerate(report.tables)
    ]


def take(visit: Visit) -> Response:
    """Gives a report as a file; the trail notes who took it."""
    made: Made = visit.worked("report")
    form = visit.form.get("form")
    if form not in FORMATS:
        raise BadInput("{value} is not one of {known}", value=form[:20], known=", ".join(FORMATS))
    folder = visit.site.wired.folder if made.layout else None
    purpose = visit.form.get("purpose").strip()[:500] or None
    handed = give(visit.service, made.report, form, visit.by_form(), folder=folder, purpose=purpose)
    return download(visit, handed.data, f"{made.name}.{form}", MEDIA_TYPES[form])


def download(visit: Visit, data: bytes, name: str, kind: str) -> Response:
    """Returns a file that the browser keeps."""
    response = visit.finish(Response(data, media_type=kind))
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in name)
    response.headers["Content-Disposition"] = f'attachment; filename="{safe}"'
    return response
