"""Every page that is posted to and every call leaves its event: each stands here with what it leaves, or why nothing.
The event names the officer who asked, and the absent one for whom a substitute did.

What needs more than one form is posted in `test_recorded_work.py`, from its page, with the event looked at there.
Beside this walk, the store of all tests of pages (`tests/watching.py`) refuses a transaction that changed something
without an event; so whatever one of them posts is held to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from engine.officework import OfficerChange
from tests.integration.web.test_matrix import FORM, SECRETS, Officer, _sent, _settle, _stolen, filled, text_of
from tests.integration.web.test_recorded_work import LEFT
from tests.web_office import serving
from tests.who_may import CALLS, PAGES
from tests.world import trail

Route = tuple[str, str]

# Route -> (who asks, what it leaves in the trail), in this order.
LEAVES: dict[Route, tuple[str, str]] = {
    ("POST", "/inspection/bundle"): ("inspector@tu", "exported"),
    ("POST", "/inspection/supervision"): ("inspector@tu", "listed"),
    ("POST", "/list/{workflow}/file"): ("clerk@cb1", "exported"),
    ("POST", "/notices/feed"): ("clerk@cb1", "office_changed"),
    ("POST", "/officers/{officer}/account"): ("admin@tu", "office_changed"),
    ("POST", "/officers/{officer}/appoint"): ("admin@tu", "office_changed"),
    ("POST", "/officers/{officer}/change"): ("admin@tu", "office_changed"),
    ("POST", "/organisations/{org}/{change}"): ("admin@tu", "office_changed"),
    ("POST", "/reports/{name}"): ("secretary@xa1", "listed"),
    ("POST", "/sign-in"): ("secretary@xa1", "sign_in_failed"),
    ("POST", "/subjects/{subject}/facts"): ("secretary@tu", "facts_set"),
    ("POST", "/subjects/{subject}/open"): ("secretary@tu", "opened"),
    ("POST", "/subjects/{subject}/person/copy"): ("secretary@tu", "exported"),
    ("POST", "/subjects/{subject}/person/hold"): ("secretary@tu", "held"),
    ("POST", "/subjects/{subject}/person/release"): ("secretary@tu", "released"),
    ("POST", "/acting"): ("deputy@tu", "access"),
    ("POST", "/sign-out"): ("deputy@tu", "access"),
    ("GET", "/api/notices/forecast"): ("secretary@xa1", "listed"),
    ("GET", "/api/reports/{name}"): ("secretary@xa1", "listed"),
    ("GET", "/api/subjects"): ("secretary@xa1", "listed"),
    ("POST", "/api/subjects/similar"): ("secretary@xa1", "listed"),
    ("GET", "/api/subjects/{subject}"): ("secretary@xa1", "opened"),
    ("GET", "/api/subjects/{subject}/history"): ("deputy@xa1", "opened"),
    ("GET", "/api/subjects/{subject}/notices"): ("deputy@cb1", "opened"),
    ("GET", "/api/subjects/{subject}/why"): ("secretary@cb1", "opened"),
    ("POST", "/api/subjects/{subject}/openings"): ("secretary@tu", "opened"),
    ("PATCH", "/api/subjects/{subject}/facts"): ("clerk@cb1", "facts_set"),
    ("POST", "/api/audit/checkpoints"): ("secretary@tu", "checkpoint"),
    ("POST", "/api/audit/export"): ("secretary@xa1", "exported"),
    ("POST", "/api/calendar"): ("secretary@xa1", "office_changed"),
    ("POST", "/api/feed"): ("secretary@xa1", "office_changed"),
    ("DELETE", "/api/feed"): ("secretary@xa1", "office_changed"),
    ("POST", "/api/orgs"): ("admin@tu", "office_changed"),
    ("POST", "/api/substitutes"): ("clerk@cb1", "office_changed"),
    ("PUT", "/api/officers/{officer}"): ("admin@tu", "office_changed"),
    ("POST", "/api/subjects/{subject}/steps"): ("secretary@tu", "moved"),
    ("POST", "/api/reports/{name}"): ("secretary@tu", "exported"),
    ("POST", "/api/subjects/{subject}/undo"): ("secretary@tu", "undone"),
    ("POST", "/api/orgs/{org}/split"): ("admin@tu", "office_changed"),
}

# Those that change nothing of the office's and show nobody by themselves. What they lead to is asked for with GET, as
# `tests/integration/test_coverage.py` does.
NOTHING: dict[Route, str] = {
    ("POST", "/find"): "leads to a list",
    ("POST", "/inspection"): "leads to a period",
    ("POST", "/inspection/search"): "leads to what was found",
    ("POST", "/inspection/verify"): "begins to verify",
    ("POST", "/list/{workflow}"): "leads to a list",
    ("POST", "/list/{workflow}/saved"): "keeps a view, sealed",
    ("POST", "/officers"): "leads to a list of officers",
    ("POST", "/scores"): "leads to scores",
    ("POST", "/notices/forecast"): "begins a forecast, which writes nothing",
    ("GET", "/api/audit/events"): "codes and ids of the trail itself",
    ("GET", "/api/audit/exposure"): "numbers of the trail itself",
    ("GET", "/api/audit/keys"): "public keys",
    ("GET", "/api/audit/proof"): "hashes",
    ("POST", "/api/audit/verify"): "reads, and tells ids",
    ("GET", "/api/calendar"): "days off",
    ("GET", "/api/notices"): "codes and ids",
    ("GET", "/api/officers"): "officers, in their office",
    ("GET", "/api/officers/{officer}"): "an officer, in their office",
    ("GET", "/api/orgs"): "units",
    ("GET", "/api/reports"): "which reports there are",
    ("GET", "/api/tokens"): "the caller's own",
    ("GET", "/api/whoami"): "the caller's own",
    ("GET", "/api/workflows"): "what is declared",
}  # fmt: skip


# What officers do for themselves alone, also while they act for somebody else.
OWN: dict[Route, str] = {
    ("POST", "/notices/feed"): "their own feed",
    ("POST", "/api/feed"): "the same",
    ("DELETE", "/api/feed"): "the same",
    ("POST", "/acting"): "for whom they act from now on: nobody",
    ("POST", "/sign-out"): "they leave",
    ("POST", "/sign-in"): "nobody is signed in yet",
}


BARRED = {("POST", "/api/substitutes"): "nobody names a substitute for whom they themselves stand in"}


@contextmanager
def _town() -> Iterator[Any]:
    with serving() as office:
        built: Any = office
        built.people = {}
        with httpx.Client(base_url=office.base, timeout=60, trust_env=False) as built.browser:
            _settle(built)
            built.stolen = _stolen(built)
            built.service.trail.sign()  # so that there is a key to be asked for
            yield built


@pytest.fixture(scope="module")
def town() -> Iterator[Any]:
    with _town() as built:
        yield built


def test_every_form_and_every_call_says_what_it_leaves() -> None:
    """A new one needs a line here, or a test in `test_recorded_work.py`."""
    wanted = {route for route in PAGES if route[0] != "GET"} | {(m, f"/api{p}") for m, p in CALLS}
    lists: tuple[dict[Route, Any], ...] = (LEAVES, NOTHING, LEFT)
    assert {route for routes in lists for route in routes} == wanted
    assert sum(len(routes) for routes in lists) == len(wanted)


def _ask(
    town: Any, route: Route, officer: Officer, stolen: dict[str, str], absent: str | None = None
) -> httpx.Response:
    method, path = route
    address = filled(path, **{"token": "x", "officer": "clerk@cb2", **stolen})
    if not path.startswith("/api/"):
        return officer.page(method, address, FORM)
    sent = _sent(method, path.removeprefix("/api"))
    if absent is not None:
        sent["headers"] = {**sent.get("headers", {}), "Acts-For": absent}
    return officer.call(method, address.removeprefix("/api"), **sent)


def _wrong(town: Any, ask: Callable[[Route, str], tuple[httpx.Response, str, str | None]]) -> list[object]:
    """Asks for each route, and returns those that left no event of their kind that names who asked and for whom."""
    wrong: list[object] = []
    for route, (who, kind) in LEAVES.items():
        before = len(trail(town.service.kit.store))
        answer, actor, behalf = ask(route, who)
        left = trail(town.service.kit.store, before - 1)
        named = None if route == ("POST", "/sign-in") else actor  # the form names nobody
        if route in BARRED and behalf is not None and answer.status_code == 403:
            continue
        if (kind, named, behalf) not in {(e.kind, e.actor, e.behalf) for e in left}:
            said = [(e.kind, e.actor, e.behalf) for e in left]
            wrong.append((route, who, answer.status_code, said, answer.text[:200]))
    return wrong


def test_what_reads_or_changes_leaves_its_event_with_the_officer_who_asked(town: Any) -> None:
    def ask(route: Route, who: str) -> tuple[httpx.Response, str, str | None]:
        return _ask(town, route, town.people[who], town.stolen), who, None

    assert _wrong(town, ask) == []


def test_what_a_substitute_reads_or_changes_names_both() -> None:
    """The substitutes hold no role of their own; what is one's own names nobody else."""
    with _town() as town:
        today = town.clock.now().date()
        stand_ins: dict[str, Officer] = {}
        for who in sorted({who for who, _ in LEAVES.values()}):
            id = who.replace("@", "_for_")
            town.service.set_up().officers([OfficerChange(id=id, name=id, org="cs1")])
            town.service.set_up().substitute(who, id, today, today + timedelta(days=1))
            stand_ins[who] = Officer(town, id)

        def ask(route: Route, who: str) -> tuple[httpx.Response, str, str | None]:
            officer = stand_ins[who]
            with town.service.work() as work:
                session = work.tx.session(officer.row)
            if session is not None and session.behalf is None and not route[1].startswith("/api/"):
                town.service.accounts.act_for(session, who)
            answer = _ask(town, route, officer, town.stolen, who)
            return answer, officer.id, None if route in OWN else who

        assert _wrong(town, ask) == []


def test_what_leaves_nothing_shows_nobody(town: Any) -> None:
    """At least one of these officers comes to each."""
    stolen, wrong, came = town.stolen, [], set()
    for who in ("secretary@tu", "inspector@tu", "clerk@cb1"):
        for route in NOTHING:
            before = len(trail(town.service.kit.store))
            answer = _ask(town, route, town.people[who], stolen)
            came |= {route} if answer.status_code < 400 else set()
            if any(s in text_of(answer) for s in SECRETS) and len(trail(town.service.kit.store)) == before:
                wrong.append((route, answer.status_code))
    assert wrong == []
    assert set(NOTHING) - came == set()
