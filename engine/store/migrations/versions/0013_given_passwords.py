"""Who gave an officer the password that they have not yet exchanged for their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Adds the column; passwords that stand already count as their owners' own."""
    op.add_column("officers", sa.Column("password_by", _text))
