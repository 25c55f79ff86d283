"""The documents of sheets and number registers, for programs and for pages, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.answers import ENTER, Document, Teller
from engine.core.machine import Definition
from engine.core.values import Value, to_json
from engine.register import Given
from engine.sheets import Choice, Row, Sheet, Unit


def sheet_document(teller: Teller, sheet: Sheet, definition: Definition, others: Mapping[str, Definition]) -> Document:
    """Returns a sheet. `others` are the definitions of those on it, by workflow."""
    return {
        "subject": sheet.subject,
        "workflow": definition.workflow,
        "trigger": sheet.trigger,
        "label": teller.text(sheet.step.label),
        "on": sheet.day.isoformat(),
        "lines": {name: teller.text(line.spec.label) for name, line in sheet.step.lines.items()},
        "rows": [_row(teller, row, definition, sheet, others[row.workflow]) for row in sheet.rows],
        "units": [_unit(teller, unit, definition) for unit in sheet.units],
    }


def _row(teller: Teller, row: Row, definition: Definition, sheet: Sheet, other: Definition) -> Document:
    return {
        "subject": row.subject,
        "workflow": row.workflow,
        "title": row.title or row.subject,
        "org": row.org,
        "org_name": row.org_name,
        "state": row.state,
        "state_label": teller.state(other, row.state),
        "entered_on": row.entered_on.isoformat(),
        "facts": teller.values(row.facts),
        "shown": [
            {"fact": n, "label": teller.fact(other, n), "value": shown(teller, other, n, v)}
            for n, v in row.facts.items()
        ],
        "entries": teller.values(row.entries),
        "entries_shown": [
            {"fact": n, "label": teller.fact(definition, n), "value": shown(teller, definition, n, v)}
            for n, v in row.entries.items()
        ],
        "suggested": row.suggested,
        "otherwise": row.otherwise,
        "choices": [_choice(teller, choice, sheet, other) for choice in row.choices],
    }


def shown(teller: Teller, definition: Definition, name: str, value: Value) -> str:
    """Returns a value of a fact, or of an entry of a map, as people read it."""
    spec = definition.file.facts[name]
    if isinstance(value, bool):
        return teller.say("yes") if value else teller.say("no")
    listed = definition.area.file.lists.get((spec.of or [""])[0], {})
    entry = listed.get(str(value)) if spec.type in ("choice", "map") else None
    if entry is not None:
        return teller.text(entry.label)
    text = str(to_json(value))
    return "/".join(reversed(text.split("-"))) if "date" in (spec.type, *(spec.of or ())) else text


def _choice(teller: Teller, choice: Choice, sheet: Sheet, other: Definition) -> Document:
    todo: list[str] = []
    if choice.missing:
        todo.append(teller.say(ENTER, what=teller.facts(other, choice.missing)))
    for j in choice.judgements:
        if j.result != "pass" and j.force != "warn":
            todo.append(teller.text(j.rule.mend) if j.rule.mend is not None else teller.message(other, j))
    if choice.invalid is not None:
        todo.append(teller.invalid(choice.invalid))
    return {
        "line": choice.line,
        "label": teller.text(sheet.step.lines[choice.line].spec.label),
        "do": choice.do,
        "possible": choice.possible,
        "denied": choice.denied,
        "asks": list(choice.missing),
        "invalid": teller.invalid(choice.invalid) if choice.invalid is not None else None,
        "guards": [teller.judgement(other, j) for j in choice.judgements],
        "next": list(dict.fromkeys(todo)),
    }


def _unit(teller: Teller, unit: Unit, definition: Definition) -> Document:
    return {
        "org": unit.org,
        "name": unit.name,
        "kind": unit.kind,
        "entries": teller.values(unit.entries),
        "entries_shown": [
            {"fact": n, "label": teller.fact(definition, n), "value": shown(teller, definition, n, v)}
            for n, v in unit.entries.items()
        ],
    }


def line_document(teller: Teller, detail: Mapping[str, Any], definitions: Mapping[str, Definition]) -> Document | None:
    """Returns of which step that moves many an event of somebody's history is a line; None when it is of none.

    `detail` is the event's; `definitions` the newest, by workflow.
    """
    of = detail.get("batch_of")
    if not isinstance(of, list) or len(of) != 3:
        return None
    workflow, subject, trigger = (str(part) for part in of)
    definition = definitions.get(workflow)
    step = definition.steps.get(trigger) if definition is not None else None
    line = step.lines.get(str(detail.get("line"))) if step is not None else None
    named = [teller.text(definition.file.title)] if definition is not None else [workflow]
    named += [teller.text(step.label)] if step is not None else [trigger]
    named += [teller.text(line.spec.label)] if line is not None else [str(detail.get("line"))]
    mentioned = detail.get("mentioned") is not False
    label = f"{': '.join(named)} ({subject})" + ("" if mentioned else f"; {teller.say('not mentioned')}")
    return {"workflow": workflow, "subject": subject, "trigger": trigger, "label": label, "mentioned": mentioned}


def register_document(found: Sequence[Given]) -> list[dict[str, Any]]:
    """Returns a register of numbers."""
    return [
        {
            "number": g.number,
            "subject": g.subject,
            "title": g.title or None,
            "org": g.org,
            "on": g.on.isoformat() if g.on is not None else None,
            "by": g.by,
            "by_title": g.by_title or None,
            "spoiled": g.spoiled,
            "copy_of": g.copy_of,
            "why": g.why,
        }
        for g in found
    ]
