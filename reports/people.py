"""Who is the same person, and what a list changes: who is new, who has new facts, who stays as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from engine.core.values import Value
from reports.readers import Fact
from reports.remarks import Remark, remark, same_person_as
from reports.words import tidy


@dataclass(frozen=True, kw_only=True)
class PersonRow:
    """One person read: where from, the unit, and the facts as `engine.core.values.parse` takes them."""

    sheet: str
    row: int
    org_id: str
    facts: dict[str, Fact]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a file gave. `read` counts the rows that stand for a person, rejected ones included."""

    rows: tuple[PersonRow, ...]
    rejected: tuple[Remark, ...]
    warnings: tuple[Remark, ...]
    read: int
    names: Mapping[tuple[str, int], str] = field(default_factory=dict)  # of rejected rows, by sheet and row


@dataclass(frozen=True, kw_only=True)
class Known:
    """By what a person is known again: the name, the birth date or the year alone, and the unit."""

    name: str
    birth_date: date | None
    birth_year: int | None
    org_id: str

    @classmethod
    def of(cls, facts: Mapping[str, object], org_id: str) -> Known:
        """Returns what a person is known by, from their facts."""
        born, year = facts.get("birth_date"), facts.get("birth_year")
        birth_date = born if isinstance(born, date) else None
        birth_year = birth_date.year if birth_date else year if isinstance(year, int) else None
        return cls(
            name=tidy(str(facts.get("full_name", ""))).casefold(),
            birth_date=birth_date,
            birth_year=birth_year,
            org_id=org_id,
        )

    @property
    def key(self) -> tuple[str, str]:
        """The unit and the name: two persons with different keys are never the same."""
        return self.org_id, self.name


def same_person(one: Known, other: Known) -> bool:
    """Whether two are the same: name and unit, and the birth date, or the year where one has no more than that.

    Two of whom no birth is known are the same by name and unit; one with and one without are not.
    """
    if one.key != other.key:
        return False
    if one.birth_date and other.birth_date:
        return one.birth_date == other.birth_date
    return one.birth_year == other.birth_year


@dataclass(frozen=True, kw_only=True)
class Existing:
    """A person who is already there."""

    id: str
    org_id: str
    facts: Mapping[str, Value]


@dataclass(frozen=True, kw_only=True)
class Change:
    """What one row does. `id` is the person's, None for a new one; `facts` are those to write, None to make unknown."""

    row: PersonRow
    kind: Literal["create", "update", "unchanged"]
    id: str | None
    facts: dict[str, str | int | date | None]


@dataclass(frozen=True, kw_only=True)
class ImportPlan:
    """What a list changes; nothing is to be done where `rejected` is not empty."""

    creates: tuple[Change, ...]
    updates: tuple[Change, ...]
    unchanged: tuple[Change, ...]
    rejected: tuple[Remark, ...]
    warnings: tuple[Remark, ...]


def match_person(existing: Iterable[Existing], row: PersonRow) -> list[Existing]:
    """Returns the persons that a row means: those with the whole birth date first, else those with the year."""
    wanted = Known.of(row.facts, row.org_id)
    same = [person for person in existing if same_person(Known.of(person.facts, person.org_id), wanted)]
    exact = [person for person in same if Known.of(person.facts, person.org_id).birth_date == wanted.birth_date]
    return exact or same


def plan_import(reading: Reading, existing: Sequence[Existing]) -> ImportPlan:
    """Compares what was read with who is there. A person is never doubled, and the same list again changes nothing.

    Cells that say nothing change nothing. A row that fits several persons is rejected.
    """
    by_key: dict[tuple[str, str], list[Existing]] = {}
    for person in existing:
        by_key.setdefault(Known.of(person.facts, person.org_id).key, []).append(person)
    changes: list[Change] = []
    rejected, warnings = list(reading.rejected), list(reading.warnings)
    taken: dict[str, PersonRow] = {}
    for row in reading.rows:
        namesakes = by_key.get(Known.of(row.facts, row.org_id).key, [])
        found = match_person(namesakes, row)
        if len(found) > 1:
            message, params = "fits {count} persons: {ids}", {"count": len(found), "ids": _ids(found)}
            rejected.append(remark(row.sheet, row.row, None, "", message, dict(params)))
        elif found and (other := taken.get(found[0].id)):
            message, params = same_person_as(row.sheet, other.sheet, other.row)
            rejected.append(remark(row.sheet, row.row, None, "", message, params))
        elif found:
            taken[found[0].id] = row
            changes.append(_change(row, found[0]))
        else:
            if namesakes:
                message, params = "another of this name is in the same unit ({ids}); entered as a new person", {}
                warnings.append(remark(row.sheet, row.row, None, "", message, {**params, "ids": _ids(namesakes)}))
            changes.append(Change(row=row, kind="create", id=None, facts=dict(row.facts)))
    return ImportPlan(
        creates=tuple(c for c in changes if c.kind == "create"),
        updates=tuple(c for c in changes if c.kind == "update"),
        unchanged=tuple(c for c in changes if c.kind == "unchanged"),
        rejected=tuple(rejected),
        warnings=tuple(warnings),
    )


def _change(row: PersonRow, person: Existing) -> Change:
    facts: dict[str, str | int | date | None] = {}
    for fact, value in row.facts.items():
        if fact == "birth_year" and person.facts.get("birth_date") is not None:
            continue  # the whole date says more
        before = person.facts.get(fact)
        if fact == "full_name" and tidy(str(before)).casefold() == tidy(str(value)).casefold():
            continue  # only the case or the form of the letters differs
        if before != value and not (isinstance(before, bool) and value == str(before).lower()):
            facts[fact] = value
    if "birth_date" in facts and person.facts.get("birth_year") is not None:
        facts["birth_year"] = None
    return Change(row=row, kind="update" if facts else "unchanged", id=person.id, facts=facts)


def _ids(people: Sequence[Existing]) -> str:
    return ", ".join(person.id for person in people)
