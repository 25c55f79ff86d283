"""Subjects as lists find them, the days that their notices are about, and the views of lists that officers keep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_TEXTS = ("place", "home", "state", "words", "marks", "entered_on", "due")
_INDEXES = {
    "listings_subject": ("listings", ["subject"]),
    "listings_place": ("listings", ["place", "state", "sort", "subject", "due", "entered_on", "home"]),
    "listings_state": ("listings", ["workflow", "rank", "state", "sort", "subject"]),
    "listings_due": ("listings", ["workflow", "rank", "due", "subject", "state"]),
    "listings_entered": ("listings", ["workflow", "rank", "entered_on", "subject"]),
    "listings_oldest": ("listings", ["workflow", "rank", "state", "entered_on", "subject"]),
    "dues_org": ("dues", ["workflow", "org", "due"]),
    "dues_due": ("dues", ["workflow", "due", "subject"]),
    "saved_officer": ("saved", ["officer"]),
}


def upgrade() -> None:
    """Adds the tables; what stands already is listed when workflows are loaded."""
    op.create_table(
        "listings",
        sa.Column("workflow", _text, primary_key=True),
        sa.Column("rank", _number, primary_key=True, autoincrement=False),
        sa.Column("sort", _text, primary_key=True),
        sa.Column("subject", _text, primary_key=True),
        *(sa.Column(n, _text, nullable=False) for n in _TEXTS),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dues",
        sa.Column("subject", _text, primary_key=True),
        sa.Column("rule", _text, primary_key=True),
        *(sa.Column(n, _text, nullable=False) for n in ("workflow", "org", "due")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stands",
        *(sa.Column(n, _text, primary_key=True) for n in ("workflow", "home", "state")),
        sa.Column("count", _number, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "saved",
        sa.Column("id", _text, primary_key=True),
        *(sa.Column(n, _text, nullable=False) for n in ("officer", "page")),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("made_at", _text, nullable=False),
    )
    for name, (table, columns) in _INDEXES.items():
        op.create_index(name, table, columns)
