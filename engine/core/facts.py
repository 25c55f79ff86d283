"""The facts of a workflow file: their types, what expressions may name, derived facts in their order, defaults."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from engine.core.definition import WorkflowFile
from engine.core.errors import BadInput
from engine.core.expressions import Expression, ExpressionError, Scope, compile_expression
from engine.core.findings import Findings, Path, check_names
from engine.core.machine import Area
from engine.core.types import BUILT_IN, FITS, KEY_KINDS
from engine.core.values import Type, Value, parse

_HELD = ("text", "int", "decimal", "bool", "date", "datetime", "org")  # what a map may hold besides the codes of a list


class Facts:
    """The facts that a workflow file declares, checked. What is wrong goes to `found`."""

    def __init__(self, area: Area, file: WorkflowFile, found: Findings) -> None:
        self.area, self.file, self.found = area, file, found
        self.types = self._types()
        self.scope = self._scope()

    def _types(self) -> dict[str, Type]:
        types: dict[str, Type] = {}
        for name, fact in self.file.facts.items():
            path: Path = ("facts", name)
            if name in BUILT_IN or name in ("state", "org_kind"):
                self.found.add(path, "reserved-name", "{name} is a built-in name", name=name)
            if fact.cycle is not None and fact.cycle not in self.file.cycles:
                self.found.unknown((*path, "cycle"), "cycle", fact.cycle, self.file.cycles)
            if sum(v is not None for v in (fact.is_, fact.reads, fact.default, fact.tally)) > 1:
                self.found.add(
                    path, "fact-twice", "a fact is written, derived or read: only one of default, is, reads, tally"
                )
            types[name] = self._type(path, name)
        return types

    def _type(self, path: Path, name: str) -> Type:
        fact = self.file.facts[name]
        lists = self.area.file.lists
        of = fact.of or []
        match fact.type:
            case "choice":
                if len(of) != 1 or of[0] not in lists:
                    self.found.unknown((*path, "of"), "list", of[0] if of else "", lists)
                    return Type(name="choice")
                return Type(name="choice", options=tuple(lists[of[0]]))
            case "map":
                inner = of[0] if of else ""
                if inner in lists:
                    held = Type(name="choice", options=tuple(lists[inner]))
                elif inner in _HELD:
                    held = Type(name=inner)  # type: ignore[arg-type]
                else:
                    self.found.unknown((*path, "of"), "type", inner, (*_HELD, *lists))
                    return Type(name="map", of=Type(name="text"))
                if fact.keys is not None and fact.keys not in lists and fact.keys not in KEY_KINDS:
                    self.found.unknown((*path, "keys"), "list", fact.keys, [*lists, *KEY_KINDS])
                keys = tuple(lists[fact.keys]) if fact.keys in lists else None
                return Type(name="map", of=held, keys=keys)
            case "org":
                check_names(self.found, (*path, "of"), "kind", of, [*self.area.file.kinds, *self.area.groups])
        return Type(name=fact.type)

    def _scope(self) -> Scope:
        lists = {name: tuple(entries) for name, entries in self.area.file.lists.items()}
        names = {**BUILT_IN, **self.types}
        names["state"] = Type(name="choice", options=tuple(self.file.states))
        names["org_kind"] = Type(name="choice", options=tuple(self.area.file.kinds))
        bare = Scope(names=names, lists=lists, conditions={})
        conditions: dict[str, dict[str, Expression]] = {}
        for list_name in self._lists_used():
            for code, entry in self.area.file.lists[list_name].items():
                if entry.when is None:
                    continue
                try:
                    compiled = compile_expression(entry.when, bare, expect="bool")
                except ExpressionError as error:
                    keyed = [n for n, f in self.file.facts.items() if f.keys == list_name]
                    self.found.add(
                        ("facts", keyed[0], "keys") if keyed else (),
                        "list-condition",
                        "{list}.{code}, when: {error}",
                        list=list_name,
                        code=code,
                        error=error.text(),
                    )
                else:
                    conditions.setdefault(list_name, {})[code] = compiled
        return Scope(names=names, lists=lists, conditions=conditions)

    def _lists_used(self) -> set[str]:
        texts = " ".join(
            v for v in _strings(self.file.model_dump(include={"facts", "transitions", "rules", "notices", "timers"}))
        )
        words = set(re.findall(r"[a-z][a-z0-9_]*", texts)) if "applies" in texts else set()
        if self.file.listing is not None:
            words |= {self.file.facts[n].keys or "" for n in self.file.listing.missing if n in self.file.facts}
        return {name for name in self.area.file.lists if name in words}

    def expression(
        self, path: Path, text: str, expect: str | None = None, more: Mapping[str, Type] | None = None
    ) -> Expression | None:
        """Compiles one expression, noting what is wrong with it. `more` are names known only there."""
        scope = self.scope if more is None else replace(self.scope, names={**self.scope.names, **more})
        try:
            return compile_expression(text, scope, expect=expect)
        except ExpressionError as error:
            offset = error.offset if "\n" not in text else 0
            self.found.note(path, "expression", error.message, error.params, offset=offset)
            return None

    def value(self, path: Path, text: str, fact: str, more: Mapping[str, Type] | None = None) -> Expression | None:
        """Compiles an expression whose value is written to a fact."""
        compiled = self.expression(path, text, more=more)
        if fact not in self.types:
            self.found.unknown(path, "fact", fact, self.types)
        elif compiled is not None:
            type_ = self.types[fact]
            fits = FITS[type_.of.name if type_.name == "map" and type_.of else type_.name]
            if compiled.type not in fits:
                self.found.add(
                    path,
                    "unlike-types",
                    "{fact} is {type}, the expression {other}",
                    fact=fact,
                    type=type_.name,
                    other=compiled.type,
                )
        return compiled

    def check_names(self) -> None:
        file, found = self.file, self.found
        for key in ("asks", "takes"):
            check_names(found, ("start", key), "fact", getattr(file.start, key), self.types)
        check_names(found, ("seen_by",), "fact", file.seen_by, self.types)
        check_names(found, ("unique",), "fact", file.unique, [*self.types, "org"])
        for key in ("title_fact", "sealed_with"):
            name = getattr(file, key)
            if name is not None and name not in self.types:
                found.unknown((key,), "fact", name, self.types)
        for i, names in enumerate(file.alike):
            check_names(found, ("alike", i), "fact", names, self.types)
        for word in re.findall(r"\{(.*?)\}", file.id or ""):
            if word not in (*self.types, "workflow", "org", "n"):
                found.unknown(("id",), "fact", word, [*self.types, "workflow", "org", "n"])
        for name, fact in file.facts.items():
            if fact.reads is not None and fact.reads.from_ not in self.types:
                found.unknown(("facts", name, "reads", "from"), "fact", fact.reads.from_, self.types)

    def check_listing(self) -> None:
        """Checks what stands in lists: nothing sensitive, and only what a list can show."""
        listing = self.file.listing
        if listing is None:
            return
        facts, found, path = self.file.facts, self.found, ("listing",)
        plain = {n: f for n, f in facts.items() if not f.sensitive}
        kept = {n: f for n, f in plain.items() if f.is_ is None and f.reads is None and f.tally is None}
        check_names(found, (*path, "search"), "text", listing.search, [n for n, f in plain.items() if f.type == "text"])
        narrows = [n for n, f in kept.items() if f.type in ("bool", "choice", "org")]
        check_names(found, (*path, "by"), "fact", listing.by, narrows)
        maps = [n for n, f in kept.items() if f.type == "map" and f.keys in self.area.file.lists]
        check_names(found, (*path, "missing"), "map fact", list(listing.missing), maps)
        for name, states in listing.missing.items():
            check_names(found, (*path, "missing", name), "state", states, self.file.states)
        title = facts.get(self.file.title_fact or "")
        if title is not None and title.sensitive:
            found.add(path, "listing-sensitive", "what names a subject is sensitive, so it can stand in no list")

    def defaults(self) -> dict[str, Value]:
        defaults: dict[str, Value] = {}
        for name, fact in self.file.facts.items():
            if fact.default is None:
                continue
            try:
                value = parse(name, self.types[name], fact.default, ZoneInfo("UTC"))
            except BadInput as error:
                self.found.note(("facts", name, "default"), "wrong-type", error.message, error.params)
            else:
                if value is not None:
                    defaults[name] = value
        self.found.done()
        return defaults

    def derived(self) -> tuple[tuple[str, Expression], ...]:
        compiled: dict[str, Expression] = {}
        for name, fact in self.file.facts.items():
            if fact.is_ is not None and (e := self.value(("facts", name, "is"), fact.is_, name)) is not None:
                compiled[name] = e
        ordered: dict[str, Expression] = {}
        while len(ordered) < len(compiled):
            ripe = [
                n
                for n, e in compiled.items()
                if n not in ordered and not (e.reads & (compiled.keys() - ordered.keys()))
            ]
            if not ripe:
                for name in compiled.keys() - ordered.keys():
                    self.found.add(("facts", name, "is"), "circle", "{fact} is derived from itself", fact=name)
                break
            ordered.update((n, compiled[n]) for n in ripe)
        return tuple(ordered.items())


def _strings(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
