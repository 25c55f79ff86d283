"""The supervision report of a unit and a period."""

from __future__ import annotations

import io
from typing import Any

import docx
import openpyxl
import pytest

from tests.integration.cli.conftest import Ketnap

PERIOD = ("--org", "xa1", "--from", "2000-01-01")


@pytest.fixture
def supervised(office: Ketnap) -> Ketnap:
    """One taken off the list, one recognised after a refusal and a denial, entered late, and looked at."""
    office.elite()
    office.elite("u2")
    office.run("move", "u1", "drop", "--as", "lan", "--fact", "drop_reason=moved", "--reason", "Chuyển đi")
    office.run("move", "u2", "recognise", "--as", "lan", code=1)
    office.run("move", "u2", "recognise", "--as", "dao", "--fact", "branch_proposed_on=2024-03-01", code=3)
    office.run("move", "u2", "recognise", "--as", "lan", "--fact", "branch_proposed_on=2024-03-01")
    office.run("set", "u2", "ethnicity=Kinh", "--as", "lan", "--on", "2024-05-01")
    office.run("show", "u2")
    return office


def _rows(report: dict[str, Any], title: str) -> list[dict[str, Any]]:
    (section,) = [s for s in report["sections"] if s["title"] == title]
    rows: list[dict[str, Any]] = section["rows"]
    return rows


def test_the_report_tells_what_an_inspector_asks(supervised: Ketnap) -> None:
    report = supervised.ask("audit", "supervise", *PERIOD)
    told = {s["title"]: [tuple(r.values()) for r in s["rows"]] for s in report["sections"]}
    titles = list(told)
    assert titles[:3] == ["Hồ sơ theo từng bước", "Các bước so với thời hạn", "Ngoại lệ và gia hạn, kèm lý do"]
    flat = {title: " | ".join(str(v) for row in rows for v in row) for title, rows in told.items()}
    assert "Đã đưa ra khỏi danh sách" in flat["Hồ sơ theo từng bước"]
    assert "2024-05-01" in flat["Ghi muộn"]
    assert "lan" in flat["Ai quyết định việc gì"]
    assert "dao" in flat["Lần bị từ chối"]
    assert "u2" in flat["Ai đã mở hồ sơ"]
    assert "Chuyển nơi cư trú" in flat["Hồ sơ đã kết thúc, theo lý do"]
    assert any(title.startswith("Trần Văn An (u1)") for title in titles)
    without = supervised.ask("audit", "supervise", *PERIOD, "--no-cases")
    assert len(without["sections"]) == 10


def test_the_report_keeps_to_its_unit_and_its_period(supervised: Ketnap) -> None:
    other = supervised.ask("audit", "supervise", "--org", "cb2", "--from", "2000-01-01")
    before = supervised.ask("audit", "supervise", "--org", "xa1", "--from", "2000-01-01", "--to", "2001-01-01")
    for report in (other, before):
        assert not any(s["rows"] for s in report["sections"])
    supervised.run("audit", "supervise", "--org", "frob", "--from", "2000-01-01", code=2)
    supervised.run("audit", "supervise", "--org", "xa1", "--from", "2024-01-02", "--to", "2024-01-01", code=2)


def test_the_report_is_a_page_a_workbook_and_a_letter_and_each_is_noted(supervised: Ketnap) -> None:
    for form, start in (("html", b"<!doctype html>"), ("xlsx", b"PK"), ("docx", b"PK"), ("pdf", b"%PDF")):
        supervised.run("audit", "supervise", *PERIOD, "--out", f"gs.{form}")
        data = (supervised.folder / f"gs.{form}").read_bytes()
        assert data.startswith(start)
        if form == "html":
            assert "Trần Văn An" in data.decode()
        if form == "xlsx":
            book = openpyxl.load_workbook(io.BytesIO(data))
            assert len(book.sheetnames) == 11  # the ten tables, and one sheet of all cases
            cells = {str(c.value) for row in book["Từng hồ sơ"] for c in row}
            assert any(c.startswith("Trần Văn An (u1)") for c in cells)
            assert any(c.startswith("Nguyễn Thị Lan (lan)") for c in cells)  # officers by name
        if form == "docx":
            told = [p.text for p in docx.Document(io.BytesIO(data)).paragraphs]
            assert "Không có." not in told[told.index("Hồ sơ theo từng bước") + 1]  # its rows stand below
            assert any("không phải văn bản thật" in line for line in told)
    found = supervised.ask("audit", "search", "--kind", "exported")["events"]
    assert [e["detail"]["about"]["form"] for e in found] == ["pdf", "docx", "xlsx", "html"]
    supervised.run("audit", "supervise", *PERIOD, "--out", "gs.exe", code=2)


def test_an_officer_gets_it_of_the_units_that_they_read_only(supervised: Ketnap) -> None:
    """Whoever has the database in hand is asked for nothing; it is noted who got it."""
    args = ("audit", "supervise", "--from", "2000-01-01")
    assert supervised.ask(*args, "--org", "tu", "--as", "lan", code=3)["error"]["why"] == "scope"
    supervised.run(*args, "--org", "xa1", "--as", "lan")
    noted = supervised.ask("audit", "search", "--kind", "listed")["events"]
    assert [e["actor"] for e in noted] == ["lan"]
