"""Alembic comes in here. The connection is handed over by `engine.store.migrate`; there is no alembic.ini."""

from __future__ import annotations

import logging

from alembic import context

from engine.store.tables import metadata

logging.getLogger("alembic").setLevel(logging.WARNING)  # what it tells at INFO is of no use to an office

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
