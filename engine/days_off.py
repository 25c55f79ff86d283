"""National days off, from the `holidays` library: observed and substituted days included, its working Saturdays not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache

import holidays

from engine.core.errors import BadInput


@cache
def _year(country: str, year: int) -> frozenset[date]:
    try:
        days = holidays.country_holidays(country, years=year, observed=True, expand=False)
    except NotImplementedError:
        raise BadInput("the days off of {country} are not known", country=country) from None
    return frozenset(day for day in days if day.year == year)


def national_days_off(country: str, years: Iterable[int]) -> frozenset[date]:
    """Returns the days off of a country (ISO 3166 code) in these years; none where the library knows none.

    Raises BadInput for a country that the library does not know.
    """
    return frozenset().union(*(_year(country, year) for year in years))
