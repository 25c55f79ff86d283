"""How a unit may be changed: what each form asks, what follows, and how it is done, or only tried."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.core.authority import Org, Tree
from engine.core.collation import text_key
from engine.core.errors import BadInput
from engine.doors.organisations import Held
from engine.officework import OrgChange
from engine.organising import Split
from web.asked import Asked
from web.forms import Field
from web.pages.home import title_of
from web.site import Visit

GOES = "to."  # how the fields that say where each thing of a split unit goes begin
ID = "id"
DIGITS = re.compile(r"\d+")  # codes stand in the order of their numbers


@dataclass(frozen=True, kw_only=True)
class At:
    """The unit that is changed, as today's tree has it."""

    visit: Visit
    tree: Tree
    org: Org


def unit_options(visit: Visit, tree: Tree, units: Iterable[Org]) -> list[tuple[str, str]]:
    """Returns units as a list to choose from, the Vietnamese way sorted, with what each stands under."""

    def shown(org: Org) -> str:
        above = tree.by_id.get(org.parent or "")
        return f"{org.name} ({above.name})" if above is not None else org.name

    return sorted(((o.id, shown(o)) for o in units if o.period.holds(visit.today)), key=lambda p: text_key(p[1]))


def markable(visit: Visit, org: Org) -> list[tuple[str, str]]:
    """Returns the powers that may be delegated to a unit of this kind."""
    with visit.service.work() as work:
        area = work.library.area
        return [(m, s.label.of(visit.lang)) for m, s in area.file.marks.items() if org.kind in area.kinds(s.at)]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One way to change a unit: what its form asks, what follows, and how it is done (or only tried)."""

    label: str
    fields: Callable[[At], list[Field]]
    run: Callable[[At, Asked, bool], None]
    told: Callable[[At, Asked], list[str]]
    risk: bool = False


def _day_and_decision(at: At) -> list[Field]:
    return [
        Field(name="on", label=at.visit.say("From which day"), kind="day", hint=at.visit.say("empty: today")),
        Field(name="decision", label=at.visit.say("Number of the decision"), kind="text"),
    ]


def _others(at: At) -> list[Org]:
    below = set(at.tree.below(at.org.id))
    return [o for o in at.tree.by_id.values() if o.id not in below]


def _found_fields(at: At) -> list[Field]:
    with at.visit.service.work() as work:
        kinds = [(k, s.label.of(at.visit.lang)) for k, s in work.library.area.file.kinds.items()]
    short = at.visit.say("Short code, which never changes")
    hint = at.visit.say("small letters, figures and dashes, such as cb-thon-2")
    return [
        Field(name=ID, label=short, kind="text", required=True, hint=hint),
        Field(name="name", label=at.visit.say("Name"), kind="text", required=True),
        Field(name="kind", label=at.visit.say("Kind"), kind="choice", required=True, options=kinds),
        *_day_and_decision(at),
    ]


def _name_fields(at: At) -> list[Field]:
    return [
        Field(name="name", label=at.visit.say("New name"), kind="text", required=True, value=at.org.name),
        *_day_and_decision(at),
    ]


def _unit_field(at: At, name: str, label: str) -> Field:
    options = unit_options(at.visit, at.tree, _others(at))
    return Field(name=name, label=label, kind="unit", required=True, options=options)


def _move_fields(at: At) -> list[Field]:
    return [_unit_field(at, "parent", at.visit.say("Under which unit")), *_day_and_decision(at)]


def _merge_fields(at: At) -> list[Field]:
    return [_unit_field(at, "into", at.visit.say("Into which unit")), *_day_and_decision(at)]


def _close_fields(at: At) -> list[Field]:
    return _day_and_decision(at)


def _mark_fields(at: At) -> list[Field]:
    known = markable(at.visit, at.org)
    return [
        Field(
            name="mark",
            label=at.visit.say("What it may"),
            kind="choice",
            required=True,
            options=known,
            value=known[0][0] if known else "",
        ),
        Field(name="first", label=at.visit.say("From"), kind="day", required=True),
        Field(name="last", label=at.visit.say("Until"), kind="day", hint=at.visit.say("empty: without end")),
        Field(name="decision", label=at.visit.say("Number of the decision"), kind="text"),
    ]


def _split_fields(at: At) -> list[Field]:
    held = at.visit.service.organisations.held(at.org.id, at.visit.today, at.visit.by())
    beside = at.tree.children(at.org.parent) if at.org.parent is not None else ()
    options = unit_options(at.visit, at.tree, (o for o in beside if o.id != at.org.id))
    stays = at.visit.say("empty: stays where it is")
    shown = [*((u, at.visit.values.unit(u)) for u in held.under), *_running(at, held)]
    goes = [Field(name=GOES + id, label=label, kind="unit", options=options, hint=stays) for id, label in shown]
    return [*_day_and_decision(at), *goes]


def _running(at: At, held: Held) -> list[tuple[str, str]]:
    found = []
    for case in held.running:
        what = case.definition.file.title.of(at.visit.lang)
        name = (
            title_of(at.visit, case) if case.subject.id in held.seen else at.visit.say("Code {id}", id=case.subject.id)
        )
        found.append((case.subject.id, f"{what}: {name}"))
    return sorted(found, key=lambda p: text_key(DIGITS.sub(lambda n: n[0].zfill(9), p[1])))


def _put(at: At, change: OrgChange, rehearse: bool) -> None:
    at.visit.service.organisations.put([change], at.visit.by_form(), rehearse=rehearse)


def _found(at: At, asked: Asked, rehearse: bool) -> None:
    id = asked.text(ID) or ""
    if not all(c.isascii() and (c.isalnum() or c in "-_.") for c in id):
        raise BadInput("{id}: a code has only letters without accents, figures, dashes and dots", id=id)
    if id in at.visit.service.organisations.on()[1].by_id:
        raise BadInput("{org} is there already", org=id)
    _put(at, OrgChange(id=id, kind=asked.text("kind"), name=asked.text("name"), parent=at.org.id, from_=asked.day("on"),
                          decision=asked.text("decision")), rehearse)  # fmt: skip


def _rename(at: At, asked: Asked, rehearse: bool) -> None:
    _put(at, OrgChange(id=at.org.id, name=asked.text("name"), from_=asked.day("on"), decision=asked.text("decision")),
         rehearse)  # fmt: skip


def _move(at: At, asked: Asked, rehearse: bool) -> None:
    _put(at, OrgChange(id=at.org.id, parent=asked.text("parent"), from_=asked.day("on"),
                          decision=asked.text("decision")), rehearse)  # fmt: skip


def _merge(at: At, asked: Asked, rehearse: bool) -> None:
    _put(at, OrgChange(id=at.org.id, merge_into=asked.text("into"), from_=asked.day("on"),
                          decision=asked.text("decision")), rehearse)  # fmt: skip


def _close(at: At, asked: Asked, rehearse: bool) -> None:
    door = at.visit.service.organisations
    door.close(at.org.id, asked.day("on"), asked.text("decision"), at.visit.by_form(), rehearse=rehearse)


def _mark(at: At, asked: Asked, rehearse: bool) -> None:
    first, last = asked.day("first"), asked.day("last")
    period = {"from": first.isoformat() if first else None, "until": last.isoformat() if last else None}
    marks = {asked.text("mark") or "": period}
    _put(at, OrgChange(id=at.org.id, marks=marks, decision=asked.text("decision")), rehearse)


def _split(at: At, asked: Asked, rehearse: bool) -> None:
    listed = [f for f in asked.fields if f.name.startswith(GOES)]
    assign = {f.name.removeprefix(GOES): f.value or at.org.id for f in listed}  # what goes nowhere stays
    into = list(dict.fromkeys(assign.values()))
    if into in ([], [at.org.id]):
        raise BadInput("Say of something at least where it goes.")
    command = Split(org=at.org.id, into=into, assign=assign, on=asked.day("on"), decision=asked.text("decision"))
    at.visit.service.organisations.split(command, at.visit.by_form(), rehearse=rehearse)


def _since(at: At, asked: Asked) -> str:
    return (asked.day("on") or at.visit.today).strftime("%d/%m/%Y")


def _plainly(text: str) -> Callable[[At, Asked], list[str]]:
    """Returns what tells a change in one sentence: {org}, {name}, {to}, {day} are known."""

    def told(at: At, asked: Asked) -> list[str]:
        to = at.visit.values.unit(asked.text("parent") or asked.text("into") or "")
        found = [at.visit.say(text, org=at.org.name, name=asked.text("name") or "", to=to, day=_since(at, asked))]
        if asked.text("decision"):
            found.append(at.visit.say("Decision: {no}", no=asked.text("decision")))
        return found

    return told


def _merging(at: At, asked: Asked) -> list[str]:
    found = _plainly("{org} ends; {to} follows it from {day} on.")(at, asked)
    held = at.visit.service.organisations.held(at.org.id, asked.day("on") or at.visit.today, at.visit.by())
    found += [at.visit.say("{org} stands under the new unit then.", org=at.visit.values.unit(u)) for u in held.under]
    counts = Counter(c.definition.file.title.of(at.visit.lang) for c in held.running)
    found += [at.visit.say("{what}: {n} go over to the new unit.", what=w, n=n) for w, n in sorted(counts.items())]
    return found


def _marking(at: At, asked: Asked) -> list[str]:
    label = dict(markable(at.visit, at.org)).get(asked.text("mark") or "", "")
    first, last = asked.day("first"), asked.day("last")
    days = [d.strftime("%d/%m/%Y") if d else "…" for d in (first, last)]
    return [
        at.visit.say("{org}: {what}, from {first} to {last}.", org=at.org.name, what=label, first=days[0], last=days[1])
    ]


def _splitting(at: At, asked: Asked) -> list[str]:
    found = _plainly("{org} is split from {day} on.")(at, asked)
    going = [f for f in asked.fields if f.name.startswith(GOES) and f.value]
    stays = [f for f in asked.fields if f.name.startswith(GOES) and not f.value]
    if not stays:
        found.append(at.visit.say("{org} ends: nothing stays there.", org=at.org.name))
    return found + [at.visit.say("{what} goes to {to}.", what=f.label, to=at.visit.values.unit(f.value)) for f in going]


CHANGES: dict[str, Change] = {
    "found": Change(label="Found a unit under it", fields=_found_fields, run=_found,
                    told=_plainly("{name} is founded under {org} from {day} on.")),
    "rename": Change(label="Rename", fields=_name_fields, run=_rename,
                     told=_plainly("{org} is called {name} from {day} on.")),
    "move": Change(label="Move under another unit", fields=_move_fields, run=_move,
                   told=_plainly("{org} stands under {to} from {day} on.")),
    "merge": Change(label="Merge into another unit", fields=_merge_fields, run=_merge, told=_merging, risk=True),
    "split": Change(label="Split", fields=_split_fields, run=_split, told=_splitting, risk=True),
    "close": Change(label="Close", fields=_close_fields, run=_close, told=_plainly("{org} is closed from {day} on."),
                    risk=True),
    "mark": Change(label="Delegate a power", fields=_mark_fields, run=_mark, told=_marking),
}  # fmt: skip
