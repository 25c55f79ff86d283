"""The tables, standing alone. Columns have the names, and the order, of the fields in `rows`.

Texts compare by code point on every database, as they do in Python. There are no foreign keys: the trail is the truth,
the rest can be rebuilt from it in any order. The triggers that keep `events` append-only are in the migrations.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

REVISION = "0013"  # the migration that makes these tables

metadata = MetaData()

_text = Text().with_variant(Text(collation="C"), "postgresql")
_number = BigInteger().with_variant(Integer(), "sqlite")  # SQLite: an INTEGER key is the row's own number


def _key(name: str) -> Column[str]:
    return Column(name, _text, primary_key=True)


def _must(*names: str) -> list[Column[str]]:
    return [Column(name, _text, nullable=False) for name in names]


def _may(*names: str) -> list[Column[str]]:
    return [Column(name, _text) for name in names]


settings = Table("settings", metadata, _key("name"), *_must("value"))

orgs = Table(
    "orgs",
    metadata,
    _key("id"),
    *_must("kind", "name"),
    *_may("parent"),
    _key("from_day"),
    *_may("until_day", "merged_into"),
    *_must("marks_json", "created_at"),
)

officers = Table(
    "officers",
    metadata,
    _key("id"),
    *_must("name", "org"),
    *_may("email", "phone"),
    *_must("from_day"),
    *_may("until_day"),
    Column("disabled", Boolean, nullable=False),
    *_may("account", "token", "password", "bad_email", "bad_phone", "feed"),
    *_may("webhook", "bad_webhook", "channels", "password_by"),
)

roles = Table("roles", metadata, _key("officer"), _key("org"), _key("role"), _key("from_day"), *_may("until_day"))

substitutes = Table("substitutes", metadata, _key("id"), *_must("officer", "stand_in", "from_day", "until_day"))

days = Table("days", metadata, _key("day"), Column("off", Boolean, nullable=False))

definitions = Table(
    "definitions",
    metadata,
    Column("number", _number, primary_key=True, autoincrement=True),  # the order in which they were put
    *_must("id", "workflow", "area", "area_text", "text", "templates_json", "file", "loaded_at"),
    *_may("office_text"),
    UniqueConstraint("id", name="definitions_id"),
)

keys = Table("keys", metadata, _key("id"), Column("wrapped", LargeBinary), *_may("erased_at"))

subjects = Table(
    "subjects",
    metadata,
    _key("id"),
    *_must("workflow", "org", "state"),
    Column("version", _number, nullable=False),
    *_must("definition", "key_id"),
    *_may("refers", "unique_key"),
    *_must("facts_json"),
    Column("sealed", LargeBinary),
    *_must("doers_json", "started_on", "entered_on", "person_on", "last_event"),
)
Index("subjects_place", subjects.c.workflow, subjects.c.org, subjects.c.state)
Index("subjects_state", subjects.c.workflow, subjects.c.state, subjects.c.id)
Index("subjects_refers", subjects.c.refers)
Index("subjects_unique", subjects.c.workflow, subjects.c.unique_key, unique=True)

likenesses = Table("likenesses", metadata, _key("digest"), _key("subject"))
Index("likenesses_subject", likenesses.c.subject)

# Kept in the order of names, so that a page of a list is one stretch of it; see `listings` for how it is read.
listings = Table(
    "listings",
    metadata,
    _key("workflow"),
    Column("rank", _number, primary_key=True, autoincrement=False),
    _key("sort"),
    _key("subject"),
    *_must("place", "home", "state", "words", "marks", "entered_on", "due"),
    sqlite_with_rowid=False,
)
_at = (listings.c.workflow, listings.c.rank)
Index("listings_subject", listings.c.subject)
Index(  # with all that narrows and orders a list of few units, so that only the rows of its page are read
    "listings_place",
    listings.c.place,
    listings.c.home,
    listings.c.state,
    listings.c.sort,
    listings.c.subject,
    listings.c.due,
    listings.c.entered_on,
    listings.c.marks,
    listings.c.words,
)
Index("listings_state", *_at, listings.c.state, listings.c.sort, listings.c.subject)
Index("listings_due", *_at, listings.c.due, listings.c.subject, listings.c.state, listings.c.place)
Index("listings_entered", *_at, listings.c.entered_on, listings.c.subject)
Index("listings_oldest", *_at, listings.c.state, listings.c.entered_on, listings.c.subject, listings.c.place)

# By what those in lists are found, once for each subject: its words, and its marks after a `=`. Made of the listings.
terms = Table(
    "terms",
    metadata,
    _key("workflow"),
    _key("term"),
    _key("subject"),
    *_must("words"),  # all words of the subject, beside each of them
    sqlite_with_rowid=False,
)
Index("terms_subject", terms.c.subject)

# How many are read from `place` whose own unit is `home`. Made of the listings.
stands = Table(
    "stands",
    metadata,
    _key("workflow"),
    _key("place"),
    _key("home"),
    _key("state"),
    Column("count", _number, nullable=False),
    sqlite_with_rowid=False,
)

dues = Table("dues", metadata, _key("subject"), _key("rule"), *_must("workflow", "org", "due"), sqlite_with_rowid=False)
Index("dues_org", dues.c.workflow, dues.c.org, dues.c.due)
Index("dues_due", dues.c.workflow, dues.c.due, dues.c.subject)

saved = Table(
    "saved",
    metadata,
    _key("id"),
    *_must("officer", "page"),
    Column("sealed", LargeBinary, nullable=False),
    *_must("made_at"),
)
Index("saved_officer", saved.c.officer)

# What stands in the bytes of every event that went through against a time limit, as each database says it.
BREACHED = {
    "sqlite": "instr(body, X'226272656163686573223A5B') > 0",
    "postgresql": "position('\\x226272656163686573223a5b'::bytea IN body) > 0",
}

events = Table(
    "events",
    metadata,
    Column("seq", _number, primary_key=True, autoincrement=False),
    *_must("id", "kind"),
    *_may("subject", "workflow", "org", "trigger", "actor", "behalf"),
    *_must("at"),
    *_may("on", "command"),
    Column("body", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("link", LargeBinary, nullable=False),
    UniqueConstraint("id", name="events_id"),
    UniqueConstraint("command", name="events_command"),
)
Index("events_subject", events.c.subject, events.c.seq)
Index("events_org", events.c.org, events.c.seq)
Index("events_actor", events.c.actor, events.c.seq)
Index("events_kind", events.c.kind, events.c.seq)
Index("events_workflow", events.c.workflow, events.c.seq)
# those that went through against a time limit: few, and looked for among all
Index(
    "events_breached",
    events.c.seq,
    sqlite_where=text(BREACHED["sqlite"]),
    postgresql_where=text(BREACHED["postgresql"]),
)
_for_another = events.c.behalf.is_not(None)
Index(
    "events_behalf",
    events.c.behalf,
    events.c.seq,
    sqlite_where=_for_another,
    postgresql_where=_for_another,
)

# Which rules were judged in which 256 events: a row for each event and rule would be most of what a step writes.
judged = Table(
    "judged",
    metadata,
    _key("rule"),
    Column("block", _number, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
Index("judged_block", judged.c.block, judged.c.rule)

# Levels 8, 16, 24, ... of the trail's Merkle tree; the leaves stand with the events, what lies between is hashed anew.
tree = Table(
    "tree",
    metadata,
    Column("level", _number, primary_key=True, autoincrement=False),
    Column("place", _number, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

timers = Table(
    "timers",
    metadata,
    _key("subject"),
    _key("name"),
    _key("occurrence"),
    *_must("kind", "due_at", "planned_at"),
    *_may("done_at", "outcome"),
    sqlite_with_rowid=False,
)
_pending = timers.c.done_at.is_(None)
Index(
    "timers_due",
    timers.c.due_at,
    timers.c.subject,
    timers.c.name,
    timers.c.occurrence,
    sqlite_where=_pending,
    postgresql_where=_pending,
)

outbox = Table(
    "outbox",
    metadata,
    _key("id"),
    *_must("rule", "subject", "occurrence", "recipient"),
    *_may("behalf"),
    *_must("channel"),
    Column("urgent", Boolean, nullable=False),
    *_must("state", "due_at"),
    *_may("next_try_at"),
    Column("attempts", _number, nullable=False),
    *_may("message", "sent_at", "provider_id", "detail"),
    *_must("key_id"),
    Column("sealed", LargeBinary, nullable=False),
    *_may("message_at", "claimed_at", "sent_to", "code"),
    UniqueConstraint("rule", "subject", "occurrence", "recipient", "channel", name="outbox_notice"),
)
_waits = outbox.c.next_try_at.is_not(None)
Index(
    "outbox_next_try",
    outbox.c.state,
    outbox.c.next_try_at,
    outbox.c.due_at,
    outbox.c.id,
    sqlite_where=_waits,
    postgresql_where=_waits,
)
Index("outbox_subject", outbox.c.subject)
_sent = outbox.c.message.is_not(None)
Index("outbox_message", outbox.c.message, sqlite_where=_sent, postgresql_where=_sent)
Index("outbox_state", outbox.c.state, outbox.c.due_at, outbox.c.id)
Index(
    "outbox_recipient",
    outbox.c.recipient,
    outbox.c.state,
    outbox.c.next_try_at,
    sqlite_where=_waits,
    postgresql_where=_waits,
)
_numbered = outbox.c.provider_id.is_not(None)
Index("outbox_provider", outbox.c.provider_id, sqlite_where=_numbered, postgresql_where=_numbered)

sessions = Table(
    "sessions",
    metadata,
    _key("id"),
    *_must("officer"),
    *_may("behalf"),
    *_must("level", "created_at", "seen_at", "expires_at"),
    Column("seen_seq", _number, nullable=False),
    *_must("agent"),
)
Index("sessions_officer", sessions.c.officer)
Index("sessions_expire", sessions.c.expires_at)

drafts = Table(
    "drafts",
    metadata,
    _key("subject"),
    _key("name"),
    *_must("officer", "saved_at"),
    Column("version", _number, nullable=False),
    *_must("key_id"),
    Column("sealed", LargeBinary, nullable=False),
)

factors = Table(
    "factors",
    metadata,
    _key("officer"),
    Column("sealed", LargeBinary, nullable=False),
    Column("step", _number, nullable=False),
    *_may("confirmed_at"),
)

attempts = Table(
    "attempts",
    metadata,
    _key("id"),
    Column("failures", _number, nullable=False),
    *_must("last_at", "until_at"),
)
Index("attempts_last", attempts.c.last_at)

tokens = Table(
    "tokens",
    metadata,
    _key("id"),
    *_must("officer", "name", "scopes", "created_at", "expires_at"),
    *_may("ended_at"),
)
Index("tokens_officer", tokens.c.officer)
