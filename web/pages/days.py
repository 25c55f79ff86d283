"""Days off and working Saturdays: the year as it stands, and what moves before another day is declared."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.doors.keeping import Moved
from web.access import Listed, May
from web.asked import Asked
from web.forms import Field
from web.shown import day
from web.site import Said, Site, Visit

NAME = "days"
LONGEST = 60  # days in one declaration


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/days", show, Listed(NAME), name=NAME),
        site.post("/days", declare, May("calendar")),
    ]


def show(visit: Visit) -> Response:
    """Shows a year."""
    return _page(visit, Asked(visit, _fields(visit)), 200)


def _fields(visit: Visit) -> list[Field]:
    kinds = [("off", visit.say("Day off")), ("work", visit.say("Working day"))]
    return [
        Field(name="first", label=visit.say("Day"), kind="day", required=True),
        Field(name="last", label=visit.say("Up to"), kind="day", hint=visit.say("empty: that one day")),
        Field(name="kind", label=visit.say("Is a"), kind="choice", required=True, options=kinds),
    ]


def _page(visit: Visit, asked: Asked, status: int) -> Response:
    typed = str(visit.request.query_params.get("year", ""))
    year = int(typed) if typed.isdecimal() and 1990 <= int(typed) <= 2199 else visit.today.year
    own = visit.service.keeping.days()
    special = [_named(visit, d, own) for d in _all_days(year) if d in own or _national(visit, d)]
    return visit.page(
        "days.html",
        status,
        year=year,
        months=[_month(visit, year, n, own) for n in range(1, 13)],
        special=special,
        weekdays=[visit.say(n) for n in ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")],
        fields=asked.fields,
        may=visit.may("calendar"),
        working=sum(visit.calendar.is_working(d) for d in _all_days(year)),
    )


def _all_days(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days)]


def _national(visit: Visit, day_: date) -> bool:
    return day_ in visit.calendar.days_off(day_.year)


def _named(visit: Visit, day_: date, own: Mapping[date, bool]) -> dict[str, Any]:
    if day_ in own:
        what = visit.say("day off declared here") if own[day_] else visit.say("working day declared here")
    else:
        what = visit.say("national day off")
    names = [visit.say(n) for n in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")]
    return {"day": day_, "weekday": names[day_.weekday()], "what": what}


def _month(visit: Visit, year: int, number: int, own: Mapping[date, bool]) -> dict[str, Any]:
    days = [date(year, number, n) for n in range(1, monthrange(year, number)[1] + 1)]
    shown = [
        {
            "n": d.day,
            "off": not visit.calendar.is_working(d),
            "own": d in own,
            "today": d == visit.today,
            "told": visit.say("day off") if not visit.calendar.is_working(d) else "",
        }
        for d in days
    ]
    return {"number": number, "before": range(days[0].weekday()), "days": shown}


def declare(visit: Visit) -> Response:
    """Shows what moves; declares the days when that was confirmed."""
    asked = Asked(visit, _fields(visit))
    if not asked.read():
        return _page(visit, asked, 400)
    first = asked.day("first")
    assert first is not None
    last = asked.day("last") or first
    if not first <= last < first + timedelta(days=LONGEST):
        asked.blame("last", visit.say("The last day lies after the first, at most {n} days on.", n=LONGEST))
        return _page(visit, asked, 400)
    off = asked.text("kind") == "off"
    days = [(first + timedelta(days=n), off) for n in range((last - first).days + 1)]
    if visit.form.get("confirmed") == "yes":
        changed = visit.service.put_days(days, visit.by_form())
        text = visit.say("Declared: {n} days. What was planned on them is planned anew.", n=changed)
        return visit.redirect(f"/days?year={first.year}", Said(text))
    changed, moved = visit.service.keeping.days_tried(days, visit.by())
    kind = dict(_fields(visit)[2].options)[asked.text("kind") or ""]
    span = day(first) if first == last else f"{day(first)} – {day(last)}"
    told = [f"{kind}: {span}"] if changed else [visit.say("These days stand so already; nothing would change.")]
    told += [_moving(visit, m) for m in moved] or [visit.say("No date that is planned moves.")]
    return visit.page(
        "confirm.html",
        heading=visit.say("Days off and working days"),
        back="/days",
        title=visit.say("Days off and working days"),
        told=told,
        action="/days",
        button=visit.say("Declare"),
        pairs=asked.pairs,
        risk=False,
        version=None,
    )


def _moving(visit: Visit, m: Moved) -> str:
    with visit.service.work() as work:
        definition = work.library.newest(m.workflow)
    spec = definition.file.notices.get(m.name)
    what = spec.label.of(visit.lang) if spec is not None else visit.teller.trigger(definition, m.name)
    zone = visit.calendar.zone
    return visit.say(
        "{workflow}, {what}: {n} dates move, the first of them from {before} to {after}.",
        workflow=definition.file.title.of(visit.lang),
        what=what,
        n=m.count,
        before=m.before.astimezone(zone).strftime("%d/%m/%Y %H:%M"),
        after=m.after.astimezone(zone).strftime("%d/%m/%Y %H:%M"),
    )
