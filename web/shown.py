"""How values look on a page: days as dd/mm/yyyy, choices by their label, units by their name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cached_property, lru_cache

from engine.core.authority import Tree
from engine.core.calendar import Calendar
from engine.core.collation import text_key
from engine.core.definition import Entry
from engine.core.events import unstamp
from engine.core.machine import Definition
from engine.core.values import Value

Translate = Callable[[str], str]


order_key = lru_cache(maxsize=4096)(text_key)  # where the name of a unit belongs


def day(value: date | str | None) -> str:
    """Returns a day as people read it."""
    if value is None or value == "":
        return ""
    found = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return found.strftime("%d/%m/%Y")


def sentence(text: str) -> str:
    """Returns a message of the program as a page says it: from a capital to a full stop, its days as dd/mm/yyyy."""
    said = re.sub(r"(?<![\w-])(\d{4})-(\d\d)-(\d\d)(?![\w-])", r"\3/\2/\1", text.rstrip())
    if re.match(r"[^\W\d_]+(?=[ ,.]|$)", said):  # a code, such as a sign-in name, stays as it is
        said = said[0].upper() + said[1:]
    return said if not said or said[-1] in ".!?…:;" else said + "."


def period(value: str) -> str:
    """Returns the name of a period as people read it: a month as mm/yyyy, a day as dd/mm/yyyy, a year as it is."""
    if re.fullmatch(r"\d{4}-\d{2}", value):
        return f"{value[5:]}/{value[:4]}"
    return day(value) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) else value


def moment(value: datetime | str | None, zone: tzinfo) -> str:
    """Returns a time as people read it, in the office's zone."""
    if value is None or value == "":
        return ""
    found = unstamp(value) if isinstance(value, str) else value
    return found.astimezone(zone).strftime("%d/%m/%Y, %H:%M")


def entries(definition: Definition, fact: str) -> Mapping[str, Entry]:
    """Returns the list that a choice's values, or a map's keys, come from."""
    spec = definition.file.facts[fact]
    if spec.type == "choice" and spec.of:
        return definition.area.file.lists.get(spec.of[0], {})
    return definition.area.file.lists.get(spec.keys or "", {})


class Values:
    """Shows the values of facts in one language."""

    def __init__(self, lang: str, translate: Translate, zone: tzinfo, tree: Tree) -> None:
        self.lang, self._, self.zone, self.tree = lang, translate, zone, tree

    def say(self, text: str) -> str:
        """Returns a text of the program."""
        return self._(text)

    def text(self, definition: Definition, fact: str, value: Value | None) -> str:
        """Returns a fact's value as people read it; '' when it is unknown."""
        if value is None:
            return ""
        if isinstance(value, dict):
            known = entries(definition, fact)
            shown = ((known[k].label.of(self.lang) if k in known else k, self.plain(v)) for k, v in value.items())
            return "; ".join(f"{label}: {text}" for label, text in shown)
        kind = definition.types[fact].name
        if kind == "choice":
            known = entries(definition, fact)
            return known[str(value)].label.of(self.lang) if value in known else str(value)
        if kind == "org":
            return self.unit(str(value))
        words = definition.file.facts[fact].shows.get(value) if isinstance(value, str) else None
        return self.plain(value) if words is None else words.of(self.lang)

    def plain(self, value: Value | None) -> str:
        """Returns a value whose fact is not known, or does not matter."""
        if isinstance(value, bool):
            return self._("Yes") if value else self._("No")
        if isinstance(value, datetime):
            return moment(value, self.zone)
        if isinstance(value, date):
            return day(value)
        if isinstance(value, Decimal):
            return str(value).replace(".", ",") if self.lang == "vi" else str(value)
        return "" if value is None else str(value)

    def unit(self, org: str) -> str:
        """Returns a unit's name."""
        found = self.tree.by_id.get(org)
        return found.name if found is not None else org

    def unit_apart(self, org: str) -> str:
        """Returns a unit's name for a choice among units: where others are called the same, with the unit above."""
        found = self.tree.by_id.get(org)
        above = self.tree.by_id.get(found.parent or "") if found is not None else None
        if above is None or self._names[self.unit(org)] == 1:
            return self.unit(org)
        return f"{self.unit(org)}, {above.name}"

    @cached_property
    def _names(self) -> Counter[str]:
        return Counter(o.name for o in self.tree.by_id.values())


def age(since: date, today: date, translate: Translate) -> str:
    """Returns how long something has stood, in months, in days within the first."""
    months = (today.year - since.year) * 12 + today.month - since.month - (today.day < since.day)
    if months >= 1:
        return translate("{n} months").format(n=months)
    return translate("{n} days").format(n=max(0, (today - since).days))


def left(calendar: Calendar, today: date, due: date, translate: Translate) -> tuple[str, str]:
    """Returns how much time is left up to a day, in words, and the class of its chip: late, soon or nothing."""
    if due < today:
        days = max(1, calendar.working_days_between(due, today))
        return translate("{n} working days over").format(n=days), "late"
    if due == today:
        return translate("today"), "soon"
    days = calendar.working_days_between(today, due)
    text = translate("{n} working days left").format(n=days)
    if not calendar.is_working(due):
        text = translate("{n} working days left, on a day off").format(n=days)
    return text, "soon" if days <= 5 else ""
