"""The pages' site: what a page is given, how it answers, and what becomes of errors on the way."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from engine import scope
from engine.answers import Teller
from engine.core.errors import BadInput, Conflict, Denied, KetnapError, NotFound
from engine.doors.accounts import SignedIn
from engine.service import Service, command_id
from engine.signing_in import NoSession, SignInPaused
from engine.steps import By
from reports.forms import ReadyForm, find_forms, load_forms
from web.access import FIRST, Need, SignInFirst
from web.answers import Door
from web.bounds import TooMuch, TooSlow
from web.codes import TimedCodes
from web.forms import BadForm, Form, TooLarge, read_form
from web.jobs import Job, Jobs, Run
from web.pages_file import MenuItem, PagesFile
from web.rendering import Templates
from web.session import Cookies, address_of, fits, from_elsewhere, new_start, token_of
from web.shelf import FORGOTTEN, Shelf
from web.shown import Values
from web.wired import Wired
from web.words import Translate, error_text, fill, translator

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # addresses say no names, and a form may say where it comes from
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
TLS_ONLY = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}

log = logging.getLogger("ketnap.web")
T = TypeVar("T")


class Forged(KetnapError):
    """This form does not come from a page of this session, so nothing was saved. Open the page anew and try again."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the wiring says of the site. `secure`: browsers reach it over TLS; `proxied`: through a proxy of ours."""

    lang: str = "vi"
    base_url: str = ""
    proxied: bool = False

    @property
    def secure(self) -> bool:
        """Whether browsers come over TLS."""
        return self.base_url.startswith("https://")


@dataclass(frozen=True)
class Said:
    """Something a page says once, after what was done: `kind` is good, soon or late; `undo` is where it is undone."""

    text: str
    kind: str = "good"
    undo: str = ""


class PageRoute(Route):
    """A page's route: `need` says who may come."""

    def __init__(self, path: str, endpoint: Callable[..., Any], method: str, need: Need, name: str | None) -> None:
        super().__init__(path, endpoint, methods=[method], name=name)
        self.need = need


Handler = Callable[["Visit"], Response]


@dataclass(kw_only=True)
class Site:
    """What pages are made with. `pages` is the office's pages.yaml."""

    door: Door
    settings: Settings
    pages: PagesFile
    templates: Templates = field(default_factory=Templates)
    codes: TimedCodes
    wired: Wired = field(default_factory=Wired)
    shelf: Shelf = field(default_factory=Shelf)
    trips: Shelf = field(default_factory=Shelf)  # of those who are not signed in: theirs push out nobody else's
    names: dict[str, str] = field(default_factory=dict)  # a page's name -> its address

    @cached_property
    def cookies(self) -> Cookies:
        """The cookies."""
        return Cookies(secure=self.settings.secure)

    @cached_property
    def jobs(self) -> Jobs:
        """The work in the background."""
        return Jobs(self.door)

    @cached_property
    def forms(self) -> Mapping[str, ReadyForm]:
        """The forms of the workflows that were loaded when the program began, with the office's own Word files."""
        path = find_forms(self.wired.folder) if self.wired.folder is not None else None
        if path is None:
            return {}
        with self.door.service.work() as work:
            return load_forms(path, work.library.all_newest(), self.wired.forms, loaded=True)

    @cached_property
    def sandbox(self) -> bool:
        """Whether this is a sandbox, which every page says."""
        return self.door.service.is_sandbox()

    def get(self, path: str, handler: Handler, need: Need, *, name: str | None = None) -> PageRoute:
        """Declares a page that shows. With a `name` the menu may lead to it."""
        if name is not None:
            self.names[name] = path
        return PageRoute(path, self._endpoint(handler, need), "GET", need, name)

    def post(self, path: str, handler: Handler, need: Need, *, files: bool = False) -> PageRoute:
        """Declares what a form is posted to. `files`: it takes files too."""
        return PageRoute(path, self._endpoint(handler, need, files=files), "POST", need, None)

    def _endpoint(self, handler: Handler, need: Need, *, files: bool = False) -> Callable[..., Any]:
        async def endpoint(request: Request) -> Response:
            form = Form()
            fault: KetnapError | None = None
            if request.method == "POST":
                try:
                    form = await read_form(request, files=files)
                except (TooLarge, BadForm, TooMuch, TooSlow) as error:
                    fault = error
            try:
                return await run_in_threadpool(self.answer, request, form, handler, need, fault)
            finally:
                for _, upload in form.uploads:
                    await upload.close()

        return endpoint

    def answer(
        self, request: Request, form: Form, handler: Handler, need: Need, fault: KetnapError | None = None
    ) -> Response:
        """Answers a request: who it is, whether they may, the page; an error becomes a page that says so."""
        from web.pages import sign_in  # it is a page as others are, and what is shown to whoever is not signed in

        visit = Visit(site=self, request=request, form=form)
        try:
            if fault is not None:
                raise fault
            visit.know()
            if need.signed_in and visit.signed is None:
                raise SignInFirst()
            visit.check_form()
            if need.signed_in and not visit.session.whole and visit.session.row.level not in getattr(need, "also", ()):
                return visit.redirect(FIRST[visit.session.row.level])
            need.check(visit)
            return handler(visit)
        except (SignInFirst, NoSession):
            return sign_in.ask(visit)
        except KetnapError as error:
            return visit.fail(error)
        except Exception as error:
            log.exception("a page failed: %s", type(error).__name__)
            return visit.fail(error)

    def refuse(self, request: Request, error: KetnapError) -> Response:
        """Answers what leads to no page."""
        visit = Visit(site=self, request=request, form=Form())
        visit.know()
        return visit.fail(error)


class Visit:
    """One request: who comes, in which language, what they typed; and the ways to answer."""

    STATUS: ClassVar[Mapping[type[Exception], int]] = {
        NotFound: 404, Denied: 403, Conflict: 409, TooLarge: 413, Forged: 403, SignInPaused: 429, BadInput: 400,
        BadForm: 400, TooMuch: 413, TooSlow: 408,
    }  # fmt: skip

    def __init__(self, *, site: Site, request: Request, form: Form) -> None:
        self.site, self.request, self.form = site, request, form
        self.service: Service = site.door.service
        self.secret = site.cookies.session(request)
        self.signed: SignedIn | None = None
        self.lang = site.cookies.language(request) or site.settings.lang
        self._start = site.cookies.start(request)
        self._new_start = ""
        self._mays: dict[tuple[str, str | None], bool] = {}

    # -- who

    def know(self) -> None:
        """Finds out who comes; a session that has ended is none."""
        if self.secret:
            with suppress(NoSession):
                self.signed = self.service.accounts.session(self.secret)

    @property
    def session(self) -> SignedIn:
        """The session. Raises SignInFirst without one."""
        if self.signed is None:
            raise SignInFirst()
        return self.signed

    def by(self, command: str | None = None) -> By:
        """Returns who acts, with the id under which this form is done only once."""
        return self.session.by(command)

    def by_form(self) -> By:
        """Returns who acts by this form: sent twice, it is done once."""
        given = self.form.get("command")
        return self.by(given if len(given) == 32 and given.isalnum() else None)

    def check_form(self) -> None:
        """Sees that a posted form comes from a page of this session. Raises Forged."""
        if self.request.method != "POST":
            return
        given = self.form.get("csrf")
        if from_elsewhere(self.request) or not (
            fits(given, self.secret) if self.signed is not None else fits(given, self._start)
        ):
            raise Forged()

    @cached_property
    def roles(self) -> frozenset[str]:
        """The roles of today, also of whom the officer acts for."""
        return self.service.desk.roles(self.by())

    @cached_property
    def reading_roles(self) -> frozenset[str]:
        """The roles that see subjects."""
        with self.service.work() as work:
            return work.library.area.reading_roles

    def offers(self, page: str, of: str | None = None) -> bool:
        """Tells whether the menu has a page for this officer; `of`: that of a workflow, or one for all of them."""
        items = (i for i in self.site.pages.menu if i.page == page and (of is None or i.of in (None, of)))
        return any(self._for_me(i) for i in items)

    def _for_me(self, item: MenuItem) -> bool:
        if any(self.may(what) for what in item.may):
            return True
        if item.may and not item.roles:
            return False
        wanted = frozenset(item.roles) or self.reading_roles
        return not wanted.isdisjoint(self.roles)

    def reads(self) -> bool:
        """Tells whether the officer sees subjects at all."""
        return not self.reading_roles.isdisjoint(self.roles)

    def may(self, what: str, unit: str | None = None) -> bool:
        """Tells whether the officer may change `what`, a permission of the area, at a unit or where they serve."""
        if (what, unit) not in self._mays:
            self._mays[what, unit] = self.service.keeping.may(what, self.by(), unit)
        return self._mays[what, unit]

    @property
    def menu(self) -> list[MenuItem]:
        """The menu of this officer."""
        return [i for i in self.site.pages.menu if i.page in self.site.names and self._for_me(i)]

    def address_of(self, item: MenuItem) -> str:
        """Returns where an item of the menu leads."""
        return self.site.names[item.page].replace("{workflow}", item.of or "")

    # -- work in the background

    @cached_property
    def reach(self) -> tuple[object, ...]:
        """What the officer may read today: what was made for another reach is not shown any more."""
        roles = self.roles
        with self.service.work() as work:
            return roles, tuple(scope.roots(work.office, work.library.area, self.by()))

    def work_on(self, kind: str, title: str, run: Run, *, to: str, back: str) -> Response:
        """Starts work in the background and leads to it; the form sent twice starts it once. Raises BadInput."""
        officer, command = self.session.officer.id, self.by_form().command
        job = self.site.jobs.start(
            officer, kind, title, run, to=to, back=back, reach=self.reach, command=command
        )  # fmt: skip
        return self.redirect(job.href)

    def worked(self, kind: str) -> Any:
        """Returns what came of the work in the address. Raises NotFound, and what ended it where it failed."""
        return self.site.jobs.result(self.path("job"), self.session.officer.id, kind, self.reach)

    def works(self, kind: str) -> list[Job]:
        """Returns the officer's work of a kind, the newest first."""
        return self.site.jobs.of(self.session.officer.id, kind, self.reach)

    # -- what was asked

    def path(self, name: str) -> str:
        """Returns a part of the address."""
        return str(self.request.path_params[name])

    @property
    def address(self) -> str:
        """Where the request comes from."""
        return address_of(self.request, proxied=self.site.settings.proxied)

    # -- words, days, values

    @cached_property
    def translate(self) -> Translate:
        """Turns an English template into the reader's language."""
        return translator(self.lang)

    def say(self, template: str, /, **params: object) -> str:
        """Returns a text of the program in the reader's language."""
        return fill(template, params, self.translate)

    @cached_property
    def _day(self) -> tuple[date, datetime, Any]:
        return self.service.desk.calendar()

    @property
    def today(self) -> date:
        """The office's day."""
        return self._day[0]

    @property
    def now(self) -> datetime:
        """The time, in the office's zone."""
        return self._day[1].astimezone(self.calendar.zone)

    @property
    def calendar(self) -> Any:
        """The office's calendar."""
        return self._day[2]

    @cached_property
    def values(self) -> Values:
        """Shows values."""
        zone = self.calendar.zone
        with self.service.work() as work:
            return Values(self.lang, self.translate, zone, work.office.tree)

    def officer_name(self, id: str | None) -> str:
        """Returns an officer's name, '' for nobody."""
        return self._names.get(id, id) if id is not None else ""

    @cached_property
    def _names(self) -> dict[str, str]:
        with self.service.work() as work:
            return {o.id: o.name for o in work.office.officers.values()}

    @cached_property
    def teller(self) -> Teller:
        """Writes documents for this reader."""
        return Teller(lang="en" if self.lang == "en" else "vi", translate=self.translate, zone=self.calendar.zone)

    # -- answers

    def page(self, template: str, /, status: int = 200, **context: Any) -> Response:
        """Returns a page made from a template."""
        html = self.site.templates.render(template, self, context)
        return self.finish(Response(html, status, media_type="text/html; charset=utf-8"))

    def redirect(self, path: str, said: Said | None = None) -> Response:
        """Returns the way to another page (303), which then says what was done."""
        if said is not None and self.signed is not None:
            self.site.shelf.put(self.signed.row.id, "said", said)
        return self.finish(RedirectResponse(path, 303))

    def said(self) -> Said | None:
        """Returns what is to be said on this page, once; an answer to a form leaves it to the page that it leads to."""
        if self.request.method != "GET":
            return None
        found = self.site.shelf.take(self.signed.row.id, "said") if self.signed is not None else None
        return found if isinstance(found, Said) else None

    def keep(self, view: object) -> str:
        """Keeps what was asked for (a search, filters) and returns an id for the address, where no name may stand."""
        id = secrets.token_urlsafe(9)
        self.site.shelf.put(self.session.row.id, f"view:{id}", view)
        return id

    def kept(self, id: str) -> Any:
        """Returns what was kept under an id, or None when it is not known any more."""
        return self.site.shelf.get(self.session.row.id, f"view:{id}")

    def not_kept(self, path: str) -> Response | None:
        """Returns the way to `path`, which says so, where the view in the address is not kept any more (a restart)."""
        if (view := self.request.path_params.get("view")) is None or self.kept(view) is not None:
            return None
        return self.redirect(path, Said(self.say(FORGOTTEN), "soon"))

    def finish(self, response: Response) -> Response:
        """Puts the headers on, and the cookie that ties the form of signing in to this browser."""
        response.headers.update(HEADERS)
        if self.site.settings.secure:
            response.headers.update(TLS_ONLY)
        if self._new_start:
            self.site.cookies.give_start(response, self._new_start)
        return response

    @property
    def csrf(self) -> str:
        """What this page's forms bear."""
        if self.signed is not None:
            return token_of(self.secret)
        if not self._start:
            self._start = self._new_start = new_start()
        return token_of(self._start)

    def new_command(self) -> str:
        """Returns an id for a form, by which it is done only once."""
        return command_id()

    def fail(self, error: Exception) -> Response:
        """Returns the page that says what happened, whether anything was saved, and what to do."""
        status = next((s for kind, s in self.STATUS.items() if isinstance(error, kind)), 503)
        if isinstance(error, KetnapError):
            if status == 503:
                log.error("a request failed: %s", type(error).__name__)
            text = error_text(error, self.lang)
        else:
            text = self.say("Something in the program went wrong.")
        try:
            known, paused = isinstance(error, KetnapError), isinstance(error, SignInPaused)
            return self.page("error.html", status, text=text, number=status, known=known, paused=paused)
        except Exception as second:  # noqa: BLE001 - whatever it is, an answer has to go out
            log.error("the page of an error failed: %s", type(second).__name__)
            return self.finish(Response(text, 503, media_type="text/plain; charset=utf-8"))
