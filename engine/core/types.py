"""Which types go where: the built-in names of expressions, and what may be written to a fact."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.values import Type

# what expressions may name besides the workflow's own facts
BUILT_IN: Mapping[str, Type] = {
    "today": Type(name="date"),  # the step's day
    "day": Type(name="date"),  # the rule's day
    "moment": Type(name="datetime"),  # the step's time
    "reason": Type(name="text"),
    "org": Type(name="org"),
    "subject": Type(name="subject"),
    "period": Type(name="date"),
    "period_name": Type(name="text"),
    "unit_began": Type(name="date"),  # the first day of the subject's unit, where it is known
    "unit_ends": Type(name="date"),  # the first day on which the subject's unit is no more
    "began": Type(name="date"),  # the day the subject began
    "entered": Type(name="date"),  # the day it entered its state
}

# what the expressions of a batch's lines may name besides
LINE_NAMES: Mapping[str, Type] = {
    "line": Type(name="subject"),  # the other subject
    "line_org": Type(name="org"),
    "line_state": Type(name="text"),
    "line_workflow": Type(name="text"),
    "line_unit": Type(name="org"),  # the nearest organisation above that is a key of the batch's `units`
    "next_number": Type(name="text"),  # of the workflow's `numbers`
}

KEY_KINDS = ("subjects", "orgs")  # what a map's keys may be besides the codes of a list

# types of expressions that may be written to a fact of a type
FITS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"text", "choice", "org", "subject"}),
    "choice": frozenset({"choice", "text"}),
    "org": frozenset({"org", "text"}),
    "subject": frozenset({"subject", "text"}),
    "int": frozenset({"number"}),
    "decimal": frozenset({"number"}),
    "bool": frozenset({"bool"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"datetime"}),
    "map": frozenset(),
}
