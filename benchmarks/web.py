"""`web`: every page over real HTTP with officers at once and steps among them, with many people beside few.

A page is compared with itself: p95 with many people over p95 with few, in the same number of units and by the same
officers. Beside it stand the processor time that the server took for it, and its bare queries: the statements that the
page runs, on sqlite3 alone.
"""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Figure, Result, Sizes
from benchmarks.office import FOUNDED, Place, found, populate, usual_committee
from benchmarks.pages import PAGES, Page
from benchmarks.town import MASTER, Town, open_town
from benchmarks.visitor import PROCESSOR, WRITTEN, Seen, Visitor
from engine.ledger import Via
from engine.store.sql import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette

FLOOR = "the same page with {few:,} people, in as many units and with as many officers at once"
AIM = 2.0


@dataclass
class _Turns:
    """What each round found of one page: p95 on the wall and of the processor, with many people and with few."""

    wall: list[tuple[float, float]] = field(default_factory=list)
    processor: list[tuple[float, float]] = field(default_factory=list)


def run(folder: Path, sizes: Sizes) -> Result:
    """Measures every page with few and with many people, in alternating rounds."""
    few, many = (_Office(folder / f"{n}.db", n, sizes.officers, sizes.units) for n in (sizes.few_people, sizes.people))
    conflicts = 0
    with few.served(), many.served():
        for office in (few, many):
            office.look_around()
        turns: dict[str, _Turns] = {}
        for turn in range(sizes.web_rounds):
            seen = {office: Seen() for office in ((few, many) if turn % 2 else (many, few))}
            for office, what in seen.items():
                office.visit(sizes.visits, what)
                conflicts += what.conflicts
            for page in seen[many].times.keys() & seen[few].times.keys():
                sides = [list(zip(*seen[office].times[page], strict=True)) for office in (many, few)]
                found = turns.setdefault(page, _Turns())
                found.wall.append((_p95(sides[0][0]), _p95(sides[1][0])))
                found.processor.append((_p95(sides[0][1]), _p95(sides[1][1])))
        bare = many.bare()
    requests = few.requests + many.requests
    counts = {"requests": requests, "faults": 0, "lost updates": 0, "conflicts, all resolved": conflicts}
    names = [*(p.name for p in PAGES), WRITTEN]
    free = {p.name for p in PAGES if p.grows}
    return Result(
        name="web",
        title=f"Pages with {sizes.people:,} people in {sizes.units} units, {sizes.officers} officers at once",
        floor=FLOOR.format(few=sizes.few_people),
        figures=[_figure(n, turns[n], bare.get(n), None if n in free else AIM) for n in names if n in turns],
        counts=counts,
    )


def _figure(page: str, turns: _Turns, bare: float | None, aim: float | None) -> Figure:
    ratios = [many / few for many, few in turns.wall]
    return Figure(
        name=page,
        unit="page, p95",
        ours=statistics.median(many for many, _ in turns.wall),
        floor=statistics.median(few for _, few in turns.wall),
        ratio=statistics.median(ratios),
        low=min(ratios),
        high=max(ratios),
        rounds=len(ratios),
        aim=aim,
        bare=bare,
        processor=statistics.median(many for many, _ in turns.processor),
        processor_ratio=statistics.median(many / few for many, few in turns.processor),
    )


def _p95(found: Sequence[float]) -> float:
    return sorted(found)[max(0, -(-95 * len(found) // 100) - 1)]


# ---- an office ----


class _Office:
    """A town with so many people in a file of its own, its pages served by a process of their own."""

    def __init__(self, file: Path, people: int, officers: int, units: int) -> None:
        self.file, self.people, self.requests, self.base = file, people, 0, ""
        town = open_town(file, at=FOUNDED)
        try:
            self.places = found(town, officers, units)
            populate(town, people, units)
        finally:
            town.close()
        town = open_town(file)
        try:
            accounts = town.service.accounts
            self.secrets = {p.officer: accounts.sign_in_vouched(p.officer, None)[0] for p in self.places}
            self.ids = {p.officer: _ids(town, p, units) for p in self.places}
        finally:
            town.close()
        self.pages: dict[str, list[Page]] = {}  # officer -> those they may come to
        self.alone = next(p for p in self.places if p.fact)  # who looks at what grows

    @contextmanager
    def served(self) -> Iterator[None]:
        """Serves the pages as long as the block lasts."""
        spawn = multiprocessing.get_context("spawn")
        here, there = spawn.Pipe()
        process = spawn.Process(target=_serve, args=(self.file, there), daemon=True)
        process.start()
        try:
            if not here.poll(60):
                raise RuntimeError("the pages were not served")
            self.base = f"http://127.0.0.1:{here.recv()}"
            yield
        finally:
            if process.is_alive():
                here.send(None)
            process.join(30)
            if process.is_alive():
                process.kill()

    def visitor(self, place: Place, seen: Seen, base: str = "") -> Visitor:
        """Returns an officer's browser."""
        return Visitor(base or self.base, self.secrets[place.officer], place, self.ids[place.officer], seen)

    def look_around(self) -> None:
        """Asks for every page once as everybody, to know who may come where. Raises RuntimeError for a fault, and for
        a page to which nobody may come."""
        for place in self.places:
            pages = PAGES if place == self.alone else [p for p in PAGES if not p.grows]
            self.pages[place.officer] = self.visitor(place, Seen()).may(pages)
        alone = {p.name for p in PAGES if not p.follows} - {p.name for mine in self.pages.values() for p in mine}
        if alone:
            raise RuntimeError(f"nobody may come to: {', '.join(sorted(alone))}")

    def visit(self, times: int, seen: Seen) -> None:
        """Has all officers go through their pages at once, so many times; sees that all that was written stands.

        A page to which few may come is asked for more often by them, so that each is asked for about as often.
        Raises RuntimeError.
        """
        may = {p.name: sum(p in mine for mine in self.pages.values()) for p in PAGES}
        often = {name: -(-len(self.places) // n) for name, n in may.items() if n}
        visitors = [self.visitor(p, seen) for p in self.places]
        threads = [
            threading.Thread(target=v.go, args=(self._pages(v.place, grown=False), often, times, n))
            for n, v in enumerate(visitors)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if not seen.faults:  # apart: one of them keeps a processor for itself, and would be measured with every other
            self.visitor(self.alone, seen).look(self._pages(self.alone, grown=True))
        if seen.faults:
            raise RuntimeError(f"{len(seen.faults)} requests failed, the first: {seen.faults[0]}")
        self.requests += sum(map(len, seen.times.values()))
        self._check([v for v in visitors if v.place.fact])

    def _pages(self, place: Place, *, grown: bool) -> list[Page]:
        return [p for p in self.pages[place.officer] if p.grows is grown]

    def _check(self, visitors: Sequence[Visitor]) -> None:
        with sqlite3.connect(self.file) as raw:
            for v in visitors:
                at = v.place
                row = raw.execute("select facts_json from subjects where id = ?", (at.person,)).fetchone()
                stands = json.loads(row[0]).get(at.fact)
                if stands != v.last:
                    raise RuntimeError(f"{at.person}: {at.fact} is {stands}, {v.last} was said to be written")

    def bare(self) -> Mapping[str, float]:
        """Returns the seconds that the statements of each page take on sqlite3 alone."""
        town = open_town(self.file)
        try:
            return _bare(town, self)
        finally:
            town.close()


def _ids(town: Town, place: Place, units: int) -> dict[str, str]:
    """Returns what the addresses of an officer's pages name."""
    unit = place.unit if place.unit.startswith("xa") else "xa0"
    usual = usual_committee(units)
    with town.service.work() as work:
        notices = work.tx.outbox(recipients=[place.officer], limit=1)
        event = work.tx.head().size // 2
    return {
        "person": place.person,
        "unit": unit,
        "branch": f"cb{unit.removeprefix('xa')}-0",
        "usual": usual,
        "usual_branch": f"cb{usual.removeprefix('xa')}-0",
        "officer": place.officer,
        "event": str(event),
        "notice": notices[0].id if notices else "none",
    }


def _serve(file: Path, pipe: Connection) -> None:
    """Serves the pages of a file until told to stop; says on which port."""
    from web.app import Server, listen

    _tell_processor_time()
    town = open_town(file)
    listening = listen("127.0.0.1", 0)
    server = Server(_app(town), listening)
    server.start()
    pipe.send(listening.getsockname()[1])
    pipe.recv()
    server.stop()
    town.close()


def _tell_processor_time() -> None:
    """Has every page say in a header how long its thread was at work, which other work on the machine leaves alone."""
    from web.site import Site

    answer = Site.answer

    def told(self: Site, *args: Any, **more: Any) -> Any:
        start = time.thread_time()
        response = answer(self, *args, **more)
        response.headers[PROCESSOR] = str(time.thread_time() - start)
        return response

    Site.answer = told  # type: ignore[method-assign]


def _app(town: Town) -> Starlette:
    from cli.bootstrap import Opened
    from cli.settings import Settings
    from cli.site import pages_of, wired_of
    from web.app import build_app

    service, settings = town.service.speaking_for(Via(channel="web")), Settings()
    with service.work() as work:
        zone = work.calendar.zone
    opened = Opened(
        store=town.store, service=service, sandbox=True, zone=zone, master=MASTER, set_clock=False, base_url=""
    )
    return build_app(service, pages=pages_of(settings, service), wired=wired_of(settings, opened))


# ---- bare queries ----

_Statement = tuple[str, Sequence[Any]]


def _bare(town: Town, office: _Office) -> dict[str, float]:
    """Runs each page in this process as the first who may come there, noting its statements; then runs those on
    sqlite3 alone."""
    from web.app import Server, listen

    assert isinstance(town.store, SqlStore)
    noted: list[_Statement] = []
    _note_queries(town.store, noted)
    listening = listen("127.0.0.1", 0)
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = Server(_app(town), listening)
    found: dict[str, list[_Statement]] = {}
    server.start()
    try:
        for place in office.places:
            visitor = office.visitor(place, Seen(), base)
            mine = office.pages[place.officer]
            if any(p.name not in found for p in mine):
                _note_pages(visitor, mine, noted, found)
    finally:
        server.stop()
    return {page: _replayed(office.file, statements) for page, statements in found.items()}


def _note_pages(
    visitor: Visitor, pages: Sequence[Page], noted: list[_Statement], found: dict[str, list[_Statement]]
) -> None:
    with visitor.browser() as http:
        text = ""
        for page in pages:
            path = visitor._address(http, page, text)
            if path is None:
                continue
            http.get(path)  # what is read once a process has been read
            noted.clear()
            text = http.get(path).text
            found.setdefault(page.name, list(noted))


def _note_queries(store: SqlStore, noted: list[_Statement]) -> None:
    store.close()  # those that are held already would note nothing
    connect = store.database.connect

    def noting() -> Any:
        made = connect()
        rows = made.rows

        def note(sql: str, values: Sequence[Any], /) -> list[tuple[Any, ...]]:
            if sql.startswith("SELECT"):
                noted.append((sql, values))
            return rows(sql, values)

        made.rows = note  # type: ignore[method-assign]
        return made

    store.database.connect = noting  # type: ignore[method-assign]


def _replayed(file: Path, statements: Sequence[_Statement]) -> float:
    raw = sqlite3.connect(file, isolation_level=None)
    try:
        found = []
        for _ in range(5):
            start = time.perf_counter()
            for sql, values in statements:
                raw.execute(sql, values).fetchall()
            found.append(time.perf_counter() - start)
        return statistics.median(found)
    finally:
        raw.close()
