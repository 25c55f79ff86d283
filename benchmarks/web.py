"""`web`: every page over real HTTP with officers at once and steps among them, with many people beside few.

A page is compared with itself: p95 with many people over p95 with few, in the same number of units and by the same
officers. Beside it stand its bare queries: the statements that the page runs, on sqlite3 alone.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import re
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from benchmarks.measure import Figure, Result, Sizes
from benchmarks.town import NOW, TODAY, Town, open_town
from engine.core.commands import Move, Start
from engine.ledger import Via
from engine.library import find_sources
from engine.officework import OfficerChange, OrgChange
from engine.steps import By
from engine.store.sql import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from starlette.applications import Starlette

FLOOR = "the same page with 1,000 people, in as many units and with as many officers at once"
BRANCHES = 11  # below a committee
AIM = 2.0
TOWN = "town"

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý")
_MIDDLE = ("Thị", "Văn", "Đình", "Hữu", "Ngọc", "Minh", "Quốc", "Thanh", "Đức", "Xuân")
_GIVEN = ("An", "Ánh", "Bình", "Dũng", "Giang", "Hà", "Hạnh", "Hoa", "Hùng", "Lan", "Linh", "Long", "Mai", "Nga", "Yến")


@dataclass(frozen=True)
class Place:
    """A committee's officer, and the person whose page this officer opens and whose fact they write.

    Two officers of one committee write two facts of the same person.
    """

    officer: str
    person: str
    fact: str


@dataclass
class Seen:
    """What the clients saw: seconds by page, and faults."""

    times: dict[str, list[float]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def took(self, page: str, seconds: float) -> None:
        """Takes down one answer."""
        with self.lock:
            self.times.setdefault(page, []).append(seconds)


def run(folder: Path, sizes: Sizes) -> Result:
    """Measures every page with few and with many people, in alternating rounds."""
    few, many = (_Office(folder / f"{n}.db", n, sizes.officers, sizes.units) for n in (sizes.few_people, sizes.people))
    with few.served(), many.served():
        for office in (few, many):
            office.visit(1, Seen())  # statements are prepared, files are in memory
        ratios: dict[str, list[float]] = {}
        times: dict[str, tuple[list[float], list[float]]] = {}
        for turn in range(sizes.web_rounds):
            seen = {office: Seen() for office in ((few, many) if turn % 2 else (many, few))}
            for office, what in seen.items():
                office.visit(sizes.visits, what)
            for page, own in seen[many].times.items():
                a, b = _p95(own), _p95(seen[few].times[page])
                ratios.setdefault(page, []).append(a / b)
                ours, floor = times.setdefault(page, ([], []))
                ours.append(a)
                floor.append(b)
        counts = {f"bare queries of {page}, µs": n for page, n in many.bare().items()}
        counts |= {"requests": few.requests + many.requests, "faults": 0, "lost updates": 0}
    figures = [
        Figure(
            name=page,
            unit="page, p95",
            ours=statistics.median(times[page][0]),
            floor=statistics.median(times[page][1]),
            ratio=statistics.median(found),
            low=min(found),
            high=max(found),
            rounds=sizes.web_rounds,
            aim=AIM,
        )
        for page, found in ratios.items()
    ]
    title = f"Pages with {sizes.people:,} people in {sizes.units} units, {sizes.officers} officers at once"
    return Result(name="web", title=title, floor=FLOOR, figures=figures, counts=counts)


def _p95(found: Sequence[float]) -> float:
    return sorted(found)[max(0, -(-95 * len(found) // 100) - 1)]


# ---- an office ----


class _Office:
    """A town with so many people in a file of its own, its pages served by a process of their own."""

    def __init__(self, file: Path, people: int, officers: int, units: int) -> None:
        self.file, self.people, self.requests = file, people, 0
        town = open_town(file, at=NOW - timedelta(days=1))
        try:
            committees = _found(town, officers, units)
            _populate(town, people, committees)
            self.places = [
                Place(f"officer-{n}", f"p{n // 2 % committees}", ("occupation", "residence")[n % 2])
                for n in range(officers - 1)
            ]
        finally:
            town.close()
        town = open_town(file)
        try:
            self.secrets = {
                o: town.service.accounts.sign_in_vouched(o, None)[0] for o in [TOWN, *(p.officer for p in self.places)]
            }
        finally:
            town.close()
        self.base = ""

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

    def visit(self, times: int, seen: Seen) -> None:
        """Has all officers go through their pages at once, so many times; sees that all that was written stands.

        Raises RuntimeError.
        """
        visitors = [_Visitor(self.base, self.secrets[TOWN], "p0", "", seen)]
        visitors += [_Visitor(self.base, self.secrets[p.officer], p.person, p.fact, seen) for p in self.places]
        threads = [threading.Thread(target=v.go, args=(times,)) for v in visitors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if seen.faults:
            raise RuntimeError(f"{len(seen.faults)} requests failed, the first: {seen.faults[0]}")
        self.requests += sum(map(len, seen.times.values()))
        self._check([v for v in visitors if v.fact])

    def _check(self, visitors: Sequence[_Visitor]) -> None:
        with sqlite3.connect(self.file) as raw:
            for v in visitors:
                row = raw.execute("select facts_json from subjects where id = ?", (v.person,)).fetchone()
                stands = json.loads(row[0]).get(v.fact)
                if stands != v.last:
                    raise RuntimeError(f"{v.person}: {v.fact} is {stands}, {v.last} was said to be written")

    def bare(self) -> Mapping[str, int]:
        """Returns the microseconds that the statements of each page take on sqlite3 alone."""
        town = open_town(self.file)
        try:
            return _bare(town, self.file, self.secrets[TOWN])
        finally:
            town.close()


def _found(town: Town, officers: int, units: int) -> int:
    """Founds the office; returns how many committees it has."""
    town.service.load(find_sources(["admission"]), sandbox=True)
    committees = units // (BRANCHES + 1)
    orgs = [OrgChange(id="tu", kind="town_committee", name="Thị ủy")]
    for c in range(committees):
        orgs.append(OrgChange(id=f"xa{c}", kind="grassroots_committee", name=f"Đảng ủy xã {c}", parent="tu"))
        orgs += [
            OrgChange(id=f"cb{c}-{b}", kind="branch", name=f"Chi bộ {c}.{b}", parent=f"xa{c}") for b in range(BRANCHES)
        ]
    hand = town.service.set_up()
    hand.orgs(orgs)
    people = [OfficerChange(id=TOWN, name="Phạm Thị Minh", org="tu", roles=["clerk"], account=TOWN)]
    for n in range(officers - 1):
        role = "clerk" if n % 2 else "secretary"
        people.append(
            OfficerChange(
                id=f"officer-{n}",
                account=f"officer-{n}",
                name="Trần Bình",
                org=f"xa{n // 2 % committees}",
                roles=[role],
            )
        )
    for c in range(committees):  # who enters everybody, and then looks at nothing
        people.append(OfficerChange(id=f"maker-{c}", name="Lê Mai", org=f"xa{c}", roles=["secretary", "clerk"]))
    hand.officers(people)
    return committees


def _populate(town: Town, people: int, committees: int) -> None:
    """Begins people in every branch, of whom one in four is recognised and one in eight has a certificate."""
    pick = random.Random(7)
    for c in range(min(committees, people)):
        for chunk in _chunks(range(c, people, committees)):
            _enter(town, chunk, committees, pick, By(officer=f"maker-{c}"))


def _chunks(ids: range) -> Iterator[range]:
    for first in range(0, len(ids), 500):
        yield ids[first : first + 500]


def _enter(town: Town, ids: range, committees: int, pick: random.Random, by: By) -> None:
    starts = [
        Start(
            workflow="candidate",
            org=f"cb{n % committees}-{n // committees % BRANCHES}",
            id=f"p{n}",
            facts={
                "full_name": " ".join(map(pick.choice, (_FAMILY, _MIDDLE, _GIVEN, _GIVEN))),
                "birth_date": date(1995, 1, 1 + n % 28).isoformat(),
                "sex": ("male", "female")[n % 2],
                "education": "upper_secondary",
                "introduced_by": f"xa{n % committees}",
                "helper": "Lê Thị Mai",
                "helper_is_formal": "true",
                "helper_together_since": "2022-03-01",
                "motives": "Phấn đấu",
            },
            on=TODAY - timedelta(days=30 + pick.randrange(700)),
        )
        for n in ids
    ]
    town.service.start_many(starts, by)
    proposed = {"branch_proposed_on": (TODAY - timedelta(days=20)).isoformat()}
    chosen = [f"p{n}" for n in ids if n // committees % 4 == 3]
    town.service.move_many([Move(subject=i, trigger="recognise", facts=proposed) for i in chosen], by)
    certificate = {
        "certificate_no": "1/GCN", "certificate_issuer": "Trung tâm Chính trị",
        "certificate_on": (TODAY - timedelta(days=1800)).isoformat(),
    }  # fmt: skip
    town.service.move_many([Move(subject=i, trigger="certify", facts=certificate) for i in chosen[::2]], by)


def _serve(file: Path, pipe: Connection) -> None:
    """Serves the pages of a file until told to stop; says on which port."""
    from web.app import Server, listen

    town = open_town(file)
    listening = listen("127.0.0.1", 0)
    server = Server(_app(town), listening)
    server.start()
    pipe.send(listening.getsockname()[1])
    pipe.recv()
    server.stop()
    town.close()


def _app(town: Town) -> Starlette:
    from cli.settings import Settings
    from cli.site import pages_of
    from web.app import build_app

    service = town.service.speaking_for(Via(channel="web"))
    return build_app(service, pages=pages_of(Settings(), service))


# ---- an officer ----

_NEXT = re.compile(r'href="([^"]+/after/[^"]+)"')
_VERSION = re.compile(r'name="version" value="(\d+)"')


class _Visitor:
    """An officer's browser: goes through the pages, and writes a fact of one person."""

    def __init__(self, base: str, secret: str, person: str, fact: str, seen: Seen) -> None:
        self.base, self.person, self.fact, self.last = base, person, fact, ""
        self._secret, self._seen = secret, seen

    def go(self, times: int) -> None:
        """Goes through all pages, so many times. What fails is said in `seen`."""
        import httpx

        cookies = {"ketnap": self._secret}
        with httpx.Client(base_url=self.base, cookies=cookies, timeout=120, trust_env=False) as http:
            try:
                for n in range(times):
                    self.round(lambda page, *asked: self._ask(http, page, *asked))
                    if self.fact:
                        self._write(http, n)
            except (RuntimeError, httpx.HTTPError) as error:
                self._seen.faults.append(f"{type(error).__name__}: {error}")

    def round(self, ask: Callable[..., str]) -> None:
        """Goes through the pages once; `ask` takes what a page is called, its address and what is posted to it."""
        ask("home", "/")
        first = ask("list", "/list/candidate")
        if (after := _NEXT.search(first)) is not None:
            ask("list, the next page", after.group(1))
        ask("list, found by name", ask("list, a filter", "/list/candidate", {"text": "nguyeenx van a", "states": "*"}))
        ask("list, due within 30 days", ask("list, a filter", "/list/candidate", {"due": "month", "order": "due"}))
        ask("list, of a sex by age in the stage",
            ask("list, a filter", "/list/candidate", {"narrow3": "sex=female", "order": "entered"}))  # fmt: skip
        ask("person", f"/subjects/{self.person}")
        ask("form of facts", f"/subjects/{self.person}/facts/occupation")

    def _ask(self, http: httpx.Client, page: str, path: str, posted: Mapping[str, str] | None = None) -> str:
        start = time.perf_counter()
        answer = http.get(path) if posted is None else http.post(path, **self._form(posted))
        if answer.status_code >= 400:
            raise RuntimeError(f"{page}: {answer.status_code}")
        self._seen.took(page, time.perf_counter() - start)
        return answer.headers["location"] if posted is not None else answer.text

    def _form(self, posted: Mapping[str, str]) -> dict[str, Any]:
        from web.session import token_of

        content = urlencode({"csrf": token_of(self._secret), **posted})
        return {"content": content, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}

    def _write(self, http: httpx.Client, n: int) -> None:
        """Writes a fact that another officer does not; where the other was first, looks anew and writes again."""
        value = f"{self._secret[:6]} {n} {time.monotonic_ns()}"
        for _ in range(50):
            page = self._ask(http, "form of facts", f"/subjects/{self.person}/facts/{self.fact}")
            found = _VERSION.search(page)
            form = {f"f.{self.fact}": value, "version": found.group(1) if found is not None else ""}
            start = time.perf_counter()
            answer = http.post(f"/subjects/{self.person}/facts/{self.fact}", **self._form(form))
            if answer.status_code == 303:
                self._seen.took("facts written", time.perf_counter() - start)
                self.last = value
                return
            if answer.status_code != 409:
                raise RuntimeError(f"facts written: {answer.status_code}")
        raise RuntimeError("facts written: somebody else was always first")


# ---- bare queries ----


def _bare(town: Town, file: Path, secret: str) -> dict[str, int]:
    """Runs each page in this process, noting its statements; then runs those on sqlite3 alone."""
    import httpx

    from web.app import Server, listen

    assert isinstance(town.store, SqlStore)
    noted: list[tuple[str, Sequence[Any]]] = []
    _note_queries(town.store, noted)
    listening = listen("127.0.0.1", 0)
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = Server(_app(town), listening)
    visitor = _Visitor("", secret, "p0", "", Seen())
    pages: dict[str, list[tuple[str, Sequence[Any]]]] = {}

    def ask(page: str, path: str, posted: Mapping[str, str] | None = None) -> str:
        noted.clear()
        answer = http.get(path) if posted is None else http.post(path, **visitor._form(posted))
        pages[page] = list(noted)
        return str(answer.headers["location"]) if posted is not None else answer.text

    server.start()
    try:
        with httpx.Client(base_url=base, cookies={"ketnap": secret}, timeout=120, trust_env=False) as http:
            visitor.round(ask)
            visitor.round(ask)  # what is read once a process has been read
    finally:
        server.stop()
    return {page: _replayed(file, statements) for page, statements in pages.items()}


def _note_queries(store: SqlStore, noted: list[tuple[str, Sequence[Any]]]) -> None:
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


def _replayed(file: Path, statements: Sequence[tuple[str, Sequence[Any]]]) -> int:
    raw = sqlite3.connect(file, isolation_level=None)
    try:
        found = []
        for _ in range(5):
            start = time.perf_counter()
            for sql, values in statements:
                raw.execute(sql, values).fetchall()
            found.append(time.perf_counter() - start)
        return round(statistics.median(found) * 1e6)
    finally:
        raw.close()
