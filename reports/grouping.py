"""The groups that make the rows of a table: which there are, in which order, what they are called, what goes where."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from engine.core.authority import Org
from engine.core.collation import text_key
from engine.core.expressions import Expression
from engine.core.machine import Definition
from reports.counting import Counter, Groups, Item
from reports.layout_check import ReadySource
from reports.layouts import Grouping, Letterhead
from reports.periods import Span

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, kw_only=True)
class Group:
    """A row: what belongs to it, and what people call it. The id of what is not known is ''."""

    key: Hashable
    id: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Grouper:
    """Groups the items of a counter as a layout says."""

    counter: Counter
    spec: Grouping
    sources: Sequence[ReadySource]
    value: Expression | None
    letterhead: Letterhead

    @property
    def groups(self) -> Groups:
        """The group of an item; None where it is not known, or belongs to none."""
        spec, counter = self.spec, self.counter
        if spec.by == "unit":
            kinds = counter.work.library.area.kinds(spec.kinds)
            return lambda item: unit_of(counter, item.org, kinds)
        if spec.by is not None:
            return {
                "state": lambda item: item.state,
                "trigger": lambda item: item.step.trigger if item.step is not None else None,
                "year": lambda item: f"{item.day:%Y}",
                "month": lambda item: f"{item.day:%Y-%m}",
                "quarter": lambda item: f"{item.day:%Y}-Q{(item.day.month + 2) // 3}",
            }[spec.by]
        by_workflow = {s.definition.workflow: s for s in self.sources}
        return lambda item: self._by_fact(item, by_workflow[item.track.workflow])

    def _by_fact(self, item: Item, source: ReadySource) -> Hashable:
        view = self.counter.view(item, source)
        if self.spec.fact is not None:
            found: Hashable = view.get(self.spec.fact)
            return found
        number = None if self.value is None else self.value.evaluate(view, self.counter.work.calendar)
        if not isinstance(number, int):
            return None
        return next((n for n, b in enumerate(self.spec.bands) if b.until is None or number <= b.until), None)

    def rows(self, found: Iterable[Hashable]) -> list[Group]:
        """Returns the rows, those of the groups that were found and those that are there anyway; unknown is last."""
        present = list(found)
        rows = self._rows([k for k in present if k is not None])
        if None in present:
            rows.append(Group(key=None, id="", label=self.letterhead.unknown.of(self.counter.lang)))
        return rows

    def _rows(self, found: list[Hashable]) -> list[Group]:
        spec, counter, lang = self.spec, self.counter, self.counter.lang
        definition = self.sources[0].definition if self.sources else None
        if spec.by == "unit":
            return self._units(found)
        if spec.bands:
            return [Group(key=n, id=str(n), label=b.label.of(lang)) for n, b in enumerate(spec.bands)]
        if spec.by in ("month", "quarter", "year"):
            return [Group(key=k, id=k, label=_time(k)) for k in _times(counter.span, spec.by, found)]
        if spec.by == "state" and definition is not None:
            states = definition.file.states
            return [Group(key=s, id=s, label=v.label.of(lang)) for s, v in states.items()]
        if spec.by == "trigger" and definition is not None:
            steps = {"start": definition.file.start.label} | {t: s.label for t, s in definition.steps.items()}
            return [Group(key=t, id=t, label=label.of(lang)) for t, label in steps.items() if t in found]
        return self._facts(definition, found)

    def _facts(self, definition: Definition | None, found: list[Hashable]) -> list[Group]:
        spec, counter, lang = self.spec, self.counter, self.counter.lang
        assert definition is not None
        assert spec.fact is not None
        type_ = definition.types[spec.fact]
        if type_.name == "choice":
            of = (definition.file.facts[spec.fact].of or [""])[0]
            entries = counter.work.library.area.file.lists[of]
            return [Group(key=k, id=k, label=e.label.of(lang)) for k, e in entries.items()]
        known: list[Hashable] = [True, False] if type_.name == "bool" else found
        named = [(k, self._name(k, org=type_.name == "org")) for k in known]
        if type_.name != "bool":
            named.sort(key=lambda pair: _order(pair[1]))
        return [Group(key=k, id=str(k).lower() if isinstance(k, bool) else str(k), label=name) for k, name in named]

    def _name(self, key: Hashable, *, org: bool) -> str:
        text = str(key).lower() if isinstance(key, bool) else str(key)
        if text in self.spec.names:
            return self.spec.names[text].of(self.counter.lang)
        if isinstance(key, bool):
            return (self.letterhead.yes if key else self.letterhead.no).of(self.counter.lang)
        return unit_name(self.counter, text, self.letterhead) if org and text in self.counter.tree.by_id else text

    def _units(self, found: list[Hashable]) -> list[Group]:
        counter = self.counter
        kinds = counter.work.library.area.kinds(self.spec.kinds)
        span = Span(kind="days", first=counter.span.first or counter.last, last=counter.last)
        there = {o.id for o in counter.tree.by_id.values() if o.kind in kinds and _existed(o, span)} & counter.units
        rows = [o for o in in_order(counter) if o.id in there or (o.id in found and o.kind in kinds)]
        return [Group(key=o.id, id=o.id, label=unit_name(counter, o.id, self.letterhead)) for o in rows]


def unit_of(counter: Counter, org: str, kinds: frozenset[str]) -> str | None:
    """Returns the nearest unit of these kinds at or above an organisation."""
    for tree in (counter.tree, counter.work.office.tree):
        for at in tree.path(org):
            if tree.by_id[at].kind in kinds:
                return at
    return None


def unit_name(counter: Counter, org: str, letterhead: Letterhead, *, alone: bool = True) -> str:
    """Returns what a unit was called on the report's day, and that it was no more; on its last day it still was.

    Where others are called the same, the unit above is named too; not where it stands beside (`alone` is False).
    """
    found = counter.tree.by_id.get(org)
    if found is None:
        return org
    name = found.name
    if alone and name in counter.shared_names and found.parent in counter.tree.by_id:
        name = f"{name}, {counter.tree.by_id[found.parent].name}"
    ended = found.period.until
    if ended is None or ended >= counter.last:
        return name
    return f"{name} {letterhead.closed.of(counter.lang).format(day=ended.strftime('%d/%m/%Y'))}"


def in_order(counter: Counter) -> list[Org]:
    """Returns the organisations from the top down, those side by side by their names."""
    tree = counter.tree
    tops = [o for o in tree.by_id.values() if o.parent is None or o.parent not in tree.by_id]
    waiting = sorted(tops, key=lambda o: _order(o.name), reverse=True)
    found: dict[str, Org] = {}
    while waiting:
        org = waiting.pop()
        if org.id in found:
            continue
        found[org.id] = org
        waiting += sorted(tree.children(org.id), key=lambda o: _order(o.name), reverse=True)
    return list(found.values())


def _existed(org: Org, span: Span) -> bool:
    first, last = org.period.from_, org.period.until
    assert span.first is not None
    return (first is None or first <= span.last) and (last is None or last >= span.first)


def _order(name: str) -> str:
    return text_key(_NUMBER.sub(lambda m: m[0].zfill(9), name))


def _times(span: Span, by: str, found: list[Hashable]) -> list[str]:
    if span.first is None:
        return sorted(map(str, found))
    months = span.months()
    if by == "month":
        return months
    if by == "year":
        return list(dict.fromkeys(m[:4] for m in months))
    return list(dict.fromkeys(f"{m[:4]}-Q{(int(m[5:]) + 2) // 3}" for m in months))


def _time(key: str) -> str:
    if "Q" in key:
        year, quarter = key.split("-Q")
        return f"{('I', 'II', 'III', 'IV')[int(quarter) - 1]}/{year}"
    return f"{key[5:]}/{key[:4]}" if "-" in key else key
