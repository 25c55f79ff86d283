"""Long work in the background: started by a page, counted as it goes, and done whether or not the page stays open."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.core.errors import BadInput, KetnapError, NotFound
from engine.service import Service
from web.answers import Door

AT_ONCE = 2  # pieces of work that run beside the answering of requests
WAITING = 3  # that one officer may have unfinished
KEPT = 6  # finished pieces of one officer whose results are kept
KEPT_IN_ALL = 200
GONE = (
    "This work is not kept any more: it was long ago, or the program began anew. What was recorded stands; start the "
    "work anew."
)
SOON_S = 1.5  # what is done within this time needs no page of its own

log = logging.getLogger("ketnap.web")


@dataclass(kw_only=True)
class Job:
    """A piece of work of one officer. `to` is the page that shows its result, with the job's id in it."""

    id: str
    officer: str
    kind: str
    title: str
    to: str
    back: str
    reach: object  # what the officer may read: once that is another, the result is shown no more
    command: str | None = None
    part: str = ""  # what is done now, in words
    done: int = 0
    all: int = 0
    result: Any = None
    error: Exception | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def count(self, part: str, done: int, all: int = 0) -> None:
        """Tells how far the work is."""
        self.part, self.done, self.all = part, done, all

    @property
    def href(self) -> str:
        """Where it is seen: its progress, or its result."""
        return self.to.format(job=self.id) if self.ended.is_set() and self.error is None else f"/work/{self.id}"


Run = Callable[[Service, Job], object]


class Jobs:
    """The work that runs behind the pages of one process; it ends with the process."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._lock = threading.Condition()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._queue: deque[tuple[Job, Run]] = deque()
        self._threads = 0
        self._idle = 0

    def start(
        self,
        officer: str,
        kind: str,
        title: str,
        run: Run,
        *,
        to: str,
        back: str,
        reach: object = None,
        command: str | None = None,
    ) -> Job:
        """Starts work and returns it, finished where it is short; the same form sent twice starts it once.

        Raises BadInput while too much of the officer's is unfinished.
        """
        with self._lock:
            mine = [j for j in self._jobs.values() if j.officer == officer]
            again = next((j for j in mine if command is not None and j.command == command), None)
            if again is not None:
                return again
            if sum(not j.ended.is_set() for j in mine) >= WAITING:
                raise BadInput("{n} pieces of your work are still running. Wait until one has ended.", n=WAITING)
            id = secrets.token_urlsafe(12)
            job = Job(id=id, officer=officer, kind=kind, title=title, to=to, back=back, reach=reach, command=command)
            self._jobs[id] = job
            self._forget(mine)
            self._queue.append((job, run))
            if not self._idle and self._threads < AT_ONCE:
                self._threads += 1
                threading.Thread(target=self._work, name="web-work", daemon=True).start()
            self._lock.notify()
        job.ended.wait(SOON_S)
        return job

    def _forget(self, mine: list[Job]) -> None:
        ended = [j for j in mine if j.ended.is_set()]
        for old in ended[: max(0, len(ended) - KEPT + 1)]:
            del self._jobs[old.id]
        for old in [j for j in self._jobs.values() if j.ended.is_set()][: max(0, len(self._jobs) - KEPT_IN_ALL)]:
            del self._jobs[old.id]

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
                while not self._queue:
                    self._lock.wait()
                self._idle -= 1
                job, run = self._queue.popleft()
            try:
                job.result = run(self._door.service, job)
            except KetnapError as error:
                job.error = error
            except Exception as error:
                log.exception("work in the background failed: %s", type(error).__name__)
                job.error = error
            job.ended.set()

    def find(self, id: str, officer: str) -> Job:
        """Returns a piece of work of an officer. Raises NotFound: it is another's, or is kept no longer."""
        with self._lock:
            job = self._jobs.get(id)
        if job is None or job.officer != officer:
            raise NotFound(GONE)
        return job

    def result(self, id: str, officer: str, kind: str, reach: object = None) -> Any:
        """Returns what came of work that has ended. Raises NotFound, and what ended it where it failed."""
        job = self.find(id, officer)
        if job.kind != kind or job.reach != reach or not job.ended.is_set():
            raise NotFound(GONE)
        if job.error is not None:
            raise job.error
        return job.result

    def of(self, officer: str, kind: str, reach: object = None) -> list[Job]:
        """Returns an officer's work of a kind that did not fail, the newest first."""
        with self._lock:
            mine = [j for j in reversed(self._jobs.values()) if j.officer == officer and j.kind == kind]
            return [j for j in mine if j.reach == reach and j.error is None]
