"""Profiles: what a kind of list may look like, as data from `workflows/*/imports/`.

A profile names the columns a list may have (headings, the fact they go to, how their cells are read) and the words
offices use around the table. How cells are read (`read`):

    name    a person's name: capitals become title case; a cell without a letter is refused
    person  another person's name, titles such as `đ/c` left out
    text    as written; a cell that is one of `values` gives that value
    choice  one of `values`, else a warning
    birth   a date, or into `year_to` the year alone
    day     a date
    level   a level of education (`schooling`, `levels`, `not_levels`)
    digits  a number kept as text, of one of `lengths`
    unit    an organisation, else a warning
    branch  the unit the row belongs to, else refused
    code    an id without spaces
    codes   ids separated by spaces, commas or semicolons; Vietnamese words of `values` stand for theirs
    email   an address
    mobile  a telephone number, a leading `+` allowed
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from engine.core.errors import BadInput
from reports.words import Words, words

ReadAs = Literal[
    "name", "person", "text", "choice", "birth", "day", "level", "digits", "unit", "branch",
    "code", "codes", "email", "mobile",
]  # fmt: skip

MAX_PROFILE = 200_000  # letters


def _phrase(value: object) -> object:
    return words(value) if isinstance(value, str) else value


def _gapped(value: object) -> object:
    return tuple(words(part) for part in value.split("…")) if isinstance(value, str) else value


def _bare(value: object) -> object:
    found = words(value).bare if isinstance(value, str) else ()
    return found[0] if len(found) == 1 else value


Phrase = Annotated[Words, BeforeValidator(_phrase)]
Gapped = Annotated[tuple[Words, ...], BeforeValidator(_gapped)]
Bare = Annotated[str, BeforeValidator(_bare)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Model):
    """One column a list may have."""

    to: str = Field(description="the fact or field its cells give")
    read: ReadAs
    headings: tuple[Phrase, ...]
    values: dict[str, tuple[Phrase, ...]] = {}
    year_to: str = Field("", description="the fact for a year alone, of a `birth`")
    halved: bool = Field(False, description="may stand as two columns, one for each of `halves`")
    joined: bool = Field(False, description="several columns may go to it together")
    lengths: tuple[int, ...] = ()
    required: bool = Field(False, description="refused where its cell is empty")
    strict: bool = Field(
        False, description="of a choice: what is none of its values refuses the row, not only the cell"
    )
    refers: str = Field("", description="the field of another row, or of what is there, that its value must name")
    unique: bool = Field(False, description="no two rows may say the same")
    together: tuple[str, ...] = Field((), description="with `unique`: what differs in one of these may be the same")
    called: tuple[str, ...] = Field(
        (), description="what people call the values; else the first of each that is not the value itself"
    )

    @model_validator(mode="before")
    @classmethod
    def _calls(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("values"), dict) or "called" in given:
            return given
        lists = [(value, said) for value, said in given["values"].items() if isinstance(said, list)]
        firsts = [
            next((text for text in said if isinstance(text, str) and text != value), value) for value, said in lists
        ]
        return {**given, "called": firsts}


class Halves(_Model):
    """Sub-headings that say a value of their own, such as the sex of who stands in the column."""

    to: str
    values: dict[str, tuple[Phrase, ...]]


class Level(_Model):
    """A level of education and the words that say it."""

    value: str
    words: tuple[Phrase, ...]


class PastStep(_Model):
    """A step that a list of history tells of: where its day is known it was taken."""

    trigger: str
    day: str = Field(description="the column of its day")
    facts: tuple[str, ...] = Field((), description="columns whose facts the step wrote")
    opens: tuple[PastStep, ...] = Field((), description="steps of what it opened, where their days are known")


class Profile(_Model):
    """What one kind of list may look like."""

    name: str
    extends: str = Field("", description="the profile whose columns and words it takes over")
    workflow: str = Field("", description="the workflow of which each row is a subject")
    begins: tuple[str, ...] = Field((), description="of history: columns of the day on which it began, the first known")
    steps: tuple[PastStep, ...] = Field((), description="of history: the steps, in their order")
    required: str = Field(description="the column without whose heading a row is no heading")
    columns: tuple[Column, ...]
    ignored: tuple[Phrase, ...] = Field((), description="headings of columns that are left out without a word")
    halves: Halves | None = None
    marks: tuple[str, ...] = Field((), description="a cell with one of these only marks its column")
    blanks: tuple[str, ...] = Field((), description="cells that say nothing")
    same_as_above: tuple[str, ...] = Field((), description="cells that repeat the row above")
    titles: tuple[Phrase, ...] = Field((), description="words before another person's name")
    date_words: frozenset[Bare] = Field(frozenset(), description="words that may stand within a date")
    abbreviations: dict[Bare, str] = Field({}, description="short words in the names of units")
    groups: tuple[Phrase, ...] = Field((), description="first words of a row that names the unit of those below")
    unit_prefixes: tuple[Phrase, ...] = Field((), description="first words that a unit's name may lack or have")
    totals: tuple[Phrase, ...] = Field((), description="first words of a row that counts")
    ends: tuple[Gapped, ...] = Field((), description="texts after which the list is over; … stands for any words")
    schooling: dict[int, dict[int, str]] = Field({}, description="of `N/12`: the level from class N on")
    levels: tuple[Level, ...] = ()
    not_levels: tuple[Phrase, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Profile:
        if self.extends:
            return self
        names = [column.to for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError("two columns go to one fact")
        if self.required not in names:
            raise ValueError(f"required: no column goes to {self.required}")
        if self.halves and self.halves.to not in names:
            raise ValueError(f"halves: no column goes to {self.halves.to}")
        return self

    def over(self, base: Profile) -> Profile:
        """Returns the profile with what it takes over from the one that it extends; its own columns come first."""
        own = {column.to for column in self.columns}
        kept = tuple(column for column in base.columns if column.to not in own)
        more = {"name": self.name, "columns": self.columns + kept, "begins": self.begins, "steps": self.steps}
        return base.model_copy(update=more)

    def column(self, to: str) -> Column | None:
        """Returns the column that goes to a fact."""
        return next((column for column in self.columns if column.to == to), None)


def profile_in(folder: Path, name: str) -> Profile:
    """Returns how a kind of list is read, from a folder of profiles. Raises BadInput naming the file and the key."""
    path = folder / f"{name}.yaml"
    profile = load_profile(path.read_text(encoding="utf-8"), path.name)
    return profile.over(profile_in(folder, profile.extends)) if profile.extends else profile


def load_profile(text: str, name: str) -> Profile:
    """Reads a profile from YAML. Raises BadInput naming the file and the key."""
    try:
        if len(text) > MAX_PROFILE:
            raise BadInput("{file}: larger than {limit} letters", file=name, limit=MAX_PROFILE)
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):  # a bomb, however small it looks
            raise BadInput("{file}: YAML aliases are not read; write the value out", file=name)
        raw: Any = yaml.safe_load(text)
        return Profile.model_validate(raw)
    except yaml.YAMLError as error:
        raise BadInput("{file}: no valid YAML: {why}", file=name, why=str(error)[:300]) from None
    except ValidationError as error:
        first = min(
            error.errors(), key=lambda e: e["type"] != "extra_forbidden"
        )  # a misspelt key explains a missing one
        where = ".".join(map(str, first["loc"]))
        raise BadInput("{file}: {key}: {why}", file=name, key=where, why=first["msg"]) from None
