"""The door to lists of subjects as one officer may see them, a page at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from engine import scope
from engine.core import events
from engine.core.errors import BadInput, NotFound
from engine.core.views import read_facts
from engine.doors import OpenWork
from engine.doors.access import Access
from engine.steps import By
from engine.work import Case, Work

MOST = 500  # subjects on a page
LOOKED = 2_000  # rows that are looked through for one page


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A page: subjects by id, and after which id the next page begins, None at the end."""

    cases: list[Case]
    after: str | None


class Catalogue:
    """Subjects, listed."""

    def __init__(self, open_work: OpenWork, access: Access) -> None:
        self._work, self._access = open_work, access

    def page(
        self,
        workflow: str,
        by: By,
        *,
        org: str | None = None,
        states: Collection[str] = (),
        facts: Mapping[str, object] | None = None,
        after: str = "",
        limit: int = 50,
    ) -> Listed:
        """Returns a page of the subjects that the officer reads: of a unit and those below it, in these states, with
        these facts. Raises BadInput, and NotFound for a unit that the officer does not read."""
        limit = max(1, min(limit, MOST))
        with self._work() as work:
            definition = work.library.newest(workflow)
            for name in [*(n for n in facts or {} if n not in definition.types)]:
                raise BadInput("{fact} is not a fact of {workflow}", fact=name, workflow=workflow)
            for state in [*(s for s in states if s not in definition.file.states)]:
                raise BadInput("{state} is no state of {workflow}", state=state, workflow=workflow)
            wanted = read_facts(definition, facts, work.calendar) if facts else {}
            units = scope.units(work.office, work.library.area, by)
            if org is not None and org not in units:
                raise NotFound("there is no organisation {org}", org=org)
            named = org is None and scope.named(work, definition, units)
            orgs = None if named else (units if org is None else frozenset(work.office.tree.below(org)) & units)
            found: list[Case] = []
            last, looked, more = after, 0, True
            while len(found) < limit and looked < LOOKED and more:
                rows = work.tx.find_subjects(
                    workflow=workflow, orgs=orgs, states=states or None, after=last, limit=limit + 1
                )
                more = len(rows) > limit
                for case in work.adopt(rows[:limit]):
                    last, looked = case.subject.id, looked + 1
                    if _shown(work, case, by) and all(case.subject.facts.get(n) == v for n, v in wanted.items()):
                        found.append(case)
                    if len(found) == limit:
                        more = more or case.subject.id != rows[min(limit, len(rows)) - 1].id
                        break
        if found:
            self._access.listed("subjects", len(found), by, workflow=workflow, unit=org)
        return Listed(cases=found, after=last if more else None)


def _shown(work: Work, case: Case, by: By) -> bool:
    return case.subject.state != events.VOID and scope.reads(work, case, by)
