"""A report as a PDF: set by Typst in a font that it carries along, so that it reads alike on every machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typst

from reports.document import Report, Table, on_paper, weights

TAGGED = 1_000  # rows: the structure for screen readers makes a longer list sixteen times as large
TEMPLATE = Path(__file__).with_name("report.typ")


def pdf(report: Report) -> bytes:
    """Returns the file."""
    return set_in_type(report)[0]


def set_in_type(report: Report) -> tuple[bytes, Sequence[str]]:
    """Returns the file with what Typst warns of: nothing, unless a font or a letter of it is missing."""
    made, warnings = typst.compile_with_warnings(
        TEMPLATE.read_bytes(),
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"report": json.dumps(_data(report), ensure_ascii=False)},
        timestamp=int(report.made_at.timestamp()),
        pdf_tags=sum(len(t.lines) for t in report.tables) <= TAGGED,
    )
    if not isinstance(made, bytes):
        raise TypeError("one document becomes one file")
    return made, [w.message for w in warnings]


def _data(report: Report) -> dict[str, Any]:
    head = report.head
    return {
        "lang": report.lang,
        "landscape": report.landscape,
        "sandbox": report.sandbox,
        "notes": list(report.notes),
        "head": {
            "title": head.title,
            "issuer": head.issuer,
            "names": head.names(),
            "heading": head.heading,
            "addressed_label": head.addressed_label,
            "addressed": head.addressed,
            "left": [{"text": text, "bold": bold} for text, bold in head.left()],
            "motto": head.motto,
            "place_and_date": head.place_and_date,
            "recipients_label": head.recipients_label,
            "recipients": head.recipient_lines(),
            "signed": head.signed,
            "signer": head.signer,
            "page": head.page,
        },
        "tables": [_table(t, report) for t in report.tables],
    }


def _table(table: Table, report: Report) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    number = 0
    for line in table.lines:
        if line.kind == "group":
            rows.append({"kind": "group", "cells": [str(line.cells[0])]})
            continue
        number += line.kind == "row"
        cells = [
            on_paper(table, v, (line.shows or c.shows) if n else "text", report.lang)
            for n, (c, v) in enumerate(zip(table.columns, line.cells, strict=True))
        ]
        rows.append({"kind": line.kind, "cells": [str(number) if line.kind == "row" else "", *cells]})
    aligns = [
        "left" if c.shows == "text" else "center" if c.shows in ("date", "year") else "right" for c in table.columns
    ]
    return {
        "title": table.title,
        "paragraphs": [text for text in (table.text, table.nothing) if text],
        "headings": [report.head.running_number, *(c.label for c in table.columns)],
        "widths": weights(table.columns),
        "aligns": ["center", *aligns],
        "rows": rows,
        "note": table.note,
    }
