"""Delivery: when a message was made and claimed, bad contacts, calendar feeds, the office's own notice rules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Adds the columns and indexes."""
    _add("outbox", "message_at", "claimed_at", "sent_to", "code")
    _add("officers", "bad_email", "bad_phone", "feed")
    _add("definitions", "office_text")
    waits, numbered = sa.text("next_try_at IS NOT NULL"), sa.text("provider_id IS NOT NULL")
    op.drop_index("outbox_next_try", "outbox")
    for name, columns in (
        ("outbox_next_try", ["state", "next_try_at", "due_at", "id"]),
        ("outbox_recipient", ["recipient", "state", "next_try_at"]),
    ):
        op.create_index(name, "outbox", columns, sqlite_where=waits, postgresql_where=waits)
    op.create_index("outbox_provider", "outbox", ["provider_id"], sqlite_where=numbered, postgresql_where=numbered)


def _add(table: str, *names: str) -> None:
    for name in names:
        op.add_column(table, sa.Column(name, _text))
