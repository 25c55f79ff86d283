"""Verifying: the bytes, hashes, links and times of the trail; then that what is shown is what the events say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from engine.audit.tree import leaf_hash
from engine.comparing import Problem, definitions, office, subjects
from engine.core.errors import Damaged
from engine.core.values import Json
from engine.ledger import columns, link, read_body
from engine.service import Service
from engine.store.rows import EventRow
from engine.work import Work

EMPTY_LINK = bytes(32)


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
            report.problems += [*definitions(work), *office(work)]
        if report.ok:
            report.problems += subjects(work)
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
