"""The form of a sheet: one line a subject with its decision, what the decision asks for, and what would come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from engine.core.commands import Line
from engine.core.machine import Definition
from engine.core.machine import Line as LineSpec
from engine.core.values import Scalar
from engine.sheet_documents import sheet_document
from engine.sheets import Choice, Row
from engine.sitting import DECIDED, Sitting
from web.forms import FACT, FactForm, Field, Form, kind_of, read_one, typed
from web.shown import order_key

if TYPE_CHECKING:
    from web.site import Visit

DO, ALSO, BRINGS, NOTES, WHY = DECIDED.rstrip(":"), "e", "x", "m", "r"  # what the names of a line's inputs begin with
ASIDE = "~"  # the decision that sets a line aside


@dataclass(frozen=True, kw_only=True)
class Option:
    """A line that may be taken for somebody, and what would come of it. `at` is its place among all lines."""

    line: str
    label: str
    at: int
    good: bool
    open: bool = False  # nothing stands against it but what it has yet to bring
    said: Sequence[str] = ()
    fields: Sequence[str] = ()  # the names of the inputs that it asks for


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Somebody on the sheet, as the page shows them."""

    number: int
    subject: str
    title: str
    told: Mapping[str, Any]
    known: Sequence[tuple[str, str]]  # what is shown of them: label and text
    options: Sequence[Option]
    chosen: str
    also: str
    suggested: str
    fields: Sequence[tuple[Field, Sequence[int]]]  # with the places of the lines that ask for it
    notes: Sequence[Field]
    reason: str
    reasons: Sequence[int] = ()  # the places of the lines of which a rule asks for a reason
    errors: Sequence[str] = ()

    @property
    def loud(self) -> bool:
        """Tells whether something is wrong with the line."""
        return bool(self.errors) or any(f.error for f, _ in self.fields) or any(f.error for f in self.notes)


@dataclass(kw_only=True)
class Typed:
    """What a sheet's form says: the lines in order, entries of the subject's own maps, and what is wrong by subject."""

    lines: list[Line] = field(default_factory=list)
    maps: dict[str, dict[str, object]] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)


class SheetForm:
    """Makes and reads the form of one sheet. `form` is what was typed; without one, what is suggested stands in it."""

    def __init__(self, visit: Visit, found: Sitting, form: Form | None, wrong: Mapping[str, Sequence[str]]) -> None:
        assert found.sheet is not None
        self.visit, self.found, self.sheet, self.form, self.wrong = visit, found, found.sheet, form, wrong
        self.definition = found.case.definition
        tree = visit.values.tree
        self._units = sorted(((u, visit.values.unit_apart(u)) for u in tree.by_id), key=lambda pair: order_key(pair[1]))
        self.order = list(found.step.lines)
        self.keyed = [n for n in found.step.takes if self.definition.file.facts[n].keys == "subjects"]

    def entries(self) -> list[Entry]:
        """Returns the lines of the page."""
        document = sheet_document(self.visit.teller, self.sheet, self.definition, self.found.others)
        told = document["rows"]
        return [self._entry(i, row, doc) for i, (row, doc) in enumerate(zip(self.sheet.rows, told, strict=True))]

    def _entry(self, i: int, row: Row, told: Mapping[str, Any]) -> Entry:
        options: list[Option] = []
        asked: dict[str, tuple[Field, list[int]]] = {}
        for choice, doc in zip(row.choices, told["choices"], strict=True):
            at = self.order.index(choice.line)
            fields = self._brought(row, choice)
            for f in fields:
                asked.setdefault(f.name, (f, []))[1].append(at)
            options.append(
                Option(
                    line=choice.line,
                    label=doc["label"],
                    at=at,
                    good=choice.possible and not choice.missing,
                    open=choice.denied is None and choice.invalid is None and not _stopped(choice),
                    said=self._said(choice, doc, told["otherwise"]),
                    fields=[f.name for f in fields],
                )
            )
        default = row.suggested or row.otherwise or ""
        chosen = self._given(f"{DO}:{row.subject}", default)
        return Entry(
            number=i + 1,
            subject=row.subject,
            title=told["title"],
            told=told,
            known=self._known(row, told),
            options=options,
            chosen=chosen if chosen in (ASIDE, *(o.line for o in options)) else "",
            also=self._given(f"{ALSO}:{row.subject}", ""),
            suggested=next((o.label for o in options if o.line == row.suggested), ""),
            fields=list(asked.values()),
            notes=[self._noted(row, n) for n in self.keyed],
            reason=self._given(f"{WHY}:{row.subject}", ""),
            reasons=[self.order.index(c.line) for c in row.choices if _asks_reason(c)],
            errors=self.wrong.get(row.subject, ()),
        )

    def _known(self, row: Row, told: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Returns the facts and entries that are shown; a unit by its name, what is proposed in a column of its own."""
        assert self.sheet.step.batch is not None
        other = self.found.others[row.workflow]
        found = [(s["label"], self._unit(other.types[s["fact"]].name, row.facts[s["fact"]], s["value"]))
                 for s in told["shown"]]  # fmt: skip
        for s in told["entries_shown"]:
            of = self.definition.types[s["fact"]].of
            if s["fact"] != self.sheet.step.batch.suggests:
                text = self._unit(of.name if of is not None else "", row.entries[s["fact"]], s["value"])
                found.append((s["label"], text))
        return found

    def _unit(self, type_: str, value: object, text: str) -> str:
        return self.visit.values.unit(str(value)) if type_ == "org" else text

    def _given(self, name: str, default: str) -> str:
        return self.form.get(name) if self.form is not None and self.form.has(name) else default

    def _said(self, choice: Choice, told: Mapping[str, Any], otherwise: str | None) -> list[str]:
        if choice.denied is not None:
            return [self.visit.say("This is not yours to decide.")]
        said = list(told["next"])
        if choice.do != choice.line and not said:
            label = self.sheet.step.lines[choice.do].spec.label.of(self.visit.lang)
            said.append(self.visit.say("What is recorded instead: {what}", what=label))
        if not said and choice.line == otherwise:
            said.append(self.visit.say("Recorded so too when the line is left out."))
        return said

    # -- inputs of a line

    def _brought(self, row: Row, choice: Choice) -> list[Field]:
        """Returns the inputs of what a line has yet to bring, or may bring to be taken."""
        spec: LineSpec = self.sheet.step.lines[choice.do]
        made = [
            self._filled(entry_field(self.definition, fact, f"{BRINGS}:{row.subject}:{name}", self.visit.lang))
            for name, fact in spec.spec.into.items()
        ]
        other = self.found.others[row.workflow]
        unknown = [n.partition(".")[0] for j in choice.judgements if j.result == "unknown" for n in j.missing]
        names = [
            n
            for n in dict.fromkeys([*choice.missing, *unknown])
            if n in other.file.facts and n not in spec.spec.into and _writable(other, n)
        ]
        facts = FactForm(other, self.visit.values, {}, self._units)
        for one in facts.fields(names, required=choice.missing):
            name = f"{BRINGS}:{row.subject}:{one.name.removeprefix(FACT)}"
            made.append(self._filled(replace(one, name=name)))
        return made

    def _noted(self, row: Row, fact: str) -> Field:
        """Returns the input of somebody's entry in a map of the sheet's own subject."""
        made = entry_field(self.definition, fact, f"{NOTES}:{row.subject}:{fact}", self.visit.lang)
        return self._filled(replace(made, value=typed(row.entries.get(fact))))

    def _filled(self, one: Field) -> Field:
        one = replace(one, value=self._given(one.name, one.value))
        _, error = read_one(one, self.visit.say) if self.form is not None else (None, "")
        return replace(one, error=error)

    # -- reading

    def read(self) -> Typed:
        """Returns what was typed, as the engine takes it."""
        found = Typed()
        for entry in self.entries():
            for one in entry.notes:
                value, error = read_one(one, self.visit.say)
                if error:
                    found.errors.setdefault(entry.subject, []).append(error)
                elif value is not None:
                    found.maps.setdefault(one.name.rpartition(":")[2], {})[entry.subject] = value
            for do in dict.fromkeys(d for d in (entry.chosen, entry.also) if d):
                self._read_line(entry, do, found)
        return found

    def _read_line(self, entry: Entry, do: str, found: Typed) -> None:
        aside = do == ASIDE
        option = next((o for o in entry.options if o.line == do), None)
        facts: dict[str, object] = {}
        for one, _ in entry.fields if option is not None else ():
            if option is None or one.name not in option.fields:
                continue
            value, error = read_one(one, self.visit.say)
            if error:
                found.errors.setdefault(entry.subject, []).append(f"{one.label}: {error}")
            elif value is not None:
                facts[one.name.rpartition(":")[2]] = value
        reason = entry.reason.strip() or None
        if aside and entry.options:
            named = next((o.line for o in entry.options if o.label == entry.suggested), entry.options[0].line)
            found.lines.append(Line(subject=entry.subject, do=named, reason=reason, set_aside=True))
        elif option is not None:
            found.lines.append(Line(subject=entry.subject, do=do, facts=facts, reason=reason))


def entry_field(definition: Definition, fact: str, name: str, lang: str, value: Scalar | None = None) -> Field:
    """Returns the input of one entry of a map fact."""
    spec, of = definition.file.facts[fact], definition.types[fact].of
    assert of is not None
    listed = definition.area.file.lists.get((spec.of or [""])[0], {})
    kind = kind_of(of.name)
    options = [(key, e.label.of(lang)) for key, e in listed.items()] if kind == "choice" else []
    return Field(name=name, label=spec.label.of(lang), kind=kind, value=typed(value), options=options)


def _stopped(choice: Choice) -> bool:
    """Tells whether a rule stands against a line that nothing typed on the sheet would mend."""
    failing = [j for j in choice.judgements if j.force == "guard" and j.result != "pass"]
    return any(j.result == "fail" and "reason" not in j.rule.reads for j in failing)


def _asks_reason(choice: Choice) -> bool:
    return any(j.result != "pass" and j.force != "warn" and "reason" in j.rule.reads for j in choice.judgements)


def _writable(definition: Definition, fact: str) -> bool:
    spec = definition.file.facts[fact]
    return spec.is_ is None and spec.reads is None and not spec.fixed and spec.type != "map"
