"""What subjects count to: a figure read from the rows as they stand, or as they stood on a day, and added up by unit.

Only what is stored plain is read, so that ten thousands of subjects take a fraction of a second.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.core import events
from engine.core.authority import Tree
from engine.core.errors import BadInput
from engine.core.machine import Definition, Figure
from engine.core.values import Json, Value, from_json
from engine.core.views import derive
from engine.ledger import entries
from engine.office import tree_on

if TYPE_CHECKING:
    from engine.core.events import Entry
    from engine.store.rows import OrgRow, SubjectRow
    from engine.work import Work

Number = int | Decimal
_NEVER = date.max.isoformat()
_TAKEN_BACK = (events.UNDONE, events.VOIDED)  # what these take back never happened, whenever they say so


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """What one subject counts: on a day (`first` is `last`), or for the period from `first` to `last`."""

    subject: str
    unit: str
    amount: Number
    most: Number | None
    first: date
    last: date
    number: str | None


def find_figure(work: Work, ref: str) -> tuple[Definition, Figure] | None:
    """Returns the figure of a WORKFLOW.FIGURE, or None where that workflow is not loaded. Raises BadInput."""
    workflow, _, name = ref.partition(".")
    if workflow not in work.library.workflows:
        return None
    definition = work.library.newest(workflow)
    if name not in definition.figures:
        raise BadInput(
            "{workflow} has no figure {figure}; there are: {known}",
            workflow=workflow,
            figure=name,
            known=", ".join(definition.figures) or "-",
        )
    return definition, definition.figures[name]


def items(work: Work, ref: str, first: date, last: date, *, as_of: date | None = None) -> list[Item]:
    """Returns what the subjects of a workflow count that falls into, or overlaps, the days from `first` to `last`.

    `as_of`: only with what had happened by that day. Without the workflow there is nothing. Raises BadInput for a
    figure that is not declared.
    """
    found = find_figure(work, ref)
    if found is None:
        return []
    definition, figure = found
    if as_of is not None:
        views = _views_as_of(work, definition, figure, as_of)
    else:
        states = sorted(figure.states) or None
        views = _views(definition, figure, work.tx.find_subjects(workflow=definition.workflow, states=states))
    made = (_item(work, figure, subject, view) for subject, view in views)
    return [i for i in made if i is not None and i.first <= last and first <= i.last]


def _views(
    definition: Definition, figure: Figure, rows: Iterable[SubjectRow]
) -> Iterable[tuple[str, dict[str, Value]]]:
    types = {n: definition.types[n] for n in figure.reads if n in definition.types}
    for row in rows:
        if row.state == events.VOID:
            continue
        stored: dict[str, Json] = json.loads(row.facts_json)
        view: dict[str, Value] = dict(definition.defaults)
        for name, type_ in types.items():
            if name in stored and (value := from_json(type_, stored[name])) is not None:
                view[name] = value
        view["state"], view["org"], view["subject"] = row.state, row.org, row.id
        view["began"], view["entered"] = date.fromisoformat(row.started_on), date.fromisoformat(row.entered_on)
        yield row.id, view


def _views_as_of(
    work: Work, definition: Definition, figure: Figure, as_of: date
) -> Iterable[tuple[str, dict[str, Value]]]:
    """Gives each subject as what happened up to a day makes it; what was undone since never happened.

    Only a subject with an event that may not count by that day is made anew from its events. One of which nothing had
    happened, by what is known now, is left out.
    """
    until, decided = as_of.isoformat(), figure.spec.decided_on
    decisions: dict[str, str] = {}  # subject -> the day that decides from when on it counts
    begun: list[SubjectRow] = []
    for row in work.tx.find_subjects(workflow=definition.workflow, states=_states_of(work, definition, figure)):
        said = json.loads(row.facts_json).get(decided) if decided is not None else None
        if isinstance(said, str):
            decisions[row.id] = said
        if row.state != events.VOID and (row.started_on <= until or decisions.get(row.id, _NEVER) <= until):
            begun.append(row)
    changed = work.tx.changed_after(until, [r.id for r in begun], events.CHANGING)
    anew = [r for r in begun if r.id in changed or decisions.get(r.id, "") > until]
    work.keys.fetch(r.key_id for r in anew)
    made_anew = {r.id for r in anew}
    yield from _views(definition, figure, [r for r in begun if r.id not in made_anew])
    for row in anew:
        told = [
            e for e in entries(work.tx.events(subject=row.id), work.keys, work.kit.sealer) if e.kind in events.CHANGING
        ]
        kept = [n for n, e in enumerate(told) if _counts_from(e, decided) <= until and e.kind not in _TAKEN_BACK]
        if not kept:
            continue
        counting = [told[n] for n in sorted({0, *kept, *(n for n, e in enumerate(told) if e.kind in _TAKEN_BACK)})]
        standing = events.replay(counting, None, definition.types)
        if standing is None or standing.state == events.VOID:
            continue
        view: dict[str, Value] = {**definition.defaults, **standing.facts}
        view["state"], view["org"], view["subject"] = standing.state, standing.org, row.id
        view["began"], view["entered"] = standing.started_on, standing.entered_on
        yield row.id, view


def _states_of(work: Work, definition: Definition, figure: Figure) -> list[str] | None:
    """Returns the states in which whoever counted on a past day must stand now; None where they may have left them."""
    steps = [s for d in work.library.versions(definition.workflow) for s in d.steps.values()]
    left = any(s.sources & figure.states and {t for t, _ in s.targets} - figure.states for s in steps)
    return None if left or not figure.states else sorted(figure.states)


def _counts_from(entry: Entry, decided: str | None) -> str:
    """Returns the day from which on what an event brought counts."""
    facts = (entry.payload or {}).get("facts") if decided is not None else None
    said = facts.get(decided) if isinstance(facts, dict) and decided is not None else None
    return said if isinstance(said, str) else entry.on or entry.at[:10]


def _item(work: Work, figure: Figure, subject: str, view: dict[str, Value]) -> Item | None:
    calendar = work.calendar
    if figure.states and view["state"] not in figure.states:
        return None
    org = work.office.tree.by_id.get(str(view["org"]))
    view["org_kind"] = org.kind if org is not None else ""
    derive(view, figure.derived, calendar)
    if figure.when is not None and figure.when.evaluate(view, calendar) is not True:
        return None
    unit = view.get(figure.spec.unit) if figure.spec.unit is not None else view["org"]
    first = (figure.day or figure.first).evaluate(view, calendar)  # type: ignore[union-attr]
    last = first if figure.last is None else figure.last.evaluate(view, calendar)
    amount: Value | None = 1 if figure.amount is None else figure.amount.evaluate(view, calendar)
    most = None if figure.most is None else figure.most.evaluate(view, calendar)
    number = None if figure.number is None else figure.number.evaluate(view, calendar)
    if not isinstance(unit, str) or not isinstance(first, date) or not isinstance(last, date) or not _is_number(amount):
        return None
    assert isinstance(amount, int | Decimal)
    return Item(
        subject=subject,
        unit=unit,
        amount=amount,
        most=most if isinstance(most, int | Decimal) else None,
        first=first,
        last=last,
        number=number if isinstance(number, str) else None,
    )


def _is_number(value: Value | None) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


class Trees:
    """The organisations of any day: what a unit had above it on the day on which something happened."""

    def __init__(self, rows: Iterable[OrgRow]) -> None:
        self._rows = list(rows)
        days = {date.fromisoformat(r.from_day) for r in self._rows}
        days |= {
            date.fromisoformat(r.until_day) + timedelta(days=1)
            for r in self._rows
            if r.until_day is not None and r.until_day < date.max.isoformat()
        }
        self._turns = sorted(days)
        self._made: dict[date, Tree] = {}

    def on(self, day: date) -> Tree:
        """Returns the tree of a day."""
        turn = max((t for t in self._turns if t <= day), default=date.min)
        if turn not in self._made:
            self._made[turn] = tree_on(self._rows, turn)
        return self._made[turn]


def sums(trees: Trees, found: Iterable[Item], gathers: str) -> dict[str, Number]:
    """Returns how much the items give each unit: `below`, to their unit and all above it on their day; `like`, to
    their unit and those of its kind directly under one above it."""
    totals: dict[str, Number] = {}
    for unit, item in _given(trees, found, gathers):
        totals[unit] = totals.get(unit, 0) + item.amount
    return totals


def latest(trees: Trees, found: Iterable[Item], gathers: str) -> dict[str, date]:
    """Returns the latest day of the items that each unit has, as `sums` gives them to units."""
    days: dict[str, date] = {}
    for unit, item in _given(trees, found, gathers):
        days[unit] = max(item.first, days.get(unit, item.first))
    return days


def _given(trees: Trees, found: Iterable[Item], gathers: str) -> Iterator[tuple[str, Item]]:
    """Yields each item with every unit that has it."""
    takers: dict[tuple[str, int], list[str]] = {}
    for item in found:
        tree = trees.on(item.first)
        key = (item.unit, id(tree))
        if key not in takers:
            takers[key] = list(tree.path(item.unit)) if gathers == "below" else _alike(tree, item.unit)
        for unit in takers[key]:
            yield unit, item


def _alike(tree: Tree, unit: str) -> list[str]:
    org = tree.by_id.get(unit)
    if org is None:
        return []
    found = {unit: None}
    for above in tree.path(unit)[1:]:
        found.update((o.id, None) for o in tree.children(above) if o.kind == org.kind)
    return list(found)


def by_unit(found: Iterable[Item], first: date, last: date) -> Mapping[str, Item]:
    """Returns the item of each unit that is for exactly this period; of several the last begun."""
    return {i.unit: i for i in found if (i.first, i.last) == (first, last)}
