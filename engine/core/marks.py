"""What is to be seen of an entry at a glance: entered late, history, corrected, undone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from engine.core.events import CHANGING, FACTS_SET, UNDONE, VOIDED, Entry
from engine.core.values import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrected:
    """A value that was written and then put right: by which entry, and what stands now instead (None: unknown)."""

    fact: str  # `name`, or `name.key` for an entry of a map
    was: Json
    now: Json
    written_by: str  # event
    corrected_by: str  # event
    at: str
    actor: str | None


@dataclass(kw_only=True, slots=True)
class Mark:
    """`delay_days`: from the day it happened to the day it was first recorded; 0 for history out of the files, which is
    no late entry. What an export brought keeps the delay that it had where it comes from."""

    delay_days: int = 0
    history: bool = False
    undone_by: str | None = None
    corrected_by: list[str] = field(default_factory=list)  # entries that put a fact of it right
    corrects: list[Corrected] = field(default_factory=list)  # what it puts right itself


def marks(entries: Sequence[Entry], day_of: Callable[[str], date]) -> Mapping[str, Mark]:
    """Returns the marks of a subject's entries, by event. `day_of` gives the office's day of a recorded time."""
    undone = {e.undoes: e.id for e in entries if e.kind in (UNDONE, VOIDED) and e.undoes}
    found: dict[str, Mark] = {}
    written: dict[str, tuple[Json, str]] = {}  # fact -> value and the event that wrote it
    for entry in entries:
        mark = found[entry.id] = Mark(history=entry.history, undone_by=undone.get(entry.id))
        if entry.happened is not None and (not entry.history or entry.restored):
            mark.delay_days = max(0, (day_of(entry.entered) - date.fromisoformat(entry.happened)).days)
        if entry.kind not in CHANGING or mark.undone_by is not None:
            continue
        puts_right = entry.kind == FACTS_SET and "batch" not in entry.detail
        for fact, value in _written(entry):
            before = written.get(fact)
            if puts_right and before is not None and before[0] != value and before[0] is not None:
                mark.corrects.append(
                    Corrected(
                        fact=fact,
                        was=before[0],
                        now=value,
                        written_by=before[1],
                        corrected_by=entry.id,
                        at=entry.at,
                        actor=entry.actor,
                    )
                )
                found[before[1]].corrected_by.append(entry.id)
            written[fact] = (value, entry.id)
    return found


def corrections(found: Mapping[str, Mark]) -> list[Corrected]:
    """Returns every value that was put right, oldest first."""
    return [c for mark in found.values() for c in mark.corrects]


def _written(entry: Entry) -> list[tuple[str, Json]]:
    facts = (entry.payload or {}).get("facts")
    if not isinstance(facts, dict):
        return []
    flat: list[tuple[str, Json]] = []
    for name, value in facts.items():
        flat += [(f"{name}.{k}", v) for k, v in value.items()] if isinstance(value, dict) else [(name, value)]
    return flat
