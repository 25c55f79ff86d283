"""`backup`, `restore` and `backup-key`: copies of the whole database that only their holder can open."""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.session import Session
from cli.settings import Settings

if TYPE_CHECKING:
    from cli.restoring import Held
    from engine.audit.container import Secret
    from engine.backing import Content, Made
    from engine.core.errors import KetnapError
    from engine.service import Service
    from engine.store.ports import Store

LOOK_S = 60.0  # between two looks whether a backup is due
EARLY = timedelta(minutes=10)  # so that a daily job of the system, never to the second, makes a backup daily
log = logging.getLogger("ketnap.backup")

PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", metavar="FILE", help="The file whose first line is the passphrase.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(backup)
    app.command()(restore)
    app.command("backup-key")(backup_key)


def full(error: OSError, place: object) -> KetnapError:
    """Returns what people are told of a file that could not be written."""
    from engine.core.errors import BadInput, DiskFull

    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(place=str(error.filename or place))
    return BadInput("{file}: {why}", file=str(error.filename or place), why=error.strerror or str(error))


# ---- secrets ----


def _first_line(file: Path) -> str:
    from engine.core.errors import BadInput

    try:
        return file.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput("{file} cannot be read: {why}", file=str(file), why=str(error)) from None


def _sealing(settings: Settings, passphrase: Path | None, public: str | None) -> Secret:
    from engine.audit.container import Secret, read_public
    from engine.core.errors import BadInput

    if passphrase is None and public is None:
        passphrase, public = settings.backup_passphrase_file, settings.backup_public_key
    if public is not None:
        return read_public(public)
    if passphrase is None:
        raise BadInput(
            "a backup is sealed: give --passphrase-file or --public-key (make one with ketnap backup-key), or set "
            "backup_passphrase_file or backup_public_key"
        )
    secret = _first_line(passphrase)
    if len(secret) < 12:
        raise BadInput("the passphrase in {file} is shorter than 12 letters", file=str(passphrase))
    return Secret(passphrase=secret)


def _opening(passphrase: Path | None, key: Path | None) -> Secret:
    from engine.audit.container import Secret, read_private
    from engine.core.errors import BadInput

    if key is not None:
        return read_private(_first_line(key))
    if passphrase is None:
        raise BadInput("give --passphrase-file, or --key with the private key")
    return Secret(passphrase=_first_line(passphrase))


def backup_key(
    ctx: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file for the private key.")]
) -> None:
    """Make a pair of keys for backups: the public one is printed and goes into the settings, the private one opens.

    Keep the private key away from this machine: then nobody who takes the machine can open its backups.

    Example: ketnap backup-key /media/usb/ketnap-backup.key
    """
    from cli.outputs import write_new
    from engine.audit.container import make_pair

    session: Session = ctx.obj
    private, public = make_pair(os.urandom)
    write_new(file, private + "\n")
    document = {"file": str(file), "public_key": public}
    session.write(
        document,
        lambda console: console.print(
            session.say(
                "The private key is in {file}. In the settings: backup_public_key = {key}", file=file, key=public
            ),
            soft_wrap=True,
        ),
    )


# ---- making one ----


def make(settings: Settings, store: Store, service: Service, folder: Path, secret: Secret) -> Made:
    """Makes a backup into a folder, thins out old ones, and notes it. Raises KetnapError."""
    from cli.copies import STORE_REVISION, backup_parts, master_text
    from engine import backing

    now = service.kit.clock.now()
    try:
        made = backing.write(
            backup_parts(store),
            folder,
            secret,
            now=now,
            revision=STORE_REVISION,
            master=master_text(settings),
            checkpoint=_signed(service),
            random=os.urandom,
            sandbox=service.is_sandbox(),
        )
        backing.write_list(folder, service.persons.erased())
    except OSError as error:
        raise full(error, folder) from error
    service.backups.made(made.id, made.size, made.root)
    backing.thin_out(folder, now, settings.backup_keep_days)
    return made


def _signed(service: Service) -> str | None:
    """Returns a checkpoint of what the backup will hold, for its header; None where this machine has no key to sign."""
    from engine.core.errors import NotFound

    try:
        return service.trail.sign().note
    except NotFound:
        return None


def backup(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="The folder, else backup_dir.")] = None,
    passphrase_file: PassphraseFile = None,
    public_key: Annotated[
        str | None, typer.Option("--public-key", metavar="KEY", help="Whom it is sealed for; see backup-key.")
    ] = None,
) -> None:
    """Copy the whole database, as of one moment and sealed, while others go on working. `run` does it by itself where
    backup_dir is set.

    Examples: ketnap backup --out /media/usb --passphrase-file mat-khau.txt
              ketnap backup
    """
    from engine.core.errors import BadInput

    session: Session = ctx.obj
    settings = session.settings
    folder = out or settings.backup_dir
    if folder is None:
        raise BadInput("where to? give --out, or set backup_dir")
    secret = _sealing(settings, passphrase_file, public_key)
    made = make(settings, session.opened.store, session.service, folder, secret)
    document = {
        "id": made.id,
        "file": str(made.file),
        "keys": str(made.keys),
        "events": made.size,
        "root": made.root.hex(),
        "bytes": made.bytes,
        "sandbox": session.opened.sandbox,
    }

    def show(console: Any) -> None:
        line = "Backup of {events} events: {file} (and {keys})"
        console.print(
            session.say(line, events=made.size, file=made.file, keys=made.keys.name),
            soft_wrap=True,
        )
        _say_sandbox(session, console, document)

    session.write(document, show)


def _say_sandbox(session: Session, console: Any, document: dict[str, Any]) -> None:
    if document["sandbox"]:
        console.print(session.say("It is of a sandbox: nothing in it is real."), soft_wrap=True)


def erase_from_backups(settings: Settings, service: Service) -> int:
    """Blots the keys of all who were erased out of the backups in backup_dir; returns in how many one still stood."""
    from engine import backing

    if settings.backup_dir is None or not settings.backup_dir.is_dir():
        return 0
    erased = service.persons.erased()
    try:
        backing.write_list(settings.backup_dir, erased)
        return backing.blot_out(settings.backup_dir, [str(e["person"]) for e in erased])
    except OSError as error:
        raise full(error, settings.backup_dir) from error


@contextmanager
def backing_up(session: Session, stop: threading.Event) -> Iterator[None]:
    """Makes a backup whenever one is due, in a thread with a connection of its own, where backup_dir is set."""
    settings = session.settings
    folder = settings.backup_dir
    if folder is None:
        yield
        return
    secret = _sealing(settings, None, None)  # what is missing is said now, not at night
    thread = threading.Thread(target=_keep_backing_up, args=(session, stop, folder, secret), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _keep_backing_up(session: Session, stop: threading.Event, folder: Path, secret: Secret) -> None:
    from cli.bootstrap import door_beside
    from engine.ledger import Via

    store, service = door_beside(session.opened, session.settings, Via(channel="clock"), session.lang)
    try:
        while not stop.is_set():
            _back_up_if_due(session.settings, store, service, folder, secret)
            stop.wait(LOOK_S)
    finally:
        store.close()


def _back_up_if_due(settings: Settings, store: Store, service: Service, folder: Path, secret: Secret) -> Made | None:
    from engine import backing
    from engine.core.errors import KetnapError

    try:
        last = backing.newest(folder)
        due = None if last is None else last + timedelta(hours=settings.backup_every_hours) - EARLY
        if due is not None and service.kit.clock.now() < due:
            return None
        return make(settings, store, service, folder, secret)
    except KetnapError as error:  # tried again at the next look
        log.error("the backup failed and is tried again: %s", error.text())
        return None


def back_up_once(session: Session) -> Made | None:
    """Makes a backup if one is due: for `run --once`."""
    settings = session.settings
    if settings.backup_dir is None:
        return None
    secret = _sealing(settings, None, None)
    return _back_up_if_due(settings, session.opened.store, session.service, settings.backup_dir, secret)


# ---- restoring ----


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="NAME.backup; NAME.keys must stand beside it.")],
    passphrase_file: PassphraseFile = None,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="The private key of backup-key.")] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="FILE", help="The newest checkpoint that somebody outside holds."),
    ] = None,
    accept_older: Annotated[
        bool, typer.Option("--accept-older", help="Take the copy although the checkpoint knows of later events.")
    ] = False,
    trail_key: Annotated[
        str | None, typer.Option("--trail-key", metavar="KEY", help="The public key that signed it, if it is newer.")
    ] = None,
    erased: Annotated[
        Path | None, typer.Option("--erased", metavar="FILE", help="Who was erased since, else erased.jsonl beside it.")
    ] = None,
    without_erasures: Annotated[
        bool, typer.Option("--without-erasures", help="There is no such list: whoever was erased since comes back.")
    ] = False,
) -> None:
    """Make a new database (--db) out of a backup, verify all of it, and keep the erased erased.

    That it was restored stands in its trail for good. With a checkpoint from outside, a copy that is older, or that
    tells another history, is refused.

    Example: ketnap --db sqlite:///moi.db restore ketnap-20260301T020000Z-1a2b.backup --key k.key --checkpoint diem.txt
    """
    from cli import restoring
    from engine import backing
    from engine.core.errors import BadInput

    session: Session = ctx.obj
    listed = erased or file.with_name(backing.LIST)
    if not without_erasures and not listed.is_file():
        raise BadInput(
            "there is no list {file} of persons who were erased; name it with --erased, or say --without-erasures",
            file=str(listed),
        )
    again = {} if without_erasures else backing.read_list(listed)
    known = _held(checkpoint, trail_key) if checkpoint is not None else None
    try:
        content: Content = backing.read(file, _opening(passphrase_file, key))
        done = restoring.restore(session, content, again, known, accept_older=accept_older)
    except OSError as error:
        raise full(error, file) from error
    session.write(done, lambda console: _show(session, console, done))


def _held(file: Path, key: str | None) -> Held:
    """Reads a checkpoint, of several in a mail the first. Raises BadInput, NotFound, BadNote and BadKey."""
    from cli.audit import read_key, read_notes
    from cli.restoring import Held

    return Held(note=read_notes(file)[0], key=None if key is None else read_key(key))


def _show(session: Session, console: Any, done: dict[str, Any]) -> None:
    console.print(
        session.say("Restored: {events} events, as of {at}.", events=done["events"], at=session.moment(done["made_at"]))
    )
    _say_sandbox(session, console, done)
    if done["missing"]:
        console.print(session.say("The checkpoint knows of {n} later events; they are lost.", n=done["missing"]))
    elif done["missing"] is None:
        console.print(session.say("No checkpoint from outside was given: nothing says that this is the newest copy."))
    else:
        console.print(session.say("It holds all that the checkpoint knows of."))
    if done["erased_again"]:
        console.print(session.say("Erased again: {n} persons.", n=len(done["erased_again"])))
