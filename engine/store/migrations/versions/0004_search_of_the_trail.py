"""Indexes by which the trail is searched; triggers that keep definitions and keys, which are evidence too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_KEPT = "is kept as evidence: its rows are never changed or deleted past the program"


def upgrade() -> None:
    """Adds them."""
    for column in ("org", "actor", "kind"):
        op.create_index(f"events_{column}", "events", [column, "seq"])
    for_another = sa.text("behalf IS NOT NULL")
    op.create_index(
        "events_behalf", "events", ["behalf", "seq"], sqlite_where=for_another, postgresql_where=for_another
    )
    if op.get_bind().dialect.name == "sqlite":
        for table, verb in (("definitions", "UPDATE"), ("definitions", "DELETE"), ("keys", "DELETE")):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} {_KEPT}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION kept_as_evidence() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN RAISE EXCEPTION '% {_KEPT}', TG_TABLE_NAME; END$$"
    )
    for table, verbs in (("definitions", "UPDATE OR DELETE OR TRUNCATE"), ("keys", "DELETE OR TRUNCATE")):
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE {verbs} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION kept_as_evidence()"
        )
