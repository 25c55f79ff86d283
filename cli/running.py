"""`run`: the scheduler, the delivery of notices and the web pages, together or each alone."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.session import Session

if TYPE_CHECKING:
    from engine.service import Service

PARTS = ("scheduler", "worker", "web")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(run)


def run(
    ctx: typer.Context,
    part: Annotated[
        str | None, typer.Argument(metavar="[scheduler|worker|web]", help="Only this part; none: all in one process.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and end: for a job of the system.")] = False,
    host: Annotated[str, typer.Option("--host", help="Where the pages listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="The port of the pages.")] = 8000,
) -> None:
    """Run the program: deadlines, notices and the web pages.

    Examples: ketnap run
              ketnap run scheduler
              ketnap run --once
    """
    from engine.core.errors import BadInput

    session: Session = ctx.obj
    if part is not None and part not in PARTS:
        raise BadInput("{value} is not one of {known}", value=part, known=", ".join(PARTS))
    if once:
        _once(session, part)
        return
    stop = threading.Event()
    if part != "web":
        _stop_on_signals(stop)
    if part in (None, "web"):
        _with_pages(session, part, host, port, stop)
    else:
        _loop(session, session.service, part, stop)


def _stop_on_signals(stop: threading.Event) -> None:
    def ask(*_: Any) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)


def _worker(session: Session, service: Service) -> Any:
    from cli.bootstrap import channels_of
    from notifications.worker import Worker

    return Worker(service, channels_of(session.settings, sandbox=session.opened.sandbox), lang=session.lang)


def _once(session: Session, part: str | None) -> None:
    service = session.changing()
    document: dict[str, Any] = {}
    if part in (None, "scheduler"):
        document["done"] = service.tick()
    if part in (None, "worker"):
        document["tried"] = _worker(session, service).deliver()
    session.write(
        document,
        lambda console: console.print(
            session.say("Done: {done}. Messages tried: {tried}.", done=document.get("done", 0), tried=document.get("tried", 0))
        ),
    )


def _loop(session: Session, service: Service, part: str | None, stop: threading.Event) -> None:
    if part == "worker":
        worker = _worker(session, service)
        while True:
            worker.deliver()
            if stop.wait(5):
                return
    from engine.scheduler import Ticker

    deliver = _worker(session, service).deliver if part is None else None
    session.note(session.say("The scheduler runs. Stop it with Ctrl-C."))
    Ticker(service, deliver).run(stop)


def _with_pages(session: Session, part: str | None, host: str, port: int, stop: threading.Event) -> None:
    from cli.pages import serve

    if part is None:
        ticking = threading.Thread(target=_loop, args=(session, session.service, None, stop), name="ketnap-scheduler")
        ticking.start()
        try:
            serve(session, host, port)
        finally:
            stop.set()
            ticking.join()
        return
    serve(session, host, port)
