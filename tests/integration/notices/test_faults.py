"""Notices under faults at every boundary: none doubled, none lost without a trace, every unknown one listed."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from benchmarks import faults
from engine.verifying import verify


@pytest.mark.parametrize(
    ("notices", "patience_s"),
    [
        (10_000, 1_500.0),  # patience for a busy machine; a quiet one needs a fraction of it
        pytest.param(100_000, 9_000.0, marks=pytest.mark.soak),
    ],
)
def test_under_faults_no_notice_is_doubled_or_lost_and_every_unknown_one_is_listed(
    tmp_path: Path, notices: int, patience_s: float
) -> None:
    """5 % crash before the wire, 5 % after acceptance, 7 % lose the answer, 5 % are put off; workers are killed."""
    played = faults.play(tmp_path, notices, idempotent=False, speed=faults.SPEED, patience_s=patience_s)
    by_state = Counter(r.state for r in played.rows)
    assert len(played.rows) == len({r.message for r in played.rows}) == notices
    assert set(by_state) <= {"accepted", "unknown"}
    assert (played.doubled, played.lost) == (0, 0)
    unknown = [r for r, _ in played.service.outbox.rows(states=["unknown"])]
    assert len(unknown) == by_state["unknown"]
    # 17 % of the attempts, and what was in the hands of the killed
    assert 0.10 * notices < len(unknown) < 0.30 * notices
    assert played.killed >= 1
    assert verify(played.service).ok
    print(f"{notices} notices in {played.seconds:.0f} s: {dict(by_state)}; workers killed: {played.killed}")


def test_a_channel_that_takes_a_key_settles_everything_by_itself(tmp_path: Path) -> None:
    """The same id may reach the gateway again; whoever keeps ids keeps one copy, and nothing is left unknown."""
    played = faults.play(tmp_path, 300, idempotent=True, speed=faults.FAST, patience_s=200.0)
    assert {r.state for r in played.rows} == {"accepted"}
    assert set(played.taken) == {r.message for r in played.rows}
    assert len(played.taken) == 300


def test_what_was_doubled_or_lost_would_be_counted(tmp_path: Path) -> None:
    """The counts that are printed are not zero by themselves."""
    played = faults.play(tmp_path, 20, idempotent=False, speed=faults.FAST, patience_s=200.0)
    assert (played.doubled, played.lost) == (0, 0)
    sent = next(r.message for r in played.rows if r.state == "accepted")
    assert sent is not None
    played.taken[sent] += 1
    assert (played.doubled, played.lost) == (1, 0)
    del played.taken[sent]
    played.taken["a message of nobody"] = 1
    assert (played.doubled, played.lost) == (0, 2)


def test_the_clock_of_the_faults_keeps_office_hours_and_skips_weekends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four days from Tuesday are Friday; the next is Monday."""
    seconds = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: seconds[0])
    clock = faults.OfficeClock(0.0, 1.0)
    day = 9.5 * 3600

    def at(s: float) -> str:
        seconds[0] = s
        moment: datetime = clock.now()
        return f"{moment.astimezone(faults.ZONE):%a %d %H:%M}"

    wanted = ["Tue 02 07:30", "Tue 02 08:30", "Wed 03 07:30", "Fri 05 07:30", "Mon 08 07:30", "Mon 15 07:30"]
    assert [at(s) for s in (0, 3600, day, 3 * day, 4 * day, 9 * day)] == wanted
