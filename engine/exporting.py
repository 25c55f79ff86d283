"""Everything that an office entered, as one document that another database takes in: nobody is locked in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from engine.core import events
from engine.core.errors import BadInput
from engine.core.events import Entry, unstamp
from engine.ledger import entries
from engine.recording import LINKS
from engine.store.rows import SubjectRow
from engine.work import Work

FORMAT = "ketnap-export/1"
PRIVATE = ("token", "password", "password_by", "feed", "bad_email", "bad_phone")  # of officers: never leaves
PAGE = 500
KEPT = (*LINKS, "line", "mentioned", "happened", "merged_from", "decision", "recorded_at")


def exported(work: Work) -> dict[str, Any]:
    """Returns the office and every subject with what happened to it, oldest first. Secrets of accounts are left out.

    What was undone is left out too: the trail keeps it, an export is what stands.
    """
    tx = work.tx
    officers = [{k: v for k, v in asdict(o).items() if k not in PRIVATE} for o in tx.officers()]
    return {
        "format": FORMAT,
        "made_at": work.ledger.at,
        "area": work.library.area.file.area,
        "orgs": sorted(({k: v for k, v in asdict(o).items() if k != "created_at"} for o in tx.orgs()), key=_org_key),
        "officers": sorted(officers, key=lambda o: str(o["id"])),
        "terms": sorted((asdict(r) for r in tx.roles()), key=lambda r: tuple(str(v) for v in r.values())),
        "substitutes": [asdict(s) for s in tx.substitutes()],
        "days": [asdict(d) for d in tx.days()],
        "subjects": [s for _, s in sorted(_subjects(work), key=lambda pair: pair[0])],
    }


def _org_key(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row["id"]), str(row["from_day"])


def _subjects(work: Work) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields each subject with the number of its first event: what another names stands before it."""
    after = ""
    while rows := work.tx.find_subjects(after=after, limit=PAGE):
        after = rows[-1].id
        work.keys.fetch(r.key_id for r in rows)
        for row in rows:
            if row.state == events.VOID:
                continue
            if work.keys.get(row.key_id) is None:
                continue  # erased for good: nothing of the person may come back
            told = list(entries(work.tx.events(subject=row.id), work.keys, work.kit.sealer))
            yield told[0].seq, _subject(work, row, told)


def _subject(work: Work, row: SubjectRow, told: Sequence[Entry]) -> dict[str, Any]:
    undone = {e.undoes for e in told if e.kind == events.UNDONE}
    standing = [e for e in told if e.kind in events.CHANGING - {events.UNDONE} and e.id not in undone]
    definition = work.library.pinned(row.workflow, row.definition)
    facts = {n: v for n, v in work.adopt([row])[0].subject.facts.items() if n in definition.types}
    return {
        "id": row.id,
        "workflow": row.workflow,
        "org": row.org,
        "state": row.state,
        "facts": events.changes_json(facts),
        "events": [_event(e) for e in standing],
    }


def _event(entry: Entry) -> dict[str, Any]:
    payload = entry.payload or {}
    detail = {k: v for k, v in entry.detail.items() if k in KEPT}
    detail.setdefault("recorded_at", entry.at)
    return {
        "id": entry.id,
        "kind": entry.kind,
        "on": entry.on,
        "trigger": entry.trigger,
        "to": entry.to,
        "org": entry.org,
        "facts": payload.get("facts") or {},
        "reason": payload.get("reason"),
        "by": list(entry.persons),
        "by_clock": not entry.by_person,
        "history": entry.history and not entry.restored,
        "breaches": list(entry.breaches),
        "detail": detail,
    }


def check_format(document: object) -> Mapping[str, Any]:
    """Returns a document that `exported` made. Raises BadInput for anything else."""
    wanted = ("orgs", "officers", "terms", "substitutes", "days", "subjects")
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadInput("this is not an export of this program ({format})", format=FORMAT)
    if not all(isinstance(document.get(k), list) for k in wanted):
        raise BadInput("the export is not whole: it has not all of {what}", what=", ".join(wanted))
    return document


def day_of(work: Work, entry: Mapping[str, Any]) -> str:
    """Returns the day of an exported event."""
    on = entry.get("on")
    if isinstance(on, str):
        return on
    return work.calendar.day_of(unstamp(str(entry["detail"]["recorded_at"]))).isoformat()
