"""One unit of work on an SQL database. What it promises is said in `ports`; what it runs is built in `statements`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set

from engine.audit.tree import TILE_LEVELS
from engine.store import tables
from engine.store.faults import changed_meanwhile, trail_moved
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
    NodeRow,
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
from engine.store.sql_search import SqlSearch
from engine.store.sql_unit import PAGE, Shape
from engine.store.tiles import made_between

_orgs = Shape(tables.orgs, OrgRow)
_officers = Shape(tables.officers, OfficerRow)
_roles = Shape(tables.roles, RoleRow)
_substitutes = Shape(tables.substitutes, SubstituteRow)
_days = Shape(tables.days, DayRow)
_definitions = Shape(tables.definitions, DefinitionRow)
_keys = Shape(tables.keys, KeyRow)
_likenesses = Shape(tables.likenesses, LikenessRow)
_subjects = Shape(tables.subjects, SubjectRow)
_events = Shape(tables.events, EventRow)
_nodes = Shape(tables.tree, NodeRow)
_timers = Shape(tables.timers, TimerRow)
_outbox = Shape(tables.outbox, OutboxRow)
_sessions = Shape(tables.sessions, SessionRow)
_drafts = Shape(tables.drafts, DraftRow)
_factors = Shape(tables.factors, FactorRow)
_attempts = Shape(tables.attempts, AttemptRow)
_tokens = Shape(tables.tokens, TokenRow)


class SqlTransaction(SqlSearch):
    """Keeps the promises of `ports.Transaction` on a session."""

    # -- settings

    def setting(self, name: str) -> str | None:
        found = self._rows(self._statements.by_value(tables.settings.c.name), value=name)
        return found[0][1] if found else None

    def put_setting(self, name: str, value: str) -> None:
        statement = self._statements.insert_or_replace(tables.settings)
        self._run_many(statement, [statement.fill({"name": name, "value": value})])

    # -- the office

    def orgs(self) -> Sequence[OrgRow]:
        return self._all(_orgs)

    def put_orgs(self, rows: Iterable[OrgRow]) -> None:
        self._put(_orgs, rows)

    def officers(self) -> Sequence[OfficerRow]:
        return self._all(_officers)

    def put_officers(self, rows: Iterable[OfficerRow]) -> None:
        self._put(_officers, rows)

    def roles(self) -> Sequence[RoleRow]:
        return self._all(_roles)

    def put_roles(self, rows: Iterable[RoleRow]) -> None:
        self._put(_roles, rows)

    def substitutes(self) -> Sequence[SubstituteRow]:
        return self._all(_substitutes)

    def put_substitutes(self, rows: Iterable[SubstituteRow]) -> None:
        self._put(_substitutes, rows)

    def days(self) -> Sequence[DayRow]:
        return self._all(_days)

    def put_days(self, rows: Iterable[DayRow]) -> None:
        self._put(_days, rows)

    # -- definitions and keys

    def definitions(self) -> Sequence[DefinitionRow]:
        return sorted(self._all(_definitions), key=lambda row: row.loaded_at)

    def put_definitions(self, rows: Iterable[DefinitionRow]) -> None:
        self._write_rows(_definitions, self._statements.insert_or_leave(tables.definitions, "id"), rows)

    def keys(self, ids: Iterable[str]) -> dict[str, KeyRow]:
        return {row.id: row for row in self._by_column(_keys, "id", ids)}

    def put_keys(self, rows: Iterable[KeyRow]) -> None:
        self._put(_keys, rows)

    # -- subjects

    def subjects(self, ids: Iterable[str]) -> dict[str, SubjectRow]:
        return {row.id: row for row in self._by_column(_subjects, "id", ids)}

    def likenesses(self, digests: Iterable[str]) -> Sequence[LikenessRow]:
        return self._by_column(_likenesses, "digest", digests, "digest", "subject")

    def put_likenesses(self, subjects: Iterable[str], rows: Sequence[LikenessRow]) -> None:
        if old := self._by_column(_likenesses, "subject", subjects):
            self._write_rows(_likenesses, self._statements.delete(tables.likenesses), old)
        leave = self._statements.insert_or_leave(tables.likenesses, "digest", "subject")
        self._write_rows(_likenesses, leave, rows)

    def insert_subjects(self, rows: Sequence[SubjectRow]) -> None:
        self._write_rows(_subjects, self._statements.insert(tables.subjects), rows)

    def update_subjects(self, rows: Sequence[SubjectRow], versions: Sequence[int]) -> None:
        statement = self._statements.update_subject()
        head = _subjects.values(statement.order[:-1], rows)
        many = [(*values, version) for values, version in zip(head, versions, strict=True)]
        if self._run_many(statement, many) != len(rows):
            stored = self.subjects(row.id for row in rows)
            stale = [row.id for row in rows if stored.get(row.id) != row]  # the others have just been written
            raise self._refuse(changed_meanwhile((stale or [rows[0].id])[0]))

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
        return self._found(
            _subjects,
            {"orgs": orgs, "states": states},
            workflow=workflow,
            refers=refers,
            unique_key=unique_key,
            after=after or None,
            limit=limit,
        )

    # -- the trail

    def append_events(self, rows: Sequence[EventRow]) -> None:
        size = self.head().size
        for place, row in enumerate(rows, size):
            if row.seq != place:
                raise self._refuse(trail_moved(place, row.seq))
        self._write_rows(_events, self._statements.insert(tables.events), rows)
        if rows:
            self._head = Head(size=size + len(rows), link=rows[-1].link, at=rows[-1].at)
            if self._seals:
                self._put_nodes(size, size + len(rows))

    def _put_nodes(self, before: int, after: int) -> int:
        statement = self._statements.insert_or_leave(tables.tree, "level", "place")
        return sum(self._write_rows(_nodes, statement, made) for made in made_between(before, after, self.hashes))

    def seal(self) -> int:
        """Writes the nodes that the events that stand have made complete; see `ports.Store.seal`."""
        found = self._rows(self._statements.nodes_end(), level=TILE_LEVELS)
        done = (found[0][0] + 1) << TILE_LEVELS if found else 0
        events = self._rows(self._statements.head())
        # From the last complete stretch of 65,536 on: a sealer that was killed may have left the levels above behind.
        begin = done >> 2 * TILE_LEVELS << 2 * TILE_LEVELS
        if not events or (events[0][0] + 1) >> TILE_LEVELS <= done >> TILE_LEVELS:
            return 0
        return self._put_nodes(max(begin - 1, 0), events[0][0] + 1)

    def trail(self, *, after: int = -1) -> Iterator[tuple[int, bytes, bytes, bytes]]:
        statement = self._statements.trail()
        while page := self._rows(statement, after=after, limit=PAGE):
            yield from page
            after = page[-1][0]

    def hashes(self, level: int, first: int, count: int) -> Sequence[bytes]:
        if level == 0:
            found = self._rows(self._statements.leaves(), first=first, end=first + count)
        else:
            found = self._rows(self._statements.nodes(), level=level, first=first, end=first + count)
        return [row[0] for row in found]

    def events(
        self,
        *,
        subject: str | None = None,
        after: int = -1,
        until: int | None = None,
        kind: str | None = None,
        workflow: str | None = None,
    ) -> Iterator[EventRow]:
        wanted = {"subject": subject, "kind": kind, "until": until, "workflow": workflow}
        places = {name: value for name, value in wanted.items() if value is not None}
        statement = self._statements.events(sorted(places))
        while True:
            page = self._rows(statement, after=after, limit=PAGE, **places)
            yield from map(_events.row, page)
            if len(page) < PAGE:
                return
            after = page[-1][0]

    def changed_after(self, day: str, subjects: Iterable[str], kinds: Iterable[str]) -> Set[str]:
        lists = {"subjects": self._statements.list_of(subjects), "kinds": self._statements.list_of(kinds)}
        return {row[0] for row in self._rows(self._statements.changed_after(), day=day, **lists)}

    def event_of_command(self, command: str) -> EventRow | None:
        found = self._by_column(_events, "command", [command])
        return found[0] if found else None

    # -- timers

    def timers(self, subjects: Iterable[str]) -> Sequence[TimerRow]:
        return self._by_column(_timers, "subject", subjects, "subject", "due_at", "name", "occurrence")

    def put_timers(self, rows: Sequence[TimerRow]) -> None:
        self._put(_timers, rows)

    def delete_timers(self, rows: Sequence[TimerRow]) -> None:
        self._write_rows(_timers, self._statements.delete(tables.timers), rows)

    def due_timers(self, now: str, limit: int, since: str = "") -> Sequence[TimerRow]:
        return self._read(_timers, self._statements.due_timers(), now=now, since=since, limit=limit)

    def next_due(self) -> str | None:
        found = self._rows(self._statements.next_due())
        return found[0][0] if found else None

    def pending_subjects(self) -> Sequence[str]:
        return sorted({row[0] for row in self._rows(self._statements.pending_subjects())})

    # -- outbox

    def put_outbox(self, rows: Sequence[OutboxRow]) -> int:
        key = ("rule", "subject", "occurrence", "recipient", "channel")
        return self._write_rows(_outbox, self._statements.insert_or_leave(tables.outbox, *key), rows)

    def update_outbox(self, rows: Sequence[OutboxRow]) -> None:
        if self._write_rows(_outbox, self._statements.update(tables.outbox), rows) != len(rows):
            stored = {row.id for row in self.outbox(ids=[row.id for row in rows])}
            raise self._refuse(changed_meanwhile(next(row.id for row in rows if row.id not in stored)))

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
        return self._found(
            _outbox,
            {"ids": ids, "states": states, "recipients": recipients},
            subject=subject,
            message=message,
            provider_id=provider_id,
            due=due,
            since=since,
            until=until,
            limit=limit,
        )

    def outbox_due(self, now: str, limit: int) -> Sequence[OutboxRow]:
        return self._read(_outbox, self._statements.outbox_due(), state="queued", now=now, limit=limit)

    def next_try(self) -> str | None:
        found = self._rows(self._statements.next_try(), state="queued")
        return found[0][0] if found else None

    def outbox_counts(self) -> dict[str, int]:
        return {row[0]: row[1] for row in self._rows(self._statements.outbox_counts())}

    # -- signing in

    def session(self, id: str) -> SessionRow | None:
        return next(iter(self._by_column(_sessions, "id", [id])), None)

    def sessions_of(self, officer: str) -> Sequence[SessionRow]:
        return self._by_column(_sessions, "officer", [officer], "created_at", "id")

    def put_sessions(self, rows: Iterable[SessionRow]) -> None:
        self._put(_sessions, rows)

    def drafts(self, subjects: Iterable[str] | None = None) -> Sequence[DraftRow]:
        if subjects is not None:
            return self._by_column(_drafts, "subject", subjects, "subject", "name")
        return sorted(self._all(_drafts), key=lambda row: (row.subject, row.name))

    def put_drafts(self, rows: Iterable[DraftRow]) -> None:
        self._put(_drafts, rows)

    def delete_drafts(self, rows: Sequence[DraftRow]) -> None:
        self._run_many(self._statements.delete(tables.drafts), [(r.subject, r.name) for r in rows])

    def factor(self, officer: str) -> FactorRow | None:
        return next(iter(self._by_column(_factors, "officer", [officer])), None)

    def put_factors(self, rows: Iterable[FactorRow]) -> None:
        self._put(_factors, rows)

    def delete_factors(self, rows: Sequence[FactorRow]) -> None:
        self._run_many(self._statements.delete(tables.factors), [(r.officer,) for r in rows])

    def attempt(self, id: str) -> AttemptRow | None:
        return next(iter(self._by_column(_attempts, "id", [id])), None)

    def put_attempts(self, rows: Iterable[AttemptRow]) -> None:
        self._put(_attempts, rows)

    def forget_sign_ins(self, sessions: str, attempts: str) -> None:
        self._run_many(self._statements.delete_until(tables.sessions.c.expires_at), [(sessions,)])
        self._run_many(self._statements.delete_until(tables.attempts.c.last_at), [(attempts,)])

    def token(self, id: str) -> TokenRow | None:
        return next(iter(self._by_column(_tokens, "id", [id])), None)

    def tokens_of(self, officer: str) -> Sequence[TokenRow]:
        return self._by_column(_tokens, "officer", [officer], "created_at", "id")

    def put_tokens(self, rows: Iterable[TokenRow]) -> None:
        self._put(_tokens, rows)
