"""The web application, and the server that runs it in a thread of its own. No pages yet: feeds, receipts, figures."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from engine.core.errors import BadInput, KetnapError, NotFound
from engine.service import Service
from web import feeds, metrics, receipts
from web.answers import Door, answer

AT_ONCE = 64  # requests, past which the server says 503
HEADER_LIMIT = 16_384  # bytes

log = logging.getLogger("ketnap.web")


def build_app(service: Service, *, lang: str = "vi", link_base: str = "", receipt_secret: str = "") -> Starlette:
    """Returns the application. Without a `receipt_secret` no receipts are taken; `service` is for it alone."""
    door = Door(service)
    routes = [*metrics.routes(door), *feeds.routes(door, lang=lang, link_base=link_base)]
    if receipt_secret:
        routes += receipts.routes(door, receipt_secret)

    async def refuse(_: Request, error: Exception) -> Response:
        return answer("not found\n" if _status(error) == 404 else "refused\n", _status(error))

    async def excuse(_: Request, error: Exception) -> Response:
        log.error("a request failed: %s", type(error).__name__)
        return answer("not now\n", 503)

    handlers = {HTTPException: refuse, NotFound: refuse, KetnapError: excuse, Exception: excuse}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return app


def _status(error: Exception) -> int:
    return error.status_code if isinstance(error, HTTPException) else 404


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens; port 0 is any that is free. Raises BadInput where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        why = error.strerror or str(error)
        raise BadInput("{host}, port {port}: nobody can listen there: {why}", host=host, port=port, why=why) from None


class Server:
    """Serves an application in a thread, until it is stopped. `ended` is called when the thread ends."""

    def __init__(self, app: Starlette, listening: socket.socket, ended: Callable[[], None] = lambda: None) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            access_log=False,  # addresses bear secrets
            log_config=None,
            log_level="warning",
            server_header=False,
            date_header=True,
            proxy_headers=False,
            ws="none",
            limit_concurrency=AT_ONCE,
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
