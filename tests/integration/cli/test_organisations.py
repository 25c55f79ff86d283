"""Organisations over time by the command: founded, renamed, moved, merged, split, closed, and read as of a day."""

from __future__ import annotations

import pytest

from tests.integration.cli.conftest import Ketnap

BY = ("--as", "qt")


@pytest.fixture
def office(ketnap: Ketnap) -> Ketnap:
    """A sandbox with an administrator."""
    ketnap.run("init", "--sandbox")
    ketnap.run("import", "orgs", "to-chuc.csv")
    ketnap.run("user", "add", "qt", "--name", "Quản Trị", "--org", "tu", "--role", "admin")
    ketnap.run("import", "officers", "can-bo.csv", *BY)
    return ketnap


def test_units_change_by_the_command_and_are_read_as_of_a_day(office: Ketnap) -> None:
    office.run("org", "found", "cb9", "--kind", "branch", "--name", "Chi bộ 9", "--parent", "xa1", "--on", "2020-01-01",
               "--decision", "12-QĐ/TU", *BY)  # fmt: skip
    office.run("org", "found", "cb9", "--kind", "branch", "--name", "x", "--parent", "xa1", *BY, code=2)
    assert office.ask("org", "rename", "cb9", "Chi bộ khu phố 9", "--on", "2024-01-01", *BY)["changed"] is True
    before = {o["id"]: o["name"] for o in office.ask("org", "list", "--on", "2023-12-31")["orgs"]}
    after = {o["id"]: o["name"] for o in office.ask("org", "tree", "--on", "01/01/2024")["orgs"]}
    assert (before["cb9"], after["cb9"]) == ("Chi bộ 9", "Chi bộ khu phố 9")
    office.run("start", "candidate", "--id", "u1", "--org", "cb9", "--fact", "full_name=An", "--as", "lan")
    assert "u1" in office.ask("org", "close", "cb9", *BY, code=2)["error"]["message"]
    office.run("org", "merge", "cb9", "--into", "cb1", "--decision", "13-QĐ/TU", *BY)
    assert office.ask("show", "u1")["org"] == "cb1"
    story = office.ask("org", "show", "cb9")
    assert [(c["what"], c["decision"]) for c in story["changes"]] == [
        ("founded", "12-QĐ/TU"),
        ("changed", None),
        ("merged", "13-QĐ/TU"),
    ]
    assert [p["name"] for p in story["periods"]] == ["Chi bộ 9", "Chi bộ khu phố 9"]
    shown = office.run("org", "show", "cb9").stdout
    assert "sáp nhập vào cb1" in shown
    assert "01/01/2020" in shown, "days as they are read"
    assert "cb9" not in office.run("org", "tree").stdout
    office.run("org", "rename", "cb8", "x", *BY, code=2)


def test_a_split_by_a_list(office: Ketnap) -> None:
    for id_ in ("u1", "u2"):
        office.elite(id_)
    for id_ in ("cb1a", "cb1b"):
        office.run("org", "found", id_, "--kind", "branch", "--name", id_, "--parent", "xa1", *BY)
    (office.folder / "chia.csv").write_text("Mã,Chuyển về\nu1,cb1a\n", encoding="utf-8")
    args = ("org", "split", "cb1", "--into", "cb1a", "--into", "cb1b", "--assign", "chia.csv", *BY)
    assert "u2" in office.ask(*args, code=2)["error"]["message"]
    (office.folder / "chia.csv").write_text("Mã,Chuyển về\nu1,cb1a\nu2,cb1b\n", encoding="utf-8")
    assert office.ask(*args)["went"] == {"u1": "cb1a", "u2": "cb1b"}
    assert office.ask("show", "u2")["org"] == "cb1b"


def test_tables_with_days_bring_units_and_terms_and_twice_changes_nothing(office: Ketnap) -> None:
    table = (
        "id,kind,name,parent,from,until,merged_into,decision\n"
        "px1,grassroots_committee,Đảng ủy phường 1,tu,01/01/2016,,,1-QĐ/TU\n"
        "kp1,branch,Chi bộ tổ 1,px1,01/01/2016,31/12/2022,,\n"
        "kp1,branch,Chi bộ khu phố 1,px1,01/01/2023,,,\n"
        "kp2,branch,Chi bộ tổ 2,px1,01/01/2016,31/12/2022,kp1,\n"
    )
    (office.folder / "moi.csv").write_text(table, encoding="utf-8")
    assert office.ask("import", "orgs", "moi.csv", *BY)["rejected"] == []
    assert office.ask("import", "orgs", "moi.csv", *BY)["updated"] == 0
    orgs = {o["id"]: o["name"] for o in office.ask("org", "list", "--on", "2022-12-31")["orgs"]}
    assert (orgs["kp1"], orgs["kp2"]) == ("Chi bộ tổ 1", "Chi bộ tổ 2")
    assert "kp2" not in {o["id"] for o in office.ask("org", "list")["orgs"]}
    terms = "officer,role,org,from,until\nlan,bí thư,px1,01/01/2016,31/12/2020\nlan,secretary,kp1,,\n"
    (office.folder / "nk.csv").write_text(terms, encoding="utf-8")
    assert office.ask("import", "terms", "nk.csv", *BY)["created"] == 2
    assert office.ask("import", "terms", "nk.csv", *BY)["unchanged"] == 2
    (office.folder / "nk.csv").write_text("officer,role,org\nlan,frob,px1\n", encoding="utf-8")
    office.run("import", "terms", "nk.csv", *BY, code=2)
