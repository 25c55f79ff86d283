"""Forms by the command: what is missing is said first, Word and PDF open elsewhere and hold what is known."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from docx import Document

from tests.integration.cli.conftest import Ketnap
from tests.need import need


def text_of_pdf(path: Path) -> str:
    need(shutil.which("pdftotext") is not None, "pdftotext (poppler-utils) is not installed")
    return subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True).stdout


def text_of_word(path: Path) -> str:
    document = Document(str(path))
    cells = [c.text for t in document.tables for r in t.rows for c in r.cells]
    heads = [p.text for s in document.sections for p in s.header.paragraphs]
    return "\n".join([*heads, *(p.text for p in document.paragraphs), *cells])


def test_what_is_missing_is_listed_before_filling(office: Ketnap) -> None:
    office.elite()
    document = office.ask("form", "fill", "application", "u1", "--as", "lan", "--missing", code=1)
    assert "application_on" in {gap["place"] for gap in document["missing"]}
    assert document["file"] is None
    assert list(office.folder.glob("*.docx")) == []
    office.run("set", "u1", "religion=none", "id_number=001", "phone=0900", "residence=Thôn 1", "--as", "lan")
    document = office.ask("form", "fill", "application", "u1", "--as", "lan", "--missing", code=1)
    assert "religion" not in {gap["place"] for gap in document["missing"]}


@pytest.mark.parametrize("form", ["application", "life_history", "referral", "branch_resolution", "decision"])
def test_word_and_pdf_hold_what_is_known(office: Ketnap, form: str) -> None:
    office.elite()
    office.run("set", "u1", "religion=none", "residence=Thôn <b>1</b> & {{ x }}", "--as", "lan")
    office.run("form", "fill", form, "u1", "--as", "lan", "--out", "a.docx")
    office.run("form", "fill", form, "u1", "--as", "lan", "--format", "pdf", "--out", "a.pdf")
    word, pdf = text_of_word(office.folder / "a.docx"), text_of_pdf(office.folder / "a.pdf")
    for text in (word, pdf):
        assert "trần văn an" in text.lower()
        assert "CƠ SỞ DỮ LIỆU THỬ" in text
        assert "{{ full_name" not in text
    if form != "branch_resolution" and form != "referral":
        assert "Thôn <b>1</b> & {{ x }}" in word


def test_a_form_is_in_its_own_language_with_the_offices_names(office: Ketnap) -> None:
    """Whoever asks in English gets a Vietnamese form without English in it; the place is that of the settings."""
    (office.folder / "ketnap.toml").write_text(
        '[letter]\nplace = "Hòa Lâm"\nabove = "Tỉnh ủy Đắk Lắk"\n', encoding="utf-8"
    )
    office.elite()
    office.run("set", "u1", "sex=male", "education=university", "religion=none", "--as", "lan")
    office.run("--lang", "en", "form", "fill", "application", "u1", "--as", "lan", "--out", "a.docx")
    assert "giới tính: Nam" in text_of_word(office.folder / "a.docx")
    assert "trình độ học vấn: Đại học" in text_of_word(office.folder / "a.docx")
    office.run("form", "fill", "decision", "u1", "--as", "lan", "--out", "b.docx")
    decision = text_of_word(office.folder / "b.docx")
    assert "TỈNH ỦY ĐẮK LẮK" in decision
    assert "Hòa Lâm, ngày" in decision


def test_a_faulty_file_of_the_offices_own_stops_its_own_form_only(office: Ketnap) -> None:
    """It is named by the file that is to be mended; the other forms are filled in all the same."""
    office.elite()
    own = office.folder / "forms"
    own.mkdir()
    document = Document()
    document.add_paragraph("{{ ful_name }}")
    document.save(str(own / "quyet-dinh-ket-nap.docx"))
    office.run("form", "fill", "application", "u1", "--as", "lan", "--out", "a.docx")
    said = office.run("form", "fill", "decision", "u1", "--as", "lan", "--out", "b.docx", code=2).stderr
    assert "quyet-dinh-ket-nap.docx:1:1: không có chỗ điền ful_name; có phải ý là full_name?" in said
    document.paragraphs[0].runs[0].text = "MẪU CỦA CƠ QUAN: {{ full_name|upper }}"
    document.save(str(own / "quyet-dinh-ket-nap.docx"))
    office.run("form", "fill", "decision", "u1", "--as", "lan", "--out", "b.docx")
    assert "MẪU CỦA CƠ QUAN: TRẦN VĂN AN" in text_of_word(office.folder / "b.docx")


def test_a_form_opens_in_an_office_suite_without_repair(office: Ketnap) -> None:
    need(shutil.which("soffice") is not None, "LibreOffice is not installed")
    office.elite()
    office.run("form", "fill", "life_history", "u1", "--as", "lan", "--out", "a.docx")
    home = office.folder / "home"
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{home}", "--headless", "--convert-to", "pdf", "a.docx"],
        cwd=office.folder, capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    assert "TRẦN VĂN AN" in text_of_pdf(office.folder / "a.pdf")


def test_an_officer_of_another_unit_gets_no_form(ketnap: Ketnap) -> None:
    officers = "id,name,org,roles\nlan,Nguyễn Thị Lan,xa1,secretary\nhoa,Lê Hoa,cb2,clerk\n"
    (ketnap.folder / "officers.csv").write_text(officers, encoding="utf-8")
    ketnap.run("init", "--sandbox")
    ketnap.run("import", "orgs", "to-chuc.csv")
    ketnap.run("import", "officers", "officers.csv")
    ketnap.elite()
    ketnap.run("form", "fill", "application", "u1", "--as", "hoa", code=2)  # as if it were not there
    ketnap.run("form", "fill", "application", "u1", "--as", "nobody", code=2)
    ketnap.run("form", "fill", "nothing", "u1", "--as", "lan", code=2)
    assert list(ketnap.folder.glob("*.docx")) == []


def test_a_form_that_lists_people_says_when_there_is_nobody_yet(office: Ketnap) -> None:
    office.run("start", "monthly_review", "--org", "xa1", "--as", "lan", "--fact", "month=2031-01", "--id", "r1")
    result = office.run("form", "fill", "minutes", "r1", "--as", "lan", code=2)
    assert "chưa có ai" in result.stderr
