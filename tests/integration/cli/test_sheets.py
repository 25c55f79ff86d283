"""`sheet` and `numbers` on the command line: what a sitting or a class would be about, before and after."""

from __future__ import annotations

import pytest

from tests.integration.cli.conftest import Ketnap


@pytest.fixture
def a_class(office: Ketnap) -> Ketnap:
    """An office with a class of two places that is open, and two people on the list, one not."""
    for id_ in ("u1", "u2", "n1"):
        office.elite(id_)
    for id_ in ("u1", "u2"):
        office.run("move", id_, "recognise", "--as", "lan", "--fact", "branch_proposed_on=2024-03-01")
    facts = ("kind=awareness", "places=1", "starts_on=2024-03-04", "ends_on=2024-03-04", "first_no=1", "last_no=9")
    office.run(
        "start",
        "training_class",
        "--id",
        "lop1",
        "--org",
        "xa1",
        "--as",
        "dao",
        *(x for f in facts for x in ("--fact", f)),
    )
    office.run("move", "lop1", "open_class", "--as", "dao")
    return office


def decisions(office: Ketnap, *lines: str) -> str:
    (office.folder / "quyet-dinh.csv").write_text("\n".join(("subject,do", *lines)) + "\n", encoding="utf-8")
    return "quyet-dinh.csv"


def test_the_sheet_of_a_sitting_says_what_would_come_of_each_line(office: Ketnap) -> None:
    office.elite("u1")
    office.elite("n1")
    office.run("move", "u1", "recognise", "--as", "lan", "--fact", "branch_proposed_on=2024-03-01")
    office.run("start", "monthly_review", "--id", "r1", "--org", "xa1", "--as", "lan", "--fact", "month=2024-03")
    sheet = office.ask("sheet", "r1", "--as", "dao")
    assert sheet["trigger"] == "hold"
    rows = {row["subject"]: row for row in sheet["rows"]}
    assert set(rows) == {"u1", "n1"}
    assert (rows["u1"]["otherwise"], rows["n1"]["otherwise"]) == ("keep", None)
    assert rows["u1"]["facts"]["months_unconsidered"] == 0
    choices = {c["line"]: c for c in rows["n1"]["choices"]}
    add = choices["add"]
    assert (add["possible"], add["denied"], add["asks"]) == (False, "role", [])
    assert {g["rule"]: g["result"] for g in add["guards"]}["introduced"] == "fail"
    assert choices["keep"]["possible"]
    assert not any(c["denied"] for c in office.ask("sheet", "r1", "--as", "lan")["rows"][0]["choices"])
    assert {u["org"] for u in sheet["units"]} == {"cb1", "cb2", "cb3", "cb4", "cb5", "cb6", "cbt"}
    assert all(u["entries"] == {} for u in sheet["units"]), "silence is no report"


def test_a_branchs_report_and_proposals_stand_on_the_sheet(office: Ketnap) -> None:
    office.elite("u1")
    office.run("move", "u1", "recognise", "--as", "lan", "--fact", "branch_proposed_on=2024-03-01")
    office.run("start", "monthly_review", "--id", "r1", "--org", "xa1", "--as", "lan", "--fact", "month=2024-03")
    office.run("move", "r1", "report_nothing", "--as", "dao", "--fact", "branch=cb2")
    lines = decisions(office, "u1,send_to_class")
    office.run("move", "r1", "send_proposals", "--as", "dao", "--fact", "branch=cb1", "--decisions", lines)
    shown = " ".join(office.run("show", "r1").stdout.split())
    assert "Báo cáo của chi bộ: Chi bộ thôn 2 │ Tháng này không có đề nghị │" in shown, "what it is about, in words"
    sheet = office.ask("sheet", "r1")
    (row,) = sheet["rows"]
    assert row["suggested"] == "send_to_class"
    assert row["entries"] == {"branch_proposals": "send_to_class", "proposed_by_branch": "cb1"}
    reports = {u["org"]: u["entries"].get("branch_reports") for u in sheet["units"]}
    assert (reports["cb1"], reports["cb2"], reports["cb3"]) == ("proposals", "none_this_month", None)
    assert "Tháng này không có đề nghị" in office.run("sheet", "r1").stdout


def test_a_rehearsal_says_what_the_lines_would_do_and_writes_nothing(a_class: Ketnap) -> None:
    lines = decisions(a_class, "u1,enrol", "u2,enrol")
    before = a_class.ask("show", "lop1")["version"], len(a_class.ask("history", "u1"))
    done = a_class.ask("sheet", "lop1", "--trigger", "enrol", "--as", "dao", "--decisions", lines)
    assert [line["do"] for line in done["lines"]] == ["enrol", "wait"]
    assert (done["to"], done["event"], done["rehearsed"]) == ("open", None, True)
    assert (a_class.ask("show", "lop1")["version"], len(a_class.ask("history", "u1"))) == before
    a_class.run("sheet", "lop1", "--trigger", "enrol", "--as", "lan", "--decisions", lines, code=3)
    assert (a_class.ask("show", "lop1")["version"], len(a_class.ask("history", "lop1"))) == (2, 2)
    error = a_class.ask(
        "sheet",
        "lop1",
        "--trigger",
        "enrol",
        "--as",
        "dao",
        "--decisions",
        decisions(a_class, "n1,enrol", "zz,enrol"),
        code=2,
    )
    assert "n1" in error["error"]["message"]
    assert "zz" in error["error"]["message"], "every wrong line is named at once"


def test_who_was_sent_to_class_is_proposed_and_a_lesson_learnt_is_in_the_register(a_class: Ketnap) -> None:
    a_class.run("set", "u1", "sent_to_class_on=2024-03-02", "--as", "lan")
    sheet = a_class.ask("sheet", "lop1", "--trigger", "enrol", "--as", "dao")
    assert [(row["subject"], row["suggested"]) for row in sheet["rows"]] == [("u1", "enrol")]
    a_class.run("move", "lop1", "enrol", "--as", "dao", "--decisions", decisions(a_class, "u1,enrol"))
    a_class.run("move", "lop1", "run_class", "--as", "dao", "--on", "2024-03-04", code=2)  # before it was opened
    a_class.run("move", "lop1", "run_class", "--as", "dao", "--fact", "starts_on=2024-03-04")
    a_class.run("set", "lop1", "spoiled_numbers.0001=in hỏng", "--as", "dao")
    (row,) = a_class.ask("sheet", "lop1", "--trigger", "close_class", "--as", "dao")["rows"]
    assert row["otherwise"] == "fail"
    marks = decisions(a_class).replace("quyet-dinh", "diem")
    (a_class.folder / marks).write_text("subject,do,result,attendance\nu1,mark,pass,8\n", encoding="utf-8")
    a_class.run("move", "lop1", "record_results", "--as", "dao", "--decisions", marks)
    (row,) = a_class.ask("sheet", "lop1", "--trigger", "close_class", "--as", "dao")["rows"]
    assert (row["otherwise"], row["entries"]["attendance"]) == ("certify", 8)
    a_class.run("move", "lop1", "close_class", "--as", "dao")
    register = a_class.ask("numbers", "training_class")
    assert [(g["number"], g["subject"], g["spoiled"]) for g in register] == [
        ("0001", None, "in hỏng"),
        ("0002", "u1", None),
    ]
    assert [g["number"] for g in a_class.ask("numbers", "training_class", "--find", "VĂN AN")] == ["0002"]
    assert "Trần Văn An" in a_class.run("numbers", "training_class").stdout
    a_class.run("numbers", "candidate", code=2)
    assert a_class.ask("show", "u1")["facts"]["certificate_no"] == "0002"


def test_a_list_of_names_enrols_and_marks_and_names_the_rows_that_fit_nobody(a_class: Ketnap) -> None:
    a_class.run("set", "u2", "full_name=Lê Thị Bình", "birth_date=1999-02-03", "--as", "lan")
    a_class.elite("u3")
    a_class.run("move", "u3", "recognise", "--as", "lan", "--fact", "branch_proposed_on=2024-03-01")
    path = a_class.folder / "ket-qua.csv"
    enrol = ("import", "decisions", "lop1", "ket-qua.csv", "--trigger", "enrol", "--do", "enrol", "--as", "dao")
    path.write_text(
        "STT,Họ và tên,Ngày sinh\n1,lê thị bình,03/02/1999\n2,Trần Văn An,\n3,Không Ai,\n", encoding="utf-8"
    )
    rejected = a_class.ask(*enrol, code=2)["rejected"]
    assert [(r["row"], r["message"].split(":")[0]) for r in rejected] == [(3, "Trần Văn An"), (4, "Không Ai")]
    path.write_text("STT,Họ và tên,Ngày sinh\n1,Lê Thị Bình,03/02/1999\n2,Lê Thị Bình,\n", encoding="utf-8")
    (twice,) = a_class.ask(*enrol, code=2)["rejected"]
    assert (twice["row"], "2" in twice["message"]) == (3, True)
    path.write_text("STT,Họ và tên,Mã\n1,Lê Thị Bình,\n2,Trần Văn An,u3\n", encoding="utf-8")
    tried = a_class.ask(*enrol, "--dry-run")
    assert [(line["subject"], line["do"]) for line in tried["lines"]] == [("u2", "enrol"), ("u3", "wait")]
    assert a_class.ask("show", "lop1")["facts"]["enrolled"] == 0
    assert a_class.ask(*enrol)["to"] == "open"
    a_class.run("move", "lop1", "run_class", "--as", "dao", "--fact", "starts_on=2024-03-04")
    marks = ("import", "decisions", "lop1", "ket-qua.csv", "--trigger", "record_results", "--as", "dao")
    path.write_text("Học viên,Kết quả,Số buổi\nLê Thị Bình,Đạtt,8\n", encoding="utf-8")
    (misread,) = a_class.ask(*marks, code=2)["rejected"]
    assert (misread["row"], "đạt, không đạt" in misread["message"]) == (2, True), misread
    path.write_text("Học viên,Kết quả,Số buổi\nLê Thị Bình,Đạt,8\n", encoding="utf-8")
    a_class.run(*marks)
    facts = a_class.ask("show", "lop1")["facts"]
    assert (facts["results"], facts["attendance"]) == ({"u2": "pass"}, {"u2": 8})


def test_lists_of_many_units_enrol_together(a_class: Ketnap) -> None:
    a_class.run("set", "u2", "full_name=Lê Thị Bình", "birth_date=1999-02-03", "--as", "lan")
    for name, rows in (("x", "Lê Thị Bình,u2\n"), ("y", "Lê Thị Bình,u2\n")):
        (a_class.folder / f"{name}.csv").write_text("Họ và tên,Mã\n" + rows, encoding="utf-8")
    enrol = ("--trigger", "enrol", "--do", "enrol", "--as", "dao")
    (twice,) = a_class.ask("import", "decisions", "lop1", "x.csv", "y.csv", *enrol, code=2)["rejected"]
    assert (twice["sheet"], "x.csv" in twice["message"]) == ("y.csv", True)
    (a_class.folder / "y.csv").write_text("Họ và tên,Mã\nTrần Văn An,u1\n", encoding="utf-8")
    tried = a_class.ask("import", "decisions", "lop1", "x.csv", "y.csv", *enrol, "--dry-run")
    assert sorted(line["subject"] for line in tried["lines"]) == ["u1", "u2"]


def test_a_persons_history_names_the_sitting_and_says_who_was_not_mentioned(office: Ketnap) -> None:
    for id_ in ("u1", "u2"):
        office.elite(id_)
        office.run("move", id_, "recognise", "--as", "lan", "--fact", "branch_proposed_on=2024-03-01")
    office.run("start", "monthly_review", "--id", "r1", "--org", "xa1", "--as", "lan", "--fact", "month=2024-03")
    office.run("move", "r1", "hold", "--as", "lan", "--decisions", decisions(office, "u1,keep"))
    named, kept = (office.ask("history", id_)[-1]["line"] for id_ in ("u1", "u2"))
    assert (named["subject"], named["trigger"], named["mentioned"]) == ("r1", "hold", True)
    assert (kept["subject"], kept["mentioned"]) == ("r1", False)
    assert office.ask("show", "u2")["facts"]["months_unconsidered"] == 0
    assert "không nêu tên" in kept["label"]
    assert "(r1)" in office.run("history", "u1").stdout


def test_an_excel_list_given_as_decisions_is_told_where_it_belongs(a_class: Ketnap) -> None:
    (a_class.folder / "ds.xlsx").write_bytes(b"PK")
    for command in ("move", "lop1", "enrol"), ("sheet", "lop1", "--trigger", "enrol"):
        told = a_class.run(*command, "--decisions", "ds.xlsx", "--as", "dao", code=2)
        assert "ketnap import decisions" in told.stderr


def test_a_step_for_many_names_people_and_what_became_of_them_and_counts_the_others(a_class: Ketnap) -> None:
    """Rules that hold are not told line by line, and those whom no line names are a number."""
    table = decisions(a_class, "u1,enrol", "u2,enrol")
    told = a_class.run("move", "lop1", "enrol", "--decisions", table, "--as", "dao").stdout
    assert "1. Trần Văn An (u1): Ghi tên: xong" in told
    assert "2. Trần Văn An (u2): Để chờ lớp sau: xong" in told
    assert "Điều kiện" not in told
    a_class.run("start", "monthly_review", "--id", "r1", "--org", "xa1", "--as", "lan", "--fact", "month=2024-03")
    held = a_class.run("move", "r1", "hold", "--decisions", decisions(a_class, "n1,add"), "--as", "lan", code=1).stdout
    assert "1. Trần Văn An (n1): Đưa vào danh sách: bị từ chối" in " ".join(held.split())
    held = a_class.run("move", "r1", "hold", "--decisions", decisions(a_class, "u1,keep"), "--as", "lan").stdout
    assert "Không nêu tên: Giữ lại: 1 người" in held


def test_what_is_shown_calls_units_and_people_of_its_maps_by_their_names(a_class: Ketnap) -> None:
    """The code stands in the last column; a class without a title is called by its workflow."""
    a_class.run("set", "lop1", "allotments={cb1: 1}", "--as", "dao")
    a_class.run("move", "lop1", "enrol", "--decisions", decisions(a_class, "u1,enrol"), "--as", "dao")
    told = " ".join(a_class.run("show", "lop1").stdout.split())
    assert "Lớp bồi dưỡng (lop1): Chiêu sinh Đảng ủy xã Tây Sơn (xa1)" in told
    assert "Học viên: Trần Văn An" in told
    assert "Số chỗ phân cho đơn vị: Chi bộ thôn 1" in told


def test_what_cannot_be_is_said_in_words_with_the_codes_beside_them(a_class: Ketnap) -> None:
    """A step, a state, a fact, a choice: an officer reads the label, a program the code."""
    told = a_class.ask("move", "lop1", "close_class", "--as", "dao", code=2)["error"]
    assert told["message"].startswith("bước Bế giảng (close_class) không đi từ Chiêu sinh (open); từ đây có: Ghi tên")
    assert (told["params"]["trigger"], told["params"]["state"]) == ("close_class", "open")
    a_class.run("start", "monthly_review", "--id", "r1", "--org", "xa1", "--as", "lan", "--fact", "month=2024-03")
    a_class.run("move", "r1", "hold", "--as", "lan")
    held = a_class.ask("move", "r1", "hold", "--as", "lan", code=2)["error"]["message"]
    assert "không đi từ Đã họp (held)" in held, "not the word for data that is held"
    asked = a_class.ask("start", "education_activity", "--org", "xa1", "--as", "lan", code=2)["error"]["message"]
    assert asked == "Hoạt động giáo dục chính trị, tư tưởng (education_activity) cần có Nội dung (topic)"
    choice = ("--fact", "topic=x", "--fact", "audience=nông dân")
    wrong = a_class.ask("start", "education_activity", "--org", "xa1", "--as", "lan", *choice, code=2)["error"]
    assert "Nông dân (farmers)" in wrong["message"]
    line = a_class.ask("move", "lop1", "enrol", "--decisions", decisions(a_class, "n1,enrol"), "--as", "dao", code=2)
    assert "đang ở Nguồn (source), không thuộc Quần chúng ưu tú (cảm tình Đảng) (elite)" in line["error"]["message"]
    (a_class.folder / "x.csv").write_text("Mã,Quyết định\nu1,enrol\n", encoding="utf-8")
    table = a_class.ask("move", "lop1", "enrol", "--decisions", "x.csv", "--as", "dao", code=2)["error"]["message"]
    assert "cần có cột subject (mã người) và do (quyết định)" in table
