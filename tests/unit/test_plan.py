"""Which notices, when, and to whom: the pure part."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.authority import Holding, Office, Officer, Org, Period, Substitution, Tree
from engine.core.calendar import Calendar
from engine.core.definition import Recipient
from engine.core.machine import Definition, Told
from engine.days_off import national_days_off
from engine.library import compile_all, find_sources
from notifications.plan import Notices, left, named, nominal_day, recipients, sending_day
from notifications.plan import channels as in_order
from tests.world import ZONE

CALENDAR = Calendar(zone=ZONE, days_off=lambda year: national_days_off("VN", [year]))
DAYS = st.dates(min_value=date(2015, 1, 1), max_value=date(2035, 12, 31))
DAY = date(2024, 1, 9)


@pytest.fixture(scope="module")
def plan() -> Definition:
    return compile_all(find_sources(["annual_plan"]))["annual_plan"]


def told(definition: Definition, rule: str) -> Told:
    return next(n for n in definition.notices if n.rule == rule)


def officer(id: str, org: str, *roles: str, **given: object) -> Officer:
    holdings = tuple(Holding(role=r, org=org) for r in roles)
    return Officer(id=id, name=id, org=org, holdings=holdings, email=f"{id}@x.example", **given)  # type: ignore[arg-type]


ORGS = (
    Org(id="tu", kind="town_committee", name="tu", parent=None),
    Org(id="tcnv", kind="organisation_agency", name="tcnv", parent="tu"),
    Org(id="xa1", kind="grassroots_committee", name="xa1", parent="tu"),
    Org(id="xa2", kind="grassroots_committee", name="xa2", parent="tu"),
    Org(id="cb1", kind="branch", name="cb1", parent="xa1"),
)


def office(*officers: Officer, away: tuple[Substitution, ...] = ()) -> Office:
    return Office(
        day=DAY,
        tree=Tree(ORGS),
        officers=officers,
        substitutions=away,
        parent_reach=frozenset({"organisation_agency"}),
    )


@given(due=DAYS, n=st.integers(0, 120), unit=st.sampled_from(["day", "working day", "month"]))
def test_before_the_day_a_notice_moves_earlier_and_after_it_later_always_to_a_working_day(
    due: date, n: int, unit: str
) -> None:
    """Never dropped, never moved across its own day."""
    before = sending_day(due, f"{n} {unit}s before", CALENDAR)
    after = sending_day(due, f"{n} {unit}s after", CALENDAR)
    assert CALENDAR.is_working(before)
    assert CALENDAR.is_working(after)
    assert before <= nominal_day(due, f"{n} {unit}s before", CALENDAR) <= due
    assert after >= nominal_day(due, f"{n} {unit}s after", CALENDAR) >= due


def test_a_month_before_the_31st_is_the_last_day_of_a_shorter_month() -> None:
    """Clipped, not skipped."""
    assert nominal_day(date(2024, 3, 31), "1 month before", CALENDAR) == date(2024, 2, 29)
    assert nominal_day(date(2023, 3, 31), "1 month before", CALENDAR) == date(2023, 2, 28)


def test_reminders_of_the_plan_fall_before_the_new_year_of_2023(plan: Definition) -> None:
    """In 2023 the 24th of January lay in the days off, so all reminders came before the 20th."""
    planned = Notices().plan(plan, "open", {"year": 2023, "last_day": date(2023, 1, 24)}, CALENDAR)
    days = [CALENDAR.day_of(p.due_at) for p in planned if p.name == "plan_reminder"]
    assert days == [date(2023, 1, 9), date(2023, 1, 17), date(2023, 1, 19), date(2023, 1, 19)]
    overdue = [CALENDAR.day_of(p.due_at) for p in planned if p.name == "plan_overdue"]
    assert overdue == [date(2023, 1, 27)]


def test_a_notice_goes_to_the_unit_and_never_to_everyone_with_the_role(plan: Definition) -> None:
    """The secretary next door hears nothing of it."""
    staff = office(
        officer("own", "xa1", "secretary"), officer("next", "xa2", "secretary"), officer("below", "cb1", "secretary")
    )
    assert [a.officer for a in recipients(plan.area, told(plan, "plan_reminder"), "xa1", staff)] == ["own"]


def test_a_substitute_gets_it_in_place_of_the_absent_and_only_a_present_one(plan: Definition) -> None:
    """Where the substitute has left, the officer gets it after all."""
    away = (Substitution(officer="own", stand_in="other", period=Period(from_=DAY, until=DAY)),)
    rule = told(plan, "plan_reminder")
    there = office(officer("own", "xa1", "secretary"), officer("other", "xa1"), away=away)
    assert [(a.officer, a.behalf) for a in recipients(plan.area, rule, "xa1", there)] == [("other", "own")]
    gone = office(
        officer("own", "xa1", "secretary"), officer("other", "xa1", period=Period(until=date(2024, 1, 1))), away=away
    )
    assert [(a.officer, a.behalf) for a in recipients(plan.area, rule, "xa1", gone)] == [("own", None)]


def test_one_who_left_is_named_only_while_nobody_holds_the_roles(plan: Definition) -> None:
    """A successor's name settles it."""
    rule = told(plan, "plan_reminder")
    gone = officer("gone", "xa1", "secretary", period=Period(until=date(2024, 1, 1)))
    assert left(plan.area, rule, "xa1", office(gone)) == ["gone"]
    assert left(plan.area, rule, "xa1", office(gone, officer("new", "xa1", "clerk"))) == []


def test_the_nearest_is_the_first_unit_upwards_where_somebody_can_be_reached(plan: Definition) -> None:
    """The officer whom nothing reaches is passed over, and so is a head without a contact."""
    spec = [Recipient(roles=["secretary"], at="nearest")]
    mute = officer("mute", "xa1", "secretary", bad=frozenset({"mute@x.example"}))
    top, agency = officer("top", "tu", "secretary"), officer("agency", "tcnv", "secretary")
    branch = officer("branch", "cb1", "secretary")

    def found(*officers: Officer) -> list[str]:
        return [a.officer for a in named(plan.area, spec, "cb1", office(*officers), but="branch")]

    assert found(branch, mute, top) == ["top"]
    assert found(branch, mute, agency) == ["agency"]
    assert found(branch, officer("head", "xa1", "secretary"), top) == ["head"]
    assert found(branch) == []


def test_email_comes_first_then_the_phone_and_what_was_refused_is_not_used(plan: Definition) -> None:
    """Both when it is urgent."""
    channels = partial(in_order, plan.area)
    both = officer("a", "xa1", phone="+84900000001")
    assert (channels(both, urgent=False), channels(both, urgent=True)) == (["email"], ["email", "sms"])
    bad = officer("a", "xa1", phone="+84900000001", bad=frozenset({"a@x.example"}))
    assert channels(bad, urgent=False) == channels(bad, urgent=True) == ["sms"]
    assert channels(officer("a", "xa1", bad=frozenset({"a@x.example"})), urgent=True) == []


def test_an_officers_own_order_of_channels_comes_before_the_offices(plan: Definition) -> None:
    """A webhook is used by those only who name it; what they do not name comes after it."""
    channels = partial(in_order, plan.area)
    given: dict[str, object] = {"phone": "+84900000001", "webhook": "https://a.example/x"}
    assert channels(officer("a", "xa1", **given), urgent=True) == ["email", "sms"]
    assert channels(officer("a", "xa1", **given, channels=("webhook",)), urgent=True) == ["webhook", "email", "sms"]
    phone = officer("a", "xa1", **given, channels=("sms", "webhook"))
    assert channels(phone, urgent=False) == ["sms"]
    refused = replace(phone, bad=frozenset({"+84900000001"}))
    assert channels(refused, urgent=False) == ["webhook"]
