"""A report as an Excel file: a sheet for each table, real dates and numbers, sums and shares as formulas."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from reports.document import Heading, Line, Report, Table, Value, month_text
from reports.layouts import Shows

FONT = "Times New Roman"
_FORMATS: Mapping[Shows, str] = {
    "number": "#,##0.##", "days": "#,##0.#", "percent": "0.0%", "date": "dd/mm/yyyy", "year": "0", "text": "@",
    "month": "@",
}  # fmt: skip
_A4 = 9
_MOST_WIDTH = 60
_LEAST_WIDTH = 84  # of all columns together: what the head of a document needs


def workbook(report: Report) -> bytes:
    """Returns the file. Texts are never formulas; each formula carries its result, for whoever computes nothing."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties(
        {
            "title": report.head.title,
            "author": report.head.issuer,
            "comments": report.sandbox,
            "created": report.made_at.replace(tzinfo=None),
        }
    )
    book.set_calc_mode("auto")
    styles = _Styles(book)
    names: set[str] = set()
    tables = _together(report.tables) or [Table()]
    for n, table in enumerate(tables):
        sheet = book.add_worksheet(_sheet_name(table.title or report.head.name, names))
        _Sheet(report, table, sheet, styles, first=n == 0, last=n == len(tables) - 1).write()
    book.close()
    return buffer.getvalue()


def _together(tables: Sequence[Table]) -> list[Table]:
    """Returns the tables with those that are joined made one, each below its title."""
    found: list[Table] = []
    for name, some in groupby(tables, key=lambda t: t.joined):
        parts = list(some)
        if not name:
            found += parts
            continue
        lines = [line for t in parts for line in (Line(key=t.title, cells=[t.title], kind="group"), *t.lines)]
        found.append(replace(parts[0], title=name, lines=lines, nothing="", joined=""))
    return found


def _sheet_name(title: str, taken: set[str]) -> str:
    """Returns a sheet's name: 31 letters at most, none that Excel forbids, no other sheet's."""
    name = re.sub(r"[\[\]:*?/\\]+", " ", title).strip(" '")[:31].strip(" '") or "1"
    base, n = name, 1
    while name.lower() in taken:
        n += 1
        name = f"{base[: 31 - len(str(n)) - 1]} {n}"
    taken.add(name.lower())
    return name


class _Styles:
    """Cell formats, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def of(self, **given: Any) -> Any:
        key = tuple(sorted(given.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format({"font_name": FONT, "font_size": 12, **given})
        return self._made[key]

    def cell(self, shows: Shows, *, bold: bool = False, centred: bool = False) -> Any:
        middle = centred or shows in ("date", "year", "month")
        align = "center" if middle else "left" if shows == "text" else "right"
        wrap = {"text_wrap": True} if shows == "text" else {}
        return self.of(num_format=_FORMATS[shows], border=1, valign="top", align=align, bold=bold, **wrap)


class _Sheet:
    def __init__(self, report: Report, table: Table, sheet: Any, styles: _Styles, *, first: bool, last: bool) -> None:
        self.report, self.table, self.sheet, self.styles = report, table, sheet, styles
        self.first, self.last = first, last
        self.running = 1 if any(line.kind == "row" for line in table.lines) else 0
        self.width = max(len(table.columns) + self.running, 3)
        self.widths = self._widths()
        self.half = self._half()
        self.row = 0

    def _widths(self) -> list[int]:
        """Returns the columns' widths in letters; a narrow table is made as wide as the head of a document."""
        given = [5] * self.running + [min(max(c.width, 8), _MOST_WIDTH) for c in self.table.columns]
        given += [12] * (self.width - len(given))
        given[-1] += max(0, _LEAST_WIDTH - sum(given))
        return given

    def _half(self) -> int:
        """Returns how many columns are nearest to half of the width."""
        sums = [sum(self.widths[:n]) for n in range(1, self.width)]
        return 1 + min(range(len(sums)), key=lambda n: abs(2 * sums[n] - sum(self.widths)))

    def write(self) -> None:
        sheet, table, report = self.sheet, self.table, self.report
        self._page()
        if self.first:
            self._head()
        elif report.sandbox:
            self._across(report.sandbox, bold=True, align="center", font_color="#C00000")
        if table.title:
            self._across(table.title, bold=True, align="left")
        for text in (table.text, table.nothing):
            if text:
                self._across(text, align="left", text_wrap=True)
        if table.columns and table.lines:
            self._table()
        for text in (table.note, *(report.notes if self.last else ())):
            if text:
                self._across(text, align="left", italic=True, text_wrap=True)
        if self.last:
            self._foot()
        sheet.print_area(0, 0, max(self.row - 1, 0), self.width - 1)

    def _page(self) -> None:
        sheet, head = self.sheet, self.report.head
        sheet.set_paper(_A4)
        if self.report.landscape or len(self.table.columns) > 7:
            sheet.set_landscape()
        else:
            sheet.set_portrait()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.8, right=0.6, top=0.8, bottom=0.8)
        sheet.set_footer("&C" + head.page.replace("&", "&&").format(page="&P", pages="&N"))
        sheet.hide_gridlines(1)
        for n, width in enumerate(self.widths):
            sheet.set_column(n, n, width)

    def _across(self, text: str, **style: Any) -> None:
        """Writes a line over the whole width of the table."""
        made = self.styles.of(valign="vcenter", **style)
        self.sheet.merge_range(self.row, 0, self.row, self.width - 1, "", made)
        self.sheet.write_string(self.row, 0, text, made)
        if style.get("text_wrap"):
            self.sheet.set_row(self.row, 17 * (1 + len(text) // 90))
        self.row += 1

    def _head(self) -> None:
        report, head, half = self.report, self.report.head, self.half
        left = [(text, bold, False) for text, bold in head.left()]
        if head.addressed:
            left.append((head.heading, False, True))
        room = max(len(left) - len(head.motto) - 1 - bool(head.addressed), 1 if head.motto else 0)
        right = [(line, True, False) for line in head.motto] + [("", False, False)] * room
        right.append((head.place_and_date, False, True))
        nothing = ("", False, False)
        for n in range(max(len(left), len(right))):
            for (text, bold, italic), begin, end in (
                (left[n] if n < len(left) else nothing, 0, half - 1),
                (right[n] if n < len(right) else nothing, half, self.width - 1),
            ):
                lined = {"underline": 1} if n + 1 == len(head.motto) and begin else {}  # the line below the motto
                style = self.styles.of(align="center", bold=bold, italic=italic, text_wrap=True, valign="top", **lined)
                if end > begin:
                    self.sheet.merge_range(self.row, begin, self.row, end, "", style)
                self.sheet.write_string(self.row, begin, text, style)
            self.row += 1
        self.row += 1
        if report.sandbox:
            self._across(report.sandbox, bold=True, align="center", font_color="#C00000")
        for n, line in enumerate(head.names()):
            self._across(line, bold=True, align="center", font_size=12 if n else 14, text_wrap=True)
        if head.addressed:
            self._across(f"{head.addressed_label}: {head.addressed}", align="center")
        self.row += 1

    def _table(self) -> None:
        sheet, columns, run = self.sheet, self.table.columns, self.running
        heading = self.styles.of(
            bold=True, border=1, align="center", valign="vcenter", text_wrap=True, bg_color="#E7E6E6"
        )
        top = self.row
        if run:
            sheet.write_string(top, 0, self.report.head.running_number, heading)
        for n, column in enumerate(columns):
            sheet.write_string(top, n + run, column.label, heading)
        lines = 1 + max(len(c.label) // max(c.width, 8) for c in columns)
        sheet.set_row(top, 16 * min(lines, 6) + 4)
        self.row += 1
        sheet.freeze_panes(self.row, 0)
        sheet.repeat_rows(top)
        number = 0
        begin = self.row
        for line in self.table.lines:
            if line.kind == "group":
                self._across(str(line.cells[0]), bold=True, border=1, align="left")
                continue
            if line.kind == "row" and run:
                number += 1
                sheet.write_number(self.row, 0, number, self.styles.of(border=1, valign="top", align="center"))
            elif run:
                sheet.write_blank(self.row, 0, None, self.styles.cell("text", bold=True))
            self._line(line, columns, begin)
            self.row += 1

    def _high(self, line: Line) -> None:
        """Makes a row as high as its longest text needs: not every program does so by itself."""
        texts = zip(self.widths[self.running :], line.cells, strict=False)
        most = max((-(-len(v) * 11 // (10 * width)) for width, v in texts if isinstance(v, str)), default=1)
        if most > 1:
            self.sheet.set_row(self.row, 16 * min(most, 12))

    def _line(self, line: Line, columns: Sequence[Heading], begin: int) -> None:
        total = line.kind == "total"
        self._high(line)
        for n, (column, value) in enumerate(zip(columns, line.cells, strict=True)):
            shows: Shows = (line.shows or column.shows) if n else "text"
            formula = self._total(n, column, value, begin) if total else None
            formula = formula or self._share(column, columns, value if isinstance(value, str) else self.table.empty)
            self._cell(n + self.running, value, shows, bold=total, formula=formula)

    def _total(self, n: int, column: Heading, value: Value, begin: int) -> str | None:
        """The formula of a sum, where the sum of the rows is what the whole is."""
        above = [line.cells[n] for line in self.table.lines if line.kind == "row"]
        numbers = [v for v in above if isinstance(v, int | Decimal)]
        if not column.adds_up or not isinstance(value, int | Decimal) or sum(numbers) != value:
            return None
        name = xl_col_to_name(n + self.running)
        return f"=SUM({name}{begin + 1}:{name}{self.row})"

    def _share(self, column: Heading, columns: Sequence[Heading], none: str) -> str | None:
        places = {c.id: n for n, c in enumerate(columns)}
        if column.share is None or not places.keys() >= set(column.share):
            return None
        part, whole = (xl_rowcol_to_cell(self.row, places[name] + self.running) for name in column.share)
        nothing = none.replace('"', '""')  # what stands where there is no share
        return f'=IF(N({whole})=0,"{nothing}",{part}/{whole})'

    def _cell(self, at: int, value: Value, shows: Shows, *, bold: bool, formula: str | None) -> None:
        sheet, row = self.sheet, self.row
        if isinstance(value, date):
            day = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day in Excel has no zone
            sheet.write_datetime(row, at, day, self.styles.cell("date", bold=bold))
        elif isinstance(value, int | Decimal):
            number = float(value) / 100 if shows == "percent" else float(value)
            style = self.styles.cell(shows if shows in ("percent", "days", "year") else "number", bold=bold)
            if formula is not None:
                sheet.write_formula(row, at, formula, style, number)
            else:
                sheet.write_number(row, at, number, style)
        elif value is None and formula is not None:
            style = self.styles.cell(shows, bold=bold, centred=True)
            sheet.write_formula(row, at, formula, style, self.table.empty)
        elif value is None and self.table.empty:
            sheet.write_string(row, at, self.table.empty, self.styles.cell("text", bold=bold, centred=True))
        elif value is None:
            sheet.write_blank(row, at, None, self.styles.cell(shows, bold=bold))
        else:
            value = month_text(value) if shows == "month" else value
            style = self.styles.cell("text" if formula is None else shows, bold=bold, centred=shows != "text")
            if formula is not None:
                sheet.write_formula(row, at, formula, style, value)
            else:
                sheet.write_string(row, at, value, style)

    def _foot(self) -> None:
        head, half = self.report.head, self.half
        if not head.signed and not head.recipients:
            return
        self.row += 1
        left = [f"{head.recipients_label}:", *head.recipient_lines()] if head.recipients else []
        right = head.foot()
        for n in range(max(len(left), len(right))):
            small = self.styles.of(font_size=11) if n else self.styles.of(underline=1)
            self.sheet.write_string(self.row, 0, left[n] if n < len(left) else "", small)
            text, bold = right[n] if n < len(right) else ("", False)
            style = self.styles.of(align="center", bold=bold)
            if self.width - 1 > half:
                self.sheet.merge_range(self.row, half, self.row, self.width - 1, "", style)
            self.sheet.write_string(self.row, half, text, style)
            self.row += 1
