"""Every route says who may come."""

from __future__ import annotations

import pytest
from starlette.routing import Route

from cli.settings import Settings
from cli.site import pages_of
from engine.clock import SetClock
from engine.store.memory import MemoryStore
from tests.web_office import NOW, WORKFLOWS, serving
from tests.world import found_office
from web.access import ANYONE, table
from web.app import build_app

# What may be seen without signing in: nothing else, ever.
OPEN = {
    "/sign-in/provider",
    "/sign-in/provider/back",
    "/sign-in",
    "/language",
    "/static/{file}",
    "/metrics",
    "/healthz",
    "/calendar/{token}.ics",
    "/receipts/kannel",
    "/api",
}


def routes():
    service = found_office(MemoryStore(), SetClock(NOW), WORKFLOWS)
    return build_app(service, pages=pages_of(Settings(), service), receipt_secret="x" * 20).routes


def test_every_route_says_who_may_come_and_only_these_are_open() -> None:
    found = table(routes())
    opened = {path for (_, path), need in found.items() if isinstance(need, str) or not need.signed_in}
    assert opened == OPEN
    assert len(found) > 20


def test_a_route_that_does_not_say_so_is_not_served() -> None:
    with pytest.raises(LookupError, match="/new"):
        table([*routes(), Route("/new", lambda _: None)])


def test_whoever_is_not_signed_in_sees_nothing_but_the_form_to_sign_in() -> None:
    with serving() as office:
        client = office.client()
        for (method, path), need in table(routes()).items():
            if isinstance(need, str) or need is ANYONE:
                continue
            address = (
                path.replace("{subject}", "candidate-1").replace("{trigger}", "admit").replace("{names}", "helper")
            )
            answer = client.http.request(method, address)
            assert answer.status_code in (401, 403, 405), (method, path)
            assert "candidate" not in answer.text.replace(address, "")
