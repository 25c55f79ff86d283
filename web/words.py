"""The reader's language: English templates are the keys, Vietnamese comes from the catalogs in `locale/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.decision import InvalidInput
from engine.core.errors import BadLines, KetnapError
from engine.core.places import FindingsError

if TYPE_CHECKING:
    from engine.core.machine import Definition
    from engine.core.model import Text

LOCALE = Path(__file__).parent / "locale"

SUGGESTION = "; did you mean {near}?"  # stands behind other templates

Translate = Callable[[str], str]


@cache
def catalog(lang: str) -> Mapping[str, str]:
    """Returns the catalog of a language; empty for English, whose texts are the keys."""
    from babel.messages.pofile import read_po

    found: dict[str, str] = {}
    for path in sorted((LOCALE / lang / "LC_MESSAGES").glob("*.po")):
        with path.open(encoding="utf-8") as stream:
            for message in read_po(stream, abort_invalid=True):
                if isinstance(message.id, str) and message.id and isinstance(message.string, str) and message.string:
                    found[message.id] = message.string
    return found


def translator(lang: str) -> Translate:
    """Returns what turns an English template into one of the language; a template nobody translated stays as it is."""

    def translate(template: str) -> str:
        found = catalog(lang).get(template)
        if found is None and template.endswith(SUGGESTION):
            return translate(template.removesuffix(SUGGESTION)) + translate(SUGGESTION)
        return template if found is None else found

    return str if lang == "en" else translate


def fill(template: str, params: Mapping[str, object], translate: Translate) -> str:
    """Returns a template in the reader's language with its places filled.

    What stands in a place and is itself a text of the program (`a whole number`, `one of a, b`) is translated too.
    """
    return (
        translate(template).format_map({k: _place(v, translate) for k, v in params.items()})
        if params
        else translate(template)
    )


def _place(value: object, translate: Translate) -> object:
    if not isinstance(value, str):
        return value
    if value.startswith("one of "):
        return translate("one of {known}").format_map({"known": value.removeprefix("one of ")})
    return translate(value)


def in_words(error: KetnapError, lang: str) -> dict[str, object]:
    """Returns what stands in an error's places, the codes of a definition with the words that people know them by."""
    definition: Definition | None = error.codes_of
    params = dict(error.worded(lang))
    if definition is None:
        return params
    file, steps = definition.file, definition.steps
    head = str(params.get("fact", "")).partition(".")[0]
    spec = file.facts.get(head)
    options = definition.area.file.lists.get(spec.of[0], {}) if spec is not None and spec.of else {}
    labels: dict[str, Mapping[str, Text]] = {
        "state": {s: v.label for s, v in file.states.items()},
        "trigger": {t: s.label for t, s in steps.items()},
        "fact": {f: v.label for f, v in file.facts.items()},
        "workflow": {file.workflow: file.title},
    }
    labels["known"] = {**labels["state"], **labels["trigger"]}
    labels["expected"] = {o: v.label for o, v in options.items()}
    for name, known in labels.items():
        if isinstance(codes := error.params.get(name), str):
            params[name] = _labelled(codes, known, lang)
    return params


def _labelled(codes: str, known: Mapping[str, Text], lang: str) -> str:
    """Returns codes, separated by commas, each behind its words; what has none stays as it is."""
    before = "one of " if codes.startswith("one of ") else ""
    return before + ", ".join(
        f"{known[c].of(lang)} ({c})" if c in known else c for c in codes.removeprefix(before).split(", ")
    )


def error_text(error: KetnapError, lang: str) -> str:
    """Returns what went wrong in the reader's language, with the error that lies inside it."""
    translate = translator(lang)
    if isinstance(error, InvalidInput):
        return error.in_language(lang)
    if isinstance(error, BadLines):
        return "\n".join(error_text(e, lang) for e in error.errors)
    if isinstance(error, FindingsError):
        return "\n".join(
            f"{f.file}:{f.line}:{f.column}: {fill(f.message, f.params, translate)}" for f in error.findings
        )
    if type(error).text is not KetnapError.text:
        return error.text(translate, lang)
    params = in_words(error, lang)
    inner = error.__cause__
    if isinstance(inner, KetnapError) and params.get("error") == inner.text():
        params["error"] = error_text(inner, lang)
    return fill(error.message, params, translate)
