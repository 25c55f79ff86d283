"""What the engine and the delivery of notices say to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from engine.core.authority import Office
from engine.core.machine import Area, Definition, Told
from engine.core.values import Value

State = Literal["queued", "claimed", "accepted", "delivered", "refused", "failed", "unknown", "cancelled"]
OPEN: frozenset[str] = frozenset({"queued", "claimed"})
SENT: frozenset[str] = frozenset({"accepted", "delivered"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A notice to one officer on one channel, with its text."""

    recipient: str
    behalf: str | None
    channel: str | None  # None: the officer has no contact
    subject_line: str
    body: str
    group: str  # the rule's label


@dataclass(frozen=True, kw_only=True, slots=True)
class Matter:
    """What a notice is about, for writing it."""

    definition: Definition
    templates: Mapping[str, str]  # name.language -> text
    told: Told
    subject: str
    unit: str
    state: str
    entered_on: date
    facts: Mapping[str, Value]
    due: date | None
    working_days_left: int | None
    planned_on: date
    today: date
    reason: str | None = None


class Drafter(Protocol):
    """Writes notices. `notifications` answers; the wiring hands it over."""

    def drafts(self, matter: Matter, area: Area, office: Office) -> Sequence[Draft]:
        """Returns a draft for every recipient and channel of today."""
