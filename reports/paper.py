"""A report as a Word file, in the layout of official documents: issuer left, motto right, signer below."""

from __future__ import annotations

import io
from typing import Any

import docx
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from reports.document import Heading, Line, Report, Table, weights, written

FONT = "Times New Roman"
LEFT, CENTRE, RIGHT, BOTH = (
    WD_ALIGN_PARAGRAPH.LEFT,
    WD_ALIGN_PARAGRAPH.CENTER,
    WD_ALIGN_PARAGRAPH.RIGHT,
    WD_ALIGN_PARAGRAPH.JUSTIFY,
)
_RED = RGBColor(0xC0, 0, 0)


def word(report: Report) -> bytes:
    """Returns the file."""
    paper = docx.Document()
    _page(paper, report)
    _head(paper, report)
    for table in report.tables:
        _section(paper, report, table)
    for note in report.notes:
        _say(paper, note, size=12, italic=True, before=6)
    _foot(paper, report)
    buffer = io.BytesIO()
    paper.save(buffer)
    return buffer.getvalue()


def _page(paper: Any, report: Report) -> None:
    properties = paper.core_properties
    properties.title, properties.author = report.head.title, report.head.issuer
    properties.comments, properties.language = report.sandbox, "vi-VN" if report.lang != "en" else "en"
    properties.created = properties.modified = report.made_at.replace(tzinfo=None)
    properties.last_modified_by = ""
    style = paper.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(14)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(name), FONT)
    style.paragraph_format.space_after = Pt(0)
    section = paper.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    if report.landscape:
        section.orientation = WD_ORIENT.LANDSCAPE
        section.page_width, section.page_height = Mm(297), Mm(210)
    section.top_margin = section.bottom_margin = Mm(20)
    section.left_margin, section.right_margin = Mm(30), Mm(15)
    section.different_first_page_header_footer = True
    _number(section.header.paragraphs[0], report)


def _number(paragraph: Any, report: Report) -> None:
    """Puts the page's number in the middle of the top margin, from the second page on."""
    paragraph.alignment = CENTRE
    before, _, rest = report.head.page.partition("{page}")
    between, _, after = rest.partition("{pages}")
    for text, code in ((before, "PAGE"), (between, "NUMPAGES"), (after, None)):
        if text:
            paragraph.add_run(text).font.size = Pt(11)
        if code is not None and (code == "PAGE" or "{pages}" in report.head.page):
            run = paragraph.add_run()
            run.font.size = Pt(11)
            for element in (_mark("begin"), _instruction(code), _mark("end")):
                run._r.append(element)


def _mark(kind: str) -> Any:
    element = OxmlElement("w:fldChar")
    element.set(qn("w:fldCharType"), kind)
    return element


def _instruction(code: str) -> Any:
    element = OxmlElement("w:instrText")
    element.text = code
    return element


def _head(paper: Any, report: Report) -> None:
    head = report.head
    grid = paper.add_table(rows=1, cols=2)
    grid.alignment = WD_TABLE_ALIGNMENT.CENTER
    left, right = grid.rows[0].cells
    lines = [(head.above, False), (head.issuer.upper(), True), ("*" if head.star else "", True), (head.number, False)]
    _lines(left, [line for line in lines if line[0]], size=14)
    _lines(right, [(line, True) for line in head.motto], size=15)
    _rule(right.paragraphs[-1])
    for text, italic in (("", False), (head.place_and_date, True)):
        paragraph = right.add_paragraph()
        paragraph.alignment = CENTRE
        paragraph.add_run(text).italic = italic
    _say(paper, "", size=8)
    if report.sandbox:
        _say(paper, report.sandbox, align=CENTRE, bold=True, size=12, red=True)
    _say(paper, head.name, align=CENTRE, bold=True, size=15)
    _say(paper, head.title, align=CENTRE, bold=True)
    _say(paper, "-----", align=CENTRE)


def _lines(cell: Any, lines: list[tuple[str, bool]], *, size: int) -> None:
    for n, (text, bold) in enumerate(lines):
        paragraph = cell.paragraphs[0] if n == 0 else cell.add_paragraph()
        paragraph.alignment = CENTRE
        run = paragraph.add_run(text)
        run.bold, run.font.size = bold, Pt(size)


def _rule(paragraph: Any) -> None:
    """Draws the line below the motto, as wide as its text."""
    for run in paragraph.runs:
        run.underline = True


def _say(
    paper: Any,
    text: str,
    *,
    align: Any = BOTH,
    bold: bool = False,
    italic: bool = False,
    size: int = 14,
    red: bool = False,
    before: int = 0,
    keep: bool = False,
) -> None:
    paragraph = paper.add_paragraph()
    paragraph.alignment = align
    paragraph.paragraph_format.space_before = Pt(before)
    paragraph.paragraph_format.keep_with_next = keep
    run = paragraph.add_run(text)
    run.bold, run.italic, run.font.size = bold, italic, Pt(size)
    if red:
        run.font.color.rgb = _RED


def _section(paper: Any, report: Report, table: Table) -> None:
    if table.title:
        _say(paper, table.title, align=LEFT, bold=True, before=10, keep=True)
    for text in (table.text, table.nothing):
        if text:
            _say(paper, text, before=4, keep=bool(table.lines))
    if table.columns and table.lines:
        _table(paper, report, table)
    if table.note:
        _say(paper, table.note, size=12, italic=True, before=4)


def _table(paper: Any, report: Report, table: Table) -> None:
    columns = [Heading(id="", label=report.head.running_number, shows="number"), *table.columns]
    grid = paper.add_table(rows=1, cols=len(columns))
    grid.style, grid.alignment, grid.autofit = "Table Grid", WD_TABLE_ALIGNMENT.CENTER, False
    room = (252 if report.landscape else 165) * 1.0
    wide = weights(table.columns)
    widths = [Mm(room * w / sum(wide)) for w in wide]
    _repeat(grid.rows[0])
    size = 12 if len(columns) <= 7 else 11 if len(columns) <= 10 else 10
    for cell, column in zip(grid.rows[0].cells, columns, strict=True):
        _fill(cell, column.label, CENTRE, bold=True, size=size)
    number = 0
    for line in table.lines:
        cells = grid.add_row().cells
        if line.kind == "group":
            _fill(cells[0].merge(cells[-1]), str(line.cells[0]), LEFT, bold=True, size=size)
            continue
        number += line.kind == "row"
        _fill(cells[0], str(number) if line.kind == "row" else "", CENTRE, size=size)
        _row(cells[1:], table.columns, line, report.lang, size)
    for row in grid.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    for n, width in enumerate(widths):
        grid.columns[n].width = width
        for cell in grid.columns[n].cells:
            cell.width = width if cell.grid_span == 1 else cell.width


def _row(cells: Any, columns: Any, line: Line, lang: str, size: int) -> None:
    for n, (cell, column, value) in enumerate(zip(cells, columns, line.cells, strict=True)):
        shows = (line.shows or column.shows) if n else "text"
        text = written(value, shows, lang)
        align = LEFT if isinstance(value, str) and n == 0 else CENTRE if shows in ("date", "year") else RIGHT
        if isinstance(value, str) and n:
            align = LEFT if column.shows == "text" else CENTRE
        _fill(cell, text, align, bold=line.kind == "total", size=size)


def _fill(cell: Any, text: str, align: Any, *, bold: bool = False, size: int) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.alignment = align
    run = paragraph.add_run(text)
    run.bold, run.font.size = bold, Pt(size)


def _repeat(row: Any) -> None:
    """Has the heading stand on every page of a long table."""
    element = OxmlElement("w:tblHeader")
    element.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(element)


def _foot(paper: Any, report: Report) -> None:
    head = report.head
    if not head.signed and not head.recipients:
        return
    _say(paper, "", size=8)
    left, right = paper.add_table(rows=1, cols=2).rows[0].cells
    if head.recipients:
        run = left.paragraphs[0].add_run(f"{head.recipients_label}:")
        run.underline, run.font.size = True, Pt(13)
        for n, recipient in enumerate(head.recipients, start=1):
            end = "." if n == len(head.recipients) else ","
            left.add_paragraph().add_run(f"- {recipient}{end}").font.size = Pt(12)
    _lines(right, [(line, True) for line in [*head.signed, "", "", "", head.signer]], size=14)
