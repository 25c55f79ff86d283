"""Days and months: working days, office hours, months by the calendar. Pure; days off are passed in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

ONE_DAY = timedelta(days=1)
FARTHEST = 10_000  # working days in one step
LONGEST_DAYS = 36_525  # between two days whose working days are counted: a hundred years


def add_months(day: date, n: int) -> date:
    """Returns the day `n` months on, the last of the month where that month is shorter. Raises OverflowError."""
    year, month = divmod(day.year * 12 + day.month - 1 + n, 12)
    if not 1 <= year <= 9999:
        raise OverflowError("year out of range")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def months_between(a: date, b: date) -> int:
    """Returns the calendar months from `a` to `b`, the day of the month left out."""
    return (b.year - a.year) * 12 + b.month - a.month


# A calendar is built for every step, the days of a year hardly ever change: what one found out the next may use.
@lru_cache(maxsize=512)
def _working_days(
    year: int, weekend: frozenset[int], off: frozenset[date], own_off: frozenset[date], own_work: frozenset[date]
) -> tuple[int, ...]:
    """Returns the working days of a year as ordinals, in order."""
    first, after = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1
    gone = {d.toordinal() for d in off | own_off}
    back = {d.toordinal() for d in own_work if d.year == year}
    return tuple(n for n in range(first, after) if n in back or ((n - 1) % 7 not in weekend and n not in gone))


@dataclass(frozen=True, kw_only=True, eq=False)
class Calendar:
    """The office's calendar. `days_off` gives the national days off of a year.

    A day that the office works (`own_work`) goes before every day off, one that it has off (`own_off`) before the week.
    Raises ValueError when `weekend` (0 is Monday) takes every day or the office closes before it opens.
    """

    zone: tzinfo
    days_off: Callable[[int], frozenset[date]]
    own_off: frozenset[date] = frozenset()
    own_work: frozenset[date] = frozenset()
    weekend: frozenset[int] = frozenset({5, 6})
    office_hours: tuple[time, time] = (time(7, 30), time(17, 0))
    _years: dict[int, tuple[int, ...]] = field(default_factory=dict, repr=False, init=False)

    def __post_init__(self) -> None:
        if self.weekend >= frozenset(range(7)):
            raise ValueError("every day of the week is off")
        if self.office_hours[0] > self.office_hours[1]:
            raise ValueError("the office closes before it opens")

    def _year(self, year: int) -> tuple[int, ...]:
        found = self._years.get(year)
        if found is None:
            if not 1 <= year <= 9999:
                raise OverflowError("year out of range")
            found = _working_days(year, self.weekend, self.days_off(year), self.own_off, self.own_work)
            self._years[year] = found
        return found

    def is_working(self, day: date) -> bool:
        """Tells whether a day is a working day."""
        days, n = self._year(day.year), day.toordinal()
        at = bisect_left(days, n)
        return at < len(days) and days[at] == n

    def add_working_days(self, day: date, n: int) -> date:
        """Returns the `n`-th working day after a day (the first after it is 1), before it when negative, itself for 0.

        Raises OverflowError past the calendar's ends or FARTHEST.
        """
        if abs(n) > FARTHEST:
            raise OverflowError("too many working days")
        if n == 0:
            return day
        year, days = day.year, self._year(day.year)
        if n > 0:
            at = bisect_right(days, day.toordinal()) + n - 1
            while at >= len(days):
                at -= len(days)
                year, days = year + 1, self._year(year + 1)
        else:
            at = bisect_left(days, day.toordinal()) + n
            while at < 0:
                year, days = year - 1, self._year(year - 1)
                at += len(days)
        return date.fromordinal(days[at])

    def working_days_between(self, a: date, b: date) -> int:
        """Returns how many working days lie after `a`, up to and with `b`; negative when `b` is before `a`.

        Raises OverflowError when they lie more than LONGEST_DAYS apart.
        """
        if a > b:
            return -self.working_days_between(b, a)
        if (b - a).days > LONGEST_DAYS:
            raise OverflowError("too far apart")
        before = bisect_right(self._year(a.year), a.toordinal())
        years = sum(len(self._year(y)) for y in range(a.year, b.year))
        return years + bisect_right(self._year(b.year), b.toordinal()) - before

    def working_on_or_before(self, day: date) -> date:
        """Returns the day, or the last working day before it. Raises OverflowError where the calendar begins."""
        return day if self.is_working(day) else self.add_working_days(day, -1)

    def working_on_or_after(self, day: date) -> date:
        """Returns the day, or the first working day after it. Raises OverflowError where the calendar ends."""
        return day if self.is_working(day) else self.add_working_days(day, 1)

    def first_working_day(self, day: date) -> date:
        """Returns the first working day of the day's month (or the next after it, should the whole month be off)."""
        return self.working_on_or_after(day.replace(day=1))

    def last_working_day(self, day: date) -> date:
        """Returns the last working day of the day's month (or the last before it, should the whole month be off)."""
        return self.working_on_or_before(day.replace(day=monthrange(day.year, day.month)[1]))

    def day_of(self, at: datetime) -> date:
        """Returns the day of a time, in the office's zone. Raises ValueError for a time without a zone."""
        return self._local(at).date()

    def start_of(self, day: date) -> datetime:
        """Returns the first moment of a day in the office's zone, in UTC. Raises OverflowError."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def opening(self, day: date) -> datetime:
        """Returns when the office opens on a working day, in UTC."""
        return datetime.combine(day, self.office_hours[0], self.zone).astimezone(UTC)

    def next_sending(self, at: datetime) -> datetime:
        """Returns the first moment from `at` on in the office hours, ends included, of a working day. In UTC.

        Raises ValueError for a time without a zone.
        """
        local = self._local(at)
        opens, closes = self.office_hours
        day = local.date()
        if self.is_working(day) and local.time() <= closes:
            return max(local, datetime.combine(day, opens, self.zone)).astimezone(UTC)
        return datetime.combine(self.add_working_days(day, 1), opens, self.zone).astimezone(UTC)

    def _local(self, at: datetime) -> datetime:
        if at.tzinfo is None:
            raise ValueError("a time without a zone")
        return at.astimezone(self.zone)
