"""A town's year of notices: each on a working day in office hours, none without a cause, as the forecast said."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta

import pytest

from engine.clock import SetClock
from engine.core.commands import Move
from engine.steps import By
from engine.store.copy import copy_into_memory
from notifications.forecast import forecast
from tests.town_year import Town, new_year
from tests.world import ZONE, office_time, wire

SMALL = (20, 500)
WHOLE = (200, 5_000)
YEARS = [
    pytest.param(2025, SMALL),
    *(pytest.param(year, WHOLE, marks=pytest.mark.soak) for year in (2023, 2025, 2028)),
]

# The days off of the town's year besides weekends, as the law and the government's notices have them: Tết by the moon,
# Hung Kings on 10/3 of the moon, and the days in lieu.
TET = {
    2023: (date(2023, 1, 20), date(2023, 1, 26)),
    2025: (date(2025, 1, 25), date(2025, 2, 2)),
    2028: (date(2028, 1, 25), date(2028, 1, 29)),
}
_MOVED = {"drop_reason": "moved"}
FIXED = ((1, 1), (4, 30), (5, 1), (9, 2))


def town(year: int, size: tuple[int, int]) -> Town:
    """Returns a town whose year is about to begin, with what was due before already sent."""
    made = Town(year, units=size[0], candidates=size[1])
    made.play(new_year(year))
    made.went.clear()
    return made


@pytest.mark.parametrize(("year", "size"), YEARS)
def test_a_year_in_which_nothing_is_done_goes_as_forecast_on_new_years_day(year: int, size: tuple[int, int]) -> None:
    """On working days in office hours; a person gets at most one message a day on a channel; the same list twice."""
    made = town(year, size)
    end = new_year(year + 1)
    clock = SetClock(made.clock.now())
    expected = [
        (e.at, e.row.rule, e.row.subject, e.row.recipient, e.row.channel)
        for e in forecast(wire(copy_into_memory(made.store), clock, "forecast"), clock, end)
    ]
    made.play(end - timedelta(microseconds=1))
    assert sorted((w.at, *w.key) for w in made.went) == sorted(expected)
    rules = Counter(w.rule for w in made.went)
    assert rules["plan_reminder"] >= 4 * size[0]
    assert rules["review_missed"] >= 11 * size[0]
    assert rules["certificate_expiring"] > 0
    assert rules["dossier_expiring"] > 0
    assert rules["decision_due"] > 0
    for w in made.went:
        _in_office_hours(w.at.astimezone(ZONE))
    assert len({(*w.key, w.at) for w in made.went}) == len(made.went)
    messages = {w.message: (w.to, w.channel, w.at.astimezone(ZONE).date()) for w in made.went}
    assert max(Counter(messages.values()).values()) == 1
    assert not any(w.late for w in made.went)


def _in_office_hours(at: datetime) -> None:
    first, last = TET.get(at.year, (date.max, date.max))
    assert time(7, 30) <= at.time() <= time(17, 0)
    assert at.weekday() < 5
    assert not first <= at.date() <= last
    assert (at.month, at.day) not in FIXED


@pytest.mark.parametrize(("year", "size"), YEARS)
def test_nothing_goes_out_after_its_cause_was_gone(year: int, size: tuple[int, int]) -> None:
    """Plans are received, reviews held, candidates leave the list, at any hour of any day; then nothing more comes."""
    made = town(year, size)
    ended: dict[str, datetime] = {}
    agency, chosen = By(officer="tcnv_clerk"), iter(range(10**9))

    def act(now: datetime) -> None:
        for _ in range(3):
            n = next(chosen)
            unit = f"x{n * 7 % size[0]}"
            month = now.astimezone(ZONE).strftime("%Y-%m")
            secretary = By(officer=f"{unit}_secretary")
            for subject, trigger, by, facts in (
                (f"annual_plan-{unit}-{year}", "receive", agency, {}),
                (f"monthly_review-{unit}-{month}", "skip", secretary, {}),
                (
                    f"u{n % size[1]}",
                    "drop",
                    By(officer=f"x{n % size[1] % size[0]}_secretary"),
                    {"drop_reason": "moved"},
                ),
            ):
                if subject in ended:
                    continue
                try:
                    made.service.move(Move(subject=subject, trigger=trigger, facts=facts, reason="vì"), by)
                except Exception as error:  # noqa: BLE001 - not opened yet, or in another state
                    del error
                else:
                    ended[subject] = now

    made.play(new_year(year + 1) - timedelta(microseconds=1), act)
    assert len(ended) > size[0]
    after = [w for w in made.went if w.subject in ended and w.at > ended[w.subject]]
    assert after == []


@pytest.mark.parametrize("first", [date(2025, 1, 2), date(2025, 1, 8)])
@pytest.mark.parametrize("size", [SMALL, pytest.param(WHOLE, marks=pytest.mark.soak)])
def test_five_days_without_the_machine_differ_by_exactly_the_late_notices(size: tuple[int, int], first: date) -> None:
    """What was missed goes out once when it is back, says so, and only while it is true; nothing else changes."""
    down = office_time(first, time(6, 0))
    back = office_time(first + timedelta(days=5 if first.weekday() else 6), time(6, 40))
    until = office_time(date(2025, 3, 31), time(23, 0))
    morning = office_time(back.date(), time(7, 30))
    steady, stopped = town(2025, size), town(2025, size)
    steady.play(down)
    before = _states(steady, size)
    steady.play(morning - timedelta(microseconds=1))
    moved_on = {id for id, state in _states(steady, size).items() if state != before[id]}  # by the clock, meanwhile
    steady.play(until)
    stopped.play(until, stop=(down, back))
    on_time = {(w.at, *w.key) for w in steady.went}
    there = {(w.at, *w.key) for w in stopped.went}
    missed = [w for w in steady.went if (w.at, *w.key) not in there]
    late = [w for w in stopped.went if (w.at, *w.key) not in on_time]
    assert missed
    assert all(down <= w.at < back for w in missed)
    assert all(w.late and w.at == morning for w in late)
    assert not any(w.late for w in stopped.went if w not in late)
    on_that_day = {w.key for w in steady.went if w.at == morning}  # of several of one rule, one
    told, wanted = {w.key for w in late}, {w.key for w in missed} - on_that_day
    assert told <= wanted
    assert {subject for _, subject, *_ in wanted - told} <= moved_on
    assert len(late) == len(told)


def _states(town: Town, size: tuple[int, int]) -> dict[str, str]:
    with town.service.work() as work:
        return {id: row.state for id, row in work.tx.subjects(f"u{n}" for n in range(size[1])).items()}


def test_days_off_entered_later_move_what_is_planned() -> None:
    """A reminder moves earlier, what is sent after a day moves later, and nothing is dropped."""
    plain, moved = town(2025, SMALL), town(2025, SMALL)
    made_off = [
        date(2025, 1, 17),
        date(2025, 1, 16),
    ]  # a Friday and a Thursday: seven days before the 24th, and one more
    moved.play(office_time(date(2025, 1, 13), time(9, 0)))
    moved.service.set_up().days((day, True) for day in made_off)
    for one in (plain, moved):
        one.play(office_time(date(2025, 1, 23), time(23, 0)))
    days = [
        sorted({w.at.astimezone(ZONE).date() for w in one.went if w.rule == "plan_reminder"}) for one in (plain, moved)
    ]
    assert days == [
        [date(2025, 1, 9), date(2025, 1, 17), date(2025, 1, 21)],
        [date(2025, 1, 9), date(2025, 1, 15), date(2025, 1, 21)],
    ]
    counts = [Counter(w.rule for w in one.went)["plan_reminder"] for one in (plain, moved)]
    assert counts[0] == counts[1]
