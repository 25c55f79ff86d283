"""`run`: the scheduler, the delivery of notices and the web server, together or each alone."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.backups import back_up_once, backing_up
from cli.session import Session

if TYPE_CHECKING:
    from cli.delivery import Delivery
    from engine.service import Service

PARTS = ("scheduler", "worker", "web")
PAUSE_S = 5.0  # between two looks of a worker that runs alone

log = logging.getLogger("ketnap.run")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(run)


def run(
    ctx: typer.Context,
    part: Annotated[
        str | None, typer.Argument(metavar="[scheduler|worker|web]", help="Only this part; none: all in one process.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and end: for a job of the system.")] = False,
) -> None:
    """Run the program: deadlines, notices and the web server, until it is stopped.

    Examples: ketnap run
              ketnap run scheduler
              ketnap run --once
    """
    from engine.core.errors import BadInput

    session: Session = ctx.obj
    if part is not None and part not in PARTS:
        raise BadInput("{value} is not one of {known}", value=part, known=", ".join(PARTS))
    if once:
        if part == "web":
            raise BadInput("the web server does not end by itself; leave out --once")
        _once(session, part)
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("transitions").setLevel(logging.WARNING)
    stop = threading.Event()
    _stop_on_signals(stop)
    with ExitStack() as stack:
        if part in (None, "web"):
            stack.enter_context(_serving(session, stop))
        if part in (None, "scheduler"):
            stack.enter_context(backing_up(session, stop))
        if part == "web":
            stop.wait()
        else:
            _loop(session, session.service, part, stop)


def _stop_on_signals(stop: threading.Event) -> None:
    def ask(*_: Any) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)


@contextmanager
def _delivery(session: Session, service: Service) -> Iterator[Delivery]:
    from cli.delivery import Delivery

    made = Delivery(service, session.settings, sandbox=session.opened.sandbox, lang=session.lang)
    try:
        yield made
    finally:
        made.close()


def _once(session: Session, part: str | None) -> None:
    service = session.changing()
    document: dict[str, Any] = {}
    if part in (None, "scheduler"):
        document["done"] = service.tick()
        made = back_up_once(session)
        document["backup"] = str(made.file) if made is not None else None
    if part in (None, "worker"):
        with _delivery(session, service) as delivery:
            tried = delivery.deliver()
            delivery.listen(now=True)
            document["tried"] = tried + delivery.deliver()  # what came back may go another way
    session.write(
        document,
        lambda console: console.print(
            session.say(
                "Done: {done}. Messages tried: {tried}.", done=document.get("done", 0), tried=document.get("tried", 0)
            )
        ),
    )


def _loop(session: Session, service: Service, part: str | None, stop: threading.Event) -> None:
    if part == "worker":
        with _delivery(session, service) as delivery:
            session.note(session.say("The worker runs. Stop it with Ctrl-C."))
            _work(delivery, stop)
        return
    from cli.witness import Posting
    from engine.scheduler import Ticker
    from engine.sealing import TreeSealer

    with ExitStack() as stack:
        stack.enter_context(TreeSealer(service.kit.store))
        stack.enter_context(Posting(session))
        deliver = stack.enter_context(_delivery(session, service)).turn if part is None else None
        session.note(session.say("The scheduler runs. Stop it with Ctrl-C."))
        Ticker(service, deliver).run(stop)


def _work(delivery: Delivery, stop: threading.Event) -> None:
    """Delivers until it is stopped; what fails, such as a database that is busy, is tried again."""
    from engine.core.errors import KetnapError

    while not stop.is_set():
        try:
            delivery.turn()
        except KetnapError as error:
            log.error("the delivery failed and is tried again: %s", error.text())
        stop.wait(PAUSE_S)


@contextmanager
def _serving(session: Session, stop: threading.Event) -> Iterator[None]:
    """Serves the web in a thread, over a connection of its own. Ends the program should the server end by itself."""
    from cli.bootstrap import door_beside
    from cli.delivery import tables_of
    from cli.site import pages_of, wired_of
    from engine.clock import SystemClock
    from engine.ledger import Via
    from web.app import Server, build_app, listen

    settings = session.settings
    kannel = tables_of(settings).kannel
    secret = kannel.callback_secret if kannel is not None else ""
    store, service = door_beside(session.opened, settings, Via(channel="web"), session.lang)
    try:
        pages = pages_of(settings, service)
        listening = listen(settings.host, settings.port)
        app = build_app(
            service,
            lang=session.lang,
            link_base=settings.base_url,
            receipt_secret=secret,
            pages=pages,
            proxied=settings.proxied,
            clock=SystemClock(),
            wired=wired_of(settings, session.opened),
        )
        server = Server(app, listening, ended=stop.set)
        server.start()
        port = listening.getsockname()[1]
        session.note(session.say("The web server listens at http://{host}:{port}.", host=settings.host, port=port))
        try:
            yield
        finally:
            server.stop()
        if server.failed:
            raise typer.Exit(1)
    finally:
        store.close()
