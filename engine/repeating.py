"""A command that was given before: the answer it got, read back from the trail. Nothing is done twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import cast

from engine.core import events
from engine.core.commands import Move, SetFacts, Start, Undo
from engine.core.errors import Conflict, Denied
from engine.core.events import CHANGING, Entry, replay
from engine.core.guards import Force, Judgement, Result
from engine.core.machine import Definition
from engine.core.values import Json
from engine.ledger import entries
from engine.steps import Answer, By, LineAnswer
from engine.work import Work

TRIGGERS = {events.STARTED: "start", events.FACTS_SET: "set", events.UNDONE: "undo"}


def digest(command: Start | Move | SetFacts | Undo, officer: str | None) -> str:
    """Returns what tells, without repeating it, who asked for what. It is kept sealed: short facts could be guessed."""
    asked = [type(command).__name__, officer, asdict(command)]
    return hashlib.sha256(json.dumps(asked, default=str, sort_keys=True).encode()).hexdigest()[:32]


def answer_again(work: Work, event: str, subject: str, by: By) -> Answer:
    """Returns the answer that the command behind an event got. Raises Denied again where it was denied, and Conflict
    where something else is asked under the same id.

    The rules' results and versions are those of then; the facts that they read are not kept in the trail.
    """
    found = list(entries(work.tx.events(subject=subject), work.keys, work.kit.sealer))
    at = next(i for i, e in enumerate(found) if e.id == event)
    entry = found[at]
    asked = (entry.payload or {}).get("asked")
    if asked is not None and asked != by.asked:
        raise Conflict(
            "the command id {id} was used before, for something else; give this command another", id=by.command
        )
    if entry.kind == events.DENIED:
        raise Denied(why=str(entry.detail.get("why")), officer=entry.actor)
    case = work.case(subject)
    before, after = (replay(part, None, case.definition.types) for part in (found[:at], found[: at + 1]))
    answer = Answer(
        subject=subject,
        workflow=case.subject.workflow,
        trigger=TRIGGERS.get(entry.kind) or entry.trigger or "",
        source=before.state if before is not None else None,
        to=after.state if after is not None and entry.kind != events.REFUSED else None,
        version=_version(found[: at + 1]),
        event=entry.id if entry.kind in CHANGING else None,
        judgements=_judgements(case.definition, entry.rules),
        breaches=tuple(entry.breaches),
        opened=_opened(work, entry),
    )
    return replace(answer, lines=_lines(work, entry))


def _version(found: Sequence[Entry]) -> int:
    return sum(e.kind in CHANGING for e in found)


def _judgements(definition: Definition, codes: Sequence[Sequence[Json]]) -> tuple[Judgement, ...]:
    """Returns what an event keeps of its rules: result and version, without the facts."""
    judged: list[Judgement] = []
    for id, force, result, first in codes:
        rule = definition.rules.get(str(id))
        if rule is None:
            continue
        version = next((v for v in rule.versions if v.from_.isoformat() == first), None)
        judged.append(
            Judgement(
                rule=rule,
                force=cast(Force, force),
                result=cast(Result, result),
                note="",
                version=version,
                day=None,
                facts={},
                missing=(),
            )
        )
    return tuple(judged)


def _opened(work: Work, entry: Entry) -> tuple[str, ...]:
    if entry.kind != events.MOVED or entry.subject is None:
        return ()
    opened = []
    for row in work.tx.find_subjects(refers=entry.subject):
        first = next(iter(entries(work.tx.events(subject=row.id), None, work.kit.sealer)))
        if first.detail.get("opened_by") == entry.id:
            opened.append(row.id)
    return tuple(opened)


def _lines(work: Work, entry: Entry) -> tuple[LineAnswer, ...]:
    """Returns the lines of a batch that was recorded; which lines were refused stands in the refusal's event."""
    if entry.workflow is None or entry.trigger is None:
        return ()
    step = work.library.newest(entry.workflow).steps.get(entry.trigger)
    if step is None or step.batch is None:
        return ()
    moves = {line.step: do for do, line in step.batch.each.items() if line.step is not None}
    marker = f'"batch":"{entry.id}"'.encode()
    rows = [row for row in work.tx.events(after=entry.seq) if marker in row.body]
    lines = []
    for i, member in enumerate(entries(rows, work.keys, work.kit.sealer)):
        kept = member.detail.get("mentioned") is False
        do = member.detail.get("line") or moves.get(member.trigger or "")
        lines.append(
            LineAnswer(
                index=-1 if kept else i,
                subject=member.subject or "",
                workflow=member.workflow or "",
                do=str(do),
                state="kept" if kept else "done",
            )
        )
    return tuple(lines)
