"""Drafts: what was filled in for a step and is not recorded yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "drafts",
        sa.Column("subject", _text, primary_key=True),
        sa.Column("name", _text, primary_key=True),
        sa.Column("officer", _text, nullable=False),
        sa.Column("saved_at", _text, nullable=False),
        sa.Column("version", _number, nullable=False),
        sa.Column("key_id", _text, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )
