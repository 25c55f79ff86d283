"""What a command brings, read and checked: facts, and the organisations and subjects that they name."""

from __future__ import annotations

from datetime import date

from engine.core.authority import Org
from engine.core.commands import Start
from engine.core.decision import check_invalid
from engine.core.errors import BadInput, NotFound
from engine.core.machine import Definition
from engine.core.subject import Changes, changed
from engine.core.values import Value
from engine.core.views import read_facts
from engine.work import Work


def given_facts(work: Work, definition: Definition, command: Start, org: Org, on: date) -> Changes:
    """Returns the facts with which a subject begins. Raises BadInput."""
    changes = read_facts(definition, command.facts, work.calendar)
    for fact in definition.file.start.asks:
        if changes.get(fact) is None:
            raise BadInput("{workflow} asks for {fact}", workflow=command.workflow, fact=fact).about(definition)
    check_named(work, definition, changes)
    if not definition.start_fills and not definition.start_invalid:
        return changes
    begun: dict[str, Value] = {**definition.defaults, **changed({}, changes), "today": on, "org": org.id}
    begun["org_kind"] = org.kind
    filled = {f: e.evaluate(begun, work.calendar) for f, e in definition.start_fills if changes.get(f) is None}
    check_invalid(definition.start_invalid, begun, work.calendar)
    return {**changes, **{f: v for f, v in filled.items() if v is not None}}


def check_named(work: Work, definition: Definition, changes: Changes, *, past: bool = False) -> None:
    """Sees that an organisation or a subject that a fact names exists, and is of the kind asked for.

    `past`: of history, which may name what stands no more.
    """
    for name, value in changes.items():
        spec, of = definition.file.facts[name], definition.types[name].of
        if isinstance(value, dict) and of is not None and of.name == "org":
            for key, unit in value.items():
                if unit is not None and unit not in work.office.tree.by_id:
                    raise NotFound("{fact}: there is no organisation {org}", fact=f"{name}.{key}", org=unit)
        if not isinstance(value, str) or spec.type not in ("org", "subject"):
            continue
        if spec.type == "subject":
            if work.case(value).subject.workflow not in (spec.of or [work.case(value).subject.workflow]):
                raise BadInput(
                    "{fact}: {value} is not a subject of {workflow}", fact=name, value=value, workflow=spec.of
                )
            continue
        org = work.office.tree.by_id.get(value)
        if org is None:
            raise NotFound("{fact}: there is no organisation {org}", fact=name, org=value)
        if not past and name in definition.moving and org.period.ended(work.today):
            raise BadInput("{org} was closed on {day}", org=org.id, day=org.period.until)
        if spec.of and org.kind not in definition.area.kinds(spec.of):
            raise BadInput("{fact}: {org} is a {kind}", fact=name, org=value, kind=org.kind)
