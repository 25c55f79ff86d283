"""Every clause of the document that an area carries out is served, and played in its good and its failing way."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from cli.clauses import Traced, trace
from cli.scenario_file import ScenarioFile, read_scenario
from engine.library import read_tree

AREA = Path(__file__).parents[2] / "workflows" / "admission"
CLAUSES = [str(clause) for clause in read_tree((AREA / "area.yaml").read_text(encoding="utf-8"), "")["clauses"]]
pytestmark = pytest.mark.xdist_group("clauses")  # one process traces them, once


@cache
def traced() -> dict[str, Traced]:
    """Returns every clause with what serves it."""
    return {t.clause: t for t in trace(AREA)}


@pytest.mark.parametrize("clause", CLAUSES)
def test_a_clause_has_its_workflow_what_holds_or_urges_it_and_a_report(clause: str) -> None:
    found = traced()[clause]
    assert found.workflows, "no workflow serves it"
    assert found.rules or found.notices, "no rule holds it and no notice urges it"
    assert found.reports, "no report shows it"


@pytest.mark.parametrize("clause", CLAUSES)
def test_a_clause_is_played_in_both_ways(clause: str) -> None:
    assert traced()[clause].good, "no scenario keeps it"
    assert traced()[clause].failing, "no scenario shows what comes of not keeping it"


def _goes_wrong(scenario: ScenarioFile) -> bool:
    """Tells whether something is refused, denied, warned of, not accepted, late, or urged in a scenario."""
    wanted = [s.expect for s in scenario.steps if s.expect is not None]
    return any(
        e.refused or e.unknown or e.denied or e.error or e.breaches or e.warned
        or (e.notices is not None and e.notices.sent)
        or any(v in (True, "true") for k, v in (e.facts or {}).items() if k == "late")
        or any(v == "missed_target" for v in (e.facts or {}).values())
        for e in wanted
    )  # fmt: skip


def test_a_scenario_that_says_a_clause_fails_shows_something_going_wrong() -> None:
    names = sorted({name for t in traced().values() for name in t.failing})
    assert names
    calm = [n for n in names if not _goes_wrong(read_scenario(AREA / "scenarios" / f"{n}.yaml")[0])]
    assert calm == []


def test_a_clause_that_the_area_does_not_declare_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "area.yaml").write_text('clauses: {"1": {vi: Một, en: One}}\n', encoding="utf-8")
    scenario = "scenario: x\nclause: ['1', '2']\nway: good\nclock: 2024-01-01 08:00\nsteps: []\n"
    (tmp_path / "scenarios" / "x.yaml").write_text(scenario, encoding="utf-8")
    with pytest.raises(KeyError, match="2"):
        trace(tmp_path)
    (tmp_path / "scenarios" / "x.yaml").write_text(scenario.replace(", '2'", ""), encoding="utf-8")
    assert trace(tmp_path) == [Traced(clause="1", title="Một", good={"x": "x"})]
