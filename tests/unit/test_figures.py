"""Figures, scores, tallies: what does not fit is refused at its place; what reaches whom from above and beside."""

from __future__ import annotations

import shutil
from datetime import UTC, date
from pathlib import Path

import pytest

from engine.core.authority import Grant, Holding, Office, Officer, Org, Tree, authorise
from engine.core.calendar import Calendar
from engine.core.definition import Recipient
from engine.core.errors import Denied
from engine.core.expressions import ExpressionError, Scope, compile_expression
from engine.core.reader import FindingsError
from engine.core.values import Type
from engine.library import compile_all, read_folder, shipped_folder
from notifications.plan import named

ORGS = (
    Org(id="tu", kind="town_committee", name="tu", parent=None),
    Org(id="td", kind="youth_union", name="td", parent="tu"),
    Org(id="xa1", kind="grassroots_committee", name="xa1", parent="tu"),
    Org(id="doan1", kind="youth_union", name="doan1", parent="xa1"),
    Org(id="phunu1", kind="women_union", name="phunu1", parent="xa1"),
    Org(id="xa2", kind="grassroots_committee", name="Committee Two", parent="tu"),
    Org(id="doan2", kind="youth_union", name="doan2", parent="xa2"),
    Org(id="cb1", kind="branch", name="cb1", parent="xa1"),
)
DAY = date(2025, 3, 3)


def office() -> Office:
    """One secretary in every organisation, `s-ORG`."""
    officers = (
        Officer(id=f"s-{o.id}", name=o.id, org=o.id, holdings=(Holding(role="secretary", org=o.id),), email="x@x.x")
        for o in ORGS
    )
    return Office(day=DAY, tree=Tree(ORGS), officers=officers)


def may(grant: Grant, officer: str, unit: str) -> bool:
    """Tells whether a grant lets an officer act on a unit."""
    try:
        authorise(office(), officer, [grant], unit, facts={}, on=DAY)
    except Denied:
        return False
    return True


def test_a_grant_from_above_reaches_down_and_never_the_own_organisation() -> None:
    grant = Grant(
        roles=frozenset({"secretary"}), kinds=frozenset({"town_committee", "grassroots_committee"}), above=True
    )
    reached = {(o, u.id) for o in ("s-tu", "s-xa1") for u in ORGS if may(grant, o, u.id)}
    below_town = {("s-tu", u.id) for u in ORGS if u.id != "tu"}
    assert reached == below_town | {("s-xa1", u) for u in ("doan1", "phunu1", "cb1")}


def test_a_refusal_names_the_organisation_that_would_have_to_be_reached() -> None:
    grant = Grant(roles=frozenset({"secretary"}), kinds=frozenset({"grassroots_committee"}), over="handed_to")
    with pytest.raises(Denied, match="not over Committee Two"):
        authorise(office(), "s-xa1", [grant], "cb1", facts={"handed_to": "xa2"}, on=DAY)
    with pytest.raises(Denied, match="not over cb1"):
        authorise(office(), "s-xa1", [grant], "cb1", facts={}, on=DAY)
    committees = frozenset({"town_committee", "grassroots_committee"})
    above = Grant(roles=frozenset({"secretary"}), kinds=committees, above=True)
    with pytest.raises(Denied, match="not over tu"):
        authorise(office(), "s-xa2", [above], "xa2", facts={}, on=DAY)


def test_a_grant_over_the_like_reaches_its_own_kind_under_the_unit_above() -> None:
    grant = Grant(roles=frozenset({"secretary"}), kinds=frozenset({"youth_union", "women_union"}), like=True)
    assert {u.id for u in ORGS if may(grant, "s-td", u.id)} == {"td", "doan1", "doan2"}
    assert {u.id for u in ORGS if may(grant, "s-doan1", u.id)} == {"doan1"}
    assert {u.id for u in ORGS if may(grant, "s-phunu1", u.id)} == {"phunu1"}


def test_a_recipient_may_be_looked_for_from_the_organisation_that_a_fact_names() -> None:
    area = compile_all(read_folder(shipped_folder() / "admission"))["obstacle"].area
    there = Recipient(roles=["secretary"], at="unit", of="handled_by")
    above = Recipient(roles=["secretary"], at="above", of="handled_by")

    def told(spec: Recipient, facts: dict[str, object]) -> list[str]:
        return [a.officer for a in named(area, [spec], "cb1", office(), facts=facts)]  # type: ignore[arg-type]

    assert told(there, {"handled_by": "xa2"}) == ["s-xa2"]
    assert told(above, {"handled_by": "doan2"}) == ["s-xa2"]
    assert told(there, {}) == [], "nobody is named, so nobody is told"
    assert told(there, {"handled_by": "gone"}) == []


# ---- expressions ----

SCOPE = Scope(
    names={
        "a": Type(name="bool"),
        "on": Type(name="date"),
        "counts": Type(name="map", of=Type(name="int")),
        "days": Type(name="map", of=Type(name="date")),
    },
    lists={},
)
CALENDAR = Calendar(zone=UTC, days_off=lambda _: frozenset())


def test_a_value_may_be_unknown_unless_a_condition_holds() -> None:
    expression = compile_expression("on if a else unknown", SCOPE, expect="date")
    assert expression.evaluate({"a": True, "on": DAY}, CALENDAR) == DAY
    assert expression.evaluate({"a": False, "on": DAY}, CALENDAR) is None
    assert expression.evaluate({"on": DAY}, CALENDAR) is None


def test_a_map_of_numbers_is_added_up() -> None:
    expression = compile_expression("total(counts)", SCOPE, expect="number")
    assert expression.evaluate({"counts": {"x": 2, "y": 40}}, CALENDAR) == 42
    assert expression.evaluate({}, CALENDAR) is None
    for wrong in ("total(days)", "total(on)", "total(counts, counts)", "total()"):
        with pytest.raises(ExpressionError, match="map of numbers"):
            compile_expression(wrong, SCOPE)
    with pytest.raises(ExpressionError):
        compile_expression("unknown if a else on", SCOPE)


# ---- what does not fit ----

SLIPS = [
    ("candidate.yaml", "    while: admitted\n    day: entered", "    while: admited\n    day: entered", "admited"),
    ("candidate.yaml", "    day: entered\n", "    day: entered\n    from: entered\n", "counts on a `day`, or for"),
    ("candidate.yaml", "    unit: introduced_by\n", "    unit: motives\n", "no fact of type org motives"),
    ("candidate.yaml", "    when: known(introduced_by)\n", "    when: religion == 'none'\n", "religion is sensitive"),
    ("candidate.yaml", "    day: entered\n", "    day: today\n", "cannot depend on today"),
    ("probation.yaml", "\nnotices:\n",
     "\nfigures:\n  x:\n    label: {vi: X, en: X}\n    day: decision_received_on\n\nnotices:\n",
     "decision_received_on is read from elsewhere"),
    ("area.yaml", "    result: candidate.admitted\n", "    result: candidate.admited\n", "no figure candidate.admited"),
    ("area.yaml", "    result: candidate.admitted\n", "    result: target.admissions\n", "a result counts on a day"),
    ("area.yaml", "    target: target.admissions\n", "    target: candidate.admitted\n", "for a period"),
    ("area.yaml", "    at: [committees, cells]\n    result", "    at: [comittees, cells]\n    result", "comittees"),
    ("admission_rating.yaml", "tally: {score: admissions, part: plan,", "tally: {score: admission, part: plan,",
     "no score admission"),
    ("admission_rating.yaml", "  plan_now: {type: int,", "  plan_now: {type: text,", "plan_now"),
    ("admission_rating.yaml", "  latest_admission: {type: date,", "  latest_admission: {type: int,",
     "latest_admission"),
    ("certificate_copy.yaml", "{of: training_class,", "{of: candidate,", "candidate"),
    ("certificate_copy.yaml", "number: copy_no,", "number: copied_on,", "copied_on"),
    ("obstacle.yaml", "at: unit, of: handled_by", "at: unit, of: solution", "no fact of type org solution"),
    ("governing_document.yaml", "for: [{kinds: [grassroots_committee,", "for: [{kinds: [grassroot_committee,",
     "no kind grassroot_committee"),
    ("target.yaml", "fills: {until_year: year}", "fills: {until_year: decision_no}", "until_year is int"),
    ("target.yaml", "    - {when: target_least < 0,", "    - {when: target_least < 'a',", "cannot be compared"),
    ("monthly_review.yaml", 'clause: "1.5"', 'clause: "1.7"', "no clause 1.7"),
    ("briefing.yaml", '    clause: ["1.1", "4"]', '    clause: ["1.1", "5"]', "no clause 5"),
    ("candidate.yaml", "  - [full_name, birth_date]\n", "  - [full_name, birthdate]\n", "no fact birthdate"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "was", "now", "words"), SLIPS, ids=[f"{f}: {w}" for f, _, _, w in SLIPS])
def test_a_mistake_is_refused_where_it_stands(tmp_path: Path, file: str, was: str, now: str, words: str) -> None:
    folder = Path(shutil.copytree(shipped_folder() / "admission", tmp_path / "a"))
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert was in text, "the shipped file has changed, mend this test"
    path.write_text(text.replace(was, now, 1), encoding="utf-8")
    with pytest.raises(FindingsError) as refused:
        compile_all(read_folder(folder))
    told = [(f.text(), f.line) for f in refused.value.findings]
    assert any(words in message and line > 0 for message, line in told), told
