"""The reader's language: English templates are the keys, Vietnamese comes from the catalogs in `locale/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from engine.core.decision import InvalidInput
from engine.core.errors import BadLines, KetnapError
from engine.core.places import FindingsError

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
    params = dict(error.worded(lang))
    inner = error.__cause__
    if isinstance(inner, KetnapError) and params.get("error") == inner.text():
        params["error"] = error_text(inner, lang)
    return fill(error.message, params, translate)
