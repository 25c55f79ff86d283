"""What is written into a subject's maps: their keys name what there is, and a number is given once."""

from __future__ import annotations

from collections import Counter

from engine.core.errors import BadInput, NotFound
from engine.core.events import VOID
from engine.core.machine import Definition
from engine.core.numbering import Range, range_of
from engine.core.subject import Changes, changed
from engine.core.values import Facts
from engine.work import Case, Work


def check_written(work: Work, definition: Definition, id: str, org: str, facts: Facts, changes: Changes) -> None:
    """Sees that the keys of maps name subjects or organisations of the unit's tree, and that no number is given twice.

    `facts` are those before `changes`. Raises BadInput and NotFound.
    """
    if not definition.keyed:
        return
    for name, change in changes.items():
        keys = definition.file.facts[name].keys
        if isinstance(change, dict) and keys in ("orgs", "subjects"):
            written = [k for k, v in change.items() if v is not None]
            _check_keys(work, definition, name, keys, written, org)
    _check_numbers(work, definition, id, facts, changes)
    _check_copy(work, definition, id, changes)


def _check_keys(work: Work, definition: Definition, name: str, kind: str, keys: list[str], org: str) -> None:
    if definition.types[name].keys is not None:
        return  # a list of codes that happens to be called so
    tree = set(tree_of(work, org))
    if kind == "subjects":
        work.fetch(keys)
    for key in keys:
        if kind == "orgs" and key not in work.office.tree.by_id:
            raise NotFound("{fact}: there is no organisation {org}", fact=name, org=key)
        if (key if kind == "orgs" else work.case(key).subject.org) not in tree:
            raise BadInput("{fact}: {key} does not belong to this unit", fact=name, key=key)


def tree_of(work: Work, org: str) -> list[str]:
    """Returns the organisations over which those of a unit act: itself and all below, or its parent's whole tree."""
    found = work.office.tree.by_id.get(org)
    return work.office.tree.below(work.office.root(found) if found is not None else org)


def _check_numbers(work: Work, definition: Definition, id: str, facts: Facts, changes: Changes) -> None:
    spec = definition.file.numbers
    if spec is None or not changes.keys() & {spec.given, spec.first, spec.last, spec.before, spec.spoiled}:
        return
    mine = range_of(spec, changed(facts, changes))
    _check_own(spec.given, spec.last, mine)
    rows = work.tx.find_subjects(workflow=definition.workflow)
    for other in work.adopt(r for r in rows if r.id != id and r.state != VOID):
        theirs = range_of(spec, other.subject.facts)
        shared = mine.meets(theirs, other_ended=other.subject.state in other.definition.final)
        if shared is not None:
            raise _taken(spec.given, shared, other.subject.id)
    for number, copy in copies_of(work, definition.workflow).items():
        if mine.has(number, ended=False):
            raise _taken(spec.given, number, copy.subject.id)


def copies_of(work: Work, workflow: str) -> dict[str, Case]:
    """Returns the later copies of numbers that a workflow gave, by their own numbers."""
    found: dict[str, Case] = {}
    for definition in work.library.all_newest().values():
        spec = definition.file.copies
        if spec is None or spec.of != workflow:
            continue
        for case in work.adopt(r for r in work.tx.find_subjects(workflow=definition.workflow) if r.state != VOID):
            number = case.subject.facts.get(spec.number)
            if isinstance(number, str):
                found[number] = case
    return found


def _check_copy(work: Work, definition: Definition, id: str, changes: Changes) -> None:
    spec = definition.file.copies
    number = changes.get(spec.number) if spec is not None else None
    if spec is None or not isinstance(number, str):
        return
    other = copies_of(work, spec.of).get(number)
    if other is not None and other.subject.id != id:
        raise _taken(spec.number, number, other.subject.id)
    given = work.library.newest(spec.of).file.numbers
    assert given is not None
    for giver in work.adopt(r for r in work.tx.find_subjects(workflow=spec.of) if r.state != VOID):
        ended = giver.subject.state in giver.definition.final
        if range_of(given, giver.subject.facts).has(number, ended=ended):
            raise _taken(spec.number, number, giver.subject.id)


def _taken(fact: str, number: str, other: str) -> BadInput:
    return BadInput("{fact}: number {number} belongs to {other}", fact=fact, number=number, other=other)


def _check_own(given: str, last: str, mine: Range) -> None:
    if mine.first is not None and mine.last is not None and mine.last < mine.first:
        raise BadInput("{fact}: the range ends before it begins", fact=last)
    for number, n in Counter(mine.given.values()).items():
        if n > 1:
            raise BadInput("{fact}: number {number} is given twice", fact=given, number=number)
        if number in mine.spoiled:
            raise BadInput("{fact}: number {number} was spoiled", fact=given, number=number)
        if mine.first is not None and mine.place(number) is None:
            raise BadInput("{fact}: number {number} is not of the range", fact=given, number=number)
