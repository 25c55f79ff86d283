"""A report as a Word file, in the layout of official documents: issuer left, motto right, signer below."""

from __future__ import annotations

import io
import re
from html import escape
from typing import Any

import docx
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor

from reports.document import Heading, Line, Report, Table, on_paper, weights

FONT = "Times New Roman"
LEFT, CENTRE, RIGHT, BOTH = (
    WD_ALIGN_PARAGRAPH.LEFT,
    WD_ALIGN_PARAGRAPH.CENTER,
    WD_ALIGN_PARAGRAPH.RIGHT,
    WD_ALIGN_PARAGRAPH.JUSTIFY,
)
_MARGINS = (  # of the cells of a table, in twentieths of a point
    f'<w:tblCellMar {nsdecls("w")}><w:left w:w="80" w:type="dxa"/><w:right w:w="80" w:type="dxa"/></w:tblCellMar>'
)
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # what no XML may hold
_RED = RGBColor(0xC0, 0, 0)


def word(report: Report) -> bytes:
    """Returns the file."""
    paper = docx.Document()
    _page(paper, report)
    _head(paper, report)
    signed = bool(report.head.signed or report.head.recipients) and not report.notes
    for table in report.tables:
        _section(paper, report, table, last=signed and table is report.tables[-1])
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
            paragraph.add_run(text).font.size = Pt(13)
        if code is not None and (code == "PAGE" or "{pages}" in report.head.page):
            for element in (_mark("begin"), _instruction(code), _mark("end")):
                run = paragraph.add_run()
                run.font.size = Pt(13)
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
    _lines(left, head.left(), size=14)
    if head.addressed:
        _lines(left, [(head.heading, False)], size=12, italic=True, more=True)
    _lines(right, [(line, True) for line in head.motto], size=15)
    _rule(right.paragraphs[-1])
    for text, italic in (("", False), (head.place_and_date, True)):
        paragraph = right.add_paragraph()
        paragraph.alignment = CENTRE
        paragraph.add_run(text).italic = italic
    _say(paper, "", size=8)
    if report.sandbox:
        _say(paper, report.sandbox, align=CENTRE, bold=True, size=12, red=True)
    for n, line in enumerate(head.names()):
        _say(paper, line, align=CENTRE, bold=True, size=14 if n else 15)
    if head.addressed:
        _addressed(paper, report)
    else:
        _say(paper, "-----", align=CENTRE)


def _addressed(paper: Any, report: Report) -> None:
    paragraph = paper.add_paragraph()
    paragraph.alignment = CENTRE
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(8)
    paragraph.add_run(f"{report.head.addressed_label}: ").italic = True
    paragraph.add_run(report.head.addressed)


def _lines(cell: Any, lines: list[tuple[str, bool]], *, size: int, italic: bool = False, more: bool = False) -> None:
    for n, (text, bold) in enumerate(lines):
        paragraph = cell.add_paragraph() if n or more else cell.paragraphs[0]
        paragraph.alignment = CENTRE
        run = paragraph.add_run(text)
        run.bold, run.italic, run.font.size = bold, italic, Pt(size)


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


def _section(paper: Any, report: Report, table: Table, *, last: bool) -> None:
    """Writes a section; the end of the last one stays on the page of the signature."""
    if table.title:
        _say(paper, table.title, align=LEFT, bold=True, before=10, keep=True)
    for text in (table.text, table.nothing):
        if text:
            _say(paper, text, before=4, keep=bool(table.lines))
    if table.columns and table.lines:
        _table(paper, report, table, last=last)
    if table.note:
        _say(paper, table.note, size=12, italic=True, before=4, keep=last)


def _table(paper: Any, report: Report, table: Table, *, last: bool) -> None:
    columns = [Heading(id="", label=report.head.running_number, shows="number"), *table.columns]
    grid = paper.add_table(rows=0, cols=len(columns))
    grid.style, grid.alignment, grid.autofit = "Table Grid", WD_TABLE_ALIGNMENT.CENTER, False
    grid._tbl.tblPr.append(parse_xml(_MARGINS))
    room = (252 if report.landscape else 165) * 1.0
    wide = weights(table.columns)
    widths = [Mm(room * w / sum(wide)) for w in wide]
    for n, width in enumerate(widths):
        grid.columns[n].width = width
    size = 12 if len(columns) <= 7 else 11 if len(columns) <= 9 else 10
    twips = [width.twips for width in widths]
    rows = [_row_xml([_cell_xml(c.label, t, "center", size, bold=True, middle=True)
                      for c, t in zip(columns, twips, strict=True)], heading=True)]  # fmt: skip
    number = 0
    for n, line in enumerate(table.lines):
        number += line.kind == "row"
        keep = last and n >= len(table.lines) - 2
        rows.append(_line_xml(line, table, report.lang, size, twips, number, keep=keep))
    for row in rows:  # python-docx looks through the whole table for each row: too slow for a list of thousands
        grid._tbl.append(parse_xml(row))


def _line_xml(line: Line, table: Table, lang: str, size: int, twips: list[int], number: int, *, keep: bool) -> str:
    if line.kind == "group":
        name = _cell_xml(str(line.cells[0]), sum(twips), "left", size, bold=True, span=len(twips), keep=True)
        return _row_xml([name])
    bold = line.kind == "total"
    cells = [_cell_xml("" if bold else str(number), twips[0], "center", size, keep=keep)]
    for n, (column, value, width) in enumerate(zip(table.columns, line.cells, twips[1:], strict=True)):
        shows = (line.shows or column.shows) if n else "text"
        if isinstance(value, str):
            align = "left" if n == 0 or column.shows == "text" else "center"
        else:
            align = "center" if value is None or shows in ("date", "year") else "right"
        cells.append(_cell_xml(on_paper(table, value, shows, lang), width, align, size, bold=bold, keep=keep))
    return _row_xml(cells)


def _row_xml(cells: list[str], *, heading: bool = False) -> str:
    """Returns a row that is never broken over two pages; a heading stands on every page of a long table."""
    repeat = '<w:tblHeader w:val="true"/>' if heading else ""
    return f"<w:tr {nsdecls('w')}><w:trPr><w:cantSplit/>{repeat}</w:trPr>{''.join(cells)}</w:tr>"


def _cell_xml(
    text: str, width: int, align: str, size: int, *, bold: bool = False, span: int = 1, middle: bool = False,
    keep: bool = False,
) -> str:  # fmt: skip
    """Returns a cell; with `keep` its row stands on the page of the row that follows."""
    spans = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    upright = '<w:vAlign w:val="center"/>' if middle else ""
    next_ = "<w:keepNext/>" if keep else ""
    strong = "<w:b/>" if bold else ""
    clean = escape(_NO_XML.sub("", text))
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{spans}{upright}</w:tcPr>'
        f'<w:p><w:pPr>{next_}<w:jc w:val="{align}"/></w:pPr>'
        f'<w:r><w:rPr>{strong}<w:sz w:val="{2 * size}"/></w:rPr><w:t xml:space="preserve">{clean}</w:t></w:r></w:p>'
        "</w:tc>"
    )


def _foot(paper: Any, report: Report) -> None:
    head = report.head
    if not head.signed and not head.recipients:
        return
    _say(paper, "", size=8, keep=True)
    row = paper.add_table(rows=1, cols=2).rows[0]
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))  # the name stays with the office
    left, right = row.cells
    if head.recipients:
        run = left.paragraphs[0].add_run(f"{head.recipients_label}:")
        run.underline, run.font.size = True, Pt(14)
        for line in head.recipient_lines():
            left.add_paragraph().add_run(line).font.size = Pt(12)
    _lines(right, head.foot(), size=14)
