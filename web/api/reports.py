"""Reports within what the officer may see, as data or as a file."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from engine.core.errors import BadInput
from reports import periods
from reports.handing import MEDIA_TYPES, Handed, hand_out
from reports.making import Request, reports_of, title_of
from reports.periods import Span
from web.answers import HEADERS
from web.api.caller import Caller, Reads, once_only
from web.api.shapes import Document, ReportBody
from web.api.subjects import PLAIN

router = APIRouter(tags=["reports"])
Name = Annotated[str, Path(max_length=100, pattern=r"^[a-z0-9_]+$")]
Period = Annotated[
    str,
    Query(
        max_length=40,
        pattern=PLAIN,
        description="`2024`, `2015-2020`, `2024-Q2`, `2024-05`, `2024-01-01..2024-06-30`, or a day",
    ),
]
_YEARS = re.compile(r"(\d{4})-(\d{4})\Z", re.ASCII)


@router.get("/reports")
def reports(caller: Reads) -> Document:
    """The reports there are, with the periods for which each is made."""
    with caller.service.work() as work:
        found = reports_of(caller.folder, work.library.workflows)
    items = [
        {
            "report": n,
            "title": title_of(file, caller.lang),
            "periods": file.periods,
            "subject": None if file.subject is None else file.subject.workflow,
        }
        for n, file in found.items()
    ]
    return {"items": items}


@router.get("/reports/{name}")
def shown(
    caller: Reads,
    name: Name,
    period: Period,
    org: Annotated[str | None, Query(max_length=200, pattern=PLAIN)] = None,
    subject: Annotated[str | None, Query(max_length=200, pattern=PLAIN)] = None,
) -> Document:
    """A report to be shown; that it was is noted."""
    document: Document = _handed(caller, name, period, org, subject, None, None).report.json()
    return document


@router.post("/reports/{name}", response_class=Response)
def given(caller: Reads, name: Name, body: ReportBody) -> Response:
    """A report as a file to take away; that it was, and what for, is noted."""
    once_only(caller)
    handed = _handed(caller, name, body.period, body.org, body.subject, body.format, body.purpose)
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}.{body.format}"'}
    return Response(handed.data, 200, headers, MEDIA_TYPES[body.format])


def _handed(
    caller: Caller, name: str, period: str, org: str | None, subject: str | None, form: str | None, purpose: str | None
) -> Handed:
    if org is not None:
        caller.over(org)
    reader = caller.behalf or caller.officer
    request = Request(name=name, span=read_period(period), org=org, subject=subject, officer=reader, lang=caller.lang)
    letter = caller.setup.wired.letter
    return hand_out(caller.service, caller.folder, request, letter, form, purpose=purpose, by=caller.by)


def read_period(text: str) -> Span:
    """Returns the period that a text says. Raises BadInput."""
    text = text.strip()
    if (years := _YEARS.match(text)) is not None:
        return periods.years_span(int(years[1]), int(years[2]))
    if re.fullmatch(r"[12]\d{3}", text, re.ASCII):
        return periods.year_span(int(text))
    if re.fullmatch(r"\d{4}-Q\d", text, re.ASCII):
        return periods.quarter_span(text)
    if re.fullmatch(r"\d{4}-\d{2}", text, re.ASCII):
        return periods.month_span(text)
    first, between, last = text.partition("..")
    return periods.days_span(_day(first), _day(last)) if between else periods.day_span(_day(first))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput("{value} is no period (2024, 2024-Q2, 2024-05, 2024-01-01..2024-06-30)", value=text[:40],
                       field="period") from None  # fmt: skip
