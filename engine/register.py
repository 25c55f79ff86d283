"""The register of numbers given once: which number, to whom, when, by which subject, and those that were spoiled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from engine.core.collation import name_key
from engine.core.errors import BadInput
from engine.core.events import VOID
from engine.core.numbering import range_of
from engine.likeness import folded
from engine.roster import title_of
from engine.work import Case, Work


@dataclass(frozen=True, kw_only=True)
class Given:
    """A number of a range: given to somebody, or spoiled (`spoiled` says why)."""

    number: str
    subject: str | None
    title: str
    org: str | None
    on: date | None
    by: str
    by_title: str
    spoiled: str | None


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
        found += [_spoiled(number, why, giver) for number, why in range_.spoiled.items()]
    wanted = folded(text)
    shown = [
        g for g in found if any(wanted in folded(t or "") for t in (g.number, g.title, g.subject, g.by, g.by_title))
    ]
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
        spoiled=None,
    )


def _spoiled(number: str, why: str, giver: Case) -> Given:
    return Given(
        number=number,
        subject=None,
        title="",
        org=None,
        on=None,
        by=giver.subject.id,
        by_title=title_of(giver),
        spoiled=why,
    )
