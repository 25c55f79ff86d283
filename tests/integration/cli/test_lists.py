"""Lists on the command line."""

from __future__ import annotations

import pytest

from tests.integration.cli.conftest import Ketnap

GOOD = [("danh-sach-quan-chung-uu-tu.xlsx", 34), ("danh-sach-doan-vien-uu-tu.csv", 25)]


@pytest.mark.parametrize(("name", "people"), GOOD)
def test_the_same_list_twice_changes_nothing(office: Ketnap, name: str, people: int) -> None:
    first = office.ask("import", "candidates", name, "--as", "lan")
    assert (first["read"], first["created"], first["unchanged"], first["rejected"]) == (people, people, 0, [])
    events = office.ask("status")["events"]
    again = office.ask("import", "candidates", name, "--as", "lan")
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, people)
    assert office.ask("status")["events"] == events
    assert office.ask("status")["subjects"] == {"candidate": {"source": people}}


def test_a_list_with_bad_cells_is_rejected_whole_and_names_exactly_them(office: Ketnap) -> None:
    answer = office.ask("import", "candidates", "danh-sach-co-loi.xlsx", "--as", "lan", code=2)
    assert [(r["row"], r["column"]) for r in answer["rejected"]] == [(12, "D"), (15, "D"), (17, "C")]
    assert (answer["read"], answer["created"]) == (12, 0)
    assert "không" in answer["rejected"][0]["message"]
    assert office.ask("status")["subjects"] == {}


def test_a_dry_run_tells_what_would_happen_and_writes_nothing(office: Ketnap) -> None:
    before = (office.folder / "ketnap.db").read_bytes(), office.ask("status")["events"]
    answer = office.ask("import", "candidates", GOOD[0][0], "--as", "lan", "--dry-run")
    assert (answer["created"], answer["dry_run"], answer["ids"]) == (34, True, [])
    assert office.ask("status")["subjects"] == {}
    assert office.ask("status")["events"] == before[1]
    assert office.ask("import", "candidates", GOOD[0][0], "--as", "lan")["ids"][0] == "candidate-1"


def test_an_imported_person_carries_the_channel_and_stands_under_the_branch_that_the_list_names(office: Ketnap) -> None:
    office.run("import", "candidates", GOOD[1][0], "--as", "lan")
    assert office.ask("show", "candidate-1")["org"] == "cb6"  # `Thôn 6`
    entry = office.ask("history", "candidate-1")[0]
    assert (entry["channel"], entry["actor"]) == ("import", "lan")


def test_a_corrected_list_updates_the_person_and_doubles_nobody(office: Ketnap) -> None:
    office.run("import", "candidates", GOOD[1][0], "--as", "lan")
    path = office.folder / GOOD[1][0]
    text = path.read_text(encoding="utf-8-sig")
    path.write_text(text.replace("14/12/2022;Võ Xuân Bảo", "14/12/2022;Lê Minh Đạt"), encoding="utf-8")
    answer = office.ask("import", "candidates", GOOD[1][0], "--as", "lan")
    assert (answer["created"], answer["updated"], answer["unchanged"]) == (0, 1, 24)
    assert office.ask("show", "candidate-1")["facts"]["helper"] == "Lê Minh Đạt"


def test_organisations_and_officers_twice_are_unchanged(office: Ketnap) -> None:
    office.run("user", "add", "qt", "--org", "tu", "--name", "Quản Trị", "--role", "admin", "--as", "lan", code=3)
    answer = office.ask("import", "orgs", "to-chuc.csv", "--as", "lan", code=3)
    assert answer["error"]["code"] == "denied"


def test_before_the_first_officer_orgs_and_officers_need_nobody_and_afterwards_they_do(ketnap: Ketnap) -> None:
    ketnap.run("init", "--sandbox")
    assert ketnap.ask("import", "orgs", "to-chuc.csv")["created"] == 10
    assert ketnap.ask("import", "orgs", "to-chuc.csv")["unchanged"] == 10
    ketnap.run("user", "add", "qt", "--org", "tu", "--name", "Quản Trị", "--role", "admin")
    ketnap.run("import", "officers", "can-bo.csv", code=2)
    assert ketnap.ask("import", "officers", "can-bo.csv", "--as", "qt")["created"] == 2
    assert ketnap.ask("import", "officers", "can-bo.csv", "--as", "qt")["unchanged"] == 2


def test_a_table_that_names_what_is_not_there_is_rejected_by_row(ketnap: Ketnap) -> None:
    ketnap.run("init", "--sandbox")
    (ketnap.folder / "x.csv").write_text("id,kind,name,parent\na,branch,A,nowhere\nb,frob,B,\n", encoding="utf-8")
    answer = ketnap.ask("import", "orgs", "x.csv", code=2)
    assert [r["row"] for r in answer["rejected"]] == [2, 3]
    assert ketnap.ask("status")["organisations"] == 0


def test_a_file_that_is_not_there_or_no_list_ends_with_2(office: Ketnap) -> None:
    office.run("import", "candidates", "frob.xlsx", "--as", "lan", code=2)
    (office.folder / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    error = office.ask("import", "candidates", "x.csv", "--as", "lan", code=2)["error"]
    assert "x.csv" in error["message"]


def _lists(office: Ketnap, **files: str) -> list[str]:
    """Writes lists of two communes' branches; returns the names of the files."""
    for name, rows in files.items():
        (office.folder / f"{name}.csv").write_text("Chi bộ,Họ và tên,Ngày sinh,Giới tính\n" + rows, encoding="utf-8")
    return [f"{name}.csv" for name in files]


AN, BINH = "Thôn 3,Nguyễn Văn An,01/02/1999,Nam\n", "Thôn 3,Trần Thị Bình,03/04/2000,Nữ\n"


def test_lists_of_many_units_come_in_together_and_doubles_across_them_are_named(office: Ketnap) -> None:
    files = _lists(office, a=AN + BINH, b=BINH + "Thôn 6,Lê Văn Cường,05/06/1998,Nam\n",
                   c="Thôn 3,Lê Văn Cường,05/06/1998,Nam\n")  # fmt: skip
    tried = office.ask("import", "candidates", *files, "--as", "lan", "--dry-run")
    assert (tried["read"], tried["created"]) == (5, 4)
    (once,) = tried["warnings"]
    assert (once["sheet"], once["row"]) == ("b.csv", 2)
    assert "a.csv, dòng 3" in once["message"]
    (alike,) = tried["similar"]
    assert (alike["sheet"], alike["row"], alike["of_row"]) == ("c.csv", 2, {"sheet": "b.csv", "row": 3})
    assert office.ask("status")["subjects"] == {}
    shown = office.run("import", "candidates", *files, "--as", "lan", "--dry-run").stdout
    assert "c.csv 2: b.csv, dòng 3" in " ".join(shown.split())
    assert office.ask("import", "candidates", *files, "--as", "lan")["created"] == 4
    again = office.ask("import", "candidates", *files, "--as", "lan", "--dry-run")
    known = [(k["sheet"], k["row"], k["changed"]) for k in again["known"]]
    assert known == [("a.csv", 2, False), ("a.csv", 3, False), ("b.csv", 3, False), ("c.csv", 2, False)]


def test_one_wrong_row_or_file_of_many_keeps_them_all_out(office: Ketnap) -> None:
    files = _lists(office, a=AN, b=AN.replace("Nam", "Nữ"), c=BINH)
    refused = office.ask("import", "candidates", *files, "--as", "lan", code=2)
    assert [(r["sheet"], r["row"]) for r in refused["rejected"]] == [("b.csv", 2)]
    assert "a.csv, dòng 2" in refused["rejected"][0]["message"]
    (office.folder / "d.csv").write_text("một trang không có tiêu đề\n", encoding="utf-8")
    assert "d.csv" in office.run("import", "candidates", "a.csv", "d.csv", "--as", "lan", code=2).stderr
    assert "a.csv" in office.run("import", "candidates", "a.csv", "c.csv", "a.csv", "--as", "lan", code=2).stderr
    assert office.ask("status")["subjects"] == {}


def test_two_tables_that_share_an_id_in_the_same_row_are_rejected(ketnap: Ketnap) -> None:
    ketnap.run("init", "--sandbox")
    for name in ("x", "y"):
        (ketnap.folder / f"{name}.csv").write_text(f"id,kind,name\na,town_committee,{name}\n", encoding="utf-8")
    (twice,) = ketnap.ask("import", "orgs", "x.csv", "y.csv", code=2)["rejected"]
    assert (twice["sheet"], twice["row"]) == ("y.csv", 2)
    assert "x.csv, dòng 2" in twice["message"]
