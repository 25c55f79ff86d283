"""How values stand in documents: days and numbers as officials write them, codes by labels, dots for the unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from engine.core.machine import Definition
from engine.core.values import Type, Value

DOTS = "." * 30


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A value as a document shows it; `value` is None for what is not known, and prints as dots."""

    text: str
    value: Value | None = None

    def __str__(self) -> str:
        return self.text if self.value is not None else DOTS

    def __html__(self) -> str:
        """Returns the text for a file of markup."""
        from markupsafe import escape

        return str(escape(str(self)))

    def __bool__(self) -> bool:
        """Tells whether it is known, and not `no`: so that a file may ask `{% if is_member %}`."""
        return self.value is not None and self.value is not False

    def __getattr__(self, key: str) -> Shown:
        """Returns an entry of a map, dots where there is none."""
        if key.startswith("_"):
            raise AttributeError(key)
        return self.entry(key)

    def entry(self, key: str) -> Shown:  # noqa: ARG002 - a single value has no entries
        """Returns an entry of a map: dots, for this is none."""
        return UNKNOWN


class ShownMap(Shown):
    """A map as a document shows it: by entry."""

    def __init__(self, entries: Mapping[str, Shown]) -> None:
        object.__setattr__(self, "text", "; ".join(str(v) for v in entries.values()))
        object.__setattr__(self, "value", dict.fromkeys(entries, "") or None)
        object.__setattr__(self, "entries", entries)

    def __getattr__(self, key: str) -> Shown:
        if key.startswith("_"):
            raise AttributeError(key)
        return self.entry(key)

    def entry(self, key: str) -> Shown:
        """Returns an entry, dots where there is none."""
        found: Mapping[str, Shown] = object.__getattribute__(self, "entries")
        return found.get(key, UNKNOWN)


UNKNOWN = Shown(text="")


def day_text(day: date) -> str:
    """Returns a day as officials write it in tables: dd/mm/yyyy."""
    return day.strftime("%d/%m/%Y")


def number_text(value: int | Decimal) -> str:
    """Returns a number with a comma for decimals and no more of them than two."""
    if isinstance(value, int):
        return str(value)
    rounded = value.quantize(Decimal("0.01")).normalize()
    return format(rounded, "f").replace(".", ",")


@dataclass(frozen=True, kw_only=True)
class Shower:
    """Shows values of one workflow in one language. `names` tells what an organisation or a subject is called."""

    definition: Definition
    lang: str
    zone: tzinfo
    names: Callable[[str, str], str]  # (type, id) -> name

    def fact(self, name: str, value: Value | None) -> Shown:
        """Returns a fact's value as shown."""
        if value is None:
            return UNKNOWN
        type_ = self.definition.types[name]
        spec = self.definition.file.facts[name]
        if isinstance(value, Mapping):
            of = type_.of or Type(name="text")
            labels = self.definition.area.file.lists.get((spec.of or [""])[0], {})
            texts = {k: labels[v].label.of(self.lang) for k, v in value.items() if isinstance(v, str) and v in labels}
            return ShownMap({k: Shown(text=texts.get(k, self.plain(of, v)), value=v) for k, v in value.items()})
        if type_.name == "choice" and spec.of:
            entry = self.definition.area.file.lists[spec.of[0]].get(str(value))
            return Shown(text=entry.label.of(self.lang) if entry is not None else str(value), value=value)
        word = spec.shows.get(value) if isinstance(value, str) else None
        return Shown(text=self.plain(type_, value) if word is None else word.of(self.lang), value=value)

    def plain(self, type_: Type, value: Any) -> str:
        """Returns a single value as text."""
        if isinstance(value, bool):
            return {"vi": ("không", "có"), "en": ("no", "yes")}["en" if self.lang == "en" else "vi"][value]
        if isinstance(value, datetime):
            return value.astimezone(self.zone).strftime("%H:%M %d/%m/%Y")
        if isinstance(value, date):
            return day_text(value)
        if isinstance(value, int | Decimal):
            return number_text(value)
        return self.names(type_.name, str(value)) if type_.name in ("org", "subject") else str(value)


# ---- filters that files may use ----


def long_day(shown: object) -> object:
    """`{{ decided_on|long }}`: ngày 05 tháng 3 năm 2025; months from March to September without a nought."""
    value = getattr(shown, "value", None)
    if not isinstance(value, date):
        return "ngày ....... tháng ....... năm ............"
    month = f"{value.month:02d}" if value.month < 3 else str(value.month)
    return f"ngày {value.day:02d} tháng {month} năm {value.year}"


def upper(shown: object) -> object:
    """`{{ unit|upper }}`: capitals; dots stay dots."""
    return str(shown).upper()


def year(shown: object) -> object:
    """`{{ decided_on|year }}`: the year alone."""
    value = getattr(shown, "value", None)
    return str(value.year) if isinstance(value, date) else "............"


def month(shown: object) -> object:
    """`{{ period|month }}`: a month kept as YYYY-MM, as officials write it: 3/2024."""
    number, _, rest = str(shown).partition("-")
    return f"{int(rest)}/{number}" if number.isdigit() and rest.isdigit() else str(shown)


def percent_of(shown: object, whole: object) -> object:
    """`{{ votes_for|percent_of(members) }}`: the share in percent, with at most two decimals."""
    part, all_ = getattr(shown, "value", None), getattr(whole, "value", None)
    if not isinstance(part, int | Decimal) or not isinstance(all_, int | Decimal) or not all_:
        return "........"
    return number_text(Decimal(100) * part / all_)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "long": long_day, "upper": upper, "year": year, "month": month, "percent_of": percent_of,
}  # fmt: skip
