"""Tables that begin subjects: a column for the organisation, and one for each fact, by its id or its label."""

from __future__ import annotations

from typing import Any

from engine.core.machine import Definition
from reports.profiles import Profile

READ = {"date": "day"}


def start_profile(definition: Definition) -> Profile:
    """Returns how a table for a workflow is read."""
    columns: list[dict[str, Any]] = [
        {"to": "org", "read": "code", "required": True, "headings": ["org", "Đơn vị", "Mã đơn vị", "Organisation"]},
        {"to": "id", "read": "code", "headings": ["id", "Mã"]},
    ]
    for name, fact in definition.file.facts.items():
        if fact.worked_out or fact.type in ("map", "datetime"):
            continue
        column: dict[str, Any] = {"to": name, "read": READ.get(fact.type, "text")}
        column["headings"] = list(dict.fromkeys([name, fact.label.vi, fact.label.en]))
        if fact.type == "choice" and fact.of:
            entries = definition.area.file.lists[fact.of[0]]
            column["values"] = {code: [code, entry.label.vi, entry.label.en] for code, entry in entries.items()}
        columns.append(column)
    return Profile.model_validate({"name": definition.workflow, "required": "org", "columns": columns})
