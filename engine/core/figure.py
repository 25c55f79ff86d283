"""Numbers over many subjects: what each subject counts to, and how plan, target and result stand beside each other."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from engine.core.model import ONE_OR_MORE, Expression, Model, Name, Names, Text, listed

FigureName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}\.[a-z][a-z0-9_]{0,63}$")]


class Figure(Model):
    """A number that the subjects of a workflow count to: on a day (`day`), or for a period (`from` and `until`)."""

    label: Text = Field(description="what people call it")
    while_: Names = Field(default=[], alias="while", description="states of those that count; none: all")
    when: Expression | None = Field(None, description="only those for which this holds")
    day: Expression | None = Field(None, description="the day on which one counts; unknown: it does not")
    from_: Expression | None = Field(None, alias="from", description="the first day of the period it is for")
    until: Expression | None = Field(None, description="the last day of that period")
    amount: Expression | None = Field(None, description="how much one counts; else 1")
    most: Expression | None = Field(None, description="where `amount` is the lower end of a range, the upper end")
    unit: Name | None = Field(None, description="the fact naming the organisation it counts for, else the subject's")
    number: Expression | None = Field(None, description="the number of the document it rests on")
    decided_on: Name | None = Field(
        None,
        description="the fact, a date, from which on what a step brings counts, where the step brings it; else the "
        "step's day. A period that is over keeps what counted on its last day",
    )


class Score(Model):
    """What is planned, set as a target and reached, unit by unit, over a period. Each is WORKFLOW.FIGURE."""

    label: Text = Field(description="what people call it")
    at: Names = Field(description="kinds (or groups) of organisations that have it")
    result: FigureName = Field(description="the figure, with a `day`, that counts what is reached")
    target: FigureName = Field(description="the figure, with a period, that the unit above has set")
    plan: Annotated[list[FigureName], BeforeValidator(listed), WithJsonSchema(ONE_OR_MORE)] = Field(
        default=[], description="the figures, with a period, that units themselves have planned"
    )
    gathers: Literal["below", "like"] = Field(
        "below",
        description="whose results count for a unit: its own and those below it; or of its kind on the tree above it",
    )


class Tally(Model):
    """A fact worked out from a score, for the subject's own unit: a date for `latest`, else a whole number. A step
    keeps it by `sets`."""

    score: Name = Field(description="one of the area's `scores`")
    part: Literal["plan", "least", "most", "result", "latest"] = Field(
        description="the plan, the target (the lower and the upper end of a range), the result, or the latest day on "
        "which something counted to the result"
    )
    from_: Expression = Field(alias="from", description="first day of the period")
    until: Expression = Field(description="last day of the period")
