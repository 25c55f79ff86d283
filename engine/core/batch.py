"""The grammar of a step that moves many: what a line may do, who counts when no line names them, number ranges."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from engine.core.model import Expression, Model, Name, Names, Text


class SetTo(Model):
    """A fact set by a step: to the value of an expression, under a key for a map, when a condition holds."""

    to: Expression = Field(description="the value")
    key: Expression | None = Field(None, description="for a map, the key")
    when: Expression | None = Field(None, description="only when this holds")


Set = Annotated[SetTo, BeforeValidator(lambda v: {"to": v} if isinstance(v, str) else v)]


class Invalid(Model):
    """Input that makes no sense whatever the rules say: refused as bad input naming the fact."""

    when: Expression = Field(description="refused when this holds")
    fact: Name = Field(description="the fact that the refusal names")
    message: Text = Field(description="what it says")


class Line(Model):
    """What a line of a batch may do: a transition of the other subject, facts written on it, or entries of this
    subject's own maps. Its expressions see this subject's facts, and of the line `line` (the other subject's id),
    `line_org`, `line_state`, `line_workflow`, `line_unit` and `next_number`."""

    label: Text = Field(description="what people call it")
    workflow: Names = Field([], description="of the batch's workflows those that it is for; none: all")
    in_: Names = Field([], alias="in", description="states of the other subject, of those of the batch; none: all")
    step: Name | None = Field(None, description="the transition of the other subject")
    gives: dict[Name, Expression] = Field(
        {},
        description="facts that the line does not bring itself: brought to the transition; without one, seen by the "
        "guards and not written",
    )
    sets: dict[Name, Expression] = Field({}, description="facts written on the other subject, without a transition")
    clears: Names = Field([], description="facts of the other subject made unknown, without a transition")
    guards: Names = Field(
        [], description="rules of the other workflow that must hold before `sets` and `clears` are written"
    )
    into: dict[Name, Name] = Field(
        {},
        description="what a line brings by this name goes into this map fact of this subject, under the line's subject",
    )
    notes: dict[Name, Set] = Field(
        {},
        description="facts of this subject set by the line, in order; a map under the line's subject, or under `key`",
    )
    invalid: list[Invalid] = Field([], description="lines that are refused as bad input")
    when: Expression | None = Field(None, description="the line is taken only when this holds")
    otherwise: Name | None = Field(None, description="the line taken when `when` does not hold; none: bad input")


class Rest(Model):
    """What happens to those whom no line names; of several the first that fits."""

    do: Name = Field(description="the line that is done for them")
    in_: Names = Field([], alias="in", description="states of those it is done for; none: those of the line")
    over: Name | None = Field(
        None, description="a map fact of this subject: only those under its keys; none: all of the unit and below"
    )
    when: Expression | None = Field(None, description="only when this holds, an expression as of a line")
    awaited: bool = Field(
        False, description="only where the step has no line at all, and for those whom `awaits` suggests this line for"
    )


class Batch(Model):
    """A step that moves many: one line a subject, all or none."""

    workflow: Names = Field(description="the workflows of those that are moved")
    in_: Names = Field(alias="in", description="states of the subjects that a line may name")
    each: dict[Name, Line] = Field(description="what a line may do")
    rest: Annotated[list[Rest], BeforeValidator(lambda v: [v] if isinstance(v, dict) else v)] = Field(
        [], description="what happens to those whom no line names"
    )
    day: Name | None = Field(
        None, description="the fact of this subject that is the day of every line; none: the step's"
    )
    within: Name | None = Field(
        None, description="the fact naming the organisation in whose tree the lines lie; none: that of this subject"
    )
    units: Name | None = Field(
        None,
        description="a map fact keyed by organisations: `line_unit` is the nearest of them above the line's subject",
    )
    over: Names = Field(
        [], description="map facts keyed by subjects: lines name those under a key of one of them only; none: anybody"
    )
    required: bool = Field(False, description="at least one line is wanted")
    suggests: Name | None = Field(
        None, description="a map fact of this subject, keyed by subjects: the line that is suggested for each"
    )
    awaits: dict[Name, Name] = Field(
        {}, description="by line: a true-or-false fact of the other subjects, for whom the line is suggested when true"
    )
    shows: Names = Field([], description="facts of the other subjects that a sheet shows")


class Copies(Model):
    """Later copies of numbers that another workflow gave: each subject is one, and stands in the same register."""

    of: Name = Field(description="the workflow that gives the numbers")
    number: Name = Field(description="the fact, a text: the copy's own number, which nothing else in the register has")
    original: Name = Field(description="the fact, a text: the number of which it is a copy")
    to: Name = Field(description="the fact that names the subject to which it was given")
    on: Name = Field(description="the fact, a date, that is the day on which it was given")
    why: Name = Field(description="the fact, a text, that says why")


class Numbers(Model):
    """A range of numbers, each given once: `next_number` of a batch's lines is the next that is free."""

    given: Name = Field(description="the map fact, keyed by subjects, that holds the numbers given")
    first: Name = Field(description="the fact, a whole number, where the range begins")
    last: Name = Field(description="the fact, a whole number, where it ends")
    before: Name | None = Field(None, description="the fact, a text, that stands before every number")
    spoiled: Name | None = Field(None, description="a map fact: the numbers that were spoiled, each with why")
    on: Name | None = Field(None, description="the fact that is the day on which the numbers were given")
    digits: int = Field(1, ge=1, le=12, description="a number has at least so many digits, zeros before it")
    own: bool = Field(
        False, description="where no range is entered, numbers are the subject's id, `-` and a count from 1"
    )
