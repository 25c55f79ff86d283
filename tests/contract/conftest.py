"""The stores that keep the promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store.open import open_store
from engine.store.ports import Store

KINDS = ("memory", "sqlite_file", "sqlite_memory", "postgres")


def url_of(kind: str, directory: Path, request: pytest.FixtureRequest) -> str:
    """Returns the URL of an empty store of this kind."""
    match kind:
        case "memory":
            return "memory:"
        case "sqlite_memory":
            return "sqlite://"
        case "sqlite_file":
            return f"sqlite:///{directory / 'store.db'}"
        case _:
            return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    opened = open_store(url_of(request.param, tmp_path, request))
    opened.create()
    yield opened
    opened.close()


@pytest.fixture(params=("sqlite_file", "postgres"))
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a made, empty store that several processes can open."""
    url = url_of(request.param, tmp_path, request)
    opened = open_store(url)
    opened.create()
    opened.close()
    return url
