"""Forms: documents that an office fills from what is known, as data from `workflows/*/forms/`.

`forms.yaml` names each form, the workflow whose subjects it is about, the Word file with its places, and the document
that it follows. A place is a fact in double braces, `{{ full_name }}`, as docxtpl reads them; an office may lay its own
file over the shipped one in Word and keep the places.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from engine.core.definition import Expression, Model, Name, Names, Text
from engine.core.errors import BadInput, FileRefused, NotFound
from engine.core.expressions import Expression as Compiled
from engine.core.facts import Facts
from engine.core.findings import Findings, check_names
from engine.core.findings import Path as Path_
from engine.core.machine import Definition
from engine.core.places import Finding
from engine.core.reader import load_model, read_yaml
from reports.places import Places, open_places

FORMS_FILE = "forms.yaml"

# What every form may name besides the facts of its workflow: of the office on that day, and of who asks.
OFFICE_NAMES = {
    "unit": "the organisation that the subject belongs to",
    "unit_above": "the organisation above it",
    "unit_top": "the organisation at the top of the tree",
    "unit_head": "the head of that organisation",
    "unit_above_head": "the head of the organisation above",
    "day": "the day on which the form is filled in",
    "place": "where the organisation at the top issues its documents: the setting `letter.place`",
    "unit_top_over": "the organisation above that at the top: the setting `letter.above`",
}


class WorkedOut(Model):
    """Something that a form shows and no fact holds."""

    label: Text = Field(description="what people call it")
    is_: Expression = Field(alias="is", description="the expression, over the facts of the workflow")


class Rows(Model):
    """People or things that a form lists, one after the other; in the file `{%tr for row in rows %}`."""

    of: Names = Field(description="the workflow, or workflows, of those that are listed")
    named_by: Name = Field(description="the map fact of the form's own subject whose keys are their ids")
    only: Names = Field([], description="only those with one of these values there; none: all")


class Form(Model):
    """One form."""

    title: Text = Field(description="what people call it")
    of: Name = Field(description="the workflow whose subjects it is about")
    file: str = Field(description="the Word file beside forms.yaml", pattern=r"^[a-z0-9][a-z0-9-]*\.docx$")
    follows: str = Field(description="the document whose form this is after, with its number and date")
    may_miss: list[Name] = Field([], description="places that may stay open; dots are printed for them")
    works_out: dict[Name, WorkedOut] = Field({}, description="what the form shows besides facts")
    rows: Rows | None = Field(None, description="those that the form lists")


class FormsFile(Model):
    """`forms.yaml`: the forms of a folder."""

    head: Name = Field(description="the role whose holder is the head of a unit")
    written_in: Literal["vi", "en"] = Field(
        "vi", description="the language of the Word files: what is filled in is of it too, whoever asks"
    )
    forms: dict[Name, Form] = Field(description="forms by their id")


MODELS = (FormsFile, Form, WorkedOut, Rows, Text)

HEAD = """# Forms: every key

Made from the models by `scripts/make-reference`; do not edit. `ketnap check` says whether the names agree.

`forms/forms.yaml` in a folder of workflows names the forms; each is a Word file beside it. In the Word file a place is
a fact in double braces: `{{ full_name }}`. What is not known prints as dots; `ketnap form fill --missing` lists it.

| in the Word file | gives |
| --- | --- |
| `{{ FACT }}` | the fact as officials write it; a choice by its label, a day as dd/mm/yyyy |
| `{{ PAPERS.KEY }}` | an entry of a map fact |
| `{{ DAY\\|long }}`, `{{ DAY\\|year }}` | ngày 05 tháng 3 năm 2025; the year alone |
| `{{ MONTH\\|month }}` | a month kept as YYYY-MM: 3/2024 |
| `{{ NAME\\|upper }}` | in capitals |
| `{{ PART\\|percent_of(WHOLE) }}` | the share in percent |
| `{% if FACT %} ... {% endif %}` | shown only when the fact is known and not `no` |
| `{%tr for row in rows %} ... {%tr endfor %}` | a row of a table for each: `row.number`, `row.name`, `row.FACT` |
OFFICE
Nothing else is allowed: no other loops, no calls, no settings. An office changes a form in Word: take the shipped file,
keep the places, and lay it under the same name into the folder `forms` beside the database (or the one that the setting
`forms` names). `ketnap form list` shows which file is used.

""".replace(
    "OFFICE\n", "".join(f"| `{{{{ {name} }}}}` | {meaning} |\n" for name, meaning in OFFICE_NAMES.items()) + "\n"
)


@dataclass(frozen=True, kw_only=True)
class ReadyForm:
    """A form with the places of its file and its expressions, checked against the workflow.

    `faults`: what is wrong with the office's own file; the other forms are filled in all the same.
    """

    id: str
    spec: Form
    head: str
    written_in: Literal["vi", "en"]
    path: Path
    places: Places
    works_out: Mapping[str, Compiled] = field(default_factory=dict)
    faults: tuple[Finding, ...] = ()


def find_forms(folder: Path) -> Path | None:
    """Returns the forms file of a folder of workflows, or None."""
    path = folder / "forms" / FORMS_FILE
    return path if path.is_file() else None


def load_forms(
    path: Path, definitions: Mapping[str, Definition], own: Path | None = None, *, loaded: bool = False
) -> dict[str, ReadyForm]:
    """Returns the forms of a file, ready; a Word file of the same name in the folder `own` takes a shipped one's place.

    `loaded`: the definitions are those that a database holds; forms about others are left out. What is wrong with an
    office's own file stands on its form, and only there. Raises FileRefused, and FindingsError with all that is wrong.
    """
    tree = read_yaml(path.read_text(encoding="utf-8"), str(path))
    file = load_model(FormsFile, tree, file=str(path))
    found = Findings(tree, str(path))
    area = next(iter(definitions.values())).area
    if file.head not in area.file.roles:
        found.unknown(("head",), "role", file.head, area.file.roles)
    ready = {}
    for id, spec in file.forms.items():
        if loaded and not {spec.of, *(spec.rows.of if spec.rows is not None else ())} <= set(definitions):
            continue
        word = own / spec.file if own is not None and (own / spec.file).is_file() else path.parent / spec.file
        made = _ready(id, spec, file, word, definitions, found, own=word.parent != path.parent)
        if made is not None:
            ready[id] = made
    found.done()
    return ready


def _ready(
    id: str,
    spec: Form,
    file: FormsFile,
    path: Path,
    definitions: Mapping[str, Definition],
    found: Findings,
    *,
    own: bool,
) -> ReadyForm | None:
    at: Path_ = ("forms", id)
    definition = definitions.get(spec.of)
    if definition is None:
        found.unknown((*at, "of"), "workflow", spec.of, definitions)
        return None
    if not path.is_file():
        found.add((*at, "file"), "no-file", "there is no file {file} beside this one", file=spec.file)
        return None
    facts = Facts(definition.area, definition.file, found)
    works_out = {}
    for name, worked in spec.works_out.items():
        compiled = facts.expression((*at, "works_out", name, "is"), worked.is_)
        if compiled is not None:
            works_out[name] = compiled
    known = {*definition.types, *OFFICE_NAMES, *spec.works_out}
    row_names = _row_names(at, spec.rows, definition, definitions, found) if spec.rows is not None else frozenset()
    told = Findings(found.tree, str(path) if own else found.file)
    places = _places((*at, "file"), path, known, row_names, definition, told)
    if not own:
        found.found += told.found
    for i, name in enumerate(spec.may_miss):
        if name not in known and name not in row_names:
            found.unknown((*at, "may_miss", i), "place", name, known)
    return ReadyForm(
        id=id,
        spec=spec,
        head=file.head,
        written_in=file.written_in,
        path=path,
        places=places,
        works_out=works_out,
        faults=tuple(replace(f, line=1, column=1) for f in told.found) if own else (),
    )


def _places(
    at: Path_, path: Path, known: Collection[str], row_names: Collection[str], definition: Definition, found: Findings
) -> Places:
    """Returns the places of a Word file; what is wrong with them is noted."""
    try:
        places = open_places(path)
    except FileRefused as error:
        found.note(at, "form-file", error.message, error.params)
        return Places(names=frozenset(), entries=frozenset(), row_names=frozenset())
    for name in sorted(places.names - set(known) - {"rows"}):
        found.unknown(at, "place", name, known)
    for entry in sorted(places.entries):
        fact, _, key = entry.partition(".")
        keys = definition.types[fact].keys if fact in definition.types else None
        if keys is not None and key not in keys:
            found.unknown(at, "place", entry, [f"{fact}.{k}" for k in keys])
    for name in sorted(places.row_names - {*row_names, *OFFICE_NAMES, "number", "name", "entry"}):
        found.unknown(at, "place", f"row.{name}", row_names)
    return places


def _row_names(
    at: Path_, rows: Rows, definition: Definition, definitions: Mapping[str, Definition], found: Findings
) -> frozenset[str]:
    """Returns the facts that a row may show: those of any workflow listed."""
    check_names(found, (*at, "rows", "of"), "workflow", rows.of, definitions)
    named = definition.types.get(rows.named_by)
    if named is None or named.name != "map" or named.of is None:
        found.unknown((*at, "rows", "named_by"), "map fact", rows.named_by, definition.types)
    elif named.of.options:
        check_names(found, (*at, "rows", "only"), "value", rows.only, named.of.options)
    return frozenset(n for w in rows.of if w in definitions for n in definitions[w].types)


def form_named(forms: Mapping[str, ReadyForm], id: str) -> ReadyForm:
    """Returns a form. Raises NotFound naming those there are."""
    if id not in forms:
        raise NotFound("there is no form {name}; there are: {known}", name=id, known=", ".join(sorted(forms)))
    return forms[id]


def check_about(form: ReadyForm, workflow: str) -> None:
    """Sees that a form is about subjects of this workflow. Raises BadInput."""
    if form.spec.of != workflow:
        raise BadInput(
            "the form {form} is for {of}, not for {workflow}", form=form.id, of=form.spec.of, workflow=workflow
        )
