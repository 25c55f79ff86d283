"""An office's own changes of what it was given: a notice rule turned off, its offsets moved, the order of channels.

    channels: [sms, email]
    notices:
      some_rule: {off: true}
      another_rule: {send: [10 days before, on the day]}

The shipped file stays as it is, and may be replaced by a newer one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from pydantic import BeforeValidator, Field

from engine.core.definition import Channels, Notice, Offset
from engine.core.findings import Findings
from engine.core.machine import Definition, Told
from engine.core.model import Model, Name
from engine.core.reader import Finding, load_model, read_yaml


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Change(Model):
    """What an office changes in a notice rule."""

    off: bool = Field(False, description="true: the rule sends nothing")
    send: Annotated[list[Offset], BeforeValidator(_listed)] | None = Field(
        None, description="offsets instead of the rule's own"
    )


class OfficeFile(Model):
    """`office.yaml`: what an office has otherwise than the files it was given."""

    notices: dict[Name, Change] = Field(default={}, description="notice rules by their id")
    channels: Channels | None = Field(None, description="the order in which officers are tried, instead of the area's")


def read_office(text: str, file: str) -> OfficeFile:
    """Reads an office's file. Raises FileRefused and FindingsError, with file, line and column."""
    return load_model(OfficeFile, read_yaml(text, file), file=file)


def check_office(tree: object, file: str, rules: Mapping[str, Notice]) -> list[Finding]:
    """Returns what does not fit these notice rules: unknown ones, offsets for a rule about no date."""
    found = Findings(tree, file)
    office = load_model(OfficeFile, tree, file=file)
    for name, change in office.notices.items():
        path = ("notices", name)
        if name not in rules:
            found.unknown(path, "notice", name, rules)
        elif change.off and change.send is not None:
            found.add(path, "office-both", "a rule that is off sends nothing: leave out `send` or `off`")
        elif not change.off and change.send is None:
            found.add(path, "office-nothing", "nothing is changed here: write `off: true` or `send`")
        elif change.send is not None and not change.send:
            found.add((*path, "send"), "office-empty", "no offset: to send nothing, write `off: true`")
        elif change.send is not None and rules[name].due is None:
            found.add((*path, "send"), "office-told", "{name} is told at a step and has no offsets", name=name)
    return found.found


def change_notices(definition: Definition, office: OfficeFile) -> Definition:
    """Returns the definition with the office's changes of its notice rules, and its own order of channels."""
    notices = tuple(
        _changed(told, office.notices[told.rule]) if told.rule in office.notices else told
        for told in definition.notices
        if not (told.rule in office.notices and office.notices[told.rule].off)
    )
    area = definition.area
    if office.channels is not None:
        area = replace(area, file=area.file.model_copy(update={"channels": office.channels}))
    return replace(definition, notices=notices, area=area)


def _changed(told: Told, change: Change) -> Told:
    if change.send is None or told.due is None:
        return told
    return replace(told, spec=told.spec.model_copy(update={"send": change.send}))
