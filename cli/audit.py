"""`audit`: is the trail whole, what proves it outside this machine, and a bundle for whoever trusts nobody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import trail
from cli.options import As, Token
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from engine.audit.note import VerifierKey
    from engine.hashing import Progress
    from engine.trail import Signed

SLOW = 20_000  # events; shorter trails are verified before anybody asks how far it is

KeyOption = Annotated[
    str | None, typer.Option("--key", metavar="KEY", help="The trail's first public key as you were given it.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(no_args_is_help=True, help="The trail, and what proves it.", rich_markup_mode=None)
    group.command("verify")(verify)
    trail.add_to(group)
    group.command("checkpoint")(checkpoint)
    group.command("export")(export)
    group.command("proof")(proof)
    group.command("keys")(keys)
    group.command("rotate-key")(rotate_key)
    group.command("words")(words)
    app.add_typer(group, name="audit")


def _day(name: str, text: str | None) -> Any:
    from engine.core.errors import BadInput
    from engine.core.values import Type, parse

    if text is None:
        return None
    from datetime import UTC

    value = parse(name, Type(name="date"), text, UTC)
    if value is None:
        raise BadInput("{name}: {value} is not a day", name=name, value=text)
    return value


# ---- verify ----


def verify(
    ctx: typer.Context,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", metavar="FILE", help="A checkpoint kept outside: a note, or a mail with one."),
    ] = None,
    key: KeyOption = None,
    fast: Annotated[bool, typer.Option("--fast", help="Hashes, tree and checkpoints only.")] = False,
) -> None:
    """Recompute every hash of the trail and its tree, compare it with its checkpoints and those kept outside, rebuild
    every subject from it, and decide every step again. Exit code 1 when something differs.

    Examples: ketnap audit verify --json
              ketnap audit verify --checkpoint thu.eml --checkpoint nam-ngoai.txt
    """
    from engine.verifying import verify as verify_trail

    session: Session = ctx.obj
    notes = [note for path in checkpoint or () for note in read_notes(path)]
    report = verify_trail(
        session.service, _progress(session), checkpoints=notes, key=read_key(key) if key else None, full=not fast
    )
    exposure = session.service.trail.exposure()
    document: dict[str, Any] = {
        "ok": report.ok,
        "events": report.events,
        "checkpoints": report.checkpoints,
        "problems": [{"event": p.event, "kind": p.kind, "message": p.text(session.translate)} for p in report.problems],
        "notes": [{"kind": n.kind, "message": n.text(session.translate)} for n in report.notes],
        "steps": report.steps,
        "root": report.root.hex(),
        "exposed": exposure.events,
        "seconds": {name: round(s, 3) for name, s in report.seconds.items()},
    }
    session.write(document, lambda console: _show(session, console, document))
    if not report.ok:
        raise typer.Exit(1)


def read_notes(path: Path) -> list[bytes]:
    from engine.audit.note import BadNote
    from engine.audit.verify_bundle import read_mail
    from engine.core.errors import NotFound
    from engine.trail import read_note

    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFound("{file} cannot be read: {why}", file=str(path), why=error.strerror) from None
    try:
        return read_note(read_mail(data))
    except BadNote:
        return [data]  # verified as it is, so that an altered one is named as altered


def read_key(text: str) -> VerifierKey:
    from engine.audit.note import VerifierKey

    path = Path(text)
    return VerifierKey.parse(path.read_text(encoding="utf-8") if path.exists() else text)


def _progress(session: Session) -> Progress | None:
    """Returns what shows on a terminal how far it is."""
    import sys

    if not sys.stderr.isatty():
        return None

    def show(part: str, n: int) -> None:
        if n >= SLOW or part == "subjects":
            sys.stderr.write(f"\r{session.translate(part)}: {n:,}   ")
            sys.stderr.flush()

    return show


def _show(session: Session, console: Console, document: dict[str, Any]) -> None:
    for p in document["problems"]:
        console.print(f"{session.translate(p['kind'])}: {p['message']}", soft_wrap=True)
    for n in document["notes"]:
        console.print(session.say("Note: {message}", message=n["message"]), soft_wrap=True)
    message = (
        "The trail is whole: {events} events." if document["ok"] else "The trail does not verify: {events} events read."
    )
    console.print(session.say(message, events=document["events"]))
    if document["ok"]:
        console.print(
            session.say(
                "{checkpoints} checkpoints hold; {steps} steps were decided again, each as it was taken.",
                checkpoints=document["checkpoints"],
                steps=document["steps"],
            )
        )
    _show_exposure(session, console, document["exposed"])


def _show_exposure(session: Session, console: Console, exposed: int) -> None:
    if exposed:
        console.print(session.say("No checkpoint outside this machine covers the last {n} events.", n=exposed))


# ---- checkpoints ----


def checkpoint(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the note into this file.")] = None,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE.html", help="A page to print, with a QR code and words.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="WHOM", help="Who takes it out of the office; it then counts as out.")
    ] = None,
    witness: Annotated[bool, typer.Option("--witness", help="Post it to the witness of the settings.")] = False,
    as_: As = None,
    token: Token = None,
) -> None:
    """Sign how far the trail goes and what it holds. A started `trail_checkpoint` is mailed.

    Examples: ketnap audit checkpoint --out diem.txt --to 'Ủy ban Kiểm tra'
              ketnap audit checkpoint --page diem.html
              ketnap audit checkpoint --witness
    """
    from cli.identity import reader

    session: Session = ctx.obj
    service = session.service
    by = reader(session, as_, token)
    if witness:
        from cli.witness import post_to_witness

        left = post_to_witness(service, session.settings)
        session.write(
            {"size": left.size, "witness": left.to},
            lambda console: console.print(
                session.say("The witness {name} signed {size} events.", name=left.to, size=left.size)
            ),
        )
        return
    signed = service.trail.sign(by)
    if out is not None:
        out.write_text(signed.note, encoding="utf-8")
    if page is not None:
        page.write_text(_page(session, signed), encoding="utf-8")
    if to is not None:
        service.trail.leave(signed.checkpoint.size, "print" if page is not None else "file", to, by)
    document = {
        "size": signed.checkpoint.size,
        "root": signed.checkpoint.root.hex(),
        "note": signed.note,
        "words": _words(signed.checkpoint.root),
        "to": to,
    }
    session.write(document, lambda console: _show_checkpoint(session, console, document))


def _words(root: bytes) -> list[str]:
    from engine.audit.words import to_words

    return [" - ".join(line) for line in to_words(root)]


def _page(session: Session, signed: Signed) -> str:
    from reports.checkpoint_page import page

    key = str(session.service.trail.keys()[0].key)
    at = signed.at.astimezone(session.opened.zone)
    return page(signed, key, session.say, at, sandbox=session.opened.sandbox)


def _show_checkpoint(session: Session, console: Console, document: dict[str, Any]) -> None:
    console.print(document["note"], end="")
    console.print()
    console.print(session.say("The root as words, to be read over the telephone"))
    for line in document["words"]:
        console.print(f"  {line}")
    if document["to"] is None:
        console.print(session.say("It protects nothing until it is kept outside this office (--to WHOM says so)."))


def words(
    ctx: typer.Context,
    said: Annotated[list[str], typer.Argument(metavar="WORDS...", help="The words, as they were heard.")],
    size: Annotated[
        int | None, typer.Option("--size", metavar="N", help="How many events they are to stand for.")
    ] = None,
) -> None:
    """Read the words of a root that came over the telephone, and compare it with the trail at SIZE events.

    Example: ketnap audit words --size 120 "ấm trà ăn cơm ..."
    """
    from engine.audit.words import from_words
    from engine.core.errors import BadInput
    from engine.trail import root_at

    session: Session = ctx.obj
    root = from_words(" ".join(said))
    same: bool | None = None
    if size is not None:
        with session.service.work() as work:
            if not 0 <= size <= work.tx.head().size:
                raise BadInput("there are no {size} events yet", size=size)
            same = root_at(work.tx, size) == root
    document = {"root": root.hex(), "size": size, "same": same}

    def show(console: Console) -> None:
        console.print(root.hex())
        if same is not None:
            console.print(session.say("The trail has this root." if same else "The trail has another root."))

    session.write(document, show)
    if same is False:
        raise typer.Exit(1)


# ---- export and proofs ----


def export(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new folder for the bundle.")],
    org: Annotated[
        str | None, typer.Option("--org", metavar="ORG", help="Of this organisation and those below it only.")
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="DAY", help="Recorded on this day or later.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Recorded on this day or before.")] = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Write a bundle that anybody verifies with Python alone: events, checkpoints, proofs, definitions, a report.

    Examples: ketnap audit export --out /media/usb/nhat-ky
              ketnap audit export --org xa1 --from 2025-01-01 --to 2025-12-31 --out goi
    """
    from cli.identity import reader
    from engine.bundling import Wanted
    from engine.bundling import export as export_bundle

    session: Session = ctx.obj
    wanted = Wanted(org=org, first=_day("--from", from_), last=_day("--to", to))
    made = export_bundle(session.service, out, wanted, reader(session, as_, token), session.lang)
    document = {
        "folder": str(made.folder),
        "events": made.events,
        "size": made.size,
        "checkpoint": made.checkpoint,
        "sandbox": session.opened.sandbox,
    }

    def show(console: Console) -> None:
        console.print(
            session.say("{n} events of {size} are in {folder}.", n=made.events, size=made.size, folder=str(made.folder))
        )
        if document["sandbox"]:
            console.print(session.say("It is of a sandbox: nothing in it is real."))
        console.print(session.say("Verify it there: python3 verify_bundle.py --checkpoint FILE"))

    session.write(document, show)


def proof(
    ctx: typer.Context,
    event: Annotated[int | None, typer.Argument(metavar="[EVENT]", help="The number of the event, from 0.")] = None,
    size: Annotated[
        int | None, typer.Option("--size", metavar="N", help="In the tree of N events; else of all.")
    ] = None,
    since: Annotated[
        int | None, typer.Option("--since", metavar="N", help="Instead: that the tree goes on from its first N events.")
    ] = None,
) -> None:
    """Prove that an event is in the trail, or that the trail goes on from an earlier size (RFC 6962).

    Examples: ketnap audit proof 17 --json
              ketnap audit proof --since 120
    """
    import base64

    from engine.core.errors import BadInput

    session: Session = ctx.obj
    trail = session.service.trail
    if (event is None) == (since is None):
        raise BadInput("name an event, or --since N")
    made = trail.inclusion(event, size) if event is not None else trail.consistency(since or 0, size)
    document = {
        "size": made.size,
        "root": base64.b64encode(made.root).decode(),
        "event": made.index,
        "since": made.old,
        "body": None if made.body is None else made.body.decode(),
        "hashes": [base64.b64encode(h).decode() for h in made.hashes],
    }

    def show(console: Console) -> None:
        console.print(f"{document['size']}\n{document['root']}")
        for line in document["hashes"] if isinstance(document["hashes"], list) else ():
            console.print(line)

    session.write(document, show)


# ---- keys ----


def keys(ctx: typer.Context) -> None:
    """The public keys that sign the trail's checkpoints, oldest first. An inspector keeps the first one.

    Example: ketnap audit keys
    """
    session: Session = ctx.obj
    found = session.service.trail.keys()
    document = [{"key": str(t.key), "since": t.since, "until": t.until} for t in found]

    def show(console: Console) -> None:
        for t in found:
            until = "" if t.until is None else str(t.until)
            console.print(f"{t.since}-{until}  {t.key}", soft_wrap=True)

    session.write(document, show)


def rotate_key(ctx: typer.Context, as_: As = None, token: Token = None) -> None:
    """Hand over to a new signing key, in a note signed by both. The old file is kept beside it.

    Example: ketnap audit rotate-key --as admin1
    """
    import os

    from cli.bootstrap import signing_file
    from cli.identity import acting
    from engine.audit.keys import signing_key, write_signing_key
    from engine.audit.note import SigningKey
    from engine.core.errors import BadInput

    session: Session = ctx.obj
    service = session.service
    by = acting(session, service, as_, token)
    if session.settings.signing_key is not None:
        raise BadInput("the signing key is given by the environment; take it from a file while it is changed")
    file = signing_file(session.settings)
    new_file, old_file = file.with_name(file.name + ".new"), file.with_name(file.name + ".old")
    if not new_file.exists():  # else a change that was broken off is finished
        old = signing_key(file=file, given=None)
        write_signing_key(new_file, SigningKey.make(old.name, os.urandom))
    new = signing_key(file=new_file, given=None)
    known = service.trail.keys()
    if new.verifier not in [t.key for t in known]:
        service.trail.rotate(new, by)
    file.replace(_free(old_file))
    new_file.replace(file)
    document = {"key": str(new.verifier), "file": str(file)}
    session.write(
        document,
        lambda console: console.print(session.say("The new key signs from now on: {key}", key=document["key"])),
    )


def _free(file: Path) -> Path:
    """Returns a name that no file bears yet."""
    n, free = 1, file
    while free.exists():
        n, free = n + 1, file.with_name(f"{file.name}{n + 1}")
    return free
