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
    service: Service, folder: Path, request: Request, letter: Letter, form: str | None, *, purpose: str | None = None
) -> Handed:
    """Makes a report within what its reader may see, and its file in a format (None: it is only shown).

    The trail notes who got it. Raises BadInput, NotFound and Denied.
    """
    report = make(service, folder, request, letter)
    data = b"" if form is None else FORMATS[form](report)
    rows = sum(line.kind == "row" for table in report.tables for line in table.lines)
    by = By(officer=request.officer)
    about: dict[str, Json] = {"unit": report.unit, "to": report.last.isoformat()}
    if form is None:
        service.access.listed(request.name, rows, by, **about)
    else:
        service.access.exported(request.name, rows, by, purpose=purpose, form=form, **about)
        opens = opens_of(service, folder, request.name)
        if opens is not None:
            service.trail.open_at(opens, report.unit, by)
    return Handed(report=report, data=data, officer=request.officer, purpose=purpose)
