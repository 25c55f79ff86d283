"""What a subject begins with: the organisation at which it lives, and a checkpoint of the trail where it keeps one."""

from __future__ import annotations

from collections.abc import Sequence

from engine import trail
from engine.core.authority import Org
from engine.core.errors import BadInput, NotFound
from engine.core.machine import Definition, UnitKinds
from engine.core.subject import Changes
from engine.work import Work


def home_of(work: Work, definition: Definition, id: str) -> Org:
    """Returns the organisation at which a subject is to live. Raises NotFound and BadInput."""
    org = work.office.tree.by_id.get(id)
    if org is None:
        raise NotFound("there is no organisation {org}", org=id)
    if org.period.ended(work.today):
        raise BadInput("{org} was closed on {day}", org=org.id, day=org.period.until)
    if org.kind not in definition.kinds:
        raise BadInput(
            "{workflow} does not live at {kind} ({org})", workflow=definition.workflow, kind=org.kind, org=org.id
        )
    return org


def checkpoint_facts(work: Work, definition: Definition) -> Changes:
    """Returns the facts that a subject of this workflow keeps of the trail's checkpoint, signed now."""
    known = trail.facts_of(trail.sign(work))
    return {fact: known[part] for part, fact in definition.file.checkpoint.items()}


def units_below(work: Work, org: str, kinds: Sequence[UnitKinds]) -> list[str]:
    """Returns the units of these kinds below an organisation that exist today, by id."""
    tree = work.office.tree
    found: list[str] = []
    for id in tree.below(org)[1:]:
        unit = tree.by_id[id]
        parent = tree.by_id.get(unit.parent or "")
        if unit.period.holds(work.today) and any(k.fits(unit.kind, parent.kind if parent else None) for k in kinds):
            found.append(id)
    return sorted(found)
