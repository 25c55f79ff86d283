"""Tables of organisations and officers."""

from __future__ import annotations

import pytest

from engine.core.errors import BadInput
from reports.sheets import open_sheets, read_sheets
from reports.tables import TableReading, read_table
from tests.unit.lists_support import LISTS, TODAY, book, profile

KINDS = {"town_committee", "youth_union", "grassroots_committee", "branch"}
ROLES = {"secretary", "deputy", "clerk"}
OFFICERS = "id,name,org,roles,email,phone\n"


def orgs(text: str, **known: set[str]) -> TableReading:
    found = read_sheets(text.encode(), "orgs.csv")
    return read_table(found, profile("orgs"), file="orgs.csv", today=TODAY, known={"kind": KINDS, **known})


def officers(text: str) -> TableReading:
    found = read_sheets(text.encode(), "officers.csv")
    known = {"roles": ROLES, "org": {"xa1", "cb1"}}
    return read_table(found, profile("officers"), file="officers.csv", today=TODAY, known=known)


def faults(reading: TableReading) -> list[tuple[str, str]]:
    return [(r.cell, r.text()) for r in reading.rejected]


def test_the_towns_organisations_read_each_after_its_parent():
    found = read_table(
        open_sheets(LISTS / "to-chuc.csv"), profile("orgs"), file="to-chuc.csv", today=TODAY, known={"kind": KINDS}
    )
    assert (len(found.rows), found.rejected, found.warnings) == (10, (), ())
    assert found.rows[0].fields == {"id": "tu", "kind": "town_committee", "name": "Thị ủy"}
    assert found.rows[9].fields["parent"] == "xa1"


def test_the_towns_officers_read_with_their_roles():
    found = read_table(
        open_sheets(LISTS / "can-bo.csv"),
        profile("officers"),
        file="can-bo.csv",
        today=TODAY,
        known={"roles": ROLES, "org": {"xa1"}},
    )
    assert [row.fields["id"] for row in found.rows] == ["lan", "dao"]
    assert found.rows[0].fields["phone"] == "+84900000001"
    assert found.rejected == ()


def test_vietnamese_headings_and_kinds_are_understood():
    rows: list[list[object]] = [
        ["STT", "Mã đơn vị", "Tên đơn vị", "Loại", "Cấp trên"],
        [1, "xa1", "Đảng ủy xã Tây Sơn", "Đảng ủy cơ sở", None],
        [2, "cb1", "Chi bộ thôn 1", "Chi bộ trực thuộc", "xa1"],
    ]
    found = read_table(
        read_sheets(book(rows), "a.xlsx"), profile("orgs"), file="a.xlsx", today=TODAY, known={"kind": KINDS}
    )
    assert [row.fields["kind"] for row in found.rows] == ["grassroots_committee", "branch"]


def test_children_written_before_their_parents_come_after_them():
    found = orgs("id,kind,name,parent\nc,branch,C,b\nb,grassroots_committee,B,a\na,town_committee,A,\n")
    assert [row.fields["id"] for row in found.rows] == ["a", "b", "c"]


def test_organisations_that_stand_below_each_other_are_rejected():
    found = orgs("id,kind,name,parent\na,branch,A,b\nb,branch,B,a\nc,branch,C,a\n")
    assert faults(found) == [("2", "a stands below itself")]


def test_a_parent_may_stand_in_the_file_or_in_the_office_and_nowhere_else():
    text = "id,kind,name,parent\na,branch,A,tu\n"
    assert faults(orgs(text, parent={"tu"})) == []
    assert faults(orgs(text)) == [("D2", "tu is not known as parent")]


@pytest.mark.parametrize(
    ("line", "cell", "reason"),
    [
        ("a,club,A,", "B2", "club is not known as kind"),
        ("a,câu lạc bộ,A,", "B2", "câu lạc bộ is none of"),
        ("a,branhc,A,", "B2", "branhc is not known as kind; did you mean branch?"),
        ("a b,branch,A,", "A2", "a b is no id"),
        (",branch,A,", "A2", "the cell is empty"),
        ("a,branch,,", "C2", "the cell is empty"),
    ],
)
def test_an_organisation_that_cannot_be_read_is_rejected_by_row_and_column(line, cell, reason):
    ((where, text),) = faults(orgs(f"id,kind,name,parent\n{line}\n"))
    assert (where, text[: len(reason)]) == (cell, reason)


def test_an_id_that_stands_twice_is_rejected():
    assert faults(orgs("id,kind,name,parent\na,branch,A,\na,branch,B,\n")) == [("A3", "a stands in row 2 too")]


@pytest.mark.parametrize(
    ("line", "cell", "reason"),
    [
        ("lan,Lan,xa9,secretary,,", "C2", "xa9 is not known as org; did you mean xa1?"),
        ("lan,Lan,xa1,king,,", "D2", "king is not known as roles"),
        ("lan,Lan,xa1,,,", "D2", "the cell is empty"),
        ("lan,Lan,xa1,clerk,lan@,", "E2", "lan@ is no email address"),
        ("lan,Lan,xa1,clerk,a@b.vn;c@d.vn,", "E2", "a@b.vn;c@d.vn is no email address"),
        ("lan,Lan,xa1,clerk,,call me", "F2", "call me is no telephone number"),
        ("lan,123,xa1,clerk,,", "B2", "123 is no name"),
    ],
)
def test_an_officer_who_cannot_be_read_is_rejected_by_row_and_column(line, cell, reason):
    assert faults(officers(f"{OFFICERS}{line}\n")) == [(cell, reason)]


@pytest.mark.parametrize(
    ("roles", "ids"),
    [
        ("secretary clerk", "secretary clerk"),
        ("Bí thư", "secretary"),
        ("Phó Bí thư; Cán bộ nghiệp vụ", "deputy clerk"),
        ("secretary secretary", "secretary"),
    ],
)
def test_several_roles_read_as_ids_or_by_their_names(roles, ids):
    found = officers(f"{OFFICERS}lan,Lan,xa1,{roles},lan@example.org,0900 000 001\n")
    assert (found.rows[0].fields["roles"], faults(found)) == (ids, [])
    assert found.rows[0].fields["phone"] == "0900000001"


def test_a_number_to_call_that_excel_took_for_a_number_gets_its_zero_back():
    rows: list[list[object]] = [
        ["id", "name", "org", "roles", "phone"],
        ["lan", "NGUYỄN THỊ LAN", "xa1", "clerk", 900000001],
    ]
    found = read_table(
        read_sheets(book(rows), "a.xlsx"), profile("officers"), file="a.xlsx", today=TODAY, known={"roles": ROLES}
    )
    assert (found.rows[0].fields["phone"], found.rows[0].fields["name"]) == ("0900000001", "Nguyễn Thị Lan")


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "id,name,parent\na,A,\n"])
def test_a_table_without_its_columns_is_bad_input_that_names_file_and_columns(text):
    with pytest.raises(BadInput, match=r"orgs\.csv: .*kind"):
        orgs(text)
