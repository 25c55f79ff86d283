"""A scenario can say what a report must show, and fails where the report shows something else."""

from __future__ import annotations

from pathlib import Path

from cli.scenario import run_file
from engine.library import shipped_folder

YEAR = shipped_folder() / "admission" / "scenarios" / "year-2023.yaml"


def test_a_figure_a_row_and_a_column_that_differ_are_each_told(tmp_path: Path) -> None:
    """A slip in the hand-made table of the year is found with its place, and nothing else is."""
    text = YEAR.read_text(encoding="utf-8").replace("workflows: [..]", "workflows: [admission]")
    slips = {
        "dropped: 1, refused: 0": "dropped: 2, refused: 0",
        "xa2: {plans_due: 1, plans_in_time: 0": "xa2: {plans_due: 1, plans_in_time: 7",
        "{open: 1, overdue: 1}": "{open: 1, overdu: 1}",
        "lý do: {left_to_work": "lý do: {gone_away",
        "So với chỉ tiêu: {td": "So với: {td",
    }
    for old, new in slips.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    file = tmp_path / "year.yaml"
    file.write_text(text, encoding="utf-8")
    result = run_file(file, None)
    told = [(next(reversed(f.expected)), f.expected["report"]) for f in result.failures]
    assert told == [
        ("dropped", "yearly"),
        ("plans_in_time", "yearly"),
        ("row", "yearly"),
        ("overdu", "obstacles"),
    ]
