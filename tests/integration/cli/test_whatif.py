"""Other workflow files supposed: named by ids, rules and sources; the database's file stays as it was."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from engine.library import shipped_folder
from tests.integration.cli.conftest import Ketnap

OLD = "    holds: written(helper)\n"


@pytest.fixture
def other(office: Ketnap) -> Path:
    """One recognised and one on the list of sources, and a folder with a stricter rule."""
    office.elite()
    office.elite("u2")
    office.run("move", "u1", "recognise", "--as", "lan", "--fact", "branch_proposed_on=2024-03-01")
    folder = office.folder / "khac"
    shutil.copytree(shipped_folder() / "admission", folder)
    _edit(folder, OLD, OLD.replace("written(helper)", "known(helper_together_since)"))
    return folder


def _edit(folder: Path, old: str, new: str) -> None:
    path = folder / "candidate.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def _hashes(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.glob("ketnap.db*"))}


def test_it_names_what_is_decided_otherwise_and_writes_nothing(office: Ketnap, other: Path) -> None:
    before = _hashes(office.folder)
    found = office.ask("whatif", "--workflows", "khac", "--as", "lan")
    assert (found["past"]["steps"], found["past"]["differ"], found["running"]["differ"]) == (1, 1, 1)
    (step,) = found["past"]["decisions"]
    assert (step["subject"], step["from"], step["was"], step["now"]) == ("u1", "source", "elite", None)
    (rule,) = step["rules"]
    assert (rule["rule"], rule["was"], rule["now"]) == ("helper_named", "pass", "fail")
    assert "Chỉ thị 15-CT/TU" in rule["source_now"]
    assert found["counts"] == [{"workflow": "candidate", "org": "cb1", "past": 1, "running": 1}]
    text = office.run("whatif", "--workflows", "khac").stdout
    assert "Bước đã thực hiện: 1, sẽ có kết quả khác: 1" in text
    assert "(helper_named): đạt → chưa đạt. Căn cứ: Quy định làm việc" in text
    english = office.run("whatif", "--workflows", "khac", "--lang", "en").stdout
    assert "On the way: 2, decided otherwise: 1" in english
    for shown in (text, english, repr(found)):
        assert "Trần Văn An" not in shown
    assert _hashes(office.folder) == before


def test_a_folder_that_does_not_compile_is_said_with_file_and_line(office: Ketnap, other: Path) -> None:
    before = _hashes(office.folder)
    _edit(other, "known(helper_together_since)\n    versions: working_rule", "frob\n    versions: working_rule")
    result = office.run("whatif", "--workflows", "khac", code=2)
    assert "khac/candidate.yaml:336:" in result.stderr
    assert "frob" in result.stderr
    office.run("whatif", "--workflows", "khong-co", code=2)
    (other / "area.yaml").unlink()
    assert "area.yaml" in office.run("whatif", "--workflows", "khac", code=2).stderr
    assert _hashes(office.folder) == before
