"""Reading the trail: what was known at a time, how it stood on a day, what differs, and finding events."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from engine import listing
from engine.core.errors import BadInput, NotFound
from engine.core.events import ERASED, LISTED, OPENED, Entry, Standing, replay, stamp, unstamp
from engine.core.machine import Definition
from engine.core.values import Value
from engine.ledger import entries
from engine.store.rows import HAPPENED, ORIGIN, EventRow, EventSearch
from engine.work import Work

PAGE_LIMIT = 1000  # events on one page
MOST_NAMED = 1000  # subjects that a name may fit
SEEN = frozenset({OPENED, LISTED})  # who looked: not part of what happened to a subject


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is looked for in the trail: events that meet every condition given.

    `unit` takes in all below it; days are the office's, of recording, or (`happened`) of happening; `late_days` finds
    what was recorded at least so many days after it happened, `breached` what went through against a time limit;
    `before` goes on from an earlier page.
    """

    subject: str | None = None
    person: str | None = None  # what people call a subject: words or their beginnings, whatever their accents
    officer: str | None = None
    unit: str | None = None
    rule: str | None = None
    kinds: Sequence[str] = ()
    trigger: str | None = None
    since: date | None = None
    until: date | None = None
    late_days: int | None = None
    happened: bool = False
    breached: bool = False
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, kw_only=True)
class Page:
    """Events found, newest first, without their payloads; `before` leads to the next page, None at the end."""

    entries: Sequence[Entry]
    before: int | None


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What differs in a subject between two times. A fact that was or became unknown is None on that side."""

    definition: Definition
    before: Standing | None
    after: Standing
    facts: Mapping[str, tuple[Value | None, Value | None]]
    between: Sequence[Entry]


# ---- one subject ----


def history(work: Work, subject: str, *, openings: bool = False) -> list[Entry]:
    """Returns the events of a subject, oldest first; who looked at it only when asked for. Raises NotFound."""
    work.case(subject)
    rows = (r for r in work.tx.events(subject=subject) if openings or r.kind not in SEEN)
    return list(entries(rows, work.keys, work.kit.sealer))


def stood(work: Work, subject: str, at: datetime, on: date | None = None) -> tuple[Definition, Standing]:
    """Returns a subject as it was known at a time, and (`on`) as it then was said to have been on a day.

    What was entered by `at` counts, less what was undone by then; of it, what happened by `on`, in the order in which
    it was entered, as everywhere. Raises NotFound when nothing was known.
    """
    case = work.case(subject)
    until = stamp(at)
    standing = _replayed(history(work, subject), case.definition, until, on)
    if standing is None:
        raise NotFound("nothing was known of {subject} at {at}", subject=subject, at=_told(work, at))
    return case.definition, standing


def _told(work: Work, at: datetime) -> str:
    """A time as people of the office read it."""
    return at.astimezone(work.calendar.zone).strftime("%d/%m/%Y %H:%M")


def _replayed(found: Sequence[Entry], definition: Definition, until: str, on: date | None) -> Standing | None:
    known = [e for e in found if e.at <= until]
    if on is not None:
        undone = {e.undoes for e in known if e.undoes is not None}
        day = on.isoformat()
        known = [
            e for e in known if e.undoes is None and e.id not in undone and (e.on is None or e.on <= day)
        ]  # what was undone never was, whatever the day on which that was found out
    return replay(known, None, definition.types)


def difference(work: Work, subject: str, first: datetime, second: datetime) -> Difference:
    """Returns what differs in a subject between what was known at two times. Raises NotFound, BadInput."""
    if second < first:
        raise BadInput("the second time lies before the first")
    case = work.case(subject)
    found = history(work, subject)
    before, after = (_replayed(found, case.definition, stamp(t), None) for t in (first, second))
    if after is None:
        raise NotFound("nothing was known of {subject} at {at}", subject=subject, at=_told(work, second))
    old: Mapping[str, Value] = before.facts if before is not None else {}
    names = [*old, *(n for n in after.facts if n not in old)]
    changed = {n: (old.get(n), after.facts.get(n)) for n in names if old.get(n) != after.facts.get(n)}
    between = [e for e in found if stamp(first) < e.at <= stamp(second)]
    return Difference(definition=case.definition, before=before, after=after, facts=changed, between=between)


# ---- finding ----


def search(work: Work, query: Query, within: frozenset[str] | None = None) -> Page:
    """Returns a page of events, `within` some units only if given (None: also those that belong to no unit).

    Raises BadInput for a query that makes no sense, NotFound for an unknown unit.
    """
    limit = max(1, min(query.limit, PAGE_LIMIT))
    wanted = _wanted(work, query, within)
    found: list[EventRow] = []
    before = query.before
    while len(found) <= limit:
        rows = work.tx.search_events(wanted, before=before, limit=limit + 1)
        found += (r for r in rows if _fits(work, query, r))
        if len(rows) <= limit:
            break
        before = rows[-1].seq
    more = len(found) > limit
    page = found[:limit]
    return Page(entries=list(entries(page, None, work.kit.sealer)), before=page[-1].seq if more else None)


def _fits(work: Work, query: Query, row: EventRow) -> bool:
    """Tells whether an event meets what the store does not look at."""
    if query.late_days is not None and delay_days(work, row) < query.late_days:
        return False
    if not query.happened:
        return True
    first, last = (d.isoformat() if d is not None else None for d in (query.since, query.until))
    day = row.on or work.calendar.day_of(unstamp(row.at)).isoformat()
    return (first is None or first <= day) and (last is None or day <= last)


def delay_days(work: Work, event: EventRow | Entry) -> int:
    """Returns how many days after it happened, by its own fact or else its day, an event was first recorded."""
    day, at = (event.happened, event.entered) if isinstance(event, Entry) else (_day_of(event), _entered(event))
    return (work.calendar.day_of(unstamp(at)) - date.fromisoformat(day)).days if day is not None else 0


def _day_of(row: EventRow) -> str | None:
    """Returns the day that stands in an event's body, else the day it was entered for."""
    _, found, rest = row.body.partition(HAPPENED)
    return rest[:10].decode() if found else row.on


def _entered(row: EventRow) -> str:
    """Returns when an event was recorded: here, or where an export brought it from."""
    return str(json.loads(row.body)["recorded_at"]) if ORIGIN in row.body else row.at


def _wanted(work: Work, query: Query, within: frozenset[str] | None) -> EventSearch:
    wanted = EventSearch(
        kinds=tuple(query.kinds) or None,
        officer=query.officer,
        trigger=query.trigger,
        since=_midnight(work, query.since),
        until=None if query.happened else _midnight(work, query.until, after=True),
        breached=query.breached,
        orgs=None if within is None else tuple(sorted(within)),
    )
    if query.unit is not None:
        if query.unit not in work.office.tree.by_id:
            raise NotFound("there is no organisation {org}", org=query.unit)
        below = work.office.tree.below(query.unit)
        wanted = replace(wanted, orgs=tuple(o for o in below if within is None or o in within))
    if query.rule is not None:
        wanted = replace(wanted, rule=_rule(work, query.rule))
    if query.late_days is not None:
        if query.late_days < 1:
            raise BadInput("late: a number of days from 1")
        wanted = replace(wanted, late_turn=_turn(work))
    ids = None if query.subject is None else {query.subject}
    if query.person is not None:
        named = set(named_like(work, query.person))
        ids = named if ids is None else ids & named
    return wanted if ids is None else replace(wanted, subjects=tuple(sorted(ids)))


def _rule(work: Work, rule: str) -> str:
    known = sorted({r for d in work.library.all_newest().values() for r in d.rules})
    if rule not in known and not work.tx.judged_blocks(rule):  # of a version that is not in force any more
        raise NotFound("there is no rule {rule}; there are: {known}", rule=rule, known=", ".join(known))
    return rule


def _midnight(work: Work, day: date | None, *, after: bool = False) -> str | None:
    """Returns the first moment of a day; the last one of it with `after`."""
    if day is None:
        return None
    start = work.calendar.start_of(day + timedelta(days=1) if after else day)
    return stamp(start - timedelta(microseconds=1) if after else start)


def _turn(work: Work) -> str:
    """Returns the time in UTC from which on the office's day is the next one; 24:00 where it is never ahead."""
    local = datetime.combine(work.today, time(), work.calendar.zone)
    offset = local.utcoffset() or timedelta()
    return local.astimezone(UTC).strftime("%H:%M") if offset > timedelta() else "24:00"


# ---- persons by name ----


def folded(text: str) -> str:
    """Returns a text without accents, in small letters: what people type when they look for a name."""
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def named_like(work: Work, text: str) -> Iterator[str]:
    """Yields the ids of subjects that people call so, each word at least begun, and of those that refer to them.

    Raises BadInput without a name, and where it fits too many.
    """
    part = folded(text)
    if not part:
        raise BadInput("there is no name to look for")
    for workflow, definition in work.library.all_newest().items():
        fact = definition.file.title_fact
        if fact is None:
            continue
        for id in _called(work, workflow, fact, text):
            yield id
            yield from (r.id for r in work.tx.find_subjects(refers=id))


def _called(work: Work, workflow: str, fact: str, text: str) -> list[str]:
    if listing.spec_of(work, workflow) is not None and not listing.is_old(work):
        found = listing.by_name(work, workflow, text, MOST_NAMED + 1)
        if len(found) > MOST_NAMED:
            raise BadInput("more than {most} are called so; write more of the name", most=MOST_NAMED)
        return found
    part = folded(text)
    names = ((r.id, json.loads(r.facts_json).get(fact)) for r in work.tx.find_subjects(workflow=workflow))
    return [id for id, name in names if isinstance(name, str) and part in folded(name)]


def erased(work: Work, key_id: str) -> bool:
    """Tells whether the person behind a key was erased on a lawful request: the trail says so."""
    return bool(work.tx.search_events(EventSearch(subjects=(key_id,), kinds=(ERASED,)), limit=1))
