"""`form`: forms filled from what is known, into Word and PDF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.options import As, Subject, Token
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from engine.work import Work
    from reports.forms import ReadyForm


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(no_args_is_help=True, help="Forms filled from what is known.", rich_markup_mode=None)
    group.command("list")(list_)
    group.command("fill")(fill)
    app.add_typer(group, name="form")


def ready_forms(session: Session, work: Work) -> dict[str, ReadyForm]:
    """Returns the forms beside the workflows, with the office's own Word files laid over them. Raises FindingsError."""
    from cli.bootstrap import forms_folder, workflow_folder
    from reports.forms import find_forms, load_forms

    path = find_forms(workflow_folder(session.settings, work.library.area.file.area))
    return (
        {} if path is None else load_forms(path, work.library.all_newest(), forms_folder(session.settings), loaded=True)
    )


def list_(ctx: typer.Context) -> None:
    """Which forms there are, what each is about, and the document it follows.

    Example: ketnap form list
    """
    session: Session = ctx.obj
    with session.service.work() as work:
        forms = ready_forms(session, work)
    document = [
        {
            "form": f.id,
            "title": f.spec.title.of(session.lang),
            "of": f.spec.of,
            "follows": f.spec.follows,
            "file": str(f.path),
        }
        for f in forms.values()
    ]

    def show(console: Console) -> None:
        for form in document:
            console.print(f"{form['form']}: {form['title']} ({form['of']}; {form['follows']})")

    session.write(document, show)


def fill(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="FORM", help="The form, one of `ketnap form list`.")],
    subject: Subject,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where it goes, else FORM-SUBJECT.docx.")
    ] = None,
    format_: Annotated[Literal["docx", "pdf"], typer.Option("--format", help="Word or PDF.")] = "docx",
    missing: Annotated[
        bool, typer.Option("--missing", help="Only list what is not known yet; exit code 1 when there is any.")
    ] = False,
    as_: As = None,
    token: Token = None,
) -> None:
    """Fill a form from what is known of a subject. What is not known stays dots, and is listed.

    Examples: ketnap form fill application candidate-1 --as lan --missing
              ketnap form fill application candidate-1 --as lan --format pdf
    """
    from cli.identity import acting
    from reports.filling import hand_out
    from reports.forms import form_named

    session: Session = ctx.obj
    service = session.changing()
    by = acting(session, service, as_, token)
    service.access.opened(subject, "form", by)
    note = session.say("SANDBOX: made for trying out, no real document") if session.opened.sandbox else None
    with service.work() as work:
        form = form_named(ready_forms(session, work), name)
    filled = hand_out(service, form, subject, by, session.settings.letter, session.lang, note, only_asked=missing)
    document: dict[str, Any] = {
        "form": name,
        "subject": subject,
        "missing": [{"place": g.place, "label": session.translate(g.label), "row": g.row} for g in filled.missing],
        "file": None,
    }
    if not missing:
        service.access.exported("form", 1, by, form=name, subject=subject)
        path = out or Path(f"{name}-{subject}.{format_}")
        path.write_bytes(filled.pdf() if format_ == "pdf" else filled.content)
        document["file"] = str(path)
    session.write(document, lambda console: _show(session, console, document))
    if missing and filled.missing:
        raise typer.Exit(1)


def _show(session: Session, console: Console, document: Mapping[str, Any]) -> None:
    if document["missing"]:
        console.print(session.say("Not known yet:"))
        for gap in document["missing"]:
            console.print(f"  - {gap['label']}" + (f" ({gap['row']})" if gap["row"] else ""))
    if document["file"] is not None:
        console.print(session.say("Written: {file}", file=document["file"]))
    elif not document["missing"]:
        console.print(session.say("Everything the form asks for is known."))
