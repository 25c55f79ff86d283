"""A bundle is checked by one file that needs nothing but Python: it ends with "đúng", or names what was altered."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from email.message import EmailMessage
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from engine.audit import verify_bundle
from engine.audit.note import SigningKey
from engine.audit.seal import Sealer
from engine.bundling import Wanted, export
from engine.clock import SetClock
from engine.core import events
from engine.core.commands import Move, Start
from engine.core.errors import BadInput, NotFound
from engine.steps import By
from engine.store.open import open_store
from engine.verifying import verify
from tests.integration.audit import lab
from tests.integration.audit.lab import KEY
from tests.unit.audit import forgery
from tests.world import START, found_office, minutes

NOBODY = By(officer=None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, bytes]:
    """Two bundles, whole and of one unit, with an inspector's checkpoints."""
    folder = tmp_path_factory.mktemp("bundle")
    file, first, _, second = lab.original(folder)
    service = lab.serve(file, at=START + minutes(20))
    export(service, folder / "whole", Wanted(), NOBODY)
    export(service, folder / "unit", Wanted(org="cb1"), NOBODY)
    export(service, folder / "other", Wanted(org="xa2"), NOBODY)
    with pytest.raises(BadInput):
        export(service, folder / "whole", Wanted(), NOBODY)
    with pytest.raises(NotFound):
        export(service, folder / "none", Wanted(org="nowhere"), NOBODY)
    service.kit.store.close()
    return folder, first, second


def check(folder: Path, *args: str, python: str = sys.executable) -> tuple[int, str]:
    """Runs the bundle's own verifier as an inspector does: alone, without this program on the path."""
    bare = {"PATH": os.environ["PATH"]}
    call = [python, "-I", "verify_bundle.py", *args]
    ran = subprocess.run(call, cwd=folder, capture_output=True, text=True, env=bare)
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran.returncode, ran.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("name", ["whole", "unit", "other"])
def test_an_untouched_bundle_is_right(made: tuple[Path, bytes, bytes], tmp_path: Path, name: str) -> None:
    """With the checkpoint as a file, as a saved mail, and the key that was given."""
    folder, first, second = made
    (tmp_path / "a.txt").write_bytes(first)
    mail = EmailMessage()
    mail["Subject"] = "Điểm kiểm tra"
    mail.set_content("Kính gửi đoàn kiểm tra,\n\n" + second.decode() + "\nĐọc qua điện thoại: ...\n", cte="base64")
    (tmp_path / "b.eml").write_bytes(bytes(mail))
    key = str(KEY.verifier)
    given = ("--checkpoint", str(tmp_path / "a.txt"), "--checkpoint", str(tmp_path / "b.eml"), "--key", key)
    assert check(folder / name, *given) == (0, "đúng")


def test_a_bundle_of_one_unit_holds_nothing_of_another(made: tuple[Path, bytes, bytes]) -> None:
    """Neither events nor keys; and what it holds can be read."""
    folder, _, _ = made
    whole, unit, other = (
        len((folder / n / "events.jsonl").read_text().splitlines()) for n in ("whole", "unit", "other")
    )
    assert whole > unit > lab.EVENTS > other > 0
    keys = json.loads((folder / "other" / "person-keys.json").read_text())
    assert {k.partition(":")[2].partition("_")[0] for k in keys} == {"xa2", "cb3"}  # its officers
    assert "p1" in json.loads((folder / "unit" / "person-keys.json").read_text())
    assert "Người 7" in (folder / "unit" / "report.html").read_text(encoding="utf-8")
    assert "Người 7" not in (folder / "other" / "report.html").read_text(encoding="utf-8")


def _line(n: int, change: Callable[[str], str]) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        path = folder / "events.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        lines[n] = change(lines[n])
        path.write_text("".join(lines), encoding="utf-8")

    return run


def _rehashed(line: str) -> str:
    held = json.loads(line)
    held["body"] = held["body"].replace("2025-", "2024-", 1)
    held["leaf"] = verify_bundle.leaf_hash(held["body"].encode()).hex()
    return json.dumps(held, ensure_ascii=False) + "\n"


def _replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        for path in sorted(folder.glob(name)):
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return run


def test_every_kind_of_event_has_its_words_in_the_report() -> None:
    """What happened is said in Vietnamese, whatever it was."""
    kinds = {v for n, v in vars(events).items() if n.isupper() and isinstance(v, str)} - {events.VOID}
    assert kinds == set(verify_bundle.KINDS)


def test_a_bundle_of_a_sandbox_says_so_and_the_signed_trail_bears_it_out(
    made: tuple[Path, bytes, bytes], tmp_path: Path
) -> None:
    """In the report and at the end of verifying; called real in the manifest, an event contradicts it."""
    for name in ("whole", "unit", "other"):
        assert "BẢN CHẠY THỬ" in (made[0] / name / "report.html").read_text(encoding="utf-8")
        ran = subprocess.run(
            [sys.executable, "-I", "verify_bundle.py"], cwd=made[0] / name, capture_output=True, text=True
        )
        assert "Lưu ý: Gói này xuất từ BẢN CHẠY THỬ" in ran.stdout
        copy = tmp_path / name
        shutil.copytree(made[0] / name, copy)
        _replace("manifest.json", '"sandbox": true', '"sandbox": false')(copy)
        report = copy / "report.html"
        text = report.read_text(encoding="utf-8")
        warning = text[text.index("<p><strong>") : text.index("</strong></p>") + len("</strong></p>")]
        report.write_text(text.replace(warning, ""), encoding="utf-8")
        code, last = check(copy)
        assert (code, "bản chạy thử" in last) == (1, True)


SPOILED: dict[str, tuple[Callable[[Path], None], str]] = {
    "an event edited": (_line(60, lambda x: x.replace("2025-", "2024-", 1)), "bản ghi số 60 bị sửa"),
    "an event edited and hashed anew": (_line(60, _rehashed), "bản ghi số 60 bị"),
    "an event left out": (_line(60, lambda _: ""), "thiếu bản ghi số 60"),
    "an event that is JSON no more": (_line(60, lambda x: x[5:]), "dòng 61"),
    "the report": (_replace("report.html", "Người 7", "Người 8"), "report.html bị sửa"),
    "a definition": (_replace("definitions/*.json", "216", "192"), "quy trình"),
    "the checkpoint": (_replace("checkpoint.txt", "\n3", "\n4"), "chữ ký không đúng"),
    "the key": (_replace("log-keys.json", str(KEY.verifier), str(lab.NEW_KEY.verifier)), "khóa khác ký"),
    "the manifest": (_replace("manifest.json", '"size": 3', '"size": 4'), "manifest.json"),
    "a person's key": (
        _replace("person-keys.json", '"p1": "', '"p1": "AAAA'), "khóa của đối tượng p1 bị thay",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILED)
def test_an_altered_bundle_is_named(made: tuple[Path, bytes, bytes], tmp_path: Path, name: str) -> None:
    """The last line says what and where."""
    spoil, said = SPOILED[name]
    copy = tmp_path / "goi"
    shutil.copytree(made[0] / "whole", copy)
    spoil(copy)
    code, last = check(copy)
    assert code == 1
    assert last.startswith("SAI: ")
    assert said in last


def test_a_part_with_an_event_of_another_trail_is_named(made: tuple[Path, bytes, bytes], tmp_path: Path) -> None:
    """By its inclusion proof."""
    copy = tmp_path / "goi"
    shutil.copytree(made[0] / "unit", copy)
    _line(60, _rehashed)(copy)
    code, last = check(copy)
    assert (code, "không thuộc nhật ký đã ký" in last) == (1, True)


@pytest.mark.parametrize("name", ["whole", "unit"])
def test_a_bundle_of_a_rewritten_history_fails_against_the_mail_that_the_inspector_kept(
    made: tuple[Path, bytes, bytes], tmp_path: Path, name: str
) -> None:
    """Everything in it agrees with itself; only the mail tells."""
    _, first, _ = made
    file, _, _, _ = lab.original(tmp_path)
    with lab.opened(file) as db:
        lab.rewrite(db, lambda made: [{**b, "account": "x"} if b["kind"] == "started" else b for b in made])
    service = lab.serve(file, at=START + minutes(20))
    export(service, tmp_path / "goi", Wanted(org=None if name == "whole" else "cb1"), NOBODY)
    service.kit.store.close()
    assert check(tmp_path / "goi") == (0, "đúng")
    (tmp_path / "thu.txt").write_bytes(first)
    code, last = check(tmp_path / "goi", "--checkpoint", str(tmp_path / "thu.txt"))
    assert code == 1
    assert "có hai lịch sử" in last


def test_it_runs_on_the_oldest_python_that_it_promises(made: tuple[Path, bytes, bytes]) -> None:
    """Where a Python 3.8 stands here it is run; its grammar is checked in any case."""
    import ast

    ast.parse(Path(verify_bundle.__file__).read_text(encoding="utf-8"), feature_version=(3, 8))
    for python in sorted(Path.home().glob(".pyenv/versions/3.8*/bin/python3")):
        assert check(made[0] / "unit", python=str(python)) == (0, "đúng")


def _forged(honest: int, spoiled: int, seed: int) -> None:
    def holds(claim: forgery.Inclusion | forgery.Consistency) -> bool:
        if isinstance(claim, forgery.Inclusion):
            leaf = verify_bundle.leaf_hash(claim.entry)
            return verify_bundle.included(leaf, claim.index, claim.size, claim.root, claim.proof)
        return verify_bundle.consistent(claim.old, claim.old_root, claim.size, claim.root, claim.proof)

    assert all(holds(c) for c in islice(forgery.honest(Random(seed)), honest))
    assert not any(holds(c) for c in islice(forgery.spoiled(Random(seed + 1)), spoiled))


def test_the_verifier_accepts_1000_honest_proofs_and_none_of_10000_spoiled_ones() -> None:
    """Its code is its own, so it is held to the same vectors."""
    _forged(1_000, 10_000, 1)


@pytest.mark.soak
def test_the_verifier_accepts_10000_honest_proofs_and_none_of_100000_spoiled_ones() -> None:
    """The long form."""
    _forged(10_000, 100_000, 3)


# ---- with an erased person ----


@pytest.fixture(scope="module")
def erased(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two units with two persons each; of each unit one was erased. Bundles of all of it and of each unit."""
    folder = tmp_path_factory.mktemp("erased")
    service = found_office(open_store(f"sqlite:///{folder / 'office.db'}"), SetClock(START))
    service.kit.signer = lambda: KEY
    for org, chief in (("cb1", "xa1_secretary"), ("cb3", "xa2_secretary")):
        for n in (1, 2):
            id, facts = f"{org}-{n}", {"full_name": f"Người {org}-{n}", "religion": "Đạo Lạ", "sex": "female"}
            service.start(Start(workflow="candidate", org=org, id=id, facts=facts), By(officer="tu_clerk"))
        dropped = {"drop_reason": "moved"}
        service.move(Move(subject=f"{org}-1", trigger="drop", facts=dropped, reason="Đi"), By(officer=chief))
        service.persons.erase(f"{org}-1", "Theo đơn", "Luật", By(officer=chief))
    assert verify(service).problems == []
    export(service, folder / "whole", Wanted(), NOBODY)
    for org in ("cb1", "cb3"):
        export(service, folder / org, Wanted(org=org), NOBODY)
    service.kit.store.close()
    return folder


@pytest.mark.parametrize("name", ["whole", "cb1", "cb3"])
def test_a_bundle_with_an_erased_person_is_right_and_nobody_reads_them_in_it(erased: Path, name: str) -> None:
    """Their steps and the tombstone are there, their key is not, and neither name nor faith."""
    assert check(erased / name, "--key", str(KEY.verifier)) == (0, "đúng")
    lines = [json.loads(line) for line in (erased / name / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    bodies = [json.loads(line["body"]) for line in lines]
    gone = {b["subject"] for b in bodies if b["kind"] == "key_erased"}
    units = {"cb1", "cb3"} if name == "whole" else {name}
    assert gone == {f"{org}-1" for org in units}
    assert {b["kind"] for b in bodies if b.get("subject") in gone} >= {"started", "moved", "key_erased"}
    report = (erased / name / "report.html").read_text(encoding="utf-8")
    for org in units:
        assert f"Người {org}-1" not in report
        assert f"Người {org}-2" in report


def test_a_bundle_of_one_unit_gives_the_keys_of_its_own_persons_and_officers_only(erased: Path) -> None:
    """Nothing in it opens what is sealed about anybody else, nor what the office seals for itself."""
    for org in ("cb1", "cb3"):
        keys = set(json.loads((erased / org / "person-keys.json").read_text(encoding="utf-8")))
        assert f"{org}-2" in keys
        assert all(k == f"{org}-2" or k.startswith(f"officer:{org}_") for k in keys)
        others = "cb3" if org == "cb1" else "cb1"
        assert f"{others}-" not in (erased / org / "events.jsonl").read_text(encoding="utf-8")


def test_what_is_sealed_opens_with_its_key_only() -> None:
    """AES-GCM in plain Python agrees with the library that sealed it; one bit altered opens nothing."""
    random = Random(5)
    sealer = Sealer(random.randbytes)
    for length in (0, 1, 15, 16, 17, 64, 333):
        key, text = random.randbytes(32), random.randbytes(length)
        sealed = sealer.seal(key, text, b"aad")
        assert verify_bundle.unseal(key, sealed, b"aad") == text
        assert verify_bundle.unseal(random.randbytes(32), sealed, b"aad") is None
        assert verify_bundle.unseal(key, sealed, b"other") is None
        at = random.randrange(len(sealed))
        spoiled = sealed[:at] + bytes([sealed[at] ^ 1 << random.randrange(8)]) + sealed[at + 1 :]
        assert verify_bundle.unseal(key, spoiled, b"aad") is None


def test_signatures_hold_as_the_library_made_them_and_no_others() -> None:
    """Ed25519 in plain Python."""
    random = Random(6)
    for _ in range(10):
        key, text = SigningKey.make("a/b", random.randbytes), random.randbytes(20).hex() + "\n"
        blob = key.sign(text).blob
        assert verify_bundle.signed_by(key.verifier.public, text.encode(), blob)
        at = random.randrange(64)
        spoiled = blob[:at] + bytes([blob[at] ^ 1 << random.randrange(8)]) + blob[at + 1 :]
        assert not verify_bundle.signed_by(key.verifier.public, text.encode(), spoiled)
        assert not verify_bundle.signed_by(key.verifier.public, text.encode() + b" ", blob)
