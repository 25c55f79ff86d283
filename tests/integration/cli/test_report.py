"""`ketnap report`: to read, as a file, for an officer; and the report of another field, by the same command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Ketnap

EXAMPLES = Path(__file__).parents[3] / "examples"
PERMITS, PREAMBLE = EXAMPLES / "permits", EXAMPLES / "preamble"


def test_the_reports_are_listed_with_their_periods(office: Ketnap) -> None:
    """Without a name."""
    found = {r["report"]: r for r in office.ask("report")}
    assert {"yearly", "term", "periodic", "silent_branches", "introductions", "not_sent", "elite_list"} <= set(found)
    assert found["silent_branches"]["periods"] == ["day"]
    assert "yearly" in office.run("report").stdout


def test_a_report_is_read_as_tables_and_as_one_document(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same figures; a sandbox says so in both."""
    monkeypatch.setenv("KETNAP_NOW", "2024-03-04 09:00")
    ketnap.office()
    ketnap.elite()
    facts = ("--fact", "branch_proposed_on=2024-03-04")
    ketnap.run("move", "u1", "recognise", "--as", "lan", *facts)
    document = ketnap.ask("report", "yearly", "--year", "2024")
    assert document["figures"]["recognised"] == 1
    assert (document["from"], document["to"], document["sandbox"]) == ("2024-01-01", "2024-12-31", True)
    [row] = [r for r in document["sections"][1]["rows"] if r["key"] == "xa1"]
    assert (row["label"], row["recognised"]) == ("Đảng ủy xã Tây Sơn", 1)
    shown = ketnap.run("report", "yearly", "--year", "2024").stdout
    assert "BẢN DÙNG THỬ" in shown
    assert "Đảng ủy xã" in shown
    again = json.loads(ketnap.run("report", "yearly", "--year", "2024", "--format", "json").stdout)
    assert again | {"made_at": None} == document | {"made_at": None}  # the office's clock goes on


@pytest.mark.parametrize(("form", "begins"), [("xlsx", b"PK"), ("docx", b"PK"), ("pdf", b"%PDF"), ("json", b"{")])
def test_a_report_is_written_into_a_file(office: Ketnap, form: str, begins: bytes) -> None:
    """Named after the report and its period, or as said; who got it for what stands in the trail."""
    told = office.ask(
        "report", "elite_list", "--on", "2026-01-05", "--format", form, "--out", f"a.{form}", "--purpose", "Họp tháng 1"
    )
    data = (office.folder / f"a.{form}").read_bytes()
    assert data.startswith(begins)
    assert told == {"file": f"a.{form}", "report": "elite_list", "bytes": len(data)}
    if form != "json":
        office.run("report", "elite_list", "--on", "2026-01-05", "--org", "xa1", "--format", form)
        assert (office.folder / f"elite_list-2026-01-05-xa1.{form}").exists()
    assert office.ask("audit", "verify")["ok"] is True


def test_the_offices_own_names_are_settings(office: Ketnap) -> None:
    """The table `letter` of ketnap.toml; a misspelt key is named."""
    settings = office.folder / "ketnap.toml"
    settings.write_text('[letter]\nissuer = "Đảng ủy xã Tây Sơn"\nplace = "Tây Sơn"\nrecipients = ["Lưu"]\n', "utf-8")
    office.run("report", "yearly", "--year", "2024", "--format", "docx", "--out", "a.docx")
    import docx

    paper = docx.Document(str(office.folder / "a.docx"))
    assert "ĐẢNG ỦY XÃ TÂY SƠN" in paper.tables[0].rows[0].cells[0].text
    assert "Tây Sơn, ngày" in paper.tables[0].rows[0].cells[1].text
    assert paper.tables[-1].rows[0].cells[0].text.splitlines()[1:] == ["- Lưu."]
    settings.write_text('[letter]\nissuerr = "a"\n', "utf-8")
    assert "letter" in office.run("report", "yearly", "--year", "2024", code=2).stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("yearly",), "--year"),
        (("yearly", "--year", "2024", "--month", "2024-05"), "một kỳ"),
        (("yearly", "--month", "2024-13"), "2024-13"),
        (("yearly", "--quarter", "2024-5"), "2024-5"),
        (("yearly", "--years", "2024"), "2015-2020"),
        (("yearly", "--to", "2024-05-01"), "--from"),
        (("yearly", "--from", "2024-05-02", "--to", "2024-05-01"), ""),
        (("yearly", "--year", "2024", "--format", "csv"), "csv"),
        (("yearli", "--year", "2024"), "yearly"),
        (("silent_branches", "--year", "2024"), "ngày"),
        (("yearly", "--year", "2024", "--org", "xa9"), "xa9"),
        (("yearly", "--year", "2024", "--as", "nobody"), "nobody"),
    ],
)
def test_what_cannot_be_made_is_refused_with_its_mend(office: Ketnap, options: tuple[str, ...], says: str) -> None:
    """Exit code 2, nothing written."""
    result = office.run("report", *options, code=2)
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_another_field_makes_its_report_by_the_same_command(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permits by month, within the limit, late with their reasons: YAML only."""
    monkeypatch.setenv("KETNAP_WORKFLOWS", str(PERMITS))
    monkeypatch.setenv("KETNAP_NOW", "2024-03-01 08:00")
    (ketnap.folder / "o.csv").write_text(
        "id,kind,name,parent\nxa,commune,Ủy ban nhân dân xã Phú Khê,\nkt,office,Phòng Kinh tế,xa\n", "utf-8"
    )
    ketnap.run("init", "--sandbox")
    for kind, name, parent in (("commune", "Ủy ban nhân dân xã Phú Khê", None), ("office", "Phòng", "xa")):
        _found(ketnap, "xa" if parent is None else "kt", kind, name, parent)
    papers = ("request", "land_title", "drawings")
    for id_, day in (("p1", "2024-03-04"), ("p2", "2024-04-30")):
        monkeypatch.setenv("KETNAP_NOW", "2024-03-01 08:05" if id_ == "p1" else "2024-04-01 08:00")
        facts = [x for p in papers for x in ("--fact", f"papers.{p}=2024-02-20")]
        ketnap.run("start", "permit", "--id", id_, "--org", "xa", "--as", "nhan",
                   "--fact", f"applicant=Ông {id_}", "--fact", "works=house", *facts)  # fmt: skip
        ketnap.run("move", id_, "take_in", "--as", "nhan")
        monkeypatch.setenv("KETNAP_NOW", f"{day} 10:00")
        reason = () if id_ == "p1" else ("--reason", "Chờ kết quả kiểm tra thực địa")
        given = ("--fact", f"permit_no={id_}", "--fact", f"decided_on={day}")
        ketnap.run("move", id_, "grant", "--as", "chu", *given, *reason)
    monkeypatch.setenv("KETNAP_NOW", "2024-06-01 08:00")
    report = ketnap.ask("report", "desk", "--year", "2024")
    figures = report["figures"]
    assert [figures[n] for n in ("submitted", "decided", "in_time", "late", "in_time_share")] == [2, 2, 1, 1, 50]
    months = {r["key"]: r["decided"] for r in report["sections"][1]["rows"] if r["decided"]}
    assert months == {"2024-03": 1, "2024-04": 1}
    [late] = report["sections"][3]["rows"]
    assert (late["applicant"], late["column_6"]) == ("Ông p2", "Chờ kết quả kiểm tra thực địa")
    ketnap.run("report", "desk", "--year", "2024", "--format", "docx", "--out", "desk.docx")


def _found(ketnap: Ketnap, id_: str, kind: str, name: str, parent: str | None) -> None:
    """Founds an organisation and its officers, as a sandbox's setting up does."""
    from cli.bootstrap import open_database
    from cli.settings import read_settings
    from engine.ledger import Via
    from engine.officework import OfficerChange, OrgChange

    opened = open_database(read_settings(), Via(channel="cli"), "vi")
    try:
        hand = opened.service.set_up()
        hand.orgs([OrgChange(id=id_, kind=kind, name=name, parent=parent)])
        roles = {"xa": [("nhan", "receptionist"), ("chu", "chair")], "kt": [("tham", "examiner")]}[id_]
        hand.officers([OfficerChange(id=o, name=o, org=id_, roles=[r]) for o, r in roles])
    finally:
        opened.store.close()


def test_the_figures_of_the_preamble_come_out_of_the_example(ketnap: Ketnap) -> None:
    """573 against 500-550 with over 100 in each year, 79 with no target given, 130 of 130; by unit as in all."""
    ketnap.run("init", "--sandbox")
    ketnap.run("import", "orgs", str(PREAMBLE / "organisations.csv"))
    ketnap.run("import", "officers", str(PREAMBLE / "officers.csv"))
    ketnap.run("import", "history", str(PREAMBLE / "history.csv"), "--as", "bithu")
    ketnap.run("import", "start", "target", str(PREAMBLE / "targets.csv"), "--as", "bithu")
    term = ketnap.ask("report", "term", "--years", "2015-2020")
    assert [term["figures"][n] for n in ("admitted", "target", "verdict")] == [573, "500-550", "vượt chỉ tiêu"]
    table = {r["key"]: r for r in term["sections"][0]["rows"]}
    assert all(table["admitted"][str(y)] > 100 and table["target"][str(y)] == "100-110" for y in range(2016, 2021))
    units = term["sections"][1]["rows"]
    assert sum(r["admitted"] for r in units) == 573
    assert {"Thị ủy", "Chi bộ thôn 1 xã 1"}.isdisjoint(r["label"] for r in units)
    without = ketnap.ask("report", "term", "--year", "2021")["figures"]
    assert [without[n] for n in ("admitted", "target", "reached")] == [79, None, None]
    assert "không giao chỉ tiêu" in ketnap.run("report", "term", "--year", "2021").stdout
    met = ketnap.ask("report", "term", "--year", "2022")["figures"]
    assert [met[n] for n in ("admitted", "target", "reached", "verdict")] == [130, 130, 100, "đạt chỉ tiêu"]
    yearly = ketnap.ask("report", "yearly", "--years", "2015-2020")
    assert (yearly["figures"]["admitted"], yearly["history_entries"], yearly["late_entries"]) == (573, 2 * 573, 0)


def test_another_field_prints_its_receipt_by_the_same_command(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slip that the applicant takes home: a Word file and four lines of YAML; what is missing is said first."""
    from docx import Document

    monkeypatch.setenv("KETNAP_WORKFLOWS", str(PERMITS))
    monkeypatch.setenv("KETNAP_NOW", "2024-03-01 08:00")
    ketnap.run("init", "--sandbox")
    _found(ketnap, "xa", "commune", "Ủy ban nhân dân xã Phú Khê", None)
    papers = [x for p in ("request", "land_title", "drawings") for x in ("--fact", f"papers.{p}=2024-02-20")]
    ketnap.run("start", "permit", "--id", "p1", "--org", "xa", "--as", "nhan", "--fact", "applicant=Ông Bảy",
               "--fact", "works=house", *papers)  # fmt: skip
    missing = ketnap.ask("form", "fill", "receipt", "p1", "--missing", "--as", "nhan", code=1)
    assert "received_on" in str(missing)
    ketnap.run("move", "p1", "take_in", "--as", "nhan")
    ketnap.run("form", "fill", "receipt", "p1", "--as", "nhan", "--out", "slip.docx")
    text = "\n".join(p.text for p in Document(str(ketnap.folder / "slip.docx")).paragraphs)
    assert "Ông Bảy" in text
    assert "Thời hạn giải quyết: 15 ngày làm việc" in text
    assert "ngày 22 tháng 3 năm 2024" in text
    assert "liền kề" not in text
