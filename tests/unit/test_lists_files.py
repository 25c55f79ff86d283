"""Opening files: encodings, delimiters, limits, and files made to harm."""

from __future__ import annotations

import contextlib
import io
import struct
import time
import tracemalloc
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import BadInput
from reports.sheets import MAX_FILE, open_sheets, read_sheets
from tests.unit.lists_support import LISTS, book, changed, part, people, person

SHEET = "xl/worksheets/sheet1.xml"
TABLE = "Họ và tên;Ngày sinh;Chi bộ\r\nĐỗ Thị Ý;5/4/1990;Thôn 3\r\n"
MARK = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


def refused(data: bytes, name: str = "ds.xlsx") -> str:
    with pytest.raises(BadInput) as caught:
        read_sheets(data, name)
    assert caught.value.params["file"] == name
    return caught.value.text()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_a_csv_reads_in_every_encoding_and_with_every_delimiter(encoding, delimiter):
    found = read_sheets(TABLE.replace(";", delimiter).encode(encoding), "ds.csv")
    assert found[0].rows[1] == ("Đỗ Thị Ý", "5/4/1990", "Thôn 3")


def test_a_csv_in_the_old_windows_encoding_reads_composed():
    # windows-1258 writes a tone as a letter of its own after the vowel
    text = "Ho\u0323 va\u0300 tên;Ngày sinh;Chi bô\u0323\nĐô\u0303 Thi\u0323 Hoa;5/4/1990;Thôn 3\n"
    found = people(read_sheets(text.encode("cp1258"), "ds.csv"))
    assert found.rows[0].facts["full_name"] == "Đỗ Thị Hoa"


def test_the_delimiter_that_excel_names_in_the_first_line_counts_and_rows_keep_their_numbers():
    found = people(read_sheets(("sep=;\r\n" + TABLE).encode(), "ds.csv"))
    assert [(row.row, row.org_id) for row in found.rows] == [(3, "cb3")]


def test_commas_within_names_do_not_cut_a_list_with_semicolons():
    text = 'Họ và tên;Nơi ở;Chi bộ\nAn, Trần;"Tổ 1, thôn 3";Thôn 3\nBa, Lê;"Tổ 2, thôn 3";Thôn 3\n'
    assert read_sheets(text.encode(), "ds.csv")[0].rows[1] == ("An, Trần", "Tổ 1, thôn 3", "Thôn 3")


@pytest.mark.parametrize(
    ("data", "name", "mend"),
    [
        (b"", "ds.csv", "empty"),
        (b"  \n", "ds.csv", "empty"),
        (b"PK\x03\x04 not a zip", "ds.xlsx", "save it again as .xlsx"),
        (b"a;b\x00;c\n" * 30, "ds.csv", "save it in Excel as CSV UTF-8"),
        (b"\xff\xfea", "ds.csv", "save it in Excel as CSV UTF-8"),
        (b"name\n" + b'"never closed' + b"x" * 200_000, "ds.csv", "line 2"),
        (b"\xd0\xcf\x11\xe0", "ds.xls", "only .xlsx and .csv are read"),
        (b"PK", "ds.ods", "only .xlsx and .csv are read"),
        (b"PK", "ds.xlsm", "only .xlsx and .csv are read"),
        (b"a;b\n" * 60_000, "ds.csv", "more than 50000 rows"),
        (b";".join([b"a"] * 201) + b"\n", "ds.csv", "more than 200 columns"),
        (b"a" * (MAX_FILE + 1), "ds.csv", "larger than 10 MB"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_mend(data, name, mend):
    assert mend in refused(data, name)


def test_a_missing_file_is_bad_input_that_names_it(tmp_path):
    with pytest.raises(BadInput, match=r"mất\.xlsx: there is no such file"):
        open_sheets(tmp_path / "mất.xlsx")


def test_a_file_over_the_limit_is_not_read_into_memory(tmp_path):
    path = tmp_path / "ds.xlsx"
    with path.open("wb") as stream:
        stream.truncate(4 * 2**30)  # sparse: no bytes on the disk
    with pytest.raises(BadInput, match="larger than 10 MB"):
        open_sheets(path)


def test_a_workbook_of_60_000_rows_is_refused():
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(1, 60_001))
    data = changed(book([["a"]]), xl__worksheets__sheet1_dot_xml=MARK.encode() + rows + b"</sheetData></worksheet>")
    assert "more than 50000 rows" in refused(data)


@pytest.mark.parametrize("cell", ["XFD1048576", "A50001", "GS1"])
def test_one_cell_in_the_far_corner_is_refused_before_anything_allocates_the_rectangle(cell):
    sheet = f'{MARK}<row><c r="{cell}"><v>1</v></c></row></sheetData></worksheet>'
    assert "more than" in refused(changed(book([["a"]]), xl__worksheets__sheet1_dot_xml=sheet.encode()))


def test_cells_far_out_that_are_only_coloured_do_not_count():
    data = book([["Họ và tên", "Chi bộ"], ["An", "Thôn 3"]])
    sheet = part(data, SHEET).replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>')
    found = read_sheets(changed(data, xl__worksheets__sheet1_dot_xml=sheet), "ds.xlsx")
    assert (len(found[0].rows), found[0].width) == (2, 2)


def test_a_zip_bomb_is_refused_without_being_unpacked():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        for n in range(4):
            archive.writestr(f"xl/worksheets/sheet{n}.xml", b" " * (33 * 2**20))
    tracemalloc.start()
    try:
        assert "unpacks to more than 64 MB" in refused(stream.getvalue())
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()


def test_a_zip_that_lies_about_its_sizes_is_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>" + b" " * (80 * 2**20))
    data = bytearray(stream.getvalue())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 11)  # the size that the directory claims
    assert "not a readable .xlsx" in refused(bytes(data))


def test_a_zip_with_thousands_of_parts_is_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for n in range(1_001):
            archive.writestr(f"{n}.xml", b"")
    assert "unpacks to more than" in refused(stream.getvalue())


def test_xml_entities_are_refused():
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]>' + MARK.encode()
    sheet = bomb + b'<row r="1"><c r="A1" t="inlineStr"><is><t>&c;</t></is></c></row></sheetData></worksheet>'
    assert "XML entities" in refused(changed(book([["a"]]), xl__worksheets__sheet1_dot_xml=sheet))


def test_a_long_text_shared_by_very_many_cells_is_refused():
    shared = b"<sst xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><si><t>%s</t></si></sst>"
    cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(1, 2_001))
    data = changed(
        book([["a"]]),
        xl__sharedStrings_dot_xml=shared % (b"x" * 32_000),
        xl__worksheets__sheet1_dot_xml=MARK.encode() + cells + b"</sheetData></worksheet>",
    )
    assert "too much text" in refused(data)
    longer = changed(data, xl__sharedStrings_dot_xml=shared % (b"x" * 32_768))
    assert "more than 32767 letters" in refused(longer)


@pytest.mark.parametrize("name", ["workbook_dot_xml", "worksheets__sheet1_dot_xml", "_rels__workbook_dot_xml_dot_rels"])
def test_a_damaged_part_is_refused(name):
    parts = {f"xl__{name}": b"<a><b></a>"}
    assert "damaged" in refused(changed(book([["a"]]), **parts))


@settings(max_examples=150)
@given(st.data())
def test_no_damage_to_a_workbook_brings_anything_but_a_refusal(data):
    """Whatever bytes are changed, reading gives sheets or BadInput, soon."""
    content = bytearray((LISTS / "danh-sach-co-loi.xlsx").read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    started = time.monotonic()
    with contextlib.suppress(BadInput):
        read_sheets(bytes(content), "ds.xlsx")
    assert time.monotonic() - started < 20


@settings(max_examples=150)
@given(st.binary(max_size=400))
def test_no_bytes_called_csv_bring_anything_but_a_sheet_or_a_refusal(data):
    try:
        found = read_sheets(data, "ds.csv")
    except BadInput:
        return
    assert len(found) == 1


def test_of_a_formula_the_stored_result_is_read_and_one_without_is_named():
    rows = person()

    def formulas(workbook):
        sheet = workbook.get_worksheet_by_name("DS")
        sheet.write_formula("B2", '=UPPER("lê thị ba")', None, "LÊ THỊ BA")

    found = people(read_sheets(book(rows, more=formulas), "ds.xlsx"))
    assert found.rows[0].facts["full_name"] == "Lê Thị Ba"
    data = book(rows, more=formulas)
    sheet = part(data, SHEET).replace("<v>LÊ THỊ BA</v>".encode(), b"")
    uncomputed = people(read_sheets(changed(data, xl__worksheets__sheet1_dot_xml=sheet), "ds.xlsx"))
    assert [(r.cell, r.text()[:26]) for r in uncomputed.rejected] == [("B2", "the formula has no result;")]


def test_a_text_that_looks_like_a_formula_is_no_name():
    found = people(read_sheets('Họ và tên;Chi bộ\n"=HYPERLINK(1)";Thôn 3\n'.encode(), "ds.csv"))
    assert [r.text() for r in found.rejected] == ["=HYPERLINK(1) is no name"]


def test_in_a_workbook_that_counts_from_1904_a_bare_number_of_days_is_read_so():
    data = book([["Họ và tên", "Ngày sinh", "Chi bộ"], ["An", 32_000, "Thôn 3"]])
    workbook = part(data, "xl/workbook.xml").replace(b"<workbookPr ", b'<workbookPr date1904="1" ')
    found = people(read_sheets(data, "ds.xlsx")).rows[0].facts["birth_date"]
    later = people(read_sheets(changed(data, xl__workbook_dot_xml=workbook), "ds.xlsx")).rows[0].facts["birth_date"]
    assert (str(found), str(later)) == ("1987-08-11", "1991-08-12")
