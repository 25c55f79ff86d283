"""Dictionaries that know their primary key and keep indexes beside them, for the store in memory."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

from engine.store.rows import (
    AttemptRow,
    DayRow,
    DefinitionRow,
    DraftRow,
    DueRow,
    EventRow,
    FactorRow,
    Head,
    JudgedRow,
    KeyRow,
    LikenessRow,
    ListingRow,
    NodeRow,
    OfficerRow,
    OrgRow,
    OutboxRow,
    RoleRow,
    SavedRow,
    SessionRow,
    SubjectRow,
    SubstituteRow,
    TimerRow,
    TokenRow,
)

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


class Table(Generic[K, R]):
    """Rows by primary key. `indexes` names a function of the row each; rows where it gives None are not indexed."""

    def __init__(self, key: Callable[[R], K], **indexes: Callable[[R], Hashable | None]) -> None:
        self.key = key
        self.indexes = indexes
        self.rows: dict[K, R] = {}
        self.index: Mapping[str, dict[Hashable, set[K]]] = {name: defaultdict(set) for name in indexes}

    def put(self, key: K, row: R | None) -> R | None:
        """Puts the row, or takes it away where it is None. Returns the row that stood there before."""
        old = self.rows.pop(key, None) if row is None else self.rows.get(key)
        if row is not None:
            self.rows[key] = row
        for name, value_of in self.indexes.items():
            before = None if old is None else value_of(old)
            now = None if row is None else value_of(row)
            if before != now:
                self._reindex(self.index[name], key, before, now)
        return old

    @staticmethod
    def _reindex(index: dict[Hashable, set[K]], key: K, before: Hashable | None, now: Hashable | None) -> None:
        if before is not None:
            index[before].discard(key)
            if not index[before]:
                del index[before]
        if now is not None:
            index[now].add(key)

    def found(self, index: str, value: Hashable) -> set[K]:
        """Returns the keys of the rows for which the index gives `value`. Not to be changed."""
        return self.index[index].get(value, set())

    def pick(self, keys: Iterable[K]) -> dict[K, R]:
        """Returns those of the rows that exist."""
        return {key: row for key in keys if (row := self.rows.get(key)) is not None}

    def ordered(self) -> Sequence[R]:
        """Returns all rows by primary key."""
        return [self.rows[key] for key in sorted(self.rows)]  # type: ignore[type-var]


TimerKey = tuple[str, str, str]


class TimerTable(Table[TimerKey, TimerRow]):
    """Timers, and those not done in the order in which they are due."""

    def __init__(self) -> None:
        super().__init__(attrgetter("subject", "name", "occurrence"), subject=attrgetter("subject"))
        self.due: list[tuple[str, str, str, str]] = []

    def put(self, key: TimerKey, row: TimerRow | None) -> TimerRow | None:
        """Puts or takes away the row and keeps the order."""
        old = super().put(key, row)
        before = None if old is None or old.done_at is not None else (old.due_at, *key)
        now = None if row is None or row.done_at is not None else (row.due_at, *key)
        if before != now:
            if before is not None:
                del self.due[bisect_left(self.due, before)]
            if now is not None:
                insort(self.due, now)
        return old

    def due_keys(self, now: str, limit: int, since: str = "") -> list[TimerKey]:
        """Returns the keys of the first `limit` timers not done that are due at `now`, and not before `since`."""
        picked = []
        first = bisect_left(self.due, since, key=lambda entry: entry[0])
        for due_at, subject, name, occurrence in self.due[first : first + max(limit, 0)]:
            if due_at > now:
                break
            picked.append((subject, name, occurrence))
        return picked


_NO_LINK = bytes(32)

Undo = list[tuple[Table[Any, Any], Any, Any]]


class MemoryTables:
    """All tables of the store in memory."""

    def __init__(self) -> None:
        by_id = attrgetter("id")
        self.settings: Table[str, tuple[str, str]] = Table(lambda pair: pair[0])
        self.orgs: Table[tuple[str, str], OrgRow] = Table(attrgetter("id", "from_day"))
        self.officers: Table[str, OfficerRow] = Table(by_id)
        self.roles: Table[tuple[str, ...], RoleRow] = Table(attrgetter("officer", "org", "role", "from_day"))
        self.substitutes: Table[str, SubstituteRow] = Table(by_id)
        self.days: Table[str, DayRow] = Table(attrgetter("day"))
        self.definitions: Table[str, DefinitionRow] = Table(by_id)
        self.keys: Table[str, KeyRow] = Table(by_id)
        self.subjects: Table[str, SubjectRow] = Table(
            by_id,
            workflow=attrgetter("workflow"),
            refers=attrgetter("refers"),
            unique=lambda row: None if row.unique_key is None else (row.workflow, row.unique_key),
        )
        self.likenesses: Table[tuple[str, str], LikenessRow] = Table(
            attrgetter("digest", "subject"), digest=attrgetter("digest"), subject=attrgetter("subject")
        )
        self.listings: Table[tuple[str, int], ListingRow] = Table(
            attrgetter("subject", "rank"), subject=attrgetter("subject"), workflow=attrgetter("workflow")
        )
        self.dues: Table[tuple[str, str], DueRow] = Table(attrgetter("subject", "rule"), subject=attrgetter("subject"))
        self.saved: Table[str, SavedRow] = Table(by_id, officer=attrgetter("officer"))
        self.timers = TimerTable()
        self.outbox: Table[str, OutboxRow] = Table(
            by_id,
            notice=attrgetter("rule", "subject", "occurrence", "recipient", "channel"),
            subject=attrgetter("subject"),
            message=attrgetter("message"),
            provider=attrgetter("provider_id"),
            recipient=attrgetter("recipient"),
            state=attrgetter("state"),
            waits=lambda row: None if row.next_try_at is None else True,
        )
        self.tree: Table[tuple[int, int], NodeRow] = Table(attrgetter("level", "place"))
        self.judged: Table[tuple[str, int], JudgedRow] = Table(attrgetter("rule", "block"), rule=attrgetter("rule"))
        self.sessions: Table[str, SessionRow] = Table(by_id, officer=attrgetter("officer"))
        self.drafts: Table[tuple[str, str], DraftRow] = Table(
            attrgetter("subject", "name"), subject=attrgetter("subject")
        )
        self.factors: Table[str, FactorRow] = Table(attrgetter("officer"))
        self.attempts: Table[str, AttemptRow] = Table(by_id)
        self.tokens: Table[str, TokenRow] = Table(by_id, officer=attrgetter("officer"))
        self.events: list[EventRow] = []
        self.event_ids: set[str] = set()
        self.event_of_command: dict[str | None, int] = {}
        self.events_of_subject: dict[str, list[int]] = defaultdict(list)

    def head(self) -> Head:
        """Returns where the trail ends."""
        if not self.events:
            return Head(size=0, link=_NO_LINK, at="")
        last = self.events[-1]
        return Head(size=last.seq + 1, link=last.link, at=last.at)

    def append_event(self, row: EventRow) -> None:
        """Appends one event, checked before."""
        self.events.append(row)
        self.event_ids.add(row.id)
        if row.command is not None:
            self.event_of_command[row.command] = row.seq
        if row.subject is not None:
            self.events_of_subject[row.subject].append(row.seq)

    def cut_events(self, size: int) -> None:
        """Takes back all events after the first `size`: a rolled back transaction's."""
        while len(self.events) > size:
            row = self.events.pop()
            self.event_ids.discard(row.id)
            if row.command is not None:
                del self.event_of_command[row.command]
            if row.subject is not None:
                self.events_of_subject[row.subject].pop()

    def dump(self) -> list[tuple[str, Sequence[Any]]]:
        """Returns each table's name and rows; definitions and events in the order they were put."""
        tables = ("settings", "orgs", "officers", "roles", "substitutes", "days", "definitions", "keys", "subjects")
        more = (
            "likenesses",
            "listings",
            "dues",
            "saved",
            "timers",
            "outbox",
            "drafts",
            "sessions",
            "factors",
            "attempts",
            "tokens",
            "tree",
            "judged",
        )
        rows = [(name, list(getattr(self, name).rows.values())) for name in (*tables, *more)]
        return [*rows, ("events", list(self.events))]
