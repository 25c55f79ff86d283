"""Verifying the trail: bytes, hashes, links, time; and that what is shown is what the events say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from engine.audit.tree import leaf_hash
from engine.core import events
from engine.core.errors import Damaged, KetnapError
from engine.core.events import CHANGING, Entry, Standing, replay
from engine.core.values import Json
from engine.ledger import columns, entry_of, link, read_body
from engine.service import Service
from engine.store.rows import EventRow, SubjectRow
from engine.work import Work

EMPTY_LINK = bytes(32)
CHUNK = 500  # subjects replayed together


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something in the trail that is not as it was written. `event` is its number, or None for a subject's row.

    `message` is an English template over `params`, as in KetnapError.
    """

    event: int | None
    kind: str
    message: str
    params: Mapping[str, object] = field(default_factory=dict)

    def text(self, translate: Callable[[str], str] = str) -> str:
        """Returns the message in the language of `translate`."""
        return translate(self.message).format_map(self.params)


@dataclass(kw_only=True)
class Report:
    """What verifying found."""

    events: int = 0
    checkpoints: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Tells whether nothing was found."""
        return not self.problems


def verify(service: Service, progress: Callable[[int], None] | None = None) -> Report:
    """Recomputes hashes and links, compares columns with bytes, and every subject with its events' replay."""
    report = Report()
    with service.work() as work:
        for problem in _trail(work, report, progress):
            report.problems.append(problem)
        if report.ok:
            report.problems += _projection(work)
    return report


def _trail(work: Work, report: Report, progress: Callable[[int], None] | None) -> Iterator[Problem]:
    before, at = EMPTY_LINK, ""
    for expected, row in enumerate(work.tx.events()):
        report.events += 1
        if progress is not None and report.events % 1000 == 0:
            progress(report.events)
        if row.seq != expected:
            yield Problem(
                event=expected,
                kind="missing",
                message="event {event} is missing; {next} follows",
                params={"event": expected, "next": row.seq},
            )
            return
        try:
            body = read_body(row)
        except Damaged as error:
            yield Problem(event=row.seq, kind="edited", message=error.message, params=error.params)
            return
        problem = _one(row, body, before, at)
        if problem is not None:
            yield problem
            return
        before, at = row.link, row.at


def _one(row: EventRow, body: Mapping[str, Json], before: bytes, at: str) -> Problem | None:
    at_event = {"event": row.seq}
    if leaf_hash(row.body) != row.leaf:
        return Problem(
            event=row.seq,
            kind="edited",
            message="event {event}: its bytes are not those that were hashed",
            params=at_event,
        )
    if link(before, row.leaf) != row.link:
        return Problem(
            event=row.seq,
            kind="relinked",
            message="event {event}: it does not link to the one before it",
            params=at_event,
        )
    if columns(body, row) != row:
        return Problem(
            event=row.seq, kind="columns", message="event {event}: its columns differ from its bytes", params=at_event
        )
    if row.at < at:
        return Problem(
            event=row.seq, kind="time", message="event {event}: it is dated before the one before it", params=at_event
        )
    return None


def _projection(work: Work) -> Iterator[Problem]:
    seen: set[str] = set()
    after = ""
    while True:
        rows = work.tx.find_subjects(after=after, limit=CHUNK)
        if not rows:
            break
        after = rows[-1].id
        work.keys.fetch(r.key_id for r in rows)
        for row in rows:
            seen.add(row.id)
            problem = _compare(work, row)
            if problem is not None:
                yield problem
    yield from _orphans(work, seen)


def _orphans(work: Work, seen: set[str]) -> Iterator[Problem]:
    for row in work.tx.events(kind=events.STARTED):
        if row.subject is not None and row.subject not in seen:
            yield Problem(
                event=row.seq,
                kind="projection",
                message="{subject} has events but is not shown any more",
                params={"subject": row.subject},
            )


def _compare(work: Work, row: SubjectRow) -> Problem | None:
    definition = work.library.pinned(row.workflow, row.definition)
    at_subject = {"subject": row.id}
    try:
        entries = [entry_of(e, work.keys, work.kit.sealer) for e in work.tx.events(subject=row.id)]
        standing = replay(entries, None, definition.types)
        if standing is None:
            return Problem(
                event=None, kind="projection", message="{subject} is shown but has no events", params=at_subject
            )
        if work.keys.get(row.key_id) is None:
            return None
        shown = work.adopt([row])[0].subject
    except KetnapError as error:
        return Problem(
            event=None, kind="projection", message="{subject}: {error}", params={**at_subject, "error": error.text()}
        )
    differs = [n for n, (a, b) in _sides(row, shown.facts, standing, entries).items() if a != b]
    if differs:
        return Problem(
            event=None,
            kind="projection",
            message="{subject}: {what} differ from what its events say",
            params={**at_subject, "what": ", ".join(differs)},
        )
    return None


def _sides(
    row: SubjectRow, facts: object, standing: Standing, entries: list[Entry]
) -> dict[str, tuple[object, object]]:
    return {
        "state": (row.state, standing.state),
        "org": (row.org, standing.org),
        "version": (row.version, sum(e.kind in CHANGING for e in entries)),
        "facts": (facts, standing.facts),
        "doers": ({t: tuple(p) for t, p in json.loads(row.doers_json).items()}, dict(standing.doers)),
        "last_event": (row.last_event, standing.last_event),
        "entered_on": (row.entered_on, standing.entered_on.isoformat()),
        "person_on": (row.person_on, standing.person_on.isoformat()),
    }
