"""Layouts are checked: every name, every expression, and that each part says one thing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.files import check_sources
from engine.core.reader import FindingsError, read_yaml
from engine.library import compile_all, find_sources, read_folder, shipped_folder
from reports.layout_check import compile_layout
from reports.making import layout_files, read_layout_tree

SOURCES = find_sources(["admission"])
DEFINITIONS = compile_all(SOURCES)
AREA = next(iter(DEFINITIONS.values())).area
GOOD = """
report: mine
name: {vi: BÁO CÁO, en: REPORT}
title: {vi: "Năm {year}", en: "Year {year}"}
periods: year
figures:
  admitted:
    label: {vi: Kết nạp, en: Admitted}
    counted: {of: events, workflow: candidate, enters: admitted}
  longest:
    label: {vi: Lâu nhất, en: Longest}
    counted: {of: stays, workflow: candidate, take: max}
  share:
    label: {vi: Tỷ lệ, en: Share}
    share: {of: admitted, in: admitted}
sections:
  - groups: {by: unit, kinds: [cells]}
    columns: [admitted, share]
  - list:
      of: subjects
      workflow: candidate
      columns: [{fact: full_name}]
"""


def _wrong(old: str, new: str) -> list[str]:
    text = GOOD.replace("periods: year", "periods: [year]")
    assert old in text
    with pytest.raises(FindingsError) as caught:
        compile_layout(read_yaml(text.replace(old, new), "mine.yaml"), "mine.yaml", DEFINITIONS, AREA)
    return [f.located() for f in caught.value.findings]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("workflow: candidate, enters", "workflow: candidat, enters", "there is no workflow candidat; did you mean"),
        ("enters: admitted", "enters: admited", "there is no state admited; did you mean admitted?"),
        ("enters: admitted", "triggers: admitt", "there is no trigger admitt; did you mean admit?"),
        ("enters: admitted", "states: admitted", "states belongs to subjects, stays"),
        ("enters: admitted", "when: sexx == 'male'", "mine.yaml:9:54: there is no fact sexx; did you mean sex?"),
        ("enters: admitted", "when: full_name", "this is text, where bool is wanted"),
        ("enters: admitted", "take: sum", "there is no value of which to take the sum"),
        ("enters: admitted", "value: votes_for", "what is counted has no value"),
        ("enters: admitted", "take: sum, value: full_name", "this is text, where number is wanted"),
        ("in: admitted", "in: admited", "there is no figure admited; did you mean admitted?"),
        ("share: {of: admitted, in: admitted}", "is: share + 1", "share"),
        ("share: {of: admitted, in: admitted}", "scored: {score: admission, part: least}", "did you mean admissions?"),
        ("share: {of: admitted, in: admitted}", "range: [admitted]", "a range is two figures"),
        ("share: {of: admitted, in: admitted}", "none: {vi: a, en: b}", "a figure is one of"),
        ("columns: [admitted, share]", "columns: [admitted, shares]", "there is no figure shares; did you mean share?"),
        ("{by: unit, kinds: [cells]}", "{by: unit}", "groups by unit name the kinds"),
        ("{by: unit, kinds: [cells]}", "{by: unit, kinds: [cell]}", "there is no kind cell; did you mean cells?"),
        ("{by: unit, kinds: [cells]}", "{fact: sexx}", "there is no fact sexx; did you mean sex?"),
        ("{by: unit, kinds: [cells]}", "{value: votes_for}", "a value is put into bands"),
        ("{by: unit, kinds: [cells]}", "{by: unit, fact: sex, kinds: [cells]}", "groups are made by one of"),
        ("{fact: full_name}", "{fact: fullname}", "there is no fact fullname; did you mean full_name?"),
        ("{fact: full_name}", "{shows: unit}", "a column that is no fact has a label"),
        ("{fact: full_name}", "{shows: unit, fact: sex}", "a column is one of"),
        ("  - list:", "  - figures: [admitted]\n    list:", "a section holds one table"),
        ('vi: "Năm {year}"', 'vi: "Năm {yeer}"', "there is no figure yeer; did you mean year?"),
        ("name: {vi", "names: {vi", "names"),
    ],
)
def test_a_slip_is_found_with_its_place_and_a_suggestion(old: str, new: str, says: str) -> None:
    """File, line and column, and what was meant."""
    found = _wrong(old, new)
    assert any(says in f for f in found), found
    assert all(f.startswith("mine.yaml:") for f in found)


def test_figures_in_a_circle_are_found() -> None:
    """Each is derived from the other."""
    old = "  share:\n    label: {vi: Tỷ lệ, en: Share}\n    share: {of: admitted, in: admitted}\n"
    text = GOOD.replace("periods: year", "periods: [year]").replace("columns: [admitted, share]", "columns: [admitted]")
    circle = "  a:\n    label: {vi: a, en: a}\n    is: b + 1\n  b:\n    label: {vi: b, en: b}\n    is: a + 1\n"
    with pytest.raises(FindingsError, match="derived from itself"):
        compile_layout(read_yaml(text.replace(old, circle), "mine.yaml"), "mine.yaml", DEFINITIONS, AREA)


@pytest.mark.parametrize("folder", [shipped_folder() / "admission", Path("examples/permits")], ids=str)
def test_every_shipped_report_is_valid_and_names_its_file(folder: Path) -> None:
    """As `ketnap check` sees it."""
    definitions = compile_all(read_folder(folder))
    files = layout_files(folder)
    assert files
    for name, path in files.items():
        area = next(iter(definitions.values())).area
        assert compile_layout(read_layout_tree(path), str(path), definitions, area).file.report == name


def test_checking_the_workflows_checks_their_reports(tmp_path: Path) -> None:
    """`ketnap check` names the report's file and line."""
    folder = Path(shutil.copytree("examples/permits", tmp_path / "permits"))
    path = folder / "reports" / "desk.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("enters: granted", "enters: grunted"), encoding="utf-8")
    found = check_sources(read_folder(folder))
    assert [(Path(f.file).name, f.code) for f in found] == [("desk.yaml", "unknown-state")]


def test_the_guide_names_every_report_and_its_example_is_valid() -> None:
    """What an officer reads is what there is."""
    guide = Path("docs/guide/reports.md").read_text(encoding="utf-8")
    missing = [name for name in layout_files(shipped_folder() / "admission") if f"| `{name}` |" not in guide]
    assert not missing
    example = guide.partition("```yaml\n")[2].partition("```")[0]
    layout = compile_layout(read_yaml(example, "guide"), "guide", DEFINITIONS, AREA)
    assert layout.file.report == "women"
