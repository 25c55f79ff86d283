"""Drafts: what officers fill in for a step before it is recorded, kept sealed until it is, or until it is put aside.

A draft is nothing that happened: the trail does not speak of it, and nothing is judged by it. It belongs to a subject
and a step (and to one unit, where the units below fill in their own); whoever may take the step goes on with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.audit.seal import KeyErased
from engine.core.errors import Conflict
from engine.store.rows import DraftRow
from engine.work import Case, Work

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A draft: the pairs of a form as they were typed, who saved it last and when."""

    pairs: Pairs
    officer: str
    saved_at: str
    version: int


class DraftChanged(Conflict):
    """Somebody else saved this draft meanwhile; yours was not saved over it."""


def read(work: Work, case: Case, name: str) -> Draft | None:
    """Returns the draft of a step, or None."""
    row = next((r for r in work.tx.drafts([case.subject.id]) if r.name == name), None)
    pairs = _open(work, row) if row is not None else None
    if row is None or pairs is None:
        return None
    return Draft(pairs=pairs, officer=row.officer, saved_at=row.saved_at, version=row.version)


def save(work: Work, case: Case, name: str, pairs: Pairs, officer: str, seen: int) -> Draft:
    """Saves a draft over the version that was seen (0: none). Raises DraftChanged where another one stands."""
    row = next((r for r in work.tx.drafts([case.subject.id]) if r.name == name), None)
    standing = row.version if row is not None else 0
    if standing != seen:
        raise DraftChanged()
    data = json.dumps([list(p) for p in pairs], ensure_ascii=False).encode()
    made = DraftRow(
        subject=case.subject.id,
        name=name,
        officer=officer,
        saved_at=work.ledger.at,
        version=standing + 1,
        key_id=case.key_id,
        sealed=work.kit.sealer.seal(work.keys.make(case.key_id), data, _bound(case.subject.id, name)),
    )
    work.keys.flush()
    work.tx.put_drafts([made])
    return Draft(pairs=tuple(pairs), officer=officer, saved_at=made.saved_at, version=made.version)


def drop(work: Work, subject: str, name: str | None = None) -> None:
    """Puts the draft of a step aside, or all of a subject's."""
    rows = [r for r in work.tx.drafts([subject]) if name in (None, r.name)]
    if rows:
        work.tx.delete_drafts(rows)


def forget(work: Work, subjects: Iterable[str]) -> None:
    """Deletes the drafts of these subjects, and every draft that speaks of one of them: they are erased."""
    gone = set(subjects)
    rows = [r for r in work.tx.drafts() if r.subject in gone or _speaks_of(_open(work, r), gone)]
    if rows:
        work.tx.delete_drafts(rows)


def _speaks_of(pairs: Pairs | None, subjects: set[str]) -> bool:
    return pairs is None or any(part in subjects for name, _ in pairs for part in name.split(":"))


def _open(work: Work, row: DraftRow) -> Pairs | None:
    """Returns what a draft holds; None once its key is erased."""
    try:
        data = work.kit.sealer.open(work.keys.get(row.key_id), row.sealed, _bound(row.subject, row.name))
    except KeyErased:
        return None
    return tuple((str(n), str(v)) for n, v in json.loads(data))


def _bound(subject: str, name: str) -> bytes:
    return f"draft:{subject}:{name}".encode()
