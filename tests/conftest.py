"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import settings
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from tests.need import need

# A deadline measures how busy the machine is; tests that promise speed measure it themselves.
# The examples are the same in every run; KETNAP_RANDOM=1 looks for others, and so do the soak tests that say so.
settings.register_profile("ketnap", deadline=None, print_blob=True, derandomize=os.environ.get("KETNAP_RANDOM") != "1")
settings.load_profile("ketnap")

ADMIN_URL = "postgresql+psycopg://root@127.0.0.1/postgres"


def _admin(url: URL, statement: str) -> None:
    """Runs one statement that no transaction may hold, as CREATE and DROP DATABASE ask."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """Gives a database on a server; see `_database`."""
    yield from _database()


@pytest.fixture
def second_postgres_url() -> Iterator[str]:
    """Gives another one beside `postgres_url`."""
    yield from _database()


def _database() -> Iterator[str]:
    """Gives the URL of an empty PostgreSQL database of the test's own, dropped afterwards.

    KETNAP_TEST_POSTGRES names the server and a user who may create databases. Skips where none answers.
    """
    admin = make_url(os.environ.get("KETNAP_TEST_POSTGRES", ADMIN_URL))
    name = f"ketnap_test_{uuid4().hex}"
    refusal = ""
    try:
        _admin(admin, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    except OperationalError as error:
        refusal = str(error.orig)
    need(not refusal, f"no PostgreSQL at {admin.render_as_string(hide_password=True)}: {refusal}")
    try:
        yield admin.set(database=name).render_as_string(hide_password=False)
    finally:
        _admin(admin, f"DROP DATABASE {name} WITH (FORCE)")
