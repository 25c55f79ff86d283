"""Random commands at the candidate's machine against the oracle: what may happen happens, and nothing else does."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.oracle import RULES
from tests.unit.oracle_machine import Machine


def run(machine: type[Machine], examples: int, steps: int, *, fixed: bool) -> Counter[str]:
    """Runs a machine; returns what came of its commands."""
    machine.seen = Counter()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate],  # the dice cannot be made smaller
            derandomize=fixed,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return machine.seen


class OnSqlite(Machine):
    """The same on a file."""

    url = "sqlite"


def test_random_commands_do_what_the_oracle_says_and_nothing_else() -> None:
    """No illegal step goes through, every refusal names its rules and changes nothing, the trail verifies."""
    seen = run(Machine, 220, 50, fixed=True)
    for what in ("did admit", "did refuse", "lapse", "undo allowed", "refused", "denied separation_of_duties"):
        assert seen[what] > 0, f"nothing was tried that leads to: {what}; {seen}"


def test_random_commands_on_sqlite_do_what_the_oracle_says() -> None:
    """The same, where a step is durable."""
    seen = run(OnSqlite, 6, 30, fixed=True)
    assert seen["refused"] > 0
    assert seen["bad"] > 0


@pytest.mark.soak
@pytest.mark.parametrize("machine", [Machine, OnSqlite])
def test_many_random_commands_do_what_the_oracle_says(machine: type[Machine]) -> None:
    """The long form, with new seeds each time; every rule is met passing, failing and undecided as far as it can be."""
    seen = run(machine, 3000 if machine is Machine else 300, 100, fixed=False)
    never = {"papers_complete unknown", "reason_given unknown", "introduced unknown", "introduced fail",
             "motives_known fail", "helper_named fail", "certificate_given fail", "application_made fail",
             "application_made unknown"}  # fmt: skip
    for rule_id in RULES:
        for result in ("pass", "fail", "unknown"):
            assert seen[f"{rule_id} {result}"] > 0 or f"{rule_id} {result}" in never or machine is OnSqlite, seen
