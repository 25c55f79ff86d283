"""The grammar of an area file and of a workflow file, as pydantic models.

An area (one folder) says what its workflows share: organisation kinds, roles and their reach, lists, sources of rules,
the calendar. A workflow file says one procedure. The models say the shape; `check` says whether the names agree.
"""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from engine.core.batch import Batch, Copies, Invalid, Line, Numbers, Rest, Set, SetTo
from engine.core.figure import Figure, Score, Tally
from engine.core.model import ONE_OR_MORE, Clauses, Expression, Model, Name, Names, Text
from engine.core.model import listed as _listed

__all__ = [
    "Batch", "Copies", "Expression", "Figure", "Invalid", "Line", "Model", "Name", "Names", "Numbers", "Rest", "Score",
    "SetTo", "Tally", "Text",
]  # fmt: skip

# ---- the area ----


class Kind(Model):
    """A kind of organisation."""

    label: Text = Field(description="what people call it")
    reach: Literal["own", "parent"] = Field(
        "own", description="own: its officers act on it and all below; parent: on the whole tree of the unit above it"
    )


class Mark(Model):
    """Something an organisation may carry for a period, such as a power delegated to it."""

    label: Text = Field(description="what people call it")
    at: Names = Field(description="kinds that may carry it")


class Role(Model):
    """A role that an officer holds in an organisation."""

    label: Text = Field(description="what people call it")
    sees: Literal["subjects", "nothing"] = Field("subjects", description="nothing: the role opens no subject")
    changes: bool = Field(True, description="false: the role reads only")
    head: bool = Field(False, description="true: whoever holds it answers for the organisation's results")
    second_factor: bool = Field(False, description="true: who holds it signs in on the pages with a one-time code too")


class Grant(Model):
    """Who may: one of these roles, in an organisation of one of these kinds."""

    roles: Names = Field(description="one of these roles")
    of: Names = Field(description="kinds or groups of kinds of the officer's organisation")
    over: Name | None = Field(
        None, description="the fact that names the organisation to be reached, else the subject's own"
    )
    kind_is: Name | None = Field(None, description="the fact that must name the kind of the officer's organisation")
    while_: Name | None = Field(
        None, alias="while", description="the mark the officer's organisation must carry on the step's day"
    )
    above: bool = Field(False, description="true: only from above, never in the officer's own organisation")
    like: bool = Field(False, description="true: on the organisations of the own kind, on the tree of the unit above")


Authorities = Annotated[list[Name | Grant], BeforeValidator(_listed)]


class Entry(Model):
    """One value of a list."""

    label: Text = Field(description="what people call it")
    when: Expression | None = Field(None, description="applies(p) is true of the entry only when this holds")


class Version(Model):
    """What a rule rests on from a day on."""

    source: str = Field(description="document, number, date and clause")
    from_: date = Field(alias="from", description="first day in force")
    until: date | None = Field(None, description="last day in force; none: until replaced")
    holds: Expression | None = Field(None, description="the expression of this version, else the rule's")
    unverified: bool = Field(False, description="nobody has compared this with the document's text")
    note: Text | None = Field(None, description="what whoever keeps the file should know")


class Gap(Model):
    """A period in which a rule is declared to have no version."""

    from_: date = Field(alias="from", description="first day without a version")
    until: date = Field(description="last day without one")
    note: Text = Field(description="why")


class Hours(Model):
    """The hours in which notices go out."""

    from_: time = Field(alias="from", description="first minute")
    until: time = Field(description="last minute")


class Undo(Model):
    """Who may undo a person's step."""

    within_days: int = Field(ge=0, le=3660, description="so long, in days, may the officer who did it undo it")
    above: Authorities = Field(description="who may undo it later, if above the subject's unit")


class Calendar(Model):
    """The office's calendar before its own days off."""

    zone: str = Field(description="time zone, such as Asia/Ho_Chi_Minh")
    days_off: str = Field(description="country code of the national days off")
    weekend: list[int] = Field(default=[5, 6], description="days of the week off, Monday is 0")
    office_hours: Hours = Field(description="when notices go out on working days")


class Permissions(Model):
    """Who may change what is not a subject."""

    organisations: Authorities = Field(description="who may found, move, merge and close organisations")
    officers: Authorities = Field(description="who may add and change officers")
    calendar: Authorities = Field(description="who may enter days off")
    substitutes: Authorities = Field(description="who may name substitutes for others")
    accounts: Authorities = Field(description="who may open and close accounts")
    notices: Authorities = Field(description="who may resolve, resend and cancel notices")
    persons: Authorities = Field([], description="who may hold, erase and copy out a person's data; none: nobody")


class Recipient(Model):
    """Who is told: holders of these roles at a place in the tree, never everyone with the role."""

    roles: Names = Field(description="holders of these roles")
    at: Literal["unit", "above", "nearest", "below"] = Field(
        description="the subject's unit, the unit above it, the first unit upwards where somebody can be reached, or "
        "every unit below it (for one whose kind reaches over its parent's tree: below the parent)"
    )
    kind: Name | None = Field(
        None, description="a unit of this kind directly under that place; with `below`: any there"
    )
    of: Name | None = Field(
        None,
        description="the fact naming the organisation to look from, else the subject's unit; or a map fact keyed by "
        "subjects: seen from the unit of each, who is named in the notice, at a step only those whom it wrote",
    )
    being: str | None = Field(None, description="with `of`: only those under whose key this value stands")


ChannelName = Literal["email", "sms", "webhook"]
CHANNELS: tuple[ChannelName, ...] = get_args(ChannelName)
Channels = Annotated[list[ChannelName], Field(min_length=1)]


class AreaFile(Model):
    """`area.yaml`: what the workflows of a folder share."""

    area: Name = Field(description="its id")
    title: Text = Field(description="what people call it")
    calendar: Calendar = Field(description="zone, days off and office hours")
    kinds: dict[Name, Kind] = Field(description="kinds of organisation")
    groups: dict[Name, Names] = Field(default={}, description="names for several kinds together")
    above: Name = Field(description="the group of kinds that counts as the unit above, looked for upwards in the tree")
    marks: dict[Name, Mark] = Field({}, description="what an organisation may carry for a period")
    roles: dict[Name, Role] = Field(description="the roles that officers hold")
    authorities: dict[Name, Annotated[list[Grant], Field(min_length=1)]] = Field(
        default={}, description="grants under a name"
    )
    permissions: Permissions = Field(description="who may change what is not a subject")
    lists: dict[Name, dict[Name, Entry]] = Field(default={}, description="lists of codes, in their order")
    sources: dict[Name, Annotated[list[Version], Field(min_length=1)]] = Field(
        default={}, description="documents that replaced each other, for rules that rest on the same"
    )
    told: list[Recipient] = Field(min_length=1, description="who gets a notice whose rule does not say otherwise")
    unreached: list[Recipient] = Field(
        default=[], description="who is told that notices do not reach an officer, seen from the officer's own unit"
    )
    channels: Channels = Field(
        default=["email", "sms"],
        description="the order in which an officer is tried who wants no other: `email`, `sms`, `webhook`",
    )
    undo: Undo = Field(description="who may undo a step")
    clauses: dict[str, Text] = Field(default={}, description="what the document asks for, clause by clause")
    scores: dict[Name, Score] = Field(default={}, description="what is planned, set as a target and reached")


# ---- the workflow ----


class Borrowed(Model):
    """A fact read from the subject that another fact names."""

    from_: Name = Field(alias="from", description="a fact of type subject")
    fact: Name = Field(description="the fact there")


class Fact(Model):
    """Something known about a subject.

    Written by people or steps, derived (`is`), or read from another subject (`reads`).
    """

    label: Text = Field(description="what people call it")
    type: Literal["text", "int", "decimal", "bool", "date", "datetime", "choice", "org", "subject", "map"] = Field(
        description="what values it holds"
    )
    of: Names | None = Field(
        None, description="choice: its list; map: the type of its values, or a list; org: kinds; subject: its workflow"
    )
    keys: Name | None = Field(
        None, description="map: the list its keys come from, `subjects` or `orgs` of the unit's tree; none: any key"
    )
    default: str | None = Field(None, description="the value until one is written")
    cycle: Name | None = Field(None, description="the cycle it belongs to")
    is_: Expression | None = Field(None, alias="is", description="derived by this expression")
    reads: Borrowed | None = Field(None, description="read from another subject")
    tally: Tally | None = Field(None, description="worked out from what all subjects count to, on the day it is read")
    fixed: bool = Field(False, description="written by start and steps only, never by `set`")
    sensitive: bool = Field(False, description="kept sealed, covered on pages, never in a text message")
    statistical: bool = Field(
        False, description="stays readable after the person is erased, for statistics; never what tells who it was"
    )
    purpose: Text | None = Field(None, description="why the office keeps it, and on what legal basis")
    group: Name | None = Field(None, description="where pages show it")
    hint: Text | None = Field(None, description="help for whoever fills it in")
    shows: dict[str, Text] = Field(
        {}, description="text: values that stand for words, with what people read and may write instead"
    )

    @property
    def worked_out(self) -> bool:
        """Tells whether it is derived, read or counted, so that nobody writes it."""
        return self.is_ is not None or self.reads is not None or self.tally is not None


class State(Model):
    """A state of the machine."""

    label: Text = Field(description="what people call it")
    initial: bool = Field(False, description="where a subject begins")
    final: bool = Field(False, description="where it ends")


class Target(Model):
    """Where a transition leads when `when` holds; the first that holds is taken."""

    state: Name = Field(description="the state, or `same`")
    when: Expression | None = Field(None, description="taken when this holds")


class Clears(Model):
    """What a step makes unknown again: the facts of cycles, and facts or map entries (`name.key`)."""

    cycles: Names = Field([], description="cycles whose facts become unknown")
    facts: list[str] = Field([], description="facts, or map entries written `name.key`")


class Unit(Model):
    """Organisations of these kinds, under one of those if said."""

    kinds: Names = Field(description="kinds of organisation")
    under: Names | None = Field(None, description="directly under one of these kinds")


class Opens(Model):
    """Another workflow begun by a step."""

    workflow: Name = Field(description="the workflow begun")
    with_: dict[Name, Expression] = Field(default={}, alias="with", description="its facts, `subject` is this one's id")
    for_: list[Unit] = Field(
        default=[],
        alias="for",
        description="one for each unit of these kinds below the subject's own that has none yet; else one for its own",
    )
    at: Name | None = Field(None, description="the fact naming the organisation it begins at, instead of its own")
    same_person: bool = Field(
        False, description="what is begun is about the same person: who is erased there is erased here too"
    )


class Transition(Model):
    """A step from a state to another."""

    label: Text = Field(description="what people call it")
    from_: Names = Field(alias="from", description="states it leaves")
    to: Annotated[list[Target], BeforeValidator(lambda v: [{"state": v}] if isinstance(v, str) else v)] = Field(
        description="a state, `same`, or several targets each with `when`"
    )
    by: Authorities = Field(description="who may; `clock` for a step that only a timer makes")
    never_by_who_did: Names = Field(default=[], description="separation of duties, by person over the whole history")
    asks: Names = Field(default=[], description="facts that must be known, from the step or from before")
    asks_anew: Names = Field(default=[], description="facts that the step itself must bring")
    takes: Names = Field(default=[], description="facts that the form offers besides")
    fills: dict[Name, Expression] = Field(default={}, description="facts written when the step does not bring them")
    invalid: list[Invalid] = Field([], description="input that is refused as bad, whatever the rules say")
    guards: Names = Field([], description="rules that must hold")
    limits: Names = Field([], description="rules that may be broken with a reason; the step is marked as a breach")
    warns: Names = Field([], description="rules that are shown and never stand in the way")
    sets: dict[Name, Set] = Field({}, description="facts that the step sets")
    clears: Clears = Field(Clears(), description="what becomes unknown")
    opens: Opens | None = Field(None, description="another workflow begun by the step")
    belongs_to: Name | None = Field(None, description="the fact naming the organisation the subject goes over to")
    batch: Batch | None = Field(None, description="a step that moves many")
    happened_on: Name | None = Field(
        None, description="the fact that says when it really happened, where that is before the day it is entered for"
    )


class Rule(Model):
    """A criterion with its versions. Holds, fails, or cannot be decided for lack of facts."""

    label: Text = Field(description="what it asks, in plain words")
    holds: Expression = Field(description="the expression that decides")
    day: Expression | None = Field(
        None, description="the day whose version decides; `day` in the expression; else the step's day"
    )
    day_at: dict[Name, Expression] = Field(default={}, description="another day for a transition")
    when: Expression | None = Field(None, description="the rule applies only when this holds")
    waived_by: Expression | None = Field(None, description="holds at once when this does, whatever the day")
    versions: Name | Annotated[list[Version], Field(min_length=1)] = Field(
        description="a series of `sources`, or the rule's own"
    )
    gaps: list[Gap] = Field([], description="periods declared to have no version")
    mend: Text | None = Field(None, description="what to do when it fails")
    clause: Clauses = Field([], description="clauses of the area's document that it serves")


class Timer(Model):
    """A step that the clock makes at 00:00 of a day."""

    at: Expression = Field(description="the day; unknown: no timer")
    while_: Names = Field(alias="while", description="states in which it runs")
    fires: Name = Field(description="the transition, one that is `by: clock`")


class Recurrence(Model):
    """A subject that opens by itself for each of these organisations, once a period."""

    every: Literal["year", "month", "day"] = Field(description="the period")
    on: Expression = Field(description="the day it opens; `period` is the first day of the year or month, or the day")
    missed: Literal["all", "last"] = Field(
        "all", description="last: of several periods that passed unopened, while the program stood still, only the last"
    )
    for_: list[Unit] = Field(alias="for", description="for which organisations")
    sets: dict[Name, Expression] = Field(
        default={}, description="its facts; `period_name` is YYYY, YYYY-MM or YYYY-MM-DD"
    )
    from_: date | None = Field(None, alias="from", description="first day")
    until: date | None = Field(None, description="last day")


Offset = Annotated[
    str, StringConstraints(pattern=r"^(on the day|[1-9]\d{0,3} (days?|working days?|months?) (before|after))$")
]


class Notice(Model):
    """A notice rule: about a date (`due`, `send`) or told at a step (`on`)."""

    label: Text = Field(description="what people call it")
    due: Expression | None = Field(None, description="the date it is about; unknown: no notice")
    send: Annotated[list[Offset], BeforeValidator(_listed), WithJsonSchema(ONE_OR_MORE)] = Field(
        default=[], description="before and on the day: moved earlier when it falls on a day off; after: later"
    )
    on: Names = Field(default=[], description="`start` or transitions: told once, at the next sending time")
    while_: Names = Field(default=[], alias="while", description="states; asked again at the moment of sending")
    if_: Expression | None = Field(None, alias="if", description="asked again at the moment of sending")
    to: list[Recipient] = Field(default=[], description="none: the area's `told`")
    template: Name | None = Field(None, description="file in notices/, else the rule's id")
    urgent: bool = Field(False, description="goes out at any hour, on every channel")
    source: str | None = Field(None, description="the document it rests on")
    from_: date | None = Field(None, alias="from", description="first day in force")
    until: date | None = Field(None, description="last day in force")
    clause: Clauses = Field([], description="clauses of the area's document that it serves")


class Start(Model):
    """How a subject begins."""

    by_hand: bool = Field(True, description="false: only steps and the clock begin one; `by` then says who sets facts")

    label: Text = Field(description="what people call it")
    by: Authorities = Field(description="who may begin one, and set its facts")
    asks: Names = Field([], description="facts that must be given")
    takes: Names = Field([], description="facts that the form offers besides")
    fills: dict[Name, Expression] = Field(default={}, description="facts written when they are not given")
    invalid: list[Invalid] = Field([], description="input that is refused as bad")


class Retention(Model):
    """How long a subject that ended is kept before its person is to be erased."""

    states: Names = Field(description="states in which a subject has ended, though some step may lead on")
    months: int = Field(ge=1, le=1200, description="so many months after the day the state was entered")
    source: str = Field(description="the document it rests on")
    unverified: bool = Field(False, description="nobody has compared this with the document's text")


class Listing(Model):
    """How subjects stand in lists: what finds them, and what narrows a list. Nothing sensitive may be named."""

    search: Names = Field([], description="texts by whose words a subject is found; none: the fact that names it")
    by: Names = Field([], description="facts by which a list is narrowed: bool, choice, org")
    missing: dict[Name, Names] = Field(
        {}, description="map facts with a list of keys -> the states in which a key that applies is missed"
    )


class WorkflowFile(Model):
    """One procedure."""

    workflow: Name = Field(description="its id")
    title: Text = Field(description="what people call it")
    at: Names = Field(description="kinds (or groups) of organisations where such a subject lives")
    title_fact: Name | None = Field(None, description="the fact that names a subject to people")
    id: str | None = Field(None, description="ids of subjects that open by themselves, such as {workflow}-{org}-{year}")
    checkpoint: dict[Literal["note", "size", "root", "words"], Name] = Field(
        default={},
        description="facts that a subject gets as it begins: the signed checkpoint of the trail, how many events it "
        "covers (int), its root, and the root as words for the telephone; it needs a signing key",
    )
    unique: list[str] = Field(default=[], description="one subject per these: facts, or `org`")
    seen_by: Names = Field(default=[], description="facts naming organisations whose officers may read the subject")
    listing: Listing | None = Field(None, description="how its subjects stand in lists; none: they stand in none")
    sealed_with: Name | None = Field(None, description="the fact naming the subject whose key seals this one too")
    numbers: Numbers | None = Field(None, description="a range of numbers of which each is given once")
    copies: Copies | None = Field(None, description="each subject is a later copy of a number that another gave")
    retention: list[Retention] = Field([], description="how long the person behind a subject that ended is kept")
    cycles: dict[Name, Text] = Field({}, description="names of cycles, whose facts a step may clear together")
    facts: dict[Name, Fact] = Field({}, description="what is known about a subject")
    states: dict[Name, State] = Field(description="the states")
    start: Start = Field(description="how a subject begins")
    transitions: dict[Name, Transition] = Field(description="the steps, by trigger")
    rules: dict[Name, Rule] = Field({}, description="the criteria")
    timers: dict[Name, Timer] = Field({}, description="steps that the clock makes")
    opens_by_itself: Recurrence | None = Field(None, description="when and for whom a subject opens by itself")
    notices: dict[Name, Notice] = Field({}, description="who is told what, when")
    clause: Clauses = Field([], description="clauses of the area's document that it serves")
    figures: dict[Name, Figure] = Field({}, description="numbers that its subjects count to, for reports and scores")
    alike: list[Names] = Field([], description="facts by which two subjects are taken for one: all of a line the same")
