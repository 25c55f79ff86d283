"""The period of a report: a year, a quarter, a month, several years, any days, or how things stand on one day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from engine.core.calendar import add_months
from engine.core.errors import BadInput
from reports.layouts import Period


@dataclass(frozen=True, kw_only=True)
class Span:
    """From the first to the last day, both included; `first` is None for how things stand on the last day."""

    kind: Period
    first: date | None
    last: date

    def words(self) -> dict[str, object]:
        """Returns what a text about the period may name."""
        first = self.first or self.last
        return {
            "year": self.last.year,
            "quarter": ("I", "II", "III", "IV")[(self.last.month - 1) // 3],
            "month": f"{self.last.month:02d}" if self.last.month < 3 else str(self.last.month),  # as clerks write it
            "first": first.strftime("%d/%m/%Y"),
            "last": self.last.strftime("%d/%m/%Y"),
            "first_year": first.year,
            "last_year": self.last.year,
        }

    @property
    def name(self) -> str:
        """Its name in that of a file."""
        return {
            "year": f"{self.last.year}",
            "years": f"{(self.first or self.last).year}-{self.last.year}",
            "quarter": f"{self.last.year}-Q{self.last.month // 3}",
            "month": f"{self.last:%Y-%m}",
            "days": f"{self.first}-{self.last}",
            "day": f"{self.last}",
        }[self.kind]

    def months(self) -> list[str]:
        """Returns its months, `YYYY-MM`."""
        at = (self.first or self.last).replace(day=1)
        found: list[str] = []
        while at <= self.last:
            found.append(f"{at:%Y-%m}")
            at = add_months(at, 1)
        return found


def year_span(year: int) -> Span:
    """Returns a year."""
    return Span(kind="year", first=_day(year, 1), last=_day(year, 12, 31))


def years_span(first: int, last: int) -> Span:
    """Returns several years, a term. Raises BadInput when they are the wrong way round."""
    if last < first:
        raise BadInput("the last day lies before the first")
    return Span(kind="years", first=_day(first, 1), last=_day(last, 12, 31))


def quarter_span(text: str) -> Span:
    """Reads a quarter, YYYY-QN. Raises BadInput."""
    found = re.fullmatch(r"(\d{4})-?[Qq]([1-4])", text.strip())
    if found is None:
        raise BadInput("{value} is not a quarter (YYYY-Q1 to YYYY-Q4)", value=text[:40])
    first = _day(int(found[1]), int(found[2]) * 3 - 2)
    return Span(kind="quarter", first=first, last=add_months(first, 3) - timedelta(days=1))


def month_span(text: str) -> Span:
    """Reads a month, YYYY-MM or MM/YYYY. Raises BadInput."""
    text = text.strip()
    found = re.fullmatch(r"(?P<y>\d{4})-(?P<m>\d{1,2})", text) or re.fullmatch(r"(?P<m>\d{1,2})/(?P<y>\d{4})", text)
    if found is None or not 1 <= int(found["m"]) <= 12:
        raise BadInput("{value} is not a month (YYYY-MM)", value=text[:40])
    first = _day(int(found["y"]), int(found["m"]))
    return Span(kind="month", first=first, last=add_months(first, 1) - timedelta(days=1))


def days_span(first: date, last: date) -> Span:
    """Returns any days. Raises BadInput when they are the wrong way round."""
    if last < first:
        raise BadInput("the last day lies before the first")
    return Span(kind="days", first=first, last=last)


def day_span(day: date) -> Span:
    """Returns one day: how things stand at its end."""
    return Span(kind="day", first=None, last=day)


def _day(year: int, month: int, day: int = 1) -> date:
    if not 1900 <= year <= 9998:
        raise BadInput("{value} is not a year", value=year)
    return date(year, month, day)
