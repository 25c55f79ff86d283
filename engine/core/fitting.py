"""Fitting a file's tree into a pydantic model, and saying of everything that does not fit where it stands and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from engine.core.places import Finding, FindingsError, Node, Place, YamlList, YamlMap, has, key_place_of, place_of
from engine.core.suggestions import suggest

M = TypeVar("M", bound=BaseModel)
Path = tuple[str | int, ...]
Error = Any  # pydantic_core.ErrorDetails; its keys are words, its values anything

_DATE, _TIME = "{value} is not a date (YYYY-MM-DD)", "{value} is not a time (HH:MM)"
_DATETIME, _NUMBER = "{value} is not a time (YYYY-MM-DD HH:MM)", "{value} is not a number"
_BOOL, _INT = "{value} is not true or false", "{value} is not a whole number"
_TEXT, _LIST = "a text is expected here, not {value}", "a list is expected here, not {value}"
_MAP = "keys with values are expected here, not {value}"

# pydantic's error types by how they begin, the longer beginning first
_WRONG_TYPE = (
    ("bool_", _BOOL), ("int_", _INT), ("decimal_", _NUMBER), ("float_", _NUMBER), ("finite_number", _NUMBER),
    ("datetime_", _DATETIME), ("date_", _DATE), ("time_delta", "{value} is not a duration"), ("time_", _TIME),
    ("string_type", _TEXT), ("list_", _LIST), ("tuple_", _LIST), ("set_", _LIST), ("frozen_set_", _LIST),
    ("dict_", _MAP), ("mapping_", _MAP), ("model_", _MAP), ("dataclass_", _MAP),
)  # fmt: skip
_WRONG_VALUE = {  # error type -> the name of its parameter, message
    "greater_than_equal": ("ge", "{value} is less than {limit}"),
    "greater_than": ("gt", "{value} is not more than {limit}"),
    "less_than_equal": ("le", "{value} is more than {limit}"),
    "less_than": ("lt", "{value} is not less than {limit}"),
    "too_short": ("min_length", "at least {limit} must stand here"),
    "too_long": ("max_length", "at most {limit} may stand here"),
    "string_too_short": ("min_length", "{value} is shorter than {limit} letters"),
    "string_too_long": ("max_length", "{value} is longer than {limit} letters"),
    "string_pattern_mismatch": ("pattern", "{value} does not fit the pattern {limit}"),
}


def load_model(model: type[M], tree: Node, *, file: str) -> M:
    """Returns the tree as a model. Raises FindingsError with everything that does not fit, each at its place."""
    try:
        fitted = model.model_validate(tree)
    except ValidationError as error:
        errors = _furthest(tree, 0, error.errors(include_url=False), tree)
        found = [_finding(model, tree, file, e) for e in errors]
    else:
        found = [_at(place_of(tree, path), file, "wrong-type", message, value=_shown(value))
                 for path, value, message in _guessed(tree, fitted, ())]  # fmt: skip
        if not found:
            return fitted
    unique = [f for i, f in enumerate(found) if f not in found[:i]]
    raise FindingsError(tuple(sorted(unique, key=lambda f: (f.line, f.column))))


# ---- what pydantic reads too kindly ----

_KIND_BOOLS = frozenset({"on", "off", "yes", "no", "y", "n", "t", "f", "1", "0"})
_BARE_NUMBER = re.compile(r"\s*[+-]?[\d_]*\.?[\d_]*\s*")


def _guessed(node: Node, value: object, path: Path) -> Iterator[tuple[Path, str, str]]:
    """Yields the texts whose meaning was guessed: `yes` for true (YAML 1.2 has no such word), a number for a date."""
    if isinstance(node, str):
        message = _guess(node, value)
        if message:
            yield path, node, message
    elif isinstance(node, YamlMap) and isinstance(value, BaseModel | dict):
        for key, item in _members(value):
            if key in node:
                yield from _guessed(node[key], item, (*path, key))
    elif isinstance(node, YamlList) and isinstance(value, list | tuple) and len(node) == len(value):
        for i, item in enumerate(value):
            yield from _guessed(node[i], item, (*path, i))


def _members(value: BaseModel | dict[Any, Any]) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        yield from value.items()
    else:
        for name, field in type(value).model_fields.items():
            yield from ((key, getattr(value, name)) for key in {name, field.alias or name})


def _guess(text: str, value: object) -> str | None:
    match value:
        case bool():
            return _BOOL if text.strip().lower() in _KIND_BOOLS else None
        case int():
            return _INT if "_" in text or "." in text else None
        case datetime() | date() | time() | timedelta() if _BARE_NUMBER.fullmatch(text):  # seconds since 1970
            return _DATETIME if isinstance(value, datetime) else _DATE if isinstance(value, date) else _TIME
        case _:
            return None


# ---- of the arms of a union, the one that got furthest ----


def _furthest(tree: Node, depth: int, errors: Sequence[Error], at: Node) -> list[Error]:
    """Leaves out what the other arms of a union say.

    `at` is the node that the first `depth` parts of every error's location lead to. pydantic puts the name of an arm
    into the location, where no key of the file stands.
    """
    kept: list[Error] = []
    inside: dict[str | int, list[Error]] = {}
    for error in errors:
        loc = error["loc"]
        if len(loc) - (error["type"] == "missing") <= depth or loc[depth] == "[key]":
            kept.append(error)
        else:
            inside.setdefault(loc[depth], []).append(error)
    arms: list[list[Error]] = []
    for part, group in inside.items():
        if has(at, part):
            kept += _furthest(tree, depth + 1, group, at[part])
        else:
            arms.append(_furthest(tree, depth + 1, group, at))
    if arms:
        parts = len(_real_path(tree, arms[0][0]["loc"][:depth]))
        kept += min(arms, key=lambda arm: _misfit(tree, parts, arm))
    return kept


def _misfit(tree: Node, parts: int, arm: Iterable[Error]) -> tuple[int, int, int]:
    """Returns how badly an arm fits: is the whole of another kind, what speaks of another arm, how much."""
    whole = strange = count = 0
    for error in arm:
        count += 1
        kind = error["type"]
        here = len(_real_path(tree, error["loc"])) == parts
        if here and kind != "missing":
            whole = max(whole, 2 if kind.endswith("_type") else 1)
        strange += kind == "extra_forbidden" or (kind == "literal_error" and not here)
    return whole, strange, count


def _real_path(tree: Node, loc: Iterable[str | int]) -> Path:
    """Returns the location without the words that pydantic adds for unions and validators."""
    path: list[str | int] = []
    at = tree
    for part in loc:
        if has(at, part):
            at = at[part]
            path.append(part)
    return tuple(path)


# ---- findings ----


def _finding(model: type[BaseModel], tree: Node, file: str, error: Error) -> Finding:
    path, kind, context = _real_path(tree, error["loc"]), error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        known = _known_keys(model, path[:-1])
        return _named(key_place_of(tree, path), file, "unknown-key", "unknown key {key}", known, key=str(path[-1]))
    if kind in ("missing", "union_tag_not_found"):
        key = str(error["loc"][-1]) if kind == "missing" else context["discriminator"].strip("'")
        path = _real_path(tree, error["loc"][:-1]) if kind == "missing" else path
        return _at(place_of(tree, path), file, "missing-key", "the key {key} is missing", key=key)
    if kind == "union_tag_invalid":
        path = (*path, context["discriminator"].strip("'"))
        return _choice(place_of(tree, path), file, context["tag"], context["expected_tags"])
    place = key_place_of(tree, path) if error["loc"][-1:] == ("[key]",) else place_of(tree, path)
    value = _shown(error.get("input"))
    if kind in ("literal_error", "enum"):
        return _choice(place, file, value, context["expected"])
    if kind in _WRONG_VALUE:
        name, message = _WRONG_VALUE[kind]
        return _at(place, file, "wrong-value", message, value=value, limit=context[name])
    if kind == "value_error":  # a validator of the model speaks for itself, in English that a catalogue may translate
        return _at(place, file, "wrong-value", str(context["error"]))
    for beginning, message in _WRONG_TYPE:
        if kind.startswith(beginning):
            return _at(place, file, "wrong-type", message, value=value)
    return _at(place, file, "wrong-value", "{value} does not fit: {problem}", value=value, problem=error["msg"])


def _at(place: Place, file: str, code: str, message: str, /, **params: object) -> Finding:
    return Finding(
        file=file, line=place.line, column=place.column, severity="error", code=code, message=message, params=params
    )


def _named(
    place: Place, file: str, code: str, message: str, known: Iterable[str], /, key: str, **params: object
) -> Finding:
    """Returns a finding about a word, with the nearest of the words that would do."""
    near = suggest(key, known)
    if near is None:
        return _at(place, file, code, message, key=key, **params)
    return _at(place, file, code, message + "; did you mean {near}?", key=key, near=near, **params)


def _choice(place: Place, file: str, value: str, expected: str) -> Finding:
    """`expected` is pydantic's list of words: `'a', 'b' or 'c'`."""
    options = re.findall(r"'([^']*)'", expected)
    shown = ", ".join(options) or expected
    return _named(place, file, "wrong-value", "{key} is not one of: {options}", options, key=value, options=shown)


def _shown(value: object) -> str:
    """Returns a value as it may be shown in any language."""
    if value is None:
        return "null"
    text = "{...}" if isinstance(value, Mapping) else "[...]" if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


# ---- the keys that a model knows ----


def _known_keys(model: type[BaseModel], path: Path) -> list[str]:
    """Returns the keys that the models at a path know, by walking the annotations."""
    options: list[Any] = [model]
    for part in path:
        options = [inner for option in options for inner in _step_into(option, part)]
    return sorted({f.alias or n for o in options for n, f in getattr(o, "model_fields", {}).items()})


def _step_into(option: Any, part: str | int) -> list[Any]:
    if isinstance(option, _Items):
        return _models_in(option.annotation)
    fields = option.model_fields.items()
    return [m for name, f in fields if part in (name, f.alias) for m in _models_in(f.annotation)]


def _models_in(annotation: Any) -> list[Any]:
    """Returns the models, and the lists and dicts of something, that a value of this annotation may be."""
    origin: Any = getattr(annotation, "__origin__", None)
    args: tuple[Any, ...] = getattr(annotation, "__args__", ())
    if isinstance(annotation, type) and not args:
        return [annotation] if issubclass(annotation, BaseModel) else []
    if isinstance(origin, type) and issubclass(origin, Iterable):  # the keys of a mapping hold no models
        return [_Items(item) for item in args if item is not Ellipsis]
    return [inner for arg in args for inner in _models_in(arg)]


class _Items:
    """The values of a dict or the items of a list, one step of a path away."""

    def __init__(self, annotation: Any) -> None:
        self.annotation = annotation
