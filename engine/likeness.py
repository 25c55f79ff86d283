"""Who may be entered twice: subjects whose facts are the same, found by keyed digests that say nothing by themselves.

A digest is made of the facts of one line of a workflow's `alike`, under a key of the office; what is sensitive stays
sealed. Names are compared without case, marks and tones, numbers by their digits and letters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from engine.core.events import VOID
from engine.core.values import Value, to_json
from engine.store.rows import LikenessRow

if TYPE_CHECKING:
    from engine.case import Case
    from engine.core.machine import Definition
    from engine.core.subject import Subject
    from engine.work import Work


@dataclass(frozen=True, kw_only=True, slots=True)
class Alike:
    """A subject that may be the same: where it stands, and by which facts; none of them is told."""

    subject: str
    workflow: str
    org: str
    state: str
    entered_on: date
    by: tuple[tuple[str, ...], ...]


def differ(definition: Definition, old: Mapping[str, Value], new: Mapping[str, Value]) -> bool:
    """Tells whether a change touches facts by which subjects of a workflow are compared."""
    return any(old.get(f) != new.get(f) for line in definition.file.alike for f in line)


def folded(value: Value) -> str:
    """Returns what is left of a value without case, spaces, signs, marks and tones."""
    text = unicodedata.normalize("NFD", str(to_json(value)).casefold().replace("đ", "d"))
    return "".join(c for c in text if c.isalnum())


def digests(work: Work, definition: Definition, facts: Mapping[str, Value]) -> dict[str, tuple[str, ...]]:
    """Returns the digest of each line of `alike` whose facts are all known, with the line."""
    found: dict[str, tuple[str, ...]] = {}
    for line in definition.file.alike:
        values = [facts.get(f) for f in line]
        parts = [folded(v) for v in values if v is not None]
        if len(parts) == len(line) and all(parts):
            text = "\n".join([definition.workflow, *(f"{f}={p}" for f, p in zip(line, parts, strict=True))])
            found[work.kit.master.digest(text.encode())] = tuple(line)
    return found


def keep(work: Work, cases: Iterable[Case]) -> None:
    """Keeps the digests of new subjects and of those whose facts are others now; none of what was erased or voided."""
    changed = [c for c in cases if c.definition.file.alike and (c.row is None or c.altered)]
    if not changed:
        return
    rows = [
        LikenessRow(digest=digest, subject=c.subject.id)
        for c in changed
        if c.subject.state != VOID
        for digest in digests(work, c.definition, c.subject.facts)
    ]
    work.tx.put_likenesses([c.subject.id for c in changed if c.row is not None], rows)


def begin(work: Work, definition: Definition, subject: str, facts: Mapping[str, Value]) -> list[Alike]:
    """Returns those who may be the same as a subject that begins, also of those begun in this unit of work."""
    if not definition.file.alike:
        return []
    found = alike(work, definition, facts)
    for digest in digests(work, definition, facts):
        work.begun.setdefault(digest, []).append(subject)
    return found


def alike(work: Work, definition: Definition, facts: Mapping[str, Value], *, but: Iterable[str] = ()) -> list[Alike]:
    """Returns the subjects of a workflow that may be the one with these facts, by id; never those of `but`."""
    wanted = digests(work, definition, facts)
    by: dict[str, list[tuple[str, ...]]] = {}
    stored = [(row.digest, row.subject) for row in work.tx.likenesses(wanted)] if wanted else []
    for digest, subject in [*stored, *((d, s) for d in wanted for s in work.begun.get(d, ()))]:
        if subject not in but:
            by.setdefault(subject, []).append(wanted[digest])
    work.fetch(by)
    return [_told(work.case(id).subject, lines) for id, lines in sorted(by.items())]


def _told(subject: Subject, lines: list[tuple[str, ...]]) -> Alike:
    return Alike(
        subject=subject.id,
        workflow=subject.workflow,
        org=subject.org,
        state=subject.state,
        entered_on=subject.entered_on,
        by=tuple(sorted(lines)),
    )


def learn(work: Work, workflow: str) -> None:
    """Makes the digests of all subjects of a workflow anew, after its `alike` changed."""
    definition = work.library.newest(workflow)
    if not definition.file.alike:
        return
    cases = work.adopt(r for r in work.tx.find_subjects(workflow=workflow) if r.state != VOID)
    rows = [
        LikenessRow(digest=d, subject=c.subject.id) for c in cases for d in digests(work, definition, c.subject.facts)
    ]
    work.tx.put_likenesses([c.subject.id for c in cases], rows)
