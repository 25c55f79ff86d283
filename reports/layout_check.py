"""The check of a layout against the workflows it counts: every name means something, every expression fits.

`compile_layout` gives the layout ready to be counted, or raises FindingsError with all that is wrong, each with file,
line and column.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.core.definition import Text
from engine.core.expressions import Expression, ExpressionError, Scope, compile_expression
from engine.core.findings import Findings, Path, check_names
from engine.core.machine import Area, Definition
from engine.core.reader import Node, load_model
from engine.core.types import BUILT_IN
from engine.core.values import Type
from reports.layouts import Counted, Figure, Grouping, LayoutFile, Letterhead, Listing, Section, Shows, Source
from reports.subject_check import SubjectCheck
from reports.tracks import START

# what the expressions of a source may name besides the facts
OF_ITEMS: Mapping[str, Type] = {
    "period_first": Type(name="date"),  # unknown in a report of things as they stand
    "period_last": Type(name="date"),
    "stayed": Type(name="int"),  # days, of a stay
    "since": Type(name="date"),  # since when the subject is, or was, in its state
    "breached": Type(name="bool"),  # the step went through although a limit was broken
    "trigger": Type(name="text"),
    "reason": Type(name="text"),
}
# what expressions over figures may name besides the figures
OF_FIGURES: Mapping[str, Type] = {
    "today": Type(name="date"), "period_first": Type(name="date"), "period_last": Type(name="date"),
    "unit_began": Type(name="date"),  # in rows of units: the unit's first day, where it is known
}  # fmt: skip
TITLE_WORDS = ("period", "unit", "year")
CHARTED = 4  # more bars beside each other are not told apart


@dataclass(frozen=True, kw_only=True)
class ReadySource:
    """A source made ready: what is asked of each, and the facts that this needs, derived ones' needs among them."""

    spec: Source
    definition: Definition
    when: Expression | None
    value: Expression | None = None


@dataclass(frozen=True, kw_only=True)
class ReadyFigure:
    """A figure made ready. `shows` is how it is written."""

    id: str
    spec: Figure
    shows: Shows
    counted: ReadySource | None = None
    worked: Expression | None = None
    says: tuple[tuple[Expression, Text], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReadyColumn:
    """A column of a list made ready. `type` is the type of its values."""

    label: Text
    type: Type
    value: Expression | None = None
    when: Expression | None = None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A report made ready to be counted. `order` are the figures, each after those it is worked out of."""

    file: LayoutFile
    figures: Mapping[str, ReadyFigure]
    order: tuple[str, ...]
    rests_on: Mapping[str, frozenset[str]]  # figure -> those that it is worked out of, itself among them
    values: Mapping[int, Expression]  # of groupings, by the section's place
    only: Mapping[int, Expression]
    lists: Mapping[int, tuple[ReadySource, tuple[ReadyColumn, ...]]]
    needed: Mapping[str, frozenset[str]] = field(default_factory=dict)  # workflow -> facts that are asked for
    about: Definition | None = None  # the workflow of the subject that it may be made of


def load_letterhead(tree: Node, name: str, area: Area | None = None) -> Letterhead:
    """Reads the letterhead of an area; with the area its names are looked at too. Raises FindingsError."""
    file = load_model(Letterhead, tree, file=name)
    if area is not None:
        found = Findings(tree, name)
        check_names(found, ("signs",), "kind", list(file.signs), area.file.kinds)
        check_names(found, ("head",), "role", [file.head] if file.head is not None else [], area.file.roles)
        found.done()
    return file


def compile_layout(tree: Node, name: str, definitions: Mapping[str, Definition], area: Area) -> Layout:
    """Returns the layout ready to be counted. Raises FindingsError with everything that is wrong in the file."""
    file = load_model(LayoutFile, tree, file=name)
    return _Check(file, Findings(tree, name), definitions, area).layout()


class _Check:
    def __init__(self, file: LayoutFile, found: Findings, definitions: Mapping[str, Definition], area: Area) -> None:
        self.file, self.found, self.definitions, self.area = file, found, definitions, area
        self.needed: dict[str, set[str]] = {}
        self.types: dict[str, Type] = {}
        self.figures: dict[str, ReadyFigure] = {}
        self.about = SubjectCheck(file, found, definitions, TITLE_WORDS)

    def layout(self) -> Layout:
        self._figures()
        values: dict[int, Expression] = {}
        only: dict[int, Expression] = {}
        lists: dict[int, tuple[ReadySource, tuple[ReadyColumn, ...]]] = {}
        check_names(self.found, ("clause",), "clause", self.file.clause, self.area.file.clauses)
        self._words(("title",), self.file.title, TITLE_WORDS)
        self._office(("issued_by",), self.file.issued_by)
        if self.file.subject is not None:
            self._office(("subject", "issued_by"), self.file.subject.issued_by)
        self.about.check()
        for i, section in enumerate(self.file.sections):
            self._section(i, section, values, only, lists)
        self.found.done()
        if self.about.definition is not None:
            self.needed.setdefault(self.about.definition.workflow, set()).update(self.about.needed)
        needed = {w: self._closure(w, names) for w, names in self.needed.items()}
        return Layout(
            file=self.file,
            figures={name: self.figures[name] for name in self.file.figures},
            order=tuple(self.figures),
            rests_on={name: frozenset(self._below([name])) for name in self.figures},
            values=values,
            only=only,
            lists=lists,
            needed=needed,
            about=self.about.definition,
        )

    # -- figures

    def _office(self, path: Path, kind: str | None) -> None:
        check_names(self.found, path, "kind", [] if kind is None else [kind], self.area.file.kinds)

    def _figures(self) -> None:
        waiting = dict(self.file.figures)
        while waiting:
            ripe = [n for n, f in waiting.items() if not (self._uses(f) & (waiting.keys() - {n}))]
            if not ripe:
                for name in waiting:
                    self.found.add(("figures", name), "circle", "{fact} is derived from itself", fact=name)
                return
            for name in ripe:
                figure = self._figure(name, waiting.pop(name))
                if figure is not None:
                    self.figures[name] = figure

    def _uses(self, figure: Figure) -> set[str]:
        """Returns the names that a figure is worked out of, some of which may be no figures."""
        used = {*(figure.range or ()), *((figure.share.of, figure.share.in_) if figure.share else ())}
        for text in [*([figure.is_] if figure.is_ else ()), *(c.when for c in figure.says)]:
            used.update(re.findall(r"[a-z][a-z0-9_]*", text))
        return used

    def _figure(self, name: str, spec: Figure) -> ReadyFigure | None:
        path: Path = ("figures", name)
        kinds = (spec.counted, spec.scored, spec.share, spec.range, spec.is_, spec.says or None)
        if sum(k is not None for k in kinds) != 1:
            self.found.add(path, "figure-kind", "a figure is one of: counted, scored, share, range, is, says")
            return None
        if name in OF_FIGURES:
            self.found.add(path, "reserved-name", "{name} is a built-in name", name=name)
        counted = worked = None
        says: list[tuple[Expression, Text]] = []
        type_ = Type(name="decimal")
        if spec.counted is not None:
            counted = self._counted((*path, "counted"), spec.counted)
            if counted is not None and counted.value is not None and spec.counted.take in ("max", "min"):
                type_ = Type(name="date") if counted.value.type == "date" else type_
        elif spec.scored is not None:
            if spec.scored.score not in self.area.file.scores:
                self.found.unknown((*path, "scored", "score"), "score", spec.scored.score, self.area.file.scores)
            if spec.scored.part in ("number", "head"):
                type_ = Type(name="text")
        elif spec.share is not None:
            for key, used in (("of", spec.share.of), ("in", spec.share.in_)):
                self._known((*path, "share", key), used)
        elif spec.range is not None:
            if len(spec.range) != 2:
                self.found.add((*path, "range"), "two-figures", "a range is two figures, the lower and the upper")
            for i, used in enumerate(spec.range):
                self._known((*path, "range", i), used)
            type_ = Type(name="text")
        elif spec.is_ is not None:
            worked = self._over_figures((*path, "is"), spec.is_)
            if worked is not None:
                type_ = Type(name={"date": "date", "number": "decimal"}.get(worked.type, "text"))  # type: ignore[arg-type]
        else:
            for i, case in enumerate(spec.says):
                when = self._over_figures((*path, "says", i, "when"), case.when, "bool")
                if when is not None:
                    says.append((when, case.text))
            type_ = Type(name="text")
        self.types[name] = type_
        shows: Shows = "number"
        if spec.share is not None:
            shows = "percent"
        elif type_.name == "date":
            shows = "date"
        elif type_.name == "text":
            shows = "text"
        elif spec.counted is not None and spec.counted.of == "stays" and spec.counted.take != "count":
            shows = "days"
        return ReadyFigure(
            id=name, spec=spec, shows=spec.shows or shows, counted=counted, worked=worked, says=tuple(says)
        )

    def _known(self, path: Path, name: str) -> None:
        if name not in self.file.figures:
            self.found.unknown(path, "figure", name, self.file.figures)

    def _over_figures(self, path: Path, text: str, expect: str | None = None) -> Expression | None:
        return self._compile(path, text, Scope(names={**OF_FIGURES, **self.types}), expect)

    def _compile(self, path: Path, text: str, scope: Scope, expect: str | None = None) -> Expression | None:
        try:
            return compile_expression(text, scope, expect=expect)
        except ExpressionError as error:
            offset = error.offset if "\n" not in text else 0
            self.found.note(path, "expression", error.message, error.params, offset=offset)
            return None

    # -- sources

    def _counted(self, path: Path, spec: Counted) -> ReadySource | None:
        source = self._source(path, spec)
        if source is None:
            return None
        if spec.take == "count" and spec.value is not None:
            self.found.add((*path, "value"), "count-value", "what is counted has no value; say what to take of it")
        if spec.take != "count" and spec.value is None and spec.of != "stays":
            self.found.add(path, "take-value", "there is no value of which to take the {take}", take=spec.take)
        value = None
        if spec.value is not None:
            value = self._over_facts((*path, "value"), spec.value, source.definition)
            wanted = ("number", "date") if spec.take in ("max", "min") else ("number",)
            if value is not None and value.type not in wanted:
                self.found.add(
                    (*path, "value"), "unlike-types", "this is {kind}, where {expect} is wanted",
                    kind=value.type, expect=" or ".join(wanted),
                )  # fmt: skip
        return ReadySource(spec=spec, definition=source.definition, when=source.when, value=value)

    def _source(self, path: Path, spec: Source) -> ReadySource | None:
        definition = self.definitions.get(spec.workflow)
        if definition is None:
            self.found.unknown((*path, "workflow"), "workflow", spec.workflow, self.definitions)
            return None
        check_names(self.found, (*path, "triggers"), "trigger", spec.triggers, [*definition.steps, START])
        for key in ("enters", "states"):
            check_names(self.found, (*path, key), "state", getattr(spec, key), definition.file.states)
        maps = [n for n, t in definition.types.items() if t.name == "map" and n not in dict(definition.derived)]
        if spec.of == "entries":
            check_names(self.found, (*path, "fact"), "map fact", [spec.fact or ""], maps)
        fits = {"triggers": "events", "enters": "events", "running": "stays", "fact": "entries"}
        for key, of in fits.items():
            if getattr(spec, key) not in (None, []) and spec.of != of:
                self.found.add((*path, key), "source-key", "{key} belongs to {of}", key=key, of=of)
        if spec.states and spec.of in ("events", "entries"):
            self.found.add((*path, "states"), "source-key", "{key} belongs to {of}", key="states", of="subjects, stays")
        self.needed.setdefault(spec.workflow, set()).update(definition.file.seen_by)
        when = None if spec.when is None else self._over_facts((*path, "when"), spec.when, definition, "bool")
        return ReadySource(spec=spec, definition=definition, when=when)

    def _over_facts(
        self, path: Path, text: str, definition: Definition, expect: str | None = None
    ) -> Expression | None:
        lists = {name: tuple(entries) for name, entries in self.area.file.lists.items()}
        names: dict[str, Type] = {**BUILT_IN, **OF_ITEMS, **definition.types}
        names["state"] = Type(name="choice", options=tuple(definition.file.states))
        names["org_kind"] = Type(name="choice", options=tuple(self.area.file.kinds))
        found = self._compile(path, text, Scope(names=names, lists=lists), expect)
        if found is not None:
            self.needed.setdefault(definition.workflow, set()).update(found.reads)
        return found

    def _closure(self, workflow: str, names: set[str]) -> frozenset[str]:
        """Returns the facts with those that derived, borrowed and tallied ones among them need."""
        definition = self.definitions[workflow]
        worked = {name: expression.reads for name, expression in definition.derived}
        worked |= {t.fact: t.first.reads | t.last.reads for t in definition.tallies}
        wanted = list(names)
        for name in wanted:
            spec = definition.file.facts.get(name)
            more = worked.get(name, frozenset[str]())
            if spec is not None and spec.reads is not None:
                more = frozenset([spec.reads.from_])
            wanted += [n for n in more if n not in wanted]
        return frozenset(n for n in wanted if n in definition.types)

    # -- sections

    def _section(
        self,
        i: int,
        section: Section,
        values: dict[int, Expression],
        only: dict[int, Expression],
        lists: dict[int, tuple[ReadySource, tuple[ReadyColumn, ...]]],
    ) -> None:
        path: Path = ("sections", i)
        if sum((bool(section.figures), section.groups is not None, section.list_ is not None)) > 1:
            self.found.add(path, "two-tables", "a section holds one table: figures, groups or list")
        check_names(self.found, (*path, "figures"), "figure", section.figures, self.file.figures)
        check_names(self.found, (*path, "columns"), "figure", section.columns, self.file.figures)
        check_names(self.found, (*path, "chart"), "figure", section.chart, section.columns or section.figures)
        if len(section.chart) > CHARTED:
            self.found.add((*path, "chart"), "many-bars", "at most {n} are drawn beside each other", n=CHARTED)
        if section.text is not None:
            self._words((*path, "text"), section.text, (*self.file.figures, *TITLE_WORDS, *self.about.words(section)))
        for key, grouping, figures in (
            ("groups", section.groups, section.columns),
            ("across", section.across, section.figures),
        ):
            if grouping is None:
                continue
            if not figures:
                self.found.add((*path, key), "no-figures", "a table of groups has figures")
            value = self._grouping((*path, key), grouping, figures)
            if value is not None:
                values[i] = value
        if section.only is not None and (e := self._over_figures((*path, "only"), section.only, "bool")) is not None:
            only[i] = e
        if section.list_ is not None and (made := self._list((*path, "list"), section.list_)) is not None:
            lists[i] = made

    def _grouping(self, path: Path, spec: Grouping, figures: list[str]) -> Expression | None:
        if sum(k is not None for k in (spec.by, spec.fact, spec.value)) != 1:
            self.found.add(path, "grouping", "groups are made by one of: by, fact, value")
            return None
        kinds = [*self.area.file.kinds, *self.area.groups]
        check_names(self.found, (*path, "kinds"), "kind", spec.kinds, kinds)
        if (spec.by == "unit") != bool(spec.kinds):
            self.found.add(path, "grouping-kinds", "groups by unit name the kinds of units, others do not")
        if (spec.value is not None) != bool(spec.bands):
            self.found.add(path, "grouping-bands", "a value is put into bands, and only a value")
        workflows = self._workflows(figures)
        for definition in workflows.values():
            if spec.fact is not None and spec.fact not in definition.types:
                self.found.unknown((*path, "fact"), "fact", spec.fact, definition.types)
            elif spec.fact is not None:
                self.needed.setdefault(definition.workflow, set()).add(spec.fact)
        if spec.value is None:
            return None
        compiled = [self._over_facts((*path, "value"), spec.value, d, "number") for d in workflows.values()]
        return compiled[0] if compiled else None

    def _workflows(self, figures: list[str]) -> dict[str, Definition]:
        """Returns the workflows that these figures count, also by way of others."""
        specs = [self.file.figures[name].counted for name in self._below(figures)]
        return {
            s.workflow: self.definitions[s.workflow] for s in specs if s is not None and s.workflow in self.definitions
        }

    def _below(self, figures: list[str]) -> list[str]:
        """Returns these figures and those that they are worked out of."""
        wanted = [name for name in figures if name in self.file.figures]
        for name in wanted:
            wanted += [n for n in self._uses(self.file.figures[name]) if n in self.file.figures and n not in wanted]
        return wanted

    def _list(self, path: Path, spec: Listing) -> tuple[ReadySource, tuple[ReadyColumn, ...]] | None:
        source = self._source(path, spec)
        if source is None:
            return None
        types = source.definition.types
        check_names(self.found, (*path, "order"), "fact", spec.order, types)
        self.needed[spec.workflow].update(n for n in spec.order if n in types)
        self.about.named(path, spec)
        columns: list[ReadyColumn] = []
        for i, column in enumerate(spec.columns):
            at = (*path, "columns", i)
            if sum(k is not None for k in (column.fact, column.value, column.shows, column.entry)) != 1:
                self.found.add(at, "column-kind", "a column is one of: fact, value, shows, entry")
                continue
            label, type_, value = column.label, Type(name="text"), None
            if column.fact is not None:
                if column.fact not in types:
                    self.found.unknown((*at, "fact"), "fact", column.fact, types)
                    continue
                self.needed[spec.workflow].add(column.fact)
                type_, label = types[column.fact], label or source.definition.file.facts[column.fact].label
            elif column.entry is not None:
                entry = self.about.entry((*at, "entry"), column.entry)
                if entry is None:
                    continue
                type_, label = entry[0], label or entry[1]
            elif column.value is not None:
                value = self._over_facts((*at, "value"), column.value, source.definition)
                kind = "int" if value is not None and value.type == "number" else value.type if value else "text"
                type_ = Type(name=kind if kind in ("int", "bool", "date", "datetime") else "text")  # type: ignore[arg-type]
            elif column.shows in ("key", "value"):
                if spec.of != "entries":
                    self.found.add(at, "source-key", "{key} belongs to {of}", key=column.shows, of="entries")
                elif column.shows == "value" and spec.fact is not None and spec.fact in types:
                    type_ = types[spec.fact].of or type_
            elif column.shows in ("day", "days"):
                type_ = Type(name="date" if column.shows == "day" else "int")
            if label is None:
                self.found.add(at, "column-label", "a column that is no fact has a label")
                continue
            when = None
            if column.when is not None:
                when = self._over_facts((*at, "when"), column.when, source.definition, "bool")
            columns.append(ReadyColumn(label=label, type=type_, value=value, when=when))
        return source, tuple(columns)

    def _words(self, path: Path, text: Text, known: tuple[str, ...]) -> None:
        for lang in ("vi", "en"):
            for word in re.findall(r"\{(.*?)\}", text.of(lang)):
                if word not in known:
                    self.found.unknown((*path, lang), "figure", word, known)
