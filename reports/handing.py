"""Handing a report out: the one place where a report leaves the program, as data or as a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.core.values import Json
from engine.service import Service
from engine.steps import By
from reports.document import Report
from reports.letters import Letter
from reports.making import Request, make, opens_of


@dataclass(frozen=True, kw_only=True)
class Handed:
    """A report that is handed out: to whom (None: whoever runs the machine), for what, and its file."""

    report: Report
    data: bytes
    officer: str | None
    purpose: str | None


def _json(report: Report) -> bytes:
    return (json.dumps(report.json(), ensure_ascii=False, indent=1) + "\n").encode()


def _xlsx(report: Report) -> bytes:
    from reports.workbook import workbook

    return workbook(report)


def _docx(report: Report) -> bytes:
    from reports.paper import word

    return word(report)


def _pdf(report: Report) -> bytes:
    from reports.print import pdf

    return pdf(report)


FORMATS: Mapping[str, Callable[[Report], bytes]] = {"xlsx": _xlsx, "docx": _docx, "pdf": _pdf, "json": _json}
MEDIA_TYPES: Mapping[str, str] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "json": "application/json",
}


def hand_out(
    service: Service,
    folder: Path,
    request: Request,
    letter: Letter,
    form: str | None,
    *,
    purpose: str | None = None,
    by: By | None = None,
) -> Handed:
    """Makes a report within what its reader may see, and its file in a format (None: it is only shown).

    The trail notes who got it: `by`, else the reader. Raises BadInput, NotFound and Denied.
    """
    report = make(service, folder, request, letter)
    who = By(officer=request.officer) if by is None else by
    if form is not None:
        return give(service, report, form, who, folder=folder, purpose=purpose)
    service.access.listed(report.id, rows_of(report), who, unit=report.unit, to=report.last.isoformat())
    return Handed(report=report, data=b"", officer=who.officer, purpose=purpose)


def give(
    service: Service, report: Report, form: str, by: By, *, folder: Path | None = None, purpose: str | None = None
) -> Handed:
    """Makes the file of a report that was made, in a format. The trail notes who got it.

    `folder` holds its layout, which may ask for a checkpoint; a report without one has none.
    """
    data = FORMATS[form](report)
    about: dict[str, Json] = {"unit": report.unit, "to": report.last.isoformat()}
    if report.first is not None and folder is None:
        about["from"] = report.first.isoformat()
    service.access.exported(report.id, rows_of(report), by, purpose=purpose, form=form, **about)
    opens = opens_of(service, folder, report.id) if folder is not None else None
    if opens is not None:
        service.trail.open_at(opens, report.unit, by)
    return Handed(report=report, data=data, officer=by.officer, purpose=purpose)


def rows_of(report: Report) -> int:
    """Returns how many rows a report holds."""
    return sum(line.kind == "row" for table in report.tables for line in table.lines)
