"""Making a database out of a backup: nothing of it stays where anything is not as it must be."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.session import Session
from engine.attesting import UNFIT
from engine.audit.checkpoint import Checkpoint, Tenure, open_checkpoint
from engine.audit.note import VerifierKey
from engine.audit.note import parse as parse_note
from engine.audit.tree import Frontier
from engine.backing import Content
from engine.core.errors import BadInput, Damaged, KetnapError, NotFound
from engine.service import Service


@dataclass(frozen=True, kw_only=True)
class Held:
    """A checkpoint that somebody outside holds, as it was signed; `key` is the trail's key as they were given it."""

    note: bytes
    key: VerifierKey | None = None


class OlderCopy(KetnapError):
    """The copy is older than the checkpoint."""


class OtherHistory(Damaged):
    """The copy tells another history than the checkpoint."""


class NotOurs(Damaged):
    """The checkpoint is not signed by a key of this trail (a newer key is named with --trail-key): {why}"""


def restore(
    session: Session,
    content: Content,
    erased: Mapping[str, Mapping[str, Any]],
    known: Held | None,
    *,
    accept_older: bool,
) -> dict[str, Any]:
    """Fills the database of the settings, verifies it and returns what is told of it.

    Raises BadInput, Damaged, OtherHistory, NotOurs, and OlderCopy unless that is accepted; then nothing is left behind.
    """
    try:
        return _restore(session, content, erased, known, accept_older=accept_older)
    finally:
        content.close()


def _restore(
    session: Session,
    content: Content,
    erased: Mapping[str, Mapping[str, Any]],
    known: Held | None,
    *,
    accept_older: bool,
) -> dict[str, Any]:
    from cli.bootstrap import sqlite_file
    from cli.copies import clear_store, fill_store, keep_master

    settings = session.settings
    file = sqlite_file(settings.db)
    if file is not None and file.exists():
        raise BadInput("{place} holds a database already; a backup is restored to a new one", place=str(file))
    made_key: Path | None = None
    filled = False
    try:
        made_key = keep_master(settings, content.master)
        fill_store(settings, str(content.header["revision"]), content.parts)
        filled = True
        session.service.backups.derive()
        missing = _compare(session.service, content, known, accept_older=accept_older)
        _verify(session.service, content, erased)
    except BaseException:
        session.close()
        if file is None and filled:
            clear_store(settings)
        for path in [made_key, *([] if file is None else [file, *(Path(f"{file}{end}") for end in ("-wal", "-shm"))])]:
            if path is not None:
                with suppress(FileNotFoundError):
                    path.unlink()
        raise
    service = session.service
    again = service.backups.erase_again(erased)
    size, root = content.frontier.size, content.frontier.root()
    event = service.backups.restored(str(content.header["id"]), str(content.header["made_at"]), size, root, missing)
    return {
        "backup": content.header["id"],
        "made_at": session.teller.time(content.made_at),
        "events": size,
        "sandbox": service.is_sandbox(),
        "root": root.hex(),
        "missing": missing,
        "erased_again": again,
        "event": event,
    }


def _signed(service: Service, held: Held) -> Checkpoint:
    """Returns a checkpoint from outside, once its signature holds under a key of the copy or the one that was given.

    Raises NotOurs.
    """
    try:
        tenures = [*service.trail.keys()]
    except NotFound:  # of a trail that nobody ever signed
        tenures = []
    if held.key is not None:
        tenures.append(Tenure(key=held.key, since=0, until=None))
    try:
        origin = Checkpoint.parse(parse_note(held.note).text).origin
        return open_checkpoint(held.note, origin=origin, tenures=tenures).checkpoint
    except UNFIT as error:
        raise NotOurs(why=error.text()) from error


def _compare(service: Service, content: Content, held: Held | None, *, accept_older: bool) -> int | None:
    """Returns how many events the checkpoint knows that the copy has not; None without a checkpoint."""
    if held is None:
        return None
    known, frontier = _signed(service, held), content.frontier
    if known.size > frontier.size:
        if not accept_older:
            raise OlderCopy(
                "The copy is older than the checkpoint: it has {size} events, the checkpoint knows of {known}. "
                "Look for a newer backup, or say --accept-older.",
                size=frontier.size,
                known=known.size,
            )
        return known.size - frontier.size
    with service.work() as work:
        upto = work.tx.events(until=known.size - 1) if known.size else iter(())
        if Frontier().extend(row.leaf for row in upto).root() != known.root:
            raise OtherHistory()
    return 0


def _verify(service: Service, content: Content, erased: Mapping[str, Mapping[str, Any]]) -> None:
    """Verifies the copy. A key that was blotted out of it is missed only by who is on the list of the erased."""
    from engine.verifying import verify

    strangers = sorted(set(content.lost) - set(erased))
    if strangers:
        raise Damaged(
            "The backup lacks the keys of persons who were not erased: {persons}", persons=", ".join(strangers[:5])
        )
    lost = set(content.lost)
    for problem in verify(service).problems:
        if not (
            problem.kind == "key"
            and problem.params.get("subject")
            and _person(service, problem.params["subject"]) in lost
        ):
            raise Damaged("The copy does not verify: {problem}", problem=problem.text())


def _person(service: Service, subject: object) -> str:
    with service.work() as work:
        return work.case(str(subject)).key_id
