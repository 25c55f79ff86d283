"""The ids of subjects, and what only one subject of a workflow may have."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from engine.core.commands import Start
from engine.core.errors import BadInput, NotFound
from engine.core.machine import Definition
from engine.core.model import Text
from engine.work import Work

NUMBERED = "{workflow}-{n}"


def new_id(work: Work, definition: Definition, command: Start, facts: Mapping[str, object]) -> str:
    """Returns the id of a new subject: the one asked for, or one by the definition's template. Raises BadInput."""
    if command.id is not None:
        id = command.id.strip()
        if not id or len(id) > 200 or any(c.isspace() or ord(c) < 32 for c in id):
            raise BadInput("id: {id} is not an id: letters, digits and signs without spaces", id=command.id[:80])
        if _stands(work, id):
            raise BadInput("id: {id} stands already", id=id)
        return id
    template = definition.file.id or NUMBERED
    words = {"workflow": definition.workflow, "org": command.org, **{k: str(v) for k, v in facts.items()}}
    if any(name not in {**words, "n": ""} for _, name, _, _ in Formatter().parse(template) if name is not None):
        template = NUMBERED  # a fact of the template is not known
    if "{n}" in template:
        name = f"serial:{definition.workflow}"
        n = int(work.tx.setting(name) or "0")
        while True:
            n += 1
            id = template.format(**words, n=n)
            if not _stands(work, id):
                work.tx.put_setting(name, str(n))
                return id
    id = base = template.format(**words)
    n = 1
    while _stands(work, id):
        n += 1
        id = f"{base}-{n}"
    return id


def _stands(work: Work, id: str) -> bool:
    try:
        work.case(id)
    except NotFound:
        return False
    return True


def unique_key(definition: Definition, org: str, facts: Mapping[str, object]) -> str | None:
    """Returns what only one subject of the workflow may have, or None."""
    names = definition.file.unique
    if any(n != "org" and facts.get(n) is None for n in names):
        return None  # what nobody knows is nothing that another could have too
    return "|".join(org if n == "org" else str(facts.get(n)) for n in names) if names else None


def taken(work: Work, definition: Definition, org: str, facts: Mapping[str, object]) -> bool:
    """Tells whether a subject with the unique key of these facts stands already."""
    key = unique_key(definition, org, facts)
    return key is not None and bool(work.tx.find_subjects(workflow=definition.workflow, unique_key=key, limit=1))


def taken_key(work: Work, definition: Definition, org: str, facts: Mapping[str, object]) -> str | None:
    """Returns the unique key of a new subject. Raises BadInput when another has it."""
    key = unique_key(definition, org, facts)
    if key is not None and work.tx.find_subjects(workflow=definition.workflow, unique_key=key, limit=1):
        raise BadInput(
            "{title} ({workflow}): there is one already for {key}",
            title=definition.file.title,
            workflow=definition.workflow,
            key=_key_said(work, definition, org, facts),
        )
    return key


def _key_said(work: Work, definition: Definition, org: str, facts: Mapping[str, object]) -> Text:
    """Returns what makes a subject unique in words: units and choices by their names, what is the same said once."""
    lists, spec, units = definition.area.file.lists, definition.file.facts, work.office.tree.by_id
    said: list[Text] = []
    for name in definition.file.unique:
        value = org if name == "org" else str(facts.get(name))
        if name == "org" or spec[name].type == "org":
            unit = units[value].name if value in units else value
            said.append(Text(vi=unit, en=unit))
            continue
        listed = lists.get((spec[name].of or [""])[0], {}) if spec[name].type == "choice" else {}
        said.append(listed[value].label if value in listed else Text(vi=value, en=value))
    return Text(vi=", ".join(dict.fromkeys(t.vi for t in said)), en=", ".join(dict.fromkeys(t.en for t in said)))
