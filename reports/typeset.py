"""From a Word file to PDF: paragraphs and tables, as far as forms and letters use them, set by typst.

Alignment, indents, spacing, bold, italic, underline, size, tables with or without borders, page margins, page breaks.
The fonts travel with typst, so that a PDF looks the same on every machine; every text goes in as a quoted string.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import typst
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_LEADER
from docx.oxml.ns import qn
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from engine.core.errors import Damaged

FONT = "Libertinus Serif"  # travels with typst; has every Vietnamese letter
SIZE = 13.0  # points, where a file says nothing
_BREAK = "#pagebreak(weak: true)\n"
_ALIGN = {
    WD_ALIGN_PARAGRAPH.CENTER: "center",
    WD_ALIGN_PARAGRAPH.RIGHT: "right",
    WD_ALIGN_PARAGRAPH.LEFT: "left",
}


def pdf_of(content: bytes) -> bytes:
    """Returns a Word file as PDF."""
    document = Document(io.BytesIO(content))
    blocks = "".join(_blocks(document))
    return set_pdf(_page(document) + blocks.removeprefix(_BREAK))  # no empty page before the first


def set_pdf(source: str) -> bytes:
    """Returns typst's PDF of a source. Raises Damaged when typst warns, of an unknown font say."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
    made, warnings = typst.compile_with_warnings(source.encode(), format="pdf", font_paths=fonts)
    if warnings:
        raise Damaged("the PDF could not be set as it should be: {why}", why=warnings[0].message)
    assert isinstance(made, bytes)
    return made


def quoted(text: str) -> str:
    """Returns a text as typst's string, whatever stands in it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "    ") + '"'


def _page(document: Any) -> str:
    section = document.sections[0]
    margins = ", ".join(
        f"{side}: {getattr(section, f'{side}_margin').mm:.1f}mm" for side in ("top", "bottom", "left", "right")
    )
    size = document.styles["Normal"].font.size
    return (
        f"#set page(width: {section.page_width.mm:.1f}mm, height: {section.page_height.mm:.1f}mm,\n"
        f"  margin: ({margins}), header-ascent: 1mm, header: [{_header(section)}], background: {_border(section)})\n"
        f'#set text(font: {quoted(FONT)}, size: {size.pt if size is not None else SIZE}pt, lang: "vi",\n'
        '  top-edge: "ascender", bottom-edge: "descender")\n'  # room for stacked marks, as in Word
        "#set par(justify: false, leading: 0.15em, spacing: 0pt)\n#set block(spacing: 0pt)\n"
    )


def _header(section: Any) -> str:
    """Returns what stands at the head of every page."""
    return "".join(_paragraph(p, 0.0) for p in section.header.paragraphs if p.text)


def _border(section: Any) -> str:
    """Returns the frame around a page, where the file draws one."""
    if section._sectPr.find(qn("w:pgBorders")) is None:
        return "none"
    inner = "rect(width: 100%, height: 100%, stroke: 0.5pt)"
    return f"rect(width: 100% - 16mm, height: 100% - 16mm, stroke: 1.5pt, inset: 1.2mm, {inner})"


def _blocks(holder: Any) -> Iterator[str]:
    below = 0.0
    for item in holder.iter_inner_content():
        if isinstance(item, Table):
            yield _table(item, below)
            below = 0.0
        else:
            above, after = (_space(item, side) for side in ("space_before", "space_after"))
            yield _paragraph(item, max(above, below))
            below = after


def _space(paragraph: Paragraph, side: str) -> float:
    """Returns the points before or after a paragraph, its own or its style's."""
    own = getattr(paragraph.paragraph_format, side)
    styled = getattr(paragraph.style.paragraph_format, side) if own is None and paragraph.style is not None else own
    return float(styled.pt) if styled is not None else 0.0


def _paragraph(paragraph: Paragraph, above: float) -> str:
    layout = paragraph.paragraph_format
    dotted = any(stop.leader == WD_TAB_LEADER.DOTS for stop in layout.tab_stops)
    inner = "".join(_run(r, dotted) for r in paragraph.runs) or "#sym.zws"  # an empty line is a line
    if layout.first_line_indent:
        inner = f"#h({layout.first_line_indent.mm:.1f}mm){inner}"
    if layout.left_indent:
        inner = f"#pad(left: {layout.left_indent.mm:.1f}mm)[{inner}]"
    if paragraph.alignment == WD_ALIGN_PARAGRAPH.JUSTIFY:
        inner = f"#par(justify: true)[{inner}]"
    elif paragraph.alignment in _ALIGN:
        inner = f"#align({_ALIGN[paragraph.alignment]})[{inner}]"
    breaks = layout.page_break_before or any('w:type="page"' in r._r.xml for r in paragraph.runs)
    start = _BREAK if breaks else ""
    return f"{start}#block(width: 100%, above: {above:.1f}pt)[{inner}]\n"


def _run(run: Run, dotted: bool) -> str:
    if not run.text:
        return ""
    lines = "#linebreak()".join(_line(line, dotted) for line in run.text.split("\n"))
    font = run.font
    style = []
    if font.bold:
        style.append('weight: "bold"')
    if font.italic:
        style.append('style: "italic"')
    if font.size is not None:
        style.append(f"size: {font.size.pt}pt")
    made = f"#text({', '.join(style)})[{lines}]" if style else lines
    return f"#underline[{made}]" if font.underline else made


def _line(text: str, dotted: bool) -> str:
    """Returns one line; a tab up to a stop with dots is dots to the end of the line."""
    parts = [f"#{quoted(part)}" if part else "" for part in (text.split("\t") if dotted else [text])]
    return "#box(width: 1fr, repeat[.])".join(parts)


def _table(table: Table, above: float) -> str:
    widths = [c.width.mm if c.width is not None else 0.0 for c in table.columns]
    columns = ", ".join(f"{w:.1f}fr" if w else "1fr" for w in widths)
    stroke = "0.5pt" if table.style is not None and table.style.name == "Table Grid" else "none"
    rows = [("".join(_cell(cell) for cell in _once(row.cells)), _repeats(row)) for row in table.rows]
    cells = "".join(f"table.header({made})," if repeats else made for made, repeats in rows)
    inset = "5pt" if stroke != "none" else "2pt"
    whole = "true" if stroke != "none" else "false"  # a block of signatures stays together
    made = f"#table(columns: ({columns},), stroke: {stroke}, inset: {inset},\n{cells})"
    return f"#block(above: {above:.1f}pt, breakable: {whole})[{made}]\n"


def _repeats(row: Any) -> bool:
    """Tells whether a row stands on every page of its table."""
    return row._tr.trPr is not None and row._tr.trPr.find(qn("w:tblHeader")) is not None


def _once(cells: tuple[_Cell, ...]) -> Iterator[tuple[_Cell, int]]:
    """Yields each cell of a row with the columns it spans; python-docx repeats a merged one."""
    waiting = list(cells)
    while waiting:
        first = waiting[0]
        span = sum(1 for c in waiting if c._tc is first._tc)
        yield first, span
        waiting = waiting[span:]


def _cell(spanned: tuple[_Cell, int]) -> str:
    cell, span = spanned
    return f"table.cell(colspan: {span})[{''.join(_blocks(cell))}],\n"
