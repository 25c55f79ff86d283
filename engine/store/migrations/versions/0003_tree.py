"""The nodes of the trail's tree, which nobody changes either."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_APPEND_ONLY = "tree is append-only: nodes of the trail are never changed or deleted"


def upgrade() -> None:
    """Adds the table, its triggers, and the nodes of the events that stand already."""
    op.create_table(
        "tree",
        sa.Column("level", _number, autoincrement=False, nullable=False),
        sa.Column("place", _number, autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "place"),
        sqlite_with_rowid=False,
    )
    _grow()
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER tree_no_{verb.lower()} BEFORE {verb} ON tree "
                f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION tree_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN RAISE EXCEPTION '{_APPEND_ONLY}'; END$$"
    )
    op.execute(
        "CREATE TRIGGER tree_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tree "
        "FOR EACH STATEMENT EXECUTE FUNCTION tree_append_only()"
    )


def _grow() -> None:
    from engine.store.tiles import made_between

    db = op.get_bind()
    size = db.execute(sa.text("SELECT count(*) FROM events")).scalar_one()
    leaves = sa.text("SELECT leaf FROM events WHERE seq >= :first AND seq < :end ORDER BY seq")
    nodes = sa.text("SELECT hash FROM tree WHERE level = :level AND place >= :first AND place < :end ORDER BY place")
    put = sa.text("INSERT INTO tree (level, place, hash) VALUES (:level, :place, :hash)")

    def read(level: int, first: int, count: int) -> list[bytes]:
        places = {"first": first, "end": first + count}
        found = db.execute(leaves, places) if level == 0 else db.execute(nodes, {"level": level, **places})
        return [bytes(row[0]) for row in found]

    for made in made_between(0, size, read):
        db.execute(put, [{"level": n.level, "place": n.place, "hash": n.hash} for n in made])
