"""Lists for a sheet: units' Excel lists are put into its draft line by line, and every row that cannot be is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.commands import Line
from engine.core.errors import BadInput, NotFound
from engine.drafts import DraftChanged, Pairs
from engine.sheets import Nameable
from reports.line_lists import lines_of
from reports.profiles import profile_in
from reports.remarks import Remark
from reports.sheets import Sheet, together
from reports.tables import TableReading, TableRow, read_table
from web.access import FILLS
from web.pages.imports import read_list
from web.pages.sheet import LINE, LISTS, PERSON, Page, changed_meanwhile
from web.sheet_form import BRINGS, DO, WHY
from web.shown import day
from web.site import Site
from web.words import error_text

if TYPE_CHECKING:
    from web.site import Visit

PROFILE = "decisions"  # how such lists are read
MOST = 100  # rows named that could not be taken


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    places = ("/subjects/{subject}/lists/{trigger}", "/subjects/{subject}/lists/{trigger}/{unit}")
    return [site.post(path, bring, FILLS, files=True) for path in places]


def bring(visit: Visit) -> Response:
    """Puts the lines of lists into the draft, over what stands on the page; nothing is recorded."""
    page = Page(visit, visit.form)
    folder = visit.site.wired.folder
    if folder is None or page.found.sheet is None:
        raise NotFound("There is no such page.")
    if not page.found.may:
        return page.show(403, said=visit.say("This step is not yours to take; nothing was saved."))
    people = _people(page)
    name = visit.form.get(PERSON).strip()
    try:
        if name:
            row = TableRow(sheet=PERSON, row=1, fields={people.title_fact: name})
            reading = TableReading(rows=(row,), rejected=(), warnings=(), read=1)
        else:
            sheets = _sheets(visit)
            profile = profile_in(folder / "imports", PROFILE)
            reading = read_table(sheets, profile, file=sheets[0].name, today=visit.today, known={})
    except BadInput as error:
        return page.show(400, said=error_text(error, visit.lang))
    wanted = visit.form.get(LINE)
    lines, wrong = lines_of(reading.rows, people, wanted if wanted in page.found.step.lines else None)
    wrong = sorted([*reading.rejected, *wrong], key=lambda r: (r.sheet, r.row))
    pairs = over(page, lines)
    try:
        kept = visit.service.sheets.keep(page.subject, page.trigger, pairs, visit.by(), seen=page.seen, unit=page.unit)
    except DraftChanged:
        return changed_meanwhile(page)
    page = Page(visit, replace(visit.form, pairs=pairs))
    said = visit.say(
        "Rows taken into the draft: {n} of {all}. Nothing is recorded yet.", n=len(lines), all=reading.read
    )
    named = [_named(visit, r) for r in wrong[:MOST]]
    if len(wrong) > MOST:
        named.append(visit.say("and {n} more", n=len(wrong) - MOST))
    return page.show(draft=kept.version, brought=(said, named))


def _people(page: Page) -> Nameable:
    """Returns whom a list may name: those on the sheet; where it shows who waits, also others in reach."""
    visit, found = page.visit, page.found
    assert found.sheet is not None
    shown = {r.subject for r in found.sheet.rows}
    awaits = found.step.batch is not None and bool(found.step.batch.awaits)
    readable = set(visit.service.lists.units(visit.by())) if awaits else set()
    people = visit.service.sheets.nameable(page.subject, page.trigger, unit=page.unit)
    return replace(people, people=[p for p in people.people if p[0] in shown or p[1] in readable])


def _sheets(visit: Visit) -> list[Sheet]:
    """Returns the sheets of all files, each called by its file. Raises BadInput."""
    uploads = [u for n, u in visit.form.uploads if n == LISTS and u.filename]
    if not uploads:
        raise BadInput("Choose a file first.")
    return together([read_list(upload) for upload in uploads])


def over(page: Page, lines: Sequence[Line]) -> Pairs:
    """Returns the pairs of the page's form with these lines over those of the same people."""
    put: dict[str, str] = {}
    for line in lines:
        put[f"{DO}:{line.subject}"] = line.do
        if line.reason:
            put[f"{WHY}:{line.subject}"] = line.reason
        for fact, value in line.facts.items():
            put[f"{BRINGS}:{line.subject}:{fact}"] = day(value) if isinstance(value, date) else str(value)
    return (*((n, v) for n, v in page.pairs if n not in put), *put.items())


def _named(visit: Visit, remark: Remark) -> str:
    if visit.form.get(PERSON).strip():
        return remark.text(visit.translate)
    place = visit.say("{sheet}, row {row}", sheet=remark.sheet, row=remark.row)
    return f"{place}: {remark.text(visit.translate)}"
