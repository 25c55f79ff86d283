"""Lists of subjects, and the views of them that officers keep, in a unit of work in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter

from engine.store.memory_unit import MemoryUnit
from engine.store.rows import DueRow, ListingRow, ListingSearch, SavedRow, StandRow, StateCount

_KEYS = {"name": attrgetter("sort", "subject"), "due": attrgetter("due", "subject"),
         "entered": attrgetter("entered_on", "subject")}  # fmt: skip


class MemoryListings(MemoryUnit):
    """Keeps the promises of `ports.Transaction` about lists."""

    def put_listings(
        self, subjects: Iterable[str], rows: Sequence[ListingRow], dues: Sequence[DueRow], *, new: bool = False
    ) -> None:
        tables, ids = self._w(), list(subjects)
        if not new:
            self._delete(tables.listings, self.listings(ids))
            self._delete(tables.dues, self.dues(ids))
        self._put(tables.listings, rows)
        self._put(tables.dues, dues)

    def listings(self, subjects: Iterable[str]) -> Sequence[ListingRow]:
        table = self._t().listings
        rows = [table.rows[key] for subject in set(subjects) for key in table.found("subject", subject)]
        return sorted(rows, key=attrgetter("subject", "rank"))

    def dues(self, subjects: Iterable[str]) -> Sequence[DueRow]:
        table = self._t().dues
        rows = [table.rows[key] for subject in set(subjects) for key in table.found("subject", subject)]
        return sorted(rows, key=attrgetter("subject", "rule"))

    def terms_astray(self, _subjects: Iterable[str], /) -> Sequence[str]:
        return []  # the listings themselves are looked through

    def list_subjects(
        self, wanted: ListingSearch, *, after: tuple[str, str] | None = None, limit: int
    ) -> Sequence[ListingRow]:
        key = _KEYS[wanted.order]
        return sorted((r for r in self._listed(wanted) if after is None or key(r) > after), key=key)[:limit]

    def count_listed(self, workflow: str, orgs: Iterable[str] | None, *, today: str, soon: str) -> Sequence[StateCount]:
        by_state: dict[str, list[ListingRow]] = {}
        wanted = ListingSearch(workflow=workflow, orgs=None if orgs is None else tuple(orgs))
        for row in self._listed(wanted):
            by_state.setdefault(row.state, []).append(row)
        return [
            StateCount(
                state=state,
                count=len(rows),
                oldest=min(r.entered_on for r in rows),
                late=sum(r.due < today for r in rows),
                soon=sum(today <= r.due <= soon for r in rows),
            )
            for state, rows in sorted(by_state.items())
        ]

    def stands(self) -> Sequence[StandRow]:
        counts = Counter((r.workflow, r.place, r.home, r.state) for r in self._t().listings.rows.values())
        return [StandRow(workflow=w, place=p, home=h, state=s, count=n) for (w, p, h, s), n in sorted(counts.items())]

    def _listed(self, wanted: ListingSearch) -> list[ListingRow]:
        table = self._t().listings
        rows = [table.rows[key] for key in table.found("workflow", wanted.workflow)]
        first: dict[str, ListingRow] = {}
        for row in rows:
            read = row.rank == 0 if wanted.orgs is None else row.place in wanted.orgs
            if read and (row.subject not in first or row.rank < first[row.subject].rank):
                first[row.subject] = row
        return [row for row in first.values() if meets(row, wanted)]

    def find_dues(
        self, workflow: str, rules: Iterable[str], *, orgs: Iterable[str] | None = None, until: str, limit: int
    ) -> Sequence[DueRow]:
        of, units = frozenset(rules), None if orgs is None else frozenset(orgs)
        rows = [
            r
            for r in self._t().dues.rows.values()
            if r.workflow == workflow and r.rule in of and r.due <= until and (units is None or r.org in units)
        ]
        return sorted(rows, key=attrgetter("due", "subject", "rule"))[:limit]

    def saved(self, officer: str) -> Sequence[SavedRow]:
        table = self._t().saved
        return [table.rows[key] for key in sorted(table.found("officer", officer))]

    def put_saved(self, rows: Iterable[SavedRow]) -> None:
        self._put(self._w().saved, rows)

    def delete_saved(self, rows: Sequence[SavedRow]) -> None:
        self._delete(self._w().saved, rows)


def meets(row: ListingRow, wanted: ListingSearch) -> bool:
    """Tells whether a row meets every condition of a list but that of the units."""
    return (
        (wanted.states is None or row.state in wanted.states)
        and all(f" {w}" in row.words for w in wanted.words)
        and all(f" {m} " in row.marks for m in wanted.marks)
        and (wanted.since is None or row.due >= wanted.since)
        and (wanted.until is None or row.due <= wanted.until)
    )
