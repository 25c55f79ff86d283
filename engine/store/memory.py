"""The store in memory: dictionaries, an undo log and one lock. For tests, scenarios and trials of a definition."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from heapq import nsmallest
from operator import attrgetter
from typing import Any

from engine.store.faults import WAIT_S, Misuse, busy, changed_meanwhile, lost, stands_already, trail_moved
from engine.store.memory_search import MemorySearch
from engine.store.memory_tables import MemoryTables, Table
from engine.store.rows import (
    AttemptRow,
    DayRow,
    DefinitionRow,
    DraftRow,
    EventRow,
    FactorRow,
    Head,
    KeyRow,
    LikenessRow,
    OfficerRow,
    OrgRow,
    OutboxRow,
    RoleRow,
    SessionRow,
    SubjectRow,
    SubstituteRow,
    TimerRow,
    TokenRow,
)
from engine.store.tiles import made_between


class MemoryStore:
    """Keeps the promises of `ports.Store` for one process. One transaction at a time, reading ones too."""

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self._tables = MemoryTables()
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._wait_s = wait_s

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[MemoryTransaction]:
        """Begins a transaction. Raises Conflict after waiting too long, Misuse inside another one of this thread."""
        me = threading.get_ident()
        if self._owner == me:
            raise Misuse("a transaction is open in this thread already")
        if not self._lock.acquire(timeout=self._wait_s):
            raise busy(self._wait_s)
        self._owner = me
        unit = MemoryTransaction(self._tables, write)
        try:
            yield unit
            if unit.is_lost:
                raise lost()
        except BaseException:
            unit.roll_back()
            raise
        finally:
            unit.end()
            self._owner = None
            self._lock.release()

    def create(self) -> None:
        """Nothing is to be made."""

    def check(self) -> None:
        """Always of this version."""

    def seal(self) -> int:
        """Events bring their nodes along."""
        return 0

    def scrub(self) -> None:
        """Nothing was written anywhere."""

    def close(self) -> None:
        """Nothing is held."""

    def dump(self) -> Iterator[tuple[str, Sequence[Any]]]:
        """Yields each table's name and rows, as one moment saw them; settings as (name, value)."""
        with self.transaction(write=False):
            everything = self._tables.dump()
        yield from everything


class MemoryTransaction(MemorySearch):
    """One unit of work on the dictionaries."""

    # -- settings

    def setting(self, name: str) -> str | None:
        found = self._t().settings.rows.get(name)
        return None if found is None else found[1]

    def put_setting(self, name: str, value: str) -> None:
        self._put(self._w().settings, [(name, value)])

    # -- the office

    def orgs(self) -> Sequence[OrgRow]:
        return self._t().orgs.ordered()

    def put_orgs(self, rows: Iterable[OrgRow]) -> None:
        self._put(self._w().orgs, rows)

    def officers(self) -> Sequence[OfficerRow]:
        return self._t().officers.ordered()

    def put_officers(self, rows: Iterable[OfficerRow]) -> None:
        self._put(self._w().officers, rows)

    def roles(self) -> Sequence[RoleRow]:
        return self._t().roles.ordered()

    def put_roles(self, rows: Iterable[RoleRow]) -> None:
        self._put(self._w().roles, rows)

    def substitutes(self) -> Sequence[SubstituteRow]:
        return self._t().substitutes.ordered()

    def put_substitutes(self, rows: Iterable[SubstituteRow]) -> None:
        self._put(self._w().substitutes, rows)

    def days(self) -> Sequence[DayRow]:
        return self._t().days.ordered()

    def put_days(self, rows: Iterable[DayRow]) -> None:
        self._put(self._w().days, rows)

    # -- definitions and keys

    def definitions(self) -> Sequence[DefinitionRow]:
        return sorted(self._t().definitions.rows.values(), key=lambda row: row.loaded_at)

    def put_definitions(self, rows: Iterable[DefinitionRow]) -> None:
        table = self._w().definitions
        for row in rows:
            if row.id not in table.rows:
                self._put(table, [row])

    def keys(self, ids: Iterable[str]) -> dict[str, KeyRow]:
        return self._t().keys.pick(ids)

    def put_keys(self, rows: Iterable[KeyRow]) -> None:
        self._put(self._w().keys, rows)

    # -- subjects

    def subjects(self, ids: Iterable[str]) -> dict[str, SubjectRow]:
        return self._t().subjects.pick(ids)

    def likenesses(self, digests: Iterable[str]) -> Sequence[LikenessRow]:
        table = self._t().likenesses
        keys = {key for digest in digests for key in table.found("digest", digest)}
        return [table.rows[key] for key in sorted(keys)]

    def put_likenesses(self, subjects: Iterable[str], rows: Sequence[LikenessRow]) -> None:
        table = self._w().likenesses
        for key in [key for subject in subjects for key in table.found("subject", subject)]:
            self._undo.append((table, key, table.put(key, None)))
        self._put(table, rows)

    def insert_subjects(self, rows: Sequence[SubjectRow]) -> None:
        table = self._w().subjects
        for row in rows:
            if row.id in table.rows:
                raise self._refuse(stands_already("subjects"))
            self._put_subject(table, row)

    def update_subjects(self, rows: Sequence[SubjectRow], versions: Sequence[int]) -> None:
        table = self._w().subjects
        for row, version in zip(rows, versions, strict=True):
            old = table.rows.get(row.id)
            if old is None or old.version != version:
                raise self._refuse(changed_meanwhile(row.id))
            self._put_subject(table, row)

    def _put_subject(self, table: Table[str, SubjectRow], row: SubjectRow) -> None:
        if row.unique_key is not None and table.found("unique", (row.workflow, row.unique_key)) - {row.id}:
            raise self._refuse(stands_already("subjects"))
        self._put(table, [row])

    def find_subjects(
        self,
        *,
        workflow: str | None = None,
        orgs: Iterable[str] | None = None,
        states: Iterable[str] | None = None,
        refers: str | None = None,
        unique_key: str | None = None,
        after: str = "",
        limit: int | None = None,
    ) -> Sequence[SubjectRow]:
        table = self._t().subjects
        tests: list[Callable[[SubjectRow], bool]] = []
        if unique_key is not None:
            tests.append(lambda row: row.unique_key == unique_key)
        if orgs is not None:
            of = frozenset(orgs)
            tests.append(lambda row: row.org in of)
        if states is not None:
            among = frozenset(states)
            tests.append(lambda row: row.state in among)
        if workflow is not None:
            tests.append(lambda row: row.workflow == workflow)
        if refers is not None:
            ids: Iterable[str] = table.found("refers", refers)
        elif workflow is not None and unique_key is not None:
            ids = table.found("unique", (workflow, unique_key))
        else:
            ids = table.rows if workflow is None else table.found("workflow", workflow)
        rows = (table.rows[id_] for id_ in ids if id_ > after)
        return sorted((row for row in rows if all(test(row) for test in tests)), key=lambda row: row.id)[:limit]

    # -- the trail

    def head(self) -> Head:
        return self._t().head()

    def append_events(self, rows: Sequence[EventRow]) -> None:
        tables = self._w()
        for row in rows:
            if row.seq != len(tables.events):
                raise self._refuse(trail_moved(len(tables.events), row.seq))
            if row.id in tables.event_ids or row.command in tables.event_of_command:
                raise self._refuse(stands_already("events"))
            tables.append_event(row)
        after = len(tables.events)
        for made in made_between(after - len(rows), after, self.hashes):
            self._put(tables.tree, made)

    def trail(self, *, after: int = -1) -> Iterator[tuple[int, bytes, bytes, bytes]]:
        for row in self.events(after=after):
            yield row.seq, row.body, row.leaf, row.link

    def hashes(self, level: int, first: int, count: int) -> Sequence[bytes]:
        tables = self._t()
        if level == 0:
            return [row.leaf for row in tables.events[first : first + count]]
        return [row.hash for row in tables.tree.pick((level, p) for p in range(first, first + count)).values()]

    def events(
        self,
        *,
        subject: str | None = None,
        after: int = -1,
        until: int | None = None,
        kind: str | None = None,
        workflow: str | None = None,
    ) -> Iterator[EventRow]:
        tables = self._t()
        seqs: Iterable[int] = range(max(after + 1, 0), len(tables.events))
        if subject is not None:
            seqs = [seq for seq in tables.events_of_subject.get(subject, ()) if seq > after]
        for seq in seqs:
            row = self._t().events[seq]
            if until is not None and seq > until:
                return
            if kind in (None, row.kind) and workflow in (None, row.workflow):
                yield row

    def changed_after(self, day: str, subjects: Iterable[str], kinds: Iterable[str]) -> Set[str]:
        wanted = set(kinds)

        def later(event: EventRow) -> bool:
            return event.kind in wanted and (event.on or event.at[:10]) > day

        return {s for s in subjects if any(map(later, self.events(subject=s)))}

    def event_of_command(self, command: str) -> EventRow | None:
        tables = self._t()
        seq = tables.event_of_command.get(command)
        return None if seq is None else tables.events[seq]

    # -- timers

    def timers(self, subjects: Iterable[str]) -> Sequence[TimerRow]:
        table = self._t().timers
        rows = [table.rows[key] for subject in set(subjects) for key in table.found("subject", subject)]
        return sorted(rows, key=lambda row: (row.subject, row.due_at, row.name, row.occurrence))

    def put_timers(self, rows: Sequence[TimerRow]) -> None:
        self._put(self._w().timers, rows)

    def delete_timers(self, rows: Sequence[TimerRow]) -> None:
        self._delete(self._w().timers, rows)

    def due_timers(self, now: str, limit: int, since: str = "") -> Sequence[TimerRow]:
        table = self._t().timers
        return [table.rows[key] for key in table.due_keys(now, limit, since)]

    def next_due(self) -> str | None:
        due = self._t().timers.due
        return due[0][0] if due else None

    def pending_subjects(self) -> Sequence[str]:
        return sorted({entry[1] for entry in self._t().timers.due})

    # -- outbox

    def put_outbox(self, rows: Sequence[OutboxRow]) -> int:
        table = self._w().outbox
        went_in = 0
        for row in rows:
            if table.found("notice", table.indexes["notice"](row)):
                continue
            if row.id in table.rows:
                raise self._refuse(stands_already("outbox"))
            self._put(table, [row])
            went_in += 1
        return went_in

    def update_outbox(self, rows: Sequence[OutboxRow]) -> None:
        table = self._w().outbox
        for row in rows:
            if row.id not in table.rows:
                raise self._refuse(changed_meanwhile(row.id))
            self._put(table, [row])

    def outbox(
        self,
        *,
        ids: Iterable[str] | None = None,
        states: Iterable[str] | None = None,
        subject: str | None = None,
        message: str | None = None,
        recipients: Iterable[str] | None = None,
        provider_id: str | None = None,
        due: str | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int | None = None,
    ) -> Sequence[OutboxRow]:
        table = self._t().outbox
        within = [set(ids)] if ids is not None else []
        if subject is not None:
            within.append(table.found("subject", subject))
        if message is not None:
            within.append(table.found("message", message))
        if provider_id is not None:
            within.append(table.found("provider", provider_id))
        if recipients is not None:
            within.append(set[str]().union(*(table.found("recipient", one) for one in set(recipients))))
        if due is not None:
            within.append(table.found("waits", True))
        among = None if states is None else frozenset(states)
        keys = set.intersection(*within) if within else set(table.rows)
        rows = [table.rows[key] for key in keys if key in table.rows]
        picked = [
            row
            for row in rows
            if (among is None or row.state in among)
            and (due is None or (row.next_try_at is not None and row.next_try_at <= due))
            and (since or "") <= row.due_at <= (until or "~")
        ]
        return sorted(picked, key=lambda row: (row.due_at, row.id))[:limit]

    def outbox_due(self, now: str, limit: int) -> Sequence[OutboxRow]:
        table = self._t().outbox
        waiting = (
            (row.next_try_at, row.due_at, row.id, row)
            for key in table.found("waits", True)
            if (row := table.rows[key]).state == "queued" and row.next_try_at is not None and row.next_try_at <= now
        )
        return [row for *_, row in nsmallest(max(limit, 0), waiting)]

    def next_try(self) -> str | None:
        table = self._t().outbox
        waiting = (table.rows[key] for key in table.found("waits", True))
        return min((row.next_try_at for row in waiting if row.state == "queued" and row.next_try_at), default=None)

    def outbox_counts(self) -> dict[str, int]:
        table = self._t().outbox
        return {str(state): len(keys) for state, keys in table.index["state"].items() if keys}

    # -- signing in

    def session(self, id: str) -> SessionRow | None:
        return self._t().sessions.rows.get(id)

    def sessions_of(self, officer: str) -> Sequence[SessionRow]:
        table = self._t().sessions
        return sorted(table.pick(table.found("officer", officer)).values(), key=lambda r: (r.created_at, r.id))

    def put_sessions(self, rows: Iterable[SessionRow]) -> None:
        self._put(self._w().sessions, rows)

    def drafts(self, subjects: Iterable[str] | None = None) -> Sequence[DraftRow]:
        rows, wanted = self._t().drafts.rows.values(), None if subjects is None else set(subjects)
        return sorted((r for r in rows if wanted is None or r.subject in wanted), key=attrgetter("subject", "name"))

    def put_drafts(self, rows: Iterable[DraftRow]) -> None:
        self._put(self._w().drafts, rows)

    def delete_drafts(self, rows: Sequence[DraftRow]) -> None:
        self._delete(self._w().drafts, rows)

    def factor(self, officer: str) -> FactorRow | None:
        return self._t().factors.rows.get(officer)

    def put_factors(self, rows: Iterable[FactorRow]) -> None:
        self._put(self._w().factors, rows)

    def delete_factors(self, rows: Sequence[FactorRow]) -> None:
        self._delete(self._w().factors, rows)

    def attempt(self, id: str) -> AttemptRow | None:
        return self._t().attempts.rows.get(id)

    def put_attempts(self, rows: Iterable[AttemptRow]) -> None:
        self._put(self._w().attempts, rows)

    def forget_sign_ins(self, sessions: str, attempts: str) -> None:
        tables = self._w()
        self._delete(tables.sessions, [r for r in tables.sessions.rows.values() if r.expires_at <= sessions])
        self._delete(tables.attempts, [r for r in tables.attempts.rows.values() if r.last_at <= attempts])

    def token(self, id: str) -> TokenRow | None:
        return self._t().tokens.rows.get(id)

    def tokens_of(self, officer: str) -> Sequence[TokenRow]:
        table = self._t().tokens
        return sorted(table.pick(table.found("officer", officer)).values(), key=lambda r: (r.created_at, r.id))

    def put_tokens(self, rows: Iterable[TokenRow]) -> None:
        self._put(self._w().tokens, rows)
