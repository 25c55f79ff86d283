"""The file of a scenario: its keys, and reading it with places for errors."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from engine.core.errors import BadInput, FileRefused
from engine.core.reader import Node, load_model, read_yaml


class Part(BaseModel):
    """The base of every part: no key beyond those named."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _time(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.strip().replace("T", " ")
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"):
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    try:
        return datetime.combine(date.fromisoformat(text), time())
    except ValueError:
        raise ValueError("a time is YYYY-MM-DD HH:MM or YYYY-MM-DD HH:MM:SS") from None


def _listed(value: object) -> object:
    return [value] if isinstance(value, str | dict) else ([] if value is None else value)


Time = Annotated[datetime, BeforeValidator(_time)]
Raw = dict[str, Any]
Names = Annotated[list[str], BeforeValidator(_listed)]


class OrgPart(BaseModel):
    """An organisation; keys beyond those named are the marks that the area declares."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    id: str
    kind: str | None = None
    name: str | None = None
    parent: str | None = None
    from_: date | None = Field(None, alias="from")
    until: date | None = None
    merge_into: str | None = None


class OfficerPart(Part):
    """An officer with roles in one organisation."""

    id: str
    name: str | None = None
    org: str | None = None
    roles: Names | None = None
    email: str | None = None
    phone: str | None = None
    from_: date | None = Field(None, alias="from")
    until: date | None = None
    disabled: bool | None = None


class SubstitutePart(Part):
    """`stands_in` acts for `officer`, both days included."""

    officer: str
    stands_in: str
    from_: date = Field(alias="from")
    until: date


class DayPart(Part):
    """A day off, or worked."""

    day: date
    off: bool = True


class OfficePart(Part):
    """More of the office."""

    orgs: list[OrgPart] = []
    officers: list[OfficerPart] = []
    substitutes: list[SubstitutePart] = []
    holidays: list[DayPart] = []


class StartPart(Part):
    """A subject to be begun."""

    workflow: str
    id: str | None = None
    org: str
    facts: Raw = {}


class LinePart(Part):
    """One decision of a sitting. Without `do` it is the line of the step's own name."""

    subject: str | Raw
    do: str | None = None
    facts: Raw = {}
    reason: str | None = None
    set_aside: bool = False


class FailPart(Part):
    """How the next sends on a channel fail."""

    channel: str
    kind: Literal["temporary", "permanent", "timeout"]
    times: int = Field(1, ge=0, le=10_000)


class Match(Part):
    """What a notice that went out must look like."""

    rule: str | None = None
    subject: str | Raw | None = None
    to: str | None = None
    channel: str | None = None
    on: date | None = None
    at: Time | None = None
    contains: str | None = None


class Count(Match):
    """How many messages carry such a notice."""

    n: int


class NoticesPart(Part):
    """What went out since the scenario began."""

    sent: Annotated[list[Match], BeforeValidator(_listed)] = []
    none: Annotated[list[Match], BeforeValidator(_listed)] = []
    count: Annotated[list[Count], BeforeValidator(_listed)] = []


class EventsPart(Part):
    """How many starts, transitions and sets of a subject went through."""

    subject: str | Raw | None = None
    n: int


class AuditPart(Part):
    """What verifying the trail says."""

    verified: bool


class ReportPart(Part):
    """What a report says: figures over the whole, and rows of its tables (part of a title: key of the row: column)."""

    name: str
    year: int | None = None
    years: str | None = None
    quarter: str | None = None
    month: str | None = None
    on: date | None = None
    org: str | None = None
    subject: str | None = None
    as_: str | None = Field(None, alias="as")
    figures: dict[str, str | None] = {}
    rows: dict[str, dict[str, dict[str, str | None]]] = {}


class Expect(Part):
    """What must come of a step."""

    state: str | None = None
    facts: Raw | None = None
    refused: Names | None = None
    unknown: Names | None = None
    denied: bool | None = None
    error: str | None = None
    notices: NoticesPart | None = None
    cites: dict[str, str] | None = None
    allowed: Names | None = None
    breaches: Names | None = None
    warned: Names | None = None  # exactly these warnings were not met, or could not be decided, at the step
    events: EventsPart | None = None
    audit: AuditPart | None = None
    report: Annotated[list[ReportPart], BeforeValidator(_listed)] = []


class Step(Part):
    """One step of a scenario."""

    at: Time | None = None
    as_: str | None = Field(None, alias="as")
    on: date | None = None
    undo: bool = False
    start: StartPart | None = None
    subject: str | Raw | None = None
    do: str | None = None
    facts: Raw = {}
    reason: str | None = None
    decisions: list[LinePart] | None = None
    set_: Raw | None = Field(None, alias="set")
    office: OfficePart | None = None
    fail: FailPart | None = None
    restart: bool = False
    expect: Expect | None = None


class ScenarioFile(Part):
    """A scenario."""

    scenario: str
    clause: Names = Field([], description="clauses of the area's document that it plays")
    way: Literal["good", "failing", "both"] = Field(
        "both", description="good: the clause is kept; failing: it is not, and what comes of it"
    )
    workflows: Names | None = None
    zone: str | None = None
    clock: Time
    office: OfficePart = OfficePart()
    steps: list[Step]


def read_scenario(path: Path) -> tuple[ScenarioFile, Node]:
    """Returns a scenario and its tree. Raises FileRefused or FindingsError."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileRefused("the file is not UTF-8", file=str(path), line=1) from error
    except OSError as error:
        raise BadInput("{file} cannot be read: {why}", file=str(path), why=error.strerror) from error
    tree = read_yaml(text, str(path))
    scenario = load_model(ScenarioFile, tree, file=str(path))
    for i, step in enumerate(scenario.steps):
        _check_step(step, tree["steps"].item_places[i].line, str(path))
    return scenario, tree


def _check_step(step: Step, line: int, file: str) -> None:
    doing = [
        n
        for n, v in (("start", step.start), ("do", step.do), ("set", step.set_), ("undo", step.undo or None))
        if v is not None
    ]
    if len(doing) > 1:
        raise FileRefused("a step does one thing, here are {what}", file=file, line=line, what=", ".join(doing))
    if doing and doing[0] != "undo" and step.as_ is None:
        raise FileRefused("the step lacks `as`: the officer who does it", file=file, line=line)
    if doing and doing[0] != "start" and step.subject is None:
        raise FileRefused("the step lacks `subject`: whom it is about", file=file, line=line)
    if (step.facts or step.decisions is not None) and step.do is None:
        raise FileRefused("`facts` and `decisions` go with `do`", file=file, line=line)
