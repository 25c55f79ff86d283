"""Lists of subjects, and the views of them that officers keep, in a unit of work on an SQL database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter

from engine.store import tables
from engine.store.listings import FEW, Page, Scope, all_due, all_stand, count_more, counted, find_dues, scopes
from engine.store.rows import ORDERED_BY, DueRow, ListingRow, ListingSearch, SavedRow, StandRow, StateCount
from engine.store.sql_unit import R, Shape, SqlUnit

_listings = Shape(tables.listings, ListingRow)
_dues = Shape(tables.dues, DueRow)
_stands = Shape(tables.stands, StandRow)
_saved = Shape(tables.saved, SavedRow)


class SqlListings(SqlUnit):
    """Keeps the promises of `ports.Transaction` about lists."""

    def put_listings(
        self, subjects: Iterable[str], rows: Sequence[ListingRow], dues: Sequence[DueRow], *, new: bool = False
    ) -> None:
        if not new:
            wanted = list(subjects)
            old = self.listings(wanted)
            self._count(rows, old)
            rows = self._changed(_listings, old, rows)
            dues = self._changed(_dues, self.dues(wanted), dues)
        else:
            self._count(rows, ())
        self._write_rows(_listings, self._statements.insert(tables.listings), rows)
        self._write_rows(_dues, self._statements.insert(tables.dues), dues)

    def _count(self, new: Sequence[ListingRow], old: Sequence[ListingRow]) -> None:
        """Keeps how many stand where; a state is counted at the subject's own unit."""
        counts: Counter[tuple[str, str, str]] = Counter()
        for rows, sign in ((new, 1), (old, -1)):
            for row in rows:
                if row.rank == 0:
                    counts[(row.workflow, row.home, row.state)] += sign
        changed = [StandRow(workflow=w, home=h, state=s, count=n) for (w, h, s), n in sorted(counts.items()) if n]
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

    def list_subjects(
        self, wanted: ListingSearch, *, after: tuple[str, str] | None = None, limit: int
    ) -> Sequence[ListingRow]:
        found: list[ListingRow] = []
        for scope in scopes(self._statements, wanted.orgs):
            page = Page(self._statements, wanted, scope, after)
            found += self._read(_listings, page.statement(), **page.places, limit=limit)
        return sorted(found, key=attrgetter(ORDERED_BY[wanted.order], "subject"))[:limit]

    def count_listed(self, workflow: str, orgs: Iterable[str] | None, *, today: str, soon: str) -> Sequence[StateCount]:
        units = None if orgs is None else list(orgs)
        if units is None:
            return self._count_all(workflow, today, soon)
        counts: dict[str, StateCount] = {}
        for scope in scopes(self._statements, units):
            places = {"workflow": workflow, "today": today, "soon": soon, **scope.places}
            for state, n, first, late, near in self._rows(counted(self._statements, scope), **places):
                had = counts.get(state) or StateCount(state=state, count=0, oldest=first, late=0, soon=0)
                counts[state] = StateCount(
                    state=state,
                    count=had.count + n,
                    oldest=min(had.oldest, first),
                    late=had.late + int(late),
                    soon=had.soon + int(near),
                )
        return [counts[state] for state in sorted(counts)]

    def _count_all(self, workflow: str, today: str, soon: str) -> list[StateCount]:
        due = self._rows(all_due(self._statements), workflow=workflow, today=today, soon=soon)
        near = {state: (int(late), n - int(late)) for state, n, late in due}
        return sorted(
            (
                StateCount(
                    state=state,
                    count=int(n),
                    oldest=first,
                    late=near.get(state, (0, 0))[0],
                    soon=near.get(state, (0, 0))[1],
                )
                for state, n, first in self._rows(all_stand(self._statements), workflow=workflow)
            ),
            key=attrgetter("state"),
        )

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
