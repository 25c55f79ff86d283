"""Brings the tables to this version with Alembic."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from engine.store.sql import Database


def upgrade(database: Database, revision: str = "head") -> None:
    """Runs the migrations that are missing up to one, all in one transaction, while all other writers are kept out.

    Raises BadInput when the database cannot be opened, Conflict when others write for too long.
    """
    dialect = database.dialect
    engine = create_engine(f"{dialect.name}+{dialect.driver}://", poolclass=StaticPool, creator=database.raw)
    config = Config()
    config.set_main_option("script_location", "engine.store:migrations")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(database.lock_sql())
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
    except DBAPIError as error:
        raise (database.fault(error.orig) if error.orig else error) from error
    finally:
        if not database.single:
            engine.dispose()
