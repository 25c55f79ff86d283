"""Organisations over time: founded, renamed, moved, merged, split, closed; each from a day on, with its event.

What still runs at a unit that is merged goes to the one that follows, on the day itself when it is entered ahead; a
unit is closed only when nothing is left that nobody would look after.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from engine.core import events
from engine.core.authority import Tree
from engine.core.errors import BadInput, NotFound
from engine.core.values import Json
from engine.office import ALWAYS_FROM, tree_on
from engine.officework import Counts, Marks, OrgChange
from engine.places import moves_along, take_over
from engine.steps import By
from engine.store.rows import OrgRow
from engine.work import Case, Work

HANDOVER = "handover_on"  # setting: the next day on which a unit that was merged ahead of time hands over
NAMED = 10  # names in a message, past which it says how many more


@dataclass(frozen=True, kw_only=True)
class Split:
    """A unit is split into units that stand already. `assign` says where each of what it has goes: its running
    subjects and the units directly under it, by id. A unit that is among `into` itself goes on."""

    org: str
    into: Sequence[str]
    assign: Mapping[str, str]
    on: date | None = None
    decision: str | None = None


def put_orgs(work: Work, changes: Iterable[OrgChange], by: By) -> Counts:
    """Founds, renames, moves, merges or closes organisations. Raises BadInput for what does not fit the tree."""
    created = updated = unchanged = 0
    ids: list[str] = []
    changes = list(changes)
    for change in changes:
        before = versions(work, change.id)
        ids.append(change.id)
        if change.merge_into is not None:
            merged = _merge(work, before, change, by)
            updated, unchanged = updated + merged, unchanged + (not merged)
        elif not before:
            _found(work, change, by)
            created += 1
        elif _change(work, before, change, by):
            updated += 1
        else:
            unchanged += 1
    _check_followed(work, {c.id for c in changes if c.merge_into is not None})
    return Counts(created=created, updated=updated, unchanged=unchanged, ids=ids)


def versions(work: Work, id: str) -> list[OrgRow]:
    """Returns the rows of an organisation, oldest first."""
    return sorted((r for r in work.tx.orgs() if r.id == id), key=lambda r: r.from_day)


def tree_at(work: Work, on: date) -> Tree:
    """Returns the organisations as they stand on a day."""
    return work.office.tree if on == work.today else tree_on(work.tx.orgs(), on)


def _check(work: Work, change: OrgChange, kind: str | None) -> None:
    file = work.library.area.file
    if kind is None or kind not in file.kinds:
        raise BadInput(
            "{org}: there is no kind {kind}; there are: {known}", org=change.id, kind=kind, known=", ".join(file.kinds)
        )
    tree = tree_at(work, change.from_ or work.today)
    if change.parent is not None and change.parent not in tree.by_id:
        raise NotFound("{org}: there is no organisation {parent} to stand under", org=change.id, parent=change.parent)
    if change.parent is not None and change.id in tree.path(change.parent):
        raise BadInput("{org} cannot stand under {parent}, which stands under it", org=change.id, parent=change.parent)
    if change.from_ is not None and change.until is not None and change.until < change.from_:
        raise BadInput("the last day, {until}, lies before the first, {from_}", until=change.until, from_=change.from_)
    for mark in change.marks or {}:
        if mark not in file.marks or kind not in work.library.area.kinds(file.marks[mark].at):
            raise BadInput(
                "{org}: an organisation of kind {kind} does not carry {mark}", org=change.id, kind=kind, mark=mark
            )


def _found(work: Work, change: OrgChange, by: By) -> None:
    _check(work, change, change.kind)
    if not (change.name or "").strip():
        raise BadInput("{org} has no name", org=change.id)
    row = OrgRow(
        id=change.id,
        kind=change.kind or "",
        name=(change.name or "").strip(),
        parent=change.parent,
        from_day=change.from_.isoformat() if change.from_ else ALWAYS_FROM,
        until_day=change.until.isoformat() if change.until else None,
        merged_into=None,
        marks_json=_dump(change.marks or {}),
        created_at=work.ledger.at,
    )
    _write(work, "founded", [row], change, by)


def _change(work: Work, before: Sequence[OrgRow], change: OrgChange, by: By) -> bool:
    last = before[-1]
    _check(work, change, change.kind or last.kind)
    marks = {**json.loads(last.marks_json), **(change.marks or {})}
    new = replace(
        last,
        kind=change.kind or last.kind,
        name=change.name or last.name,
        parent=change.parent if change.parent is not None else last.parent,
        until_day=change.until.isoformat() if change.until else last.until_day,
        marks_json=_dump(marks),
    )
    if new == last or _stood(before, change):
        return False
    if change.until is not None and new.until_day != last.until_day:
        _check_empty(work, change.id, change.until)
    drawn = (new.kind, new.name, new.parent) != (last.kind, last.name, last.parent)
    start = (change.from_ or work.today).isoformat()
    rows = [new]
    if drawn and start > last.from_day:
        rows = [replace(last, until_day=_before(start)), replace(new, from_day=start)]
    elif drawn and change.from_ is not None and start < last.from_day and len(before) > 1:
        raise BadInput(
            "{org} was changed on {day}; a change before that day is not entered", org=change.id, day=last.from_day
        )
    _write(work, "changed", rows, change, by)
    return True


def _stood(before: Sequence[OrgRow], change: OrgChange) -> bool:
    """Tells whether an earlier period of the unit was just as the change says."""
    if change.from_ is None or change.until is not None or change.marks:
        return False
    wanted = (change.from_.isoformat(), change.kind, change.name, change.parent)
    return any((r.from_day, r.kind, r.name, r.parent) == wanted for r in before[:-1])


def _before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


# ---- closing, merging, splitting ----


def running(work: Work, org: str) -> list[Case]:
    """Returns the subjects at a unit that somebody has to look after."""
    return [c for c in work.adopt(work.tx.find_subjects(orgs=[org])) if moves_along(c)]


def under(work: Work, org: str, on: date) -> list[str]:
    """Returns the units directly under one that stand on a day or later."""
    rows: dict[str, OrgRow] = {}
    for row in sorted(work.tx.orgs(), key=lambda r: r.from_day):
        if row.from_day <= on.isoformat() or row.id not in rows:
            rows[row.id] = row
    return [r.id for r in rows.values() if r.parent == org and (r.until_day is None or r.until_day >= on.isoformat())]


def _check_empty(work: Work, org: str, until: date) -> None:
    units = work.office.tree.by_id
    below = under(work, org, until + timedelta(days=1))
    left = [*(units[u].name if u in units else u for u in below), *(c.subject.id for c in running(work, org))]
    if left:
        raise BadInput(
            "{org} is not closed: it still has {what}; merge or split it, or move them first",
            org=units[org].name if org in units else org,
            what=_few(left),
        )


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} … (+{len(names) - NAMED})"


def close(work: Work, org: str, on: date, decision: str | None, by: By) -> None:
    """Closes a unit from a day on. Raises BadInput while it has running subjects or units under it."""
    last = _standing(work, org, on)
    until = on - timedelta(days=1)
    _check_empty(work, org, until)
    closed = replace(last, until_day=until.isoformat())
    _write(work, "closed", [closed], OrgChange(id=org, from_=on, decision=decision), by)
    _check_followed(work, ())


def _check_followed(work: Work, now: Collection[str]) -> None:
    """Sees that whoever takes over stands in the end: for every merger still to come, and for the units of `now`."""
    last = {r.id: r for r in sorted(work.tx.orgs(), key=lambda r: r.from_day)}
    today = work.today.isoformat()
    coming = {r.id for r in last.values() if r.merged_into is not None and (r.until_day or today) >= today}
    for id in sorted({*coming, *now}):
        seen, at = {id}, last[id]
        while at.until_day is not None:
            if at.merged_into is None or at.merged_into in seen:
                raise BadInput(
                    "nobody would follow {org}: {unit}, which takes over, itself ends with {day}",
                    org=id,
                    unit=at.id,
                    day=at.until_day,
                )
            at = last[at.merged_into]
            seen.add(at.id)


def _standing(work: Work, org: str, on: date) -> OrgRow:
    """Returns the last row of a unit that stands on a day. Raises NotFound and BadInput."""
    before = versions(work, org)
    if not before:
        raise NotFound("there is no organisation {org}", org=org)
    last = before[-1]
    if last.until_day is not None and last.until_day < on.isoformat():
        raise BadInput("{org} was closed on {day} already", org=org, day=last.until_day)
    if last.from_day > on.isoformat():
        raise BadInput(
            "{org} was changed on {day}; a change before that day is not entered", org=org, day=last.from_day
        )
    return last


def _merge(work: Work, before: Sequence[OrgRow], change: OrgChange, by: By) -> bool:
    """Closes a unit; what stands under it, and its running subjects, go to the other, on the day itself.

    Returns False where it was so already.
    """
    target, start = change.merge_into or "", change.from_ or work.today
    if not before:
        raise NotFound("there is no organisation {org}", org=change.id)
    if (before[-1].merged_into, before[-1].until_day) == (target, _before(start.isoformat())):
        return False
    last = _standing(work, change.id, start)
    tree = tree_at(work, start)
    if target not in tree.by_id or change.id in tree.path(target) or not tree.by_id[target].period.holds(start):
        raise BadInput("{org} cannot be merged into {target}", org=change.id, target=target)
    ends = _before(start.isoformat())
    rows = [replace(last, until_day=ends, merged_into=target)]
    for child in under(work, change.id, start):
        rows += _moved(versions(work, child)[-1], target, start.isoformat())
    going = running(work, change.id)
    for case in going:
        _check_kind(case, tree.by_id[target].kind, target)
    _write(work, "merged", rows, change, by)
    if start <= work.today:
        for case in going:
            take_over(work, case, target, start, by, change.decision)
    else:
        _hand_over_on(work, start)
    return True


def _check_kind(case: Case, kind: str, org: str) -> None:
    if kind not in case.definition.kinds:
        raise BadInput(
            "{subject}: {workflow} does not live at {kind} ({org}); move it elsewhere first",
            subject=case.subject.id,
            workflow=case.definition.workflow,
            kind=kind,
            org=org,
        )


def _moved(last: OrgRow, parent: str, start: str) -> list[OrgRow]:
    if last.from_day >= start:
        return [replace(last, parent=parent)]
    return [replace(last, until_day=_before(start)), replace(last, parent=parent, from_day=start)]


def split(work: Work, command: Split, by: By) -> dict[str, str]:
    """Splits a unit; returns where each subject went. Nothing is left without a place.

    What names an assigned subject (say, what a step of it opened) goes along with it unless it is assigned itself.
    Raises BadInput naming what is not assigned, or does not belong to the unit.
    """
    org, on = command.org, command.on or work.today
    last = _standing(work, org, on)
    if on > work.today:
        raise BadInput("on: {on} has not come yet; a split is entered on its day or later", on=on.isoformat())
    tree = tree_at(work, on)
    for id in command.into:
        if id not in tree.by_id or not tree.by_id[id].period.holds(on):
            raise BadInput(
                "{org} cannot be split into {into}, which does not stand then: found it first", org=org, into=id
            )
    keeps = org in command.into
    places = _places(work, command, keeps, on)
    below = under(work, org, on)
    rows = [] if keeps else [replace(last, until_day=_before(on.isoformat()))]
    for child in below:
        if places.get(child, org) != org:
            rows += _moved(versions(work, child)[-1], places[child], on.isoformat())
    change = OrgChange(id=org, from_=on, decision=command.decision)
    _write(work, "split", rows or [last], change, by, command.into)
    _check_followed(work, command.into)
    went: dict[str, str] = {}
    for id, to in places.items():
        if id not in below and to != org:
            take_over(work, work.case(id), to, on, by, command.decision)
            went[id] = to
    return went


def _places(work: Work, command: Split, keeps: bool, on: date) -> dict[str, str]:
    """Returns where each unit below and each subject goes. Raises BadInput."""
    org = command.org
    below = under(work, org, on)
    here = {c.subject.id: c for c in work.adopt(work.tx.find_subjects(orgs=[org]))}
    for id, to in command.assign.items():
        if id not in here and id not in below:
            raise BadInput("{what} does not belong to {org}", what=id, org=org)
        if to not in command.into:
            raise BadInput("{what}: {to} is none of {known}", what=id, to=to, known=", ".join(command.into))
    places = dict(command.assign)
    for id, case in here.items():
        named = [case.subject.facts.get(n) for n in case.definition.naming]
        along = next((places[n] for n in named if isinstance(n, str) and n in command.assign), None)
        if along is not None:
            places.setdefault(id, along)
    left = [i for i in (*below, *(i for i, c in here.items() if moves_along(c))) if i not in places]
    if left and not keeps:
        raise BadInput("{org} is not split: nobody says where these go: {what}", org=org, what=_few(left))
    return places


# ---- handing over on the day ----


def _hand_over_on(work: Work, day: date) -> None:
    due = work.tx.setting(HANDOVER)
    if not due or day.isoformat() < due:
        work.tx.put_setting(HANDOVER, day.isoformat())


def next_handover(work: Work) -> date | None:
    """Returns the next day on which a unit that was merged ahead of time hands over."""
    due = work.tx.setting(HANDOVER)
    return date.fromisoformat(due) if due else None


def hand_over_due(work: Work, by: By) -> int:
    """Takes what still runs at units whose merger has come to the units that follow. Returns how many subjects."""
    due = next_handover(work)
    if due is None or due > work.today:
        return 0
    tree, done = work.office.tree, 0
    for org in tree.by_id.values():
        if org.merged_into is None or not org.period.ended(work.today):
            continue
        to = tree.successor(org.id, work.today)
        on = org.period.until + timedelta(days=1) if org.period.until is not None else work.today
        for case in running(work, org.id):
            if tree.by_id[to].kind in case.definition.kinds:
                take_over(work, case, to, on, by)
                done += 1
    today = work.today.isoformat()
    coming = [r.until_day for r in work.tx.orgs() if r.merged_into and r.until_day and r.until_day >= today]
    following = (date.fromisoformat(min(coming)) + timedelta(days=1)).isoformat() if coming else ""
    work.tx.put_setting(HANDOVER, following)
    return done


def _write(work: Work, what: str, rows: Sequence[OrgRow], change: OrgChange, by: By, into: Sequence[str] = ()) -> None:
    work.tx.put_orgs(rows)
    shown: list[Json] = [{f: getattr(r, f) for f in OrgRow.__dataclass_fields__ if f != "created_at"} for r in rows]
    work.ledger.append(
        events.OFFICE,
        what=f"org_{what}",
        orgs=shown,
        org=change.id,
        on=(change.from_ or work.today).isoformat() if what != "founded" or change.from_ else None,
        decision=change.decision,
        actor=by.officer,
        behalf=by.behalf,
        into=list(into) or None,
    )
    if what == "founded":
        work.office_changed()
    else:
        work.units_changed(r.id for r in rows)


def _dump(value: Marks) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
