"""Mistakes made in copies of the shipped files: each is refused with its file, line, column and what was meant."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from engine.clock import SetClock
from engine.core.errors import FileRefused
from engine.core.reader import FindingsError
from engine.library import compile_all, read_folder, shipped_folder, shipped_sources
from engine.store.memory import MemoryStore
from tests.unit.slips import CANDIDATE, PLAN, SLIPS, Slip
from tests.world import START, wire


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped folder."""
    return Path(shutil.copytree(shipped_folder() / "admission", tmp_path / "admission"))


def write(folder: Path, slip: Slip) -> tuple[int, int] | None:
    """Makes the mistake in the copy; returns the line and column where it must be told."""
    path = folder / slip.file
    text = path.read_text(encoding="utf-8")
    assert text.count(slip.was) == 1 or slip.was not in slip.now, f"{slip.name}: stands {text.count(slip.was)} times"
    assert slip.was in text, f"{slip.name}: the shipped file has changed, mend this test"
    text = text.replace(slip.was, slip.now, 1)
    at = text.find("§")
    path.write_text(text.replace("§", ""), encoding="utf-8")
    return None if at < 0 else (text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def refusal(folder: Path) -> list[tuple[str, int, int, str]]:
    """Returns what is wrong in a folder: file, line, column, message."""
    try:
        compile_all(read_folder(folder))
    except FindingsError as error:
        return [(f.file, f.line, f.column, f.text()) for f in error.findings]
    except FileRefused as error:
        return [(error.file, error.line, error.column, error.text())]
    return []


@pytest.mark.parametrize("slip", SLIPS, ids=lambda s: s.name)
def test_a_mistake_is_told_where_it_stands_and_what_was_meant(folder: Path, slip: Slip) -> None:
    """File, line and column are exact, and the nearest name is offered."""
    place = write(folder, slip)
    found = refusal(folder)
    assert found, "it was not refused"
    named = [one for one in found if all(word in one[3] for word in slip.words)]
    assert named, found
    assert {Path(file) for file, *_ in named} == {folder / slip.file}
    places = [(line, column) for _, line, column, _ in named]
    assert place in places or (place is None and min(places) >= (1, 1))


def test_the_shipped_files_have_nothing_wrong() -> None:
    """All of them load, with no finding at all."""
    assert {s.workflow for s in shipped_sources()} == set(compile_all(shipped_sources()))
    assert len(compile_all(shipped_sources())) >= 5


def test_all_that_is_wrong_is_told_at_once(folder: Path) -> None:
    """In several files, too: nobody mends one slip at a time."""
    chosen = [s for s in SLIPS if s.name in ("unknown state", "unknown rule", "misspelt fact in an expression")]
    for slip in chosen:
        write(folder, slip)
    (folder / PLAN).write_text(re.sub(r"\n    to: accepted", "\n    to: acepted", (folder / PLAN).read_text()))
    found = refusal(folder)
    for words in (("traned",), ("motive_known",), ("motivs",), ("acepted",)):
        assert any(all(w in one[3] for w in words) for one in found), (words, found)


def test_a_declared_gap_between_versions_is_fine(folder: Path) -> None:
    """A rule may say that nothing was in force for a while; undeclared it is refused."""
    path = folder / CANDIDATE
    text = path.read_text(encoding="utf-8")
    was = "holds: written(motives)\n    versions: working_rule"
    two = (
        "holds: written(motives)\n    versions:\n"
        "      - {source: A, from: 2016-01-01, until: 2020-12-31}\n      - {source: B, from: 2021-02-01}"
    )
    assert was in text
    path.write_text(text.replace(was, two), encoding="utf-8")
    assert any("no version from 2021-01-01 to 2021-01-31" in one[3] for one in refusal(folder))
    gap = "\n    gaps:\n      - {from: 2021-01-01, until: 2021-01-31, note: {vi: Không có, en: None}}"
    path.write_text(text.replace(was, two + gap), encoding="utf-8")
    assert refusal(folder) == []


def test_the_same_trigger_twice_is_refused(folder: Path) -> None:
    """A trigger is a key, so twice from one state is twice the same key."""
    path = folder / CANDIDATE
    text = path.read_text(encoding="utf-8")
    extra = "  refuse:\n    label: {vi: X, en: X}\n    from: dossier\n    to: closed\n    by: [heads]\n"
    text = text.replace("\nrules:\n", f"\n{extra}\nrules:\n", 1)
    path.write_text(text, encoding="utf-8")
    line = text[: text.rindex("  refuse:\n    label: {vi: X")].count("\n") + 1
    (found,) = refusal(folder)
    assert found[1:3] == (line, 3)
    assert "refuse stands twice" in found[3]


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ("[{when: is_pupil, state: dossier}]", "the last target has no `when`"),
        ("[{state: dossier}, {when: is_pupil, state: trained}]", "never reached"),
        ("[{state: dossier}, {state: trained}]", "never reached"),
        ("[{when: helper, state: dossier}, {state: trained}]", "bool"),
        ("[{when: is_pupil, state: dosier}, {state: trained}]", "no state dosier; did you mean dossier?"),
        ("[{when: is_pupil, state: dossier}, {state: elite}]", ""),
    ],
)
def test_several_targets_end_with_one_that_always_holds(folder: Path, targets: str, words: str) -> None:
    """Each but the last has a condition that is true or false; then there is always one."""
    path = folder / CANDIDATE
    was = "from: trained\n    to: dossier"
    text = path.read_text(encoding="utf-8")
    assert was in text
    text = text.replace(was, f"from: trained\n    to: {targets}")
    path.write_text(text, encoding="utf-8")
    found = refusal(folder)
    if not words:
        assert found == []
        return
    line = text[: text.index(targets)].count("\n") + 1
    assert any(words in one[3] and one[1] == line for one in found), found


@pytest.mark.parametrize(
    "text",
    [
        "workflow: x\n" + "a: " + "[" * 60 + "]" * 60,
        "workflow: x\nbig: '" + "x" * 600_000 + "'",
        "workflow: x\nmany: [" + "a, " * 60_000 + "a]",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "",
        "workflow: x\n---\nworkflow: y\n",
        "workflow: \x00",
    ],
    ids=["deep", "large", "many", "bomb", "empty", "two documents", "no text"],
)
def test_a_hostile_file_is_refused_with_its_place(folder: Path, text: str) -> None:
    """Size, depth and what YAML would do besides are limited, whatever the file says."""
    (folder / "annual_plan.yaml").write_text(text, encoding="utf-8")
    (found,) = refusal(folder)
    assert Path(found[0]).name == "annual_plan.yaml"
    assert found[1] >= 1


def test_a_folder_with_a_mistake_loads_nothing(folder: Path) -> None:
    """One bad file stops all of them: the database stays as it was."""
    store = MemoryStore()
    service = wire(store, SetClock(START))
    service.load(shipped_sources(), sandbox=True)
    with store.transaction(write=False) as unit:
        before = unit.definitions()
    write(folder, next(s for s in SLIPS if s.name == "unknown state"))
    (folder / PLAN).write_text((folder / PLAN).read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    with pytest.raises(FindingsError):
        service.load(read_folder(folder))
    with store.transaction(write=False) as unit:
        assert unit.definitions() == before
