"""Static check of workflows: every name means something, every expression fits, every rule has its versions.

`compile_workflow` gives the ready definition of `machine`, or raises FindingsError with all that is wrong, each with
file, line and column.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from engine.core import machine as ready
from engine.core.area import Grants, check_recipient, check_versions
from engine.core.definition import Invalid, Opens, Recipient, Transition, Unit, WorkflowFile
from engine.core.expressions import Expression
from engine.core.facts import Facts
from engine.core.figuring import Figures
from engine.core.findings import Findings, Path, check_names
from engine.core.guards import Force, Rule, Version
from engine.core.lines import Lines, check_numbers


def compile_workflow(
    area: ready.Area,
    file: WorkflowFile,
    tree: object,
    name: str,
    *,
    id: str,
    templates: Collection[str] | None = None,
) -> ready.Definition:
    """Returns the workflow ready to run. `templates` are the names of the notice templates there are (None: not
    checked).

    Raises FindingsError with everything that is wrong in the file.
    """
    return _Compiler(area, file, tree, name, templates).compile(id)


class _Compiler:
    def __init__(
        self, area: ready.Area, file: WorkflowFile, tree: object, name: str, templates: Collection[str] | None
    ) -> None:
        self.area, self.file, self.templates = area, file, templates
        self.found = Findings(tree, name)
        self.grants = Grants(self.found, area)
        self.facts = Facts(area, file, self.found)

    # -- the parts

    def compile(self, id: str) -> ready.Definition:
        file, found = self.file, self.found
        initial = [s for s, v in file.states.items() if v.initial]
        if len(initial) != 1:
            found.add(("states",), "initial-state", "exactly one state is initial, here {n} are", n=len(initial))
        check_names(found, ("at",), "kind", file.at, [*self.area.file.kinds, *self.area.groups])
        self.facts.check_names()
        self.facts.check_listing()
        check_numbers(self.facts)
        for part, fact in file.checkpoint.items():
            wanted = "int" if part == "size" else "text"
            check_names(
                found, ("checkpoint", part), "fact", [fact], [n for n, f in file.facts.items() if f.type == wanted]
            )
        derived = self.facts.derived()
        rules = {name: r for name in file.rules if (r := self._rule(name)) is not None}
        steps = {name: self._step(name, rules, derived) for name in file.transitions}
        timers = tuple(t for name in file.timers if (t := self._timer(name)) is not None)
        notices = tuple(self._told(name) for name in file.notices)
        opening = self._opening()
        self._check_persons()
        start = self.grants.of(("start", "by"), file.start.by, self.facts.types)
        self._check_reach(initial, steps)
        start_fills = tuple(
            (f, e) for f, t in file.start.fills.items() if (e := self.facts.value(("start", "fills", f), t, f))
        )
        start_invalid = tuple(self._invalid(("start",), file.start.invalid))
        made = Figures(self.facts, file, found, derived)
        figures, tallies = made.all(), made.tallies()
        self._check_clauses()
        found.done()
        return ready.Definition(
            id=id,
            file=file,
            area=self.area,
            types=self.facts.types,
            defaults=self.facts.defaults(),
            derived=derived,
            steps=steps,
            rules=rules,
            start_grants=start,
            start_fills=start_fills,
            start_invalid=start_invalid,
            figures=figures,
            tallies=tallies,
            timers=timers,
            notices=notices,
            opening=opening,
            initial=initial[0],
            final=frozenset(s for s, v in file.states.items() if v.final),
            kinds=self.area.kinds(file.at),
            machine=ready.build_machine(list(file.states), initial[0], list(steps.values())),
            conditions=self.facts.scope.conditions,
        )

    def _check_persons(self) -> None:
        """Checks how long persons are kept, and what stays of those who were erased."""
        for i, rule in enumerate(self.file.retention):
            check_names(self.found, ("retention", i, "states"), "state", rule.states, self.file.states)
        for name, fact in self.file.facts.items():
            if fact.statistical and (fact.sensitive or fact.type in ("text", "map")):
                self.found.add(
                    ("facts", name, "statistical"),
                    "statistical-tells-who",
                    "{name} can tell who somebody is, so it does not stay once they are erased",
                    name=name,
                )

    def _rule(self, name: str) -> Rule | None:
        spec = self.file.rules[name]
        path: Path = ("rules", name)
        holds = self.facts.expression((*path, "holds"), spec.holds, "bool")
        day = self.facts.expression((*path, "day"), spec.day, "date") if spec.day else None
        day_at: dict[str, Expression] = {}
        for trigger, text in spec.day_at.items():
            if trigger not in self.file.transitions:
                self.found.unknown((*path, "day_at", trigger), "trigger", trigger, self.file.transitions)
            if (e := self.facts.expression((*path, "day_at", trigger), text, "date")) is not None:
                day_at[trigger] = e
        when = self.facts.expression((*path, "when"), spec.when, "bool") if spec.when else None
        waived = self.facts.expression((*path, "waived_by"), spec.waived_by, "bool") if spec.waived_by else None
        versions = self._versions(path, name, holds)
        if holds is None or not versions:
            return None
        parts = [holds, day, when, waived, *day_at.values(), *(v.holds for v in versions)]
        return Rule(
            id=name,
            label=spec.label,
            mend=spec.mend,
            versions=tuple(versions),
            day=day,
            day_at=day_at,
            when=when,
            waived_by=waived,
            reads=frozenset().union(*(p.reads for p in parts if p is not None)),
        )

    def _versions(self, path: Path, name: str, holds: Expression | None) -> list[Version]:
        spec = self.file.rules[name]
        if isinstance(spec.versions, str):
            series = self.area.file.sources.get(spec.versions)
            if series is None:
                self.found.unknown((*path, "versions"), "series of sources", spec.versions, self.area.file.sources)
                return []
        else:
            series = spec.versions
            check_versions(self.found, (*path, "versions"), series, ((g.from_, g.until) for g in spec.gaps))
        versions: list[Version] = []
        for i, v in enumerate(series):
            own = self.facts.expression((*path, "versions", i, "holds"), v.holds, "bool") if v.holds else holds
            if own is not None:
                versions.append(
                    Version(
                        source=v.source, from_=v.from_, until=v.until, unverified=v.unverified, note=v.note, holds=own
                    )
                )
        return versions

    def _step(self, name: str, rules: Mapping[str, Rule], derived: Sequence[tuple[str, Expression]]) -> ready.Step:
        spec, path = self.file.transitions[name], ("transitions", name)
        found = self.found
        check_names(found, (*path, "from"), "state", spec.from_, self.file.states)
        check_names(found, (*path, "never_by_who_did"), "trigger", spec.never_by_who_did, self.file.transitions)
        for key in ("asks", "asks_anew", "takes"):
            check_names(found, (*path, key), "fact", getattr(spec, key), self.facts.types)
        forces: list[tuple[Force, Rule]] = []
        for key, force in (("guards", "guard"), ("limits", "limit"), ("warns", "warn")):
            names = getattr(spec, key)
            check_names(found, (*path, key), "rule", names, self.file.rules)
            forces.extend((force, rules[r]) for r in names if r in rules)  # type: ignore[misc]
        by_clock = "clock" in spec.by
        grants = () if by_clock else self.grants.of((*path, "by"), spec.by, self.facts.types)
        targets = self._targets(path, spec)
        fills = tuple((f, e) for f, text in spec.fills.items() if (e := self.facts.value((*path, "fills", f), text, f)))
        invalid = tuple(self._invalid(path, spec.invalid))
        sets = tuple(self._settings(path, spec))
        opens = None
        if spec.opens is not None:
            given = ((f, self.facts.expression((*path, "opens", "with", f), t)) for f, t in spec.opens.with_.items())
            opens = (spec.opens.workflow, tuple((f, e) for f, e in given if e is not None))
        self._check_effects(path, spec)
        self._check_happened(path, spec.happened_on)
        read = [e for _, e in targets if e] + [e for _, e in fills] + [i.when for i in invalid]
        read += [e for s in sets for e in (s.to, s.key, s.when) if e] + [e for _, e in (opens[1] if opens else ())]
        lines = Lines(self.facts, spec.batch, (*path, "batch"))
        read += lines.read
        needed = frozenset().union(*(r.reads for _, r in forces), *(e.reads for e in read))
        return ready.Step(
            trigger=name,
            label=spec.label,
            sources=frozenset(spec.from_),
            targets=targets,
            grants=grants,
            by_clock=by_clock,
            never=tuple(spec.never_by_who_did),
            asks=tuple(spec.asks),
            asks_anew=tuple(spec.asks_anew),
            takes=tuple(spec.takes),
            fills=fills,
            invalid=invalid,
            rules=tuple(forces),
            answered=frozenset().union(*(self._through(r.reads, derived) for f, r in forces if f != "warn")),
            sets=sets,
            clears=spec.clears,
            happened=spec.happened_on,
            opens=opens,
            opens_at=self._opens_at((*path, "opens", "at"), spec.opens),
            opens_for=self._unit_kinds((*path, "opens", "for"), spec.opens.for_ if spec.opens is not None else []),
            belongs_to=spec.belongs_to,
            batch=spec.batch,
            lines=lines.each,
            rest=lines.rest,
            derived=tuple((n, e) for n, e in derived if n in self._through(needed, derived)),
        )

    @staticmethod
    def _through(reads: frozenset[str], derived: Sequence[tuple[str, Expression]]) -> frozenset[str]:
        """Returns the facts read, and those that the derived ones among them read."""
        all_ = set(reads)
        for name, expression in reversed(derived):
            if name in all_:
                all_ |= expression.reads
        return frozenset(all_)

    def _targets(self, path: Path, spec: Transition) -> tuple[tuple[str, Expression | None], ...]:
        targets: list[tuple[str, Expression | None]] = []
        for i, target in enumerate(spec.to):
            at = (*path, "to", i) if len(spec.to) > 1 else (*path, "to")
            if target.state != "same" and target.state not in self.file.states:
                self.found.unknown(at, "state", target.state, [*self.file.states, "same"])
            if target.when is None and i < len(spec.to) - 1:
                self.found.add(at, "target-never", "the targets after this one are never reached: it has no `when`")
            if target.when is not None and i == len(spec.to) - 1:
                self.found.add(at, "target-last", "the last target has no `when`, so that there is always one")
            when = self.facts.expression((*at, "when"), target.when, "bool") if target.when else None
            targets.append((target.state, when))
        return tuple(targets)

    def _opens_at(self, path: Path, spec: Opens | None) -> str | None:
        name = spec.at if spec is not None else None
        if name is not None and (name not in self.facts.types or self.facts.types[name].name != "org"):
            known = [n for n, t in self.facts.types.items() if t.name == "org"]
            self.found.unknown(path, "fact of type org", name, known)
        return name

    def _check_happened(self, path: Path, name: str | None) -> None:
        type_ = self.facts.types.get(name or "")
        if name is not None and (type_ is None or type_.name not in ("date", "datetime")):
            known = [n for n, t in self.facts.types.items() if t.name in ("date", "datetime")]
            self.found.unknown((*path, "happened_on"), "fact of type date or datetime", name, known)

    def _invalid(self, path: Path, specs: Sequence[Invalid]) -> Iterable[ready.Invalid]:
        for i, invalid in enumerate(specs):
            if invalid.fact not in self.facts.types:
                self.found.unknown((*path, "invalid", i, "fact"), "fact", invalid.fact, self.facts.types)
            when = self.facts.expression((*path, "invalid", i, "when"), invalid.when, "bool")
            if when is not None:
                yield ready.Invalid(when=when, fact=invalid.fact, message=invalid.message)

    def _settings(self, path: Path, spec: Transition) -> Iterable[ready.Setting]:
        for fact, setting in spec.sets.items():
            at = (*path, "sets", fact)
            to = self.facts.value(at, setting.to, fact)
            key = self.facts.expression(at, setting.key) if setting.key else None
            when = self.facts.expression(at, setting.when, "bool") if setting.when else None
            type_ = self.facts.types.get(fact)
            if type_ is not None and (type_.name == "map") != (setting.key is not None):
                self.found.add(at, "map-key", "a map fact is set under a `key`, another fact is not")
            if to is not None:
                yield ready.Setting(fact=fact, to=to, key=key, when=when)

    def _check_effects(self, path: Path, spec: Transition) -> None:
        check_names(self.found, (*path, "clears", "cycles"), "cycle", spec.clears.cycles, self.file.cycles)
        for i, name in enumerate(spec.clears.facts):
            fact, _, key = name.partition(".")
            type_ = self.facts.types.get(fact)
            if type_ is None:
                self.found.unknown((*path, "clears", "facts", i), "fact", fact, self.facts.types)
            elif key and (type_.name != "map" or (type_.keys is not None and key not in type_.keys)):
                self.found.unknown((*path, "clears", "facts", i), "key", name, type_.keys or ())
        if spec.belongs_to is not None:
            type_ = self.facts.types.get(spec.belongs_to)
            if type_ is None or type_.name != "org":
                known = [n for n, t in self.facts.types.items() if t.name == "org"]
                self.found.unknown((*path, "belongs_to"), "fact of type org", spec.belongs_to, known)

    def _timer(self, name: str) -> ready.Timer | None:
        spec, path = self.file.timers[name], ("timers", name)
        check_names(self.found, (*path, "while"), "state", spec.while_, self.file.states)
        fired = self.file.transitions.get(spec.fires)
        if fired is None:
            self.found.unknown((*path, "fires"), "trigger", spec.fires, self.file.transitions)
        elif "clock" not in fired.by:
            self.found.add((*path, "fires"), "not-by-clock", "{trigger} is not `by: clock`", trigger=spec.fires)
        at = self.facts.expression((*path, "at"), spec.at, "date")
        return None if at is None else ready.Timer(name=name, at=at, states=frozenset(spec.while_), fires=spec.fires)

    def _told(self, name: str) -> ready.Told:
        spec, path = self.file.notices[name], ("notices", name)
        found = self.found
        check_names(found, (*path, "while"), "state", spec.while_, self.file.states)
        check_names(found, (*path, "on"), "trigger", spec.on, [*self.file.transitions, "start"])
        if bool(spec.on) == bool(spec.due) or bool(spec.due) != bool(spec.send):
            found.add(path, "notice-when", "a notice is either told `on` a step, or has `due` and `send`")
        for i, r in enumerate(spec.to):
            check_recipient(found, (*path, "to", i), r.roles, r.kind, self.area.file)
            self._check_told_of((*path, "to", i), r)
        template = spec.template or name
        if self.templates is not None and template not in self.templates:
            found.unknown((*path, "template") if spec.template else path, "template", template, self.templates)
        return ready.Told(
            rule=name,
            spec=spec,
            due=self.facts.expression((*path, "due"), spec.due, "date") if spec.due else None,
            condition=self.facts.expression((*path, "if"), spec.if_, "bool") if spec.if_ else None,
            states=frozenset(spec.while_),
        )

    def _check_told_of(self, path: Path, spec: Recipient) -> None:
        fact = self.file.facts.get(spec.of or "")
        by_subjects = fact is not None and fact.keys == "subjects"
        if spec.of is not None and not by_subjects and (fact is None or fact.type != "org"):
            known = [n for n, f in self.file.facts.items() if f.type == "org" or f.keys == "subjects"]
            self.found.unknown((*path, "of"), "fact of type org", spec.of, known)
        if spec.being is None:
            return
        if not by_subjects:
            self.found.add(
                (*path, "being"), "being-alone", "`being` says which entries of the map under `of` are meant"
            )
            return
        held = self.facts.types[spec.of or ""].of
        if held is not None and held.options and spec.being not in held.options:
            self.found.unknown((*path, "being"), "value", spec.being, held.options)

    def _opening(self) -> ready.Opening | None:
        spec = self.file.opens_by_itself
        if spec is None:
            return None
        path: Path = ("opens_by_itself",)
        self._unit_kinds((*path, "for"), spec.for_)
        if self.file.id is None or not self.file.unique:
            self.found.add(
                path, "opens-unnamed", "a workflow that opens by itself has an `id` and says what is `unique`"
            )
        on = self.facts.expression((*path, "on"), spec.on, "date")
        sets = tuple(
            (f, e) for f, t in spec.sets.items() if (e := self.facts.value((*path, "sets", f), t, f)) is not None
        )
        return None if on is None else ready.Opening(spec=spec, on=on, sets=sets)

    def _unit_kinds(self, path: Path, specs: Sequence[Unit]) -> tuple[ready.UnitKinds, ...]:
        kinds = [*self.area.file.kinds, *self.area.groups]
        for i, unit in enumerate(specs):
            check_names(self.found, (*path, i, "kinds"), "kind", unit.kinds, kinds)
            check_names(self.found, (*path, i, "under"), "kind", unit.under or [], kinds)
        return tuple(
            ready.UnitKinds(kinds=self.area.kinds(u.kinds), under=self.area.kinds(u.under or [])) for u in specs
        )

    def _check_clauses(self) -> None:
        known = self.area.file.clauses
        check_names(self.found, ("clause",), "clause", self.file.clause, known)
        for section in ("rules", "notices"):
            for name, spec in getattr(self.file, section).items():
                check_names(self.found, (section, name, "clause"), "clause", spec.clause, known)

    def _check_reach(self, initial: Sequence[str], steps: Mapping[str, ready.Step]) -> None:
        reached, edge = set(initial), list(initial)
        while edge:
            state = edge.pop()
            for step in steps.values():
                if state in step.sources:
                    new = {t for t, _ in step.targets if t != "same"} - reached
                    reached |= new
                    edge += sorted(new)
        for state in self.file.states:
            if initial and state not in reached:
                self.found.add(
                    ("states", state), "unreachable", "no transition leads to {state}", severity="warning", state=state
                )
