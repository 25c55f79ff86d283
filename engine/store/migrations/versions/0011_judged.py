"""The index of rules over the trail: in which 256 events each was judged."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BLOCK = 256
_PAGE = 4096


def upgrade() -> None:
    """Adds the table, and what the events that stand already bring into it."""
    op.create_table(
        "judged",
        sa.Column("rule", _text, nullable=False),
        sa.Column("block", _number, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("rule", "block"),
        sqlite_with_rowid=False,
    )
    op.create_index("judged_block", "judged", ["block", "rule"])
    _fill()


def _fill() -> None:
    db = op.get_bind()
    page = sa.text("SELECT seq, body FROM events WHERE seq >= :first AND seq < :end ORDER BY seq")
    put = sa.text("INSERT INTO judged (rule, block) VALUES (:rule, :block)")
    size = db.execute(sa.text("SELECT coalesce(max(seq) + 1, 0) FROM events")).scalar_one()
    for first in range(0, size, _PAGE):
        found: dict[tuple[str, int], None] = {}
        for seq, body in db.execute(page, {"first": first, "end": first + _PAGE}):
            found.update(dict.fromkeys((rule, seq // _BLOCK) for rule in _rules(bytes(body))))
        if found:
            db.execute(put, [{"rule": rule, "block": block} for rule, block in found])


def _rules(body: bytes) -> list[str]:
    if b'"rules":[' not in body:
        return []
    try:
        return [str(rule[0]) for rule in json.loads(body)["rules"]]
    except (ValueError, LookupError, TypeError):
        return []  # an event that was altered; verifying names it
