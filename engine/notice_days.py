"""The day that a notice rule of a subject is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from engine.core.calendar import Calendar
from engine.core.machine import Told
from engine.core.values import Value


def day_of(told: Told, view: Mapping[str, Value], calendar: Calendar) -> date | None:
    """Returns the day, whatever the rule's condition says; None where it is not known or there is none."""
    due = told.due.evaluate(view, calendar) if told.due is not None else None
    return due.date() if isinstance(due, datetime) else due if isinstance(due, date) else None


def day_due(told: Told, state: str, view: Mapping[str, Value], calendar: Calendar) -> date | None:
    """Returns the day, where the rule holds in this state and its condition does."""
    if told.due is None or state not in told.states:
        return None
    if told.condition is not None and told.condition.evaluate(view, calendar) is not True:
        return None
    return day_of(told, view, calendar)
