"""Officers say by which channels they want their notices, and may have a webhook of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Adds the columns."""
    for name in ("webhook", "bad_webhook", "channels"):
        op.add_column("officers", sa.Column(name, _text))
