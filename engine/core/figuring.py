"""Figures and tallies made ready: their expressions checked, what they read known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.core import machine as ready
from engine.core.definition import WorkflowFile
from engine.core.expressions import Expression
from engine.core.facts import Facts
from engine.core.findings import Findings, Path, check_names


class Figures:
    """The figures and tallies of a workflow file, checked. What is wrong goes to `found`."""

    def __init__(
        self, facts: Facts, file: WorkflowFile, found: Findings, derived: Sequence[tuple[str, Expression]]
    ) -> None:
        self.facts, self.file, self.found, self._derived = facts, file, found, derived

    def all(self) -> Mapping[str, ready.Figure]:
        """Returns the figures by name."""
        return {name: self._figure(name) for name in self.file.figures}

    def _figure(self, name: str) -> ready.Figure:
        spec, path = self.file.figures[name], ("figures", name)
        check_names(self.found, (*path, "while"), "state", spec.while_, self.file.states)
        if (spec.day is None) == (spec.from_ is None) or (spec.from_ is None) != (spec.until is None):
            self.found.add(path, "figure-when", "a figure counts on a `day`, or for a period `from` and `until`")
        if spec.unit is not None and (spec.unit not in self.facts.types or self.facts.types[spec.unit].name != "org"):
            known = [n for n, t in self.facts.types.items() if t.name == "org"]
            self.found.unknown((*path, "unit"), "fact of type org", spec.unit, known)
        if spec.decided_on is not None and (
            spec.decided_on not in self.facts.types or self.facts.types[spec.decided_on].name != "date"
        ):
            known = [n for n, t in self.facts.types.items() if t.name == "date"]
            self.found.unknown((*path, "decided_on"), "fact of type date", spec.decided_on, known)
        made = {
            key: self._expression((*path, key), text, kind)
            for key, text, kind in (
                ("when", spec.when, "bool"),
                ("day", spec.day, "date"),
                ("from", spec.from_, "date"),
                ("until", spec.until, "date"),
                ("amount", spec.amount, "number"),
                ("most", spec.most, "number"),
                ("number", spec.number, "text"),
            )
        }
        reads = {spec.unit} if spec.unit else set()
        reads |= set().union(*(e.reads for e in made.values() if e is not None))
        for fact, expression in reversed(self._derived):
            if fact in reads:
                reads |= expression.reads
        self._check_reads(path, reads)
        return ready.Figure(
            name=name,
            spec=spec,
            states=frozenset(spec.while_),
            when=made["when"],
            day=made["day"],
            first=made["from"],
            last=made["until"],
            amount=made["amount"],
            most=made["most"],
            number=made["number"],
            derived=tuple((n, e) for n, e in self._derived if n in reads),
            reads=frozenset(reads),
        )

    def _expression(self, path: Path, text: str | None, kind: str) -> Expression | None:
        return None if text is None else self.facts.expression(path, text, kind)

    def _check_reads(self, path: Path, reads: set[str]) -> None:
        """A figure is read from what is stored plain and does not change with the day it is read."""
        for name in sorted(reads):
            fact = self.file.facts.get(name)
            if name in ("today", "day", "moment", "reason"):
                self.found.add(path, "figure-today", "a figure cannot depend on {name}", name=name)
            elif fact is not None and fact.sensitive:
                self.found.add(path, "figure-sealed", "{fact} is sensitive, a figure cannot read it", fact=name)
            elif fact is not None and (fact.reads is not None or fact.tally is not None):
                self.found.add(path, "figure-elsewhere", "{fact} is read from elsewhere", fact=name)

    def tallies(self) -> tuple[ready.Tally, ...]:
        """Returns the facts that are worked out from scores."""
        found: list[ready.Tally] = []
        for name, fact in self.file.facts.items():
            if fact.tally is None:
                continue
            path: Path = ("facts", name, "tally")
            if fact.tally.score not in self.facts.area.file.scores:
                self.found.unknown((*path, "score"), "score", fact.tally.score, self.facts.area.file.scores)
            kind = "date" if fact.tally.part == "latest" else "int"
            if fact.type != kind:
                self.found.add(("facts", name, "type"), "unlike-types", "{fact} is {type} there", fact=name, type=kind)
            first = self.facts.expression((*path, "from"), fact.tally.from_, "date")
            last = self.facts.expression((*path, "until"), fact.tally.until, "date")
            if first is not None and last is not None:
                found.append(ready.Tally(fact=name, spec=fact.tally, first=first, last=last))
        return tuple(found)
