"""Lists of subjects, and the views of them that officers keep, in a unit of work on an SQL database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter

from engine.store import tables
from engine.store.listings import (
    FEW,
    Lead,
    Page,
    Scope,
    count_lead,
    count_more,
    counted,
    due_soon,
    find_dues,
    from_elsewhere,
    leads,
    place_after,
    standing,
    term_range,
)
from engine.store.rows import (
    ORDERED_BY,
    DueRow,
    ListingRow,
    ListingSearch,
    SavedRow,
    StandRow,
    StateCount,
    TermRow,
)
from engine.store.sql_unit import R, Shape, SqlUnit
from engine.store.terms import terms_of

_listings = Shape(tables.listings, ListingRow)
_dues = Shape(tables.dues, DueRow)
_stands = Shape(tables.stands, StandRow)
_saved = Shape(tables.saved, SavedRow)
_terms = Shape(tables.terms, TermRow)

WALKED = 2_000  # rows of a list that are read in its order before something rarer is looked for
RARE = 300  # what fits at most so many is looked at by itself
COUNTED = {"words": 20_000, "marks": 2_000, "due": 2_000}  # past it, a list is read in its order


class SqlListings(SqlUnit):
    """Keeps the promises of `ports.Transaction` about lists."""

    def put_listings(
        self, subjects: Iterable[str], rows: Sequence[ListingRow], dues: Sequence[DueRow], *, new: bool = False
    ) -> None:
        old: Sequence[ListingRow] = ()
        if not new:
            wanted = list(subjects)
            old = self.listings(wanted)
            dues = self._changed(_dues, self.dues(wanted), dues)
        self._count(rows, old)
        terms = self._changed(_terms, terms_of(old), terms_of(rows))
        rows = self._changed(_listings, old, rows)
        self._write_rows(_listings, self._statements.insert(tables.listings), rows)
        self._write_rows(_terms, self._statements.insert(tables.terms), terms)
        self._write_rows(_dues, self._statements.insert(tables.dues), dues)

    def _count(self, new: Sequence[ListingRow], old: Sequence[ListingRow]) -> None:
        """Keeps how many stand where."""
        counts: Counter[tuple[str, str, str, str]] = Counter()
        for rows, sign in ((new, 1), (old, -1)):
            for row in rows:
                counts[(row.workflow, row.place, row.home, row.state)] += sign
        changed = [
            StandRow(workflow=w, place=p, home=h, state=s, count=n) for (w, p, h, s), n in sorted(counts.items()) if n
        ]
        self._write_rows(_stands, count_more(self._statements), changed)

    def _changed(self, shape: Shape[R], old: Sequence[R], new: Sequence[R]) -> list[R]:
        """Takes away the old rows that do not stay; returns the new ones that do not stand yet."""
        stays, stands = set(new), set(old)
        if gone := [row for row in old if row not in stays]:
            self._write_rows(shape, self._statements.delete(shape.table), gone)
        return [row for row in new if row not in stands]

    def listings(self, subjects: Iterable[str]) -> Sequence[ListingRow]:
        return self._by_column(_listings, "subject", subjects, "subject", "rank")

    def dues(self, subjects: Iterable[str]) -> Sequence[DueRow]:
        return self._by_column(_dues, "subject", subjects, "subject", "rule")

    def terms_astray(self, subjects: Iterable[str], /) -> Sequence[str]:
        ids = list(subjects)
        stand = set(self._by_column(_terms, "subject", ids))
        return sorted({row.subject for row in stand ^ set(terms_of(self.listings(ids)))})

    def list_subjects(
        self, wanted: ListingSearch, *, after: tuple[str, str] | None = None, limit: int
    ) -> Sequence[ListingRow]:
        found: list[ListingRow] = []
        for scope in self._scopes(wanted.workflow, wanted.orgs):
            found += self._page(wanted, scope, after, limit)
        return sorted(found, key=attrgetter(ORDERED_BY[wanted.order], "subject"))[:limit]

    def _scopes(self, workflow: str, orgs: Sequence[str] | None) -> list[Scope]:
        """Returns what has to be read for a reader of these units, put together."""
        if orgs is None:
            return [Scope(self._statements, "all", ())]
        if len(orgs) <= FEW:
            return [Scope(self._statements, "few", orgs)]
        home = Scope(self._statements, "home", orgs)
        pairs = self._rows(from_elsewhere(self._statements), workflow=workflow, **home.places)
        return [home, Scope(self._statements, "elsewhere", orgs, [(p, h) for p, h in pairs])] if pairs else [home]

    def _page(
        self, wanted: ListingSearch, scope: Scope, after: tuple[str, str] | None, limit: int
    ) -> Sequence[ListingRow]:
        """Reads a page in its order; where few rows of it fit, by what is rarest of what they have to fit."""

        def read(upto: tuple[str, str] | None = None, lead: Lead | None = None) -> Sequence[ListingRow]:
            page = Page(self._statements, wanted, scope, after, upto=upto, lead=lead)
            return self._read(_listings, page.statement(), **page.places, limit=limit)

        found = [(self._fitting(wanted, lead), lead) for lead in leads(wanted)] if scope.ordered else []
        if not found:
            return read()
        least, lead = min(found, key=lambda pair: pair[0])
        if least <= RARE:
            return read(lead=lead)
        upto = self._place_after(wanted, after)
        rows = read(upto)
        if upto is None or len(rows) >= limit:
            return rows
        return read(lead=lead) if least < COUNTED[lead.kind] else read()

    def _fitting(self, wanted: ListingSearch, lead: Lead) -> int:
        places: dict[str, object] = {"workflow": wanted.workflow, "limit": COUNTED[lead.kind], "until": wanted.until}
        if lead.kind != "due":
            places |= term_range(wanted, lead)
        return int(self._rows(count_lead(self._statements, lead), **places)[0][0])

    def _place_after(self, wanted: ListingSearch, after: tuple[str, str] | None) -> tuple[str, str] | None:
        key, id = after or ("", "")
        state = wanted.states[0] if wanted.states else ""
        places = {"workflow": wanted.workflow, "skip": WALKED, "state": state, "after_key": key, "after_id": id}
        found = self._rows(place_after(self._statements, wanted, after=after is not None), **places)
        return (found[0][0], found[0][1]) if found else None

    def count_listed(self, workflow: str, orgs: Iterable[str] | None, *, today: str, soon: str) -> Sequence[StateCount]:
        counts: dict[str, StateCount] = {}
        for scope in self._scopes(workflow, None if orgs is None else list(orgs)):
            for new in self._counted(workflow, scope, today, soon):
                had = counts.get(new.state) or StateCount(state=new.state, count=0, oldest=new.oldest, late=0, soon=0)
                counts[new.state] = StateCount(
                    state=new.state,
                    count=had.count + new.count,
                    oldest=min(had.oldest, new.oldest),
                    late=had.late + new.late,
                    soon=had.soon + new.soon,
                )
        return [counts[state] for state in sorted(counts)]

    def _counted(self, workflow: str, scope: Scope, today: str, soon: str) -> list[StateCount]:
        places = {"workflow": workflow, "today": today, "soon": soon, **scope.places}
        if not scope.ordered:
            rows = self._rows(counted(self._statements, scope), **places)
            return [
                StateCount(state=state, count=n, oldest=first, late=int(late), soon=int(near))
                for state, n, first, late, near in rows
            ]
        due = self._rows(due_soon(self._statements, scope), **places)
        near = {state: (int(late), n - int(late)) for state, n, late in due}
        return [
            StateCount(
                state=state,
                count=int(n),
                oldest=first,
                late=near.get(state, (0, 0))[0],
                soon=near.get(state, (0, 0))[1],
            )
            for state, n, first in self._rows(standing(self._statements, scope), **places)
        ]

    def stands(self) -> Sequence[StandRow]:
        return [row for row in self._all(_stands) if row.count]

    def find_dues(
        self, workflow: str, rules: Iterable[str], *, orgs: Iterable[str] | None = None, until: str, limit: int
    ) -> Sequence[DueRow]:
        units = None if orgs is None else list(orgs)
        if units == []:
            return []
        places = {"workflow": workflow, "rules": self._statements.list_of(rules), "until": until, "limit": limit}
        if units is not None:
            places |= Scope(self._statements, "few" if len(units) <= FEW else "many", units).places
        statement = find_dues(self._statements, None if units is None else len(units))
        return self._read(_dues, statement, **places)

    def saved(self, officer: str) -> Sequence[SavedRow]:
        return self._by_column(_saved, "officer", [officer], "id")

    def put_saved(self, rows: Iterable[SavedRow]) -> None:
        self._put(_saved, rows)

    def delete_saved(self, rows: Sequence[SavedRow]) -> None:
        self._run_many(self._statements.delete(tables.saved), [(r.id,) for r in rows])
