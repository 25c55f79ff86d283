"""Days and months: working days, office hours, months by the calendar. Pure; days off are passed in."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

ONE_DAY = timedelta(days=1)
FARTHEST = 10_000  # working days in one step


def add_months(day: date, n: int) -> date:
    """Returns the day `n` months on, the last of the month where that month is shorter. Raises OverflowError."""
    months = day.year * 12 + day.month - 1 + n
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError("year out of range")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def months_between(a: date, b: date) -> int:
    """Returns the calendar months from `a` to `b`, the day of the month left out."""
    return (b.year - a.year) * 12 + b.month - a.month


@dataclass(frozen=True, kw_only=True, eq=False)
class Calendar:
    """The office's calendar. `days_off` gives the national days off of a year; the office's own days go before them."""

    zone: tzinfo
    days_off: Callable[[int], frozenset[date]]
    own_off: frozenset[date] = frozenset()
    own_work: frozenset[date] = frozenset()
    weekend: frozenset[int] = frozenset({5, 6})
    office_hours: tuple[time, time] = (time(7, 30), time(17, 0))
    _years: dict[int, frozenset[date]] = field(default_factory=dict, repr=False)

    def is_working(self, day: date) -> bool:
        """Tells whether a day is a working day."""
        if day in self.own_work:
            return True
        if day.weekday() in self.weekend or day in self.own_off:
            return False
        off = self._years.get(day.year)
        if off is None:
            off = self._years[day.year] = self.days_off(day.year)
        return day not in off

    def add_working_days(self, day: date, n: int) -> date:
        """Returns the `n`-th working day after a day (the first after it is 1), before it when negative, itself for 0.

        Raises OverflowError past the calendar's ends or FARTHEST.
        """
        if abs(n) > FARTHEST:
            raise OverflowError("too many working days")
        step = ONE_DAY if n > 0 else -ONE_DAY
        left = abs(n)
        while left:
            day += step
            if self.is_working(day):
                left -= 1
        return day

    def working_days_between(self, a: date, b: date) -> int:
        """Returns how many working days lie after `a`, up to and with `b`; negative when `b` is before `a`.

        Raises OverflowError when the days lie more than 40 years apart.
        """
        if abs((b - a).days) > 15_000:
            raise OverflowError("too far apart")
        low, high = min(a, b), max(a, b)
        n, day = 0, low
        while day < high:
            day += ONE_DAY
            n += self.is_working(day)
        return n if b >= a else -n

    def working_on_or_before(self, day: date) -> date:
        """Returns the day, or the last working day before it."""
        return self._nearest(day, -ONE_DAY)

    def working_on_or_after(self, day: date) -> date:
        """Returns the day, or the first working day after it."""
        return self._nearest(day, ONE_DAY)

    def _nearest(self, day: date, step: timedelta) -> date:
        for _ in range(FARTHEST):
            if self.is_working(day):
                return day
            day += step
        raise OverflowError("no working day")

    def first_working_day(self, day: date) -> date:
        """Returns the first working day of the day's month."""
        return self.working_on_or_after(day.replace(day=1))

    def last_working_day(self, day: date) -> date:
        """Returns the last working day of the day's month."""
        return self.working_on_or_before(day.replace(day=monthrange(day.year, day.month)[1]))

    def day_of(self, at: datetime) -> date:
        """Returns the day of a time, in the office's zone."""
        return at.astimezone(self.zone).date()

    def start_of(self, day: date) -> datetime:
        """Returns the first moment of a day in the office's zone, in UTC."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def next_sending(self, at: datetime) -> datetime:
        """Returns the first moment from `at` on that lies in office hours of a working day (their ends included), in UTC."""
        local = at.astimezone(self.zone)
        opens, closes = self.office_hours
        day = local.date()
        if self.is_working(day) and local.time() <= closes:
            return max(local, datetime.combine(day, opens, self.zone)).astimezone(UTC)
        return datetime.combine(self.working_on_or_after(day + ONE_DAY), opens, self.zone).astimezone(UTC)
