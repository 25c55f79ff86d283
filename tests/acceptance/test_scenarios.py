"""Scenarios are what an office expects: those of the project hold, and the runner tells when one does not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.scenario import as_json, run_file
from engine.core.errors import BadInput
from engine.library import Compiled, compile_all, shipped_sources

ROOT = Path(__file__).resolve().parents[2]
OWN = Path(__file__).resolve().parent / "scenarios"
FILES = sorted([*ROOT.glob("workflows/*/scenarios/*.yaml"), *ROOT.glob("examples/**/scenarios/*.yaml")])
DEFINITIONS = list(compile_all(shipped_sources(), Compiled()).values())

HEAD = """\
scenario: A small office
workflows: [candidate, probation, annual_plan]
clock: 2023-12-29 08:00
office:
  orgs:
    - {id: tu, kind: town_committee, name: Thị ủy}
    - {id: tcnv, kind: organisation_agency, name: Cơ quan Tổ chức - Nội vụ, parent: tu}
    - {id: xa1, kind: grassroots_committee, name: Đảng ủy xã A, parent: tu}
  officers:
    - {id: lan, name: Nguyễn Thị Lan, org: xa1, roles: [secretary], email: lan@example.org}
    - {id: minh, name: Trần Minh, org: tcnv, roles: [clerk], email: minh@example.org}
steps:
"""
PLAN = "{workflow: annual_plan, org: xa1, year: 2024}"
RECEIVED = f"  - {{at: 2024-01-25 00:00, do: receive, subject: {PLAN}, as: minh}}\n"
START = (
    "  - {start: {workflow: candidate, id: u1, org: xa1, facts: {full_name: Lê Văn An}}, as: lan}\n"
    "  - {do: recognise, subject: u1, as: lan, facts: {branch_proposed_on: 2023-12-29, motives: A}"
)


def written(folder: Path, text: str, head: str = HEAD) -> Path:
    """Returns a scenario file with these steps."""
    path = folder / "scenario.yaml"
    path.write_text(head + text, encoding="utf-8")
    return path


def failures(path: Path) -> list[dict[str, Any]]:
    """Returns what does not hold in a scenario, as `--json` prints it."""
    found: list[dict[str, Any]] = json.loads(json.dumps(as_json(run_file(path)), default=str))["failures"]
    return found


def ketnap(*args: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs the command as a person would, in a folder of its own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("KETNAP")}
    return subprocess.run(
        [sys.executable, "-m", "cli", *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
    )


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_scenario_holds(path: Path) -> None:
    """Every scenario of the project holds, step by step."""
    result = run_file(path)
    assert not result.failures, json.dumps(as_json(result)["failures"], ensure_ascii=False, indent=1, default=str)
    assert result.steps > 0


def expectations() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yields every step of the project's scenarios that does something, with what it expects."""
    for path in FILES:
        for step in yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)["steps"]:
            yield step, step.get("expect", {})


def test_every_rule_stands_in_the_way_once() -> None:
    """Each shipped rule fails or is unknown in some scenario; the clock's only ever passes there, and one that only
    warns never stands in the way, so it is cited, and shown where it is not met."""
    seen = {rule for _, expect in expectations() for key in ("refused", "unknown") for rule in expect.get(key, ())}
    cited = {rule for _, expect in expectations() for rule in expect.get("cites", ())}
    steps = [t for d in DEFINITIONS for t in d.file.transitions.values()]
    by_clock = {g for t in steps if t.by == ["clock"] for g in t.guards}
    only_warn = {w for t in steps for w in t.warns} - {r for t in steps for r in (*t.guards, *t.limits)}
    assert {rule for d in DEFINITIONS for rule in d.file.rules} - by_clock - only_warn - seen == set()
    assert only_warn - cited == set()
    assert only_warn - {rule for _, expect in expectations() for rule in expect.get("warned", ())} == set()


def test_every_trigger_goes_through_and_is_kept_from_someone() -> None:
    """Each shipped trigger that people pull goes through in some scenario, and in another is denied."""
    people = {name for d in DEFINITIONS for name, t in d.file.transitions.items() if t.by != ["clock"]}
    barred = ("refused", "unknown", "denied", "error")
    through = {step.get("do") for step, expect in expectations() if not any(expect.get(k) for k in barred)}
    denied = {step.get("do") for step, expect in expectations() if expect.get("denied")}
    assert (people - through, people - denied) == (set(), set())


def test_every_notice_rule_is_sent_once() -> None:
    """Each shipped notice rule goes out in some scenario, but for those of checkpoints: a scenario's trail, on a set
    clock, is signed by nobody (tests/integration/cli/test_inspector.py reads such a mail)."""
    sent = {
        match.get("rule")
        for _, expect in expectations()
        for match in _listed(expect.get("notices", {}).get("sent", []))
    }
    told = {rule for d in DEFINITIONS if not d.file.checkpoint for rule in d.file.notices}
    assert told - sent == set()


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_the_example_of_the_format_holds() -> None:
    """The example that explains the format is itself a scenario that holds."""
    result = run_file(OWN / "contract_example.yaml")
    assert (result.failures, result.steps) == ([], 2)


@pytest.mark.parametrize(
    ("steps", "step", "line", "expected", "got"),
    [
        (RECEIVED.replace("minh}", "minh, expect: {state: open}}"), 1, 13, {"state": "open"}, "received"),
        (
            RECEIVED.replace("minh}", "minh, expect: {facts: {late: false}}}"),
            1,
            13,
            {"facts": {"late": False}},
            {"late": True},
        ),
        (RECEIVED.replace("minh}", "lan}"), 1, 13, "went through", {"denied": True, "why": "role"}),
        (RECEIVED.replace("minh}", "minh, expect: {warned: [late]}}"), 1, 13, {"warned": ["late"]}, []),
        (
            RECEIVED.replace("minh}", "minh, expect: {denied: true}}"),
            1,
            13,
            {"denied": True},
            "went through",
        ),
        (
            RECEIVED + "  - expect: {notices: {count: {rule: plan_reminder, to: lan, n: 3}}}\n",
            2,
            14,
            {"count": {"rule": "plan_reminder", "to": "lan", "n": 3}},
            4,
        ),
        (
            RECEIVED + f"  - {{subject: {PLAN}, expect: {{events: {{n: 9}}}}}}\n",
            2,
            14,
            {"events": 9},
            2,
        ),
        (
            START + ", expect: {refused: [helper_named]}}\n",
            2,
            14,
            {"refused": ["helper_named"], "unknown": []},
            {"refused": [], "unknown": ["helper_named"]},
        ),
        (
            START + ", expect: {unknown: [helper_named], cites: {introduced: Không có}}}\n",
            2,
            14,
            {"cites": {"introduced": "Không có"}},
            ["Quy định làm việc của cơ quan thực hiện Chỉ thị 15-CT/TU"],
        ),
        (
            START + ", expect: {error: helper}}\n",
            2,
            14,
            {"error": "helper"},
            {"refused": [], "unknown": ["helper_named"]},
        ),
        (
            START + ", expect: {unknown: [helper_named], allowed: [recognise]}}\n",
            2,
            14,
            {"allowed": ["recognise"]},
            [],
        ),
        (
            START + ", expect: {unknown: [helper_named], audit: {verified: false}}}\n",
            2,
            14,
            {"verified": False},
            True,
        ),
    ],
)
def test_wrong_expectation_is_reported(
    tmp_path: Path, steps: str, step: int, line: int, expected: Any, got: Any
) -> None:
    """What does not hold is told with its step, its line, what was expected and what came."""
    found = failures(written(tmp_path, steps))
    assert {"step": step, "line": line, "expected": expected, "got": got} in found


def test_a_wrong_none_shows_the_notice(tmp_path: Path) -> None:
    """A notice that should not have gone out is shown with its day and its reader."""
    (found,) = failures(
        written(tmp_path, RECEIVED + "  - expect: {notices: {none: {rule: plan_opened, to: lan, on: 2024-01-02}}}\n")
    )
    assert [(n["rule"], n["to"], n["at"]) for n in found["got"]] == [("plan_opened", "lan", "2024-01-02 07:30")]


def test_a_missing_notice_shows_what_went_out(tmp_path: Path) -> None:
    """Where an expected notice did not go out, those that did are shown."""
    (found,) = failures(written(tmp_path, RECEIVED + "  - expect: {notices: {sent: [{rule: plan_overdue}]}}\n"))
    assert found["expected"] == {"sent": {"rule": "plan_overdue"}}
    assert {n["rule"] for n in found["got"]} == {"plan_opened", "plan_reminder"}


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("  - {att: 2024-01-02 08:00}\n", 13, "att"),
        ("  - {at: 2024-01-02 08:00, at: 2024-01-03 08:00}\n", 13, "at"),
        ("  - {at: tomorrow}\n", 13, "YYYY-MM-DD HH:MM"),
        ("  - {expect: {stat: open}}\n", 13, "stat"),
        (f"  - {{do: receive, subject: {PLAN}}}\n", 13, "as"),
        ("  - {do: receive, as: minh}\n", 13, "subject"),
        ("  - {at: 2023-12-01 08:00}\n", 13, "2023-12-29 08:00:00+07:00"),
        ("  - &one {at: 2024-01-02 08:00}\n  - *one\n", 13, "anchor"),
        ("  - {fail: {channel: email, kind: never, times: 1}}\n", 13, "never"),
        ("  - {fail: {channel: pigeon, kind: temporary, times: 1}}\n", 13, "pigeon"),
        ("  - {office: {orgs: [{id: xa9, kind: village, parent: tu}]}}\n", 13, "village"),
        ("  - {expect: [\n", 14, ""),
    ],
)
def test_invalid_file_ends_in_exit_code_2(tmp_path: Path, text: str, line: int, word: str) -> None:
    """A file that is no scenario is refused as bad input, with its place and the word that is wrong."""
    path = written(tmp_path, text)
    done = ketnap("test", "--json", "--lang", "en", str(path), folder=tmp_path)
    (printed,) = [json.loads(x) for x in done.stdout.splitlines()]
    assert done.returncode == 2, done
    told = json.dumps(printed["error"], ensure_ascii=False)
    assert word in told
    places = {printed["error"].get("line")} | {f["line"] for f in printed["error"].get("findings", ())}
    assert line in places


@pytest.mark.parametrize("missing", ["scenario", "clock", "steps"])
def test_a_file_without_what_every_scenario_has_is_refused(tmp_path: Path, missing: str) -> None:
    """Title, clock and steps are needed; the one that lacks is named."""
    lines = {"scenario": "scenario: x\n", "clock": "clock: 2024-01-02 08:00\n", "steps": "steps: []\n"}
    path = written(tmp_path, "", "".join(v for k, v in lines.items() if k != missing))
    with pytest.raises(BadInput) as caught:
        run_file(path)
    assert missing in caught.value.text()


def test_the_command_prints_a_line_a_file_and_the_worst_exit_code(tmp_path: Path) -> None:
    """`test` prints one JSON document a line per file, and ends with 1 when one scenario does not hold."""
    good = OWN / "contract_example.yaml"
    bad = written(tmp_path, RECEIVED.replace("minh}", "minh, expect: {state: open}}"))
    done = ketnap("test", "--json", str(good), str(bad), folder=tmp_path)
    first, second = [json.loads(x) for x in done.stdout.splitlines()]
    assert done.returncode == 1, done
    assert (first["scenario"], first["passed"], first["steps"], first["failures"]) == (
        "A plan on the last good evening is in time",
        True,
        2,
        [],
    )
    assert (second["passed"], second["steps"]) == (False, 1)
    assert second["failures"] == [{"step": 1, "line": 13, "expected": {"state": "open"}, "got": "received"}]
    assert ketnap("test", str(good), folder=tmp_path).returncode == 0


def test_a_kept_database_must_be_empty(tmp_path: Path) -> None:
    """With --db a scenario runs on an empty database that is kept; a second run on it is refused."""
    url = f"sqlite:///{tmp_path / 'kept.db'}"
    good = str(OWN / "contract_example.yaml")
    assert ketnap("test", "--db", url, good, folder=tmp_path).returncode == 0
    assert (tmp_path / "kept.db").stat().st_size > 0
    again = ketnap("test", "--json", "--db", url, good, folder=tmp_path)
    assert again.returncode == 2
    assert "kept.db" in again.stdout


@pytest.mark.parametrize("named", ["mine", "mine/annual_plan.yaml"])
def test_a_scenario_plays_an_offices_own_files(tmp_path: Path, named: str) -> None:
    """A folder or file named under `workflows`, from beside the scenario, is played instead of the shipped one."""
    mine = tmp_path / "mine"
    shutil.copytree(ROOT / "workflows" / "admission", mine, ignore=shutil.ignore_patterns("scenarios"))
    plan = (mine / "annual_plan.yaml").read_text(encoding="utf-8")
    assert ">= date(year, 1, 25)" in plan
    (mine / "annual_plan.yaml").write_text(
        plan.replace(">= date(year, 1, 25)", ">= date(year, 2, 1)"), encoding="utf-8"
    )
    steps = RECEIVED.replace("2024-01-25 00:00", "2024-01-31 23:59").replace(
        "minh}", "minh, expect: {facts: {late: false}}}"
    )
    shipped = written(tmp_path, steps)
    assert [f["got"] for f in failures(shipped)] == [{"late": True}]
    own = written(tmp_path, steps, HEAD.replace("[candidate, probation, annual_plan]", f"[{named}]"))
    assert failures(own) == []


def test_workflows_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    """A name under `workflows` that is no folder, file or shipped workflow is bad input that names it."""
    path = written(tmp_path, RECEIVED, HEAD.replace("annual_plan]", "yearly_plan]"))
    done = ketnap("test", "--json", "--lang", "en", str(path), folder=tmp_path)
    assert done.returncode == 2
    assert "yearly_plan" in json.loads(done.stdout)["error"]["message"]
