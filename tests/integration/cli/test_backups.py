"""Backups: whole, sealed, restored only as they must be; the erased stay erased; an old copy does not pass unseen."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from engine.audit import container, note
from engine.audit.checkpoint import Checkpoint, sign
from engine.audit.keys import signing_key
from engine.audit.note import SigningKey
from tests.integration.cli.conftest import Ketnap
from tests.integration.cli.test_persons import ERASE, NAME

PASSPHRASE = "một mật khẩu đủ dài"


@pytest.fixture
def kept(office: Ketnap, monkeypatch: pytest.MonkeyPatch) -> Ketnap:
    """An office with two persons and a folder for backups."""
    (office.folder / "mk.txt").write_text(PASSPHRASE + "\n", encoding="utf-8")
    (office.folder / "b").mkdir()
    monkeypatch.setenv("KETNAP_BACKUP_DIR", "b")
    monkeypatch.setenv("KETNAP_BACKUP_PASSPHRASE_FILE", "mk.txt")
    office.elite()
    office.elite("u2")
    office.run("set", "u1", "religion=none", "sex=male", "--as", "lan")
    return office


def restored(office: Ketnap, made: dict[str, Any], *args: str, code: int = 0, name: str = "new.db") -> Any:
    """Restores into another database of the same folder."""
    more = args if "--key" in args else ("--passphrase-file", "mk.txt", *args)
    return office.ask("--db", f"sqlite:///{name}", "restore", made["file"], *more, code=code)


def note_of(folder: Path, size: int, root: bytes, key: SigningKey | None = None) -> str:
    """Writes a checkpoint as an inspector holds it, signed by the office's key or another; returns its file."""
    key = key or signing_key(file=folder / "ketnap.db.signing.key", given=None)
    signed = sign(Checkpoint(origin=key.name, size=size, root=root), [key])
    file = folder / f"moc-{size}-{root.hex()[:4]}.txt"
    file.write_bytes(bytes(signed))
    assert note.parse(file.read_bytes()).text == signed.text
    return str(file)


def test_a_backup_comes_back_whole_and_says_so_in_its_trail(kept: Ketnap) -> None:
    """Persons, facts, history; the key that opens them came along; the new database verifies."""
    made = kept.ask("backup")
    body = Path(made["file"]).read_bytes()
    assert NAME.encode() not in body
    assert b"candidate" not in body
    done = restored(kept, made)
    assert (done["events"], done["missing"]) == (made["events"], None)
    for id in ("u1", "u2"):
        old, new = (kept.ask("--db", f"sqlite:///{db}", "history", id) for db in ("ketnap.db", "new.db"))
        assert old == new
    assert kept.ask("--db", "sqlite:///new.db", "show", "u1")["facts"]["full_name"] == NAME
    assert kept.ask("--db", "sqlite:///new.db", "audit", "verify")["ok"]
    (event,) = kept.ask("--db", "sqlite:///new.db", "audit", "search", "--kind", "restored")["events"]
    assert (event["detail"]["backup"], event["detail"]["size"]) == (made["id"], made["events"])
    assert kept.ask("audit", "search", "--kind", "backed_up")["events"][0]["detail"]["root"] == made["root"]
    assert (kept.folder / "new.db.key").read_bytes() == (kept.folder / "ketnap.db.key").read_bytes()


def test_a_copy_of_a_sandbox_says_so(kept: Ketnap) -> None:
    """When it is made, in its header that anybody reads, when it is restored, and of a bundle too."""
    said = "Đây là của bản chạy thử"
    assert said in kept.run("backup").stdout
    made = kept.ask("backup")
    with Path(made["file"]).open("rb") as file:
        assert container.read_header(file)[0]["sandbox"] is True
    assert made["sandbox"] is True
    args = ("--passphrase-file", "mk.txt")
    assert said in kept.run("--db", "sqlite:///new.db", "restore", made["file"], *args).stdout
    assert restored(kept, made, name="other.db")["sandbox"] is True
    assert said in kept.run("audit", "export", "--out", "goi").stdout


def test_a_backup_for_a_public_key_opens_with_the_private_key_only(kept: Ketnap) -> None:
    pair = kept.ask("backup-key", "rieng.key")
    made = kept.ask("backup", "--public-key", pair["public_key"])
    kept.ask("backup-key", "khac.key")
    assert restored(kept, made, "--key", "khac.key", code=2)["error"]["code"] == "wrong_secret"
    restored(kept, made, code=2)
    assert not (kept.folder / "new.db").exists()
    assert restored(kept, made, "--key", "rieng.key")["events"] == made["events"]
    kept.run("backup", "--public-key", "frob", code=2)


@pytest.mark.parametrize("place", [0.3, 0.6, 0.99])
def test_a_backup_that_was_altered_or_cut_off_leaves_nothing_behind(kept: Ketnap, place: float) -> None:
    made = kept.ask("backup")
    file = Path(made["file"])
    body = file.read_bytes()
    start = body.index(b"\n") + 1
    at = start + int((len(body) - start) * place)
    for bad in (body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :], body[:at]):
        file.write_bytes(bad)
        assert restored(kept, made, code=1)["error"]["code"] == "damaged"
        assert not list(kept.folder.glob("new.db*"))
    file.write_bytes(body)
    restored(kept, made)
    restored(kept, made, code=2)  # never over a database


def test_a_copy_older_than_the_checkpoint_is_refused_or_taken_with_open_eyes(kept: Ketnap) -> None:
    made = kept.ask("backup")
    newer = note_of(kept.folder, made["events"] + 3, b"\x11" * 32)
    same = note_of(kept.folder, made["events"], bytes.fromhex(made["root"]))
    other = note_of(kept.folder, made["events"], b"\x22" * 32)
    assert restored(kept, made, "--checkpoint", newer, code=1)["error"]["code"] == "older_copy"
    assert restored(kept, made, "--checkpoint", other, code=1)["error"]["code"] == "other_history"
    assert not list(kept.folder.glob("new.db*"))
    assert restored(kept, made, "--checkpoint", same)["missing"] == 0
    done = restored(kept, made, "--checkpoint", newer, "--accept-older", name="second.db")
    assert done["missing"] == 3
    (event,) = kept.ask("--db", "sqlite:///second.db", "audit", "search", "--kind", "restored")["events"]
    assert event["detail"]["missing"] == 3


def test_a_checkpoint_that_the_office_never_signed_is_refused(kept: Ketnap) -> None:
    """Size and root may be right or newer: without a signature that holds, nobody said so. A key that came after the
    copy is named."""
    made = kept.ask("backup")
    stranger = SigningKey.make("example.org/trail", lambda n: b"\x05" * n)
    forged = note_of(kept.folder, made["events"], bytes.fromhex(made["root"]), stranger)
    assert restored(kept, made, "--checkpoint", forged, code=1)["error"]["code"] == "not_ours"
    whole = Path(note_of(kept.folder, made["events"], bytes.fromhex(made["root"])))
    altered = kept.folder / "altered.txt"
    altered.write_text(whole.read_text("utf-8").replace(f"\n{made['events']}\n", f"\n{made['events'] - 1}\n"), "utf-8")
    assert restored(kept, made, "--checkpoint", str(altered), code=1)["error"]["code"] == "not_ours"
    assert not list(kept.folder.glob("new.db*"))
    later = note_of(kept.folder, made["events"] + 1, b"\x11" * 32, stranger)
    args = ("--checkpoint", later, "--trail-key", str(stranger.verifier))
    assert restored(kept, made, *args, code=1)["error"]["code"] == "older_copy"


def test_an_erased_key_is_blotted_out_of_the_backups_beside_and_does_not_come_back(kept: Ketnap) -> None:
    """The projection's plain facts of the person cannot be read out of the old backup either."""
    kept.run("move", "u1", "drop", "--as", "lan", "--fact", "drop_reason=moved", "--reason", "Chuyển đi")
    made = kept.ask("backup")
    before = Path(made["keys"]).read_bytes()
    assert kept.ask("person", "erase", "u1", *ERASE)["backups"] == 1
    after = Path(made["keys"]).read_bytes()
    assert len(after) == len(before)
    gone = [a for a, b in zip(before.split(b"\n"), after.split(b"\n"), strict=True) if a != b]
    assert len(gone) == 1
    assert b"-" * 100 in after
    done = restored(kept, made)
    assert done["erased_again"] == ["u1"]
    shown = kept.ask("--db", "sqlite:///new.db", "show", "u1")
    assert shown["facts"] | {"sex": "male", "drop_reason": "moved"} == shown["facts"]
    assert "full_name" not in shown["facts"]
    assert kept.ask("--db", "sqlite:///new.db", "show", "u2")["facts"]["full_name"] == NAME
    assert kept.ask("--db", "sqlite:///new.db", "audit", "verify")["ok"]


def test_a_copy_that_was_out_of_reach_is_erased_again_from_the_list(kept: Ketnap) -> None:
    """A stick with the backup as it was; the list of the erased is given beside it, and must be given or denied."""
    kept.run("move", "u1", "drop", "--as", "lan", "--fact", "drop_reason=moved", "--reason", "Chuyển đi")
    (kept.folder / "usb").mkdir()
    made = kept.ask("backup", "--out", "usb")
    kept.run("person", "erase", "u1", *ERASE)
    (kept.folder / "usb" / "erased.jsonl").unlink()
    restored(kept, made, code=2)
    assert restored(kept, made, "--erased", "b/erased.jsonl")["erased_again"] == ["u1"]
    assert kept.ask("--db", "sqlite:///new.db", "show", "u1")["facts"].get("full_name") is None
    assert kept.ask("--db", "sqlite:///new.db", "audit", "verify")["ok"]
    assert restored(kept, made, "--without-erasures", name="open.db")["erased_again"] == []


def test_a_key_missing_from_a_copy_of_somebody_who_was_not_erased_is_told(kept: Ketnap) -> None:
    made = kept.ask("backup")
    file = Path(made["keys"])
    first, rest = file.read_text(encoding="ascii").split("\n", 1)
    file.write_text(first[:65] + "-" * len(first[65:]) + "\n" + rest, encoding="ascii")
    assert restored(kept, made, code=1)["error"]["code"] == "damaged"
    swapped = base64.b64encode(bytes(100)).decode()
    file.write_text(first[:65] + swapped + "\n" + rest, encoding="ascii")
    assert restored(kept, made, code=1)["error"]["code"] == "damaged"


def test_run_makes_a_backup_when_one_is_due_and_keeps_the_newest(kept: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept.ask("run", "scheduler", "--once")["backup"] is not None
    assert kept.ask("run", "scheduler", "--once")["backup"] is None
    monkeypatch.setenv("KETNAP_BACKUP_KEEP_DAYS", "1")
    for day in ("2027-01-01", "2027-01-02", "2027-01-03", "2027-01-04"):  # a job that runs at the same time each day
        monkeypatch.setenv("KETNAP_NOW", f"{day} 08:00")
        assert kept.ask("run", "scheduler", "--once")["backup"] is not None
    assert len(list((kept.folder / "b").glob("*.backup"))) == 3
    assert len(list((kept.folder / "b").glob("*.keys"))) == 3


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("backup", "--out", "nowhere"), "nowhere"),
        (("backup", "--passphrase-file", "nowhere"), "nowhere"),
        (("restore", "to-chuc.csv", "--without-erasures"), "passphrase"),
        (("restore", "to-chuc.csv", "--passphrase-file", "mk.txt", "--without-erasures"), "bản sao lưu"),
    ],
)
def test_what_is_wrong_with_the_call_is_told(kept: Ketnap, args: tuple[str, ...], word: str) -> None:
    assert word in kept.run(*args, code=2).stderr
