"""The web application: pages, feeds, receipts, figures; and the server that runs it in a thread of its own."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from engine.clock import Clock
from engine.core.errors import BadInput, KetnapError, NotFound
from engine.ledger import Via
from engine.service import Service
from web import feeds, metrics, receipts
from web.access import OUTSIDE, table
from web.answers import Door, answer
from web.api.app import PREFIX, build_api
from web.api.caller import Setup
from web.bounds import BODY_SECONDS, CONNECTIONS, Bounded, TooMuch, TooSlow, told
from web.codes import TimedCodes
from web.pages import (
    account,
    bulk,
    bundles,
    days,
    files,
    forms_out,
    grid,
    home,
    imports,
    inspection,
    listing,
    matters,
    notices,
    notices_mine,
    officers,
    organisations,
    personal_data,
    procedures,
    provider,
    reports,
    scores,
    sheet,
    sheet_lists,
    sign_in,
    start,
    step,
    subject,
    substitutes,
    supervision,
    transfers,
    verifying,
    work,
)
from web.pages_file import PagesFile
from web.site import Settings, Site
from web.wired import Wired

HEADER_LIMIT = 16_384  # bytes

PAGES = (  # a new page's module goes here
    sign_in,
    provider,
    account,
    files,
    home,
    listing,
    bulk,
    subject,
    step,
    procedures,
    sheet,
    sheet_lists,
    grid,
    forms_out,
    start,
    matters,
    organisations,
    transfers,
    reports,
    scores,
    work,
    officers,
    substitutes,
    days,
    imports,
    inspection,
    supervision,
    verifying,
    bundles,
    personal_data,
    notices,
    notices_mine,
)
_PROGRAMS = {path.partition("{")[0] for path in OUTSIDE}

log = logging.getLogger("ketnap.web")


def build_app(
    service: Service,
    *,
    lang: str = "vi",
    link_base: str = "",
    receipt_secret: str = "",
    pages: PagesFile | None = None,
    proxied: bool = False,
    clock: Clock | None = None,
    wired: Wired | None = None,
) -> Starlette:
    """Returns the application. Without a `receipt_secret` no receipts are taken, without `pages` there are no pages.

    Every thread that answers gets a door of its own beside `service`. `clock` is that of people's telephones, where it
    is not the service's; `wired` is what the pages need beside the service.
    """
    door = Door(service)
    outside = [*metrics.routes(door), *feeds.routes(door, lang=lang, link_base=link_base)]
    if receipt_secret:
        outside += receipts.routes(door, receipt_secret)
    site: Site | None = None
    programs = Door(service.speaking_for(Via(channel="api")))
    setup = Setup(door=programs, wired=wired or Wired(), lang=lang, proxied=proxied)
    routes: list[BaseRoute] = [*outside, Mount(PREFIX, build_api(setup))]
    if pages is not None:
        codes = TimedCodes((clock or service.kit.clock).now)
        settings = Settings(lang=lang, base_url=link_base, proxied=proxied)
        site = Site(door=door, settings=settings, pages=pages, codes=codes, wired=wired or Wired())
        routes += page_routes(site)
    table(routes)  # what does not say who may come is not served

    async def refuse(request: Request, error: Exception) -> Response:
        status = _status(error)
        if site is not None and _for_people(request):
            asked = NotFound("There is no such page.") if status == 404 else BadInput("This page does not take that.")
            return await run_in_threadpool(site.refuse, request, asked)
        return answer("not found\n" if status == 404 else "refused\n", status)

    async def excuse(_: Request, error: Exception) -> Response:
        log.error("a request failed: %s", type(error).__name__)
        return answer("not now\n", 503)

    handlers: dict[Any, Any] = {
        HTTPException: refuse,
        TooMuch: told,
        TooSlow: told,
        NotFound: refuse,
        KetnapError: excuse,
        Exception: excuse,
    }
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return app


def page_routes(site: Site) -> list[BaseRoute]:
    """Returns the routes of every page there is."""
    return [route for page in PAGES for route in page.routes(site)]


def page_names() -> list[str]:
    """Returns the names of the pages that a menu may lead to."""
    return sorted(name for page in PAGES if (name := getattr(page, "NAME", None)))


def _for_people(request: Request) -> bool:
    """Tells whether a browser asks, which shows a page."""
    path = request.url.path
    return "text/html" in request.headers.get("accept", "") and not path.startswith(tuple(_PROGRAMS))


def _status(error: Exception) -> int:
    return error.status_code if isinstance(error, HTTPException) else 404


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens; port 0 is any that is free. Raises BadInput where it cannot be had.

    What it accepts sends at once: an answer's head and body are written apart, and the second would wait 40 ms for
    the other side to acknowledge the first. asyncio sees to this only for sockets that were made with TCP's number.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        why = error.strerror or str(error)
        raise BadInput("{host}, port {port}: nobody can listen there: {why}", host=host, port=port, why=why) from None


class Server:
    """Serves an application in a thread, until it is stopped. `ended` is called when the thread ends.

    Everything is served within the bounds of `web.bounds`; `body_seconds` is how long a body may take.
    """

    def __init__(
        self,
        app: ASGIApp,
        listening: socket.socket,
        ended: Callable[[], None] = lambda: None,
        *,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        config = uvicorn.Config(
            Bounded(app, body_seconds=body_seconds),
            lifespan="off",
            access_log=False,  # addresses bear secrets
            log_config=None,
            log_level="warning",
            server_header=False,
            date_header=True,
            proxy_headers=False,
            ws="none",
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=5,
            h11_max_incomplete_event_size=HEADER_LIMIT,
        )
        self._server = uvicorn.Server(config)
        self._listening, self._ended = listening, ended
        self.failed = False  # it ended without being asked to
        self._thread = threading.Thread(target=self._run, name="web")

    def start(self) -> None:
        """Begins to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the requests that are being answered. Safe to call twice."""
        self._server.should_exit = True
        self._thread.join()
        self._listening.close()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listening])
        except Exception:
            log.exception("the web server failed")
        finally:
            self.failed = not self._server.should_exit
            self._ended()
