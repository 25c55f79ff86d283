"""Signing in on the pages: sessions, second factors, failures that make the next try wait."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _must(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _text, nullable=False) for name in names]


def _may(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _text) for name in names]


def upgrade() -> None:
    """Adds the tables."""
    op.create_table(
        "sessions",
        *_must("id", "officer"),
        *_may("behalf"),
        *_must("level", "created_at", "seen_at", "expires_at"),
        sa.Column("seen_seq", _number, nullable=False),
        *_must("agent"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sessions_officer", "sessions", ["officer"])
    op.create_index("sessions_expire", "sessions", ["expires_at"])
    op.create_table(
        "factors",
        *_must("officer"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("step", _number, nullable=False),
        *_may("confirmed_at"),
        sa.PrimaryKeyConstraint("officer"),
    )
    op.create_table(
        "attempts",
        *_must("id"),
        sa.Column("failures", _number, nullable=False),
        *_must("last_at", "until_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("attempts_last", "attempts", ["last_at"])
