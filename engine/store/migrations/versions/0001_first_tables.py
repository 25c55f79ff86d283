"""The first tables, and the triggers that keep the trail append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_APPEND_ONLY = "events is append-only: entries of the trail are never changed or deleted"


def _must(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _text, nullable=False) for name in names]


def _may(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _text) for name in names]


def upgrade() -> None:
    """Goes forward; there is no way back but a backup."""
    _office()
    _definitions_and_keys()
    _subjects()
    _events()
    _timers()
    _outbox()
    _append_only()


def _office() -> None:
    op.create_table("settings", *_must("name", "value"), sa.PrimaryKeyConstraint("name"))
    op.create_table(
        "orgs",
        *_must("id", "kind", "name"),
        *_may("parent"),
        *_must("from_day"),
        *_may("until_day", "merged_into"),
        *_must("marks_json", "created_at"),
        sa.PrimaryKeyConstraint("id", "from_day"),
    )
    op.create_table(
        "officers",
        *_must("id", "name", "org"),
        *_may("email", "phone"),
        *_must("from_day"),
        *_may("until_day"),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        *_may("account", "token", "password"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "roles",
        *_must("officer", "org", "role", "from_day"),
        *_may("until_day"),
        sa.PrimaryKeyConstraint("officer", "org", "role", "from_day"),
    )
    op.create_table(
        "substitutes",
        *_must("id", "officer", "stand_in", "from_day", "until_day"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "days", *_must("day"), sa.Column("off", sa.Boolean(), nullable=False), sa.PrimaryKeyConstraint("day")
    )


def _definitions_and_keys() -> None:
    op.create_table(
        "definitions",
        sa.Column("number", _number, autoincrement=True, nullable=False),
        *_must("id", "workflow", "area", "area_text", "text", "templates_json", "file", "loaded_at"),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id", name="definitions_id"),
    )
    op.create_table(
        "keys",
        *_must("id"),
        sa.Column("wrapped", sa.LargeBinary()),
        *_may("erased_at"),
        sa.PrimaryKeyConstraint("id"),
    )


def _subjects() -> None:
    op.create_table(
        "subjects",
        *_must("id", "workflow", "org", "state"),
        sa.Column("version", _number, nullable=False),
        *_must("definition", "key_id"),
        *_may("refers", "unique_key"),
        *_must("facts_json"),
        sa.Column("sealed", sa.LargeBinary()),
        *_must("doers_json", "started_on", "entered_on", "person_on", "last_event"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("subjects_place", "subjects", ["workflow", "org", "state"])
    op.create_index("subjects_refers", "subjects", ["refers"])
    op.create_index("subjects_unique", "subjects", ["workflow", "unique_key"], unique=True)


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", _number, autoincrement=False, nullable=False),
        *_must("id", "kind"),
        *_may("subject", "workflow", "org", "trigger", "actor", "behalf"),
        *_must("at"),
        *_may("on", "command"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id", name="events_id"),
        sa.UniqueConstraint("command", name="events_command"),
    )
    op.create_index("events_subject", "events", ["subject", "seq"])


def _timers() -> None:
    op.create_table(
        "timers",
        *_must("subject", "name", "occurrence", "kind", "due_at", "planned_at"),
        *_may("done_at", "outcome"),
        sa.PrimaryKeyConstraint("subject", "name", "occurrence"),
        sqlite_with_rowid=False,
    )
    pending = sa.text("done_at IS NULL")
    op.create_index(
        "timers_due",
        "timers",
        ["due_at", "subject", "name", "occurrence"],
        sqlite_where=pending,
        postgresql_where=pending,
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        *_must("id", "rule", "subject", "occurrence", "recipient"),
        *_may("behalf"),
        *_must("channel"),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        *_must("state", "due_at"),
        *_may("next_try_at"),
        sa.Column("attempts", _number, nullable=False),
        *_may("message", "sent_at", "provider_id", "detail"),
        *_must("key_id"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("rule", "subject", "occurrence", "recipient", "channel", name="outbox_notice"),
    )
    waits, sent = sa.text("next_try_at IS NOT NULL"), sa.text("message IS NOT NULL")
    op.create_index("outbox_next_try", "outbox", ["state", "next_try_at"], sqlite_where=waits, postgresql_where=waits)
    op.create_index("outbox_subject", "outbox", ["subject"])
    op.create_index("outbox_message", "outbox", ["message"], sqlite_where=sent, postgresql_where=sent)
    op.create_index("outbox_state", "outbox", ["state", "due_at", "id"])


def _append_only() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER events_no_{verb.lower()} BEFORE {verb} ON events "
                f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION events_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN RAISE EXCEPTION '{_APPEND_ONLY}'; END$$"
    )
    op.execute(
        "CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
        "FOR EACH STATEMENT EXECUTE FUNCTION events_append_only()"
    )
