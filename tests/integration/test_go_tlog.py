"""Another implementation, Go's sumdb, agrees on every root, proof, note and forgery.

Its sources are copied at test time from the Go toolchain on this machine (Debian: `apt-get install golang-go`), which
carries them for `go get`; nothing is fetched, and nothing of them is kept here.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.audit import checkpoint as checkpoints
from engine.audit import note as notes
from engine.audit import tree
from engine.audit.checkpoint import Checkpoint
from engine.audit.note import KeyKind, NotVerified, SigningKey
from tests.unit.audit import forgery
from tests.unit.audit.forgery import ENTRIES, NODES, ROOTS, SIZES, Consistency, Inclusion

OLD = SigningKey(name="office.example/trail", seed=bytes([1] * 32))
NEW = SigningKey(name="office.example/trail", seed=bytes([2] * 32))
WITNESS = SigningKey(name="witness.example", kind=KeyKind.COSIGNATURE, seed=bytes([3] * 32))
HEAD = Checkpoint(origin="office.example/trail", size=300, root=ROOTS[300])

Question = dict[str, Any]
Answer = dict[str, Any]


class Judge:
    """The Go program: questions in, answers out, in one run."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def ask(self, questions: Iterable[Question]) -> list[Answer]:
        lines = "".join(json.dumps(question, default=_base64) + "\n" for question in questions)
        ran = subprocess.run([self._program], input=lines, capture_output=True, text=True, check=True)
        return [json.loads(line) for line in ran.stdout.splitlines()]

    def opens(self, note: bytes | str, *keys: SigningKey) -> Answer:
        text = note if isinstance(note, str) else note.decode()
        return self.ask([{"op": "open", "note": text, "keys": [str(key.verifier) for key in keys]}])[0]


def _base64(value: object) -> str:
    assert isinstance(value, bytes)
    return base64.b64encode(value).decode()


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    go = shutil.which("go")
    if go is None:
        pytest.skip("go is not installed; on Debian: apt-get install golang-go")
    root = subprocess.run([go, "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    sources = Path(root, "src/cmd/vendor/golang.org/x/mod/sumdb")
    if not (sources / "tlog").is_dir() or not (sources / "note").is_dir():
        pytest.skip(f"this Go toolchain carries no sources of sumdb ({sources})")
    work = tmp_path_factory.mktemp("go_tlog")
    for package in ("tlog", "note"):
        shutil.copytree(sources / package, work / "mod" / "sumdb" / package)
    # Old toolchains name the package from before Ed25519 came into Go's standard library; the two are the same.
    for file in (work / "mod").rglob("*.go"):
        file.write_text(file.read_text().replace('"golang.org/x/crypto/ed25519"', '"crypto/ed25519"'))
    (work / "mod" / "go.mod").write_text("module golang.org/x/mod\n\ngo 1.17\n")
    (work / "go.mod").write_text(
        "module judge\n\ngo 1.17\n\nrequire golang.org/x/mod v0.0.0\n\nreplace golang.org/x/mod => ./mod\n"
    )
    shutil.copy(Path(__file__).parent / "go_tlog" / "main.go", work)
    offline = {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GO111MODULE": "on", "GOWORK": "off"}
    built = subprocess.run(
        [go, "build", "-o", "judge", "."],
        cwd=work,
        capture_output=True,
        text=True,
        env={**os.environ, **offline, "GOCACHE": str(work / "cache")},
    )
    assert built.returncode == 0, built.stderr
    return Judge(work / "judge")


def question(claim: Inclusion | Consistency) -> Question:
    common = {"size": claim.size, "root": claim.root, "proof": list(claim.proof)}
    if isinstance(claim, Inclusion):
        return {"op": "check_record", "index": claim.index, "entry": claim.entry, **common}
    return {"op": "check_tree", "old": claim.old, "old_root": claim.old_root, **common}


def judged(judge: Judge, claims: Sequence[Inclusion | Consistency]) -> list[bool]:
    answers = judge.ask(question(claim) for claim in claims)
    assert len(answers) == len(claims)
    return [answer["ok"] for answer in answers]


def test_go_gives_the_same_roots(judge: Judge):
    answers = judge.ask([{"op": "entries", "entries": ENTRIES}, *({"op": "root", "size": size} for size in SIZES)])
    assert [base64.b64decode(answer["hashes"][0]) for answer in answers[1:]] == [ROOTS[size] for size in SIZES]


def test_go_gives_the_same_proofs(judge: Judge):
    records = [(index, size) for size in SIZES for index in {0, 1, size // 2, size - 1} if index < size]
    trees = [(old, size) for size in SIZES for old in {1, 2, size // 2, size - 1, size} if 0 < old <= size]
    answers = judge.ask(
        [
            {"op": "entries", "entries": ENTRIES},
            *({"op": "record", "index": index, "size": size} for index, size in records),
            *({"op": "tree", "old": old, "size": size} for old, size in trees),
        ]
    )
    given = [tuple(base64.b64decode(h) for h in answer.get("hashes", ())) for answer in answers[1:]]
    assert all(answer["ok"] for answer in answers)
    assert given == [
        *(tree.inclusion_proof(index, size, NODES) for index, size in records),
        *(tree.consistency_proof(old, size, NODES) for old, size in trees),
    ]


def test_go_accepts_1000_honest_proofs_and_none_of_10000_spoiled_ones(judge: Judge):
    assert all(judged(judge, list(islice(forgery.honest(Random(1)), 1000))))
    assert not any(judged(judge, list(islice(forgery.spoiled(Random(2)), 10_000))))


@pytest.mark.soak
def test_go_accepts_10000_honest_proofs_and_none_of_100000_spoiled_ones(judge: Judge):
    assert all(judged(judge, list(islice(forgery.honest(Random(3)), 10_000))))
    assert not any(judged(judge, list(islice(forgery.spoiled(Random(4)), 100_000))))


def test_go_opens_our_checkpoint_and_refuses_it_altered(judge: Judge):
    note = checkpoints.sign(HEAD, [OLD])
    answer = judge.opens(bytes(note), OLD)
    assert answer["ok"]
    assert answer["text"] == HEAD.text()
    for altered in (replace(HEAD, size=299), replace(HEAD, root=ROOTS[299]), replace(HEAD, origin="other")):
        assert not judge.opens(bytes(replace(note, text=altered.text())), OLD)["ok"]
    assert not judge.opens(bytes(note), NEW)["ok"]
    assert not judge.opens(bytes(note)[:-1], OLD)["ok"]


def test_go_opens_a_checkpoint_with_two_keys_and_a_witness(judge: Judge):
    note = checkpoints.cosign(checkpoints.sign(HEAD, [OLD, NEW]), WITNESS, datetime(2026, 3, 1, tzinfo=UTC))
    assert judge.opens(bytes(note), OLD)["signers"] == 1
    assert judge.opens(bytes(note), OLD, NEW)["signers"] == 2


def test_go_opens_the_rotation_of_a_key(judge: Judge):
    note = checkpoints.rotate(HEAD, old=OLD, new=NEW, at=datetime(2026, 3, 1, tzinfo=UTC))
    assert judge.opens(bytes(note), OLD, NEW)["signers"] == 2


def test_go_reads_our_signing_key_and_signs_the_same_bytes(judge: Judge):
    answer = judge.ask([{"op": "sign", "text": HEAD.text(), "keys": [OLD.text()]}])[0]
    assert answer["text"].encode() == bytes(checkpoints.sign(HEAD, [OLD]))


def test_go_and_we_agree_on_1000_spoiled_notes(judge: Judge):
    random = Random(6)
    good = bytes(checkpoints.sign(HEAD, [OLD, NEW]))
    spoiled: list[bytes] = []
    while len(spoiled) < 1000:
        data = bytearray(good)
        at = random.randrange(len(data))
        match random.choice(("flip", "drop", "double")):
            case "flip":
                data[at] ^= 1 << random.randrange(7)  # the eighth bit would make text that JSON cannot carry
            case "drop":
                del data[at]
            case "double":
                data.insert(at, data[at])
        if data != good and _is_text(data):
            spoiled.append(bytes(data))
    keys = [str(key.verifier) for key in (OLD, NEW)]
    answers = judge.ask({"op": "open", "note": data.decode(), "keys": keys} for data in spoiled)
    for note, answer in zip(spoiled, answers, strict=True):
        assert _opens(note) == answer["ok"] or _is_loose(note), (note, answer)
        # What opens at all still says the same: only a signature line was turned into one of an unknown key.
        assert not answer["ok"] or answer["text"] == HEAD.text()


def _is_text(data: bytearray) -> bool:
    try:
        return bool(data.decode())
    except UnicodeDecodeError:
        return False


def _is_loose(data: bytes) -> bool:
    """Tells whether a signature is base64 with unused bits set: see the next test."""
    blobs = [line.rpartition(" ")[2] for line in data.decode().split("\n") if line.startswith("— ")]
    return any(len(blob) % 4 == 0 and base64.b64encode(base64.b64decode(blob)).decode() != blob for blob in blobs)


def _opens(data: bytes) -> bool:
    try:
        return bool(notes.verify(notes.parse(data), [OLD.verifier, NEW.verifier]))
    except (notes.BadNote, NotVerified):
        return False


def test_where_we_differ_from_go_we_are_the_stricter(judge: Judge):
    """Go reads base64 whose unused last bits are set; to us a note has one form only, so that its bytes identify it."""
    good = bytes(checkpoints.sign(HEAD, [OLD])).decode()
    assert good.endswith("=\n")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose = good[:-3] + alphabet[alphabet.index(good[-3]) + 1] + good[-2:]
    assert judge.opens(loose, OLD)["ok"]
    assert not _opens(loose.encode())


def test_go_reads_the_text_of_a_checkpoint_as_we_write_it(judge: Judge):
    """Go's own checkpoints are ours with a fixed origin, so its parser of them can be asked."""
    for size in (0, 1, 300):
        head = Checkpoint(origin="go.sum database tree", size=size, root=ROOTS[size])
        answer = judge.ask([{"op": "parse_tree", "text": head.text()}])[0]
        assert (answer.get("size", 0), base64.b64decode(answer["hashes"][0])) == (size, ROOTS[size])
        assert answer["text"] == head.text()
        assert Checkpoint.parse(answer["text"]) == head
        assert re.fullmatch(r"[^\n]+\n\d+\n[A-Za-z0-9+/]{43}=\n", answer["text"])


def test_go_accepts_what_the_product_made_of_a_trail(judge: Judge, tmp_path: Path):
    """Root, checkpoint and proofs as the service gives them over the events of a real database; altered, none."""
    from tests.integration.audit import lab
    from tests.world import START

    file, first, _, _ = lab.original(tmp_path)
    service = lab.serve(file, at=START)
    with service.work() as work:
        bodies = [body for _, body, _, _ in work.tx.trail()]
    size, old = len(bodies), int(first.decode().split("\n")[1])
    signed_root = base64.b64decode(first.decode().split("\n")[2])
    proofs = {n: service.trail.inclusion(n) for n in range(0, size, 7)}
    onward = service.trail.consistency(old)
    service.kit.store.close()
    answers = judge.ask(
        [{"op": "entries", "entries": bodies}, {"op": "root", "size": size}, {"op": "root", "size": old}]
    )
    assert [base64.b64decode(a["hashes"][0]) for a in answers[1:]] == [onward.root, signed_root]
    assert judge.opens(first, lab.KEY)["ok"]
    assert not judge.opens(first.replace(str(old).encode(), str(old + 1).encode(), 1), lab.KEY)["ok"]
    claims: list[Inclusion | Consistency] = [
        Inclusion(entry=bodies[n], index=n, size=size, root=p.root, proof=p.hashes) for n, p in proofs.items()
    ]
    claims.append(Consistency(old=old, old_root=signed_root, size=size, root=onward.root, proof=onward.hashes))
    assert all(judged(judge, claims))
    altered: list[Inclusion | Consistency] = [
        *(replace(c, entry=c.entry.replace(b'"at"', b'"aT"')) for c in claims if isinstance(c, Inclusion)),
        *(replace(c, proof=(bytes(32), *c.proof[1:])) for c in claims),
    ]
    assert not any(judged(judge, altered))
