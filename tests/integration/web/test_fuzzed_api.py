"""What the description says may be sent, and what it says may not, made by Schemathesis: never an error of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from engine.core.commands import Start
from engine.steps import By
from tests.web_office import PagesOffice, Program, serving

EXAMPLES, SOAK = 4, 60  # of each call and mode


@pytest.fixture(scope="module")
def office() -> Iterator[PagesOffice]:
    with serving() as found:
        facts = {"full_name": "Trần Văn A"}
        found.service.start(Start(workflow="candidate", org="cb1", id="0", facts=facts), By(officer="cb1_clerk"))
        yield found


def _fuzz(office: PagesOffice, examples: int) -> tuple[int, list[object]]:
    """Plays so many examples of every call; returns how many were answered, and what was an error of ours."""
    program = Program(office, "tu_both")
    schema = schemathesis.openapi.from_dict(json.loads(program.http.get("/openapi.json").text))
    seen = [0]
    wrong: list[object] = []
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if operation.path.startswith("/tokens/"):
            continue  # it would end its own token
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @settings(
                max_examples=examples, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(case=operation.as_strategy(generation_mode=mode))
            def play(case: schemathesis.Case) -> None:
                headers = {**dict(case.headers or {}), "Authorization": f"Bearer {program.secret}"}
                answer = case.call(base_url=f"{office.base}/api", headers=headers)
                seen[0] += 1
                if answer.status_code >= 500 or (
                    answer.status_code >= 400 and '"code"' not in answer.text and answer.text != "not found\n"
                ):
                    wrong.append((case.method, case.path, answer.status_code, answer.text[:300]))

            play()
    return seen[0], wrong


def test_no_call_of_the_description_is_an_error_of_ours(office: PagesOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    _unlimited(monkeypatch)
    seen, wrong = _fuzz(office, EXAMPLES)
    assert wrong == []
    assert seen > 100


@pytest.mark.soak
def test_none_of_very_many_calls_is_an_error_of_ours(office: PagesOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    _unlimited(monkeypatch)
    seen, wrong = _fuzz(office, SOAK)
    assert wrong == []
    assert seen > 2_000


def _unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets one address ask as often as it likes."""
    monkeypatch.setattr("web.api.limits.Buckets.take", lambda *_, **__: None)
