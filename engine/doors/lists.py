"""The door to lists of subjects: pages, boards and views kept, each within what an officer may read."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from engine import listing, scope
from engine.core.errors import BadInput, NotFound
from engine.core.events import stamp
from engine.core.folding import words
from engine.core.values import Value
from engine.doors import OpenWork
from engine.doors.access import Access
from engine.kit import Kit
from engine.notice_days import day_due
from engine.steps import By
from engine.store.rows import ORDERED_BY, ListingSearch, Order, SavedRow, StateCount
from engine.work import Case, Work

MOST_SAVED = 30  # views that an officer keeps
LONGEST_NAME = 80


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of a list; what is empty narrows nothing. `unit`: it and all below it, as far as they are read."""

    workflow: str
    unit: str = ""
    states: tuple[str, ...] = ()
    text: str = ""
    marks: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    order: Order = "name"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A subject as a list shows it. `missing` are the keys of map facts that are wanted now and not there."""

    case: Case
    view: Mapping[str, Value]
    due: date | None
    rule: str  # the notice rule that the day is of
    missing: Mapping[str, Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A page of a list. `next` is the subject after which it goes on, '' at its end."""

    rows: Sequence[Row]
    next: str


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A view that an officer keeps: its name, and what it asks for as the page wrote it."""

    id: str
    name: str
    view: Mapping[str, Any]


class Lists:
    """Subjects by the page."""

    def __init__(self, open_work: OpenWork, kit: Kit, access: Access) -> None:
        self._work, self._kit, self._access = open_work, kit, access

    def page(self, asked: Asked, by: By, *, after: str = "", limit: int) -> Listed:
        """Returns the page after a subject; one that the officer does not read is none, and the list begins anew;
        the trail notes who saw how many."""
        with self._work() as work:
            found = self._page(work, asked, by, after, limit)
        if found.rows:
            self._access.listed("list", len(found.rows), by, workflow=asked.workflow)
        return found

    def every(self, asked: Asked, by: By, *, most: int, chunk: int = 500) -> Iterator[Row]:
        """Yields all rows as one moment shows them. Raises BadInput where there are more than `most`."""
        with self._work() as work:
            after, seen = "", 0
            while True:
                page = self._page(work, asked, by, after, chunk)
                seen += len(page.rows)
                if seen > most:
                    raise BadInput("there are more than {most} rows; narrow the list first", most=most)
                yield from page.rows
                if not page.next:
                    return
                after = page.next
                work.forget()
                work.keys.forget()

    def _page(self, work: Work, asked: Asked, by: By, after: str, limit: int) -> Listed:
        wanted = _search(work, asked, by)
        found = list(work.tx.list_subjects(wanted, after=self._place(work, wanted, after, by), limit=limit + 1))
        more, found = len(found) > limit, found[:limit]
        work.fetch(r.subject for r in found)
        cases = [work.case(r.subject) for r in found]
        rows = [_row(work, c) for c in cases if scope.reads(work, c, by)]
        return Listed(rows=rows, next=found[-1].subject if more else "")

    def _place(self, work: Work, wanted: ListingSearch, after: str, by: By) -> tuple[str, str] | None:
        """Returns where a subject stands in the list's order; None for one that the officer does not read."""
        if not after:
            return None
        stands = [r for r in work.tx.listings([after]) if r.workflow == wanted.workflow]
        if not stands or not scope.reads(work, work.case(after), by):
            return None
        return (getattr(stands[0], ORDERED_BY[wanted.order]), after)

    def board(self, workflow: str, by: By, *, soon: date) -> Sequence[StateCount]:
        """Counts what the officer reads by state: how many, the first day, how many are late, how many soon."""
        with self._work() as work:
            work.library.newest(workflow)
            orgs = _orgs(work, by)
            return work.tx.count_listed(workflow, orgs, today=work.today.isoformat(), soon=soon.isoformat())

    def units(self, by: By) -> list[str]:
        """Returns the units that the officer reads."""
        with self._work() as work:
            return sorted(scope.units(work.office, work.library.area, by))

    # -- views kept

    def saved(self, page: str, by: By) -> list[Saved]:
        """Returns the views of a page that the officer keeps, by name."""
        with self._work() as work:
            rows = [r for r in work.tx.saved(by.officer or "") if r.page == page]
            key = work.keys.get(_key(by.officer)) if rows else None
            if key is None:
                return []
            found = []
            for row in rows:
                told = json.loads(self._kit.sealer.open(key, row.sealed, _aad(row)))
                found.append(Saved(id=row.id, name=told["name"], view=told["view"]))
            return sorted(found, key=lambda s: s.name.casefold())

    def save(self, page: str, name: str, view: Mapping[str, Any], by: By) -> str:
        """Keeps a view under a name, in the place of one with this name. Returns its id. Raises BadInput."""
        called = " ".join(name.split())
        if not called or len(called) > LONGEST_NAME:
            raise BadInput("name: a name of 1 to {most} letters is needed", most=LONGEST_NAME)
        same = next((s for s in self.saved(page, by) if s.name.casefold() == called.casefold()), None)
        with self._work(write=True) as work:
            if work.office.officers.get(by.officer or "") is None:
                raise NotFound("{officer} is not an officer here", officer=by.officer or "")
            if same is None and len(work.tx.saved(by.officer or "")) >= MOST_SAVED:
                raise BadInput("{most} views are kept already; take one away first", most=MOST_SAVED)
            id = same.id if same is not None else secrets.token_hex(8)
            row = SavedRow(id=id, officer=by.officer or "", page=page, sealed=b"", made_at=stamp(work.now))
            told = json.dumps({"name": called, "view": dict(view)}, ensure_ascii=False).encode()
            key = work.keys.make(_key(row.officer))
            work.tx.put_saved([replace(row, sealed=self._kit.sealer.seal(key, told, _aad(row)))])
            work.keys.flush()
            return id

    def forget(self, page: str, id: str, by: By) -> None:
        """Keeps a view no longer. Raises NotFound."""
        with self._work(write=True) as work:
            rows = [r for r in work.tx.saved(by.officer or "") if r.id == id and r.page == page]
            if not rows:
                raise NotFound("there is no such view")
            work.tx.delete_saved(rows)


def _key(officer: str | None) -> str:
    return f"officer:{officer or ''}"


def _aad(row: SavedRow) -> bytes:
    return b"saved:" + row.id.encode()


def _orgs(work: Work, by: By, unit: str = "") -> tuple[str, ...] | None:
    """Returns the units from which is read; None where that is all there are."""
    units = scope.units(work.office, work.library.area, by)
    if unit:
        return tuple(sorted(units.intersection(work.office.tree.below(unit))))
    return None if units >= work.office.tree.by_id.keys() else tuple(sorted(units))


def _search(work: Work, asked: Asked, by: By) -> ListingSearch:
    definition = work.library.newest(asked.workflow)
    sought = words(asked.text)
    return ListingSearch(
        workflow=asked.workflow,
        orgs=() if asked.text.strip() and not sought else _orgs(work, by, asked.unit),
        states=tuple(s for s in definition.file.states if s in asked.states) if asked.states else None,
        words=sought,
        marks=asked.marks,
        since=asked.since.isoformat() if asked.since else None,
        until=asked.until.isoformat() if asked.until else None,
        order=asked.order,
    )


def _row(work: Work, case: Case) -> Row:
    definition, view = case.definition, work.view(case)
    days = ((day_due(t, case.subject.state, view, work.calendar), t.rule) for t in definition.notices)
    due, rule = min(((d, r) for d, r in days if d is not None), default=(None, ""))
    spec = listing.spec_of(work, case.subject.workflow)
    wanted = [f for f, s in spec.missing.items() if case.subject.state in s] if spec is not None else []
    gone = {f: listing.missing(definition, f, view, work) for f in wanted if f in definition.types}
    return Row(case=case, view=view, due=due, rule=rule, missing=gone)
