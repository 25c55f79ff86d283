"""Telephone numbers as SMS channels take them: E.164, `+` and 8 to 15 digits."""

from __future__ import annotations

import re

_E164 = re.compile(r"\+[1-9][0-9]{7,14}\Z")


def good_number(number: str) -> bool:
    """True if this is a number as in E.164."""
    return bool(_E164.match(number))
