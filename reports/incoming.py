"""Lists that come in: organisations, officers, terms, people; what each row does, tried before it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from engine import importing
from engine.core.authority import Office
from engine.core.commands import SetFacts, Start
from engine.importing import Imported, Plan
from engine.officework import OfficerChange, Term
from engine.service import Service
from engine.steps import By
from engine.work import Case
from reports.lists import read_people
from reports.organisations import org_changes
from reports.people import Existing, ImportPlan, Reading, plan_import
from reports.profiles import Profile
from reports.remarks import Remark
from reports.sheets import Sheet
from reports.tables import TableReading, TableRow, read_table

T = TypeVar("T")
Count = Callable[[int, int], None]  # how many rows are done, of how many


def _uncounted(done: int, all: int) -> None:
    """Counts for nobody."""


@dataclass(frozen=True, kw_only=True)
class Errand:
    """A list with who brings it and how it is read. `rehearse`: everything is tried, nothing is written."""

    service: Service
    by: By
    profile: Profile
    sheets: Sequence[Sheet]
    file: str
    account: str | None = None
    rehearse: bool = True
    on: date | None = None  # the day on which people count from
    count: Count = _uncounted


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """What a list did, or would do. Where a row is rejected or refused, nothing was done at all."""

    read: int
    rejected: Sequence[Remark]
    warnings: Sequence[Remark]
    done: Imported
    rows: Sequence[tuple[str, int, str, str]]  # sheet, row, who or what, outcome: created, updated or unchanged
    names: Mapping[tuple[str, int], str] = field(default_factory=dict)  # by sheet and row, also of rejected ones

    @property
    def stands(self) -> bool:
        """Tells whether all of it may come in."""
        return not self.rejected and not self.done.refused


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of list. `permission` is asked of whoever brings it; '' where each row is asked for."""

    bring: Callable[[Errand], Incoming]
    permission: str = ""


class Counted(Sequence[T]):
    """Rows that tell how many of them were taken."""

    def __init__(self, rows: Sequence[T], count: Count, all: int, before: int) -> None:
        self._rows, self._count, self._all, self._before = rows, count, all, before

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, at: Any) -> Any:
        return self._rows[at]

    def __iter__(self) -> Iterator[T]:
        for n, row in enumerate(self._rows):
            self._count(self._before + n, self._all)
            yield row


# ---- tables ----


def _table(errand: Errand, known: Mapping[str, set[str]]) -> TableReading:
    with errand.service.work() as work:
        today = work.today
    return read_table(errand.sheets, errand.profile, file=errand.file, today=today, known=known)


def _told(errand: Errand, reading: TableReading, done: Imported) -> Incoming:
    last: dict[tuple[str, int], tuple[TableRow, str]] = {}
    order = ("unchanged", "updated", "created")
    for row, outcome in done.rows:  # a row may do two things: what changes more is said
        before = last.get((row.sheet, row.row))
        if before is None or order.index(before[1]) < order.index(outcome):
            last[row.sheet, row.row] = (row, outcome)
    title = errand.profile.required
    rows = [(r.sheet, r.row, r.fields.get("name") or r.fields.get(title, ""), o) for r, o in last.values()]
    return Incoming(read=reading.read, rejected=reading.rejected, warnings=reading.warnings, done=done, rows=rows)


def bring_orgs(errand: Errand) -> Incoming:
    """Takes in a table of organisations. Raises BadInput and Denied."""
    with errand.service.work() as work:
        known = {"kind": set(work.library.area.file.kinds)}
        known |= {name: set(work.office.tree.by_id) for name in ("parent", "merged_into")}
    reading = _table(errand, known)
    done = Imported()
    if not reading.rejected:
        rows = org_changes(reading.rows)
        done = importing.import_orgs(errand.service, rows, errand.by, account=errand.account, rehearse=errand.rehearse)
    return _told(errand, reading, done)


def bring_officers(errand: Errand) -> Incoming:
    """Takes in a table of officers. Raises BadInput and Denied."""
    with errand.service.work() as work:
        known = {"org": set(work.office.tree.by_id), "roles": set(work.library.area.file.roles)}
    reading = _table(errand, known)
    done = Imported()
    if not reading.rejected:
        done = importing.import_officers(
            errand.service,
            [(r, _officer(r.fields)) for r in reading.rows],
            errand.by,
            account=errand.account,
            rehearse=errand.rehearse,
        )
    return _told(errand, reading, done)


def _officer(f: Mapping[str, str]) -> OfficerChange:
    return OfficerChange(
        id=f["id"],
        name=f.get("name"),
        org=f.get("org"),
        roles=f.get("roles", "").split(),
        email=f.get("email"),
        phone=f.get("phone"),
    )


def bring_terms(errand: Errand) -> Incoming:
    """Takes in a table of terms of office. Raises BadInput and Denied."""
    with errand.service.work() as work:
        area, office = work.library.area.file, work.office
        known = {"officer": set(office.officers), "org": set(office.tree.by_id), "role": set(area.roles)}
    reading = _table(errand, known)
    done = Imported()
    if not reading.rejected:
        rows = [(r, _term(r.fields)) for r in reading.rows]
        done = importing.import_terms(errand.service, rows, errand.by, account=errand.account, rehearse=errand.rehearse)
    return _told(errand, reading, done)


def _term(f: Mapping[str, str]) -> Term:
    return Term(
        officer=f["officer"], role=f["role"], org=f["org"], from_=_day(f.get("from")), until=_day(f.get("until"))
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


# ---- people ----


def bring_people(errand: Errand) -> Incoming:
    """Takes in a list of people as offices keep it: each begins the profile's workflow. Raises BadInput and Denied."""
    workflow = errand.profile.workflow
    with errand.service.work() as work:
        area, office, today = work.library.area, work.office, work.today
        units = work.library.newest(workflow).kinds - area.above
    branches, organisations, own = reach(office, errand.by.officer or "", units)
    reading = read_people(
        errand.sheets,
        errand.profile,
        file=errand.file,
        today=today,
        branches=branches,
        organisations=organisations,
        own=own,
        above=units_above(office, branches),
    )
    planner = _Planner(reading, errand)
    done = importing.import_subjects(
        errand.service, workflow, sorted(branches), planner, errand.by, account=errand.account, rehearse=errand.rehearse
    )
    plan = planner.plan or reading
    done_rows = list(done.rows)
    if planner.plan is not None:
        done_rows += [(c.row, "unchanged") for c in planner.plan.unchanged]
        if planner.plan.rejected:  # nothing was tried: the other rows say what they will do in the mended list
            done_rows += [(c.row, "created") for c in planner.plan.creates]
            done_rows += [(c.row, "updated") for c in planner.plan.updates]
    title = errand.profile.required
    rows = [(r.sheet, r.row, str(r.facts.get(title, "")), o) for r, o in done_rows]
    names = {**reading.names, **{(r.sheet, r.row): str(r.facts.get(title, "")) for r in reading.rows}}
    return Incoming(
        read=reading.read, rejected=plan.rejected, warnings=plan.warnings, done=done, rows=rows, names=names
    )


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


def units_above(office: Office, units: Iterable[str]) -> dict[str, str]:
    """Returns the name of the unit above each of these."""
    tree = office.tree.by_id
    return {id_: tree[up].name for id_ in units if (up := tree[id_].parent) in tree}


class _Planner:
    """Compares what was read with who is there, inside the transaction that writes."""

    def __init__(self, reading: Reading, errand: Errand) -> None:
        self.reading, self.errand = reading, errand
        self.plan: ImportPlan | None = None

    def __call__(self, cases: Sequence[Case]) -> Plan:
        there = [Existing(id=c.subject.id, org_id=c.subject.org, facts=c.subject.facts) for c in cases]
        plan = self.plan = plan_import(self.reading, there)
        workflow, on, count = self.errand.profile.workflow, self.errand.on, self.errand.count
        begun = [(c.row, Start(workflow=workflow, org=c.row.org_id, facts=c.facts, on=on)) for c in plan.creates]
        written = [(c.row, SetFacts(subject=c.id or "", facts=c.facts)) for c in plan.updates]
        return Plan(
            starts=Counted(begun, count, len(begun) + len(written), 0),
            sets=Counted(written, count, len(begun) + len(written), len(begun)),
            unchanged=len(plan.unchanged),
            rejected=bool(plan.rejected),
        )


KINDS: Mapping[str, Kind] = {
    "candidates": Kind(bring=bring_people),
    "orgs": Kind(bring=bring_orgs, permission="organisations"),
    "officers": Kind(bring=bring_officers, permission="officers"),
    "terms": Kind(bring=bring_terms, permission="officers"),
}
