"""The inspector's walk-through of docs/guide/inspector.md, typed as it stands there, from the mail to the last line."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from engine.library import shipped_folder
from tests.integration.cli.conftest import Ketnap

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "inspector.md"


@pytest.fixture
def office(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> Ketnap:
    """An office with an inspector, a person, and a day gone by; mails go into folders."""
    monkeypatch.setenv("KETNAP_MAILDIR", "mail")
    monkeypatch.setenv("KETNAP_NOW", "2026-03-03 09:00")
    more = "thu,Phạm Thư,tu,clerk,thu@example.org,\nkt,Trần Kiểm,tu,inspector,kt@example.org,\nqt,Lê Quản,tu,admin,,\n"
    with (ketnap.folder / "can-bo.csv").open("a", encoding="utf-8") as file:
        file.write(more)
    ketnap.office()
    ketnap.elite()
    monkeypatch.setenv("KETNAP_NOW", "2026-03-04 09:00")
    ketnap.run("run", "--once")
    ketnap.run("set", "u1", "occupation=Nông dân", "--as", "lan")
    return ketnap


def check(folder: Path, *args: str) -> tuple[int, str]:
    """Runs the verifier of a bundle, and returns its exit code and last line."""
    ran = subprocess.run([sys.executable, "-I", "verify_bundle.py", *args], cwd=folder, capture_output=True, text=True)
    return ran.returncode, ran.stdout.strip().splitlines()[-1]


def test_from_the_mail_and_the_stick_to_right_or_to_the_altered_event(office: Ketnap) -> None:
    (mail,) = (office.folder / "mail" / "kt@example.org" / "new").iterdir()
    shutil.copyfile(mail, office.folder / "thu.eml")
    assert office.ask("status")["checkpoint_left"]["way"] == "mail"
    key = office.ask("audit", "keys")[0]["key"]
    office.run("audit", "export", "--out", "usb/goi")
    office.run("audit", "export", "--org", "xa1", "--from", "2026-03-01", "--to", "2026-12-31", "--out", "usb/xa1")
    for name in ("goi", "xa1"):
        given = ("--checkpoint", str(office.folder / "thu.eml"), "--key", key)
        assert check(office.folder / "usb" / name, *given) == (0, "đúng")
    verified = office.ask("audit", "verify", "--checkpoint", "thu.eml", "--key", key)
    assert (verified["ok"], verified["problems"]) == (True, [])
    with closing(sqlite3.connect(office.folder / "ketnap.db")) as db:
        db.execute("DROP TRIGGER events_no_update")
        (seq,) = db.execute("SELECT seq FROM events WHERE kind = 'started' AND subject = 'u1'").fetchone()
        db.execute(
            "UPDATE events SET body = CAST(replace(CAST(body AS TEXT), '03-03\"', '02-03\"') AS BLOB) WHERE seq = ?",
            (seq,),
        )
        db.commit()
    found = office.ask("audit", "verify", "--checkpoint", "thu.eml", code=1)
    assert found["problems"][0]["event"] == seq
    assert found["problems"][0]["kind"] == "edited"
    office.run("audit", "export", "--out", "usb/goi2")
    code, last = check(office.folder / "usb" / "goi2", "--checkpoint", str(office.folder / "thu.eml"))
    assert (code, last) == (1, f"SAI: bản ghi số {seq} bị sửa: nội dung không còn khớp giá trị băm.")


def test_the_words_of_a_checkpoint_are_compared(office: Ketnap) -> None:
    made = office.ask("audit", "checkpoint", "--out", "diem.txt", "--page", "diem.html", "--to", "Ủy ban Kiểm tra")
    assert (office.folder / "diem.txt").read_text(encoding="utf-8") == made["note"]
    assert "<svg" in (office.folder / "diem.html").read_text(encoding="utf-8")
    assert office.ask("audit", "words", "--size", str(made["size"]), *made["words"])["same"] is True
    assert office.ask("audit", "words", "--size", str(made["size"] - 1), *made["words"], code=1)["same"] is False
    error = office.ask("audit", "words", made["words"][0].replace("-", ""), code=2)["error"]
    assert error["params"] == {"n": 9, "all": 36}
    assert office.ask("status")["checkpoint_left"]["to"] == "Ủy ban Kiểm tra"


def test_a_key_is_handed_over_by_the_command_and_old_checkpoints_hold(office: Ketnap) -> None:
    before = office.ask("audit", "checkpoint", "--out", "cu.txt")
    office.run("audit", "rotate-key", "--as", "lan", code=3)
    office.run("audit", "rotate-key", "--as", "qt")
    assert len(office.ask("audit", "keys")) == 2
    assert office.ask("audit", "checkpoint")["size"] > before["size"]
    assert office.ask("audit", "verify", "--checkpoint", "cu.txt")["ok"] is True
    proof = office.ask("audit", "proof", "3")
    assert proof["event"] == 3
    assert office.ask("audit", "proof", "--since", str(before["size"]))["since"] == before["size"]
    office.run("audit", "proof", code=2)
    office.run("audit", "export", "--out", "goi")
    assert check(office.folder / "goi", "--checkpoint", str(office.folder / "cu.txt")) == (0, "đúng")


def test_an_altered_checkpoint_file_is_named_and_a_missing_one_is_bad_input(office: Ketnap) -> None:
    made = office.ask("audit", "checkpoint", "--out", "diem.txt")
    path = office.folder / "diem.txt"
    path.write_text(made["note"].replace(f"\n{made['size']}\n", f"\n{made['size'] - 1}\n"), encoding="utf-8")
    assert {p["kind"] for p in office.ask("audit", "verify", "--checkpoint", "diem.txt", code=1)["problems"]} == {
        "signature"
    }
    path.write_text("không có gì", encoding="utf-8")
    assert office.ask("audit", "verify", "--checkpoint", "diem.txt", code=1)["problems"][0]["kind"] == "signature"
    office.run("audit", "verify", "--checkpoint", "khong-co.txt", code=2)


def test_the_guide_names_the_commands_as_they_are() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for command in ("ketnap audit export --out", "python3 verify_bundle.py --checkpoint", "ketnap audit keys"):
        assert command in text


def test_pages_of_a_new_version_say_that_its_workflows_are_to_be_loaded(ketnap: Ketnap, tmp_path: Path) -> None:
    """As after an upgrade: the database knows fewer workflows than the pages speak of."""
    folder = tmp_path / "cu"
    shutil.copytree(
        shipped_folder() / "admission",
        folder,
        ignore=shutil.ignore_patterns("certificate_copy*", "certificates*", "pages.yaml"),
    )
    ketnap.run("init", "--sandbox", "--workflows", str(folder))
    said = ketnap.run("run", "web", code=2).stderr
    assert "certificate_copy" in said
    assert "ketnap init" in said


def test_a_lost_signing_key_is_asked_for_and_no_other_takes_its_place(office: Ketnap) -> None:
    """Only the key in charge hands over to another."""
    file = office.folder / "ketnap.db.signing.key"
    kept = file.read_bytes()
    file.unlink()
    for command in (["init"], ["audit", "checkpoint"], ["audit", "rotate-key", "--as", "qt"]):
        assert "hãy đặt lại tệp khóa" in office.run(*command, code=2).stderr or command[-1] == "qt"
        assert not file.exists()
    file.write_bytes(kept)
    file.chmod(0o600)
    office.run("audit", "checkpoint")
    assert "lúc 01/01/2026 08:00" in office.run("show", "u1", "--as-of", "2026-01-01 08:00", code=2).stderr
