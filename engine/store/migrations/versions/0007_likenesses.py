"""Keyed digests of the facts by which subjects are compared, to find who is entered twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Adds the table; what stands already is learnt when the workflows are loaded."""
    op.create_table(
        "likenesses",
        sa.Column("digest", _text, primary_key=True),
        sa.Column("subject", _text, primary_key=True),
    )
    op.create_index("likenesses_subject", "likenesses", ["subject"])
