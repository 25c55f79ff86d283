"""Who has done what a period asks of every unit, and who has not: received in two clicks, reminded now, handed on.

One page serves every workflow that opens by itself; `pages.yaml` says what stands in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from engine.core.commands import Move
from engine.core.errors import BadInput, NotFound
from engine.core.machine import Definition
from engine.core.values import Value
from engine.owed import Owed, Period
from engine.sheet_documents import shown
from reports.document import Head, Heading, Line, Report, Table
from reports.handing import MEDIA_TYPES
from web.access import Listed
from web.forms import FACT, Field, Form, beside
from web.grid import GridRows, Row
from web.pages.start import start_label
from web.pages.step import fact_form
from web.pages_file import Grid
from web.shown import day, period
from web.site import Said, Site, Visit

NAME = "grid"
AT = "/grid/{workflow}/{period}"
FORMS = 100  # rows with the form of the step in them; those after lead to the step's page


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    need = Listed(NAME)
    return [
        site.get("/grid/{workflow}", newest, need, name=NAME),
        site.post("/grid/{workflow}", choose, need),
        site.get(AT, show, need),
        site.post(f"{AT}/narrow", narrow, need),
        site.get(f"{AT}/view/{{view}}", show, need),
        site.post(f"{AT}/take", take, need),
        site.post(f"{AT}/own", take_own, need),
        site.post(f"{AT}/remind", remind, need),
        site.post(f"{AT}/export", export, need),
    ]


@dataclass(frozen=True, kw_only=True)
class Narrowed:
    """What narrows a grid: a state, a part of a unit's name, only what is late."""

    state: str = ""
    unit: str = ""
    late: bool = False

    def holds(self, row: Row) -> bool:
        """Tells whether a row is shown."""
        from engine.likeness import folded

        return (
            self.state in ("", row.state)
            and (not self.unit or folded(self.unit) in folded(row.name))
            and (row.late or not self.late)
        )


class Page:
    """One visit to a grid."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.workflow = visit, visit.path("workflow")
        pages = visit.site.pages.workflows.get(self.workflow)
        if pages is None or pages.grid is None:
            raise NotFound("There is no such page.")
        self.rail = pages.rail
        self.grid: Grid = pages.grid
        with visit.service.work() as work:
            self.definition: Definition = work.library.newest(self.workflow)
        self.periods = visit.service.owing.periods(self.workflow)
        name = visit.request.path_params.get("period") or (self.periods[0].name if self.periods else "")
        found = next((p for p in self.periods if p.name == name), None)
        if found is None:
            raise NotFound("There is no such page.")
        self.period: Period = found
        self.at = f"/grid/{self.workflow}/{self.period.name}"
        told = [self.grid.remind] if self.grid.remind else []
        self.owed: Sequence[Owed] = visit.service.owing.rows(
            self.workflow, found.name, visit.by(), told=told, take=self.grid.take
        )
        self.maker = GridRows(visit, self.definition, self.grid, found)
        self.rows = self.maker.rows(self.owed)

    @property
    def narrowed(self) -> Narrowed:
        """What narrows this visit's grid."""
        view = self.visit.request.path_params.get("view")
        found = self.visit.kept(view) if view is not None else None
        return found if isinstance(found, Narrowed) else Narrowed()

    @property
    def columns(self) -> list[str]:
        """The states that have a column: those named, and any other in which a unit stands."""
        named = list(self.grid.columns or self.rail or self.definition.file.states)
        others = [s for s in self.definition.file.states if s not in named]
        return named + [s for s in others if any(r.state == s for r in self.rows)]

    def fields(self, row: Row, form: Form | None = None) -> list[Field]:
        """Returns the inputs of the step that is taken in the grid."""
        visit, take = self.visit, self.grid.take
        if take is None or take not in row.steps or self.definition.steps[take].batch is not None:
            return []
        made = fact_form(visit, self.definition, {}).fields(self.grid.asks, form=form)
        now = visit.now.strftime("%d/%m/%Y %H:%M")
        filled = []
        for one in made:
            value = one.value or (now if one.kind == "time" and form is None else "")
            due = self.maker.due(row.subject) if one.kind == "time" else None
            hint = visit.say("in time up to {day}, 23:59", day=day(due)) if due is not None else one.hint
            filled.append(replace(one, value=value, hint=hint))
        kinds = [(v, label) for fact, v, label in row.receivers]
        if len(kinds) > 1:
            fact = row.receivers[0][0]
            label = self.definition.file.facts[fact].label.of(visit.lang)
            given = form.get(FACT + fact) if form is not None else kinds[0][0]
            one = Field(name=FACT + fact, label=label, kind="choice", value=given, options=kinds, required=True)
            filled = [one, *[f for f in filled if f.name != one.name]]
        return filled

    def show(self, status: int = 200, *, open_: str = "", fields: Sequence[Field] = (), said: str = "") -> Response:
        """Returns the page; `open_` is the subject whose form stands open with these fields."""
        visit, narrowed = self.visit, self.narrowed
        held = [r for r in self.rows if narrowed.holds(r)]
        waiting = [r for r in self.rows if r.waits]
        take = self.definition.steps.get(self.grid.take or "")
        return visit.page(
            "grid.html",
            status,
            title=self.definition.file.title.of(visit.lang),
            period=self.period.name,
            periods=[p.name for p in self.periods],
            rows=held,
            of_all=len(self.rows),
            waiting=waiting,
            states=[{"id": s, "label": visit.teller.state(self.definition, s),
                     "count": sum(r.state == s for r in self.rows)} for s in self.columns],
            fields={r.subject: (fields if r.subject == open_ else self.fields(r) if i < FORMS else [])
                    for i, r in enumerate(held)},
            open=open_,
            said_late=said,
            take=take.label.of(visit.lang) if take is not None else "",
            step_labels={t: visit.teller.trigger(self.definition, t) for t in self.definition.steps},
            batches={t for t, s in self.definition.steps.items() if s.batch is not None},
            taken=self.grid.take,
            remind=[r for r in waiting if r.remind],
            score=self.grid.score is not None,
            countdown=self.maker.countdown([o for o in self.owed if o.case.subject.state in self.maker.waiting]),
            narrowed=narrowed,
            give=self._give(),
            letter=self.grid.letter if visit.offers("reports") else None,
            source=self.grid.source,
            own=self._own(),
            at=self.at,
        )  # fmt: skip

    def _give(self) -> tuple[str, str] | None:
        """Returns where the officer gives a target of the score, and what that is called."""
        score = self.definition.area.file.scores.get(self.grid.score or "")
        workflow = score.target.partition(".")[0] if score is not None else ""
        with self.visit.service.work() as work:
            loaded = workflow in work.library.workflows
        label = start_label(self.visit, workflow) if loaded else ""
        return (f"/start/{workflow}", label) if label else None

    def _own(self) -> list[dict[str, Any]]:
        """Returns the subjects of units above of which the officer takes steps for a unit of their own."""
        found = self.visit.service.sheets.offered(self.workflow, self.visit.by())
        with self.visit.service.work() as work:
            views = {o.case.subject.id: work.view(o.case) for o in found}
        fact = next(iter(self.definition.opening.spec.sets), "") if self.definition.opening is not None else ""
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for o in found:
            id, view = o.case.subject.id, views[o.case.subject.id]
            row = rows.setdefault((id, o.unit), {
                "title": self.visit.values.unit(o.unit), "unit": o.unit, "subject": id,
                "period": str(view.get(fact, "")), "said": self._said(view, o.unit), "sheets": [], "steps": [],
            })  # fmt: skip
            label, sheet = o.step.label.of(self.visit.lang), f"/subjects/{id}/sheets/{o.step.trigger}/{o.unit}"
            (row["steps"] if o.step.batch is None else row["sheets"]).append(
                {"label": label, "trigger": o.step.trigger, "at": sheet}
            )
        return list(rows.values())

    def _said(self, view: Mapping[str, Value], unit: str) -> str:
        """Returns what stands under a unit in the maps of a subject above it."""
        spec = self.definition.file.facts
        maps = {n: held for n, f in spec.items() if f.keys == "orgs" and isinstance(held := view.get(n), dict)}
        told = [(spec[n].label.of(self.visit.lang), held[unit], n) for n, held in maps.items() if unit in held]
        return "; ".join(f"{label}: {shown(self.visit.teller, self.definition, n, v)}" for label, v, n in told)

    def row(self, subject: str) -> Row:
        """Returns a row. Raises NotFound."""
        found = next((r for r in self.rows if r.subject == subject), None)
        if found is None:
            raise NotFound("there is no subject {subject}", subject=subject)
        return found


def newest(visit: Visit) -> Response:
    """Shows the newest period."""
    return Page(visit).show()


def choose(visit: Visit) -> Response:
    """Goes to the period that was chosen."""
    page = Page(visit)
    wanted = visit.form.get("period")
    found = next((p.name for p in page.periods if p.name == wanted), page.period.name)
    return visit.finish(RedirectResponse(f"/grid/{page.workflow}/{found}", 303))


def show(visit: Visit) -> Response:
    """Shows a period."""
    page = Page(visit)
    return visit.not_kept(page.at) or page.show()


def narrow(visit: Visit) -> Response:
    """Keeps what narrows the grid, and shows it so."""
    page, form = Page(visit), visit.form
    wanted = Narrowed(state=form.get("state"), unit=form.get("unit").strip()[:80], late=form.get("late") == "yes")
    if wanted == Narrowed():
        return visit.redirect(page.at)
    return visit.redirect(f"{page.at}/view/{visit.keep(wanted)}")


def take(visit: Visit) -> Response:
    """Takes the step of the grid for one unit."""
    page, form = Page(visit), visit.form
    row = page.row(form.get("subject"))
    if page.grid.take is None or not page.fields(row):
        raise NotFound("There is no such page.")
    raw, fields = fact_form(visit, page.definition, {}).read(page.fields(row, form), visit.say)
    if any(f.error for f in fields):
        return page.show(400, open_=row.subject, fields=fields, said=visit.say("Look at the fields marked below."))
    if len(row.receivers) == 1:  # there is nothing to choose
        fact, kind, _ = row.receivers[0]
        raw[fact] = kind
    version = form.get("version")
    command = Move(
        subject=row.subject,
        trigger=page.grid.take,
        facts=raw,
        version=int(version) if version.isdigit() and len(version) < 10 else None,
    )
    try:
        answer = visit.service.move(command, visit.by_form())
    except BadInput as error:
        text = visit.teller.invalid(error)
        marked, found = beside(fields, str(error.params.get("fact", "")).partition(":")[0], text)
        said = visit.say("Look at the fields marked below.") if found else text
        return page.show(400, open_=row.subject, fields=marked, said=said)
    if not answer.allowed:
        return visit.redirect(f"/subjects/{row.subject}/steps/{page.grid.take}")
    after = next(r for r in Page(visit).rows if r.subject == row.subject)
    text = visit.say("{unit}: {state} ({note}).", unit=row.name, state=after.cell.text, note=after.cell.note)
    return visit.redirect(page.at, Said(text, undo=f"/subjects/{row.subject}/undo"))


def take_own(visit: Visit) -> Response:
    """Takes a step of a unit above for a unit of the officer's own, after showing what it says."""
    page, form = Page(visit), visit.form
    offered = visit.service.sheets.offered(page.workflow, visit.by())
    wanted = (form.get("subject"), form.get("trigger"), form.get("unit"))
    found = next((o for o in offered if (o.case.subject.id, o.step.trigger, o.unit) == wanted), None)
    if found is None or found.step.batch is not None:
        raise NotFound("There is no such page.")
    label, unit = found.step.label.of(visit.lang), visit.values.unit(found.unit)
    if form.get("confirmed") != "yes":
        return visit.page(
            "confirm.html",
            heading=label,
            title=page.definition.file.title.of(visit.lang),
            told=[f"{unit}: {label}"],
            button=visit.say("Record it"),
            action=f"{page.at}/own",
            back=page.at,
            pairs=list(zip(("subject", "trigger", "unit"), wanted, strict=True)),
            version=None,
            risk=False,
        )
    command = Move(subject=found.case.subject.id, trigger=found.step.trigger, facts={found.fact: found.unit})
    try:
        answer = visit.service.move(command, visit.by_form())
    except BadInput as error:
        return visit.redirect(page.at, Said(visit.teller.invalid(error), "late"))
    if not answer.allowed:
        return visit.redirect(page.at, Said(visit.say("Refused by the rules"), "late"))
    return visit.redirect(page.at, Said(visit.say("Recorded: {step}, {title}.", step=label, title=unit)))


def remind(visit: Visit) -> Response:
    """Reminds units now, after showing whom."""
    page, form = Page(visit), visit.form
    wanted = [s for s in form.all("subject") if any(r.subject == s and r.remind for r in page.rows)]
    if page.grid.remind is None or not wanted:
        raise NotFound("There is no such page.")
    label = page.definition.file.notices[page.grid.remind].label.of(visit.lang)
    if form.get("confirmed") != "yes":
        return visit.page(
            "confirm.html",
            heading=visit.say("Remind now: {what}", what=label),
            title=page.definition.file.title.of(visit.lang),
            told=[r.name + (f" ({r.reminded})" if r.reminded else "") for r in page.rows if r.subject in wanted],
            button=visit.say("Send the reminders ({n})", n=len(wanted)),
            action=f"{page.at}/remind",
            back=page.at,
            pairs=[("subject", s) for s in wanted],
            version=None,
            risk=False,
        )
    came = visit.service.owing.remind(wanted, page.grid.remind, visit.by())
    sent = [r for r in came if r.why is None]
    text = visit.say("Reminded units: {n}, messages: {m}.", n=len(sent), m=sum(len(r.rows) for r in sent))
    names = {r.subject: r.name for r in page.rows}
    refused = [_why(visit, names[r.subject], r.why) for r in came if r.why is not None]
    return visit.redirect(page.at, Said(" ".join([text, *refused[:10]]), "good" if sent and not refused else "soon"))


def _why(visit: Visit, unit: str, error: BadInput) -> str:
    """Returns why a unit was not reminded, with its name for its code."""
    return visit.teller.invalid(error).replace(str(error.params.get("subject", "")), unit) + "."


def export(visit: Visit) -> Response:
    """Hands the grid out as a list in Excel: what is shown, or only who has not done it. The trail notes it."""
    page = Page(visit)
    rows = [r for r in page.rows if r.waits or visit.form.get("all") == "yes"]
    title = visit.say("{what} {period}: not done yet", what=page.definition.file.title.of(visit.lang),
                      period=period(page.period.name))  # fmt: skip
    report = _list(visit, page, rows, title)
    from reports.workbook import workbook

    data = workbook(report)
    visit.service.access.exported("grid", len(rows), visit.by(), workflow=page.workflow, period=page.period.name)
    response = Response(data, media_type=MEDIA_TYPES["xlsx"])
    name = f"{page.workflow}-{page.period.name}.xlsx"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return visit.finish(response)


def _list(visit: Visit, page: Page, rows: Sequence[Row], title: str) -> Report:
    columns = [
        Heading(id="unit", label=visit.say("Unit"), shows="text", width=40),
        Heading(id="state", label=visit.say("State"), shows="text", width=24),
        Heading(id="note", label=visit.say("Late by, or since"), shows="text", width=24),
        Heading(id="reminded", label=visit.say("Reminders"), shows="text", width=30),
    ]
    lines = [Line(key=r.subject, cells=[r.name, r.cell.text, r.cell.note, r.reminded]) for r in rows]
    issuer = visit.values.unit(visit.session.officer.org)
    return Report(
        id=NAME,
        lang=visit.lang,
        head=Head(above="", issuer=issuer, star=False, motto=(), number="", place_and_date="", name="", title=title,
                  heading=title, recipients_label="", recipients=(), signer="", signed=(), page="{page}/{pages}",
                  running_number=visit.say("No.")),
        unit=visit.session.officer.org,
        unit_name=issuer,
        first=page.period.first,
        last=visit.today,
        as_of=visit.today,
        made_at=visit.now,
        source=page.grid.source,
        sandbox=visit.say("SANDBOX: made for trying out, no real document") if visit.site.sandbox else "",
        notes=(visit.say("As of {day}", day=day(visit.today)),),
        late_entries=0,
        history_entries=0,
        restored_entries=0,
        landscape=False,
        tables=[Table(columns=columns, lines=lines, nothing=visit.say("Nobody: all have done it."))],
    )  # fmt: skip
