"""A town in a SQLite file, made through the one door, as every benchmark needs it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cli.bootstrap import build_service
from engine.clock import SetClock
from engine.core.commands import Move, Start
from engine.ledger import Via
from engine.library import find_sources
from engine.officework import OfficerChange, OrgChange
from engine.service import Service
from engine.steps import By
from engine.store.open import open_store
from engine.store.ports import Store

MASTER = hashlib.sha256(b"benchmarks, not a secret").digest()
NOW = datetime(2025, 9, 8, 2, 0, tzinfo=UTC)  # a Monday, 09:00 in the office
TODAY = date(2025, 9, 8)
COMMITTEE, CLERK = "committee", "officer"  # one unit above all branches, one officer who may take every step
BY = By(officer=CLERK)

_ROLES = ("secretary", "clerk")

REVIEW = {
    "branch_reviewed_on": "2025-09-08",
    "formal_members": "12",
    "formal_excused": "0",
    "formal_present": "12",
    "votes_for": "11",
    "papers": {"branch_resolution": "2025-09-08"},
}

_PAPERS = dict.fromkeys(
    ("certificate", "application", "life_history", "life_verification", "referral", "opinions"), "2025-08-04"
)


class SeededRandom:
    """Bytes that are the same in every run, so that two databases can be compared byte for byte. Never for secrets."""

    def __init__(self, seed: bytes = b"benchmarks") -> None:
        self._seed, self._count = seed, 0

    def __call__(self, count: int) -> bytes:
        """Returns the next bytes, at most 64."""
        self._count += 1
        return hashlib.sha512(self._seed + self._count.to_bytes(8, "big")).digest()[:count]


@dataclass(frozen=True, kw_only=True)
class Town:
    """A database with its door and its clock."""

    file: Path
    store: Store
    service: Service
    clock: SetClock

    def close(self) -> None:
        """Closes the file; its write-ahead log is moved into it."""
        self.store.close()


def open_town(file: Path, *, at: datetime = NOW, random: Callable[[int], bytes] | None = None) -> Town:
    """Opens a town's file, or makes the tables in a new one."""
    store = open_store(f"sqlite:///{file.absolute()}")
    store.create()
    clock = SetClock(at)
    via = Via(channel="cli", account="clerk")
    service = build_service(store, clock, via, master=MASTER, random=random or os.urandom)
    return Town(file=file, store=store, service=service, clock=clock)


def copy_of(file: Path, to: Path, *, at: datetime = NOW, random: Callable[[int], bytes] | None = None) -> Town:
    """Copies the file of a closed town and opens the copy."""
    shutil.copyfile(file, to)
    return open_town(to, at=at, random=random)


@contextmanager
def fresh(file: Path, folder: Path) -> Iterator[Path]:
    """Gives a copy of a closed town's file, and takes it away again with what SQLite put beside it."""
    copy = folder / "fresh.db"
    shutil.copyfile(file, copy)
    try:
        yield copy
    finally:
        for beside in folder.glob("fresh.db*"):
            beside.unlink()


def found(town: Town, branches: int, *, told: bool = False) -> None:
    """Founds the office: branches under a committee, with one officer there who is told of everything below.

    `told`: that officer sits higher up, where notices do not go, and each branch has a secretary of its own; so every
    notice is a message of its own.
    """
    town.service.load(find_sources(["admission"]), sandbox=True)
    hand = town.service.set_up()
    hand.orgs(
        [
            OrgChange(id="province", kind="province_committee", name="Tỉnh ủy"),
            OrgChange(id=COMMITTEE, kind="grassroots_committee", name="Đảng ủy xã A", parent="province"),
            *(OrgChange(id=branch(n), kind="branch", name=f"Chi bộ {n}", parent=COMMITTEE) for n in range(branches)),
        ]
    )
    place = "province" if told else COMMITTEE
    officers = [OfficerChange(id=CLERK, name="Nguyễn Thị Lan", org=place, roles=_ROLES, email="lan@example.org")]
    if told:
        officers += [
            OfficerChange(
                id=f"secretary-{n}", name="Trần Văn Bình", org=branch(n), roles=["secretary"], email=f"b{n}@example.org"
            )
            for n in range(branches)
        ]
    hand.officers(officers)


def branch(n: int) -> str:
    """Returns the id of a branch."""
    return f"branch-{n}"


def candidate(n: int) -> str:
    """Returns the id of a candidate."""
    return f"candidate-{n}"


def begin(n: int, branches: int, certificate_on: date) -> tuple[Start, Sequence[Move]]:
    """Returns the commands that bring one candidate to an open dossier."""
    facts = {
        "full_name": f"Nguyễn Văn {n}",
        "birth_date": "1994-05-17",
        "sex": "male",
        "ethnicity": "Kinh",
        "religion": "none",
        "id_number": f"0010940{n:05d}",
        "education": "upper_secondary",
        "occupation": "Công nhân",
        "residence": "Thôn 6, xã A",
        "introduced_by": COMMITTEE,
        "introduced_on": "2024-01-08",
        "motives": "Phấn đấu, rèn luyện theo lý tưởng của Đảng",
        "helper": "Lê Thị Mai",
        "helper_is_formal": "true",
        "helper_together_since": "2022-03-01",
        "second_referrer": "Phạm Văn Dũng",
        "second_referrer_is_formal": "true",
    }
    certificate = {
        "certificate_no": f"{n}/GCN",
        "certificate_issuer": "Trung tâm Chính trị",
        "certificate_on": certificate_on.isoformat(),
    }
    start = Start(workflow="candidate", org=branch(n % branches), id=candidate(n), facts=facts)
    moves = [
        Move(subject=candidate(n), trigger="recognise", facts={"branch_proposed_on": "2024-03-04"}),
        Move(subject=candidate(n), trigger="certify", facts=certificate),
        Move(
            subject=candidate(n),
            trigger="open_dossier",
            facts={"application_on": "2025-08-04", "papers": dict(_PAPERS)},
        ),
    ]
    return start, moves


def populate(town: Town, ids: Iterable[int], branches: int, certificate: Callable[[int], date] | None = None) -> None:
    """Brings candidates to an open dossier, four steps each, in transactions of 500 candidates."""
    at = certificate or (lambda _: date(2024, 6, 3))
    numbers = list(ids)
    for first in range(0, len(numbers), 500):
        begun = [begin(n, branches, at(n)) for n in numbers[first : first + 500]]
        town.service.start_many([start for start, _ in begun], BY)
        for turn in range(3):
            answers = town.service.move_many([moves[turn] for _, moves in begun], BY)
            if not all(a.allowed for a in answers):
                raise RuntimeError("the benchmark's own candidates were refused")


def review(n: int) -> Move:
    """Returns the step that is measured: six guards, six facts."""
    return Move(subject=candidate(n), trigger="branch_review", facts=REVIEW)


def made(folder: Path, name: str, candidates: int, branches: int = 20) -> Path:
    """Makes a town with candidates whose dossiers are open; returns its closed file."""
    town = open_town(folder / f"{name}.db", at=NOW - timedelta(days=1))
    found(town, branches)
    populate(town, range(candidates), branches)
    town.close()
    return town.file
