"""The three lists of an office, with exact numbers."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date

import pytest

from reports.people import Existing, Reading, plan_import
from reports.sheets import open_sheets, read_sheets
from tests.unit.lists_support import LISTS, people


def reading(name: str) -> Reading:
    return people(open_sheets(LISTS / name))


def test_the_list_of_elite_people_gives_34_under_three_branches():
    found = reading("danh-sach-quan-chung-uu-tu.xlsx")
    assert (found.read, len(found.rows), found.rejected) == (34, 34, ())
    assert Counter(row.org_id for row in found.rows) == {"cb1": 12, "cb2": 12, "cbt": 10}
    assert Counter(str(row.facts["sex"]) for row in found.rows) == {"male": 17, "female": 17}
    assert [row.row for row in found.rows] == [*range(10, 22), *range(23, 35), *range(36, 46)]


def test_a_year_alone_is_the_birth_year_and_no_birth_date():
    rows = reading("danh-sach-quan-chung-uu-tu.xlsx").rows
    by_year = {row.row: row.facts["birth_year"] for row in rows if "birth_year" in row.facts}
    assert by_year == {23: 2002, 25: 1999, 30: 1982, 34: 1987, 43: 2003}
    assert all(("birth_date" in row.facts) != ("birth_year" in row.facts) for row in rows)


def test_every_cell_of_a_row_goes_to_its_fact():
    row = next(r for r in reading("danh-sach-quan-chung-uu-tu.xlsx").rows if r.row == 26)
    assert row.facts == {
        "full_name": "Dương Thu Xuân",  # `  DƯƠNG THU XUÂN ` in the list
        "birth_date": date(2005, 1, 15),
        "sex": "female",
        "ethnicity": "Kinh",
        "religion": "none",
        "education": "upper_secondary",
        "occupation": "Kinh doanh",
        "introduced_on": date(2022, 1, 20),
        "helper": "Nay Công Sơn",
    }


def test_unknown_introducers_and_the_column_of_remarks_are_warnings():
    warnings = reading("danh-sach-quan-chung-uu-tu.xlsx").warnings
    assert (warnings[0].cell, warnings[0].params) == ("M7", {"heading": "Ghi chú"})
    introducers = {str(w.params["value"]): w.times for w in warnings[1:]}
    assert introducers == {"Hội Nông dân": 5, "Hội CCB": 12, "Đoàn TN": 4, "Công đoàn": 9, "Hội LHPN": 4}


def test_the_list_of_union_members_gives_25_under_the_branch_that_each_row_names():
    found = reading("danh-sach-doan-vien-uu-tu.csv")
    assert (found.read, len(found.rows), found.rejected, found.warnings) == (25, 25, (), ())
    assert Counter(row.org_id for row in found.rows) == {"cb1": 4, "cb2": 3, "cb3": 5, "cb4": 5, "cb5": 3, "cb6": 5}
    assert all(isinstance(row.facts["birth_date"], date) for row in found.rows)


def test_the_list_with_faults_is_rejected_with_exactly_its_three_bad_cells():
    found = reading("danh-sach-co-loi.xlsx")
    assert found.read == 12
    assert [(r.row, r.column, r.text()) for r in found.rejected] == [
        (12, "D", "31/02/1999 is not a day of the calendar"),
        (15, "D", "1999-13-40 is not a day of the calendar"),
        (17, "C", "sinh năm 95: a year of two digits may mean two centuries; write all four"),
    ]
    assert found.rejected[0].heading == "Ngày, tháng, năm sinh: Nữ"


@pytest.mark.parametrize(("encoding", "delimiter"), [("utf-8-sig", ";"), ("utf-16", "\t"), ("utf-8", ",")])
def test_the_list_saved_as_csv_gives_the_same_people(encoding, delimiter):
    """Without merged cells and date cells the same rows read the same."""
    sheet = open_sheets(LISTS / "danh-sach-quan-chung-uu-tu.xlsx")[0]
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter)
    for row in sheet.rows:
        writer.writerow([c.strftime("%d/%m/%Y") if isinstance(c, date) else "" if c is None else c for c in row])
    saved = people(read_sheets(stream.getvalue().encode(encoding), "ds.csv"))
    expected = reading("danh-sach-quan-chung-uu-tu.xlsx")
    assert [(r.row, r.org_id, r.facts) for r in saved.rows] == [(r.row, r.org_id, r.facts) for r in expected.rows]
    assert (saved.rejected, len(saved.warnings)) == ((), len(expected.warnings))


@pytest.mark.parametrize("name", ["danh-sach-quan-chung-uu-tu.xlsx", "danh-sach-doan-vien-uu-tu.csv"])
def test_the_same_list_twice_changes_nothing(name):
    first = plan_import(reading(name), [])
    there = [
        Existing(id=str(n), org_id=change.row.org_id, facts={k: v for k, v in change.facts.items() if v is not None})
        for n, change in enumerate(first.creates)
    ]
    again = plan_import(reading(name), there)
    assert (len(again.creates), len(again.updates), len(again.unchanged)) == (0, 0, len(first.creates))
