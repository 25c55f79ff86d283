"""`import history` and `import start`: who was admitted before the program came, and tables that begin subjects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli.lists import PEOPLE, DryRun, begin, finish, open_lists, profile_of
from cli.options import As, ListFiles, Token
from cli.session import Session

if TYPE_CHECKING:
    from engine.importing import Plan
    from engine.work import Case
    from reports.people import ImportPlan, Reading
    from reports.profiles import Profile


def add(group: typer.Typer) -> None:
    """Adds the commands to `import`."""
    group.command("history")(import_history)
    group.command("start")(import_start)


def import_history(
    ctx: typer.Context,
    files: ListFiles,
    open_: Annotated[
        bool, typer.Option("--open", help="Also open what such a step opens, for those who are still in it.")
    ] = False,
    dry_run: DryRun = False,
    as_: As = None,
    token: Token = None,
) -> None:
    """Bring in those of before the program: who was admitted when. Marked as history; no rule is asked, nobody is told.

    The columns are those of a list of people and the days of their way (Ngày kết nạp, Số quyết định, ...). Reports
    count them by their days. The same list again changes nothing.

    Example: ketnap import history ket-nap-2016-2022.csv --as lan --dry-run
    """
    from engine import importing
    from reports.incoming import reach, units_above
    from reports.lists import read_people

    session: Session = ctx.obj
    name, sheets = open_lists(files)
    service, by = begin(session, as_, token, dry_run=dry_run, founding=False)
    with service.work() as work:
        area, office, today = work.library.area, work.office, work.today
        units = work.library.newest(PEOPLE).kinds
    branches, organisations, own = reach(office, by.officer or "", units, closed=True)
    profile = profile_of(session, area.file.area, "history")
    above = units_above(office, branches)
    reading = read_people(
        sheets, profile, file=name, today=today, branches=branches, organisations=organisations, own=own, above=above
    )
    planner = _HistoryPlanner(reading, profile, opens=open_)
    done = importing.import_subjects(
        service, PEOPLE, sorted(branches), planner, by, account=session.account, rehearse=dry_run
    )
    finish(session, planner.plan or reading, done, dry_run=dry_run, read=reading.read)


class _HistoryPlanner:
    """Compares a list of history with who is there: whoever is on the way is not overwritten by it."""

    def __init__(self, reading: Reading, profile: Profile, *, opens: bool) -> None:
        self.reading, self.profile, self.opens = reading, profile, opens
        self.plan: ImportPlan | None = None

    def __call__(self, cases: Sequence[Case]) -> Plan:
        from engine.core.errors import BadInput
        from engine.importing import Plan, Refusal
        from reports.past import record_of
        from reports.people import Existing, plan_import

        there = [Existing(id=c.subject.id, org_id=c.subject.org, facts=c.subject.facts) for c in cases]
        plan = self.plan = plan_import(self.reading, there)
        ended = {c.subject.id for c in cases if c.subject.state in c.definition.final}
        records, refused = [], []
        for change in plan.creates:
            try:
                record = record_of(change.row, self.profile, PEOPLE, opens=self.opens)
            except BadInput as error:
                refused.append(Refusal(row=change.row, error=error))
            else:
                records.append((change.row, record))
        for change in (*plan.updates, *plan.unchanged):
            if change.id not in ended:
                why = BadInput("{subject} is the same person and still on the way", subject=change.id)
                refused.append(Refusal(row=change.row, error=why))
        return Plan(
            records=records,
            refused=refused,
            unchanged=len(plan.updates) + len(plan.unchanged),
            rejected=bool(plan.rejected),
        )


def import_start(
    ctx: typer.Context,
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="Which workflow begins.")],
    files: ListFiles,
    dry_run: DryRun = False,
    as_: As = None,
    token: Token = None,
) -> None:
    """Begin many subjects of a workflow from a table: a column org, and a column for each fact, by id or label.

    Example: ketnap import start target chi-tieu.csv --as bithu
    """
    from engine import importing
    from engine.core.commands import Start
    from reports.starts import start_profile
    from reports.tables import read_table

    session: Session = ctx.obj
    name, sheets = open_lists(files)
    service, by = begin(session, as_, token, dry_run=dry_run, founding=False)
    with service.work() as work:
        definition, today, tree = work.library.newest(workflow), work.today, work.office.tree
    reading = read_table(sheets, start_profile(definition), file=name, today=today, known={"org": set(tree.by_id)})
    rows = [
        (r, Start(workflow=workflow, org=r.fields["org"], id=r.fields.get("id"),
                  facts={n: v for n, v in r.fields.items() if n not in ("org", "id")}))
        for r in reading.rows
    ]  # fmt: skip
    done = importing.Imported()
    if not reading.rejected:
        done = importing.import_starts(service, rows, by, account=session.account, rehearse=dry_run)
    finish(session, reading, done, dry_run=dry_run)
