"""The values that facts hold, their types, and the two texts of each: as typed, and as stored.

Unknown is None: a fact that nobody wrote is not in the mapping of facts, and `facts.get(name)` gives None.
A value is bool, int, Decimal, str (text, choice, org, subject), date, datetime (with a zone) or a dict of key to value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Literal

from engine.core.errors import BadInput

type_names = ("text", "int", "decimal", "bool", "date", "datetime", "choice", "org", "subject", "map")
TypeName = Literal["text", "int", "decimal", "bool", "date", "datetime", "choice", "org", "subject", "map"]

Scalar = bool | int | Decimal | str | date | datetime
Value = Scalar | dict[str, Scalar]
Facts = Mapping[str, Value]

TEXT_LIMIT = 20_000  # letters in one text fact
NUMBER_LIMIT = 10**15


@dataclass(frozen=True, kw_only=True)
class Type:
    """The type of a fact. `options` are a choice's values, lowest first; `of` and `keys` belong to a map.

    A map with `keys=None` takes any key.
    """

    name: TypeName
    options: tuple[str, ...] = ()
    of: Type | None = None
    keys: tuple[str, ...] | None = None


class WrongType(BadInput):
    """{fact}: {value} is not {expected}"""

    def __init__(self, fact: str, value: object, expected: str) -> None:
        shown = str(value)
        super().__init__(WrongType.__doc__ or "", fact=fact, value=shown[:80], expected=expected)


_INT = re.compile(r"[+-]?\d{1,15}\Z")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})\Z")
_VN_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})\Z")


def parse(fact: str, type_: Type, raw: object, zone: tzinfo) -> Value | None:
    """Reads one value as a person or a program wrote it; None is unknown.

    Texts are read by the type, never guessed: `015` stays `015` in a text and is 15 in a number. Dates are
    `YYYY-MM-DD` or `dd/mm/yyyy`; a time without a zone is in `zone`. Raises WrongType.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    if type_.name == "map":
        return _parse_map(fact, type_, raw, zone)
    return _parse_scalar(fact, type_, raw, zone)


def parse_map_change(fact: str, type_: Type, raw: object, zone: tzinfo) -> dict[str, Scalar | None]:
    """Reads a change of a map: key to value, None where the key becomes unknown. Raises WrongType."""
    if not isinstance(raw, Mapping):
        raise WrongType(fact, raw, "key: value")
    change: dict[str, Scalar | None] = {}
    for key, item in raw.items():
        name = str(key)
        if type_.keys is not None and name not in type_.keys:
            raise WrongType(f"{fact}.{name}", name, "one of " + ", ".join(type_.keys))
        assert type_.of is not None
        change[name] = None if item is None else _parse_scalar(f"{fact}.{name}", type_.of, item, zone)
    return change


def _parse_map(fact: str, type_: Type, raw: object, zone: tzinfo) -> Value | None:
    change = parse_map_change(fact, type_, raw, zone)
    return {k: v for k, v in change.items() if v is not None} or None


def _parse_scalar(fact: str, type_: Type, raw: object, zone: tzinfo) -> Scalar:
    match type_.name:
        case "bool":
            return _parse_bool(fact, raw)
        case "int":
            return _parse_int(fact, raw)
        case "decimal":
            return _parse_decimal(fact, raw)
        case "date":
            return _parse_date(fact, raw)
        case "datetime":
            return _parse_datetime(fact, raw, zone)
        case "choice":
            if isinstance(raw, str) and raw in type_.options:
                return raw
            raise WrongType(fact, raw, "one of " + ", ".join(type_.options))
        case _:
            return _parse_text(fact, raw)


def _parse_text(fact: str, raw: object) -> str:
    if isinstance(raw, bool) or not isinstance(raw, str | int | Decimal | float | date):
        raise WrongType(fact, raw, "a text")
    text = unicodedata.normalize("NFC", str(raw))
    if len(text) > TEXT_LIMIT or "\x00" in text:
        raise WrongType(fact, text, f"a text of at most {TEXT_LIMIT} letters")
    return text


def _parse_bool(fact: str, raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw in ("true", "false"):
        return raw == "true"
    raise WrongType(fact, raw, "true or false")


def _parse_int(fact: str, raw: object) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < NUMBER_LIMIT:
        return raw
    if isinstance(raw, str) and _INT.match(raw):
        return int(raw)
    raise WrongType(fact, raw, "a whole number")


def _parse_decimal(fact: str, raw: object) -> Decimal:
    if isinstance(raw, int | float | str | Decimal) and not isinstance(raw, bool):
        try:
            number = Decimal(str(raw))
        except InvalidOperation:
            raise WrongType(fact, raw, "a number") from None
        if number.is_finite() and abs(number) < NUMBER_LIMIT:
            return number
    raise WrongType(fact, raw, "a number")


def _parse_date(fact: str, raw: object) -> date:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    if isinstance(raw, str):
        text = raw.strip()
        try:
            if m := _DATE.match(text):
                return date(int(m[1]), int(m[2]), int(m[3]))
            if m := _VN_DATE.match(text):
                return date(int(m[3]), int(m[2]), int(m[1]))
        except ValueError:
            pass
    raise WrongType(fact, raw, "a date (YYYY-MM-DD)")


def _parse_datetime(fact: str, raw: object, zone: tzinfo) -> datetime:
    if isinstance(raw, str):
        try:
            raw = datetime.fromisoformat(raw.strip())
        except ValueError:
            raise WrongType(fact, raw, "a time (YYYY-MM-DD HH:MM)") from None
    if isinstance(raw, datetime):
        try:
            return (raw if raw.tzinfo else raw.replace(tzinfo=zone)).astimezone(UTC)
        except OverflowError:
            pass
    raise WrongType(fact, raw, "a time (YYYY-MM-DD HH:MM)")


Json = None | bool | int | str | dict[str, "Json"] | list["Json"]


def to_json(value: Value | None) -> Json:
    """Returns the stored form: dates and times ISO 8601 (times in UTC), decimals as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {k: to_json(v) for k, v in value.items()}
    return str(value)


def from_json(type_: Type, stored: Json) -> Value | None:
    """Reads back what `to_json` wrote for a fact of this type."""
    if stored is None:
        return None
    match type_.name:
        case "date":
            return date.fromisoformat(str(stored))
        case "datetime":
            return datetime.fromisoformat(str(stored))
        case "decimal":
            return Decimal(str(stored))
        case "map":
            assert type_.of is not None
            assert isinstance(stored, dict)
            of = type_.of
            return {k: v for k, item in stored.items() if (v := _scalar_from_json(of, item)) is not None}
        case _:
            assert isinstance(stored, bool | int | str)
            return stored


def _scalar_from_json(type_: Type, stored: Json) -> Scalar | None:
    value = from_json(type_, stored)
    assert not isinstance(value, dict)
    return value
