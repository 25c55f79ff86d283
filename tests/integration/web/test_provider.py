"""Signing in through an identity provider: only whom it really vouches for, once, in the browser that was sent."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from engine.clock import SetClock
from engine.core import events
from engine.officework import OfficerChange
from tests.servers.identity import IdentityServer
from tests.web_office import NOW, PagesOffice, serving


@pytest.fixture(scope="module")
def made():
    clock = SetClock(NOW)
    with IdentityServer(now=clock.now) as identity, serving(provider=identity.issuer) as office:
        office.service.set_up().officers([OfficerChange(id="cb1_clerk", account="lan.nguyen")])
        yield identity, office


@pytest.fixture
def identity(made):
    identity, _ = made
    identity.claims, identity.spoil, identity.forge, identity.down = {}, {}, "", False
    return identity


@pytest.fixture
def office(made) -> PagesOffice:
    _, office = made
    assert isinstance(office, PagesOffice)
    return office


def way_back(office: PagesOffice, client) -> str:
    """Starts at the form of signing in, goes to the provider, and returns where it sends the browser."""
    assert 'href="/sign-in/provider"' in client.get("/sign-in").text
    sent = client.get("/sign-in/provider")
    assert sent.status_code == 303
    return httpx.get(sent.headers["location"], trust_env=False).headers["location"].removeprefix(office.base)


def test_whom_the_provider_vouches_for_is_signed_in(identity: IdentityServer, office: PagesOffice) -> None:
    identity.claims = {"preferred_username": "lan.nguyen"}
    client = office.client()
    arrived = client.get(way_back(office, client))
    assert arrived.status_code == 200
    assert "cb1_clerk" in arrived.text
    assert client.get("/").status_code == 200
    assert client.get("/organisations/cb1").status_code == 200


def test_an_officer_is_known_by_a_verified_address_and_by_no_other(identity, office) -> None:
    identity.claims = {"email": "CB1_Secretary@example.org", "email_verified": True}
    client = office.client()
    assert client.get(way_back(office, client)).status_code == 200
    for unsure in ({"email_verified": False}, {"email_verified": "true"}, {"email_verified": None}):
        identity.claims = {"email": "cb1_secretary@example.org", **unsure}
        other = office.client()
        assert other.get(way_back(office, other)).status_code == 403
        assert other.get("/").status_code == 401


def test_nobody_comes_in_who_is_no_officer_or_has_no_access(identity, office) -> None:
    identity.claims = {"preferred_username": "ai do"}
    client = office.client()
    answer = client.get(way_back(office, client))
    assert answer.status_code == 403
    assert "người quản trị" in answer.text
    office.service.set_up().officers([OfficerChange(id="cb2_clerk", account="hoa", disabled=True)])
    identity.claims = {"preferred_username": "hoa"}
    assert client.get(way_back(office, client)).status_code == 403
    with office.service.work() as work:
        assert sum(e.kind == events.SIGN_IN_FAILED for e in work.tx.events(after=-1)) >= 2


@pytest.mark.parametrize(
    ("spoil", "forge"),
    [
        ({"nonce": "another"}, ""),
        ({"aud": "another"}, ""),
        ({"iss": "http://127.0.0.1:1"}, ""),
        ({"exp": 1}, ""),
        ({"iat": 4_000_000_000}, ""),
        ({}, "key"),
        ({}, "secret"),
        ({}, "none"),
    ],
)
def test_a_token_that_is_not_quite_right_signs_nobody_in(identity, office, spoil, forge) -> None:
    identity.claims, identity.spoil, identity.forge = {"preferred_username": "lan.nguyen"}, spoil, forge
    client = office.client()
    answer = client.get(way_back(office, client))
    assert answer.status_code == 403
    assert client.get("/").status_code == 401


def test_a_way_back_is_good_once_in_its_own_browser_and_for_a_short_time(identity, office) -> None:
    identity.claims = {"preferred_username": "lan.nguyen"}
    client, stranger = office.client(), office.client()
    back = way_back(office, client)
    assert stranger.get(back).status_code == 403
    assert stranger.get("/").status_code == 401
    assert client.get(back.replace("state=", "state=x")).status_code == 403
    assert client.get(back).status_code == 403
    back = way_back(office, client)
    assert client.get(back).status_code == 200
    assert client.get(back).status_code == 403
    late = office.client()
    back = way_back(office, late)
    office.clock.set(office.clock.now() + timedelta(minutes=11))
    assert late.get(back).status_code == 403


def test_a_provider_that_does_not_answer_leaves_the_password(identity, office) -> None:
    identity.claims, identity.down = {"preferred_username": "lan.nguyen"}, True
    client = office.client()
    assert client.get(way_back(office, client)).status_code == 403
    assert client.sign_in("cb1_clerk").status_code == 303


def test_without_a_provider_there_is_no_such_way(made) -> None:
    with serving() as office:
        client = office.client()
        assert client.get("/sign-in/provider").status_code == 404
        assert client.get("/sign-in/provider/back?code=x&state=y").status_code == 404
        assert "/sign-in/provider" not in client.get("/sign-in").text
