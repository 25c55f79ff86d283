"""What a store promises. Memory, SQLite and PostgreSQL keep the same promises; one contract suite tests all three.

Every promise holds inside one transaction: what it wrote it reads back; nobody else sees it before the commit; after
`transaction()` has been left without an error everything is durable, and after an error nothing of it is left.
Write transactions on the same trail run one after the other from `head()` on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import AbstractContextManager
from typing import Protocol

from engine.store.rows import (
    AttemptRow,
    DayRow,
    DefinitionRow,
    DraftRow,
    DueRow,
    EventRow,
    EventSearch,
    FactorRow,
    Head,
    JudgedRow,
    KeyRow,
    LikenessRow,
    ListingRow,
    ListingSearch,
    OfficerRow,
    OrgRow,
    OutboxRow,
    RoleRow,
    SavedRow,
    SessionRow,
    StandRow,
    StateCount,
    SubjectRow,
    SubstituteRow,
    TimerRow,
    TokenRow,
)


class Transaction(Protocol):
    """One unit of work. Not for use after its `with` block."""

    # -- settings: small texts by name; office_version counts changes of organisations, officers, substitutes, days
    def setting(self, name: str) -> str | None: ...
    def put_setting(self, name: str, value: str) -> None: ...

    # -- the office; put_* inserts or replaces by the primary key, named in each line
    def orgs(self) -> Sequence[OrgRow]: ...
    def put_orgs(self, rows: Iterable[OrgRow]) -> None:
        """By (id, from_day)."""

    def officers(self) -> Sequence[OfficerRow]: ...
    def put_officers(self, rows: Iterable[OfficerRow]) -> None:
        """By id."""

    def roles(self) -> Sequence[RoleRow]: ...
    def put_roles(self, rows: Iterable[RoleRow]) -> None:
        """By (officer, org, role, from_day)."""

    def substitutes(self) -> Sequence[SubstituteRow]: ...
    def put_substitutes(self, rows: Iterable[SubstituteRow]) -> None:
        """By id."""

    def days(self) -> Sequence[DayRow]: ...
    def put_days(self, rows: Iterable[DayRow]) -> None:
        """By day."""

    # -- definitions
    def definitions(self) -> Sequence[DefinitionRow]:
        """Oldest first by loaded_at, then in the order they were put."""

    def put_definitions(self, rows: Iterable[DefinitionRow]) -> None:
        """By id; a row that stands already is left as it is."""

    # -- keys
    def keys(self, ids: Iterable[str]) -> dict[str, KeyRow]: ...
    def put_keys(self, rows: Iterable[KeyRow]) -> None:
        """By id."""

    # -- subjects
    def subjects(self, ids: Iterable[str]) -> dict[str, SubjectRow]:
        """Returns those that exist."""

    def insert_subjects(self, rows: Sequence[SubjectRow]) -> None:
        """Raises Conflict when an id, or a (workflow, unique_key), stands already; then the transaction is lost."""

    def update_subjects(self, rows: Sequence[SubjectRow], versions: Sequence[int]) -> None:
        """Writes rows over those stored with these versions, one a row. Raises Conflict when one has another; then the
        transaction is lost."""

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
        """Returns the subjects that meet every condition given, by id, those with an id greater than `after`."""

    # -- likenesses
    def likenesses(self, digests: Iterable[str]) -> Sequence[LikenessRow]:
        """Returns the rows with one of these digests, by (digest, subject)."""

    def put_likenesses(self, subjects: Iterable[str], rows: Sequence[LikenessRow]) -> None:
        """Takes away all rows of these subjects, then puts the rows, by (digest, subject)."""

    # -- lists
    def put_listings(
        self, subjects: Iterable[str], rows: Sequence[ListingRow], dues: Sequence[DueRow], *, new: bool = False
    ) -> None:
        """Takes away all that stands of these subjects, then puts the rows. `new`: nothing stands of them yet."""

    def listings(self, subjects: Iterable[str]) -> Sequence[ListingRow]:
        """Returns all rows of these subjects by (subject, rank)."""

    def dues(self, subjects: Iterable[str]) -> Sequence[DueRow]:
        """Returns all rows of these subjects by (subject, rule)."""

    def terms_astray(self, subjects: Iterable[str], /) -> Sequence[str]:
        """Returns those of these subjects that are not found by the words and marks of their listings alone."""

    def list_subjects(
        self, wanted: ListingSearch, *, after: tuple[str, str] | None = None, limit: int
    ) -> Sequence[ListingRow]:
        """Returns the first `limit` subjects of a list after a place in its order (its key, a subject), each once."""

    def count_listed(self, workflow: str, orgs: Iterable[str] | None, *, today: str, soon: str) -> Sequence[StateCount]:
        """Counts a workflow's subjects that are read from these units (None: all) by state.

        Late are those due before `today`, soon those due up to `soon`.
        """

    def stands(self) -> Sequence[StandRow]:
        """Returns how many subjects are read from where, as counted while they were listed; those counted are > 0."""

    def find_dues(
        self, workflow: str, rules: Iterable[str], *, orgs: Iterable[str] | None = None, until: str, limit: int
    ) -> Sequence[DueRow]:
        """Returns the first days of these rules up to `until`, of subjects of these units, by (due, subject, rule)."""

    # -- views of lists that officers keep
    def saved(self, officer: str) -> Sequence[SavedRow]:
        """Returns an officer's views by id."""

    def put_saved(self, rows: Iterable[SavedRow]) -> None:
        """By id."""

    def delete_saved(self, rows: Sequence[SavedRow]) -> None:
        """By id."""

    # -- the trail
    def head(self) -> Head:
        """Tells where the trail ends; a write transaction locks it there."""

    def append_events(self, rows: Sequence[EventRow]) -> None:
        """Appends; seq goes on from head().size. Raises Conflict when an id or a command stands already."""

    def events(
        self,
        *,
        subject: str | None = None,
        after: int = -1,
        until: int | None = None,
        kind: str | None = None,
        workflow: str | None = None,
    ) -> Iterator[EventRow]:
        """Yields events by seq, those with seq > after (and <= until); never holds all of them in memory."""

    def changed_after(self, day: str, subjects: Iterable[str], kinds: Iterable[str]) -> Set[str]:
        """Returns those of the subjects with an event of these kinds on a later day (`on`, or else that of `at`)."""

    def search_events(self, wanted: EventSearch, *, before: int | None = None, limit: int) -> Sequence[EventRow]:
        """Returns the newest `limit` events that meet `wanted`, newest first, those with seq < `before` if given."""

    def put_judged(self, rows: Iterable[JudgedRow]) -> None:
        """By (rule, block); one that stands already stays. Goes with the events, or `search_events` misses them."""

    def judged_blocks(self, rule: str) -> Sequence[int]:
        """Returns the blocks in which a rule was judged, the last one first."""

    def judged(self, first: int, end: int) -> Sequence[JudgedRow]:
        """Returns what was judged in the blocks from `first` to before `end`, by (block, rule)."""

    def event_of_command(self, command: str) -> EventRow | None: ...

    def trail(self, *, after: int = -1) -> Iterator[tuple[int, bytes, bytes, bytes]]:
        """Yields (seq, body, leaf, link) of the events with seq > after, by seq: what hashing needs, and no more."""

    def hashes(self, level: int, first: int, count: int) -> Sequence[bytes]:
        """Returns the tree's nodes of a level (0, 8, 16, ...) from one place on, as far as they stand there.

        Level 0 are the leaves of the events. Nodes above are written with the events, or (PostgreSQL) by `Store.seal`.
        """

    # -- timers
    def timers(self, subjects: Iterable[str]) -> Sequence[TimerRow]:
        """Returns all timers of these subjects, done ones too, by (subject, due_at, name, occurrence)."""

    def put_timers(self, rows: Sequence[TimerRow]) -> None:
        """By (subject, name, occurrence)."""

    def delete_timers(self, rows: Sequence[TimerRow]) -> None:
        """By (subject, name, occurrence)."""

    def due_timers(self, now: str, limit: int, since: str = "") -> Sequence[TimerRow]:
        """Returns timers not done with since <= due_at <= now, by (due_at, subject, name, occurrence).

        The cost follows `limit`, not the table.
        """

    def next_due(self) -> str | None:
        """Returns the least due_at of the timers not done, or None."""

    def pending_subjects(self) -> Sequence[str]:
        """Returns the ids of subjects that have a timer not done."""

    # -- outbox
    def put_outbox(self, rows: Sequence[OutboxRow]) -> int:
        """Inserts rows; one whose (rule, subject, occurrence, recipient, channel) stands already is left out.

        Returns how many went in.
        """

    def update_outbox(self, rows: Sequence[OutboxRow]) -> None:
        """By id."""

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
        """Returns rows that meet every condition given, by (due_at, id). `due`: next_try_at is set and <= due;
        `since` and `until` (included) bound due_at."""

    def outbox_due(self, now: str, limit: int) -> Sequence[OutboxRow]:
        """Returns rows in state queued with next_try_at <= now, by (next_try_at, due_at, id).

        The cost follows `limit`, not the table.
        """

    def next_try(self) -> str | None:
        """Returns the least next_try_at of the rows in state queued, or None."""

    def outbox_counts(self) -> dict[str, int]:
        """Returns how many rows stand in each state."""

    # -- drafts: what was filled in and is not recorded yet
    def drafts(self, subjects: Iterable[str] | None = None) -> Sequence[DraftRow]:
        """Returns those of these subjects (None: all), by (subject, name)."""

    def put_drafts(self, rows: Iterable[DraftRow]) -> None:
        """By (subject, name)."""

    def delete_drafts(self, rows: Sequence[DraftRow]) -> None:
        """By (subject, name)."""

    # -- signing in
    def session(self, id: str) -> SessionRow | None: ...
    def sessions_of(self, officer: str) -> Sequence[SessionRow]:
        """Returns an officer's sessions by (created_at, id), those that have expired too."""

    def put_sessions(self, rows: Iterable[SessionRow]) -> None:
        """By id."""

    def factor(self, officer: str) -> FactorRow | None: ...
    def put_factors(self, rows: Iterable[FactorRow]) -> None:
        """By officer."""

    def delete_factors(self, rows: Sequence[FactorRow]) -> None:
        """By officer."""

    def attempt(self, id: str) -> AttemptRow | None: ...
    def put_attempts(self, rows: Iterable[AttemptRow]) -> None:
        """By id."""

    def forget_sign_ins(self, sessions: str, attempts: str) -> None:
        """Deletes sessions with expires_at <= `sessions`, and attempts with last_at <= `attempts`."""

    def token(self, id: str) -> TokenRow | None: ...
    def tokens_of(self, officer: str) -> Sequence[TokenRow]:
        """Returns an officer's tokens by (created_at, id), those that ended too."""

    def put_tokens(self, rows: Iterable[TokenRow]) -> None:
        """By id."""


class Store(Protocol):
    """A place that keeps the rows.

    Safe to use from several threads and processes, each with transactions of its own.
    """

    def transaction(self, *, write: bool = True) -> AbstractContextManager[Transaction]:
        """Begins a transaction. A write transaction waits for others up to 30 s, then raises Conflict."""

    def create(self) -> None:
        """Makes the tables, or brings them to this version. Safe to call twice."""

    def check(self) -> None:
        """Raises BadInput when the tables are missing or of another version, naming the mend."""

    def seal(self) -> int:
        """Writes the nodes of the tree that events committed since have made complete. Returns how many.

        Safe to call at any time from any process, and keeps no writer waiting. Where events are written by one writer
        at a time in any case (SQLite, memory) they bring their nodes along, and nothing is left to do.
        """

    def scrub(self) -> None:
        """Leaves no byte of what was overwritten or deleted in the database's files. Not inside a transaction."""

    def close(self) -> None: ...
