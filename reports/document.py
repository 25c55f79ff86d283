"""A report as it is handed out: its head, its tables of values, its foot; the same for every format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from reports.layouts import Shows

Value = None | int | Decimal | str | date
Kind = Literal["row", "group", "total"]
_DAY_WIDTH = 15  # so that a day never breaks over two lines


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A column: its id, heading, how its values are written, how wide it is (letters), whether a total is their sum.

    `share` names the two columns whose quotient it is.
    """

    id: str
    label: str
    shows: Shows
    width: int = 12
    adds_up: bool = False
    share: tuple[str, str] | None = None


def weights(columns: Sequence[Heading]) -> list[int]:
    """Returns how wide the columns of a printed table are beside each other, the running number's first."""
    given = [max(c.width, _DAY_WIDTH) if c.shows == "date" else c.width for c in columns]
    return [max(6, sum(given) // 15), *given]


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row. `key` is the group's, figure's or subject's id; `cells` follow the columns. A group has one cell."""

    key: str
    cells: Sequence[Value]
    kind: Kind = "row"
    shows: Shows | None = None  # of a table of figures, whose rows are written differently


@dataclass(frozen=True, kw_only=True)
class Table:
    """A section: heading, paragraph, columns and lines. `none` are texts for empty cells by column id, or by row."""

    title: str = ""
    text: str = ""
    columns: Sequence[Heading] = ()
    lines: Sequence[Line] = ()
    nothing: str = ""
    note: str = ""
    numbered: bool = True
    empty: str = ""  # what stands on paper in a cell without a value
    joined: str = ""  # in a workbook those in a row that carry the same word stand on one sheet of that name
    chart: Sequence[str] = ()  # ids of the columns, or keys of the lines, that are drawn as bars too


@dataclass(frozen=True, kw_only=True)
class Head:
    """What stands around the tables on paper."""

    above: str  # the organisation above the issuer
    issuer: str
    star: bool
    number: str
    motto: Sequence[str]
    place_and_date: str
    name: str  # the kind of document
    title: str
    heading: str  # the title as it stands on paper
    recipients_label: str
    recipients: Sequence[str]
    signed: Sequence[str]  # on behalf of whom, the office
    signer: str
    page: str
    running_number: str
    addressed_label: str = ""
    addressed: str = ""  # to whom a letter goes: its heading stands below its number, and its kind is not named

    def left(self) -> list[tuple[str, bool]]:
        """Returns the lines of the issuer at the top left, and which are strong."""
        lines = [(self.above.upper(), False), (self.issuer.upper(), True), ("*" if self.star else "", True)]
        return [line for line in [*lines, (self.number, False)] if line[0]]

    def names(self) -> list[str]:
        """Returns the lines in the middle, below the head: the kind of document, and what it is about."""
        return [] if self.addressed else [line for line in (self.name, self.heading) if line]

    def foot(self) -> list[tuple[str, bool]]:
        """Returns the lines of the signature, and which are strong: in whose name, the office, room, the name."""
        signed = [(line, n == 0) for n, line in enumerate(self.signed)]
        return [*signed, ("", False), ("", False), ("", False), (self.signer, True)]

    def recipient_lines(self) -> list[str]:
        """Returns those who get it, each on a line that ends as clerks end it."""
        ends = [","] * (len(self.recipients) - 1) + ["."]
        return [f"- {r}{end}" for r, end in zip(self.recipients, ends, strict=False)]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report made. `figures` are all figures over the whole; `sandbox` is what must stand on it, or ''."""

    id: str
    lang: str
    head: Head
    unit: str | None
    unit_name: str
    first: date | None
    last: date
    as_of: date
    made_at: datetime
    source: str
    sandbox: str
    notes: Sequence[str]  # below all tables
    late_entries: int
    history_entries: int
    restored_entries: int
    landscape: bool
    figures: Mapping[str, Value] = field(default_factory=dict)
    tables: Sequence[Table] = ()

    def json(self) -> dict[str, Any]:
        """Returns the report as a document for programs."""
        return {
            "report": self.id,
            "title": self.head.title,
            "unit": self.unit,
            "unit_name": self.unit_name,
            "from": None if self.first is None else self.first.isoformat(),
            "to": self.last.isoformat(),
            "as_of": self.as_of.isoformat(),
            "made_at": self.made_at.isoformat(timespec="seconds"),
            "source": self.source,
            "sandbox": bool(self.sandbox),
            "late_entries": self.late_entries,
            "history_entries": self.history_entries,
            "restored_entries": self.restored_entries,
            "figures": {name: plain(v) for name, v in self.figures.items()},
            "sections": [_section(t) for t in self.tables],
        }


def plain(value: Value) -> Any:
    """Returns a value as JSON: decimals as numbers, dates as ISO 8601."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value


def written(value: Value, shows: str, lang: str) -> str:
    """Returns a value as people read it."""
    if value is None:
        return ""
    if shows == "year":
        return str(value)
    if isinstance(value, int | Decimal):
        text = f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
        if lang != "en":
            text = text.translate(str.maketrans(",.", ".,"))
        return f"{text}\u00a0%" if shows == "percent" else text
    if isinstance(value, str):
        return month_text(value) if shows == "month" else value
    return value.strftime("%d/%m/%Y") if lang != "en" else value.isoformat()


def on_paper(table: Table, value: Value, shows: str, lang: str) -> str:
    """Returns what stands in a cell of a table on paper."""
    return table.empty if value is None else written(value, shows, lang)


def month_text(text: str) -> str:
    """Returns a month kept as YYYY-MM as people read it, and any other text as it is."""
    year, _, month = text.partition("-")
    return f"{month}/{year}" if len(year) == 4 and month.isdigit() else text


def _section(table: Table) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    total: dict[str, Any] | None = None
    group: str | None = None
    for line in table.lines:
        if line.kind == "group":
            group = str(line.cells[0])
            continue
        row = {"key": line.key} | {c.id: plain(v) for c, v in zip(table.columns, line.cells, strict=True)}
        if group is not None:
            row["group"] = group
        if line.kind == "total":
            total = row
        else:
            rows.append(row)
    return {
        "title": table.title,
        "text": table.text,
        "columns": [{"id": c.id, "label": c.label, "shows": c.shows} for c in table.columns],
        "rows": rows,
        "total": total,
        "note": table.note,
    }
