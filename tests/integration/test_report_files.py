"""Reports as files: what is written is read back, and LibreOffice opens it without a word."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import docx
import openpyxl
import pytest

from engine.steps import By
from reports.document import Report
from reports.handing import FORMATS
from reports.periods import day_span, year_span
from reports.print import set_in_type
from tests.need import need
from tests.report_world import STAGES, Person, ReportTown
from tests.world import office_time

NASTY = '=HYPERLINK("http://x","Bấm")'
NAMES = (NASTY, "Trần Thị Ấn", "Nguyễn Văn An", "@cmd", "+84 09", "-1")


@pytest.fixture(scope="module")
def town() -> ReportTown:
    """A year with people whose data looks like formulas."""
    found = ReportTown(office_time(date(2025, 3, 3)))
    for n in range(18):
        facts = {
            "full_name": NAMES[n % 6],
            "sex": "female" if n % 2 else "male",
            "occupation": "=1+1" if n % 3 else "Giáo viên",
            "residence": "#import <script>",
            "ethnicity": ("Kinh", "Ê-đê")[n % 2],
        }
        unit = ("cb1", "cb2", "cb3", "cs1")[n % 4]
        begun = date.fromordinal(date(2023, 7, 1).toordinal() + 11 * n)
        found.play(Person(id=f"p{n}", unit=unit, begun=begun, stage=STAGES[n % 5], facts=facts))
    found.move("p0", "drop", By(officer="tu_secretary"), date(2024, 12, 1), "Có lý do", drop_reason="moved")
    return found


@pytest.fixture(scope="module")
def yearly(town: ReportTown) -> Report:
    """The year 2024."""
    return town.report("yearly", year_span(2024))


@pytest.fixture(scope="module")
def elite(town: ReportTown) -> Report:
    """The list of the elite."""
    return town.report("elite_list", day_span(date(2025, 3, 3)))


def _book(report: Report) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(FORMATS["xlsx"](report)))


def test_sums_and_shares_are_formulas_that_give_what_the_report_says(yearly: Report, tmp_path: Path) -> None:
    """LibreOffice computes them anew; the numbers stay those of the report."""
    need(shutil.which("soffice") is not None, "LibreOffice")
    sheet = _book(yearly)["II. Kết quả theo đơn vị"]
    formulas = [c.value for row in sheet for c in row if isinstance(c.value, str) and c.value.startswith("=")]
    assert sum(f.startswith("=SUM(") for f in formulas) == 7
    assert sum(f.startswith("=IF(N(") for f in formulas) == 4
    file = tmp_path / "yearly.xlsx"
    file.write_bytes(FORMATS["xlsx"](yearly))
    _convert(file, "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,2", tmp_path)
    lines = next(tmp_path.glob("*.csv")).read_text(encoding="utf-8").splitlines()
    total = next(line for line in lines if "Tổng cộng" in line).split(",")
    figures = yearly.figures
    assert [total[2], total[5], total[6]] == [str(figures[n]) for n in ("recognised", "admitted", "women")]


def test_a_figure_without_a_value_says_so_on_paper(town: ReportTown, tmp_path: Path) -> None:
    """A dash in Word, Excel and PDF; nothing in the document for programs."""
    report = town.report("yearly", year_span(2022))
    rows = next(t for t in report.json()["sections"] if "theo đơn vị" in t["title"])["rows"]
    assert {row["women_share"] for row in rows} == {None}
    paper = docx.Document(io.BytesIO(FORMATS["docx"](report)))
    assert any(c.text == "–" for t in paper.tables for row in t.rows for c in row.cells)
    sheet = _book(report)["II. Kết quả theo đơn vị"]
    shares = [c.value for row in sheet for c in row if isinstance(c.value, str) and c.value.startswith("=IF(N(")]
    assert shares
    assert all('"–"' in f for f in shares)
    assert "–" in _text_of(FORMATS["pdf"](report), tmp_path)


def test_texts_stay_texts_and_days_are_days(elite: Report) -> None:
    """Nothing that an office typed becomes a formula or a number; days are real days, years have no separators."""
    sheet = _book(elite).worksheets[0]
    cells = [c for row in sheet for c in row]
    assert any(c.value == NASTY for c in cells)
    assert {c.value: c.data_type for c in cells if c.value in (NASTY, "@cmd", "+84 09", "-1", "=1+1")} == dict.fromkeys(
        (NASTY, "@cmd", "+84 09", "-1", "=1+1"), "s"
    )
    assert not [c for c in cells if c.data_type == "f"]
    days = [c for c in cells if isinstance(c.value, datetime)]
    assert days
    assert {c.number_format for c in days} == {"dd/mm/yyyy"}
    years = [c for c in cells if c.value == 1990]
    assert {c.number_format for c in years} == {"0"}
    with zipfile.ZipFile(io.BytesIO(FORMATS["xlsx"](elite))) as archive:
        assert not any(b"<f>" in archive.read(n) or b"hyperlink" in archive.read(n) for n in archive.namelist())


def test_a_sheet_prints_with_its_heading_on_every_page(elite: Report) -> None:
    """Frozen and repeated heading, print area, one page wide, lying across."""
    sheet = _book(elite).worksheets[0]
    heading = int(re.findall(r"\d+", sheet.freeze_panes)[0]) - 1
    assert [c.value for c in sheet[heading]][:2] == ["TT", "Họ và tên"]
    assert sheet.print_title_rows == f"${heading}:${heading}"
    assert sheet.print_area
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    setup = sheet.page_setup
    assert (setup.orientation, setup.fitToWidth or 1, setup.fitToHeight) == ("landscape", 1, 0)


def test_names_stand_by_the_given_name_under_their_unit(elite: Report) -> None:
    """An before Ấn, though Nguyễn comes before Trần anyway."""
    groups = [line.cells[0] for line in elite.tables[0].lines if line.kind == "group"]
    assert groups == ["cs1", "cb1", "cb2", "cb3"]  # the tree's order: what stands higher up comes first
    by_unit: dict[str, list] = {}
    for line in elite.tables[0].lines:
        if line.kind == "group":
            by_unit[line.key] = []
        else:
            by_unit[next(reversed(by_unit))].append(line.cells[0])
    mixed = [names for names in by_unit.values() if "Trần Thị Ấn" in names and "Nguyễn Văn An" in names]
    assert all(n.index("Nguyễn Văn An") < n.index("Trần Thị Ấn") for n in mixed)


def test_word_has_the_head_and_the_foot_of_the_partys_documents(yearly: Report) -> None:
    """Issuer left, motto right, number, place and date, recipients and signer; a heading repeats on each page."""
    paper = docx.Document(io.BytesIO(FORMATS["docx"](yearly)))
    left, right = (cell.text for cell in paper.tables[0].rows[0].cells)
    assert left.splitlines()[:3] == ["TỈNH ỦY ĐẮK LẮK", "THỊ ỦY BUÔN HỒ", "*"]
    assert re.fullmatch(r"Số +-BC/TU", left.splitlines()[3])
    assert right.splitlines() == ["ĐẢNG CỘNG SẢN VIỆT NAM", "", "Buôn Hồ, ngày 03 tháng 3 năm 2025"]
    foot = [cell.text for cell in paper.tables[-1].rows[0].cells]
    assert foot[0].splitlines() == [
        "Nơi nhận:", "- Ban Thường vụ Thị ủy,", "- Cơ quan Tổ chức - Nội vụ,", "- Lưu Văn phòng."
    ]  # fmt: skip
    assert foot[1].splitlines() == ["T/M BAN THƯỜNG VỤ", "BÍ THƯ", "", "", "", "Nguyễn Thị Hồng"]
    assert "w:tblHeader" in paper.tables[1].rows[0]._tr.xml
    bold = [p.runs[0].bold for p in paper.tables[-1].rows[0].cells[1].paragraphs if p.text]
    assert bold == [True, False, True]  # on whose behalf, the office, the name
    named = [p.text for p in paper.paragraphs if p.text]
    assert named[named.index("BÁO CÁO") + 1].startswith("kết quả bồi dưỡng")  # a title begins small on paper


def test_a_signature_is_never_parted_from_its_name(town: ReportTown, tmp_path: Path) -> None:
    """However long the table above is: the signer's name stands on the page of the office, below a row at least."""
    need(shutil.which("soffice") is not None, "LibreOffice")
    need(shutil.which("pdftotext") is not None, "poppler-utils")
    report = town.report("elite_list", day_span(date(2025, 3, 3)))
    table = report.tables[0]
    for rows in (8, 9, 10, 11):  # one of them ends where the page does
        lines = [line for line in table.lines if line.kind == "row"][:1] * rows
        file = tmp_path / f"list{rows}.docx"
        file.write_bytes(FORMATS["docx"](replace(report, tables=[replace(table, lines=lines)])))
    _convert(tmp_path / "list*.docx", "pdf", tmp_path)
    for file in tmp_path.glob("list*.pdf"):
        pages = _text_of(file.read_bytes(), tmp_path).split("\f")
        last = next(p for p in pages if "T/M BAN THƯỜNG VỤ" in p)
        assert "Nguyễn Thị Hồng" in last
        assert "Lê Thị Mai" in last  # a row of the table, by its helper


@pytest.mark.parametrize("form", ["xlsx", "docx", "pdf", "json"])
def test_a_sandbox_says_so_on_everything_it_gives_out(yearly: Report, tmp_path: Path, form: str) -> None:
    """In every format, on every sheet."""
    data = FORMATS[form](yearly)
    said = "BẢN DÙNG THỬ"
    if form == "json":
        assert b'"sandbox": true' in data
    elif form == "xlsx":
        assert all(any(said in str(c.value) for row in s for c in row) for s in _book(yearly))
    elif form == "docx":
        assert any(said in p.text for p in docx.Document(io.BytesIO(data)).paragraphs)
    else:
        assert said in _text_of(data, tmp_path)


def test_the_pdf_warns_of_nothing_and_carries_its_fonts(yearly: Report, elite: Report, tmp_path: Path) -> None:
    """Every letter is there, every font is embedded, and what was typed is never read as markup."""
    need(shutil.which("pdffonts") is not None, "poppler-utils")
    for report in (yearly, elite):
        data, warnings = set_in_type(report)
        assert list(warnings) == []
        file = tmp_path / "a.pdf"
        file.write_bytes(data)
        fonts = subprocess.run(["pdffonts", str(file)], capture_output=True, text=True, check=True).stdout.splitlines()[
            2:
        ]
        assert fonts
        assert all(line.split()[-5] == "yes" for line in fonts)
    text = _text_of(set_in_type(elite)[0], tmp_path)
    assert "=HYPERLINK" in text.replace("\n", "")
    assert "#import" in text


def test_the_same_report_is_the_same_pdf(yearly: Report) -> None:
    """No clock and no chance in it."""
    assert FORMATS["pdf"](yearly) == FORMATS["pdf"](yearly)


@pytest.mark.parametrize("form", ["xlsx", "docx"])
def test_libreoffice_opens_the_files_and_sees_all_of_them(elite: Report, tmp_path: Path, form: str) -> None:
    """As a PDF it shows the title, a name and the signer."""
    need(shutil.which("soffice") is not None, "LibreOffice")
    file = tmp_path / f"elite.{form}"
    file.write_bytes(FORMATS[form](elite))
    _convert(file, "pdf", tmp_path)
    text = _text_of((tmp_path / "elite.pdf").read_bytes(), tmp_path)
    for wanted in ("DANH SÁCH", "Nguyễn Văn An", "Nguyễn Thị Hồng", "ĐẢNG CỘNG SẢN VIỆT NAM"):
        assert wanted in text


def _convert(file: Path, to: str, folder: Path) -> None:
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    files = sorted(map(str, file.parent.glob(file.name)))
    command = ["soffice", profile, "--headless", "--convert-to", to, "--outdir", str(folder), *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def _text_of(data: bytes, folder: Path) -> str:
    need(shutil.which("pdftotext") is not None, "poppler-utils")
    file = folder / "text.pdf"
    file.write_bytes(data)
    return subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True).stdout
