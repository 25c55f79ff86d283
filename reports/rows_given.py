"""A list that a page shows, as a document: its rows are given, nothing is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from reports.document import Head, Heading, Line, Report, Table, Value
from reports.layouts import Shows

_NARROW, _WIDE = 12, 40


@dataclass(frozen=True, kw_only=True)
class Given:
    """The rows of a list with all words around them. `page` has the places `page` and `pages`."""

    id: str
    title: str
    issuer: str
    sandbox: str
    made_at: datetime
    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    number: str
    page: str
    lang: str


def report_of(given: Given) -> Report:
    """Returns the document."""
    shows: list[Shows] = ["text"] * len(given.columns)
    wide = [len(label) for label in given.columns]
    for row in given.rows:
        for n, value in enumerate(row):
            if isinstance(value, date):
                shows[n] = "date"
            wide[n] = max(wide[n], len(value) if isinstance(value, str) else _NARROW)
    head = Head(
        above="",
        issuer=given.issuer,
        star=False,
        number="",
        motto=(),
        place_and_date=given.made_at.strftime("%d/%m/%Y, %H:%M"),
        name=given.title,
        title="",
        heading="",
        recipients_label="",
        recipients=(),
        signed=(),
        signer="",
        page=given.page,
        running_number=given.number,
    )
    day = given.made_at.date()
    headings = [
        Heading(id=f"column_{n}", label=label, shows=s, width=min(max(w, _NARROW), _WIDE))
        for n, (label, s, w) in enumerate(zip(given.columns, shows, wide, strict=True), start=1)
    ]
    lines = [Line(key=str(n), cells=row) for n, row in enumerate(given.rows, start=1)]
    return Report(
        id=given.id,
        lang=given.lang,
        head=head,
        unit=None,
        unit_name=given.issuer,
        first=None,
        last=day,
        as_of=day,
        made_at=given.made_at,
        source="",
        sandbox=given.sandbox,
        notes=(),
        late_entries=0,
        history_entries=0,
        restored_entries=0,
        landscape=True,
        tables=[Table(columns=headings, lines=lines)],
    )
