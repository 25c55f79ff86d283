"""The officer's own account: password, sessions, and for whom they act."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.errors import BadInput, KetnapError
from engine.doors.tokens import USUAL
from engine.signing_in import SignInPaused, SignInRefused
from web.access import SIGNED
from web.forms import Field
from web.pages.sign_in import paused_text
from web.site import Said, Site, Visit


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/account", show, SIGNED),
        site.post("/account/password", password, SIGNED),
        site.post("/account/sessions", end, SIGNED),
        site.post("/account/tokens", make_token, SIGNED),
        site.post("/account/tokens/end", end_token, SIGNED),
        site.get("/acting", choose, SIGNED),
        site.post("/acting", act, SIGNED),
    ]


def show(visit: Visit) -> Response:
    """Shows the account."""
    return _page(visit, {}, 200)


def _page(visit: Visit, errors: dict[str, str], status: int, *, secret: str = "") -> Response:
    accounts, officer = visit.service.accounts, visit.session.officer.id
    labels = {
        "old": (visit.say("The password until now"), "current-password"),
        "new": (visit.say("The new password"), "new-password"),
        "again": (visit.say("The new password once more"), "new-password"),
    }
    fields = [
        Field(name=name, label=label, kind="password", hint=auto, error=errors.get(name, ""), required=True)
        for name, (label, auto) in labels.items()
    ]
    return visit.page(
        "account.html",
        status,
        fields=fields,
        has_factor=accounts.has_factor(officer),
        sessions=accounts.sessions(officer),
        tokens=visit.service.tokens.of(officer, visit.by()),
        scopes=_scopes(visit),
        secret=secret,
        token_fields=_token_fields(visit, errors),
    )


def password(visit: Visit) -> Response:
    """Changes the password; the officer's other sessions end."""
    form = visit.form
    if form.get("new") != form.get("again"):
        return _page(visit, {"again": visit.say("The two do not agree.")}, 400)
    try:
        ended = visit.service.accounts.change_password(visit.session.row, form.get("old"), form.get("new")[:1000])
    except SignInPaused as paused:
        return _page(visit, {"old": paused_text(visit, paused)}, 429)
    except SignInRefused as error:
        return _page(visit, {"old": visit.say(error.message)}, 403)
    except BadInput as error:
        return _page(visit, {"new": _text(visit, error)}, 400)
    return visit.redirect("/account", Said(visit.say("The password is changed. Other sessions ended: {n}.", n=ended)))


def _text(visit: Visit, error: KetnapError) -> str:
    return visit.say(error.message, **error.params)


def end(visit: Visit) -> Response:
    """Ends one of the officer's sessions."""
    officer = visit.session.officer.id
    visit.service.accounts.end(officer, visit.form.all("end"), visit.by())
    return visit.redirect("/account", Said(visit.say("The session is ended.")))


def _scopes(visit: Visit) -> dict[str, str]:
    """Returns what a token may be made for, in words."""
    return {
        "read": visit.say("Read what you may read"),
        "steps": visit.say("Take steps, enter facts, undo"),
        "import": visit.say("Bring in lists"),
        "office": visit.say("Change units, officers, days off, substitutes, notices"),
        "audit": visit.say("Search and verify the trail"),
    }


def _token_fields(visit: Visit, errors: dict[str, str]) -> list[Field]:
    name, days = visit.form.get("name"), visit.form.get("days") or str(USUAL)
    return [
        Field(name="name", label=visit.say("What the program is called"), kind="text", value=name, required=True,
              error=errors.get("token", "")),
        Field(name="days", label=visit.say("For how many days"), kind="number", value=days, required=True,
              error=errors.get("days", "")),
    ]  # fmt: skip


def make_token(visit: Visit) -> Response:
    """Makes a token and shows it, this once."""
    form, officer = visit.form, visit.session.officer.id
    given = form.get("days").strip()
    days = int(given) if given.isascii() and given.isdigit() and len(given) < 5 else 0
    try:
        secret, _ = visit.service.tokens.make(officer, form.get("name"), form.all("scope"), days, visit.by())
    except BadInput as error:
        return _page(visit, {"days" if "most" in error.params else "token": _text(visit, error)}, 400)
    return _page(visit, {}, 200, secret=secret)


def end_token(visit: Visit) -> Response:
    """Ends a token of the officer's own."""
    visit.service.tokens.end(visit.session.officer.id, visit.form.all("end"), visit.by())
    return visit.redirect("/account", Said(visit.say("The token is ended; the program that has it comes in no more.")))


def choose(visit: Visit) -> Response:
    """Shows for whom the officer may act."""
    return visit.page("acting.html")


def act(visit: Visit) -> Response:
    """Acts for somebody from now on, or for nobody."""
    absent = visit.form.get("for") or None
    visit.service.accounts.act_for(visit.session.row, absent)
    return visit.redirect("/")
