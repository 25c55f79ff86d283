"""What may be asked of a subject: imperative, frozen. The officer, the clock and the transaction are the service's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

Raw = Mapping[str, object]  # facts as typed, read by their types; None makes one unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Begin a workflow for a new subject. Without `id` one is made."""

    workflow: str
    org: str
    id: str | None = None
    facts: Raw = field(default_factory=dict)
    on: date | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of a batch. A line set aside is noted and not carried out."""

    subject: str
    do: str
    facts: Raw = field(default_factory=dict)
    reason: str | None = None
    set_aside: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """Pull a trigger. `version` is the subject's version the officer saw, when it is to be checked."""

    subject: str
    trigger: str
    facts: Raw = field(default_factory=dict)
    on: date | None = None
    reason: str | None = None
    lines: Sequence[Line] = ()
    version: int | None = None
    over_clock: bool = False  # a step of the clock that this proves wrong is undone first, in one go
    correct: bool = False  # those who were told wrongly meanwhile are told so


@dataclass(frozen=True, kw_only=True, slots=True)
class SetFacts:
    """Write facts without a step."""

    subject: str
    facts: Raw
    on: date | None = None
    reason: str | None = None
    version: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Undo:
    """Undo the subject's last step by a compensating event.

    `deep`: what the step opened is closed even where it has gone on since. `correct`: those who were told are told so.
    """

    subject: str
    reason: str | None = None
    version: int | None = None
    deep: bool = False
    correct: bool = False
