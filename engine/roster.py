"""Who a step that moves many is about: its lines in order, those nobody named, and what they note in its subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from engine.core.collation import name_key
from engine.core.commands import Line
from engine.core.decision import Decision, InvalidInput, apply_setting
from engine.core.errors import BadInput
from engine.core.machine import Line as LineSpec
from engine.core.machine import Rest, Step
from engine.core.numbering import range_of
from engine.core.subject import MapChange, changed
from engine.core.values import Value, parse
from engine.core.views import derive
from engine.keyed import tree_of
from engine.work import Case, Work


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line read: the other subject as it stands, and what is brought to its step or written on it.

    `index` is -1 for those whom no line names.
    """

    index: int
    line: Line
    do: str
    spec: LineSpec
    other: Case
    of: tuple[str, str, str]  # workflow, subject and trigger of the step
    states: tuple[str, ...] = ()
    gives: dict[str, Value] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)
    sets: dict[str, Value | None] = field(default_factory=dict)
    done: str = "done"


def named(index: int, subject: str, error: BadInput) -> BadInput:
    """Returns the error of a line, naming the line; of one whom no line names (-1), the subject."""
    if index < 0:
        made = BadInput("{subject} (no line names it): {error}", subject=subject, error=error.text())
    else:
        made = BadInput("line {line} ({subject}): {error}", line=index + 1, subject=subject, error=error.text())
    made.__cause__ = error
    return made


def check_state(other: Case, states: Sequence[str]) -> None:
    """Raises BadInput when the other subject is in none of these states."""
    if other.subject.state not in states:
        raise BadInput(
            "{subject} is in {state}, not in {known}",
            subject=other.subject.id,
            state=other.subject.state,
            known=", ".join(states),
        ).about(other.definition)


def _done(rest: Rest) -> str:
    return "done" if rest.spec.over is not None or rest.spec.awaited else "kept"


def title_of(case: Case) -> str:
    """Returns what people call a subject, '' when nothing names it."""
    named = {**case.subject.facts, **case.subject.borrowed}.get(case.definition.file.title_fact or "")
    return named if isinstance(named, str) else ""


class Roster:
    """The lines of one step that moves many, read in order. Writes nothing: `changes` are what the step then writes.

    Each line sees what those before it noted (`view`). What is wrong with a line goes to `errors`.
    """

    def __init__(self, work: Work, case: Case, step: Step, decision: Decision, day: date) -> None:
        assert step.batch is not None
        self.work, self.case, self.step, self.batch, self.day = work, case, step, step.batch, day
        self.view: dict[str, Value] = dict(decision.facts)
        self.changes: dict[str, Value | MapChange | None] = dict(decision.changes)
        self.items: list[Item] = []
        self.errors: list[BadInput] = []
        self.of = (case.subject.workflow, case.subject.id, step.trigger)
        self.orgs = self._orgs()

    def _orgs(self) -> set[str]:
        whole = set(tree_of(self.work, self.case.subject.org))
        if self.batch.within is None:
            return whole
        unit = self.view.get(self.batch.within)
        if not isinstance(unit, str):
            raise BadInput("{trigger} asks for {fact}", trigger=self.step.trigger, fact=self.batch.within)
        if unit not in whole:
            raise BadInput("{fact}: {key} does not belong to this unit", fact=self.batch.within, key=unit)
        return set(self.work.office.tree.below(unit))

    # -- the lines

    def read(self, lines: Sequence[Line]) -> None:
        """Reads the lines as they were given."""
        self.work.fetch(line.subject for line in lines)
        seen: set[tuple[str, str]] = set()
        for i, line in enumerate(lines):
            try:
                if (line.subject, line.do) in seen:
                    raise BadInput("{subject} stands twice with {do}", subject=line.subject, do=line.do)
                seen.add((line.subject, line.do))
                self.items.append(self._item(line, i))
            except BadInput as error:
                self.errors.append(named(i, line.subject, error))

    def read_rest(self, lines: Sequence[Line]) -> None:
        """Reads what happens to those whom no line names."""
        mentioned = {line.subject for line in lines}
        for rest in self.step.rest:
            if rest.spec.awaited and lines:
                continue
            for other in self._those(rest):
                if other.subject.id in mentioned or not self._fits(rest, other):
                    continue
                mentioned.add(other.subject.id)
                line = Line(subject=other.subject.id, do=rest.spec.do)
                try:
                    self.items.append(self._taken(line, -1, other, done=_done(rest)))
                except BadInput as error:
                    self.errors.append(named(-1, other.subject.id, error))

    def _those(self, rest: Rest) -> Sequence[Case]:
        spec = rest.spec
        if spec.over is not None:
            return self.keyed([spec.over])
        line = self.step.lines[spec.do].spec
        return self.in_unit(line.workflow or self.batch.workflow, spec.in_ or line.in_ or self.batch.in_)

    def keyed(self, facts: Sequence[str]) -> list[Case]:
        """Returns those under the keys of these maps, by what people call them."""
        maps = [held for fact in facts if isinstance(held := self.view.get(fact), dict)]
        ids = list(dict.fromkeys(id for held in maps for id in held))
        self.work.fetch(ids)
        return sorted((self.work.case(id) for id in ids), key=lambda c: (name_key(title_of(c)), c.subject.id))

    def in_unit(self, workflows: Sequence[str], states: Sequence[str]) -> list[Case]:
        """Returns those of the unit and below who are in one of these states."""
        found: list[Case] = []
        for workflow in workflows:
            rows = self.work.tx.find_subjects(workflow=workflow, orgs=sorted(self.orgs), states=states)
            found += self.work.adopt(rows)
        return found

    def rest_of(self, others: Sequence[Case]) -> dict[str, str]:
        """Returns the line that is taken for each of these when no line names them; those for whom none is left out."""
        rests: dict[str, str] = {}
        for rest in (r for r in self.step.rest if not r.spec.awaited):
            those = {c.subject.id for c in self._those(rest)}
            for other in others:
                if other.subject.id in those and other.subject.id not in rests and self._fits(rest, other):
                    rests[other.subject.id] = rest.spec.do
        return rests

    def alone(self, do: str, other: Case) -> Item:
        """Returns the item of one line as if it were the only one; the roster stays as it was. Raises BadInput."""
        kept = self.view, self.changes
        self.view, self.changes = dict(self.view), dict(self.changes)
        try:
            return self._taken(Line(subject=other.subject.id, do=do), 0, other)
        finally:
            self.view, self.changes = kept

    def _fits(self, rest: Rest, other: Case) -> bool:
        if rest.spec.in_ and other.subject.state not in rest.spec.in_:
            return False
        if rest.spec.awaited and self.work.view(other).get(self.batch.awaits[rest.spec.do]) is not True:
            return False
        self._see(other)
        return rest.when is None or rest.when.evaluate(self.view, self.work.calendar) is True

    def _item(self, line: Line, i: int) -> Item:
        if line.do not in self.step.lines:
            known = ", ".join(self.step.lines)
            raise BadInput("{do} is not one of {known}", do=line.do, known=known)
        other = self.work.case(line.subject)
        if other.subject.workflow not in self.batch.workflow or other.subject.org not in self.orgs:
            raise BadInput("{subject} does not belong to this unit", subject=line.subject)
        if self.batch.over and not any(self._on_list(fact, line.subject) for fact in self.batch.over):
            raise BadInput("{subject} is not on the list", subject=line.subject)
        if line.set_aside:
            return Item(index=i, line=line, do=line.do, spec=self.step.lines[line.do], other=other, of=self.of)
        return self._taken(line, i, other)

    def _on_list(self, fact: str, subject: str) -> bool:
        held = self.view.get(fact)
        return isinstance(held, dict) and subject in held

    def _taken(self, line: Line, i: int, other: Case, done: str = "done") -> Item:
        self._see(other)
        spec = self._chosen(line)
        states = tuple(spec.spec.in_ or self.batch.in_)
        self._check(other, spec, states)
        facts = self._put_into(line, spec)
        for note in spec.notes:
            apply_setting(self.case.definition, note, self.view, self.changes, self.work.calendar)
            self._derive()
        calendar = self.work.calendar
        gives = {f: v for f, e in spec.gives if (v := e.evaluate(self.view, calendar)) is not None}
        return Item(
            index=i,
            line=line,
            do=spec.name,
            spec=spec,
            other=other,
            of=self.of,
            states=states,
            gives=gives,
            facts=facts,
            sets={f: e.evaluate(self.view, calendar) for f, e in spec.sets},
            done=done,
        )

    def _chosen(self, line: Line) -> LineSpec:
        """Returns the line that is taken: the one named, or what stands in for it when it may not be taken now."""
        spec, tried = self.step.lines[line.do], {line.do}
        while spec.when is not None and spec.when.evaluate(self.view, self.work.calendar) is not True:
            if spec.spec.otherwise is None or spec.spec.otherwise in tried:
                raise BadInput("{do} is not possible for {subject} now", do=line.do, subject=line.subject)
            tried.add(spec.spec.otherwise)
            spec = self.step.lines[spec.spec.otherwise]
        return spec

    def _check(self, other: Case, spec: LineSpec, states: Sequence[str]) -> None:
        subject = other.subject
        if spec.spec.workflow and subject.workflow not in spec.spec.workflow:
            raise BadInput(
                "{do} is not for {subject}, a {workflow}", do=spec.name, subject=subject.id, workflow=subject.workflow
            )
        check_state(other, states)
        for invalid in spec.invalid:
            if invalid.when.evaluate(self.view, self.work.calendar) is True:
                raise InvalidInput(invalid.fact, invalid.message)

    def _put_into(self, line: Line, spec: LineSpec) -> dict[str, object]:
        """Puts what the line brings for this subject's maps there; returns the facts that are the other subject's."""
        facts = dict(line.facts)
        for key, fact in spec.spec.into.items():
            if key not in facts:
                continue
            of = self.case.definition.types[fact].of
            assert of is not None
            value = parse(f"{fact}.{line.subject}", of, facts.pop(key), self.work.calendar.zone)
            assert not isinstance(value, dict)
            old = self.changes.get(fact)
            self.changes[fact] = {**(old if isinstance(old, dict) else {}), line.subject: value}
            self.view.update(changed({n: v for n, v in self.view.items() if n == fact}, {fact: {line.subject: value}}))
            self._derive()
        return facts

    # -- what a line sees

    def _see(self, other: Case) -> None:
        subject, view = other.subject, self.view
        view["line"], view["line_org"] = subject.id, subject.org
        view["line_state"], view["line_workflow"] = subject.state, subject.workflow
        self._see_one("line_unit", self._unit(subject.org))
        numbers = self.case.definition.file.numbers
        if numbers is not None:
            self._see_one("next_number", range_of(numbers, view).next_free())

    def _see_one(self, name: str, value: Value | None) -> None:
        if value is None:
            self.view.pop(name, None)
        else:
            self.view[name] = value

    def _unit(self, org: str) -> str | None:
        keyed = self.view.get(self.batch.units) if self.batch.units is not None else None
        if not isinstance(keyed, dict):
            return None
        return next((at for at in self.work.office.tree.path(org) if at in keyed), None)

    def _derive(self) -> None:
        derive(self.view, self.step.derived, self.work.calendar)
