"""The rows that a store keeps, as flat as a table: texts, numbers, bytes and booleans.

Times are ISO 8601 in UTC with microseconds and `Z` (always 27 letters, so that text order is time order); days are
`YYYY-MM-DD`; columns named `*_json` hold JSON text. The meaning of each row is the service's; a store only keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class SubjectRow:
    """A subject as its events made it: a projection that can be rebuilt. `version` counts its changes from 1."""

    id: str
    workflow: str
    org: str
    state: str
    version: int
    definition: str  # id of the definition under which the subject runs
    key_id: str  # whose key seals its facts
    refers: str | None  # the subject that one of its facts names
    unique_key: str | None  # one subject per (workflow, unique_key)
    facts_json: str  # facts that are not sensitive
    sealed: bytes | None  # sensitive facts, sealed under key_id
    doers_json: str  # trigger -> officers who did it or for whom it was done
    started_on: str
    entered_on: str  # the day the present state was entered
    person_on: str  # the day of the last start or transition made by a person
    last_event: str  # id of the last event that changed the subject


@dataclass(frozen=True, kw_only=True, slots=True)
class LikenessRow:
    """A keyed digest of facts by which a subject is compared with others."""

    digest: str
    subject: str


NO_DUE = "~"  # stands after every day


@dataclass(frozen=True, kw_only=True, slots=True)
class ListingRow:
    """A subject as lists find it, once for each unit from which it is read. Made of its facts, none of them sensitive.

    `words` and `marks` begin and end with a space, as has every one in them.
    """

    subject: str
    rank: int  # 0: `place` is its own unit; else the place of the others, in their order
    place: str  # the unit from which it is read
    home: str  # its own unit
    workflow: str
    state: str
    sort: str  # where its name belongs, `collation.name_key`
    words: str  # by which it is found, `folding.fold`
    marks: str  # by which a list is narrowed, `fact=value`
    entered_on: str
    due: str  # the earliest day that its notices are about, NO_DUE without one


@dataclass(frozen=True, kw_only=True, slots=True)
class DueRow:
    """A day that a notice rule of a subject is about."""

    subject: str
    rule: str
    workflow: str
    org: str
    due: str


Order = Literal["name", "due", "entered"]
# the column of a listing that each order goes by
ORDERED_BY: Mapping[Order, str] = {"name": "sort", "due": "due", "entered": "entered_on"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ListingSearch:
    """What a list shows; what is None or empty narrows nothing. `until`: with a due day not after it."""

    workflow: str
    orgs: tuple[str, ...] | None = None  # read from one of these units
    states: tuple[str, ...] | None = None
    words: tuple[str, ...] = ()  # each the beginning of one of its words
    marks: tuple[str, ...] = ()  # each one of its marks
    since: str | None = None  # due days not before it
    until: str | None = None
    order: Order = "name"


@dataclass(frozen=True, kw_only=True, slots=True)
class StateCount:
    """How many subjects of a list stand in a state, since when the first, how many are late, how many soon."""

    state: str
    count: int
    oldest: str
    late: int
    soon: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TermRow:
    """A word or a mark by which a subject is found, see `tables.terms`."""

    workflow: str
    term: str
    subject: str
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StandRow:
    """How many subjects of a workflow are read from a unit, live in another or the same, and stand in a state."""

    workflow: str
    place: str
    home: str
    state: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedRow:
    """A view of a list that an officer keeps; its name and what it asks for are sealed under the officer's key."""

    id: str
    officer: str
    page: str
    sealed: bytes
    made_at: str


ORIGIN = b'"origin":"'  # stands in the body of an event that an export brought from another database
HAPPENED = b'"happened":"'  # stands in the body of an event before the day that a fact of it names


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRow:
    """One entry of the trail. `body` is the canonical text that is hashed; the other columns repeat it for search."""

    seq: int  # from 0, without a gap
    id: str
    kind: str
    subject: str | None
    workflow: str | None
    org: str | None
    trigger: str | None
    actor: str | None
    behalf: str | None
    at: str
    on: str | None
    command: str | None  # unique: the id of the command that this event answers
    body: bytes
    leaf: bytes  # 32 bytes, RFC 6962 leaf hash of body
    link: bytes  # 32 bytes, SHA-256 of the link before and the leaf


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeRow:
    """A node of the trail's tree that stands for 2**level events, all present; level is 8, 16, 24, ..."""

    level: int
    place: int  # the events from place * 2**level on
    hash: bytes  # 32 bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedRow:
    """That a rule was judged in at least one of the events from block * BLOCK on: by it the trail is searched."""

    rule: str
    block: int


BLOCK = 256  # events


@dataclass(frozen=True, kw_only=True, slots=True)
class EventSearch:
    """Which events are looked for: those that meet every condition given, a list by any of its values."""

    subjects: tuple[str, ...] | None = None
    orgs: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None
    officer: str | None = None  # who did it, or for whom it was done
    trigger: str | None = None
    rule: str | None = None  # judged in it
    breached: bool = False  # went through against a time limit
    since: str | None = None  # first `at`
    until: str | None = None  # last `at`
    # only those recorded on a later day, or that name an earlier one; the UTC time (HH:MM) of the office's midnight
    late_turn: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """Where the trail ends: how many events, the last link (32 zero bytes when empty) and the last `at` ('' when
    empty)."""

    size: int
    link: bytes
    at: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TimerRow:
    """Something to be done at `due_at`: fire a transition (`fire`), or send a notice (`notice` planned from a date,
    `told` by an event)."""

    subject: str
    name: str
    occurrence: str
    kind: str
    due_at: str
    planned_at: str
    done_at: str | None = None
    outcome: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboxRow:
    """A notice to one officer on one channel. Unique by (rule, subject, occurrence, recipient, channel)."""

    id: str
    rule: str
    subject: str
    occurrence: str
    recipient: str  # officer who gets it
    behalf: str | None  # the absent officer in whose place they get it
    channel: str
    urgent: bool
    state: str  # queued claimed accepted delivered refused failed unknown cancelled
    due_at: str
    next_try_at: str | None  # when it is to be tried; None when nothing more is to be done
    attempts: int
    message: str | None  # id of the message that carries it; a digest carries several
    sent_at: str | None
    provider_id: str | None
    detail: str | None
    key_id: str
    sealed: bytes  # subject line and body, sealed under key_id
    message_at: str | None = None  # when the message was first claimed; the Date of an email
    claimed_at: str | None = None  # when it was last claimed
    sent_to: str | None = None  # digest of the message's id and the address that it was last sent to
    code: str | None = None  # what the other side answered; `detail` says it in words

    def another(self, id: str, at: str, **changes: object) -> OutboxRow:
        """Returns a notice made from this one that was never tried, to be sent at `at`."""
        untried: dict[str, object] = dict.fromkeys(_TRIED)
        return replace(self, **{**untried, "id": id, "state": "queued", "next_try_at": at, "attempts": 0, **changes})  # type: ignore[arg-type]


_TRIED = ("message", "message_at", "claimed_at", "sent_to", "sent_at", "provider_id", "detail", "code")


@dataclass(frozen=True, kw_only=True, slots=True)
class OrgRow:
    """An organisation during a period. A rename or a move ends one row and begins the next of the same id."""

    id: str
    kind: str
    name: str
    parent: str | None
    from_day: str  # first day, '0001-01-01' when always
    until_day: str | None  # last day
    merged_into: str | None
    marks_json: str  # mark -> {"from": day or null, "until": day or null}
    created_at: str  # when the organisation first stood in this database


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficerRow:
    """A person who acts or is told. `account` is the operating-system account, `token` a hash."""

    id: str
    name: str
    org: str
    email: str | None
    phone: str | None
    from_day: str
    until_day: str | None
    disabled: bool
    account: str | None
    token: str | None
    password: str | None
    bad_email: str | None = None  # an address that was refused; not used as long as it is still `email`
    bad_phone: str | None = None
    feed: str | None = None  # digest of the secret in the address of the officer's calendar feed
    webhook: str | None = None  # address of a program that takes the officer's notices
    bad_webhook: str | None = None
    channels: str | None = None  # codes with commas between, the first tried first; None: the office's order
    password_by: str | None = None  # the officer who gave the password; None: it is the owner's own choice


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleRow:
    """An officer's role in an organisation during a period."""

    officer: str
    org: str
    role: str
    from_day: str
    until_day: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SubstituteRow:
    """From the first to the last day `stand_in` may act for `officer`."""

    id: str
    officer: str
    stand_in: str
    from_day: str
    until_day: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DayRow:
    """A day that the office itself declares off, or working."""

    day: str
    off: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DefinitionRow:
    """A workflow file as it was loaded, with the area file it belongs to. `id` is the hash of both."""

    id: str
    workflow: str
    area: str
    area_text: str
    text: str
    templates_json: str  # notice templates: name.language -> text
    file: str
    loaded_at: str
    office_text: str | None = None  # the office's own changes of notice rules


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyRow:
    """A key wrapped by the master key; `wrapped` is None once it is erased."""

    id: str
    wrapped: bytes | None
    erased_at: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionRow:
    """A browser that is signed in. `id` is the hash of the secret that only the browser has."""

    id: str
    officer: str
    behalf: str | None  # the absent officer for whom this session acts
    level: str  # full, choosing (only an own password) or setting_up (only a second factor)
    created_at: str
    seen_at: str
    expires_at: str
    seen_seq: int  # where the trail ended when the session before this one was last seen
    agent: str  # what the browser calls itself, shortened


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftRow:
    """What was filled in for a step and is not recorded yet, sealed; `version` counts how often it was saved."""

    subject: str
    name: str
    officer: str
    saved_at: str
    version: int
    key_id: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class FactorRow:
    """An officer's second factor: its secret, sealed under the officer's key, and the last step that was used."""

    officer: str
    sealed: bytes
    step: int
    confirmed_at: str | None  # None until the first code has shown that the officer has it


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptRow:
    """Failures to sign in, by a login's or an address's digest, and until when the next try has to wait."""

    id: str
    failures: int
    last_at: str
    until_at: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenRow:
    """A token by which a program acts for an officer. `id` is the hash of the secret that only the program has."""

    id: str
    officer: str
    name: str  # what the officer calls it
    scopes: str  # what it may do, separated by spaces
    created_at: str
    expires_at: str
    ended_at: str | None = None
