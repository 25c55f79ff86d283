"""The benchmarks run, and measure what they say. Nothing here is timed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from benchmarks.all import BENCHMARKS, document, machine, run_one
from benchmarks.floor import Floor, template_of
from benchmarks.measure import Sizes, alternate
from benchmarks.town import BY, SeededRandom, candidate, made, open_town, review
from cli.bench import measure
from cli.session import Session
from engine.core.errors import NotFound

TINY = Sizes(
    rounds=1,
    steps=2,
    batch=4,
    batch_rounds=1,
    decisions=3,
    due=3,
    few=20,
    many=40,
    trail=600,
    verified=5,
    notices=3,
    faulty=12,
    reported=30,
    few_people=60,
    people=120,
    units=24,
    officers=4,
    visits=1,
    web_rounds=1,
)
FIGURES = {
    "step": ["step"],
    "batch": ["batch"],
    "decide": ["decide, passing", "guards alone, passing", "decide, failing", "guards alone, failing"],
    "tick": ["tick, 3 due", "tick, nothing due"],
    "verify": [
        "hashes, tree and checkpoints",
        *(f"full: {part}" for part in ("hashes", "bodies", "checkpoints", "office", "subjects", "deciding")),
        "full: all parts",
    ],
    "append": ["one event a transaction", "many in one"],
    "notices": ["tick and worker", "worker alone"],
    "reports": [
        "yearly, the last of ten years",
        "yearly, a year long past",
        "yearly, all ten years",
        "list of the elite",
    ],
    "web": [
        "home",
        "list",
        "list, the next page",
        "list, a filter",
        "list, found by name",
        "list, due within 30 days",
        "list, of a sex by age in the stage",
        "person",
        "form of facts",
        "facts written",
    ],
}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_benchmark_gives_its_figures_beside_a_floor_and_leaves_nothing_behind(name: str, tmp_path: Path) -> None:
    result = run_one(name, tmp_path, TINY)
    assert [f.name for f in result.figures] == FIGURES[name]
    assert all(f.ours > 0 and f.floor > 0 and f.low <= f.ratio <= f.high for f in result.figures)
    assert list(tmp_path.iterdir()) == []
    if name == "notices":
        counts = result.counts
        assert counts["under faults: notices"] == 12
        assert counts["under faults: doubled"] == counts["under faults: lost"] == 0
        assert counts["notices per second, the bare loop"] > 0


def test_the_floor_writes_the_same_rows_with_the_same_bytes_as_the_engine(tmp_path: Path) -> None:
    file = made(tmp_path, "ours", 8)
    template = template_of(file, tmp_path, 7)
    by_hand = tmp_path / "floor.db"
    shutil.copyfile(file, by_hand)
    before = _rows(file)

    town = open_town(file, random=SeededRandom())
    town.service.move(review(0), BY)
    town.service.move_many([review(n) for n in range(1, 7)], BY)
    town.close()
    floor = Floor(by_hand, template, SeededRandom())
    floor.step(candidate(0))
    floor.batch([candidate(n) for n in range(1, 7)])
    floor.close()

    ours = _rows(file)
    made_beside = {"dues", "listings"}  # what the pages list is made from the subjects; the floor makes no lists
    changed = {name for name, rows in ours.items() if rows != before[name]}
    assert changed - made_beside == {"subjects", "events", "timers"}
    assert {n: r for n, r in ours.items() if n not in made_beside} == {
        n: r for n, r in _rows(by_hand).items() if n not in made_beside
    }


def _rows(file: Path) -> dict[str, list[tuple[object, ...]]]:
    db = sqlite3.connect(file)
    try:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(db.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in tables}
    finally:
        db.close()


def test_both_sides_take_turns_at_beginning_and_the_ratio_is_the_median_of_the_rounds() -> None:
    order: list[str] = []
    times = {"ours": iter([6.0, 2.0, 8.0]), "floor": iter([2.0, 1.0, 2.0])}

    def side(name: str) -> float:
        order.append(name)
        return next(times[name])

    figure = alternate(
        "f", "u", ours=lambda: side("ours"), floor=lambda: side("floor"), count=2, rounds=3, aim=3.0, floor_count=1
    )
    assert order == ["floor", "ours", "ours", "floor", "floor", "ours"]
    assert (figure.ours, figure.floor) == (3.0, 2.0)
    assert (figure.low, figure.ratio, figure.high) == (1.0, 1.5, 2.0)
    assert figure.met is True


def test_the_command_prints_one_document_with_machine_ratio_and_aim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert measure(["decide"], Session(as_json=True, lang="en"), TINY) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["machine"]) == set(machine(tmp_path))
    [benchmark] = found["benchmarks"]
    assert benchmark["name"] == "decide"
    assert benchmark["figures"][0]["aim"] == 3.0
    assert isinstance(benchmark["figures"][0]["met"], bool)


def test_people_get_a_table_with_the_floor_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    measure(["decide"], Session(lang="en"), TINY)
    shown = " ".join(capsys.readouterr().out.split())
    assert "guards alone, passing" in shown
    assert "bare transitions" in shown


def test_a_benchmark_that_there_is_not_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(NotFound, match=r"speed.*step, batch, decide, tick, verify, append, notices, reports, web"):
        measure(["speed"], Session(lang="en"))


def test_a_document_without_results_is_still_one() -> None:
    assert document({"processors": 2}, []) == {"machine": {"processors": 2}, "benchmarks": []}
