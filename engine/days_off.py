"""National days off, from the `holidays` library: observed and substituted days included, its working Saturdays not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache

import holidays


@cache
def _year(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year, observed=True))


def national_days_off(country: str, years: Iterable[int]) -> frozenset[date]:
    """Returns the days off of a country (ISO 3166 code) in these years. Raises NotImplementedError for one unknown."""
    return frozenset().union(*(_year(country, y) for y in years))
