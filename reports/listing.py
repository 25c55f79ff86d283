"""Lists: a table with one row for each subject, step or stay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from engine.core.collation import name_key, text_key
from engine.core.values import Type
from reports.counting import Counter, Item
from reports.document import Heading, Line, Value
from reports.grouping import in_order, unit_name
from reports.layout_check import ReadyColumn, ReadySource
from reports.layouts import Column, Letterhead, Listing, Shows
from reports.of_subject import Subject

_SHOWS: dict[str, Shows] = {"int": "number", "decimal": "number", "date": "date", "datetime": "date"}


def table_of(
    counter: Counter,
    spec: Listing,
    source: ReadySource,
    columns: tuple[ReadyColumn, ...],
    letterhead: Letterhead,
    about: Subject | None = None,
) -> tuple[list[Heading], list[Line]]:
    """Returns the columns and rows of a list. `about` is the subject that the report is about."""
    listed = _List(counter, spec, source, columns, letterhead, about)
    return listed.headings(), listed.lines()


class _List:
    def __init__(
        self,
        counter: Counter,
        spec: Listing,
        source: ReadySource,
        columns: tuple[ReadyColumn, ...],
        letterhead: Letterhead,
        about: Subject | None,
    ) -> None:
        self.counter, self.spec, self.source, self.letterhead = counter, spec, source, letterhead
        self.about = about
        self.columns = list(zip(spec.columns, columns, strict=True))
        self.places = {o.id: n for n, o in enumerate(in_order(counter))}

    def headings(self) -> list[Heading]:
        return [
            Heading(
                id=c.fact or c.entry or c.shows or f"column_{n}",
                label=ready.label.of(self.counter.lang),
                shows=c.written or _SHOWS.get(ready.type.name, "text"),
                width=c.width,
                adds_up=c.adds_up,
            )
            for n, (c, ready) in enumerate(self.columns, start=1)
        ]

    def lines(self) -> list[Line]:
        counter = self.counter
        views = [(item, counter.view(item, self.source)) for item in self._items()]
        views.sort(key=lambda pair: self._key(*pair))
        lines: list[Line] = []
        last: str | None = None
        for item, view in views:
            if self.spec.under == "unit" and item.org != last:
                last = item.org
                lines.append(Line(key=last, cells=[unit_name(counter, last, self.letterhead)], kind="group"))
            cells = [self._cell(c, ready, item, view) for c, ready in self.columns]
            lines.append(Line(key=item.track.subject, cells=cells))
        if lines and any(c.adds_up for c, _ in self.columns):
            lines.append(Line(key="total", cells=self._total(lines), kind="total"))
        return lines

    def _items(self) -> list[Item]:
        found = self.counter.items(self.source)
        if self.about is None or self.spec.named_by is None:
            return found
        named = self.about.names(self.spec.named_by, self.spec.named_as)
        return [item for item in found if item.track.subject in named]

    def _key(self, item: Item, view: dict[str, Any]) -> tuple[Any, ...]:
        place = (self.places.get(item.org, len(self.places)), item.org)
        named = {c.fact for c in self.spec.columns if c.of_given_name}
        order = tuple(_sortable(view.get(f), given_name=f in named) for f in self.spec.order)
        day = item.day.toordinal()
        by_day = (-day if self.spec.latest_first else day, item.track.subject)
        if self.spec.under == "unit":
            return (place, order, by_day)
        return (
            (order, place, by_day)
            if order
            else (by_day, place)
            if self.spec.of in ("events", "entries")
            else (place, by_day)
        )

    def _total(self, lines: list[Line]) -> list[Value]:
        rows = [line for line in lines if line.kind == "row"]
        cells: list[Value] = [self.letterhead.total.of(self.counter.lang)]
        for n, (column, _) in enumerate(self.columns[1:], start=1):
            numbers = [v for line in rows if isinstance(v := line.cells[n], int | Decimal)]
            cells.append(sum(numbers) if column.adds_up else None)
        return cells

    def _cell(self, column: Column, ready: ReadyColumn, item: Item, view: dict[str, Any]) -> Value:
        if ready.when is not None and ready.when.evaluate(view, self.counter.work.calendar) is not True:
            return None
        if column.entry is not None:
            return self.about.entry(column.entry, item.track.subject) if self.about is not None else None
        if column.fact is not None:
            return self._shown(view.get(column.fact), ready.type, column.fact)
        if ready.value is not None:
            value = ready.value.evaluate(view, self.counter.work.calendar)
            return self._shown(value, ready.type, None)
        return self._known()[column.shows or "blank"](item)

    def _known(self) -> dict[str, Callable[[Item], Value]]:
        counter, lang = self.counter, self.counter.lang
        file = self.source.definition.file

        def label(state: str) -> str:
            return file.states[state].label.of(lang) if state in file.states else state

        def above(item: Item) -> str:
            path = counter.tree.path(item.org)
            return unit_name(counter, path[1], self.letterhead) if len(path) > 1 else ""

        def trigger(item: Item) -> str:
            name = item.step.trigger if item.step is not None else None
            step = self.source.definition.steps.get(name or "")
            return step.label.of(lang) if step is not None else file.start.label.of(lang)

        beside = any(c.shows == "above" for c, _ in self.columns)
        return {
            "unit": lambda item: unit_name(counter, item.org, self.letterhead, alone=not beside),
            "above": above,
            "state": lambda item: label(item.state),
            "day": lambda item: item.day if item.step or item.stay or item.entry else item.track.since,
            "id": lambda item: item.track.subject,
            "days": lambda item: (item.day - (item.stay.since if item.stay else item.track.since)).days,
            "trigger": trigger,
            "key": lambda item: item.entry[0] if item.entry else None,
            "value": lambda item: self._entry(item.entry[1]) if item.entry else None,
            "blank": lambda _: None,
        }

    def _entry(self, value: Any) -> Value:
        fact = self.spec.fact or ""
        of = self.source.definition.types[fact].of
        return self._shown(value, of or Type(name="text"), fact)

    def _shown(self, value: Any, type_: Type, fact: str | None) -> Value:
        lang, area = self.counter.lang, self.counter.work.library.area
        if isinstance(value, bool):
            words = self.letterhead.yes if value else self.letterhead.no
            return words.of(lang)
        if isinstance(value, datetime):
            return self.counter.work.calendar.day_of(value)
        if isinstance(value, int | Decimal | date) or value is None:
            return value
        spec = self.source.definition.file.facts.get(fact or "")
        if type_.name == "choice" and spec is not None and spec.of:
            entry = area.file.lists[spec.of[0]].get(str(value))
            return str(value) if entry is None else entry.label.of(lang)
        if type_.name == "org":
            return unit_name(self.counter, str(value), self.letterhead)
        if isinstance(value, dict):
            names = area.file.lists.get(spec.keys or "", {}) if spec is not None else {}
            return "; ".join(names[k].label.of(lang) if k in names else k for k in value)
        return str(value)


def _sortable(value: Any, *, given_name: bool) -> tuple[int, Any]:
    if value is None:
        return (9, "")
    if isinstance(value, bool | int | Decimal):
        return (0, value)
    if isinstance(value, date):
        return (1, value.isoformat())
    return (2, name_key(str(value)) if given_name else text_key(str(value)))
