"""A tree becomes a model, or everything that does not fit is told at its place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator

from engine.core.errors import BadInput
from engine.core.reader import Finding, FindingsError, load_model, read_yaml
from engine.core.suggestions import suggest

Name = Annotated[str, StringConstraints(pattern=r"^[a-z_]+$")]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Grant(Part):
    roles: list[Name]
    at: list[Name]


class Version(Part):
    source: str
    from_: date = Field(alias="from")
    grace: int = Field(0, ge=0, le=9)


class Put(Part):
    do: Literal["put"]
    fact: str


class Begin(Part):
    do: Literal["begin"]
    workflow: str


class Tagged(Part):
    effect: Annotated[Put | Begin, Field(discriminator="do")]


class Brief(Part):
    note: str = ""


class Full(Part):
    first: str
    second: str
    third: str


class Values(Part):
    flag: bool = False
    whole: int = 0
    number: Decimal = Decimal(0)
    real: float = 0.0
    day: date | None = None
    moment: datetime | None = None
    clock: time | None = None
    text: str = ""
    anything: Any = None


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class File(Part):
    grants: Annotated[list[Name | Grant], BeforeValidator(_listed)] = []
    rules: dict[Name, Version] = {}
    mode: Literal["own", "parent"] = "own"
    series: Mapping[str, tuple[Version, ...]] = {}
    versions: str | Annotated[list[Version], Field(min_length=1, max_length=2)] = ""
    effects: list[Put | Begin] = []
    values: Values | None = None
    tagged: Tagged | None = None
    short: Annotated[str, StringConstraints(min_length=2, max_length=4)] = "ab"
    either: Brief | Full = Brief()
    nested: list[dict[str, list[Version]]] = []

    @field_validator("mode")
    @classmethod
    def _mode(cls, mode: str) -> str:
        if mode == "parent":
            raise ValueError("nobody may use parent {yet}")
        return mode


def load(text: str) -> File:
    return load_model(File, read_yaml(text, "f.yaml"), file="f.yaml")


def findings(text: str) -> tuple[Finding, ...]:
    with pytest.raises(FindingsError) as caught:
        load(text)
    return caught.value.findings


def test_text_becomes_the_type_that_the_model_asks_for():
    """Text is read as bool, number, date and time by the field's type, and stays text in a text field."""
    text = (
        "values: {flag: true, whole: 015, number: 1.50, real: 1e3, day: 2024-01-24, moment: 2024-01-24 23:59:59,"
        " clock: 07:30, text: 015, anything: true}"
    )
    assert load(text).values == Values(
        flag=True, whole=15, number=Decimal("1.50"), real=1000.0, day=date(2024, 1, 24),
        moment=datetime(2024, 1, 24, 23, 59, 59), clock=time(7, 30), text="015", anything="true",
    )  # fmt: skip


@pytest.mark.parametrize("written", ["'2024-01-24'", '"2024-01-24"', "2024-01-24"])
def test_a_date_may_be_quoted_or_not(written):
    assert load("values: {day: " + written + "}").values == Values(day=date(2024, 1, 24))


@pytest.mark.parametrize(("written", "value"), [("true", True), ("True", True), ("false", False), ("FALSE", False)])
def test_true_and_false_are_the_only_bools(written, value):
    assert load("values: {flag: " + written + "}").values == Values(flag=value)


@pytest.mark.parametrize(
    ("field", "written", "says"),
    [
        *(
            ("flag", word, f"{word} is not true or false")
            for word in ["yes", "no", "on", "Off", "y", "1", "0", "maybe"]
        ),
        ("flag", "null", "null is not true or false"),
        *(("whole", word, f"{word} is not a whole number") for word in ["x", "1_000", "1.0", "1.5", "null"]),
        *(("number", word, f"{word} is not a number") for word in ["x", "12/12", "null"]),
        *(("real", word, f"{word} is not a number") for word in ["x", "null"]),
        *(
            ("day", w, f"{w} is not a date (YYYY-MM-DD)")
            for w in ["86400", "0", "20240101", "2024-13-01", "24/01/2024"]
        ),
        ("day", "2024-01-24 10:00", "2024-01-24 10:00 is not a date (YYYY-MM-DD)"),
        *(("moment", w, f"{w} is not a time (YYYY-MM-DD HH:MM)") for w in ["86400", "1.5", "soon"]),
        *(("clock", w, f"{w} is not a time (HH:MM)") for w in ["8", "25:00", "noon"]),
        ("text", "null", "a text is expected here, not null"),
        ("text", "[a]", "a text is expected here, not [...]"),
        ("text", "{a: b}", "a text is expected here, not {...}"),
    ],
)
def test_a_value_of_another_type_is_told_at_the_value(field, written, says):
    """What YAML 1.2 does not call a bool is none, and a number is never taken for seconds since 1970."""
    (found,) = findings("values:\n  " + f"{field}:  {written}")
    assert (found.file, found.line, found.column) == ("f.yaml", 2, 3 + len(field) + 3)
    assert (found.severity, found.code, found.text()) == ("error", "wrong-type", says)


@pytest.mark.parametrize(
    ("text", "line", "column", "code", "says"),
    [
        ("grantz: []", 1, 1, "unknown-key", "unknown key grantz; did you mean grants?"),
        ("xyzzy: []", 1, 1, "unknown-key", "unknown key xyzzy"),
        ("rules:\n  a: {source: x, from: 2024-01-01, grase: 1}", 2, 36, "unknown-key", "did you mean grace?"),
        ("rules:\n  a: {source: x, from: 2024-01-01, form: 1}", 2, 36, "unknown-key", "did you mean from?"),
        ("series: {x: [{source: a, from: 2024-01-01, grac: 1}]}", 1, 44, "unknown-key", "did you mean grace?"),
        ("nested:\n- x:\n  - {source: a, from: 2024-01-01, grac: 1}", 3, 35, "unknown-key", "did you mean grace?"),
        ("grants: [{roles: [a], at: [b], rolez: [c]}]", 1, 32, "unknown-key", "did you mean roles?"),
        ("values: {dai: 2024-01-01}", 1, 10, "unknown-key", "did you mean day?"),
        ("rules:\n  a: {source: x}", 2, 6, "missing-key", "the key from is missing"),
        ("rules:\n  a:\n    source: x", 3, 5, "missing-key", "the key from is missing"),
        ("versions: [{source: x}]", 1, 12, "missing-key", "the key from is missing"),
        ("grants: [a, {roles: [a]}]", 1, 13, "missing-key", "the key at is missing"),
        ("effects: [{do: begin}]", 1, 11, "missing-key", "the key workflow is missing"),
        ("tagged: {effect: {fact: x}}", 1, 18, "missing-key", "the key do is missing"),
        ("tagged: {effect: {do: begn, workflow: x}}", 1, 23, "wrong-value", "put, begin; did you mean begin?"),
        ("tagged: {effect: {do: begin}}", 1, 18, "missing-key", "the key workflow is missing"),
        ("effects: [{do: begn, workflow: x}]", 1, 16, "wrong-value", "begn is not one of: begin; did you mean begin?"),
        ("mode: owm", 1, 7, "wrong-value", "owm is not one of: own, parent; did you mean own?"),
        ("mode: parent", 1, 7, "wrong-value", "nobody may use parent {yet}"),
        ("grants: [ok, A1]", 1, 14, "wrong-value", "A1 does not fit the pattern ^[a-z_]+$"),
        ("grants: A1", 1, 9, "wrong-value", "A1 does not fit the pattern ^[a-z_]+$"),
        ("rules:\n  Bad: {source: x, from: 2024-01-01}", 2, 3, "wrong-value", "Bad does not fit the pattern"),
        ("rules:\n  a: {source: x, from: 2024-01-01, grace: 12}", 2, 43, "wrong-value", "12 is more than 9"),
        ("rules:\n  a: {source: x, from: 2024-01-01, grace: -1}", 2, 43, "wrong-value", "-1 is less than 0"),
        ("versions: []", 1, 11, "wrong-value", "at least 1 must stand here"),
        ("short: a", 1, 8, "wrong-value", "a is shorter than 2 letters"),
        ("short: abcde", 1, 8, "wrong-value", "abcde is longer than 4 letters"),
        ("rules: [a]", 1, 8, "wrong-type", "keys with values are expected here, not [...]"),
        ("rules: {a: b}", 1, 12, "wrong-type", "keys with values are expected here, not b"),
        ("effects: a", 1, 10, "wrong-type", "a list is expected here, not a"),
        ("effects: {a: b}", 1, 10, "wrong-type", "a list is expected here, not {...}"),
        ("- a", 1, 1, "wrong-type", "keys with values are expected here, not [...]"),
        ("a", 1, 1, "wrong-type", "keys with values are expected here, not a"),
    ],
)  # fmt: skip
def test_one_fault_is_one_finding_at_its_place(text, line, column, code, says):
    """A fault is told once, where it stands: unknown keys at the key, wrong values at the value, missing keys above."""
    (found,) = findings(text)
    assert (found.line, found.column, found.code) == (line, column, code)
    assert says in found.text()


def test_all_faults_are_told_in_the_order_of_the_file():
    text = "modes: own\nrules:\n  a: {source: x, from: soon}\n  b: {form: 2024-01-01}\nshort: a\n"
    assert [(f.line, f.column, f.code) for f in findings(text)] == [
        (1, 1, "unknown-key"),
        (3, 24, "wrong-type"),
        (4, 6, "missing-key"),
        (4, 6, "missing-key"),
        (4, 7, "unknown-key"),
        (5, 8, "wrong-value"),
    ]


def test_several_guessed_values_are_all_told():
    text = "values: {flag: yes, whole: 1_0, day: 86400}\nrules:\n  a: {source: x, from: 0}\n"
    assert [(f.line, f.column) for f in findings(text)] == [(1, 16), (1, 28), (1, 38), (3, 24)]


def test_of_a_union_the_branch_that_got_furthest_speaks():
    """A mapping where a word or a mapping may stand is judged as a mapping, and only its own faults are told."""
    found = findings("grants:\n- {rolez: [a], at: [B]}\n- A1\neffects: [{do: put, fakt: x}]\n")
    assert [(f.line, f.column, f.text().partition(" ")[0]) for f in found] == [
        (2, 3, "the"),
        (2, 4, "unknown"),
        (2, 21, "B"),
        (3, 3, "A1"),
        (4, 11, "the"),
        (4, 21, "unknown"),
    ]


def test_the_branch_that_knows_the_keys_speaks_even_if_more_is_missing_in_it():
    assert [f.text() for f in findings("either: {first: x}")] == [
        "the key second is missing",
        "the key third is missing",
    ]


def test_the_error_holds_every_finding_and_prints_a_line_each():
    with pytest.raises(BadInput) as caught:
        load("grantz: 1\nmode: owm\n")
    error = caught.value
    assert isinstance(error, FindingsError)
    assert error.exit_code == 2
    assert error.text().splitlines() == [f.located() for f in error.findings]
    assert error.text().splitlines()[0] == "f.yaml:1:1: unknown key grantz; did you mean grants?"


def test_a_finding_speaks_the_language_of_its_catalogue_and_keeps_its_ids():
    catalogue = {"unknown key {key}; did you mean {near}?": "không có khóa {key}; có phải {near}?"}
    (found,) = findings("grantz: 1")
    assert found.text(lambda text: catalogue[text]) == "không có khóa grantz; có phải grants?"
    assert found.params == {"key": "grantz", "near": "grants"}


def test_braces_and_very_long_values_are_shown_safely():
    (braces,) = findings("mode: '{0} {x}'")
    assert braces.text() == "{0} {x} is not one of: own, parent"
    (long,) = findings("mode: " + "x" * 10_000)
    assert len(str(long.params["key"])) == 80


@pytest.mark.parametrize(
    ("word", "near"), [("stat", "state"), ("sate", "state"), ("tuoi", "tuổi"), ("zzz", None), ("", None)]
)
def test_the_nearest_word_is_suggested_and_none_when_none_is_near(word, near):
    assert suggest(word, ["state", "rule", "tuổi"]) == near
