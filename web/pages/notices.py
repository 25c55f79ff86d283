"""Notices: a month of what went out and what comes, what has to be settled, previews, a forecast."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine import scope
from engine.core.calendar import add_months
from engine.core.collation import text_key
from engine.core.errors import BadInput, KetnapError, NotFound
from engine.core.events import unstamp
from engine.core.sending import SENT
from engine.doors.mail import MOST, PAGE, Coming, Letter
from engine.service import Service
from notifications.forecast import Expected
from web.access import Listed
from web.asked import page_asked
from web.forms import Field, read_day
from web.jobs import Job
from web.pages.home import title_of
from web.pages.notices_mine import channel_name
from web.shown import day
from web.site import Said, Site, Visit
from web.words import error_text

NAME = "notices"
NEED = Listed(NAME)
AHEAD = 400  # days of a forecast
SUBJECTS = 60  # offered for a preview
KIND = "forecast"
KINDS = {"delivered": "good", "accepted": "good", "unknown": "late", "failed": "late", "refused": "late",
         "queued": "soon", "claimed": "soon", "cancelled": ""}  # fmt: skip


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/notices", show, NEED, name=NAME),
        site.get("/notices/months/{month}", show, NEED),
        site.get("/notices/days/{day}", show_day, NEED),
        site.get("/notices/unsettled", unsettled, NEED),
        site.get("/notices/preview", ask_preview, NEED),
        site.post("/notices/preview", preview, NEED),
        site.post("/notices/forecast", forecast, NEED),
        site.get("/notices/forecasts/{job}", forecasted, NEED),
        site.get("/notices/channels", channels, NEED),
        site.post("/notices/channels", try_channel, NEED),
        site.get("/notices/one/{id}", one, NEED),
        site.post("/notices/one/{id}", settle, NEED),
    ]


# ---- a month ----


def show(visit: Visit) -> Response:
    """Shows a month: a calendar, and the list of its notices, past and coming."""
    first = _month(visit)
    last = first.replace(day=monthrange(first.year, first.month)[1])
    by, today = visit.by(), visit.today
    letters, whole = visit.service.mail.between(first, last, by)
    coming: list[Coming] = []
    if last >= today:
        coming, all_of_it = visit.service.mail.coming(max(first, today), last, by)
        whole = whole and all_of_it
    days: dict[date, list[dict[str, Any]]] = {}
    for letter in letters:
        days.setdefault(visit.calendar.day_of(unstamp(letter.row.due_at)), []).append(_letter(visit, letter))
    for planned in coming:
        days.setdefault(visit.calendar.day_of(planned.at), []).append(_coming(visit, planned))
    return visit.page(
        "notices.html",
        month=f"{first:%m/%Y}",
        before=f"/notices/months/{add_months(first, -1):%Y-%m}",
        after=f"/notices/months/{add_months(first, 1):%Y-%m}",
        calendar=_calendar(visit, first, last, days),
        days=sorted(days.items()),
        shown=len(letters) + len(coming),
        whole=whole,
        settles=visit.may("notices"),
        unsettled=len(visit.service.mail.unsettled(by)) if visit.may("notices") else 0,
        forecast=_forecast_fields(visit, {}) if visit.site.wired.forecast is not None and visit.reads() else [],
        forecasts=visit.works(KIND),
    )


def _month(visit: Visit) -> date:
    text = visit.request.path_params.get("month")
    return visit.today.replace(day=1) if text is None else _date(f"{text}-01")


def _date(text: str) -> date:
    """Reads the day in an address."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not 1900 < found.year < 2200:
        raise NotFound("There is no such page.")
    return found


def show_day(visit: Visit) -> Response:
    """Shows a day's notices, past and coming, so many a page: what the page of a month has no room for."""
    at, by = _date(visit.path("day")), visit.by()
    page = min(page_asked(visit), MOST // PAGE)
    skip = (page - 1) * PAGE
    letters, whole = visit.service.mail.between(at, at, by, skip=skip)
    coming: list[Coming] = []
    if at >= visit.today:
        coming, all_of_it = visit.service.mail.coming(at, at, by, PAGE, skip)
        whole = whole and all_of_it
    return visit.page(
        "notices_day.html",
        at=at,
        items=[*(_letter(visit, x) for x in letters), *(_coming(visit, x) for x in coming)],
        page_number=page,
        more=not whole and page < MOST // PAGE,
        month=(f"/notices/months/{at:%Y-%m}", visit.say("Notices of {month}", month=f"{at:%m/%Y}")),
        before=f"/notices/days/{at - timedelta(days=1)}",
        after=f"/notices/days/{at + timedelta(days=1)}",
        here=f"/notices/days/{at}",
    )


@dataclass(frozen=True, kw_only=True)
class Square:
    """A day of the calendar: how many notices went out, wait or are lost, and come."""

    day: date
    off: bool
    sent: int
    lost: int
    coming: int


def _calendar(visit: Visit, first: date, last: date, days: dict[date, list[dict[str, Any]]]) -> dict[str, Any]:
    squares = []
    for n in range((last - first).days + 1):
        at = first + timedelta(days=n)
        items = days.get(at, [])
        squares.append(
            Square(
                day=at,
                off=not visit.calendar.is_working(at),
                sent=sum(i["sent"] for i in items),
                lost=sum(i["kind"] == "late" for i in items),
                coming=sum(i["waits"] for i in items),
            )
        )
    return {"blank": first.weekday(), "squares": squares}


def _letter(visit: Visit, letter: Letter) -> dict[str, Any]:
    row, text, case = letter.row, letter.text, letter.case
    title = (
        text.get("subject_line", "")
        if text is not None
        else visit.say("A notice by {channel}", channel=channel_name(visit, row.channel).lower())
    )
    return {
        "at": row.sent_at or row.next_try_at or row.due_at,
        "title": title,
        "href": f"/notices/one/{row.id}",
        "about": title_of(visit, case) if case is not None else "",
        "to": visit.officer_name(row.recipient) or "–",
        "behalf": visit.officer_name(row.behalf),
        "channel": channel_name(visit, row.channel),
        "state": visit.say(row.state),
        "kind": KINDS.get(row.state, ""),
        "sent": row.state in SENT,
        "waits": row.state in ("queued", "claimed"),
        "settle": bool(letter.may) and row.state in ("unknown", "failed", "refused"),
    }


def _coming(visit: Visit, coming: Coming) -> dict[str, Any]:
    case = coming.case
    spec = case.definition.file.notices.get(coming.rule)
    return {
        "at": coming.at,
        "title": spec.label.of(visit.lang) if spec is not None else coming.rule,
        "href": f"/subjects/{case.subject.id}",
        "about": title_of(visit, case),
        "to": "",
        "behalf": "",
        "channel": "",
        "state": visit.say("planned"),
        "kind": "",
        "sent": False,
        "waits": True,
        "settle": False,
    }


def unsettled(visit: Visit) -> Response:
    """Shows the notices that somebody has to settle."""
    if not visit.may("notices"):
        raise NotFound("There is no such page.")
    found = visit.service.mail.unsettled(visit.by())
    return visit.page("notices_unsettled.html", items=[_letter(visit, letter) for letter in found])


# ---- one notice ----


def one(visit: Visit) -> Response:
    """Shows a notice with what became of it, and what may be said of it."""
    return _one(visit, "", 200)


def _one(visit: Visit, error: str, status: int) -> Response:
    letter = visit.service.mail.one(visit.path("id"), visit.by())
    row, case = letter.row, letter.case
    rule = case.definition.file.notices.get(row.rule) if case is not None else None
    return visit.page(
        "notice.html",
        status,
        row=row,
        item=_letter(visit, letter),
        text=letter.text,
        may=letter.may,
        rule=rule.label.of(visit.lang) if rule is not None else row.rule if case is not None else "",
        subject=f"/subjects/{case.subject.id}" if case is not None and visit.reads() else "",
        detail=visit.say(row.detail) if row.detail else "",
        error=error,
        reason=visit.form.get("reason"),
    )


def settle(visit: Visit) -> Response:
    """Records what a person says of a notice."""
    outcome, reason = visit.form.get("outcome"), visit.form.get("reason").strip()[:500] or None
    if outcome == "cancel" and reason is None:
        return _one(visit, visit.say("Give the reason for which it is not sent."), 400)
    try:
        visit.service.mail.resolve(visit.path("id"), outcome, visit.by_form(), reason)
    except BadInput as error:
        return _one(visit, error_text(error, visit.lang), 400)
    said = {
        "sent": visit.say("Recorded: it was sent."),
        "again": visit.say("Recorded: it will be sent again."),
        "cancel": visit.say("Recorded: it is not sent."),
    }
    return visit.redirect(f"/notices/one/{visit.path('id')}", Said(said[outcome]))


# ---- a preview ----


def ask_preview(visit: Visit) -> Response:
    """Shows which rule of which procedure may be tried."""
    return _preview(visit, None, "", 200)


def _preview(visit: Visit, found: Any, error: str, status: int) -> Response:
    if not visit.reads():
        raise NotFound("There is no such page.")
    chosen = visit.form.get("rule")
    workflow, _, rule = chosen.partition(":")
    with visit.service.work() as work:
        known = work.library.all_newest()
        rules = [
            (f"{w}:{n}", f"{d.file.title.of(visit.lang)}: {spec.label.of(visit.lang)}")
            for w, d in known.items()
            for n, spec in d.file.notices.items()
        ]
        subjects: list[Any] = []
        if workflow in known and rule in known[workflow].file.notices:
            units = scope.units(work.office, work.library.area, visit.by())
            told = next((n for n in known[workflow].notices if n.rule == rule), None)
            states = sorted(told.states) if told is not None and told.states else None
            rows = work.tx.find_subjects(workflow=workflow, orgs=sorted(units), states=states, limit=SUBJECTS)
            subjects = list(work.adopt(rows))
    named = sorted(((title_of(visit, c), c.subject.id) for c in subjects), key=lambda n: (text_key(n[0]), n[1]))
    if named:
        visit.service.access.listed("preview", len(named), visit.by())
    return visit.page(
        "notice_preview.html",
        status,
        rule=Field(name="rule", label=visit.say("Notice rule"), kind="choice", value=chosen, options=sorted(
            rules, key=lambda r: text_key(r[1]))),
        subject=Field(name="subject", label=visit.say("About"), kind="choice", value=visit.form.get("subject"),
                      options=[(id, title) for title, id in named]) if named else None,
        chosen=bool(workflow),
        found=found,
        why=visit.say(found.why) if found is not None and found.why else "",
        error=error,
        channel=lambda kind: channel_name(visit, kind),
    )  # fmt: skip


def preview(visit: Visit) -> Response:
    """Shows what a rule would say of a subject today, and to whom."""
    _, _, rule = visit.form.get("rule").partition(":")
    subject = visit.form.get("subject")
    if not rule or not subject:
        return _preview(visit, None, "", 200)
    try:
        found = visit.service.mail.preview(subject, rule, visit.by())
    except KetnapError as error:
        return _preview(visit, None, error_text(error, visit.lang), 400)
    return _preview(visit, found, "", 200)


# ---- the forecast ----


def _forecast_fields(visit: Visit, errors: dict[str, str]) -> list[Field]:
    last = visit.today + timedelta(days=31)
    return [
        Field(name="first", label=visit.say("From day"), kind="day", value=visit.form.get("first") or day(visit.today),
              error=errors.get("first", "")),
        Field(name="last", label=visit.say("To day"), kind="day", value=visit.form.get("last") or day(last),
              error=errors.get("last", "")),
    ]  # fmt: skip


def forecast(visit: Visit) -> Response:
    """Works out in the background what would go out if nothing changed, on a copy that is thrown away."""
    ahead = visit.site.wired.forecast
    if ahead is None or not visit.reads():
        raise NotFound("There is no such page.")
    errors: dict[str, str] = {}
    first, wrong = read_day(visit.form.get("first"), visit.say)
    last, wrong_last = read_day(visit.form.get("last"), visit.say)
    errors |= {n: w for n, w in (("first", wrong), ("last", wrong_last)) if w}
    first, last = first or visit.today, last or visit.today
    if not errors and (last < first or last < visit.today):
        errors["last"] = visit.say("The last day lies before the first, or is past.")
    if not errors and (last - visit.today).days > AHEAD:
        errors["last"] = visit.say("At most {n} days ahead.", n=AHEAD)
    if errors:
        return visit.page("notices_forecast.html", 400, fields=_forecast_fields(visit, errors), items=None, period="")
    by, lang, working = visit.by_form(), visit.lang, visit.say("Letting the days pass on a copy")
    period = f"{day(first)} – {day(last)}"

    def run(service: Service, job: Job) -> tuple[str, list[Expected]]:
        job.count(working, 0)
        with service.work() as work:
            units = scope.units(work.office, work.library.area, by)
            near = {o.id for o in work.office.officers.values() if o.org in units} | {by.officer}
        found: list[Expected] = []
        for expected in ahead(first, last, lang):
            if expected.row.recipient in near:
                found.append(expected)
                job.count(working, len(found))
        with service.work() as work:
            known = work.tx.subjects({e.row.subject for e in found})
            hidden = {c.subject.id for c in work.adopt(list(known.values())) if not scope.reads(work, c, by)}
        kept = [e for e in found if e.row.subject not in hidden or e.row.recipient == by.officer]
        service.access.listed("forecast", len(kept), by)
        return period, kept

    title = visit.say("What would go out, {period}", period=period)
    return visit.work_on(KIND, title, run, to="/notices/forecasts/{job}", back="/notices")


def forecasted(visit: Visit) -> Response:
    """Shows what would go out."""
    period, found = visit.worked(KIND)
    items = [
        {"at": e.at, "title": e.subject_line, "to": visit.officer_name(e.row.recipient),
         "channel": channel_name(visit, e.row.channel), "body": e.body}
        for e in found
    ]  # fmt: skip
    return visit.page("notices_forecast.html", items=items, period=period, fields=[])


# ---- channels ----


def channels(visit: Visit) -> Response:
    """Shows the channels that are set up, each to be tried."""
    return _channels(visit, None, 200)


def _channels(visit: Visit, tried: Any, status: int) -> Response:
    if not visit.may("notices"):
        raise NotFound("There is no such page.")
    wired = visit.site.wired.channels
    return visit.page("channels.html", status, names=wired.names if wired is not None else [], tried=tried,
                      to=visit.form.get("to"))  # fmt: skip


def try_channel(visit: Visit) -> Response:
    """Tries a channel; with an address it really sends one message."""
    wired, name = visit.site.wired.channels, visit.form.get("name")
    if not visit.may("notices") or wired is None or name not in wired.names:
        raise NotFound("There is no such page.")
    try:
        outcome = wired.try_(name, visit.form.get("to").strip() or None, visit.lang)
    except KetnapError as error:
        return _channels(visit, (name, False, error_text(error, visit.lang)), 400)
    text = visit.say(outcome.detail) + (f" ({outcome.code})" if outcome.code else "")
    return _channels(visit, (name, outcome.state in SENT, text), 200)
