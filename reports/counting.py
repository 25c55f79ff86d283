"""Counting: the things a source finds in the tracks, put into groups, and the figures they make."""

from __future__ import annotations

from collections import Counter as Counts
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from heapq import merge
from operator import itemgetter
from statistics import median
from typing import Any

from engine.core.authority import Officer, Tree
from engine.core.expressions import Expression
from engine.core.machine import Definition
from engine.office import tree_on
from engine.work import Work
from reports.document import Value
from reports.layout_check import Layout, ReadyFigure, ReadySource
from reports.layouts import Source
from reports.periods import Span
from reports.scores import WHOLE, Scores
from reports.tracks import FactBook, Stay, Step, Track, read_tracks

Groups = Callable[["Item"], Hashable]
Found = tuple[int, Track, Step]  # a step with its place among all
Index = defaultdict[str | None, list[Found]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """Something counted: a subject, one of its steps, one of its stays, or an entry of a map. `day` is when it happened
    or ended."""

    track: Track
    org: str
    day: date
    state: str
    step: Step | None = None
    stay: Stay | None = None
    entry: tuple[str, Any] | None = None


class Counter:
    """Counts for one report: the tracks and facts of its workflows up to its day, within what the reader may see."""

    def __init__(
        self,
        work: Work,
        layout: Layout,
        span: Span,
        *,
        lang: str,
        org: str | None = None,
        officer: Officer | None = None,
    ) -> None:
        self.work, self.layout, self.span, self.lang, self.org = work, layout, span, lang, org
        self.last = min(span.last, work.today)  # what lies ahead has not happened
        self._officer = officer
        self._tracks: dict[str, dict[str, Track]] = {}
        self._index: dict[str, tuple[list[Found], Index, Index]] = {}
        self._books: dict[str, FactBook] = {}
        self._items: dict[str, list[Item]] = {}

    # -- the office on the day

    @cached_property
    def tree(self) -> Tree:
        """The organisations as they stood on the report's day."""
        return self.work.office.tree if self.last == self.work.today else tree_on(self.work.tx.orgs(), self.last)

    @cached_property
    def shared_names(self) -> frozenset[str]:
        """The names that more than one organisation of the tree has."""
        many = Counts(o.name for o in self.tree.by_id.values())
        return frozenset(name for name, n in many.items() if n > 1)

    @cached_property
    def units(self) -> frozenset[str]:
        """The organisations that the report is about and its reader may see, then or today."""
        trees = (self.tree, self.work.office.tree)
        known = {o for tree in trees for o in tree.by_id}
        if self._officer is not None:
            office, roles = self.work.office, self.work.library.area.reading_roles
            roots = {office.root(org) for holding, org in office.holdings(self._officer) if holding.role in roles}
            known = {o for o in known if any(roots.intersection(t.path(o)) for t in trees)}
        return frozenset(o for o in known if self.org is None or self.org in self.tree.path(o))

    @cached_property
    def unit(self) -> str | None:
        """The organisation that the report is about: the one asked for, else the top of what its reader sees."""
        if self.org is not None:
            return self.org
        tops = [u for u in self.units if u in self.tree.by_id and not self.units.intersection(self.tree.path(u)[1:])]
        if self._officer is not None and len(tops) != 1:
            return self._officer.org
        return min(tops, key=lambda u: (-len(self.tree.below(u)), u), default=None)

    @cached_property
    def scores(self) -> Scores:
        """The scores of the units that the report is about."""
        return Scores(self.work, self.span, self.last, self.unit, self.units)

    # -- what is counted

    def tracks(self, workflow: str) -> dict[str, Track]:
        """Returns the tracks of a workflow's subjects."""
        if workflow not in self._tracks:
            self._tracks[workflow] = read_tracks(self.work.tx.events(workflow=workflow), self.last)
        return self._tracks[workflow]

    def book(self, definition: Definition) -> FactBook:
        """Returns the facts of a workflow's subjects on the report's day, those that the layout asks for."""
        workflow = definition.workflow
        if workflow not in self._books:
            needed = self.layout.needed.get(workflow, frozenset())
            self._books[workflow] = FactBook(self.work, definition, self.last, self.tracks(workflow), needed)
        return self._books[workflow]

    def view(self, item: Item, source: ReadySource) -> dict[str, Any]:
        """Returns what expressions see of an item."""
        book = self.book(source.definition)
        found = self.tree.by_id.get(item.org) or self.work.office.tree.by_id.get(item.org)
        kind = None if found is None else found.kind
        view: dict[str, Any] = {**book.view(item.track.subject, found), "day": item.day, "state": item.state}
        view |= {"org": item.org, "since": item.track.since, "org_kind": kind}
        view |= {"period_first": self.span.first, "period_last": self.span.last}
        if item.step is not None:
            view["breached"], view["trigger"] = item.step.breached, item.step.trigger
            if "reason" in self._reads(source):
                view["reason"] = book.reason(item.track.subject, item.step)
        if item.stay is not None:
            view["stayed"] = (item.day - item.stay.since).days
            view["since"] = item.stay.since
        return view

    def _reads(self, source: ReadySource) -> frozenset[str]:
        used = frozenset[str]()
        for expression in (source.when, source.value):
            used |= expression.reads if expression is not None else frozenset()
        for listed, columns in self.layout.lists.values():
            if listed is source:
                used |= frozenset().union(*(e.reads for c in columns for e in (c.value, c.when) if e is not None))
        return used

    def items(self, source: ReadySource) -> list[Item]:
        """Returns what a source finds."""
        spec = source.spec
        key = spec.model_dump_json(include=set(Source.model_fields))
        if key not in self._items:
            found = self._of(spec, source.definition)
            self._items[key] = [i for i in found if self._seen(i, source) and self._holds(i, source)]
        return self._items[key]

    def _of(self, spec: Source, definition: Definition) -> Iterable[Item]:
        if spec.of == "events":
            for _, track, step in self._steps(spec):
                if self._wanted(step, spec):
                    yield Item(track=track, org=step.org, day=step.on, state=step.to or "", step=step)
            return
        for track in self.tracks(spec.workflow).values():
            if spec.of == "entries":
                for key, (value, day) in self.book(definition).entries(track.subject, spec.fact or "").items():
                    if self._within(day, spec):
                        yield Item(track=track, org=track.org, day=day, state=track.state, entry=(key, value))
            elif spec.of == "subjects":
                if not spec.states or track.state in spec.states:
                    yield Item(track=track, org=track.org, day=self.last, state=track.state)
            else:
                for stay in track.stays():
                    ended = stay.until is not None
                    if (spec.states and stay.state not in spec.states) or spec.running is ended:
                        continue
                    if ended and not self._within(stay.until or self.last, spec):
                        continue
                    yield Item(track=track, org=stay.org, day=stay.until or self.last, state=stay.state, stay=stay)

    def _steps(self, spec: Source) -> Iterable[Found]:
        """Returns the steps that may be wanted, in the order of the tracks: by where they led, or by what they were."""
        if spec.workflow not in self._index:
            every = ((t, s) for t in self.tracks(spec.workflow).values() for s in t.steps)
            all_ = [(n, track, step) for n, (track, step) in enumerate(every)]
            led, called = Index(list), Index(list)
            for found in all_:
                led[found[2].to].append(found)
                called[found[2].trigger].append(found)
            self._index[spec.workflow] = (all_, led, called)
        all_, led, called = self._index[spec.workflow]
        if spec.enters:
            return merge(*(led.get(state, ()) for state in set(spec.enters)), key=itemgetter(0))
        if spec.triggers:
            return merge(*(called.get(trigger, ()) for trigger in set(spec.triggers)), key=itemgetter(0))
        return all_

    def _wanted(self, step: Step, spec: Source) -> bool:
        if step.moves_over:
            return False
        if spec.triggers and step.trigger not in spec.triggers:
            return False
        if spec.enters and (step.to not in spec.enters or step.to == step.source):
            return False
        return self._within(step.on, spec)

    def _within(self, day: date, spec: Source) -> bool:
        return spec.over == "ever" or self.span.first is None or self.span.first <= day

    def _seen(self, item: Item, source: ReadySource) -> bool:
        if item.org in self.units:
            return True
        if self._officer is None or self.org is not None:
            return False
        own = {holding.org for holding, _ in self.work.office.holdings(self._officer)}
        return any(self.view(item, source).get(fact) in own for fact in source.definition.file.seen_by)

    def _holds(self, item: Item, source: ReadySource) -> bool:
        if source.when is None:
            return True
        return source.when.evaluate(self.view(item, source), self.work.calendar) is True

    def value(self, expression: Expression, item: Item, source: ReadySource) -> Any:
        """Returns what an expression gives for an item."""
        return expression.evaluate(self.view(item, source), self.work.calendar)

    # -- figures

    def figures(
        self, wanted: Iterable[str], groups: Groups | None = None, by: str | None = None
    ) -> dict[Hashable, dict[str, Value]]:
        """Returns the figures of each group, those that they are worked out of too; the whole is the group WHOLE.

        `by` says what the groups are, where they are units or years: scores have a value for each of these.
        """
        names = frozenset[str]().union(*(self.layout.rests_on[name] for name in wanted))
        counted = [f for f in self.layout.figures.values() if f.counted is not None and f.id in names]
        found: dict[Hashable, dict[str, Value]] = {WHOLE: {}}
        for figure in counted:
            assert figure.counted is not None
            put: dict[Hashable, list[Item]] = {WHOLE: self.items(figure.counted)}
            if groups is not None:
                for item in put[WHOLE]:
                    put.setdefault(groups(item), []).append(item)
            for group, items in put.items():
                found.setdefault(group, {})[figure.id] = self._take(figure, figure.counted, items)
        for figure in (f for f in self.layout.figures.values() if f.spec.scored is not None and f.id in names):
            assert figure.spec.scored is not None
            for group, value in self.scores.values(figure.spec.scored, by):
                found.setdefault(group, {})[figure.id] = value
        for group, values in found.items():
            values |= self.begun(group, by)
            self.complete(values, names)
        return found

    def begun(self, group: Hashable, by: str | None) -> dict[str, Value]:
        """Returns what a row knows before anything is counted: of a unit its first day."""
        unit = self.tree.by_id.get(str(group)) if by == "unit" else None
        first = unit.period.from_ if unit is not None else None
        return {} if first is None else {"unit_began": first}

    def complete(self, values: dict[str, Value], names: frozenset[str]) -> None:
        """Works out the other figures of a row from those that are counted; counts that are missing are 0."""
        for name in self.layout.order:
            figure = self.layout.figures[name]
            if name not in names:
                continue
            if figure.spec.scored is not None:
                values.setdefault(name, None)
            elif figure.counted is None:
                values[name] = self._worked(figure, values)
            elif name not in values:
                assert figure.spec.counted is not None
                values[name] = 0 if figure.spec.counted.take in ("count", "sum") else None

    def _take(self, figure: ReadyFigure, source: ReadySource, items: Sequence[Item]) -> Value:
        assert figure.spec.counted is not None
        take = figure.spec.counted.take
        if take == "count":
            return len(items)
        values = [v for item in items if (v := self._of_item(source, item)) is not None]
        if not values:
            return None if items or take != "sum" else 0
        match take:
            case "sum":
                return _exact(sum(values))
            case "median":
                return _exact(median(values))
            case "max":
                return _exact(max(values))
            case _:
                return _exact(min(values))

    def _of_item(self, source: ReadySource, item: Item) -> Any:
        if source.value is not None:
            return self.value(source.value, item, source)
        assert item.stay is not None
        return (item.day - item.stay.since).days

    def _worked(self, figure: ReadyFigure, values: Mapping[str, Value]) -> Value:
        spec = figure.spec
        if spec.share is not None:
            part, whole = values.get(spec.share.of), values.get(spec.share.in_)
            if isinstance(part, int | Decimal) and isinstance(whole, int | Decimal) and whole:
                return round(Decimal(part) * 100 / Decimal(whole), 1)
            return None
        if spec.range is not None:
            low, high = (values.get(name) for name in spec.range)
            if low is None or high is None or low == high:
                return low if high is None else high
            return f"{low}-{high}"
        view = self._figures_view(values)
        if figure.worked is not None:
            given = figure.worked.evaluate(view, self.work.calendar)
            return _exact(given) if not isinstance(given, str | bool | None) else given
        said = next((text for when, text in figure.says if when.evaluate(view, self.work.calendar) is True), None)
        return None if said is None else said.of(self.lang)

    def holds(self, only: Expression, values: Mapping[str, Value]) -> bool:
        """Tells whether a row's figures make an expression hold."""
        return only.evaluate(self._figures_view(values), self.work.calendar) is True

    def _figures_view(self, values: Mapping[str, Value]) -> dict[str, Any]:
        view: dict[str, Any] = {n: v for n, v in values.items() if v is not None}
        view |= {"today": self.last, "period_last": self.span.last}
        if self.span.first is not None:
            view["period_first"] = self.span.first
        return view

    def notes(self, among: frozenset[str] | None = None) -> tuple[int, int, int]:
        """Returns how many of the period's steps were entered after its last day, how many as history, and how many of
        these an export brought from where they were none; `among` some subjects only."""
        last, first, today = self.span.last, self.span.first or date.min, self.work.today
        day_of = self.work.calendar.day_of
        late = history = restored = 0
        for workflow in {s.workflow for s in self._sources()}:
            for track in self.tracks(workflow).values():
                if track.org not in self.units or (among is not None and track.subject not in among):
                    continue
                for step in track.steps:
                    if step.on >= first:
                        history += step.history
                        restored += step.restored
                        in_its_day = step.restored or not step.history
                        late += last < today and in_its_day and day_of(step.entered) > last
        return late, history, restored

    def _sources(self) -> Iterable[Source]:
        for figure in self.layout.figures.values():
            if figure.counted is not None:
                yield figure.counted.spec
        for source, _ in self.layout.lists.values():
            yield source.spec


def _exact(value: Any) -> Value:
    if isinstance(value, float):
        value = Decimal(str(value))
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    found: Value = value
    return found
