"""Those whom a subject names in its maps, and what stands in them under units: tables of a subject's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.case import Case
from engine.core.errors import NotFound
from engine.core.machine import Definition
from engine.core.values import Value
from engine.sheet_documents import shown
from web.pages.home import title_of

if TYPE_CHECKING:
    from web.site import Visit


def fact_text(visit: Visit, definition: Definition, fact: str, value: Value | None) -> tuple[str, str]:
    """Returns a fact's value as a page shows it and where it leads: another subject by its name, if it may be read."""
    if definition.types[fact].name != "subject" or value is None:
        return visit.values.text(definition, fact, value), ""
    id = str(value)
    try:
        if not visit.service.desk.reads(id, visit.by()):
            return id, ""
    except NotFound:
        return id, ""
    with visit.service.work() as work:
        return title_of(visit, work.case(id)), f"/subjects/{id}"


def has_forms(visit: Visit, workflow: str) -> bool:
    """Tells whether something is printed of a workflow's subjects: a form about each, or a list that belongs to it."""
    return bool(visit.site.pages.of(workflow).reports) or any(f.spec.of == workflow for f in visit.site.forms.values())


def named(visit: Visit, case: Case) -> dict[str, Any]:
    """Returns the tables; `people_columns` and `unit_columns` are the maps that hold something."""
    definition, facts = case.definition, case.subject.facts
    files = definition.file.facts
    maps = {n: held for n in files if isinstance(held := facts.get(n), dict) and n not in definition.sensitive}
    of_people = [n for n in maps if files[n].keys == "subjects"]
    of_units = [n for n in maps if files[n].keys == "orgs"]
    people = visit.service.starting.people(case.subject.id, visit.by()) if of_people else []

    def text(fact: str, value: Any) -> str:
        of = definition.types[fact].of
        if value is None:
            return ""
        if of is not None and of.name == "org":
            return visit.values.unit(str(value))
        return shown(visit.teller, definition, fact, value)

    orgs = {org: visit.values.unit(org) for n in of_units for org in maps[n]}
    return {
        "people": [
            {
                "unit": visit.values.unit(p.case.subject.org),
                "title": title_of(visit, p.case),
                "href": f"/subjects/{p.case.subject.id}",
                "state": visit.teller.state(p.case.definition, p.case.subject.state),
                "cells": [text(n, p.entries.get(n)) for n in of_people],
            }
            for p in people
        ],
        "people_columns": [files[n].label.of(visit.lang) for n in of_people],
        "units": [
            {"name": name, "cells": [text(n, maps[n].get(org)) for n in of_units]}
            for org, name in sorted(orgs.items(), key=lambda pair: pair[1])
        ],
        "unit_columns": [files[n].label.of(visit.lang) for n in of_units],
    }
