"""The door to the organisations: how they stand on a day, how they came to be so, and what changes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from engine import officework, organising, permits, scope
from engine.core import events
from engine.core.authority import Org, Tree
from engine.core.errors import NotFound
from engine.doors import OpenWork
from engine.kit import Kit
from engine.ledger import entries
from engine.officework import Counts, OrgChange, Term
from engine.organising import Split
from engine.permits import permit, permit_at
from engine.places import Waiting, waiting
from engine.rehearsing import writing
from engine.steps import By
from engine.store.rows import OrgRow
from engine.work import Case


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """One change of an organisation: what, from which day, by which decision, and who entered it when."""

    what: str  # founded, changed, merged, split, closed
    rows: Sequence[Mapping[str, object]]
    on: str | None
    decision: str | None
    at: str
    actor: str | None
    event: str


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a unit has: the units directly under it, and its running subjects; `seen` are those the officer reads."""

    under: Sequence[str]
    running: Sequence[Case]
    seen: Collection[str]


class Organisations:
    """The units of the office over time."""

    def __init__(self, open_work: OpenWork, kit: Kit) -> None:
        self._work, self._kit = open_work, kit

    # -- changing; `rehearse`: everything is tried, nothing is written

    def put(self, changes: Iterable[OrgChange], by: By, *, rehearse: bool = False) -> Counts:
        """Founds, renames, moves or merges. Raises BadInput, and Denied where the officer reaches one of them not."""
        changes = list(changes)
        with writing(self._work, self._kit, rehearse=rehearse) as work:
            acting = [permits.permit_org(work, by, change) for change in changes]
            by = next((a for a in acting if a.behalf is not None), by)
            return organising.put_orgs(work, changes, by)

    def close(self, org: str, on: date | None, decision: str | None, by: By, *, rehearse: bool = False) -> None:
        """Closes a unit that has nothing left. Raises BadInput and Denied."""
        with writing(self._work, self._kit, rehearse=rehearse) as work:
            by = permit(work, "organisations", by, org)
            organising.close(work, org, on or work.today, decision, by)

    def split(self, command: Split, by: By, *, rehearse: bool = False) -> Mapping[str, str]:
        """Splits a unit by a list; returns where each subject went. Raises BadInput and Denied."""
        with writing(self._work, self._kit, rehearse=rehearse) as work:
            units = (command.org, *(u for u in command.into if u in work.office.tree.by_id))
            by = permit_at(work, "organisations", by, units)
            return organising.split(work, command, by)

    def appoint(self, terms: Sequence[Term], by: By) -> Counts:
        """Gives officers roles for a time, past or to come. Raises BadInput and Denied."""
        with self._work(write=True) as work:
            by = permit_at(work, "officers", by, [term.org for term in terms])
            return officework.put_terms(work, terms, by)

    def release(self, officer: str, role: str, org: str, last: date | None, by: By) -> date:
        """Ends a role; returns its last day. Raises NotFound and Denied."""
        with self._work(write=True) as work:
            by = permit(work, "officers", by, org)
            officework.end_term(work, officer, role, org, last or work.today, by)
            return last or work.today

    # -- reading

    def on(self, day: date | None = None) -> tuple[date, Tree]:
        """Returns the day and the organisations as they stand then; closed ones, and those to come, are among them."""
        with self._work() as work:
            day = day or work.today
            return day, organising.tree_at(work, day)

    def held(self, org: str, on: date, by: By) -> Held:
        """Returns what a unit has that a merger, a split or its end would touch. Raises NotFound."""
        with self._work() as work:
            if org not in work.office.tree.by_id:
                raise NotFound("there is no organisation {org}", org=org)
            running = organising.running(work, org)
            seen = {c.subject.id for c in running if scope.reads(work, c, by)}
            return Held(under=organising.under(work, org, on), running=running, seen=seen)

    def waiting(self, org: str | None = None, by: By | None = None) -> list[Waiting]:
        """Returns the subjects that wait for the answer of another unit, of all or into and out of one and those below.

        `by`: only those that this officer reads, where they are or where they are to go.

        Raises NotFound.
        """
        with self._work() as work:
            tree = work.office.tree
            if org is not None and org not in tree.by_id:
                raise NotFound("there is no organisation {org}", org=org)
            tops = None if by is None else set(scope.roots(work.office, work.library.area, by))
            found = [(w, {*tree.path(w.org), *tree.path(w.to)}) for w in waiting(work)]
            return [w for w, near in found if (org is None or org in near) and (tops is None or tops & near)]

    def story(self, org: str) -> tuple[list[OrgRow], list[Chapter]]:
        """Returns the periods of an organisation and the changes that made them, oldest first. Raises NotFound."""
        with self._work() as work:
            rows = organising.versions(work, org)
            if not rows:
                raise NotFound("there is no organisation {org}", org=org)
            found = []
            for entry in entries(work.tx.events(kind=events.OFFICE), None, work.kit.sealer):
                what = str(entry.detail.get("what"))
                listed = entry.detail.get("orgs")
                about = (
                    [r for r in listed if isinstance(r, dict) and r["id"] == org] if isinstance(listed, list) else []
                )
                if what.startswith("org_") and (about or entry.org == org):
                    found.append(
                        Chapter(
                            what=what.removeprefix("org_"),
                            rows=about,
                            on=entry.on,
                            decision=_text(entry.detail.get("decision")),
                            at=entry.at,
                            actor=entry.actor,
                            event=entry.id,
                        )
                    )
            return rows, found


def standing(tree: Tree, day: date) -> list[Org]:
    """Returns the organisations that stand on a day, each below the one it stands under."""
    roots = [o for o in tree.by_id.values() if o.parent not in tree.by_id]
    found: list[Org] = []
    waiting = sorted(roots, key=lambda o: o.id, reverse=True)
    while waiting:
        org = waiting.pop()
        if org.period.holds(day):
            found.append(org)
        waiting += sorted(tree.children(org.id), key=lambda o: o.id, reverse=True)
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
