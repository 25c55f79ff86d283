"""The register of numbers given once: which, to whom, when, by which subject; those spoiled, and later copies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from engine.core.collation import name_key
from engine.core.errors import BadInput
from engine.core.events import VOID, written_entries
from engine.core.numbering import range_of
from engine.keyed import copies_of
from engine.ledger import entries
from engine.likeness import folded
from engine.roster import title_of
from engine.work import Case, Work


@dataclass(frozen=True, kw_only=True)
class Given:
    """A number of a range: given to somebody, or spoiled (`spoiled` says why); or a later copy of one.

    `on` is the day on which it was given or spoiled; of a copy `copy_of` is the number copied, `why` its reason.
    """

    number: str
    subject: str | None
    title: str
    org: str | None
    on: date | None
    by: str
    by_title: str
    spoiled: str | None = None
    copy_of: str | None = None
    why: str | None = None


def numbers_given(work: Work, workflow: str, text: str = "") -> list[Given]:
    """Returns the register by number; only lines in which `text` stands, with or without capitals and marks."""
    spec = work.library.newest(workflow).file.numbers
    if spec is None:
        raise BadInput("{workflow} gives no numbers", workflow=workflow)
    givers = work.adopt(r for r in work.tx.find_subjects(workflow=workflow) if r.state != VOID)
    held = {giver.subject.id: range_of(spec, giver.subject.facts) for giver in givers}
    work.fetch(id for range_ in held.values() for id in range_.given)
    found: list[Given] = []
    for giver in givers:
        range_ = held[giver.subject.id]
        day = work.view(giver).get(spec.on) if spec.on is not None else None
        on = day if isinstance(day, date) else None
        found += [_given(work.case(id), number, on, giver) for id, number in range_.given.items()]
        if range_.spoiled:
            days = _days(work, giver, spec.spoiled or "")
            found += [_spoiled(number, why, days.get(number), giver) for number, why in range_.spoiled.items()]
    found += [_copied(work, number, copy) for number, copy in copies_of(work, workflow).items()]
    wanted = folded(text)
    shown = [g for g in found if any(wanted in folded(t or "") for t in _searched(g))]
    return sorted(shown, key=lambda g: (g.number, name_key(g.title)))


def _given(case: Case, number: str, on: date | None, giver: Case) -> Given:
    return Given(
        number=number,
        subject=case.subject.id,
        title=title_of(case),
        org=case.subject.org,
        on=on,
        by=giver.subject.id,
        by_title=title_of(giver),
    )


def _searched(given: Given) -> tuple[str | None, ...]:
    return (given.number, given.title, given.subject, given.by, given.by_title, given.copy_of)


def _days(work: Work, giver: Case, fact: str) -> dict[str, date]:
    told = entries(work.tx.events(subject=giver.subject.id), work.keys, work.kit.sealer)
    return {key: on for key, (_, on) in written_entries(told, fact).items()}


def _copied(work: Work, number: str, copy: Case) -> Given:
    spec = copy.definition.file.copies
    assert spec is not None
    facts = copy.subject.facts
    person = facts.get(spec.to)
    case = work.case(person) if isinstance(person, str) else copy
    on, original, why = facts.get(spec.on), facts.get(spec.original), facts.get(spec.why)
    return Given(
        number=number,
        subject=case.subject.id,
        title=title_of(case),
        org=case.subject.org,
        on=on if isinstance(on, date) else None,
        by=copy.subject.id,
        by_title=title_of(copy),
        copy_of=str(original or ""),
        why=str(why or ""),
    )


def _spoiled(number: str, why: str, on: date | None, giver: Case) -> Given:
    return Given(
        number=number,
        subject=None,
        title="",
        org=None,
        on=on,
        by=giver.subject.id,
        by_title=title_of(giver),
        spoiled=why,
    )
