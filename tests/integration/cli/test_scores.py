"""`scores` and `similar` on the command line: documents for programs, words for people, notes before a start."""

from __future__ import annotations

from tests.integration.cli.conftest import Ketnap


def start(office: Ketnap, id: str, *facts: str, org: str = "cb1") -> list[str]:
    """Returns the words of a start."""
    return [
        "start", "candidate", "--id", id, "--org", org, "--as", "lan", *(x for f in facts for x in ("--fact", f))
    ]  # fmt: skip


def test_scores_say_that_no_target_was_given_and_never_0_percent(office: Ketnap) -> None:
    document = office.ask("scores", "admissions", "--year", "2024")
    xa1 = next(s for s in document["scores"]["admissions"] if s["org"] == "xa1")
    assert (document["from"], document["until"]) == ("2024-01-01", "2024-12-31")
    assert (xa1["target"], xa1["result"], xa1["percent"], xa1["met"]) == (None, 0, None, None)
    assert "lan" in [h["officer"] for h in xa1["leaders"]]
    shown = office.run("scores", "admissions", "--year", "2024", "--org", "xa1").stdout
    assert "không giao chỉ tiêu" in shown
    assert "0 %" not in shown
    assert "Kết nạp đảng viên" in shown


def test_scores_of_what_there_is_not_are_bad_input(office: Ketnap) -> None:
    assert "khong-co" in office.run("scores", "khong-co", code=2).stderr
    assert "nowhere" in office.run("scores", "--org", "nowhere", code=2).stderr
    assert "year" in office.run("scores", "--year", "12", code=2).stderr
    assert "2020" in office.run("scores", "--year", "2021", "--until-year", "2020", code=2).stderr


def test_who_may_be_entered_twice_is_told_before_on_stderr_and_in_the_document(office: Ketnap) -> None:
    facts = ("full_name=Trần Văn Hoà", "birth_date=2001-05-20")
    assert office.ask(*start(office, "u1", *facts))["similar"] == []
    found = office.ask("similar", "candidate", "--fact", "full_name=trần văn hòa", "--fact", "birth_date=20/05/2001")
    assert [(a["subject"], a["org"], a["by"]) for a in found["similar"]] == [
        ("u1", "cb1", [["full_name", "birth_date"]])
    ]
    told = office.run(*start(office, "u2", *facts, org="cb2"))
    assert "Có thể đã có trong danh sách" in told.stderr
    assert "u1, Chi bộ thôn 1" in told.stderr
    assert "Hoà" not in told.stderr, "where they stand is told, and no fact"
    assert [a["subject"] for a in office.ask("similar", "u2")["similar"]] == ["u1"]
    assert "Chưa có ai trùng" in office.run("similar", "candidate", "--fact", "full_name=Ai").stdout
    office.run("similar", "nobody", code=2)


def test_a_list_names_those_it_may_bring_in_twice(office: Ketnap) -> None:
    office.run(*start(office, "u1", "full_name=Lê Thị Mai", "birth_date=1999-02-03", org="cb4"))
    rows = "Họ và tên,Ngày sinh,Chi bộ\nLê Thị Mai,03/02/1999,Chi bộ thôn 1\n"
    (office.folder / "moi.csv").write_text(rows, encoding="utf-8")
    tried = office.ask("import", "candidates", "moi.csv", "--as", "lan", "--dry-run")
    assert tried["created"] == 1
    assert [(s["row"], s["subject"]) for s in tried["similar"]] == [(2, "u1")]
    shown = office.run("import", "candidates", "moi.csv", "--as", "lan", "--dry-run").stdout
    assert "Có thể trùng người đã có" in shown
