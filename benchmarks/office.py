"""A whole office for `web`: province, town, agencies, committees with their branches, officers, people, plans.

Who reads how much differs: an inspector of the province reads all, the town's agency all but one unit, one committee
has grown to a fifth of all units (as after a merger), the others have a dozen.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from benchmarks.town import NOW, TODAY, Town
from engine.core.commands import Move, Start
from engine.library import find_sources
from engine.officework import OfficerChange, OrgChange
from engine.steps import By

BRANCHES = 11  # below a committee, but the large one
FOUNDED = datetime(2024, 12, 30, 2, 0, tzinfo=UTC)
OPENED = datetime(2025, 1, 3, 2, 0, tzinfo=UTC)  # the plans of the year have opened
LARGE = "xa0"
USUAL = 40  # people of the last committee in every town, as many as a committee has; the others grow with the town

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý")
_MIDDLE = ("Thị", "Văn", "Đình", "Hữu", "Ngọc", "Minh", "Quốc", "Thanh", "Đức", "Xuân")
_GIVEN = ("An", "Ánh", "Bình", "Dũng", "Giang", "Hà", "Hạnh", "Hoa", "Hùng", "Lan", "Linh", "Long", "Mai", "Nga", "Yến")

# In every town so many bear one name, and of so many a certificate runs out soon, so that the pages that find them are
# full pages with few people as with many.
ALIKE, ENDING = 60, 60
SOUGHT = "Nguyễn Văn An"
CERTIFIED = 8  # one in so many has a certificate
VALID = 1825  # days for which it is good

# role and place of the first officers; the others are secretaries and clerks of committees, two of each
_FIRST = (
    ("clerk", "tcnv"),
    ("inspector", "tinh"),
    ("secretary", LARGE),
    ("admin", "tu"),
    ("inspector", "ubkt"),
    ("inspector", LARGE),
    ("clerk", "tcnv"),
    ("inspector", "tinh"),
)


@dataclass(frozen=True)
class Place:
    """An officer, the unit they serve, a person whose page they open, and the fact of this person that they write.

    Two officers of one committee write two facts of the same person; '' is for those who write none.
    """

    officer: str
    unit: str
    person: str
    fact: str = ""


def found(town: Town, officers: int, units: int) -> list[Place]:
    """Founds the office, with all that opens by itself in the first days of its year; returns its officers.

    The town was opened `at=FOUNDED`. At least six officers are needed, and 24 units (committees and branches).
    """
    town.service.load(find_sources(["admission"]), sandbox=True)
    committees = _committees(units)
    orgs = [
        OrgChange(id="tinh", kind="province_committee", name="Tỉnh ủy"),
        OrgChange(id="tu", kind="town_committee", name="Thị ủy", parent="tinh"),
        OrgChange(id="tcnv", kind="organisation_agency", name="Cơ quan Tổ chức - Nội vụ", parent="tu"),
        OrgChange(id="ubkt", kind="inspection_commission", name="Ủy ban Kiểm tra", parent="tu"),
        OrgChange(id="doan", kind="youth_union", name="Thị đoàn", parent="tu"),
    ]
    for committee, branches in committees.items():
        number = committee.removeprefix("xa")
        orgs.append(OrgChange(id=committee, kind="grassroots_committee", name=f"Đảng ủy xã {number}", parent="tu"))
        orgs += [
            OrgChange(id=b, kind="branch", name=f"Chi bộ {b.removeprefix('cb')}", parent=committee) for b in branches
        ]
    hand = town.service.set_up()
    hand.orgs(orgs)
    places = _places(officers, list(committees))
    people = [
        OfficerChange(id=p.officer, account=p.officer, name="Trần Bình", org=p.unit, roles=[p.officer.split("-")[0]])
        for p in places
    ]
    for committee in committees:  # who enters everybody, and then looks at nothing
        people.append(
            OfficerChange(id=f"maker-{committee}", name="Lê Mai", org=committee, roles=["secretary", "clerk"])
        )
    hand.officers(people)
    town.service.tick()
    town.clock.set(OPENED)
    town.service.tick()
    return places


def usual_committee(units: int) -> str:
    """Returns the committee that has as many people in every town."""
    return list(_committees(units))[-1]


def _committees(units: int) -> dict[str, list[str]]:
    """Returns the committees with their branches: so many units in all."""
    others = (units - units // 5) // (BRANCHES + 1)
    rest = units - others * (BRANCHES + 1) - 1
    sizes = [rest, *[BRANCHES] * others]
    return {f"xa{c}": [f"cb{c}-{b}" for b in range(size)] for c, size in enumerate(sizes)}


def _places(officers: int, committees: list[str]) -> list[Place]:
    first = [Place(officer=f"{role}-{n}", unit=unit, person="p0") for n, (role, unit) in enumerate(_FIRST)]
    places = first[: max(4, officers - 4)]
    pairs = -(-(officers - len(places)) // 2)
    near = list(dict.fromkeys([*committees[1:pairs], committees[-1]]))
    for n in range(officers - len(places)):
        at = near[n // 2 % len(near)]
        role, fact = (("secretary", "occupation"), ("clerk", "residence"))[n % 2]
        if n // 2 >= len(near):
            fact = ""
        places.append(Place(officer=f"{role}-{len(places)}", unit=at, person=f"of-{at}", fact=fact))
    return places


def populate(town: Town, people: int, units: int) -> None:
    """Begins people in every branch, of whom one in four is recognised and one in eight has a certificate.

    The first of a committee is `of-COMMITTEE`, the very first `p0`.
    """
    town.clock.set(NOW - timedelta(days=1))
    town.service.tick()
    committees = _committees(units)
    crowd = _Crowd(people, [(c, b) for c, below in committees.items() for b in below])
    for committee in committees:
        mine = list(crowd.of(committee).items())
        for first in range(0, len(mine), 500):
            crowd.enter(town, dict(mine[first : first + 500]), committee)


class _Crowd:
    """Makes up so many people, of whom each branch has its share."""

    def __init__(self, people: int, branches: list[tuple[str, str]]) -> None:
        self._people, self._branches, self._pick = people, branches, random.Random(7)

    def of(self, committee: str) -> dict[int, str]:
        """Returns the ids of a committee's people by their number."""
        every, usual = len(self._branches), self._branches[-1][0]
        mine = [n for n in range(self._people) if self._branches[n % every][0] == committee]
        mine = mine[:USUAL] if committee == usual else mine
        first = "p0" if committee == LARGE else f"of-{committee}"
        return {n: first if n == mine[0] else f"p{n}" for n in mine}

    def enter(self, town: Town, people: Mapping[int, str], committee: str) -> None:
        """Begins people, recognises some and gives some of these their certificate."""
        by, every = By(officer=f"maker-{committee}"), len(self._branches)
        town.service.start_many([self._start(n, id, committee) for n, id in people.items()], by)
        proposed = {"branch_proposed_on": (TODAY - timedelta(days=20)).isoformat()}
        chosen = [id for n, id in people.items() if n // every % 4 == 3]
        town.service.move_many([Move(subject=i, trigger="recognise", facts=proposed) for i in chosen], by)
        certified = [Move(subject=i, trigger="certify", facts=self._certificate()) for i in chosen[::2]]
        town.service.move_many(certified, by)

    def _start(self, n: int, id: str, committee: str) -> Start:
        name = SOUGHT if n % max(1, self._people // ALIKE) == 0 else self._name()
        return Start(
            workflow="candidate",
            org=self._branches[n % len(self._branches)][1],
            id=id,
            facts={
                "full_name": name,
                "birth_date": date(1995, 1, 1 + n % 28).isoformat(),
                "sex": ("male", "female")[n % 2],
                "education": "upper_secondary",
                "introduced_by": committee if n % 4 else "doan",
                "helper": "Lê Thị Mai",
                "helper_is_formal": "true",
                "helper_together_since": "2022-03-01",
                "motives": "Phấn đấu",
            },
            on=TODAY - timedelta(days=30 + self._pick.randrange(700)),
        )

    def _name(self) -> str:
        return " ".join(map(self._pick.choice, (_FAMILY, _MIDDLE, _GIVEN, _GIVEN)))

    def _certificate(self) -> dict[str, object]:
        """Returns a certificate of the last five years, and of so many people in every town one of almost five years
        ago."""
        ending = self._pick.random() < ENDING * CERTIFIED / self._people
        days = VALID - self._pick.randrange(1, 30) if ending else self._pick.randrange(30, VALID)
        return {
            "certificate_no": "1/GCN",
            "certificate_issuer": "Trung tâm Chính trị",
            "certificate_on": (TODAY - timedelta(days=days)).isoformat(),
        }
