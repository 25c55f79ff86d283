"""Forms: what a Word file may hold, what is missing, and the same on paper as PDF."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.shared import Mm

from engine.core.errors import FileRefused
from engine.core.reader import FindingsError
from engine.library import compile_all, find_sources, shipped_folder
from reports.filling import settle
from reports.forms import find_forms, load_forms
from reports.places import open_places
from reports.showing import DOTS, UNKNOWN, Shown, long_day, number_text, percent_of
from reports.typeset import pdf_of, quoted
from tests.need import need

ADMISSION = shipped_folder() / "admission"


def word(tmp_path: Path, *texts: str, name: str = "own.docx") -> Path:
    document = Document()
    for text in texts:
        document.add_paragraph(text)
    path = tmp_path / name
    document.save(str(path))
    return path


def pages(pdf: bytes) -> int:
    """Counts the pages of a PDF by its page tree."""
    return max(int(n) for n in re.findall(rb"/Count (\d+)", pdf))


@pytest.fixture(scope="module")
def definitions():
    return compile_all(find_sources(["candidate", "probation"]))


def test_every_shipped_form_names_only_what_there_is(definitions) -> None:
    path = find_forms(ADMISSION)
    assert path is not None
    forms = load_forms(path, compile_all(find_sources([str(ADMISSION)])))
    assert len([f for f in forms.values() if "KNĐ" in f.spec.title.vi]) == 9
    for form in forms.values():
        assert form.places.names, form.id


def test_places_are_found_in_text_tables_and_headers(tmp_path: Path) -> None:
    document = Document()
    document.add_paragraph("{{ full_name }}, {{ papers.referral|long }}")
    document.add_table(1, 1).cell(0, 0).text = "{{ residence }}"
    document.sections[0].header.paragraphs[0].text = "{{ unit }}"
    path = tmp_path / "own.docx"
    document.save(str(path))
    places = open_places(path)
    assert places.names == {"full_name", "papers", "residence", "unit"}
    assert places.entries == {"papers.referral"}


@pytest.mark.parametrize(
    "text",
    [
        "{{ full_name.__class__() }}",
        "{% for x in range(9) %}{{ x }}{% endfor %}",
        "{% set x = 1 %}",
        "{% include 'other' %}",
        "{{ full_name * 9999999 }}",
        "{% macro a() %}{% endmacro %}",
        "{{ full_name",
    ],
)
def test_a_file_that_does_more_than_show_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FileRefused):
        open_places(word(tmp_path, text))


def test_what_is_no_word_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.docx"
    path.write_bytes(b"PK nothing")
    with pytest.raises(FileRefused):
        open_places(path)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("other.xml", "<a/>")
    with pytest.raises(FileRefused):
        open_places(path)


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = word(tmp_path, "{{ full_name }}")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("word/media/big.bin", bytes(50_000_000))
    with pytest.raises(FileRefused, match="too large"):
        open_places(path)


def test_a_name_that_is_no_fact_is_told_with_its_place(tmp_path: Path, definitions) -> None:
    word(tmp_path, "{{ ful_name }}", name="a.docx")
    file = tmp_path / "forms.yaml"
    file.write_text(
        "head: secretary\nforms:\n  a:\n    title: {vi: A, en: A}\n    of: candidate\n"
        "    file: a.docx\n    follows: x\n",
        encoding="utf-8",
    )
    with pytest.raises(FindingsError) as caught:
        load_forms(file, definitions)
    (finding,) = caught.value.findings
    assert (finding.line, finding.params["name"], finding.params["near"]) == (6, "ful_name", "full_name")


def test_a_place_that_names_no_entry_of_its_map_is_told(tmp_path: Path, definitions) -> None:
    """A paper that is on no list would print as dots for ever."""
    word(tmp_path, "{{ papers.referal }} {{ papers.referral }}", name="a.docx")
    file = tmp_path / "forms.yaml"
    file.write_text(
        "head: secretary\nforms:\n  a:\n    title: {vi: A, en: A}\n    of: candidate\n"
        "    file: a.docx\n    follows: x\n",
        encoding="utf-8",
    )
    with pytest.raises(FindingsError) as caught:
        load_forms(file, definitions)
    (finding,) = caught.value.findings
    assert (finding.params["name"], finding.params["near"]) == ("papers.referal", "papers.referral")


def test_an_office_lays_its_own_file_over_a_shipped_one(tmp_path: Path, definitions) -> None:
    path = find_forms(ADMISSION)
    assert path is not None
    definitions = compile_all(find_sources([str(ADMISSION)]))
    own = word(tmp_path, "{{ full_name }}", name="don-xin-vao-dang.docx")
    forms = load_forms(path, definitions, tmp_path)
    assert forms["application"].path == own
    assert forms["application"].places.names == {"full_name"}
    assert forms["decision"].path.parent == path.parent


def test_what_is_not_known_prints_as_dots_and_counts_as_no() -> None:
    assert str(UNKNOWN) == DOTS
    assert not UNKNOWN
    assert str(UNKNOWN.referral) == DOTS
    assert bool(Shown(text="có", value=True))
    assert not Shown(text="không", value=False)


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2025, 3, 5), "ngày 05 tháng 3 năm 2025"),
        (date(2025, 1, 25), "ngày 25 tháng 01 năm 2025"),
        (date(2025, 2, 9), "ngày 09 tháng 02 năm 2025"),
        (date(2025, 12, 31), "ngày 31 tháng 12 năm 2025"),
    ],
)
def test_days_are_written_as_officials_write_them(day: date, text: str) -> None:
    assert long_day(Shown(text="", value=day)) == text


def test_shares_and_decimals_have_a_comma() -> None:
    six, nine = Shown(text="6", value=6), Shown(text="9", value=9)
    assert percent_of(six, nine) == "66,67"
    assert percent_of(nine, nine) == "100"
    assert percent_of(six, UNKNOWN) == "........"
    assert number_text(Decimal("1.50")) == "1,5"


def test_a_text_with_signs_of_typst_stays_a_text() -> None:
    document = Document()
    for text in ('#panic("x")', "$x$ *b* _i_ @ref <a> \\ ` ~ [ ] { }", 'a "quoted" \\ text', "đ/c Ẫ ễ ợ ặ ỵ"):
        document.add_paragraph(text)
    held = io.BytesIO()
    document.save(held)
    assert pdf_of(held.getvalue()).startswith(b"%PDF")
    assert quoted('a"b\\') == '"a\\"b\\\\"'


def test_tables_with_merged_cells_and_breaks_are_set() -> None:
    document = Document()
    table = document.add_table(2, 3, style="Table Grid")
    table.cell(0, 0).merge(table.cell(0, 1)).text = "hai cột"
    table.columns[0].width = Mm(30)
    document.add_page_break()
    document.add_paragraph("trang hai")
    held = io.BytesIO()
    document.save(held)
    assert pages(pdf_of(held.getvalue())) == 2


def test_a_page_break_begins_a_page_and_one_at_the_top_makes_no_empty_page() -> None:
    document = Document()
    for text in ("một", "hai"):
        document.add_paragraph(text).paragraph_format.page_break_before = True
    held = io.BytesIO()
    document.save(held)
    assert pages(pdf_of(held.getvalue())) == 2


def test_a_heading_row_comes_again_on_every_page_and_the_head_of_the_page_too(tmp_path: Path) -> None:
    """As in Word: a long table, and the note of a sandbox."""
    need(shutil.which("pdftotext") is not None, "poppler-utils")
    document = Document()
    table = document.add_table(1, 1, style="Table Grid")
    table.cell(0, 0).text = "Họ và tên"
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for n in range(80):
        table.add_row().cells[0].text = f"Người {n}"
    settle(document, "Bản thử")
    held = io.BytesIO()
    document.save(held)
    file = tmp_path / "a.pdf"
    file.write_bytes(pdf_of(held.getvalue()))
    told = subprocess.run(["pdftotext", str(file), "-"], capture_output=True, text=True, check=True).stdout
    sheets = told.rstrip("\f").split("\f")
    assert len(sheets) > 1
    assert all("Họ và tên" in sheet and "Bản thử" in sheet for sheet in sheets)


def test_lines_with_dots_are_not_drawn_apart_and_a_note_stands_on_every_page() -> None:
    document = Document()
    for text in ("Nơi sinh: ..........; quê quán: ..........", "Tôi xin tự nguyện gia nhập."):
        document.add_paragraph(text).alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    settle(document, "Bản thử")
    dots, whole = document.paragraphs
    assert document.sections[0].header.paragraphs[0].text == "Bản thử"  # on every page
    assert (dots.alignment, whole.alignment) == (WD_ALIGN_PARAGRAPH.LEFT, WD_ALIGN_PARAGRAPH.JUSTIFY)
