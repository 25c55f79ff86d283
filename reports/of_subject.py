"""The one subject that a report is about: what it is called, whom its maps name, and its facts on the report's day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from engine import scope
from engine.core.errors import BadInput, NotFound
from engine.core.events import VOID
from engine.service import Service
from engine.steps import By
from engine.work import Case, Work
from reports.counting import Counter
from reports.document import Value
from reports.layout_check import Layout
from reports.layouts import LayoutFile
from reports.showing import Shower

OFFERED = 300  # subjects from which one is chosen, the latest


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A subject as it stood on a report's day. `org` is the unit it then belonged to."""

    id: str
    org: str
    view: Mapping[str, Any]
    shower: Shower

    @property
    def title(self) -> str:
        """What it is called: its title, else its id."""
        fact = self.shower.definition.file.title_fact
        known = self.view.get(fact) if fact is not None else None
        return self.id if known is None else str(known)

    @cached_property
    def texts(self) -> dict[str, str]:
        """Its facts as a paragraph shows them, dots for what is not known."""
        return {n: str(self.shower.fact(n, self.view.get(n))) for n in self.shower.definition.types}

    def names(self, fact: str, only: list[str]) -> frozenset[str]:
        """Returns the subjects that a map fact names, or those with one of some values there."""
        named = self.view.get(fact)
        return (
            frozenset(k for k, v in named.items() if not only or v in only) if isinstance(named, dict) else frozenset()
        )

    def entry(self, fact: str, subject: str) -> Value:
        """Returns what a map fact holds for a subject: a number or a day, else as people read it."""
        named = self.view.get(fact)
        value = named.get(subject) if isinstance(named, dict) else None
        if value is None:
            return None
        if isinstance(value, int | Decimal | date) and not isinstance(value, bool):
            return value
        return self.shower.fact(fact, {subject: value}).entry(subject).text


def subject_of(
    work: Work, layout: Layout, counter: Counter, id: str | None, reader: str | None, lang: str
) -> Subject | None:
    """Returns the subject that a report is asked of, None where it is asked of none.

    Raises BadInput where the report is made of no subject, needs one, or the subject began later; NotFound for one
    that is not there or that the reader may not see.
    """
    file = layout.file
    if id is None:
        if needed(file):
            raise BadInput("the report {report} is made of one subject of {workflow}; name it", report=file.report,
                           workflow=file.subject.workflow if file.subject else "")  # fmt: skip
        return None
    definition = layout.about
    if definition is None:
        raise BadInput("the report {report} is not made of one subject", report=file.report)
    case = work.case(id)
    by = By(officer=reader)
    if case.subject.state == VOID or (reader is not None and not scope.reads(work, case, by)):
        raise NotFound("there is no subject {subject}", subject=id)
    if case.subject.workflow != definition.workflow:
        raise BadInput("the report {report} is made of subjects of {workflow}; {subject} is of {of}",
                       report=file.report, workflow=definition.workflow, subject=id,
                       of=case.subject.workflow)  # fmt: skip
    track = counter.tracks(definition.workflow).get(id)
    if track is None:
        raise BadInput("{subject} had not begun on {day}", subject=id, day=counter.last.isoformat())
    return Subject(
        id=id,
        org=track.org,
        view=counter.book(definition).view(id),
        shower=Shower(definition=definition, lang=lang, zone=work.calendar.zone, names=_names(work)),
    )


def _names(work: Work) -> Any:
    def name(kind: str, id: str) -> str:
        org = work.office.tree.by_id.get(id) if kind == "org" else None
        return org.name if org is not None else id

    return name


def needed(file: LayoutFile) -> bool:
    """Tells whether a report can only be made of one subject."""
    return file.subject is not None and all(section.of_subject for section in file.sections)


def choices(service: Service, workflow: str, by: By) -> list[tuple[str, str]]:
    """Returns the latest subjects of a workflow that an officer reads, the latest first: id, and what it is called."""
    with service.work() as work:
        if workflow not in work.library.workflows:
            return []
        orgs = sorted(scope.units(work.office, work.library.area, by))
        rows = [r for r in work.tx.find_subjects(workflow=workflow, orgs=orgs) if r.state != VOID]
        rows.sort(key=lambda r: (r.started_on, r.id), reverse=True)
        found = [c for c in work.adopt(rows[:OFFERED]) if scope.reads(work, c, by)]
        return [(c.subject.id, _called(c)) for c in found]


def _called(case: Case) -> str:
    fact = case.definition.file.title_fact
    title = case.subject.facts.get(fact) if fact is not None else None
    return case.subject.id if title is None else f"{title} ({case.subject.id})"
