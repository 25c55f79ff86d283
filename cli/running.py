"""`run`: the scheduler and the delivery of notices, together or each alone."""

from __future__ import annotations

import logging
import signal
import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.session import Session

if TYPE_CHECKING:
    from engine.service import Service
    from notifications.worker import Worker

PARTS = ("scheduler", "worker")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(run)


def run(
    ctx: typer.Context,
    part: Annotated[
        str | None, typer.Argument(metavar="[scheduler|worker]", help="Only this part; none: all in one process.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and end: for a job of the system.")] = False,
) -> None:
    """Run the program: deadlines and notices, until it is stopped.

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
    _stop_on_signals(stop)
    _loop(session, session.service, part, stop)


def _stop_on_signals(stop: threading.Event) -> None:
    def ask(*_: Any) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)


def _worker(session: Session, service: Service) -> Worker:
    from cli.bootstrap import worker_of

    return worker_of(service, session.settings, sandbox=session.opened.sandbox, lang=session.lang)


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
            session.say(
                "Done: {done}. Messages tried: {tried}.", done=document.get("done", 0), tried=document.get("tried", 0)
            )
        ),
    )


def _loop(session: Session, service: Service, part: str | None, stop: threading.Event) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
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
