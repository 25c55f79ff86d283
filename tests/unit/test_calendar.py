"""The calendar: working days, months, office hours; and the days off that the library knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.calendar import FARTHEST, LONGEST_DAYS, Calendar, add_months, months_between
from engine.core.errors import BadInput
from engine.days_off import national_days_off

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
D = date.fromisoformat


def vietnam(**own: frozenset[date]) -> Calendar:
    return Calendar(zone=ZONE, days_off=lambda year: national_days_off("VN", [year]), **own)  # type: ignore[arg-type]


def plain(off: frozenset[date] = frozenset(), **own: frozenset[date]) -> Calendar:
    return Calendar(zone=UTC, days_off=lambda year: frozenset(d for d in off if d.year == year), **own)  # type: ignore[arg-type]


# ---- the library's days, pinned: another version that moves them is to be noticed

TET = {
    2021: ("2021-02-10", "2021-02-16"),
    2022: ("2022-01-31", "2022-02-04"),
    2023: ("2023-01-20", "2023-01-26"),
    2024: ("2024-02-08", "2024-02-14"),
    2025: ("2025-01-27", "2025-02-01"),
    2026: ("2026-02-16", "2026-02-20"),
}


@pytest.mark.parametrize(("year", "days"), TET.items())
def test_the_days_off_around_the_lunar_new_year_are_these(year: int, days: tuple[str, str]) -> None:
    first, last = map(D, days)
    off = [d for d in national_days_off("VN", [year]) if date(year, 1, 10) <= d <= date(year, 3, 10)]
    assert sorted(off) == [first + timedelta(days=n) for n in range((last - first).days + 1)]


def test_days_off_observed_and_substituted_are_days_off() -> None:
    off = national_days_off("VN", [2022, 2023, 2024])
    assert D("2022-01-03") in off  # for Saturday, 1 January
    assert {D("2023-05-02"), D("2023-05-03")} <= off  # two days fell on the weekend
    assert D("2024-04-29") in off  # worked on Saturday, 4 May


def test_a_working_saturday_of_the_library_is_not_taken_over() -> None:
    assert not vietnam().is_working(D("2024-05-04"))
    assert vietnam(own_work=frozenset({D("2024-05-04")})).is_working(D("2024-05-04"))


def test_days_off_are_those_of_the_years_asked_for_only() -> None:
    assert {d.year for d in national_days_off("VN", [2023])} == {2023}
    assert national_days_off("VN", []) == frozenset()
    assert national_days_off("VN", [1]) == frozenset()


def test_a_country_nobody_knows_is_bad_input() -> None:
    with pytest.raises(BadInput, match="XX"):
        national_days_off("XX", [2023])


@pytest.mark.parametrize(("year", "last"), [(2021, 22), (2022, 24), (2023, 19), (2024, 24), (2025, 24), (2026, 23)])
def test_the_last_working_day_up_to_24_january(year: int, last: int) -> None:
    assert vietnam().working_on_or_before(date(year, 1, 24)) == date(year, 1, last)


# ---- working days


def test_the_first_working_day_after_a_day_is_day_1() -> None:
    friday, calendar = D("2024-03-01"), plain()
    assert calendar.add_working_days(friday, 1) == D("2024-03-04")
    assert calendar.add_working_days(friday, 5) == D("2024-03-08")
    assert calendar.add_working_days(D("2024-03-02"), 1) == D("2024-03-04")  # from a day off
    assert calendar.add_working_days(D("2024-03-02"), -1) == friday
    assert calendar.add_working_days(D("2024-03-02"), 0) == D("2024-03-02")  # itself, even off


def test_sixty_working_days_step_over_the_lunar_new_year() -> None:
    assert vietnam().add_working_days(D("2022-12-01"), 60) == D("2023-03-03")


def test_own_work_goes_before_every_day_off_and_own_off_before_the_week() -> None:
    saturday, monday, tuesday = D("2024-03-02"), D("2024-03-04"), D("2024-03-05")
    calendar = plain(
        frozenset({tuesday}), own_off=frozenset({monday, saturday}), own_work=frozenset({saturday, tuesday})
    )
    assert [calendar.is_working(d) for d in (saturday, monday, tuesday)] == [True, False, True]


def test_first_and_last_working_day_are_of_the_month() -> None:
    calendar = vietnam()
    assert calendar.first_working_day(D("2023-01-31")) == D("2023-01-03")
    assert calendar.last_working_day(D("2023-09-01")) == D("2023-09-29")
    assert calendar.last_working_day(D("2024-02-01")) == D("2024-02-29")


def test_a_month_that_is_off_as_a_whole_still_gives_a_working_day() -> None:
    calendar = plain(own_off=frozenset(date(2024, 3, n) for n in range(1, 32)))
    assert calendar.first_working_day(D("2024-03-15")) == D("2024-04-01")
    assert calendar.last_working_day(D("2024-03-15")) == D("2024-02-29")


days = st.dates(date(1990, 1, 1), date(2050, 12, 31))
calendars = st.builds(
    lambda off, own_off, own_work, weekend: Calendar(
        zone=UTC,
        days_off=lambda year: frozenset(d for d in off if d.year == year),
        own_off=own_off,
        own_work=own_work,
        weekend=weekend,
    ),
    *[st.frozensets(st.dates(date(2023, 12, 1), date(2024, 2, 1)), max_size=20)] * 3,
    st.frozensets(st.integers(0, 6), max_size=6),
)
near = st.dates(date(2023, 11, 1), date(2024, 3, 1))


@given(calendars, near, st.integers(-80, 80))
def test_working_days_are_counted_as_one_would_by_hand(calendar: Calendar, day: date, n: int) -> None:
    expected, left, step = day, abs(n), timedelta(days=1 if n > 0 else -1)
    while left:
        expected += step
        left -= calendar.is_working(expected)
    assert calendar.add_working_days(day, n) == expected


@given(calendars, near, near)
def test_working_days_between_are_those_after_the_first_up_to_and_with_the_last(
    calendar: Calendar, a: date, b: date
) -> None:
    low, high = min(a, b), max(a, b)
    by_hand = sum(calendar.is_working(low + timedelta(days=n + 1)) for n in range((high - low).days))
    assert calendar.working_days_between(a, b) == (by_hand if b >= a else -by_hand)
    assert calendar.working_days_between(a, b) == -calendar.working_days_between(b, a)


@given(calendars, near, st.integers(1, 80))
def test_counting_undoes_adding(calendar: Calendar, day: date, n: int) -> None:
    assert calendar.working_days_between(day, calendar.add_working_days(day, n)) == n


@given(calendars, near)
def test_the_nearest_working_days_leave_none_between(calendar: Calendar, day: date) -> None:
    before, after = calendar.working_on_or_before(day), calendar.working_on_or_after(day)
    assert before <= day <= after
    assert calendar.is_working(before)
    assert calendar.is_working(after)
    between = [before + timedelta(days=n) for n in range(1, (after - before).days)]
    assert not any(calendar.is_working(d) for d in between)


def test_a_year_is_asked_for_once() -> None:
    asked: list[int] = []

    def off(year: int) -> frozenset[date]:
        asked.append(year)
        return frozenset()

    calendar = Calendar(zone=UTC, days_off=off)
    assert asked == []
    for _ in range(3):
        calendar.add_working_days(D("2024-01-15"), 90)
    assert asked == [2024]


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c.add_working_days(date.max, 1),
        lambda c: c.add_working_days(date.min, -1),
        lambda c: c.add_working_days(D("2024-01-01"), FARTHEST + 1),
        lambda c: c.add_working_days(D("2024-01-01"), -FARTHEST - 1),
        lambda c: c.working_days_between(D("1800-01-01"), D("1800-01-01") + timedelta(days=LONGEST_DAYS + 1)),
        lambda c: c.working_on_or_after(D("9999-12-31")),
        lambda c: c.start_of(date.min),
    ],
)
def test_past_its_ends_the_calendar_raises_overflow(ask: Callable[[Calendar], object]) -> None:
    calendar = Calendar(zone=ZONE, days_off=lambda _: frozenset(), weekend=frozenset({4, 5, 6}))
    assert date.max.weekday() == 4
    with pytest.raises(OverflowError):
        ask(calendar)


def test_a_calendar_without_any_day_to_work_is_refused() -> None:
    with pytest.raises(ValueError, match="every day"):
        Calendar(zone=UTC, days_off=lambda _: frozenset(), weekend=frozenset(range(7)))
    with pytest.raises(ValueError, match="closes"):
        Calendar(zone=UTC, days_off=lambda _: frozenset(), office_hours=(time(17), time(7)))


# ---- months


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        ("2024-01-31", 1, "2024-02-29"),
        ("2023-01-31", 1, "2023-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-03-31", -1, "2024-02-29"),
        ("2019-05-20", 60, "2024-05-20"),
        ("2024-12-01", 1, "2025-01-01"),
        ("2024-01-15", 0, "2024-01-15"),
    ],
)
def test_a_month_later_is_the_same_day_or_the_months_last(day: str, n: int, expected: str) -> None:
    assert add_months(D(day), n) == D(expected)


@pytest.mark.parametrize(("day", "n"), [(date.max, 1), (date.min, -1), (D("2024-01-01"), 10**18)])
def test_months_past_the_calendars_ends_raise_overflow(day: date, n: int) -> None:
    with pytest.raises(OverflowError):
        add_months(day, n)


def test_months_between_leave_the_day_of_the_month_out() -> None:
    assert months_between(D("2006-03-31"), D("2024-03-01")) == 216
    assert months_between(D("2024-03-01"), D("2006-03-31")) == -216


@given(days, st.integers(-600, 600))
def test_months_between_undo_months_added(day: date, n: int) -> None:
    assert months_between(day, add_months(day, n)) == n


# ---- times


def test_a_day_begins_at_midnight_of_the_office() -> None:
    calendar = vietnam()
    assert calendar.start_of(D("2024-01-25")) == datetime(2024, 1, 24, 17, tzinfo=UTC)
    assert calendar.day_of(datetime(2024, 1, 24, 17, tzinfo=UTC)) == D("2024-01-25")
    assert calendar.day_of(datetime(2024, 1, 24, 16, 59, 59, tzinfo=UTC)) == D("2024-01-24")
    assert calendar.start_of(D("2024-01-25")).tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2024, 1, 24, 17)
    with pytest.raises(ValueError, match="zone"):
        vietnam().day_of(naive)
    with pytest.raises(ValueError, match="zone"):
        vietnam().next_sending(naive)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2024-03-04 00:00", "2024-03-04 07:30"),  # Monday, before hours
        ("2024-03-04 07:30", "2024-03-04 07:30"),
        ("2024-03-04 12:34:56", "2024-03-04 12:34:56"),
        ("2024-03-04 17:00", "2024-03-04 17:00"),  # the end counts
        ("2024-03-04 17:00:00.000001", "2024-03-05 07:30"),
        ("2024-03-01 18:00", "2024-03-04 07:30"),  # Friday evening
        ("2024-03-02 10:00", "2024-03-04 07:30"),  # Saturday
        ("2023-01-19 17:01", "2023-01-27 07:30"),  # before the lunar new year
    ],
)
def test_a_notice_goes_out_in_office_hours_of_a_working_day(at: str, expected: str) -> None:
    sending = vietnam().next_sending(datetime.fromisoformat(at).replace(tzinfo=ZONE))
    assert sending == datetime.fromisoformat(expected).replace(tzinfo=ZONE)
    assert sending.tzinfo is UTC


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(timezone(timedelta(hours=3)))))
def test_the_next_sending_is_never_earlier_and_is_its_own_next(at: datetime) -> None:
    calendar = vietnam()
    sending = calendar.next_sending(at)
    assert sending >= at
    assert calendar.next_sending(sending) == sending
    local = sending.astimezone(ZONE)
    assert calendar.is_working(local.date())
    assert time(7, 30) <= local.time() <= time(17)
