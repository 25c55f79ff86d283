"""Finds the organisation that a list means by a short or long form of its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reports.words import Words, like, starts, words


def match_unit(
    text: str,
    units: Mapping[str, str],
    *,
    prefixes: Iterable[Words] = (),
    abbreviations: Mapping[str, str] | None = None,
    beginnings: bool = False,
    above: Mapping[str, str] | None = None,
) -> list[str]:
    """Returns the ids of the units (id to name) whose name is the text or ends with it, by whole words.

    `Thôn 6` is `Chi bộ thôn 6`, never `Chi bộ thôn 16`. An exact name wins over endings, right accents over missing
    ones. `prefixes` (`chi đoàn`) may stand before the text instead of the unit's own. With `beginnings` a name that
    begins with the text is taken too, where none ends so. `above` (id to the name of the unit above it) tells those of
    one name apart: `Chi bộ thôn 2, Đảng ủy xã An Phú`, `Thôn 2 xã An Phú`; a unit's id does so too. More than one id
    means that the text is ambiguous.
    """
    if text.strip() in units:
        return [text.strip()]
    typed = words(text, abbreviations)
    if not typed:
        return []
    names = {id_: words(name, abbreviations) for id_, name in units.items()}
    if exact := [id_ for id_, name in names.items() if name.marked == typed.marked]:
        return exact
    forms = [typed] + [typed.slice(len(p)) for p in prefixes if starts(typed, p) and len(typed) > len(p)]
    for form in forms:
        if found := _ending(form, names):
            return found
    for form in forms if above else ():
        if found := _with_above(form, names, above or {}, abbreviations):
            return found
    return [id_ for id_, name in names.items() if starts(name, typed)] if beginnings and len(typed) >= 2 else []


def _ending(form: Words, names: Mapping[str, Words]) -> list[str]:
    size = len(form)
    ends = {id_: name.slice(len(name) - size) for id_, name in names.items() if len(name) >= size}
    if found := [id_ for id_, end in ends.items() if end.marked == form.marked]:
        return found
    return [id_ for id_, end in ends.items() if form.unmarked and like(form, end)]


def _with_above(
    form: Words, names: Mapping[str, Words], above: Mapping[str, str], abbreviations: Mapping[str, str] | None
) -> list[str]:
    """Returns the units that a text names together with the unit above: first the one's words, then the other's."""
    over = {id_: words(name, abbreviations) for id_, name in above.items()}
    found = []
    for cut in range(1, len(form)):
        named, rest = form.slice(0, cut), form.slice(cut)
        ends = [id_ for id_ in _ending(named, names) if id_ in over]
        found += [id_ for id_ in ends if _ending(rest, {id_: over[id_]}) and id_ not in found]
    return found
