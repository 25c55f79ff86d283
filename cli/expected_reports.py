"""What a scenario expects of a report, and what the report says instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.scenario_file import ReportPart
from engine.core.errors import BadInput
from reports.letters import Letter
from reports.making import Request, make
from reports.periods import Span, day_span, month_span, quarter_span, year_span, years_span

if TYPE_CHECKING:
    from cli.scenario import Runner


def reported(runner: Runner, part: ReportPart) -> Iterator[tuple[Any, Any]]:
    """Yields expected and got for everything in which the report differs."""
    folder = Path(runner.sources[0].area_file).parent
    request = Request(name=part.name, span=span_of(part), org=part.org, subject=part.subject, officer=part.as_)
    try:
        found = make(runner.service, folder, request, Letter()).json()
    except BadInput as error:
        yield {"report": part.name}, error.text()
        return
    yield from _compared({"report": part.name}, part.figures, found["figures"])
    for title, rows in part.rows.items():
        sections = [s for s in found["sections"] if title in s["title"]]
        if len(sections) != 1:
            yield {"report": part.name, "section": title}, [s["title"] for s in found["sections"]]
            continue
        [section] = sections
        known = {row["key"]: row for row in [*section["rows"], *([section["total"]] if section["total"] else [])]}
        for key, columns in rows.items():
            at = {"report": part.name, "section": title, "row": key}
            if key not in known:
                yield at, list(known)
                continue
            yield from _compared(at, columns, known[key])


def span_of(part: ReportPart) -> Span:
    """Returns the period. Raises BadInput."""
    if part.year is not None:
        return year_span(part.year)
    if part.years is not None:
        first, _, last = part.years.partition("-")
        if not (first.isdecimal() and last.isdecimal()):
            raise BadInput("{value} are no years (2015-2020)", value=part.years)
        return years_span(int(first), int(last))
    if part.quarter is not None:
        return quarter_span(part.quarter)
    if part.month is not None:
        return month_span(part.month)
    if part.on is not None:
        return day_span(part.on)
    raise BadInput("report: for which period? Say year, years, quarter, month or on")


def _compared(
    at: Mapping[str, str], wanted: Mapping[str, str | None], found: Mapping[str, Any]
) -> Iterator[tuple[Any, Any]]:
    for name, value in wanted.items():
        got = found.get(name, "there is no such column")
        if (None if got is None else str(got)) != value:
            yield {**at, name: value}, got
