"""The benchmarks run, and measure what they say. Nothing here is timed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from starlette.routing import compile_path

from benchmarks.all import BENCHMARKS, document, machine, run_one
from benchmarks.floor import Floor, template_of
from benchmarks.measure import Sizes, alternate
from benchmarks.pages import PAGES
from benchmarks.town import BY, SeededRandom, candidate, made, open_town, review
from cli.bench import measure
from cli.session import Session
from engine.core.errors import NotFound
from tests.who_may import PAGES as OFFICE_PAGES

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
    officers=6,
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
        *(f"full: {part}" for part in ("hashes", "bodies", "checkpoints", "office", "subjects", "deciding", "waiting")),
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
    "web": [*(p.name for p in PAGES if not p.follows), "facts written"],
}
# Pages of the office that `web` does not visit, and why.
UNVISITED = {
    "/list": "leads to the first list",
    "/work/{job}": "how far work in the background is",
    "/reports/made/{job}": "made in the background; `reports` measures it",
    "/notices/forecasts/{job}": "made in the background",
    "/imports/{job}/preview": "made in the background",
    "/imports/{job}/done": "made in the background",
    "/inspection/supervised/{job}": "made in the background",
    "/inspection/verified/{job}": "made in the background; `verify` measures it",
    "/inspection/bundles/{job}": "made in the background",
    "/inspection/bundles/{job}/file": "made in the background",
    "/inspection/checkpoint/note": "a file of ten lines",
    "/sign-in": "is slow on purpose",
    "/own-password": "is asked for once, of whoever was given a password",
    "/sign-in/provider": "leads elsewhere",
    "/sign-in/provider/back": "comes from elsewhere",
    "/static/{file}": "a file",
}
# Where what is posted, and a link that is followed, lead.
LED = {
    "list, found by name": "/list/{workflow}/view/{view}",
    "list, the next page": "/list/{workflow}/after/{subject}",
    "list, found by name, the next page": "/list/{workflow}/view/{view}/after/{subject}",
    "list, in one state, the next page": "/list/{workflow}/at/{state}/after/{subject}",
    "list, a filter kept": "/list/{workflow}/saved/{id}",
    "list, a filter kept, the next page": "/list/{workflow}/saved/{id}/after/{subject}",
    "form to print": "/subjects/{subject}/forms/{form}",
    "yearly plans, narrowed": "/grid/{workflow}/{period}/view/{view}",
    "targets and results of a year": "/scores/view/{view}",
    "numbers, found": "/matters/{workflow}/numbers/view/{view}",
    "officers, found by name": "/officers/view/{view}",
    "inspection of a period": "/inspection/period/{view}",
    "inspection of a period, a list": "/inspection/lists/{what}/{view}",
    "trail, by rule": "/inspection/search/{view}",
}


def test_every_page_of_the_office_is_visited() -> None:
    """A new page needs a line in `benchmarks/pages.py`."""
    plain = [p.path for p in PAGES if p.posted is None and not p.follows]
    shown = {path for method, path in OFFICE_PAGES if method == "GET"}
    visited = {path for path in shown if any(compile_path(path)[0].fullmatch(p) for p in plain)}
    assert set(LED) <= {p.name for p in PAGES}
    assert shown - visited - set(LED.values()) == set(UNVISITED)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_benchmark_gives_its_figures_beside_a_floor_and_leaves_nothing_behind(name: str, tmp_path: Path) -> None:
    result = run_one(name, tmp_path, TINY)
    followed = {p.name for p in PAGES if p.follows}  # few people fill no second page
    assert [f.name for f in result.figures if f.name not in followed] == FIGURES[name]
    if name == "web":
        bare = {f.name: f.bare for f in result.figures if f.name != "facts written"}
        assert all(seconds is not None and seconds > 0 for seconds in bare.values())
        assert all(f.processor and f.processor_ratio for f in result.figures)
        assert (result.counts["faults"], result.counts["lost updates"]) == (0, 0)
        assert result.counts["requests"] > 2 * len(PAGES)
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
    # what lists and searches are read by follows from the rest; the floor makes none of it
    made_beside = {"dues", "listings", "stands", "terms", "judged"}
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
