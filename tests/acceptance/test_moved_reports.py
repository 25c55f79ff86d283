"""A town goes out and into an empty database, and every report there says the same, its marks included."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cli.bootstrap import build_service
from cli.scenario import Runner
from cli.scenario_file import read_scenario
from engine import exporting
from engine.core import events
from engine.core.errors import BadInput
from engine.core.marks import marks
from engine.doors.oversight import Found
from engine.ledger import Via, entries
from engine.library import shipped_folder, shipped_sources
from engine.officework import OfficerChange
from engine.service import Service
from engine.steps import By
from engine.store.memory import MemoryStore
from engine.verifying import verify
from reports.letters import Letter
from reports.making import Request, make
from reports.periods import Span, day_span, month_span, quarter_span, year_span, years_span

FOLDER = shipped_folder() / "admission"
REPORTS = sorted(p.stem for p in (FOLDER / "reports").glob("*.yaml") if p.stem != "letterhead")
SPANS = (
    year_span(2023), year_span(2024), years_span(2023, 2024), quarter_span("2024-Q1"), month_span("2024-02"),
    day_span(date(2023, 12, 29)), day_span(date(2024, 2, 9)), day_span(date(2024, 4, 30)),
)  # fmt: skip
OURS = ("made_at", "history_entries", "restored_entries")  # that it came in an export is said

MORE = Path(__file__).parents[1] / "data" / "moving" / "after-2023.yaml"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """The town in May 2024."""
    year = (FOLDER / "scenarios" / "year-2023.yaml").read_text(encoding="utf-8").rstrip()
    text = f"{year}\n{MORE.read_text(encoding='utf-8')}"
    path = tmp_path_factory.mktemp("town") / "town.yaml"
    path.write_text(text.replace("workflows: [..]", "workflows: [admission]"), encoding="utf-8")
    file, tree = read_scenario(path)
    runner = Runner(file, tree, path, MemoryStore())
    result = runner.play()
    assert result.passed, result.failures
    return runner


@pytest.fixture(scope="module")
def document(town: Runner) -> str:
    """What the town exports."""
    return _exported(town.service)


def _exported(service: Service) -> str:
    with service.work() as work:
        return json.dumps(exporting.exported(work))


def _moved(town: Runner, document: str) -> Service:
    store = MemoryStore()
    store.create()
    service = build_service(store, town.clock, Via(channel="scenario"), master=b"\x08" * 32, zone=town.zone)
    service.kit.compiled = town.service.kit.compiled
    service.load(shipped_sources(), sandbox=True)
    service.past.restore(json.loads(document))
    return service


@pytest.fixture(scope="module")
def moved(town: Runner, document: str) -> Service:
    """The same office in another database."""
    return _moved(town, document)


def _made(service: Service, name: str, span: Span, subject: str | None = None) -> dict[str, Any] | str:
    try:
        return make(service, FOLDER, Request(name=name, span=span, subject=subject), Letter()).json()
    except BadInput as error:
        return error.text()  # not of such a period


def _same(one: dict[str, Any] | str, two: dict[str, Any] | str) -> None:
    if isinstance(one, str) or isinstance(two, str):
        assert one == two
        return
    assert {k: v for k, v in one.items() if k not in OURS} == {k: v for k, v in two.items() if k not in OURS}
    assert one["restored_entries"] == 0
    assert two["history_entries"] - two["restored_entries"] == one["history_entries"]


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_says_the_same_after_the_move(town: Runner, moved: Service, name: str) -> None:
    """Figures, rows and the number of late entries are the same, in every period and before and after a tick."""
    here = [_made(town.service, name, span) for span in SPANS]
    assert any(isinstance(r, dict) and r["sections"] for r in here)
    for one, span in zip(here, SPANS, strict=True):
        _same(one, _made(moved, name, span))
    moved.tick()
    for one, span in zip(here, SPANS, strict=True):
        _same(one, _made(moved, name, span))


def test_a_list_of_one_class_says_the_same(town: Runner, moved: Service) -> None:
    """A report of a subject moves too, results and numbers in it."""
    here, there = (_made(s, "class_list", day_span(date(2024, 4, 30)), "lop1") for s in (town.service, moved))
    assert isinstance(here, dict)
    assert any(s["rows"] for s in here["sections"])
    _same(here, there)


def test_late_entries_are_told_from_what_only_came_over(town: Runner, moved: Service) -> None:
    """The yearly report of 2023 counts what was entered in 2024 for 2023 as late, and says what came in an export."""
    here, there = (
        make(s, FOLDER, Request(name="yearly", span=year_span(2023)), Letter()) for s in (town.service, moved)
    )
    assert here.late_entries == there.late_entries == 2  # Em's beginning and recognition; the certificate was undone
    assert len(here.notes) == 1
    assert there.notes[0] == here.notes[0]
    assert "tệp xuất" in there.notes[1]
    assert len(there.notes) == 2


def test_moved_twice_is_as_moved_once(town: Runner, moved: Service, document: str) -> None:
    """An export of what was imported says the same of each event as the first one, and its reports do."""
    again = _exported(moved)
    first, second = (json.loads(d)["subjects"] for d in (document, again))
    kept = ("on", "trigger", "to", "org", "facts", "reason", "by", "by_clock", "breaches", "history")
    for one, two in zip(first, second, strict=True):
        assert [{k: e[k] for k in kept} for e in one["events"]] == [{k: e[k] for k in kept} for e in two["events"]]
        assert [e["detail"]["recorded_at"] for e in one["events"]] == [
            e["detail"]["recorded_at"] for e in two["events"]
        ]
    third = _moved(town, again)
    _same(_made(town.service, "yearly", year_span(2023)), _made(third, "yearly", year_span(2023)))


def test_what_came_over_is_history_and_no_checked_step(moved: Service) -> None:
    """Of every event in the other database no rule is said to have been asked there, and its trail verifies."""
    with moved.work() as work:
        told = [e for e in entries(work.tx.events(), None, work.kit.sealer) if e.subject and e.kind in events.CHANGING]
        found = [e for e in told if "origin" in e.detail]
        assert found
        assert all(e.history and not e.rules for e in found)
        assert not {events.MOVED} & {e.kind for e in found}
        steps = list(entries(work.tx.events(subject="e"), work.keys, work.kit.sealer))
        shown = marks(steps, lambda at: work.calendar.day_of(events.unstamp(at)))
    assert [shown[e.id].delay_days for e in steps if e.trigger == "recognise"] == [21]  # 20/12 to 10/01
    assert [c.was for e in steps for c in shown[e.id].corrects] == ["1990-01-01"]
    assert verify(moved).problems == []


def test_the_inspector_finds_the_same_late_entries(town: Runner, document: str) -> None:
    """What was late there is late here by as many days, and nothing else is."""
    moved, inspector = _moved(town, document), OfficerChange(id="kt", name="Kiểm Tra", org="tu", roles=("inspector",))
    for service in (town.service, moved):
        service.set_up().officers([inspector])
    here = town.service.oversight.late(date(2023, 1, 1), date(2024, 5, 6), By(officer="kt"))
    there = moved.oversight.late(date(2024, 5, 6), date(2024, 5, 6), By(officer="kt"))
    assert _late(there) == _late(here)
    assert len(_late(here)) >= 5


def _late(found: Found) -> set[tuple[str | None, str | None, int]]:
    return {
        (e.subject, e.trigger, found.delays[e.seq])
        for e in found.entries
        if e.kind in (events.MOVED, events.RECORDED)
        and (e.subject, e.trigger) != ("e", "certify")  # undone: stays there
    }


def _broken(document: str, **changes: object) -> dict[str, Any]:
    """Returns the export with the last event of someone changed."""
    whole: dict[str, Any] = json.loads(document)
    last = next(s for s in whole["subjects"] if s["id"] == "a")["events"][-1]
    for key, value in changes.items():
        (last if key == "history" else last["detail"])[key] = value
    return whole


@pytest.mark.parametrize(
    "changes",
    [
        {"rules": [["two_thirds", "guard", "pass", "2021-07-30"]]},
        {"actor": "btv"},
        {"undoes": "x"},
        {"origin": "none"},
        {"recorded_at": "2099-01-01T00:00:00.000000Z"},
        {"recorded_at": "yesterday"},
        {"happened": "yesterday"},
    ],
)
def test_an_export_cannot_bring_what_only_a_trail_can_say(
    town: Runner, document: str, changes: dict[str, object]
) -> None:
    """Judged rules, who acted here, what undoes what, and times to come are refused, and nothing is brought in."""
    store = MemoryStore()
    store.create()
    service = build_service(store, town.clock, Via(channel="scenario"), master=b"\x08" * 32, zone=town.zone)
    service.kit.compiled = town.service.kit.compiled
    service.load(shipped_sources(), sandbox=True)
    with pytest.raises(BadInput, match="changed since it was made"):
        service.past.restore(_broken(document, **changes))
    with service.work() as work:
        assert not work.tx.orgs()
