"""The check of a step that moves many, as far as its own file says: its lines, the rest, the range of numbers."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core import machine as ready
from engine.core.batch import Batch, Line
from engine.core.expressions import Expression
from engine.core.facts import Facts
from engine.core.findings import Path, check_names
from engine.core.types import LINE_NAMES


class Lines:
    """The lines of a batch made ready: `each`, `rest`, and `read`, all their expressions. None has none of them."""

    def __init__(self, facts: Facts, batch: Batch | None, path: Path) -> None:
        self.facts, self.found, self.path = facts, facts.found, path
        self.each: Mapping[str, ready.Line] = {}
        self.rest: tuple[ready.Rest, ...] = ()
        self.read: list[Expression] = []
        if batch is None:
            return
        self.batch = batch
        for name in LINE_NAMES:
            if name in facts.types:
                self.found.add(("facts", name), "reserved-name", "{name} is a built-in name", name=name)
        self._check_facts()
        self.each = {name: self._line((*path, "each", name), name, line) for name, line in batch.each.items()}
        self.rest = tuple(self._rests())

    def _check_facts(self) -> None:
        batch, types = self.batch, self.facts.types
        for key, kind in (("day", "date"), ("within", "org")):
            name = getattr(batch, key)
            if name is not None and (name not in types or types[name].name != kind):
                known = [n for n, t in types.items() if t.name == kind]
                self.found.unknown((*self.path, key), f"fact of type {kind}", name, known)
        for key, keys in (("units", "orgs"), ("suggests", "subjects")):
            name = getattr(batch, key)
            if name is not None:
                self._keyed((*self.path, key), name, keys)
        for name in batch.over:
            self._keyed((*self.path, "over"), name, "subjects")
        for line in batch.awaits:
            self._known_line((*self.path, "awaits", line), line)

    def _keyed(self, path: Path, name: str, keys: str) -> None:
        fact = self.facts.file.facts.get(name)
        if fact is None or fact.keys != keys:
            known = [n for n, f in self.facts.file.facts.items() if f.keys == keys]
            self.found.unknown(path, f"map keyed by {keys}", name, known)

    def _known_line(self, path: Path, name: str) -> None:
        if name not in self.batch.each:
            self.found.unknown(path, "line", name, self.batch.each)

    def _expression(self, path: Path, text: str, expect: str | None = None) -> Expression | None:
        made = self.facts.expression(path, text, expect, LINE_NAMES)
        if made is not None:
            self.read.append(made)
        return made

    def _given(self, path: Path, given: Mapping[str, str]) -> tuple[tuple[str, Expression], ...]:
        made = ((fact, self._expression((*path, fact), text)) for fact, text in given.items())
        return tuple((fact, e) for fact, e in made if e is not None)

    def _line(self, path: Path, name: str, spec: Line) -> ready.Line:
        found, batch = self.found, self.batch
        records = bool(spec.sets or spec.clears)
        if spec.step is not None and (records or spec.guards):
            found.add(path, "line-does", "a line either runs a step or sets facts")
        if not (spec.step or records or spec.notes or spec.into):
            found.add(path, "line-does", "a line runs a step, sets facts, or notes something in this subject")
        if spec.gives and spec.step is None and not spec.guards:
            found.add(
                (*path, "gives"), "line-does", "`gives` brings facts to the line's `step` or `guards`; here is neither"
            )
        check_names(found, (*path, "workflow"), "workflow of the batch", spec.workflow, batch.workflow)
        check_names(found, (*path, "in"), "state of the batch", spec.in_, batch.in_)
        for key, fact in spec.into.items():
            self._keyed((*path, "into", key), fact, "subjects")
        if spec.otherwise is not None:
            self._known_line((*path, "otherwise"), spec.otherwise)
            if spec.when is None:
                found.add(
                    (*path, "otherwise"),
                    "line-otherwise",
                    "`otherwise` is taken when `when` does not hold; here is none",
                )
        return ready.Line(
            name=name,
            spec=spec,
            gives=self._given((*path, "gives"), spec.gives),
            sets=self._given((*path, "sets"), spec.sets),
            notes=tuple(self._notes((*path, "notes"), spec)),
            invalid=tuple(self._invalid((*path, "invalid"), spec)),
            when=self._expression((*path, "when"), spec.when, "bool") if spec.when else None,
        )

    def _notes(self, path: Path, spec: Line) -> list[ready.Setting]:
        made: list[ready.Setting] = []
        for fact, note in spec.notes.items():
            at = (*path, fact)
            to = self.facts.value(at, note.to, fact, LINE_NAMES)
            type_ = self.facts.types.get(fact)
            text = note.key or ("line" if type_ is not None and type_.name == "map" else None)
            key = self._expression(at, text) if text else None
            if note.key is not None and type_ is not None and type_.name != "map":
                self.found.add(at, "map-key", "a map fact is set under a `key`, another fact is not")
            when = self._expression(at, note.when, "bool") if note.when else None
            if to is not None:
                self.read.append(to)
                made.append(ready.Setting(fact=fact, to=to, key=key, when=when))
        return made

    def _invalid(self, path: Path, spec: Line) -> list[ready.Invalid]:
        made: list[ready.Invalid] = []
        for i, invalid in enumerate(spec.invalid):
            when = self._expression((*path, i, "when"), invalid.when, "bool")
            if invalid.fact not in self.facts.types:
                self.found.unknown((*path, i, "fact"), "fact", invalid.fact, self.facts.types)
            if when is not None:
                made.append(ready.Invalid(when=when, fact=invalid.fact, message=invalid.message))
        return made

    def _rests(self) -> list[ready.Rest]:
        made: list[ready.Rest] = []
        for i, spec in enumerate(self.batch.rest):
            path = (*self.path, "rest", i) if len(self.batch.rest) > 1 else (*self.path, "rest")
            self._known_line((*path, "do"), spec.do)
            check_names(self.found, (*path, "in"), "state of the batch", spec.in_, self.batch.in_)
            if spec.over is not None:
                self._keyed((*path, "over"), spec.over, "subjects")
            if spec.awaited and spec.do not in self.batch.awaits:
                self.found.unknown((*path, "do"), "line of `awaits`", spec.do, self.batch.awaits)
            when = self._expression((*path, "when"), spec.when, "bool") if spec.when else None
            made.append(ready.Rest(spec=spec, when=when))
        return made


def check_numbers(facts: Facts) -> None:
    """Notes what is wrong with the range of numbers of a workflow, or with what it says of copies."""
    spec, found, types = facts.file.numbers, facts.found, facts.types
    if (copies := facts.file.copies) is not None:
        kinds = {"number": "text", "original": "text", "to": "subject", "on": "date", "why": "text"}
        for key, kind in kinds.items():
            name = getattr(copies, key)
            if name not in types or types[name].name != kind:
                known = [n for n, t in types.items() if t.name == kind]
                found.unknown(("copies", key), f"fact of type {kind}", name, known)
    if spec is None:
        return
    for key, kind in (("first", "int"), ("last", "int"), ("before", "text"), ("on", "date"), ("spoiled", "map")):
        name = getattr(spec, key)
        if name is not None and (name not in types or types[name].name != kind):
            found.unknown(
                ("numbers", key), f"fact of type {kind}", name, [n for n, t in types.items() if t.name == kind]
            )
    given = facts.file.facts.get(spec.given)
    if given is None or given.keys != "subjects" or types[spec.given].of is None:
        keyed = [n for n, f in facts.file.facts.items() if f.keys == "subjects"]
        found.unknown(("numbers", "given"), "map keyed by subjects", spec.given, keyed)
