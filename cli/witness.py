"""`witness`: a witness for other offices' trails, on a machine of its own; and posting to one."""

from __future__ import annotations

import logging
import os
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.session import Session
from engine.core.errors import KetnapError

if TYPE_CHECKING:
    from cli.settings import Settings
    from engine.audit.note import SigningKey
    from engine.service import Service
    from engine.trail import Left

KEY_FILE = "witness.key"

log = logging.getLogger("ketnap.witness")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(witness)


def witness(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Its memory and its key.")],
    log: Annotated[
        list[str], typer.Option("--log", metavar="KEY", help="The public key of a trail to be watched (audit keys).")
    ],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The witness's name, at its first start.")] = "",
    host: Annotated[str, typer.Option("--host", metavar="HOST", help="Where it listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="PORT", help="The port; 0: any that is free.")] = 8714,
) -> None:
    """Run a witness (C2SP tlog-witness): it signs only what goes on from what it saw before. It needs no database.

    Example: ketnap witness --dir /var/lib/nhan-chung --log 'ketnap/1a2b3c4d+5e6f7a8b+AQ...' --name kiem-tra.example
    """
    import signal

    from engine.audit.note import VerifierKey
    from engine.clock import SystemClock
    from web.app import Server, listen
    from web.witness import Memory, Witness, witness_app

    session: Session = ctx.obj
    logs = [VerifierKey.parse(text) for text in log]
    memory = Memory(folder)
    key = witness_key(folder, name)
    listening = listen(host, port)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server = Server(witness_app(Witness(key, logs, memory, SystemClock().now)), listening, ended=stop.set)
    server.start()
    session.note(session.say("The key of this witness, for the setting witness_key: {key}", key=str(key.verifier)))
    session.note(
        session.say("The witness listens at http://{host}:{port}.", host=host, port=listening.getsockname()[1])
    )
    try:
        stop.wait()
    finally:
        server.stop()
    if server.failed:
        raise typer.Exit(1)


def witness_key(folder: Path, name: str) -> SigningKey:
    """Returns the witness's key, made at the first start."""
    from engine.audit.keys import signing_key, write_signing_key
    from engine.audit.note import KeyKind, SigningKey

    file = folder / KEY_FILE
    if not file.exists():
        made = SigningKey.make(name or f"witness-{os.urandom(4).hex()}", os.urandom, KeyKind.COSIGNATURE)
        write_signing_key(file, made)
    return signing_key(file=file, given=None)


class Posting:
    """Posts to the witness of the settings, if there is one: at the start, and then every hour."""

    def __init__(self, session: Session, *, pause_s: float = 3600.0) -> None:
        self._session, self._pause_s = session, pause_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="witness", daemon=True)

    def __enter__(self) -> Posting:
        if self._session.settings.witness_url:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        from cli.bootstrap import door_beside
        from engine.ledger import Via

        settings = self._session.settings
        store, service = door_beside(self._session.opened, settings, Via(channel="clock"), self._session.lang)
        with closing(store):
            while True:
                try:
                    if service.trail.exposure().events:
                        post_to_witness(service, settings)
                except KetnapError as error:
                    log.error("the witness did not sign and is asked again: %s", error.text())
                if self._stop.wait(self._pause_s):
                    return


def post_to_witness(service: Service, settings: Settings) -> Left:
    """Has the witness of the settings sign the trail as it stands. Raises BadInput without one."""
    from engine.audit.note import VerifierKey
    from engine.core.errors import BadInput
    from web.witnessing import post

    url, key = settings.witness_url, settings.witness_key
    if not url or not key:
        raise BadInput("no witness is set: the settings witness_url and witness_key name one")
    return post(service, url, VerifierKey.parse(key))
