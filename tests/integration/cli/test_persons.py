"""A person's data: held, erased for good, copied out, past its time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Ketnap

NAME, FAITH = "Trần Văn An", "Phật giáo Hòa Hảo"
ERASE = ("--yes", "--reason", "Theo đơn số 5", "--basis", "Luật số 91/2025/QH15", "--as", "lan")


@pytest.fixture
def closed(office: Ketnap) -> Ketnap:
    """Somebody with a sensitive fact who was taken off the list, and looked at."""
    office.elite()
    office.run("set", "u1", f"religion={FAITH}", "sex=male", "id_number=083199000777", "--as", "lan")
    office.run("show", "u1")
    office.run("move", "u1", "drop", "--as", "lan", "--fact", "drop_reason=moved", "--reason", "Chuyển đi Cần Thơ")
    return office


def _bytes(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(folder.glob("ketnap.db*")) if not p.name.endswith(".key"))


def _wrapped(folder: Path) -> bytes:
    import sqlite3

    with sqlite3.connect(folder / "ketnap.db") as database:
        (row,) = database.execute("SELECT wrapped FROM keys WHERE id = 'u1'")
    database.close()
    wrapped: bytes = row[0]
    return wrapped


def test_an_erased_person_is_in_no_byte_of_the_files_and_the_trail_still_verifies(closed: Ketnap) -> None:
    """The name stood plain in the projection, the key wrapped in its table: both were there, both are gone."""
    key = _wrapped(closed.folder)
    assert key in _bytes(closed.folder)
    assert NAME.encode() in _bytes(closed.folder)
    answer = closed.ask("person", "erase", "u1", *ERASE)
    assert answer["subjects"] == ["u1"]
    left = _bytes(closed.folder)
    assert key not in left
    assert key[45:] not in left  # the sealed key alone
    for secret in (NAME, FAITH, "083199000777", "Cần Thơ"):
        assert secret.encode() not in left
    assert closed.ask("audit", "verify")["ok"]


def test_after_an_erasure_statistics_count_and_nothing_tells_who_it_was(closed: Ketnap) -> None:
    closed.run("person", "erase", "u1", *ERASE)
    shown = closed.ask("show", "u1")
    assert (shown["state"], shown["title"]) == ("closed", "u1")
    assert {k: shown["facts"][k] for k in ("sex", "drop_reason")} == {"sex": "male", "drop_reason": "moved"}
    assert not {"full_name", "religion", "id_number", "motives"} & shown["facts"].keys()
    assert closed.ask("status")["subjects"]["candidate"] == {"closed": 1}
    history = closed.ask("history", "u1")
    assert [e["kind"] for e in history] == ["started", "facts_set", "moved", "key_erased"]
    assert all(e["facts"] == {} for e in history[:3])
    assert (history[3]["reason"], history[3]["actor"]) == ("Theo đơn số 5", "lan")
    assert closed.ask("audit", "search", "--person", "tran van an")["events"] == []
    assert closed.ask("person", "erase", "u1", *ERASE, code=2)["error"]["message"].endswith("đã được xóa trước đó")


def test_nothing_more_can_be_written_about_an_erased_person(closed: Ketnap) -> None:
    closed.run("person", "erase", "u1", *ERASE)
    closed.ask("set", "u1", "full_name=An", "--as", "lan", code=1)
    closed.ask("move", "u1", "reopen", "--as", "lan", "--reason", "x", code=1)
    assert closed.ask("audit", "verify")["ok"]


def test_an_open_case_is_not_erased_and_the_attempt_is_noted(office: Ketnap) -> None:
    office.elite()
    office.ask("person", "erase", "u1", *ERASE, code=1)
    office.ask("person", "erase", "u1", *ERASE[:-1], "dao", code=3)
    assert office.ask("show", "u1")["facts"]["full_name"] == NAME
    found = office.ask("audit", "search", "--trigger", "erase")["events"]
    assert [(e["kind"], e["actor"], e["detail"]["why"]) for e in found] == [
        ("denied", "dao", "role"),
        ("refused", "lan", "still_needed"),
    ]


def test_a_held_person_is_not_erased_until_released(closed: Ketnap) -> None:
    closed.run("person", "hold", "u1", "--reason", "Khiếu nại số 12", "--as", "lan")
    assert "Khiếu nại số 12" in closed.ask("person", "erase", "u1", *ERASE, code=1)["error"]["message"]
    closed.run("person", "hold", "u1", "--as", "lan", code=2)
    closed.run("person", "hold", "u1", "--reason", "x", "--as", "dao", code=3)
    closed.run("person", "release", "u1", "--reason", "Đã giải quyết", "--as", "lan")
    closed.run("person", "release", "u1", "--reason", "Đã giải quyết", "--as", "lan", code=2)
    closed.run("person", "erase", "u1", *ERASE)


@pytest.mark.parametrize("left_out", ["--reason", "--basis"])
def test_reason_and_legal_basis_must_be_given(closed: Ketnap, left_out: str) -> None:
    at = ERASE.index(left_out)
    closed.run("person", "erase", "u1", *ERASE[:at], *ERASE[at + 2 :], code=2)
    assert closed.ask("show", "u1")["facts"]["full_name"] == NAME


def test_a_key_put_back_from_an_old_copy_is_found(closed: Ketnap) -> None:
    import sqlite3

    key = _wrapped(closed.folder)
    closed.run("person", "erase", "u1", *ERASE)
    with sqlite3.connect(closed.folder / "ketnap.db") as database:
        database.execute("UPDATE keys SET wrapped = ? WHERE id = 'u1'", (key,))
    database.close()
    problems = closed.ask("audit", "verify", code=1)["problems"]
    assert any(p["kind"] == "key" for p in problems)


def test_a_person_gets_a_readable_copy_of_all_that_is_kept(closed: Ketnap) -> None:
    """Facts with their purpose, what was done, who looked; and that it was given out is noted."""
    closed.run("person", "export", "u1", "--out", "a.html", "--as", "lan")
    page = (closed.folder / "a.html").read_text(encoding="utf-8")
    for text in (
        NAME,
        FAITH,
        "Áp dụng điều kiện theo Quy định 06-QĐ/TW",
        "Chuyển đi Cần Thơ",
        "Đưa ra khỏi danh sách",
        "Nam",
    ):
        assert text in page
    assert (closed.folder / "a.html").stat().st_mode & 0o077 == 0
    closed.run("person", "export", "u1", "--out", "a.json", "--as", "lan")
    told = json.loads((closed.folder / "a.json").read_text(encoding="utf-8"))
    assert [s["subject"] for s in told["subjects"]] == ["u1"]
    assert {e["detail"]["what"] for e in closed.ask("audit", "search", "--kind", "exported")["events"]} == {"person"}
    closed.run("person", "export", "u1", "--out", "a.json", "--as", "lan", code=2)
    closed.run("person", "export", "u1", "--out", "a.exe", "--as", "lan", code=2)
    closed.run("person", "export", "u1", "--out", "b.json", "--as", "dao", code=3)


def test_data_past_its_time_is_listed_until_it_is_erased(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KETNAP_NOW", "2019-02-01 08:00")
    ketnap.office()
    ketnap.elite()
    ketnap.run("move", "u1", "drop", "--as", "lan", "--fact", "drop_reason=died", "--reason", "Từ trần")
    assert ketnap.ask("person", "retention") == []
    monkeypatch.setenv("KETNAP_NOW", "2024-02-02 08:00")
    (found,) = ketnap.ask("person", "retention")
    assert (found["person"], found["past"], found["held"]) == ("u1", "2024-02-01", False)
    ketnap.run("person", "erase", "u1", *ERASE)
    assert ketnap.ask("person", "retention") == []
