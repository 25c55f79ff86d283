"""Supposing other workflow files: what they decide otherwise, of the past and on the way; nothing is written."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine.clock import SetClock
from engine.core.commands import Move, SetFacts, Start
from engine.core.errors import BadInput
from engine.core.reader import FindingsError
from engine.library import Source, find_sources, shipped_folder
from engine.service import Service
from engine.steps import By
from engine.store.ports import Store
from engine.supposing import Otherwise
from tests.world import START, found_office

CLERK, SECRETARY, OTHER = By(officer="xa1_clerk"), By(officer="xa1_secretary"), By(officer="xa2_secretary")
KNOWN: dict[str, Any] = {"full_name": "An", "motives": "Tốt", "helper": "Võ Xuân Bảo"}
PROPOSED = {"branch_proposed_on": "2025-03-01"}
HELPER = "    holds: written(helper)\n    versions: working_rule\n"
LATER = """    holds: written(helper)
    versions:
      - {source: Luật cũ, from: 2000-01-01, until: 2025-12-31, holds: written(helper)}
      - {source: Luật mới, from: 2026-01-01, holds: written(helper) and known(helper_together_since)}
"""


@pytest.fixture
def service(store: Store) -> Service:
    """One who was recognised, one who may be, one without motives, and one elsewhere."""
    made = found_office(store, SetClock(START))
    for id_, org, facts in (
        ("done", "cb1", KNOWN),
        ("next", "cb1", KNOWN),
        ("bare", "cb1", {"full_name": "Bình", "helper": "Võ Xuân Bảo"}),
    ):
        made.start(Start(workflow="candidate", org=org, id=id_, facts=facts), CLERK)
    made.start(Start(workflow="candidate", org="cb3", id="far", facts=KNOWN), OTHER)
    assert made.move(Move(subject="done", trigger="recognise", facts=PROPOSED), SECRETARY).to == "elite"
    return made


def other(folder: Path, *edits: tuple[str, str]) -> list[Source]:
    """Returns the shipped workflows with edits of the candidate's file."""
    there = folder / "other"
    shutil.copytree(shipped_folder() / "admission", there)
    path = there / "candidate.yaml"
    text = path.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return find_sources([str(path)])


def told(found: list[Otherwise]) -> list[tuple[Any, ...]]:
    """Returns subject, trigger, outcomes, and the results of the rules that turned."""
    return [
        (
            o.subject,
            o.trigger,
            o.was.to,
            o.now.to,
            *((t.now or t.was).rule.id for t in o.rules if t.now or t.was),  # type: ignore[union-attr]
            *((t.was and t.was.result, t.now and t.now.result) for t in o.rules),
        )
        for o in found
    ]


def test_the_files_that_are_loaded_decide_nothing_otherwise(service: Service, tmp_path: Path) -> None:
    found = service.supposing.differences(other(tmp_path))
    assert (found.changed, found.past, found.now, found.counts()) == ([], [], [], {})
    assert (found.steps, found.undecided, found.running) == (1, 0, 4)


def test_a_stricter_rule_names_the_step_taken_and_those_on_the_way_and_writes_nothing(
    service: Service, store: Store, tmp_path: Path
) -> None:
    stricter = other(tmp_path, (HELPER, HELPER.replace("written(helper)", "known(helper_together_since)")))
    before = _trail(store)
    found = service.supposing.differences(stricter)
    turned = ("helper_named", ("pass", "fail"))
    assert told(found.past) == [("done", "recognise", "elite", None, *turned)]
    assert found.past[0].rules[0].now is not None
    assert found.past[0].rules[0].now.version is not None
    assert found.past[0].rules[0].now.version.source
    # it stood in the way of `bare` by another rule already, and now by this one too
    assert [line for line in told(found.now) if line[1] == "recognise"] == [
        ("bare", "recognise", None, None, *turned),
        ("far", "recognise", None, None, *turned),
        ("next", "recognise", None, None, *turned),
    ]
    assert found.counts() == {("candidate", "cb1"): (1, 2), ("candidate", "cb3"): (0, 1)}
    assert _trail(store) == before
    assert service.load([], sandbox=True) == [], "nothing of it is loaded"
    assert service.why("next")[0].state == "source"


def test_an_officer_gets_those_that_they_read_only(service: Service, tmp_path: Path) -> None:
    stricter = other(tmp_path, (HELPER, HELPER.replace("written(helper)", "known(helper_together_since)")))
    far = service.supposing.differences(stricter, OTHER)
    assert ({o.subject for o in [*far.past, *far.now]}, far.steps, far.running) == ({"far"}, 0, 1)
    near = service.supposing.differences(stricter, CLERK)
    assert {o.subject for o in [*near.past, *near.now]} == {"done", "bare", "next"}
    nobody = service.supposing.differences(stricter, By(officer="tu_admin"))
    assert (nobody.past, nobody.now, nobody.running) == ([], [], 0)


def test_a_version_of_a_later_day_leaves_the_past_and_is_asked_for_that_day(service: Service, tmp_path: Path) -> None:
    later = other(tmp_path, (HELPER, LATER))
    today = service.supposing.differences(later)
    assert today.changed == ["candidate"]
    assert (today.past, [o for o in today.now if o.trigger == "recognise"]) == ([], [])
    then = service.supposing.differences(later, on=date(2026, 1, 5))
    assert then.past == []
    (found,) = [o for o in then.now if o.subject == "next" and o.trigger == "recognise"]
    (turned,) = found.rules
    assert turned.now is not None
    assert turned.now.version is not None
    assert turned.now.version.source == "Luật mới"


def test_a_step_taken_is_put_to_the_other_drawing_too(service: Service, tmp_path: Path) -> None:
    """Another fact that a step asks for, and a step that is no more; those on the way keep their drawing."""
    asking = other(tmp_path, ("    asks: [branch_proposed_on]\n", "    asks: [branch_proposed_on, birth_date]\n"))
    found = service.supposing.differences(asking)
    assert [(o.subject, o.was.to, o.now.to, o.asks) for o in found.past] == [("done", "elite", None, ["birth_date"])]
    assert found.now == []


def test_what_was_refused_may_become_allowed_by_a_milder_rule(service: Service, tmp_path: Path) -> None:
    service.set_facts(SetFacts(subject="bare", facts=PROPOSED), CLERK)
    milder = other(tmp_path, ("holds: written(motives)", "holds: known(full_name)"))
    found = service.supposing.differences(milder)
    assert ("bare", "recognise", None, "elite", "motives_known", ("unknown", "pass")) in told(found.now)
    assert found.past == []


def test_what_is_foretold_comes_true_when_the_files_are_loaded(service: Service, tmp_path: Path) -> None:
    edits = (HELPER, HELPER.replace("written(helper)", "known(helper_together_since)"))
    sources = other(tmp_path, edits)
    (foretold,) = [
        o for o in service.supposing.differences(sources).now if o.subject == "next" and o.trigger == "recognise"
    ]
    assert service.load(sources) == ["candidate"]
    _, (came,) = service.why("next", "recognise")
    assert came.decision is not None
    assert came.decision.to == foretold.now.to
    assert [(j.rule.id, j.result) for j in came.decision.judgements] == [
        (j.rule.id, j.result) for j in foretold.now.judgements
    ]
    again = service.supposing.differences(sources)
    assert (again.changed, again.now, [o.subject for o in again.past]) == ([], [], ["done"])


def test_the_steps_of_somebody_erased_are_counted_and_not_decided(service: Service, tmp_path: Path) -> None:
    drop = Move(subject="done", trigger="drop", facts={"drop_reason": "moved"}, reason="Đi")
    assert service.move(drop, SECRETARY).to == "closed"
    service.persons.erase("done", "Theo đơn", "Luật", SECRETARY)
    found = service.supposing.differences(other(tmp_path, (HELPER, HELPER.replace("written", "known"))))
    assert (found.steps, found.undecided, found.past) == (0, 2, [])


def test_files_that_are_not_valid_or_of_something_else_are_refused(service: Service, tmp_path: Path) -> None:
    wrong = other(tmp_path, ("holds: written(helper)", "holds: written(frob)"))
    with pytest.raises(FindingsError) as error:
        service.supposing.differences(wrong)
    assert error.value.findings[0].file.endswith("candidate.yaml")
    permits = find_sources([str(shipped_folder().parent / "examples" / "permits")])
    with pytest.raises(BadInput, match="candidate"):
        service.supposing.differences(permits)


def _trail(store: Store) -> list[bytes]:
    with store.transaction(write=False) as unit:
        return [row.body for row in unit.events()]
