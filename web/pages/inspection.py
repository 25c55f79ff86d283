"""The inspector's pages: finding in the trail, exceptions, late entries, refusals, openings. They change nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine import scope
from engine.core import events
from engine.core.errors import BadInput, NotFound
from engine.core.events import Entry
from engine.doors.oversight import Found
from engine.reading import Query
from web.access import Listed
from web.forms import Field, Form, read_day
from web.pages.home import title_of
from web.pages.reports import report_titles, units
from web.shown import day
from web.site import Site, Visit

NAME = "inspection"
NEED = Listed(NAME)
BACK = timedelta(days=90)  # what the overview looks at, unless another period is asked for
PAGE = 50
SHOWN = 200  # rows of an overview; its count says how many there are
LISTS = ("exceptions", "late", "refused", "openings")


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/inspection", show, NEED, name=NAME),
        site.post("/inspection", ask_period, NEED),
        site.post("/inspection/search", ask, NEED),
        site.get("/inspection/search/{view}", found, NEED),
        site.get("/inspection/events/{seq}", event, NEED),
        site.get("/inspection/period/{view}", show, NEED),
        site.get("/inspection/lists/{what}", listed, NEED),
        site.get("/inspection/lists/{what}/{view}", listed, NEED),
    ]


# ---- the overview ----


@dataclass(frozen=True, kw_only=True)
class Period:
    """From one day to another, kept under `view` ('' is the usual one)."""

    first: date
    last: date
    view: str = ""


def show(visit: Visit) -> Response:
    """Shows what there is to look at: counts of a period, what no checkpoint covers, the form that finds."""
    return visit.not_kept("/inspection") or _overview(visit, _period(visit), {}, {}, 200)


def _period(visit: Visit) -> Period:
    view = visit.request.path_params.get("view")
    kept = visit.kept(view) if view else None
    if isinstance(kept, Period):
        return Period(first=kept.first, last=kept.last, view=str(view))
    return Period(first=visit.today - BACK, last=visit.today)


def _overview(
    visit: Visit, period: Period, errors: Mapping[str, str], of_period: Mapping[str, str], status: int
) -> Response:
    by = visit.by()
    counts = visit.service.oversight.counts(period.first, period.last, by)
    return visit.page(
        "inspection.html",
        status,
        period=period,
        counts=counts,
        exposure=visit.service.oversight.exposure(),
        whole=visit.service.oversight.whole(by),
        verified=visit.works("verify"),
        fields=search_fields(visit, visit.form if errors else Form(), errors),
        period_fields=[
            _day("period_first", visit.say("From day"), of_period, day(period.first)),
            _day("period_last", visit.say("To day"), of_period, day(period.last)),
        ],
    )


def _day(name: str, label: str, errors: Mapping[str, str], value: str) -> Field:
    return Field(name=name, label=label, kind="day", value=value, error=errors.get(name, ""))


def read_period(visit: Visit, errors: dict[str, str], prefix: str = "") -> tuple[date | None, date | None]:
    """Reads the days of a period as they were typed. Writes down what is wrong."""
    read: dict[str, date | None] = {}
    for name in ("first", "last"):
        read[name], wrong = read_day(visit.form.get(prefix + name), visit.say)
        if wrong:
            errors[prefix + name] = wrong
    first, last = read["first"], read["last"]
    if first is not None and last is not None and last < first:
        errors[prefix + "last"] = visit.say("The last day lies before the first.")
    return first, last


def ask_period(visit: Visit) -> Response:
    """Keeps a period, and leads to it."""
    errors: dict[str, str] = {}
    first, last = read_period(visit, errors, "period_")
    if errors:
        return _overview(visit, _period(visit), {}, errors, 400)
    last = last or visit.today
    period = Period(first=first or last - BACK, last=last)
    return visit.redirect(f"/inspection/period/{visit.keep(period)}")


# ---- finding ----


def kinds(visit: Visit) -> dict[str, tuple[str, Query]]:
    """Returns what may be looked for, by its key: what people call it, and the part of the query."""
    say, e = visit.say, events
    return {
        "steps": (say("Steps"), Query(kinds=(e.STARTED, e.MOVED, e.RECORDED, e.TAKEN_OVER))),
        "refused": (say("Refused"), Query(kinds=(e.REFUSED, e.DENIED))),
        "exceptions": (say("Exceptions"), Query(breached=True)),
        "facts": (say("Facts written"), Query(kinds=(e.FACTS_SET,))),
        "undone": (say("Undone"), Query(kinds=(e.UNDONE, e.VOIDED))),
        "opened": (say("Openings of dossiers"), Query(kinds=(e.OPENED,))),
        "given": (say("Lists and files given out"), Query(kinds=(e.LISTED, e.EXPORTED))),
        "signed": (say("Signing in"), Query(kinds=(e.SIGNED_IN, e.SIGN_IN_FAILED, e.ACCESS))),
        "office": (say("Organisations, officers, days off"), Query(kinds=(e.OFFICE,))),
        "notices": (say("Notices"), Query(kinds=(e.NOTICE,))),
        "trail": (
            say("Checkpoints, keys, backups"),
            Query(kinds=(e.CHECKPOINT, e.CHECKPOINT_LEFT, e.SIGNING_KEY, e.BACKED_UP, e.RESTORED, e.DEFINITION)),
        ),
        "erased": (say("Erasure of personal data"), Query(kinds=(e.ERASED, e.HELD, e.RELEASED))),
    }


def search_fields(visit: Visit, form: Form, errors: Mapping[str, str]) -> list[Field]:
    """Returns the inputs of the form that finds."""
    say = visit.say
    with visit.service.work() as work:
        mine = scope.units(work.office, work.library.area, visit.by())
        officers = sorted((o.name, o.id) for o in work.office.officers.values() if o.org in mine)
        rules = {r.id: r.label.of(visit.lang) for d in work.library.all_newest().values() for r in d.rules.values()}

    def field(name: str, label: str, kind: str, **more: Any) -> Field:
        return Field(name=name, label=label, kind=kind, value=form.get(name), error=errors.get(name, ""), **more)

    return [
        field("person", say("Person"), "text", hint=say("a part of the name, with or without accents")),
        field("officer", say("Officer"), "choice", options=[(id, name) for name, id in officers]),
        field("unit", say("Unit"), "choice", options=units(visit), hint=say("with all below it")),
        field("kind", say("What"), "choice", options=[(k, label) for k, (label, _) in kinds(visit).items()]),
        field("rule", say("Rule"), "choice", options=sorted(rules.items(), key=lambda r: r[1])),
        field("first", say("From day"), "day"),
        field("last", say("To day"), "day"),
        field(
            "by",
            say("Days are those of"),
            "choice",
            options=[("at", say("day of recording")), ("on", say("day of happening"))],
        ),
        field("late_days", say("Recorded late by days"), "number", hint=say("at least")),
    ]  # fmt: skip


def ask(visit: Visit) -> Response:
    """Keeps what is looked for, and leads to what is found."""
    form, errors = visit.form, dict[str, str]()
    known = {f.name: {v for v, _ in f.options} for f in search_fields(visit, form, {}) if f.options}
    for name, options in known.items():
        if form.get(name) and form.get(name) not in options:
            errors[name] = visit.say("Choose one of the list.")
    first, last = read_period(visit, errors)
    late = form.get("late_days").strip()
    if late and not (late.isdecimal() and 1 <= int(late) <= 36_500):
        errors["late_days"] = visit.say("late: a number of days from 1")
    if errors:
        return _overview(visit, _period(visit), errors, {}, 400)
    part = kinds(visit)[form.get("kind")][1] if form.get("kind") else Query()
    query = Query(
        person=form.get("person").strip()[:100] or None,
        officer=form.get("officer") or None,
        unit=form.get("unit") or None,
        rule=form.get("rule") or None,
        kinds=part.kinds,
        breached=part.breached,
        since=first,
        until=last,
        happened=form.get("by") == "on",
        late_days=int(late) if late else None,
        limit=PAGE,
    )
    return visit.redirect(f"/inspection/search/{visit.keep((query, form.input))}")


def found(visit: Visit) -> Response:
    """Shows a page of what was found."""
    if (lost := visit.not_kept("/inspection")) is not None:
        return lost
    query, typed = visit.kept(visit.path("view"))
    after = visit.request.query_params.get("before", "")
    if after and not after.isdecimal():
        raise BadInput("{value} is not a number", value=after[:20])
    asked = Query(**{**_asdict(query), "before": int(after) if after else None})
    page = visit.service.oversight.search(asked, visit.by())
    return visit.page(
        "inspection_found.html",
        rows=rows(visit, page),
        next=f"/inspection/search/{visit.path('view')}?before={page.before}" if page.before is not None else "",
        first=not after,
        fields=search_fields(visit, Form(tuple(typed)), {}),
    )


def _asdict(query: Query) -> dict[str, Any]:
    return {name: getattr(query, name) for name in Query.__dataclass_fields__}


# ---- events ----


def rows(visit: Visit, found: Found) -> list[dict[str, Any]]:
    """Returns events as a table shows them; a subject that the officer does not read is an id only."""
    return [row(visit, e, found) for e in found.entries]


def row(visit: Visit, entry: Entry, found: Found) -> dict[str, Any]:
    """Returns one event as a table shows it."""
    case = found.cases.get(entry.subject or "")
    who = visit.officer_name(entry.actor) or entry.account or visit.say("the clock")
    absent = visit.officer_name(entry.behalf)
    return {
        "seq": entry.seq,
        "what": what(visit, entry),
        "on": entry.happened,
        "at": entry.at,
        "title": title_of(visit, case) if case is not None else entry.subject or "",
        "href": f"/subjects/{case.subject.id}" if case is not None else "",
        "unit": visit.values.unit(entry.org) if entry.org else "",
        "who": visit.say("{who} for {absent}", who=who, absent=absent) if absent else who,
        "late": found.delays.get(entry.seq, 0) or _delay(visit, entry),
        "breaches": [rule_label(visit, entry, r) for r in entry.breaches],
        "refused": [rule_label(visit, entry, str(r[0])) for r in entry.rules if r[2] != "pass" and r[1] != "warn"]
        if entry.kind in (events.REFUSED, events.DENIED)
        else [],
        "why": visit.say(str(entry.detail["why"])) if isinstance(entry.detail.get("why"), str) else "",
    }


def _delay(visit: Visit, entry: Entry) -> int:
    if entry.happened is None or entry.kind not in events.CHANGING:
        return 0
    return int((visit.calendar.day_of(events.unstamp(entry.entered)) - date.fromisoformat(entry.happened)).days)


def what(visit: Visit, entry: Entry) -> str:
    """Returns what happened, in words."""
    kind = visit.say(entry.kind)
    if entry.trigger is None or entry.workflow is None:
        through = entry.detail.get("through") or entry.detail.get("what")
        if not isinstance(through, str):
            return kind
        return f"{kind}: {report_titles(visit).get(through) or visit.say(through)}"
    with visit.service.work() as work:
        definition = work.library.all_newest().get(entry.workflow)
    step = visit.teller.trigger(definition, entry.trigger) if definition is not None else entry.trigger
    return step if entry.kind in events.STEPS else f"{kind}: {step}"


def rule_label(visit: Visit, entry: Entry, rule: str) -> str:
    """Returns what people call a rule."""
    with visit.service.work() as work:
        definition = work.library.all_newest().get(entry.workflow or "")
    known = definition.rules.get(rule) if definition is not None else None
    return known.label.of(visit.lang) if known is not None else rule


def event(visit: Visit) -> Response:
    """Shows one event: everything in it that is not sealed."""
    text = visit.path("seq")
    if not text.isdecimal() or len(text) > 12:
        raise NotFound("There is no such page.")
    entry, case = visit.service.oversight.event(int(text), visit.by())
    shown = Found(entries=[entry], cases={case.subject.id: case} if case is not None else {})
    results = {"pass": visit.say("met"), "fail": visit.say("not met"), "unknown": visit.say("not known")}
    return visit.page(
        "inspection_event.html",
        entry=entry,
        row=row(visit, entry, shown),
        rules=[
            (rule_label(visit, entry, str(r[0])), results.get(str(r[2]), str(r[2])), day(str(r[3])) if r[3] else "",
             r[0] in entry.breaches)
            for r in entry.rules
        ],
        detail=[(k, v) for k, v in entry.detail.items() if k not in ("v", "key", "sealed", "link")],
    )  # fmt: skip


# ---- lists of a period ----


def listed(visit: Visit) -> Response:
    """Shows one of the lists of a period."""
    name = visit.path("what")
    if name not in LISTS:
        raise NotFound("There is no such page.")
    if (lost := visit.not_kept(f"/inspection/lists/{name}")) is not None:
        return lost
    period, by, door = _period(visit), visit.by(), visit.service.oversight
    reasons: Mapping[int, str] = {}
    opened: Sequence[Any] = ()
    if name == "openings":
        opened, whole = door.openings(period.first, period.last, by)
        count, found_rows = sum(o.times for o in opened), []
    else:
        if name == "exceptions":
            found, reasons = door.exceptions(period.first, period.last, by)
        else:
            found = (door.late if name == "late" else door.refused)(period.first, period.last, by)
        whole, count = found.whole, len(found.entries)
        shown = Found(entries=found.entries[:SHOWN], cases=found.cases, delays=found.delays)
        found_rows = rows(visit, shown)
    titles = {
        "exceptions": visit.say("Exceptions that went through"),
        "late": visit.say("Late entries, the latest first"),
        "refused": visit.say("Refused attempts"),
        "openings": visit.say("Who opened dossiers"),
    }
    return visit.page(
        "inspection_list.html", what=name, title=titles[name], period=period, rows=found_rows, reasons=reasons,
        opened=opened, count=count, whole=whole, shown=SHOWN,
    )  # fmt: skip
