"""Tables of organisations as changes: a row for each period; what closes a unit comes after all that founds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from engine.officework import OrgChange
from reports.tables import TableRow


def org_changes(rows: Sequence[TableRow]) -> list[tuple[TableRow, OrgChange]]:
    """Returns the changes of a table, in the order in which they are done: units as they stood, each after the one
    above it, then the mergers and closings from the bottom up."""
    last = {r.fields["id"]: r for r in rows}
    first = {r.fields["id"]: r for r in reversed(rows)}
    changes: list[tuple[TableRow, OrgChange]] = []
    ends: list[tuple[TableRow, OrgChange]] = []
    for row in rows:
        f = row.fields
        id, until = f["id"], f.get("until")
        drawn = OrgChange(
            id=id,
            kind=f.get("kind"),
            name=f.get("name"),
            parent=f.get("parent"),
            from_=_day(f.get("from")) or (date.min if last[id] is not row else None),
            decision=f.get("decision") if first[id] is row else None,
        )
        changes.append((row, drawn))
        if last[id] is not row or until is None:
            continue
        if merged := f.get("merged_into"):
            start = date.fromisoformat(until) + timedelta(days=1)
            ends.append((row, OrgChange(id=id, from_=start, merge_into=merged)))
        else:
            ends.append((row, OrgChange(id=id, until=date.fromisoformat(until))))
    return changes + ends[::-1]


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
