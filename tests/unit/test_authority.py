"""Who may: every officer, step and unit against the oracle; substitutes; one person with two roles."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.authority import ALWAYS, Grant, Holding, Office, Officer, Org, Period, Substitution, Tree, authorise
from engine.core.errors import Denied
from engine.library import compile_all, shipped_sources
from tests.unit.oracle_steps import AT_TO_ORG, STEPS
from tests.unit.oracle_who import AGENCIES, KEEPERS, permission
from tests.world import DECIDES, OFFICERS, UNITS

DEFINITION = compile_all([s for s in shipped_sources() if s.workflow in ("candidate", "probation")])["candidate"]
TODAY = date(2025, 3, 3)
Away = tuple[str, str, int, int]  # the absent, who stands in, first and last day from today on


def office(*, away: tuple[Away, ...] = (), day: date = TODAY, **changed: Officer) -> Office:
    """Returns the office of the tests on a day, with officers changed."""
    orgs = [
        Org(
            id=id,
            kind=kind,
            name=id,
            parent=parent,
            marks={"decides_admissions": Period(from_=DECIDES[id][0], until=DECIDES[id][1])} if id in DECIDES else {},
        )
        for id, (kind, parent) in UNITS.items()
    ]
    officers = {
        id: Officer(id=id, name=id, org=unit, holdings=tuple(Holding(role=r, org=unit) for r in roles))
        for id, (unit, roles) in OFFICERS.items()
    }
    return Office(
        day=day,
        tree=Tree(orgs),
        officers={**officers, **changed}.values(),
        substitutions=[
            Substitution(
                officer=a, stand_in=s, period=Period(from_=TODAY + timedelta(days=f), until=TODAY + timedelta(days=u))
            )
            for a, s, f, u in away
        ],
        parent_reach=frozenset((*AGENCIES, "mass_mobilisation_board", "inspection_commission")),
    )


def ask(
    there: Office, officer: str, grants: tuple[Grant, ...], unit: str, on: date = TODAY, **did: tuple[str, ...]
) -> tuple[str, ...] | str:
    """Returns the persons who act, or why not."""
    try:
        acting = authorise(
            there, officer, grants, unit, facts={"to_org": unit}, on=on, doers=did, never=tuple(sorted(did))
        )
    except Denied as error:
        return error.why
    return acting.persons


STEPS_OF_OFFICERS = [(t, s.who, DEFINITION.steps[t].grants) for t, s in STEPS.items()]


@pytest.mark.parametrize(
    ("trigger", "who", "grants"), [*STEPS_OF_OFFICERS, ("start", KEEPERS, DEFINITION.start_grants)]
)
def test_every_officer_may_on_every_unit_exactly_what_the_table_says(trigger: str, who, grants) -> None:
    """Role, kind of unit, place in the tree, and for how long a committee may decide."""
    assert trigger in ("start", *AT_TO_ORG, *STEPS)
    there = office()
    days = (date(2024, 2, 29), date(2024, 3, 1), TODAY, date(2026, 3, 31), date(2026, 4, 1))
    for officer, unit, on in product(OFFICERS, UNITS, days):
        told = ask(there, officer, grants, unit, on)
        expected = permission(officer, who, unit, on, ())
        assert told == expected.persons or told in expected.why, (officer, unit, on)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(OFFICERS)), st.sampled_from(sorted(OFFICERS)), st.integers(-3, 3), st.integers(0, 4)
        ).map(lambda a: (a[0], a[1], a[2], a[2] + a[3])),
        max_size=4,
        unique_by=lambda a: a[:2],
    ).map(tuple),
    st.sampled_from(sorted(OFFICERS)),
    st.sampled_from(sorted(STEPS)),
    st.sampled_from(sorted(UNITS)),
    st.lists(st.sampled_from(sorted(OFFICERS)), max_size=2, unique=True).map(tuple),
)
def test_a_substitute_acts_for_the_absent_from_the_first_to_the_last_day(
    away: tuple[Away, ...], officer: str, trigger: str, unit: str, did: tuple[str, ...]
) -> None:
    """The substitute's own authority first; both persons count against doing what they did before."""
    there = office(away=away)
    absent = [a for a, s, first, last in away if s == officer and first <= 0 <= last]
    told = ask(there, officer, DEFINITION.steps[trigger].grants, unit, branch_review=did)
    expected = permission(officer, STEPS[trigger].who, unit, TODAY, absent, frozenset(did))
    assert told == expected.persons or told in expected.why


def test_one_person_with_both_roles_may_not_decide_on_their_own_work() -> None:
    """By person, not by role; nobody is exempt, and an absent one's hands do not help."""
    admit = DEFINITION.steps["admit"].grants
    assert ask(office(), "tu_both", admit, "cb1") == ("tu_both",)
    assert ask(office(), "tu_both", admit, "cb1", branch_review=("tu_both",)) == "separation_of_duties"
    there = office(away=(("tu_standing", "tu_both", 0, 0), ("tu_both", "cb1_clerk", 0, 0)))
    assert ask(there, "tu_both", admit, "cb1", branch_review=("tu_both",)) == "separation_of_duties"
    assert ask(there, "cb1_clerk", admit, "cb1", branch_review=("tu_both",)) == "separation_of_duties"
    assert ask(there, "cb1_clerk", admit, "cb1") == ("cb1_clerk", "tu_both")


def test_a_substitute_has_not_the_absent_ones_own_substitutions() -> None:
    """A duty is handed on once, not from hand to hand."""
    there = office(away=(("tu_standing", "xa1_clerk", 0, 0), ("xa1_clerk", "cb1_clerk", 0, 0)))
    assert ask(there, "cb1_clerk", DEFINITION.steps["admit"].grants, "cb1") == "role"


@pytest.mark.parametrize(
    "changed",
    [
        Officer(id="cb1_clerk", name="x", org="cb1", holdings=(Holding(role="clerk", org="cb1"),), disabled=True),
        Officer(
            id="cb1_clerk",
            name="x",
            org="cb1",
            holdings=(Holding(role="clerk", org="cb1"),),
            period=Period(until=TODAY - timedelta(days=1)),
        ),
        Officer(
            id="cb1_clerk",
            name="x",
            org="cb1",
            holdings=(Holding(role="clerk", org="cb1", period=Period(from_=TODAY + timedelta(days=1))),),
        ),
        Officer(id="cb1_clerk", name="x", org="cb1"),
    ],
    ids=["disabled", "left", "not yet", "no role"],
)
def test_who_does_not_hold_office_today_may_nothing_and_lends_nothing(changed: Officer) -> None:
    """Whatever they once might; nor may they stand in for another."""
    grants = DEFINITION.start_grants
    assert ask(office(), "cb1_clerk", grants, "cb1") == ("cb1_clerk",)
    there = office(cb1_clerk=changed, away=(("cb1_clerk", "cb3_secretary", 0, 0), ("cb1_secretary", "cb1_clerk", 0, 0)))
    assert ask(there, "cb3_secretary", grants, "cb1") == "scope"
    told = ask(there, "cb1_clerk", grants, "cb1")
    if not changed.present(TODAY):
        assert told == "role"
    else:
        assert told == ("cb1_clerk", "cb1_secretary")


def test_a_stranger_may_nothing() -> None:
    """An id that is no officer's is denied, or bad input; never let through."""
    with pytest.raises(Exception, match="nobody") as caught:
        authorise(office(), "nobody", DEFINITION.start_grants, "cb1", facts={}, on=TODAY)
    assert getattr(caught.value, "exit_code", 0) in (2, 3)


def test_a_closed_unit_gives_no_authority() -> None:
    """Its officers reach nothing from the day after its last; what lies under it is still reached from above."""
    closed = Org(id="xa1", kind="grassroots_committee", name="xa1", parent="tu", period=Period(until=TODAY))
    orgs = [Org(id=i, kind=k, name=i, parent=p) for i, (k, p) in UNITS.items() if i != "xa1"] + [closed]
    officers = [
        Officer(id=i, name=i, org=u, holdings=tuple(Holding(role=r, org=u, period=ALWAYS) for r in roles))
        for i, (u, roles) in OFFICERS.items()
    ]
    for day, may in ((TODAY, ("xa1_clerk",)), (TODAY + timedelta(days=1), "role")):
        there = Office(day=day, tree=Tree(orgs), officers=officers)
        assert ask(there, "xa1_clerk", DEFINITION.start_grants, "cb1") == may
        assert ask(there, "tu_clerk", DEFINITION.start_grants, "cb1") == ("tu_clerk",)
