"""Signing in and out, the language, one-time codes; and coming back to a form after a session has ended."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from markupsafe import Markup
from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.errors import BadInput
from engine.passwords import SHORTEST
from engine.signing_in import NoSession, SignInPaused, SignInRefused, Try, digest
from web import codes
from web.access import ANYONE, CHOOSES, LEAVES, SETS_UP
from web.forms import AGAIN, Field
from web.session import LANGUAGES, browser, local_path
from web.site import Said, Site, Visit

KEPT = "k."  # how the names of kept input begin
KEPT_LIMIT = 400  # fields


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/sign-in", show, ANYONE),
        site.post("/sign-in", sign_in, ANYONE),
        site.post("/sign-out", sign_out, LEAVES),
        site.post("/language", language, ANYONE),
        site.get("/own-password", ask_own, CHOOSES),
        site.post("/own-password", choose_own, CHOOSES),
        site.get("/second-factor", factor, SETS_UP),
        site.post("/second-factor", confirm, SETS_UP),
    ]


def ask(visit: Visit) -> Response:
    """Shows the form of signing in where somebody came who is not signed in; what they typed stays in it."""
    posted = visit.request.method == "POST"
    secret, whose = visit.secret, None
    if secret:
        whose = visit.service.accounts.ended(secret)
    visit.signed = None
    kept = visit.form.input[:KEPT_LIMIT] if posted and whose is not None else []
    if kept:
        kept = [*kept, *((n, visit.form.get(n)) for n in ("version", AGAIN) if visit.form.has(n))]
    return visit.page(
        "sign_in.html",
        401,
        to=str(visit.request.url.path),
        login="",
        error="",
        ended=whose is not None,
        kept=kept,
        kept_by=_keeper(visit, whose) if kept and whose is not None else "",
    )


def _keeper(visit: Visit, officer: str) -> str:
    """Returns a mark of whose input it is, tied to this browser: nobody else's form is sent in their name."""
    visit.csrf  # noqa: B018 - makes sure that the browser has the value this mark rests on
    return digest(f"kept:{visit.csrf}:{officer}")


def show(visit: Visit) -> Response:
    """Shows the form."""
    if visit.signed is not None:
        return visit.redirect("/")
    return visit.page("sign_in.html", to="/", login="", error="", ended=False, kept=[], kept_by="")


def sign_in(visit: Visit) -> Response:
    """Signs somebody in."""
    form = visit.form
    to = local_path(form.get("to", "/"))
    tried = Try(
        login=form.get("login").strip()[:200],
        password=form.get("password")[:1000],
        code=form.get("code")[:20],
        address=visit.address,
        agent=browser(visit.request.headers.get("user-agent", "")),
    )
    kept = [(n.removeprefix(KEPT), v) for n, v in form.pairs if n.startswith(KEPT)]
    try:
        secret, signed = visit.service.accounts.sign_in(tried, visit.site.codes)
    except (SignInRefused, SignInPaused) as error:
        paused = isinstance(error, SignInPaused)
        text = paused_text(visit, error) if isinstance(error, SignInPaused) else visit.say(error.message)
        visit.signed = None
        return visit.page(
            "sign_in.html",
            429 if paused else 403,
            to=to,
            login=form.get("login"),
            error=text,
            ended=False,
            kept=kept,
            kept_by=form.get("kept_by"),
        )
    if visit.secret and visit.signed is not None:
        visit.service.accounts.sign_out(visit.secret)  # a session is never taken over: it gets a new secret
    own = bool(kept) and hmac.compare_digest(form.get("kept_by").encode(), _keeper(visit, signed.officer.id).encode())
    visit.secret, visit.signed = secret, signed
    if own and signed.whole:
        response = visit.page("resume.html", to=to, kept=kept, again=(AGAIN, "yes") in kept)
    else:
        response = visit.redirect("/" if to == "/sign-in" or kept else to)
    visit.site.cookies.begin(response, secret)
    return response


def paused_text(visit: Visit, error: SignInPaused) -> str:
    """Returns from when on another try is looked at."""
    until = error.until.astimezone(visit.calendar.zone).strftime("%H:%M:%S")
    return visit.say("Too many tries failed. The next one is looked at from {until} on.", until=until)


def sign_out(visit: Visit) -> Response:
    """Ends the session."""
    visit.service.accounts.sign_out(visit.secret)
    visit.signed = None
    response = visit.redirect("/sign-in")
    visit.site.cookies.end(response)
    return response


def language(visit: Visit) -> Response:
    """Chooses the language of the pages."""
    lang = visit.form.get("lang")
    if lang not in LANGUAGES:
        raise BadInput("{lang} is not a language of this program; there are: vi, en", lang=lang[:20])
    response = visit.redirect(local_path(visit.form.get("to", "/")))
    visit.site.cookies.give_language(response, lang)
    return response


# ---- an own password in place of one that was given ----


def ask_own(visit: Visit) -> Response:
    """Asks for an own password, where the one that was typed was given by somebody else."""
    return visit.redirect("/account") if visit.session.whole else _own(visit, {}, 200)


def _own(visit: Visit, errors: Mapping[str, str], status: int) -> Response:
    labels = {"new": visit.say("The new password"), "again": visit.say("The new password once more")}
    fields = [
        Field(name=n, label=label, kind="password", hint="new-password", error=errors.get(n, ""), required=True)
        for n, label in labels.items()
    ]
    return visit.page("own_password.html", status, fields=fields, shortest=SHORTEST)


def choose_own(visit: Visit) -> Response:
    """Takes the own password; from then on the session goes on."""
    new = visit.form.get("new")
    if new != visit.form.get("again"):
        return _own(visit, {"again": visit.say("The two do not agree.")}, 400)
    try:
        visit.service.accounts.choose_password(visit.session.row, new[:1000])
    except BadInput as error:
        return _own(visit, {"new": visit.say(error.message, **error.params)}, 400)
    return visit.redirect(
        "/", Said(visit.say("The password is yours alone now; the one you were given counts no more."))
    )


# ---- one-time codes ----


def factor(visit: Visit) -> Response:
    """Shows how to set up one-time codes."""
    if visit.service.accounts.has_factor(visit.session.officer.id):
        return visit.redirect("/account")
    return _factor(visit, "", 200)


def _factor(visit: Visit, error: str, status: int) -> Response:
    officer = visit.session.officer.id
    secret = visit.service.accounts.begin_factor(officer, visit.site.codes)
    issuer = visit.site.pages.brand.of(visit.lang)
    picture = Markup(codes.picture(codes.address(secret, officer, issuer)))  # noqa: S704 - an SVG of squares
    return visit.page("second_factor.html", status, error=error, secret=secret, picture=picture)


def confirm(visit: Visit) -> Response:
    """Confirms them by the first code."""
    try:
        visit.service.accounts.confirm_factor(visit.session.row, visit.form.get("code")[:20], visit.site.codes)
    except SignInPaused as paused:
        return _factor(visit, paused_text(visit, paused), 429)
    except SignInRefused as error:
        return _factor(visit, visit.say(error.message), 403)
    except NoSession:
        return ask(visit)
    return visit.redirect("/", Said(visit.say("One-time codes are set up. From now on you sign in with one.")))
