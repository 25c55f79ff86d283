"""`import`: organisations, officers and people from lists as offices keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.decision_lists import import_decisions
from cli.options import As, On, Token
from cli.session import Session

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console

    from engine.core.authority import Office
    from engine.importing import Imported, Plan
    from engine.likeness import Alike
    from engine.service import Service
    from engine.steps import By
    from engine.work import Case
    from reports.people import ImportPlan, PersonRow, Reading
    from reports.profiles import Profile
    from reports.remarks import Remark
    from reports.tables import TableReading

FileArg = Annotated[Path, typer.Argument(metavar="FILE", help="The list, .xlsx or .csv.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")]
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
    ctx: typer.Context, file: FileArg, dry_run: DryRun = False, as_: As = None, token: Token = None
) -> None:
    """Found or change organisations. Columns: id, kind, name, parent; if wanted from, until, merged_into, decision.

    A unit that was renamed or moved has a row for each period.

    Example: ketnap import orgs to-chuc.csv
    """
    from engine import importing
    from reports.organisations import org_changes
    from reports.sheets import open_sheets
    from reports.tables import read_table

    session: Session = ctx.obj
    sheets = open_sheets(file)
    service, by = begin(session, as_, token, dry_run=dry_run, founding=True)
    with service.work() as work:
        area, tree, today = work.library.area.file, work.office.tree, work.today
    known = {"kind": set(area.kinds), "parent": set(tree.by_id), "merged_into": set(tree.by_id)}
    reading = read_table(sheets, profile_of(session, area.area, "orgs"), file=str(file), today=today, known=known)
    done = importing.Imported()
    if not reading.rejected:
        done = importing.import_orgs(service, org_changes(reading.rows), by, account=session.account, rehearse=dry_run)
    finish(session, reading, done, dry_run=dry_run)


def import_officers(
    ctx: typer.Context, file: FileArg, dry_run: DryRun = False, as_: As = None, token: Token = None
) -> None:
    """Add or change officers. Columns: id, name, org, roles (separated by spaces), email, phone.

    Example: ketnap import officers can-bo.csv
    """
    from engine import importing
    from engine.officework import OfficerChange
    from reports.sheets import open_sheets
    from reports.tables import read_table

    session: Session = ctx.obj
    sheets = open_sheets(file)
    service, by = begin(session, as_, token, dry_run=dry_run, founding=True)
    with service.work() as work:
        area, tree, today = work.library.area.file, work.office.tree, work.today
    known = {"org": set(tree.by_id), "roles": set(area.roles)}
    reading = read_table(sheets, profile_of(session, area.area, "officers"), file=str(file), today=today, known=known)
    rows = [
        (
            r,
            OfficerChange(
                id=f["id"],
                name=f.get("name"),
                org=f.get("org"),
                roles=f.get("roles", "").split(),
                email=f.get("email"),
                phone=f.get("phone"),
            ),
        )
        for r in reading.rows
        if (f := r.fields)
    ]
    done = importing.Imported()
    if not reading.rejected:
        done = importing.import_officers(service, rows, by, account=session.account, rehearse=dry_run)
    finish(session, reading, done, dry_run=dry_run)
    warn_locked_out(session)


def import_terms(
    ctx: typer.Context, file: FileArg, dry_run: DryRun = False, as_: As = None, token: Token = None
) -> None:
    """Say who held which role where, from when to when. Columns: officer, role, org, from, until.

    Example: ketnap import terms nhiem-ky.csv --as quan-tri
    """
    from engine import importing
    from engine.officework import Term
    from reports.sheets import open_sheets
    from reports.tables import read_table

    session: Session = ctx.obj
    sheets = open_sheets(file)
    service, by = begin(session, as_, token, dry_run=dry_run, founding=True)
    with service.work() as work:
        area, today = work.library.area.file, work.today
        known = {"officer": set(work.office.officers), "org": set(work.office.tree.by_id), "role": set(area.roles)}
    reading = read_table(sheets, profile_of(session, area.area, "terms"), file=str(file), today=today, known=known)
    rows = [(r, Term(officer=f["officer"], role=f["role"], org=f["org"], from_=_day(f.get("from")),
                     until=_day(f.get("until")))) for r in reading.rows if (f := r.fields)]  # fmt: skip
    done = importing.Imported()
    if not reading.rejected:
        done = importing.import_terms(service, rows, by, account=session.account, rehearse=dry_run)
    finish(session, reading, done, dry_run=dry_run)


def _day(text: str | None) -> date | None:
    from datetime import date

    return None if text is None else date.fromisoformat(text)


def warn_locked_out(session: Session) -> None:
    """Says so when there are officers, but none who may add others."""
    from engine.officework import nobody_may

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
    file: FileArg,
    dry_run: DryRun = False,
    on: On = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Bring in people from a list as offices keep it: title rows, two-row headings, group rows, signatures.

    Each comes under the branch that the row or the group names. The same list again changes nothing. With --on a list
    of years ago counts from its own day, so that steps taken since can be entered with theirs.

    Example: ketnap import candidates danh-sach.xlsx --as lan --dry-run
    """
    from cli.inputs import read_day
    from engine import importing
    from reports.lists import read_people
    from reports.sheets import open_sheets

    session: Session = ctx.obj
    sheets = open_sheets(file)
    service, by = begin(session, as_, token, dry_run=dry_run, founding=False)
    with service.work() as work:
        area, office, today = work.library.area, work.office, work.today
        units = work.library.newest(PEOPLE).kinds - area.above
    branches, organisations, own = reach(office, by.officer or "", units)
    reading = read_people(
        sheets,
        profile_of(session, area.file.area, "candidates"),
        file=str(file),
        today=today,
        branches=branches,
        organisations=organisations,
        own=own,
    )
    planner = _Planner(reading, read_day("on", on))
    done = importing.import_subjects(
        service, PEOPLE, sorted(branches), planner, by, account=session.account, rehearse=dry_run
    )
    finish(session, planner.plan or reading, done, dry_run=dry_run, read=reading.read)


def begin(session: Session, as_: str | None, token: str | None, *, dry_run: bool, founding: bool) -> tuple[Service, By]:
    """Returns the door and who acts."""
    from cli.identity import acting

    service = session.service if dry_run else session.changing()
    return service, acting(session, service, as_, token, founding=founding)


def profile_of(session: Session, area: str, name: str) -> Profile:
    """Returns how a kind of list is read, from the area's folder."""
    from cli.bootstrap import workflow_folder
    from reports.profiles import load_profile

    path = workflow_folder(session.settings, area) / "imports" / f"{name}.yaml"
    profile = load_profile(path.read_text(encoding="utf-8"), path.name)
    return profile.over(profile_of(session, area, profile.extends)) if profile.extends else profile


def reach(
    office: Office, officer: str, kinds: frozenset[str], *, closed: bool = False
) -> tuple[dict[str, str], dict[str, str], str | None]:
    """Returns the units that an officer's list may name (id to name), those that may have introduced somebody, and the
    unit of rows that name none.

    Units are of `kinds`, at or below the officer's organisation. Introducers are those below too, and the
    organisations above with what stands directly under them, such as the town's unions. `closed`: also those that stand
    no more.
    """
    person = office.officers.get(officer)
    home = office.tree.by_id.get(person.org) if person is not None else None
    if home is None:
        return {}, {}, None
    names = {id_: o.name for id_, o in office.tree.by_id.items() if closed or o.period.holds(office.day)}
    below = office.tree.below(office.root(home))
    branches = {i: names[i] for i in below if i in names and office.tree.by_id[i].kind in kinds}
    near = [
        *below,
        *(o for up in office.tree.path(home.id)[1:] for o in (up, *(c.id for c in office.tree.children(up)))),
    ]
    return branches, {i: names[i] for i in near if i in names}, home.id if home.id in branches else None


class _Planner:
    """Compares what was read with who is there, inside the transaction that writes."""

    def __init__(self, reading: Reading, on: date | None) -> None:
        self.reading, self.on = reading, on
        self.plan: ImportPlan | None = None

    def __call__(self, cases: Sequence[Case]) -> Plan:
        from engine.core.commands import SetFacts, Start
        from engine.importing import Plan
        from reports.people import Existing, plan_import

        there = [Existing(id=c.subject.id, org_id=c.subject.org, facts=c.subject.facts) for c in cases]
        plan = self.plan = plan_import(self.reading, there)
        return Plan(
            starts=[(c.row, Start(workflow=PEOPLE, org=c.row.org_id, facts=c.facts, on=self.on)) for c in plan.creates],
            sets=[(c.row, SetFacts(subject=c.id or "", facts=c.facts)) for c in plan.updates],
            unchanged=len(plan.unchanged),
            rejected=bool(plan.rejected),
        )


def finish(
    session: Session,
    reading: TableReading | Reading | ImportPlan,
    done: Imported,
    *,
    dry_run: bool,
    read: int | None = None,
) -> None:
    """Prints what a list did; one with a rejected row ends with exit code 2."""
    rejected = [_remark(session, r) for r in reading.rejected]
    rejected += [_refused(session, r.row, r.error) for r in done.refused]
    document: dict[str, Any] = {
        "read": read if read is not None else getattr(reading, "read", 0),
        "created": done.created,
        "updated": done.updated,
        "unchanged": done.unchanged,
        "rejected": rejected,
        "warnings": [_remark(session, w) for w in reading.warnings],
        "dry_run": dry_run,
        "ids": done.ids if not dry_run else [],
        "similar": [_similar(session, row, other) for row, other in done.similar],
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


def _similar(session: Session, row: PersonRow, other: Alike) -> dict[str, Any]:
    return {"sheet": row.sheet, "row": row.row, **session.teller.alike(other)}


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
            show_alike(session, console, one, place=f"{one['sheet']} {one['row']}: ")
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
