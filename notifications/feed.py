"""An officer's calendar: all due dates of which they would be told, as a feed that calendar programs subscribe to.

Such a program often runs at a stranger's, so the feed names units and procedures, never a person; the link leads on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime

from engine import feeds
from engine.core.authority import Officer
from engine.core.events import unstamp
from engine.core.machine import Told
from engine.core.timers import NOTICE
from engine.service import Service
from engine.telling import people_of
from engine.work import CACHE, Case, Work
from notifications.channels import ics
from notifications.channels.ics import CalendarEvent
from notifications.plan import recipients

_AT_ONCE = 500  # subjects read together


def feed(service: Service, token: str, *, lang: str = "vi", link_base: str = "") -> str:
    """Returns the feed (RFC 5545) that a secret opens. Raises NotFound for a secret that opens none."""
    with service.work() as work:
        officer = feeds.owner(work, token)
        area = work.library.area
        found = list(_events(work, officer, lang, link_base.rstrip("/")))
        return ics.feed(found, name=area.file.title.of(lang), zone=area.file.calendar.zone)


def _events(work: Work, officer: Officer, lang: str, link_base: str) -> Iterator[CalendarEvent]:
    ids = list(work.tx.pending_subjects())
    changes = int(work.tx.setting(CACHE) or "0")
    mine: dict[tuple[str, ...], bool] = {}
    for first in range(0, len(ids), _AT_ONCE):
        some = ids[first : first + _AT_ONCE]
        work.fetch(some)
        planned: dict[tuple[str, str], datetime] = {}
        for timer in work.tx.timers(some):
            if timer.kind == NOTICE:
                key = (timer.subject, timer.name)
                planned[key] = max(planned.get(key, unstamp(timer.planned_at)), unstamp(timer.planned_at))
        for id in some:
            case = work.case(id)
            for told, due in _due(work, case, officer, mine):
                at = planned.get((id, told.rule), work.now)
                yield _event(case, told, due, at, changes, lang, link_base, work)


def _due(work: Work, case: Case, officer: Officer, mine: dict[tuple[str, ...], bool]) -> Iterator[tuple[Told, date]]:
    """Yields the subject's coming due dates of which the officer would be told, each date's first rule."""
    view = None
    seen: set[str] = set()
    for told in case.definition.notices:
        if told.due is None or str(told.spec.due) in seen:
            continue
        facts = case.subject.facts
        looked = tuple(str(facts.get(r.of)) for r in told.spec.to if r.of is not None)
        key = (case.definition.id, told.rule, case.subject.org, *looked)
        if key not in mine:
            people = people_of(work, case, told, facts)
            named = recipients(case.definition.area, told, case.subject.org, work.office, facts, people)
            mine[key] = any(officer.id in (a.officer, a.behalf) for a in named)
        if not mine[key]:
            continue
        view = work.view(case) if view is None else view
        if work.kit.notifier.holds(told, case.subject.state, view, work.calendar, work.today) is not None:
            continue
        due = told.due.evaluate(dict(view), work.calendar)
        if isinstance(due, date) and due >= work.today:
            seen.add(str(told.spec.due))
            yield told, due


def _event(
    case: Case, told: Told, due: date, at: datetime, changes: int, lang: str, link_base: str, work: Work
) -> CalendarEvent:
    unit = work.office.tree.by_id.get(case.subject.org)
    about = hashlib.sha256(str(told.spec.due).encode()).hexdigest()[:12]
    return CalendarEvent(
        uid=f"{case.subject.id}.{about}@ketnap",
        first_day=due,
        last_day=due,
        summary=f"{told.spec.label.of(lang)}: {unit.name if unit else case.subject.org}",
        description=case.definition.file.title.of(lang),
        url=f"{link_base}/subjects/{case.subject.id}" if link_base else "",
        sequence=case.subject.version + changes,  # neither ever falls, and a date changes with one of them
        changed_at=at,
    )
