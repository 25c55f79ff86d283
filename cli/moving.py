"""`export` and `import all`: everything out, and into an empty database: nobody is locked in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import As, Token
from cli.session import Session


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(export)


def add(group: typer.Typer) -> None:
    """Adds the command to `import`."""
    group.command("all")(import_all)


def export(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="A new file, .json or .xlsx.")],
    as_: As = None,
    token: Token = None,
) -> None:
    """Give everything out: the office with its days, every subject with its facts and all that happened.

    A .json file comes into an empty database with `ketnap import all`; an .xlsx file is for people. The file holds
    personal data in plain words: keep it as the dossiers are kept. Passwords and tokens are not in it.

    Example: ketnap export --out ketnap-2026.json --as bithu
    """
    from cli.identity import acting
    from engine.core.errors import BadInput

    session: Session = ctx.obj
    if out.suffix.lower() not in (".json", ".xlsx"):
        raise BadInput("{file}: an export is a .json or an .xlsx file", file=str(out))
    if out.exists():
        raise BadInput("{file} is there already", file=str(out))
    service = session.service
    document = service.past.export(acting(session, service, as_, token))
    if out.suffix.lower() == ".xlsx":
        from reports.exported import export_workbook

        with service.work() as work:
            definitions = work.library.all_newest()
        data = export_workbook(document, definitions, session.teller)
    else:
        data = json.dumps(document, ensure_ascii=False, indent=1).encode()
    with out.open("xb") as file:
        out.chmod(0o600)
        file.write(data)
    counts = {k: len(document[k]) for k in ("orgs", "officers", "terms", "subjects")}
    session.write(
        {"file": str(out), **counts},
        lambda console: console.print(
            session.say(
                "{file}: {orgs} organisations, {officers} officers, {subjects} subjects. It holds personal data.",
                file=str(out),
                **counts,
            )
        ),
    )


def import_all(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `ketnap export` wrote, .json.")],
) -> None:
    """Take an export into an empty database, all of it or nothing. What happened comes as history, with its days.

    When each thing was recorded there is kept, so that reports mark the same entries as late. That is the word of the
    file and proves nothing: keep the trail of the database it comes from (`ketnap audit export`).

    Officers come without passwords and tokens: give them new ones with `ketnap user`.

    Example: ketnap import all ketnap-2026.json
    """
    from engine.core.errors import FileRefused

    session: Session = ctx.obj
    try:
        document: Any = json.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise FileRefused("this is no JSON file: {why}", file=str(file), line=1, why=str(error)[:200]) from None
    counts = session.service.past.restore(document)
    session.write(
        dict(counts),
        lambda console: console.print(
            session.say("Brought in: {orgs} organisations, {officers} officers, {subjects} subjects.", **counts)
        ),
    )
