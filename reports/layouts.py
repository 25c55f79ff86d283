"""Layouts: what a report counts and how it is laid out, as data from `workflows/*/reports/`.

A layout declares figures, each counted from the trail and from facts, and sections that set them in tables: a row for
each figure, a row for each group (unit, state, month, value of a fact, band), or a row for each subject. `letterhead`
says how the office's documents begin and end. `layout_check` says whether the names and expressions agree.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.core.definition import Expression, Model, Name, Names, Text
from engine.core.model import Clauses

Period = Literal["year", "quarter", "month", "years", "days", "day"]
Shows = Literal["number", "percent", "days", "date", "year", "month", "text"]

LETTERHEAD_FILE = "letterhead.yaml"


class Source(Model):
    """What is counted or listed: steps that happened, subjects as they stood, stays of subjects in a state, or the
    entries of a map."""

    of: Literal["events", "subjects", "stays", "entries"] = Field(
        description="events: steps by the day they happened; subjects: those that had begun by the period's last day, "
        "as they stood then; stays: the times that subjects spent in a state; entries: those that a map fact had on "
        "the period's last day, by the day on which each was first written"
    )
    workflow: Name = Field(description="the workflow of the subjects")
    fact: Name | None = Field(None, description="entries: the map fact")
    triggers: Names = Field(default=[], description="events: only these triggers; `start` is the beginning")
    enters: Names = Field(
        default=[], description="events: only those that led into one of these states from another, or began there"
    )
    states: Names = Field(default=[], description="subjects, stays: only in these states; none: in any")
    running: bool | None = Field(
        None, description="stays: true: only those that went on at the end of the period's last day; false: only ended"
    )
    when: Expression | None = Field(None, description="only where this holds")
    over: Literal["period", "ever"] = Field(
        "period", description="events, entries, stays that ended: within the period, or ever up to its last day"
    )


class Counted(Source):
    """A figure counted from a source."""

    take: Literal["count", "sum", "median", "max", "min"] = Field(
        "count", description="how many, or what becomes of `value` over all"
    )
    value: Expression | None = Field(
        None, description="what is taken of each; of stays the days, unless said otherwise"
    )


class Scored(Model):
    """A figure out of one of the area's scores: of each unit in a table by unit, of each year in one by year."""

    score: Name = Field(description="the score")
    part: Literal["plan", "least", "most", "result", "number", "head"] = Field(
        description="the plan, the target (the lower and the upper end of a range), the result, the number of the "
        "document that gave the target, or who headed the unit on the report's day"
    )


class Share(Model):
    """A figure that is one figure in percent of another."""

    of: Name = Field(description="the figure that is the part")
    in_: Name = Field(alias="in", description="the figure that is the whole; without it, or where it is 0, no share")


class Case(Model):
    """One of the texts that a figure may say."""

    when: Expression = Field(description="says it where this holds over the other figures")
    text: Text = Field(description="what it says")


class Figure(Model):
    """One figure: counted, of a score, a share, a range, worked out of others, or a text that follows from them."""

    label: Text = Field(description="what people call it")
    counted: Counted | None = Field(None, description="counted from the trail and from facts")
    scored: Scored | None = Field(None, description="plan, target or result of the unit")
    share: Share | None = Field(None, description="a share, in percent")
    range: Names | None = Field(None, description="two figures, the lower and the upper; equal ones show as one")
    is_: Expression | None = Field(
        None, alias="is", description="worked out of other figures of the same row; a name of a figure is its value"
    )
    says: list[Case] = Field(default=[], description="the text of the first case that holds")
    shows: Shows | None = Field(
        None, description="how it is written; else by what it is; year: a number without separators"
    )
    none: Text | None = Field(None, description="what stands where there is no value; else nothing")
    column: Text | None = Field(None, description="its heading where it is a column; else its label")


class Band(Model):
    """A band of values."""

    until: int | None = Field(None, description="values up to and with this one; none: all above")
    label: Text = Field(description="what people call it")


class Grouping(Model):
    """What makes the rows of a table: one row a group."""

    by: Literal["unit", "state", "quarter", "month", "year", "trigger"] | None = Field(
        None, description="unit: organisations; the others: what the source has of it"
    )
    fact: Name | None = Field(None, description="one row for each value of this fact")
    value: Expression | None = Field(None, description="with `bands`: the number that is put into bands")
    bands: list[Band] = Field(default=[], description="lowest first")
    kinds: Names = Field(
        default=[], description="unit: of these kinds or groups of kinds; what belongs below is counted with it"
    )
    label: Text | None = Field(None, description="the heading of the groups' column")
    names: dict[str, Text] = Field(default={}, description="fact: what people call values that are no list's")
    empty: bool = Field(True, description="false: a row where nothing was counted is left out")


class Column(Model):
    """A column of a list."""

    label: Text | None = Field(None, description="the heading; else what people call the fact")
    fact: Name | None = Field(None, description="a fact")
    value: Expression | None = Field(None, description="an expression over the facts")
    shows: Literal["unit", "above", "state", "day", "id", "days", "trigger", "key", "value", "blank"] | None = Field(
        None,
        description="the unit, the unit above it, the state, the day of the step or of entering the state, the id, the "
        "days stayed, the trigger, an entry's key or what it holds, or nothing, to be written in by hand",
    )
    entry: Name | None = Field(
        None, description="what this map fact of the subject that the report is about holds for the row's subject"
    )
    when: Expression | None = Field(None, description="empty where this does not hold")
    written: Shows | None = Field(
        None, description="how its values are written; else by their type; month: YYYY-MM as mm/yyyy"
    )
    of_given_name: bool = Field(
        False, description="the text is a person's name: sorted by the given name, which is last"
    )
    width: int = Field(14, ge=3, le=80, description="letters that a cell holds in one line")
    adds_up: bool = Field(False, description="a total stands below")


class Listing(Source):
    """A table with one row for each subject, event, stay or entry."""

    columns: list[Column] = Field(min_length=1, description="the columns, after the running number")
    order: Names = Field(default=[], description="facts that give the order; else the units', then the days'")
    latest_first: bool = Field(False, description="with the order of days turned round")
    under: Literal["unit"] | None = Field(None, description="unit: a heading for each unit")
    named_by: Name | None = Field(
        None, description="only those named by the keys of this map fact of the subject that the report is about"
    )
    named_as: Names = Field(default=[], description="with `named_by`: only those with one of these values there")


class Section(Model):
    """A part of a report: a paragraph, a table, or both."""

    of_subject: bool = Field(
        False, description="with `subject` of the report: a part of the report of one subject, and of no other"
    )
    title: Text | None = Field(None, description="its heading")
    text: Text | None = Field(
        None,
        description="a paragraph; a figure's id in braces is that figure of the whole report; with `of_subject`, a "
        "fact's id is that fact of the subject",
    )
    figures: Names = Field(default=[], description="a table with a row for each of these figures")
    across: Grouping | None = Field(None, description="with `figures`: a column for each of these groups too")
    groups: Grouping | None = Field(None, description="a table with a row for each group")
    columns: Names = Field(default=[], description="with `groups`: its columns, figures")
    chart: Names = Field(
        default=[],
        description="those of its figures or columns that are numbers and are drawn as bars too, at most four",
    )
    only: Expression | None = Field(None, description="with `groups`: only rows whose figures make this hold")
    total: bool = Field(True, description="with `groups`: the whole stands in the last row")
    list_: Listing | None = Field(
        None, alias="list", description="a table with a row for each subject, event, stay or entry"
    )
    nothing: Text | None = Field(None, description="what is said when the table has no row")
    note: Text | None = Field(None, description="a note below the table")


class Signature(Model):
    """Who signs."""

    on_behalf: Text | None = Field(None, description="in whose name, above")
    title: Text = Field(description="the signer's office")


class About(Model):
    """The subject that a report may be made of, as the list of one class."""

    workflow: Name = Field(description="its workflow")
    label: Text = Field(description="what it is called where it is asked for")
    title: Text = Field(description="what the report is then about; in braces: subject (what it is called), period, "
                        "unit, year")  # fmt: skip
    issued_by: Name | None = Field(None, description="as `issued_by` of the report, of one made of a subject")
    recipients: list[Text] = Field(default=[], description="who then gets it; else those of the report")


class LayoutFile(Model):
    """A report."""

    report: Name = Field(description="its id, the file's name")
    name: Text = Field(description="the kind of document, in capitals on paper")
    title: Text = Field(description="what it is about; in braces: period (in words), unit (the organisation), year")
    code: str = Field("BC", max_length=20, description="the short name of the kind of document, in its number")
    periods: list[Period] = Field(
        min_length=1, description="which periods it may be made for; `day`: as things stand on one day"
    )
    subject: About | None = Field(
        None,
        description="it may be made of one subject: with one, of its sections those marked `of_subject` are made, "
        "without one the others; where all are marked, one has to be named",
    )
    source: str | None = Field(None, description="the document that asks for it")
    clause: Clauses = Field([], description="clauses of the area's document that it serves")
    paper: Literal["portrait", "landscape"] = Field("portrait", description="how the paper lies")
    figures: dict[Name, Figure] = Field(default={}, description="the figures, each by its id")
    sections: list[Section] = Field(min_length=1, description="its parts, in order")
    recipients: list[Text] = Field(default=[], description="who gets it, on paper")
    issued_by: Name | None = Field(
        None,
        description="a kind of organisation: the unit's office of this kind issues the document, where it has one; "
        "else the unit itself",
    )
    addressed: Text | None = Field(
        None,
        description="to whom it goes, which makes it a letter: its title stands small below its number, and the "
        "kind of document is not named",
    )
    signature: Signature | None = Field(
        None, description="who signs; else what the letterhead says of the issuer's kind, or nobody"
    )
    opens: Name | None = Field(
        None,
        description="a workflow of which one is begun when the report goes out as a file, at its unit or the next "
        "above where such a subject lives: a checkpoint of the trail",
    )


class Letterhead(Model):
    """How the documents of this area begin and end; the office's own names are settings (`letter`)."""

    motto: list[str] = Field(default=[], description="the lines at the top right, the first one strongest")
    star: bool = Field(False, description="a star stands below the issuer")
    number: str = Field("{code}", description="the document's number; in braces: number, code, issuer_code")
    place_and_date: Text = Field(description="the date line; in braces: place, day, month, year")
    recipients: Text = Field(description="the heading of the recipients")
    addressed: Text | None = Field(None, description="what stands before those to whom a letter is addressed")
    empty: str = Field("", description="what stands on paper where a figure of a table has no value")
    small_titles: bool = Field(
        False, description="on paper a title begins with a small letter, below the kind of document"
    )
    head: Name | None = Field(
        None, description="the role whose holder heads a unit and signs where nobody else is named"
    )
    signs: dict[Name, Signature] = Field(default={}, description="by kind of organisation, who signs what it issues")
    page: Text = Field(description="the number on a page; in braces: page, pages")
    sandbox: Text = Field(description="what stands on everything that a sandbox gives out")
    figure: Text = Field(description="the heading of the figures' names, where each has a row")
    value: Text = Field(description="the heading of their values")
    yes: Text = Field(description="of a fact that is true")
    no: Text = Field(description="of a fact that is false")
    running_number: Text = Field(description="the heading of the running number")
    total: Text = Field(description="the last row of a table with a whole")
    unknown: Text = Field(description="the row of what is not known, or belongs to none")
    closed: Text = Field(description="behind the name of a unit that is no more; in braces: day, its last")
    late: Text = Field(description="said when steps of the period were entered after its end; in braces: count")
    history: Text = Field(
        description="said when steps of the period were entered as history, which no rule was asked about; in braces: "
        "count"
    )
    restored: Text = Field(
        description="said when steps of the period came in an export of another database, no rule was asked about them "
        "here; in braces: count"
    )
    periods: dict[Period, Text] = Field(
        description="periods in words; in braces: year, quarter, month, first, last, first_year, last_year"
    )
