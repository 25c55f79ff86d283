"""An export as an Excel workbook: a sheet for each kind of thing, texts as texts, days as days."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import xlsxwriter

OFFICE = {"orgs": "to-chuc", "officers": "can-bo", "terms": "nhiem-ky", "substitutes": "thay-the", "days": "lich"}
ALWAYS = "0001-01-01"
NAME = 31  # letters of a sheet's name in Excel
CELL = 32_767  # letters of a cell in Excel


def export_workbook(document: Mapping[str, Any]) -> bytes:
    """Returns the workbook: the office, the subjects of each workflow with their facts, and all that happened."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    head = book.add_format({"bold": True, "text_wrap": True})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in _sheets(document):
        sheet = book.add_worksheet(name[:NAME])
        columns = list(dict.fromkeys(c for row in rows for c in row))
        for n, column in enumerate(columns):
            sheet.write_string(0, n, column, head)
        sheet.freeze_panes(1, 1)
        for number, row in enumerate(rows, start=1):
            for n, column in enumerate(columns):
                value = row.get(column)
                found = _day(value)
                if found is not None:
                    sheet.write_datetime(number, n, found, day)
                elif isinstance(value, int) and not isinstance(value, bool):
                    sheet.write_number(number, n, value)
                elif value is not None and value != ALWAYS:
                    sheet.write_string(number, n, _text(value))
    book.close()
    return made.getvalue()


def _sheets(document: Mapping[str, Any]) -> list[tuple[str, Sequence[Mapping[str, Any]]]]:
    subjects = document["subjects"]
    sheets: list[tuple[str, Sequence[Mapping[str, Any]]]] = [(OFFICE[k], document[k]) for k in OFFICE]
    for workflow in dict.fromkeys(s["workflow"] for s in subjects):
        sheets.append((workflow, [_flat(s) for s in subjects if s["workflow"] == workflow]))
    return [*sheets, ("lich-su", [_told(s, e) for s in subjects for e in s["events"]])]


def _flat(subject: Mapping[str, Any]) -> dict[str, Any]:
    row = {k: subject[k] for k in ("id", "org", "state")}
    for name, value in subject["facts"].items():
        if isinstance(value, dict):
            row |= {f"{name}.{key}": item for key, item in value.items()}
        else:
            row[name] = value
    return row


def _told(subject: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    facts = json.dumps(event["facts"], ensure_ascii=False) if event["facts"] else None
    plain = {k: event[k] for k in ("on", "kind", "trigger", "to", "org", "reason")}
    return {"subject": subject["id"], **plain, "by": " ".join(event["by"]) or None, "facts": facts}


def _day(value: object) -> date | None:
    if not isinstance(value, str) or len(value) != len("2024-01-01"):
        return None
    try:
        found = date.fromisoformat(value)
    except ValueError:
        return None
    return found if found.year >= 1900 else None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "x" if value else ""
    return str(value)[:CELL]
