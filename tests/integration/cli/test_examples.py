"""What the permits example tells a newcomer to type does what it says, in an empty folder."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from docx import Document

from tests.integration.cli.conftest import Ketnap

EXAMPLES = Path("examples").resolve()
README = EXAMPLES / "permits" / "README.md"


def _typed() -> list[tuple[str | None, list[str]]]:
    """Returns the commands of the README, each with the time at which it is typed where one stands before it."""
    found: list[tuple[str | None, list[str]]] = []
    for line in re.findall(r"^    (.*ketnap .*)$", README.read_text(encoding="utf-8"), re.MULTILINE):
        words = shlex.split(line.replace("$EXAMPLES", str(EXAMPLES)))
        at = words.pop(0).removeprefix("KETNAP_NOW=") if words[0].startswith("KETNAP_NOW=") else None
        found.append((at, words[1:]))
    return found


def test_the_permits_are_played_as_the_readme_says(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command goes through, in its order; the letter of refusal says why."""
    monkeypatch.setenv("KETNAP_WORKFLOWS", str(EXAMPLES / "permits"))
    commands = _typed()
    assert len(commands) > 15
    for at, words in commands:
        monkeypatch.setenv("KETNAP_NOW", at or "2024-03-01T08:00")
        ketnap.run(*words)
    letter = Document(str(ketnap.folder / "tu-choi.docx"))
    text = "\n".join(p.text for p in letter.paragraphs)
    assert "Vũ Văn Dân" in text
    assert "Đất không thuộc quy hoạch đất ở" in text
    assert "ngày 11/03/2024, hẹn trả kết quả ngày 01/04/2024" in text
    assert "Trần Văn Chủ" in letter.tables[-1].rows[0].cells[1].text


def test_a_folder_named_only_at_init_is_said_to_be_needed_later(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever does not write it down is told where, when the database is made and when it is missing."""
    monkeypatch.setenv("KETNAP_NOW", "2024-03-01T08:00")
    made = ketnap.run("init", "--sandbox", "--workflows", str(EXAMPLES / "permits"))
    assert "KETNAP_WORKFLOWS" in made.stdout
    refused = ketnap.run("report", code=2)
    assert "KETNAP_WORKFLOWS" in refused.stderr
