"""Signing in through the office's identity provider, where one is set up."""

from __future__ import annotations

import secrets
from datetime import timedelta

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from engine.core.errors import KetnapError, NotFound
from engine.signing_in import SignInRefused
from web.access import ANYONE
from web.provider import Provider, ProviderFailed
from web.session import browser
from web.site import Site, Visit
from web.words import error_text

SOON = timedelta(minutes=10)  # within which a browser has to come back
SENT = "sent"  # on the shelf: with what a browser was sent


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/sign-in/provider", send, ANYONE),
        site.get("/sign-in/provider/back", receive, ANYONE),
    ]


def _provider(visit: Visit) -> Provider:
    found = visit.site.wired.provider
    if found is None:
        raise NotFound("There is no such page.")
    return found


def send(visit: Visit) -> Response:
    """Sends the browser to the provider."""
    provider = _provider(visit)
    try:
        sent = provider.send()
    except ProviderFailed as error:
        return _again(visit, error, 503)
    trip = secrets.token_urlsafe(24)
    visit.site.trips.put(trip, SENT, (sent, visit.now + SOON))
    response = visit.finish(RedirectResponse(sent.url, 303))
    visit.site.cookies.travel(response, trip)
    return response


def receive(visit: Visit) -> Response:
    """Signs in whom the provider vouches for; what a browser came back with is good for once."""
    provider = _provider(visit)
    trip = visit.site.cookies.trip(visit.request)
    kept = visit.site.trips.take(trip, SENT) if trip else None
    try:
        if kept is None or kept[1] < visit.now:
            raise ProviderFailed()
        vouched = provider.receive(kept[0], dict(visit.request.query_params), visit.site.codes.now())
        agent = browser(visit.request.headers.get("user-agent", ""))
        secret, signed = visit.service.accounts.sign_in_vouched(vouched.name, vouched.email, agent)
    except ProviderFailed as error:
        return _again(visit, error, 403)
    except SignInRefused:
        text = visit.say("The provider knows you, but no officer here is mapped to that name. Ask the administrator.")
        return _again(visit, text, 403)
    if visit.secret and visit.signed is not None:
        visit.service.accounts.sign_out(visit.secret)  # a session is never taken over: it gets a new secret
    visit.secret, visit.signed = secret, signed
    response = visit.page("arrived.html")  # a page of ours: strict cookies come along from here on
    visit.site.cookies.begin(response, secret)
    visit.site.cookies.travel(response, "")
    return response


def _again(visit: Visit, error: KetnapError | str, status: int) -> Response:
    text = error if isinstance(error, str) else error_text(error, visit.lang)
    visit.signed = None
    response = visit.page("sign_in.html", status, to="/", login="", error=text, ended=False, kept=[], kept_by="")
    visit.site.cookies.travel(response, "")
    return response
