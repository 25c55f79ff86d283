"""The bodies that programs send."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from engine.doors.tokens import SCOPES

PLAIN = r"^[^\x00-\x1f\x7f]*$"  # no line feeds, no NUL
Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PLAIN)]
Line_ = Annotated[str, StringConstraints(max_length=500, pattern=PLAIN)]
Text = Annotated[str, StringConstraints(max_length=20_000, pattern=r"^[^\x00]*$")]
Facts = dict[Id, JsonValue]
When = Annotated[date | None, Field(default=None, description="The day it happened, when entered later.")]


class Body(BaseModel):
    """What is sent; a name that is not known is an error."""

    model_config = ConfigDict(extra="forbid")


class StartBody(Body):
    """A subject that begins."""

    workflow: Id
    org: Id
    id: Id | None = None
    facts: Facts = Field(default_factory=dict)
    on: date | None = None
    reason: Text | None = None


class LineBody(Body):
    """One line of a batch."""

    subject: Id
    do: Id
    facts: Facts = Field(default_factory=dict)
    reason: Text | None = None
    set_aside: bool = False


class StepBody(Body):
    """A step. `lines` are those of a step that moves many."""

    trigger: Id
    facts: Facts = Field(default_factory=dict)
    on: date | None = None
    reason: Text | None = None
    lines: Annotated[list[LineBody], Field(max_length=2_000)] = Field(default_factory=list)
    over_clock: bool = False
    correct: bool = False


class ManyStep(Body):
    """One step among several; `version` is that which you saw."""

    subject: Id
    version: Annotated[int, Field(ge=1, lt=2**31)]
    trigger: Id
    facts: Facts = Field(default_factory=dict)
    on: date | None = None
    reason: Text | None = None


class ManyBody(Body):
    """Steps of several subjects: all of them are taken, or none."""

    steps: Annotated[list[ManyStep], Field(min_length=1, max_length=500)]


class FactsBody(Body):
    """Facts without a step; null makes one unknown."""

    facts: Facts
    on: date | None = None
    reason: Text | None = None


class UndoBody(Body):
    """Why the last step is undone."""

    reason: Text | None = None
    deep: bool = False
    correct: bool = False


class FindBody(Body):
    """Which subjects are looked for."""

    workflow: Id
    org: Id | None = None
    states: Annotated[list[Id], Field(max_length=50)] = Field(default_factory=list)
    facts: Facts = Field(default_factory=dict)
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    cursor: Annotated[str, StringConstraints(max_length=600)] | None = None


class LikeBody(Body):
    """Facts of somebody who may be followed already."""

    workflow: Id
    facts: Facts


class OpenBody(Body):
    """Why sensitive facts are opened; kept beside the opening."""

    purpose: Annotated[Text, StringConstraints(min_length=1)]


class OrgBody(Body):
    """An organisation to be founded or changed; what is left out stays as it is."""

    id: Id
    kind: Id | None = None
    name: Line_ | None = None
    parent: Id | None = None
    from_: Annotated[date | None, Field(alias="from")] = None
    until: date | None = None
    merge_into: Id | None = None
    marks: dict[Id, dict[Literal["from", "until"], date | None]] | None = None
    decision: Line_ | None = None


class CloseBody(Body):
    """When and by which decision a unit is closed."""

    on: date | None = None
    decision: Line_ | None = None


class SplitBody(Body):
    """Into which units a unit is split, and where each of what it has goes."""

    into: Annotated[list[Id], Field(min_length=1, max_length=100)]
    assign: dict[Id, Id]
    on: date | None = None
    decision: Line_ | None = None


class OfficerBody(Body):
    """An officer to be added or changed; what is left out stays as it is."""

    name: Line_ | None = None
    org: Id | None = None
    roles: Annotated[list[Id], Field(max_length=50)] | None = None
    email: Line_ | None = None
    phone: Line_ | None = None
    webhook: Line_ | None = None
    channels: Annotated[list[Id], Field(max_length=10)] | None = None
    from_: Annotated[date | None, Field(alias="from")] = None
    until: date | None = None
    disabled: bool | None = None


class DayBody(Body):
    """A day off, or a working day."""

    day: date
    off: bool


class SubstituteBody(Body):
    """Who acts for whom, from the first to the last day."""

    officer: Id
    stand_in: Id
    from_: Annotated[date, Field(alias="from")]
    until: date


class ResolveBody(Body):
    """What a person found out of notices."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=500)]
    outcome: Literal["sent", "again", "cancel"]
    reason: Text | None = None


class CorrectBody(Body):
    """Notices that do not hold, and why."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=500)]
    reason: Text | None = None


class TokenBody(Body):
    """A token to be made: what it is for and for how long."""

    name: Line_
    scopes: Annotated[list[Literal[SCOPES]], Field(min_length=1)]  # type: ignore[valid-type]
    days: Annotated[int, Field(ge=1, le=366)] = 90


class ReportBody(Body):
    """A report as a file. The period: `2024`, `2015-2020`, `2024-Q2`, `2024-05`, `2024-01-01..2024-06-30` or a day."""

    period: Line_
    org: Id | None = None
    subject: Id | None = None
    format: Literal["xlsx", "docx", "pdf", "json"] = "json"
    purpose: Text | None = None


class ExportBody(Body):
    """Which part of the trail goes into a bundle."""

    org: Id | None = None
    from_: Annotated[date | None, Field(alias="from")] = None
    to: date | None = None


Document = dict[str, Any]
