"""Verifying: the bytes, hashes, tree and times of the trail, its checkpoints; that what is shown is what the events
say; and that every step was one that its rules allowed.

Bytes first, then what they say, then what was made of them: a part that finds something ends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from engine.attesting import UNFIT, Attested, given, own
from engine.audit.checkpoint import Tenure
from engine.audit.note import VerifierKey
from engine.clockwork import Clockwork
from engine.comparing import Problem, definitions, office, settings, subjects
from engine.core.errors import Damaged
from engine.core.values import Json
from engine.entrances import entrances, unmarked
from engine.hashing import EVERY, Hashed, Progress, hash_trail
from engine.indexed import Indexed
from engine.ledger import columns, read_body
from engine.redeciding import Redecider
from engine.service import Service
from engine.store.rows import EventRow
from engine.work import Work

__all__ = ["Problem", "Progress", "Report", "verify"]

T = TypeVar("T")


@dataclass(kw_only=True)
class Report:
    """What verifying found. `seconds` is what each part took, `steps` how many steps were decided again."""

    events: int = 0
    checkpoints: int = 0
    steps: int = 0
    root: bytes = b""
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)  # what could not be compared, and is no fault
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Tells whether nothing was found."""
        return not self.problems


def verify(
    service: Service,
    progress: Progress | None = None,
    *,
    checkpoints: Sequence[bytes] = (),
    key: VerifierKey | None = None,
    full: bool = True,
) -> Report:
    """Verifies the whole trail, as one moment saw it; with the checkpoints that an inspector holds, and the first key
    of the trail as the inspector was given it. Without `full`: hashes, tree and checkpoints only."""
    report = Report()
    with service.work() as work:
        _Verifying(work, report, progress).run(checkpoints, key, full=full)
    return report


class _Verifying:
    def __init__(self, work: Work, report: Report, progress: Progress | None) -> None:
        self.work, self.report, self.progress = work, report, progress
        self.said = Attested()

    def run(self, checkpoints: Sequence[bytes], key: VerifierKey | None, *, full: bool) -> None:
        """Runs the parts, until one finds something that the next would stumble over."""
        report, work = self.report, self.work
        hashed = self._part("hashes", lambda: hash_trail(work.tx, self.progress, self.said.take))
        report.events, report.root = hashed.size, hashed.root
        report.problems += [hashed.problem] if hashed.problem is not None else []
        if report.ok and full:
            self._part("bodies", self._bodies)
        self._part("checkpoints", lambda: self._checkpoints(hashed, checkpoints, key))
        if not report.ok or not full:
            return
        found = self._part("office", lambda: [*definitions(work), *office(work), *settings(work), *entrances(work)])
        report.problems += found
        if found:
            return
        report.notes += unmarked(work)
        again, waiting = Redecider(work), Clockwork(work)
        report.problems += self._part(
            "subjects", lambda: list(subjects(work, lambda told: again.look(told) or waiting.look(told), self.progress))
        )
        if not report.problems:
            report.problems += waiting.outgoing.rest()
        report.steps = again.steps
        report.seconds["subjects"] -= again.seconds + waiting.seconds
        report.seconds["deciding"] = again.seconds
        report.seconds["waiting"] = waiting.seconds

    def _part(self, name: str, run: Callable[[], T]) -> T:
        start = time.perf_counter()
        try:
            return run()
        finally:
            self.report.seconds[name] = time.perf_counter() - start

    def _bodies(self) -> None:
        """What the bytes say: canonical, the columns and the index repeat them, time never goes back."""
        at, indexed = "", Indexed(self.work.tx)
        for n, row in enumerate(self.work.tx.events(), 1):
            try:
                body = read_body(row)
                problem = _one(row, body, at) or indexed.take(row.seq, body)
            except Damaged as error:
                problem = Problem(event=row.seq, kind="edited", message=error.message, params=error.params)
            if problem is not None:
                self.report.problems.append(problem)
                return
            at = row.at
            if self.progress is not None and not n % EVERY:
                self.progress("bodies", n)
        problem = indexed.end()
        self.report.problems += [problem] if problem is not None else []

    def _checkpoints(self, hashed: Hashed, notes: Sequence[bytes], key: VerifierKey | None) -> None:
        report = self.report
        tenures: tuple[Tenure, ...] = ()
        try:
            tenures = self.said.tenures()
        except UNFIT as error:
            last = self.said.keys[-1][0]
            message = "event {event}: the signing key was not handed over rightly: {why}"
            params = {"event": last, "why": error.text()}
            report.problems.append(Problem(event=last, kind="signature", message=message, params=params))
        if report.ok:
            report.problems += own(self.said, hashed, tenures)
        if hashed.problem is None:
            report.problems += given(notes, hashed, tenures, key)
        report.checkpoints = len(self.said.made) + len(notes)


def _one(row: EventRow, body: dict[str, Json], at: str) -> Problem | None:
    at_event = {"event": row.seq}
    try:
        differs = columns(body, row) != row
    except KeyError:
        differs = True
    if differs:
        message = "event {event}: its columns differ from its bytes"
        return Problem(event=row.seq, kind="columns", message=message, params=at_event)
    if row.at < at:
        message = "event {event}: it is dated before the one before it"
        return Problem(event=row.seq, kind="time", message=message, params=at_event)
    return None
