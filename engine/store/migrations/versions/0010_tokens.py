"""Tokens by which programs act for officers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_must = ("id", "officer", "name", "scopes", "created_at", "expires_at")


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "tokens",
        *(sa.Column(name, _text, nullable=False) for name in _must),
        sa.Column("ended_at", _text),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("tokens_officer", "tokens", ["officer"])
