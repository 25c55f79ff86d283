"""`import`: organisations, officers and people from lists as offices keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.decision_lists import import_decisions
from cli.options import As, ListFiles, On, Token
from cli.session import Session

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console

    from engine.importing import Imported
    from engine.likeness import Alike
    from engine.service import Service
    from engine.steps import By
    from reports.incoming import Incoming
    from reports.people import ImportPlan, PersonRow, Reading
    from reports.profiles import Profile
    from reports.remarks import Remark
    from reports.sheets import Sheet
    from reports.tables import TableReading

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")]
NAMED = 50  # rows of those here already that are named; the document for programs names all
PEOPLE = "candidate"  # the workflow that a list of people begins


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    from cli import moving, past  # it takes from here how lists are read

    group = typer.Typer(no_args_is_help=True, help="Bring in lists: all of a list, or nothing.", rich_markup_mode=None)
    group.command("orgs")(import_orgs)
    group.command("officers")(import_officers)
    group.command("terms")(import_terms)
    group.command("decisions")(import_decisions)
    group.command("candidates")(import_candidates)
    past.add(group)
    moving.add(group)
    app.add_typer(group, name="import")


def import_orgs(
    ctx: typer.Context, files: ListFiles, dry_run: DryRun = False, as_: As = None, token: Token = None
) -> None:
    """Found or change organisations. Columns: id, kind, name, parent; if wanted from, until, merged_into, decision.

    A unit that was renamed or moved has a row for each period.

    Example: ketnap import orgs to-chuc.csv
    """
    session: Session = ctx.obj
    bring(session, "orgs", files, as_, token, dry_run=dry_run, founding=True)


def import_officers(
    ctx: typer.Context, files: ListFiles, dry_run: DryRun = False, as_: As = None, token: Token = None
) -> None:
    """Add or change officers. Columns: id, name, org, roles (separated by spaces), email, phone.

    Example: ketnap import officers can-bo.csv
    """
    session: Session = ctx.obj
    bring(session, "officers", files, as_, token, dry_run=dry_run, founding=True)
    warn_locked_out(session)


def import_terms(
    ctx: typer.Context, files: ListFiles, dry_run: DryRun = False, as_: As = None, token: Token = None
) -> None:
    """Say who held which role where, from when to when. Columns: officer, role, org, from, until.

    Example: ketnap import terms nhiem-ky.csv --as quan-tri
    """
    session: Session = ctx.obj
    bring(session, "terms", files, as_, token, dry_run=dry_run, founding=True)


def warn_locked_out(session: Session) -> None:
    """Says so when there are officers, but none who may add others."""
    from engine.permits import nobody_may

    with session.service.work() as work:
        roles = nobody_may(work, "officers") if work.office.officers else ()
    if roles:
        session.note(
            session.say(
                "Nobody here may add officers or organisations from now on; give somebody the role that may: {roles}",
                roles=", ".join(roles),
            )
        )


def import_candidates(
    ctx: typer.Context,
    files: ListFiles,
    dry_run: DryRun = False,
    on: On = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Bring in people from a list as offices keep it: title rows, two-row headings, group rows, signatures.

    Each comes under the branch that the row or the group names. The same list again changes nothing. With --on a list
    of years ago counts from its own day, so that steps taken since can be entered with theirs.

    The lists of many units come in together: whoever stands in two of them, or is here already, is named with file and
    row.

    Examples: ketnap import candidates danh-sach.xlsx --as lan --dry-run
              ketnap import candidates xa1.xlsx xa2.xlsx xa3.xlsx --as minh --dry-run
    """
    from cli.inputs import read_day

    session: Session = ctx.obj
    bring(session, "candidates", files, as_, token, dry_run=dry_run, founding=False, on=read_day("on", on))


def bring(
    session: Session,
    kind: str,
    files: Sequence[Path],
    as_: str | None,
    token: str | None,
    *,
    dry_run: bool,
    founding: bool,
    on: date | None = None,
) -> None:
    """Reads the lists of a kind and takes them in together, or only tries to; prints what it did."""
    from reports.incoming import KINDS, Errand

    name, sheets = open_lists(files)
    service, by = begin(session, as_, token, dry_run=dry_run, founding=founding)
    with service.work() as work:
        area = work.library.area.file.area
    errand = Errand(
        service=service,
        by=by,
        profile=profile_of(session, area, kind),
        sheets=sheets,
        file=name,
        account=session.account,
        rehearse=dry_run,
        on=on,
    )
    incoming = KINDS[kind].bring(errand)
    finish(session, incoming, incoming.done, dry_run=dry_run)


def open_lists(files: Sequence[Path]) -> tuple[str, list[Sheet]]:
    """Returns what one or more files are called in an error about all, and their sheets. Raises BadInput."""
    from reports.sheets import open_sheets, together

    if len(files) == 1:
        return str(files[0]), open_sheets(files[0])
    alike = {f.name for f in files if sum(other.name == f.name for other in files) > 1}
    named = [(str(f) if f.name in alike else f.name, open_sheets(f)) for f in files]
    return ", ".join(name for name, _ in named), together(named)


def begin(session: Session, as_: str | None, token: str | None, *, dry_run: bool, founding: bool) -> tuple[Service, By]:
    """Returns the door and who acts."""
    from cli.identity import acting

    service = session.service if dry_run else session.changing()
    return service, acting(session, service, as_, token, founding=founding)


def profile_of(session: Session, area: str, name: str) -> Profile:
    """Returns how a kind of list is read, from the area's folder."""
    from cli.bootstrap import workflow_folder
    from reports.profiles import profile_in

    return profile_in(workflow_folder(session.settings, area) / "imports", name)


def finish(
    session: Session,
    reading: TableReading | Reading | ImportPlan | Incoming,
    done: Imported,
    *,
    dry_run: bool,
    read: int | None = None,
) -> None:
    """Prints what a list did; one with a rejected row ends with exit code 2."""
    from reports.incoming import Incoming

    rejected = [_remark(session, r) for r in reading.rejected]
    rejected += [_refused(session, r.row, r.error) for r in done.refused]
    made = dict(zip(done.ids, (row for row, outcome in done.rows if outcome == "created"), strict=False))
    known = reading.rows if isinstance(reading, Incoming) else ()
    document: dict[str, Any] = {
        "read": read if read is not None else getattr(reading, "read", 0),
        "created": done.created,
        "updated": done.updated,
        "unchanged": done.unchanged,
        "rejected": rejected,
        "warnings": [_remark(session, w) for w in reading.warnings],
        "dry_run": dry_run,
        "ids": done.ids if not dry_run else [],
        "similar": [_similar(session, row, other, made.get(other.subject)) for row, other in done.similar],
        "known": [
            {"sheet": sheet, "row": row, "name": name, "changed": outcome == "updated"}
            for sheet, row, name, outcome in known
            if outcome != "created"
        ],
    }
    session.write(document, lambda console: _show(session, console, document))
    if rejected:
        raise typer.Exit(2)


def _remark(session: Session, remark: Remark) -> dict[str, Any]:
    from web.words import fill

    return {
        "sheet": remark.sheet,
        "row": remark.row,
        "column": remark.column,
        "heading": remark.heading,
        "message": fill(remark.message, remark.params, session.translate),
        "times": remark.times,
    }


def _similar(session: Session, row: PersonRow, other: Alike, twin: PersonRow | None) -> dict[str, Any]:
    """Returns who may be the same as a row; `twin` is the row of the same lists that the other one comes from."""
    found = {"sheet": row.sheet, "row": row.row, **session.teller.alike(other)}
    return found if twin is None else {**found, "of_row": {"sheet": twin.sheet, "row": twin.row}}


def _refused(session: Session, row: PersonRow, error: Any) -> dict[str, Any]:
    from web.words import error_text

    message = error_text(error, session.lang)
    return {"sheet": row.sheet, "row": row.row, "column": "", "heading": "", "message": message, "times": 1}


def _show(session: Session, console: Console, document: Mapping[str, Any]) -> None:
    from rich.table import Table

    for title, remarks in (("Rejected", document["rejected"]), ("Warnings", document["warnings"])):
        if not remarks:
            continue
        table = Table(
            session.say("Sheet"), session.say("Cell"), session.say("Heading"), session.say("Remark"),
            title=f"{session.say(title)}: {len(remarks)}",
        )  # fmt: skip
        for r in remarks:
            more = session.say(" (and {n} more rows)", n=r["times"] - 1) if r["times"] > 1 else ""
            table.add_row(r["sheet"], f"{r['column']}{r['row']}", r["heading"], r["message"] + more)
        console.print(table)
    if document["similar"]:
        from cli.similar import show_alike

        console.print(session.say("Who may be entered twice; look before the list comes in:"))
        for one in document["similar"]:
            twin = one.get("of_row")
            shown = one if twin is None else {**one, "subject": session.say("{sheet}, row {row}", **twin)}
            show_alike(session, console, shown, place=f"{one['sheet']} {one['row']}: ")
    if document["dry_run"] and document["known"]:
        _show_known(session, console, document["known"])
    counts = session.say(
        "Read: {read}. New: {created}. Changed: {updated}. As they were: {unchanged}. Rejected: {rejected}.",
        **{k: document[k] for k in ("read", "created", "updated", "unchanged")},
        rejected=len(document["rejected"]),
    )
    console.print(counts)
    if document["rejected"]:
        console.print(session.say("Nothing was changed: a list comes in whole or not at all."))
    elif document["dry_run"]:
        console.print(session.say("Only tried: nothing was changed."))


def _show_known(session: Session, console: Console, known: Sequence[Mapping[str, Any]]) -> None:
    """Names the rows of those who are here already."""
    console.print(session.say("Here already: {n}", n=len(known)))
    for one in known[:NAMED]:
        place = session.say("{sheet}, row {row}", sheet=one["sheet"], row=one["row"])
        said = session.say("changed") if one["changed"] else session.say("as it was")
        console.print(f"  - {place}: {one['name']} ({said})", soft_wrap=True)
    if len(known) > NAMED:
        console.print("  - " + session.say("and {n} more", n=len(known) - NAMED))
