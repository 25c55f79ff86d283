"""The reference of workflow files and their JSON Schema, both made from the models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.core import definition as models
from engine.core.functions import FUNCTIONS
from engine.core.types import BUILT_IN, LINE_NAMES

ORDER = (
    models.AreaFile, models.Calendar, models.Hours, models.Kind, models.Mark, models.Role, models.Grant,
    models.Permissions, models.Entry, models.Version, models.Recipient, models.Undo, models.Score,
    models.WorkflowFile, models.Fact, models.Borrowed, models.Tally, models.State, models.Start, models.Transition,
    models.Target, models.SetTo, models.Clears, models.Opens, models.Invalid, models.Batch, models.Line,
    models.Rest, models.Numbers, models.Copies, models.Rule, models.Gap, models.Timer, models.Recurrence, models.Unit,
    models.Notice, models.Figure, models.Text,
)  # fmt: skip

HEAD = """# Workflow files: every key

Made from the models by `scripts/make-reference`; do not edit. An editor that knows JSON Schema checks the files as you
type with `workflows/schema/*.schema.json`. `ketnap check` says more: whether the names, expressions and versions agree.

A subject area is a folder: `area.yaml` (what its workflows share), one file a workflow, `notices/` (templates),
`imports/` (how lists are read) and `scenarios/`. Files are YAML 1.2 without aliases, anchors, tags or merge keys; a key
stands once; a file has at most 512,000 bytes and is at most 24 levels deep. A scalar is read by the type of its key:
`on`, `015` and `2024-01-24` need no quotes. Where several names are wanted, one may stand without brackets.

"""

EXPRESSIONS = """## Expressions

Python's expression syntax, a part of it, typed: `and or not`, comparisons (chains too), `in`, arithmetic on numbers and
dates, `A if C else B`, `A if C else unknown`. Unknown facts make the answer unknown only if they could change it. An
entry of a map fact is `FACT['key']`, or `FACT[name]` where any key is possible; `entries(FACT)` counts a map's entries,
`entries(FACT, 'value')` those with a value, `total(FACT)` adds up a map of numbers; loops go over a declared list:
`all(known(FACT[k]) for k in LIST if applies(k))`, and so `any`, `min`, `max`, `count`. `known(x)` is true or false,
never unknown; `written(x)` is true, or unknown while nobody wrote it.
At most 2,000 letters.

"""


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """Returns the JSON Schema of a file."""
    made = model.model_json_schema(by_alias=True)
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return made


def reference() -> str:
    """Returns the reference as Markdown."""
    return page(HEAD, ORDER) + EXPRESSIONS + _names() + _functions()


def page(head: str, models: Iterable[type[BaseModel]]) -> str:
    """Returns a page of models as Markdown, each with its keys."""
    return head + "".join(_section(m) for m in models)


def _section(model: type[BaseModel]) -> str:
    doc = " ".join((model.__doc__ or "").split())
    rows = "".join(_row(name, field) for name, field in model.model_fields.items())
    return f"## {model.__name__}\n\n{doc}\n\n| key | takes | else | meaning |\n| --- | --- | --- | --- |\n{rows}\n"


def _row(name: str, field: FieldInfo) -> str:
    key = field.alias or name
    default = "required" if field.is_required() else _default(field.default)
    return f"| `{key}` | {_type(field.annotation)} | {default} | {field.description or ''} |\n"


def _default(value: object) -> str:
    if value is None or value in ({}, [], ()) or isinstance(value, BaseModel):
        return "-"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    origin, args = getattr(annotation, "__origin__", None), getattr(annotation, "__args__", ())
    plain = {"str": "text", "bool": "true or false", "int": "number", "date": "date", "time": "time"}
    if not args:
        return plain.get(getattr(annotation, "__name__", ""), str(annotation))
    if origin is dict:
        return f"names, each with {_type(args[1])}"
    if origin is list:
        return f"list of {_type(args[0])}"
    if str(origin).endswith("Literal"):
        return ", ".join(f"`{a}`" for a in args)
    if hasattr(annotation, "__metadata__"):
        return _type(args[0] if args else annotation.__origin__)
    return " or ".join(dict.fromkeys(_type(a) for a in args if a is not type(None)))


def _names() -> str:
    rows = "".join(f"| `{n}` | {t.name} |\n" for n, t in BUILT_IN.items())
    return (
        "Names besides the facts:\n\n| name | type |\n| --- | --- |\n"
        f"{rows}| `state` | the workflow's states |\n| `org_kind` | kinds of organisation |\n\n"
        "In the lines of a batch besides:\n\n| name | type |\n| --- | --- |\n"
        + "".join(f"| `{n}` | {t.name} |\n" for n, t in LINE_NAMES.items())
        + "\n"
    )


def _functions() -> str:
    rows = "".join(
        f"| `{n}` | {', '.join(' or '.join(kinds) for kinds in f.takes)} | {f.gives} |\n" for n, f in FUNCTIONS.items()
    )
    return f"| function | takes | gives |\n| --- | --- | --- |\n{rows}"
