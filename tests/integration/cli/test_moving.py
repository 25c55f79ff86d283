"""Everything out and into an empty database: the same office, the same people, the same reports."""

from __future__ import annotations

import io
import json
from typing import Any

import openpyxl
import pytest

from tests.integration.cli.conftest import Ketnap


def _office(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KETNAP_NOW", "2024-01-02 08:00")
    ketnap.run("init", "--sandbox")
    ketnap.run("import", "orgs", "to-chuc.csv")
    ketnap.run("user", "add", "bt", "--name", "Bí Thư", "--org", "tu", "--role", "secretary", "--role", "admin")
    ketnap.run("import", "officers", "can-bo.csv", "--as", "bt")
    ketnap.elite()
    ketnap.run("move", "u1", "recognise", "--as", "lan", "--fact", "branch_proposed_on=2024-01-02")
    ketnap.run("set", "u1", "papers.referral=2024-01-01", "religion=none", "is_pupil=true", "--as", "lan")
    ketnap.elite("u2")
    ketnap.run("move", "u2", "drop", "--as", "lan", "--fact", "drop_reason=moved", "--reason", "Đi xa")
    ketnap.run("undo", "u2", "--as", "lan", "--reason", "Nhầm")
    target = ("target_kind=admissions", "year=2024", "target_least=5", "decision_no=1", "decision_on=2024-01-02")
    ketnap.run("start", "target", "--org", "xa1", "--as", "bt", *(x for f in target for x in ("--fact", f)))
    monkeypatch.setenv("KETNAP_NOW", "2024-02-05 08:00")
    ketnap.run("org", "rename", "cb1", "Chi bộ khu phố 1", "--on", "2024-02-01", "--decision", "1-QĐ", "--as", "bt")
    ketnap.run("calendar", "add", "2024-03-01", "--off", "--as", "lan")
    ketnap.run("substitute", "add", "lan", "dao", "--from", "2024-03-01", "--until", "2024-03-05", "--as", "lan")


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """Returns an export without what another database cannot have the same."""
    for subject in document["subjects"]:
        for event in subject["events"]:
            for key in ("id", "kind", "detail"):
                del event[key]
    return {**document, "made_at": None}


def test_an_export_comes_into_an_empty_database_as_it_was(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    _office(ketnap, monkeypatch)
    ketnap.run("export", "--out", "a.json", "--as", "lan", code=3)  # reads her own commune only
    ketnap.run("export", "--out", "a.json", "--as", "bt")
    ketnap.run("export", "--out", "a.json", "--as", "bt", code=2)
    other = ("--db", "sqlite:///other.db")
    ketnap.run("init", "--sandbox", *other)
    assert ketnap.ask("import", "all", "a.json", *other)["subjects"] == len(
        json.loads((ketnap.folder / "a.json").read_text(encoding="utf-8"))["subjects"]
    )
    ketnap.run("import", "all", "a.json", *other, code=2)
    ketnap.run("export", "--out", "b.json", "--as", "bt", *other)
    one, two = (_plain(json.loads((ketnap.folder / f).read_text(encoding="utf-8"))) for f in ("a.json", "b.json"))
    assert one == two
    assert ketnap.ask("audit", "verify", *other)["ok"] is True
    for report in (("yearly", "--year", "2024"), ("term", "--year", "2024"), ("not_sent", "--on", "2024-02-05")):
        here, there = (ketnap.ask("report", *report, *db) for db in ((), other))
        told = ("made_at", "history_entries", "restored_entries")  # that it came in an export is said
        assert {k: v for k, v in here.items() if k not in told} == {k: v for k, v in there.items() if k not in told}
    shown = ketnap.run("history", "u1", *other).stdout
    assert "đưa vào từ tệp xuất, nơi cũ ghi lúc" in " ".join(shown.split())
    assert "lan" in shown
    assert "đồng hồ" not in shown
    assert ketnap.ask("show", "u1", *other)["facts"]["is_pupil"] is True
    assert ketnap.ask("org", "list", "--on", "2024-01-31", *other) == ketnap.ask("org", "list", "--on", "2024-01-31")


def test_the_workbook_holds_what_people_look_for(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    _office(ketnap, monkeypatch)
    ketnap.run("export", "--out", "a.xlsx", "--as", "bt")
    book = openpyxl.load_workbook(io.BytesIO((ketnap.folder / "a.xlsx").read_bytes()))
    assert book.sheetnames[:2] == ["Tổ chức", "Cán bộ"]
    assert {"Quần chúng ưu tú", "Chỉ tiêu được giao", "Diễn biến"} <= set(book.sheetnames)
    people = [dict(zip((c.value for c in next(book["Quần chúng ưu tú"].iter_rows())), row, strict=True))
              for row in book["Quần chúng ưu tú"].iter_rows(min_row=2, values_only=True)]  # fmt: skip
    assert {p["Mã"] for p in people} == {"u1", "u2"}
    assert str(people[0]["Giấy giới thiệu của đảng viên chính thức (3-KNĐ)"])[:10] == "2024-01-01"
    assert people[0]["Đơn vị"].endswith("(cb1)")
    told = [row for row in book["Diễn biến"].iter_rows(min_row=2, values_only=True) if row[0].endswith("(u1)")]
    assert "Đưa vào danh sách quần chúng ưu tú" in {row[2] for row in told}  # steps by their names
    cells = {str(c.value) for sheet in book for row in sheet for c in row if c.value is not None}
    assert not cells & {"male", "university", "elite", "recognise", "org", "full_name"}  # no code of the program


@pytest.mark.parametrize("text", ["", "[]", '{"format": "ketnap-export/1"}', '{"format": "x"}', "{"])
def test_what_is_no_export_is_refused(ketnap: Ketnap, text: str) -> None:
    ketnap.run("init", "--sandbox")
    (ketnap.folder / "a.json").write_text(text, encoding="utf-8")
    assert ketnap.ask("import", "all", "a.json", code=2)["error"]["message"]
    ketnap.run("import", "all", "b.json", code=2)


def test_an_export_that_was_changed_comes_in_not_at_all(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    _office(ketnap, monkeypatch)
    ketnap.run("export", "--out", "a.json", "--as", "bt")
    whole = json.loads((ketnap.folder / "a.json").read_text(encoding="utf-8"))
    other = ("--db", "sqlite:///other.db")
    ketnap.run("init", "--sandbox", *other)
    changes: list[dict[str, Any]] = [{"org": "frob"}, {"events": []}, {"workflow": "frob"}, {"events": [{}]}]
    for change in changes:
        broken = {**whole, "subjects": [*whole["subjects"][:-1], {**whole["subjects"][-1], **change}]}
        if change == {"org": "frob"}:
            broken["subjects"][-1]["events"] = [{**broken["subjects"][-1]["events"][0], "org": "frob"}]
        (ketnap.folder / "c.json").write_text(json.dumps(broken), encoding="utf-8")
        ketnap.run("import", "all", "c.json", *other, code=2)
        assert ketnap.ask("status", *other)["organisations"] == 0
