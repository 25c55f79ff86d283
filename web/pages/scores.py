"""Scores: plan, target and result of each unit over a year or a term, who heads it, and how it was rated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine import scope
from engine.core.errors import KetnapError
from engine.scores import Head, Standing
from reports.document import Heading, Line, Table, written
from web.access import Listed
from web.charts import Chart, chart
from web.forms import Field, read_day
from web.shown import day
from web.site import Site, Visit

NAME = "scores"
YEARS = 12


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    need = Listed(NAME)
    return [
        site.get("/scores", show, need, name=NAME),
        site.post("/scores", ask, need),
        site.get("/scores/view/{view}", show, need),
    ]


def ask(visit: Visit) -> Response:
    """Keeps what was asked for, and leads to it."""
    wanted = {n: visit.form.get(n)[:20] for n in ("score", "year", "until_year", "day")}
    return visit.redirect(f"/scores/view/{visit.keep(wanted)}")


def show(visit: Visit) -> Response:
    """Shows the standings of the units that the officer reads."""
    if (lost := visit.not_kept("/scores")) is not None:
        return lost
    known = _scores(visit)
    view = visit.kept(visit.path("view")) if "view" in visit.request.path_params else None
    wanted: dict[str, str] = view if isinstance(view, dict) else {}
    asked = wanted.get("score", "")
    name = asked if asked in known else next(iter(known), "")
    errors: dict[str, str] = {}
    first = _year(visit, wanted, "year", visit.today.year, errors)
    until = _year(visit, wanted, "until_year", first, errors)
    on, wrong = read_day(wanted.get("day", ""), visit.say)
    if wrong:
        errors["day"] = wrong
    found: list[Standing] = []
    if name and not errors:
        try:
            found = _mine(visit, name, date(first, 1, 1), date(until, 12, 31), on)
        except KetnapError as error:
            errors["until_year"] = visit.say(error.message, **error.params)
    rated = _ratings(visit, name, first) if found and first == until else {}
    fields = [
        Field(name="score", label=visit.say("What is counted"), kind="choice", value=name,
              options=[(k, v.label.of(visit.lang)) for k, v in known.items()]),
        Field(name="year", label=visit.say("Year"), kind="number", value=str(first), error=errors.get("year", "")),
        Field(name="until_year", label=visit.say("to year"), kind="number", value=wanted.get("until_year", ""),
              error=errors.get("until_year", ""), hint=visit.say("for a term, which has a target of its own")),
        Field(name="day", label=visit.say("As of the day"), kind="day", value=wanted.get("day", ""),
              error=errors.get("day", ""), hint=visit.say("empty: today")),
    ]  # fmt: skip
    return visit.page(
        "scores.html",
        400 if errors else 200,
        fields=fields,
        label=known[name].label.of(visit.lang) if name else "",
        period=str(first) if first == until else f"{first}-{until}",
        rows=[_row(visit, s, rated.get(s.unit)) for s in found],
        drawing=_drawing(visit, found),
        rates=bool(rated),
    )


def _scores(visit: Visit) -> Mapping[str, Any]:
    with visit.service.work() as work:
        return work.library.area.file.scores


def _year(visit: Visit, wanted: Mapping[str, str], name: str, usual: int, errors: dict[str, str]) -> int:
    text = wanted.get(name, "").strip()
    if not text:
        return usual
    if not text.isdecimal() or not 1900 <= int(text) <= 9998:
        errors[name] = visit.say("{value} is not a year", value=text)
        return usual
    return int(text)


def _mine(visit: Visit, name: str, first: date, last: date, on: date | None) -> list[Standing]:
    with visit.service.work() as work:
        units = scope.units(work.office, work.library.area, visit.by())
    found = [s for s in visit.service.scores.standings(name, first, last, day=on) if s.unit in units]
    if found:
        visit.service.access.listed("scores", len(found), visit.by(), score=name)
    return found


def _ratings(visit: Visit, name: str, year: int) -> dict[str, tuple[str, str]]:
    """Returns unit -> where its rating is seen and what it says, of a year."""
    rated = visit.site.pages.ratings.get(name)
    if rated is None:
        return {}
    with visit.service.work() as work:
        if rated.workflow not in work.library.workflows:
            return {}
        units = scope.units(work.office, work.library.area, visit.by())
        cases = list(work.adopt(work.tx.find_subjects(workflow=rated.workflow, orgs=sorted(units))))
    found: dict[str, tuple[str, str]] = {}
    for case in cases:
        subject, definition = case.subject, case.definition
        if subject.facts.get(rated.year) == year:
            value = visit.values.text(definition, rated.rating, subject.facts.get(rated.rating))
            found[subject.org] = (f"/subjects/{subject.id}", value or visit.teller.state(definition, subject.state))
    return found


def _row(visit: Visit, s: Standing, rated: tuple[str, str] | None) -> dict[str, Any]:
    say, lang = visit.say, visit.lang
    least, most = written(s.least, "number", lang), written(s.most, "number", lang)
    met = say("no target given") if s.met is None else say("target met") if s.met else say("target not met")
    return {
        "name": s.name,
        "plan": written(s.plan, "number", lang),
        "target": say("no target given") if s.least is None else f"{least}-{most}" if most else least,
        "href": f"/subjects/{s.target}" if s.target else "",
        "document": s.number or "",
        "result": written(s.result, "number", lang),
        "percent": written(s.percent, "percent", lang),
        "met": met,
        "kind": "" if s.met is None else "good" if s.met else "late",
        "heads": [_head(visit, h) for h in s.leaders],
        "rated": rated,
    }


def _head(visit: Visit, head: Head) -> tuple[str, str, bool]:
    """Returns a head's name, from when to when, and whether they headed the unit on the day."""
    first, last = day(head.first), day(head.last)
    if first and last:
        held = visit.say("{first} to {last}", first=first, last=last)
    elif first:
        held = visit.say("since {day}", day=first)
    else:
        held = visit.say("until {day}", day=last) if last else ""
    return head.name, held, head.then


def _drawing(visit: Visit, found: list[Standing]) -> Chart | None:
    columns = [
        Heading(id="unit", label=visit.say("Unit"), shows="text"),
        Heading(id="target", label=visit.say("Target"), shows="number"),
        Heading(id="result", label=visit.say("Result"), shows="number"),
    ]
    lines = [Line(key=s.unit, cells=[s.name, s.least, s.result]) for s in found]
    about = visit.say("Bars of the table below, where every number stands.")
    table = Table(title=visit.say("Targets and results"), columns=columns, lines=lines, chart=("target", "result"))
    return chart(table, visit.lang, "scores", about)
