"""Key files: made once, readable by nobody else, refused otherwise."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from engine.audit import keys
from engine.audit.keys import KeyFileRefused
from engine.audit.note import BadKey, SigningKey
from engine.core.errors import Conflict, NotFound

ROOT = Path(__file__).parents[3]


def fixed(count: int) -> bytes:
    return bytes(range(count))


def test_a_master_key_is_made_and_read_back(tmp_path: Path):
    file = tmp_path / "master.key"
    made = keys.make_master_key(file, fixed)
    assert made == fixed(32)
    assert keys.master_key(file=file, given=None) == made
    assert keys.parse_master_key(keys.master_key_text(made)) == made


def test_a_signing_key_is_made_and_read_back(tmp_path: Path):
    file = tmp_path / "signing.key"
    made = keys.make_signing_key(file, "office.example/trail", fixed)
    assert made.seed == fixed(32)
    assert keys.signing_key(file=file, given=None) == made


def test_a_key_file_is_for_its_owner_only_whatever_the_umask(tmp_path: Path):
    before = os.umask(0)
    try:
        keys.make_master_key(tmp_path / "master.key", fixed)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "master.key").stat().st_mode) == 0o600


def test_a_key_file_is_never_overwritten(tmp_path: Path):
    file = tmp_path / "key"
    keys.make_master_key(file, fixed)
    before = file.read_bytes()
    with pytest.raises(Conflict):
        keys.make_master_key(file, os.urandom)
    with pytest.raises(Conflict):
        keys.make_signing_key(file, "name", os.urandom)
    assert file.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601, 0o777])
def test_a_file_that_others_may_read_is_refused_with_the_mend(tmp_path: Path, mode: int):
    file = tmp_path / "key"
    keys.make_master_key(file, fixed)
    file.chmod(mode)
    with pytest.raises(KeyFileRefused, match=f"mode {mode:o}.*chmod 600") as caught:
        keys.master_key(file=file, given=None)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_for_its_owner_only_is_read(tmp_path: Path, mode: int):
    file = tmp_path / "key"
    keys.make_master_key(file, fixed)
    file.chmod(mode)
    assert keys.master_key(file=file, given=None) == fixed(32)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_read_by_nobody_but_its_owner(tmp_path: Path):
    file = tmp_path / "key"
    keys.make_master_key(file, fixed)
    os.chown(file, 12345, 12345)
    with pytest.raises(KeyFileRefused, match="another user"):
        keys.master_key(file=file, given=None)


def test_a_link_a_folder_a_pipe_and_no_file_are_refused(tmp_path: Path):
    file, link, pipe = tmp_path / "key", tmp_path / "link", tmp_path / "pipe"
    keys.make_master_key(file, fixed)
    link.symlink_to(file)
    os.mkfifo(pipe, 0o600)
    for place in (link, tmp_path, pipe):
        with pytest.raises(KeyFileRefused):
            keys.master_key(file=place, given=None)
    with pytest.raises(NotFound):
        keys.master_key(file=tmp_path / "none", given=None)
    with pytest.raises(KeyFileRefused):
        keys.make_master_key(tmp_path / "no folder" / "key", fixed)


def test_a_disk_that_is_full_leaves_no_half_key_behind(tmp_path: Path):
    code = (
        "import resource, signal, sys, pathlib\n"
        "from engine.audit import keys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))\n"
        "try:\n"
        "    keys.make_master_key(pathlib.Path(sys.argv[1]), lambda n: bytes(n))\n"
        "except keys.KeyFileRefused as refused:\n"
        "    print(refused)\n"
    )
    file = tmp_path / "key"
    ran = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, cwd=ROOT)
    assert "cannot be made" in ran.stdout, ran.stderr
    assert not file.exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"key", b"x" * 10_000])
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: bytes):
    file = tmp_path / "key"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(BadKey):
        keys.master_key(file=file, given=None)
    with pytest.raises(BadKey):
        keys.signing_key(file=file, given=None)


def test_a_key_that_is_given_goes_before_the_file_and_needs_none(tmp_path: Path):
    other = bytes(reversed(range(32)))
    keys.make_master_key(tmp_path / "key", fixed)
    text = f" {keys.master_key_text(other)}\n"
    assert keys.master_key(file=tmp_path / "key", given=text) == other
    assert keys.master_key(file=tmp_path / "none", given=text) == other
    assert keys.master_key(file=tmp_path / "key", given="") == fixed(32)
    signing = SigningKey.make("name", fixed)
    assert keys.signing_key(file=tmp_path / "none", given=signing.text()) == signing


def test_a_master_key_copied_wrongly_is_refused_at_every_letter_and_stays_secret():
    text = keys.master_key_text(fixed(32))
    secret = text.rpartition("+")[2]
    for at in range(len(text)):
        for wrong in (text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :], text[:at]):
            with pytest.raises(BadKey) as caught:
                keys.parse_master_key(wrong)
            assert secret[:20] not in str(caught.value)


def test_one_kind_of_key_is_not_taken_for_the_other(tmp_path: Path):
    keys.make_master_key(tmp_path / "master.key", fixed)
    keys.make_signing_key(tmp_path / "signing.key", "name", fixed)
    with pytest.raises(BadKey):
        keys.signing_key(file=tmp_path / "master.key", given=None)
    with pytest.raises(BadKey):
        keys.master_key(file=tmp_path / "signing.key", given=None)


def test_a_master_key_has_32_bytes():
    with pytest.raises(BadKey):
        keys.master_key_text(bytes(31))
