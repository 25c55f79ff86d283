"""Who is the same person, and what an import changes."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.people import Existing, Known, PersonRow, Reading, match_person, plan_import, same_person
from reports.readers import Fact

BORN = date(1990, 4, 5)


def row(number: int = 2, org: str = "cb3", **facts: Fact) -> PersonRow:
    return PersonRow(sheet="DS", row=number, org_id=org, facts={"full_name": "Đỗ Thị Ý", **facts})


def there(id_: str = "p1", org: str = "cb3", **facts: Fact) -> Existing:
    return Existing(id=id_, org_id=org, facts={"full_name": "Đỗ Thị Ý", **facts})


def plan(*rows: PersonRow, existing: list[Existing]):
    return plan_import(Reading(rows=rows, rejected=(), warnings=(), read=len(rows)), existing)


@pytest.mark.parametrize("name", ["ĐỖ THỊ Ý", "  đỗ  thị ý ", "Đỗ Thị Ý"])
def test_case_spaces_and_the_form_of_letters_do_not_make_another_person(name):
    assert match_person([there(birth_date=BORN)], row(full_name=name, birth_date=BORN))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"birth_date": BORN}, {"birth_date": BORN}, True),
        ({"birth_date": BORN}, {"birth_date": date(1990, 4, 6)}, False),
        ({"birth_date": BORN}, {"birth_year": 1990}, True),
        ({"birth_date": BORN}, {"birth_year": 1991}, False),
        ({"birth_year": 1990}, {"birth_year": 1990}, True),
        ({}, {}, True),
        ({"birth_year": 1990}, {}, False),
    ],
)
def test_the_same_name_birth_and_branch_is_the_same_person(one, other, same):
    assert bool(match_person([there(**one)], row(**other))) is same
    assert bool(match_person([there(**other)], row(**one))) is same


def test_the_same_name_and_birth_in_another_branch_is_another_person():
    assert match_person([there(org="cb4", birth_date=BORN)], row(birth_date=BORN)) == []


def test_other_accents_make_another_name():
    assert match_person([there(full_name="Đỗ Thị Y", birth_date=BORN)], row(birth_date=BORN)) == []


def test_a_person_there_is_updated_with_what_differs_and_never_doubled():
    result = plan(
        row(birth_date=BORN, occupation="Làm nông", ethnicity="Kinh"),
        existing=[there(birth_date=BORN, occupation="Giáo viên", ethnicity="Kinh", phone="0912345678")],
    )
    assert (result.creates, result.unchanged) == ((), ())
    assert [(c.id, c.facts) for c in result.updates] == [("p1", {"occupation": "Làm nông"})]


def test_cells_that_say_nothing_change_nothing():
    result = plan(row(birth_date=BORN), existing=[there(birth_date=BORN, phone="0912345678", union_member=True)])
    assert [c.id for c in result.unchanged] == ["p1"]


def test_a_choice_of_true_is_the_same_as_the_stored_truth():
    assert plan(row(union_member="true"), existing=[there(union_member=True)]).unchanged
    assert plan(row(union_member="false"), existing=[there(union_member=True)]).updates


def test_a_whole_date_replaces_the_year_and_a_year_never_replaces_a_date():
    result = plan(row(birth_date=BORN), existing=[there(birth_year=1990)])
    assert [c.facts for c in result.updates] == [{"birth_date": BORN, "birth_year": None}]
    assert plan(row(birth_year=1990), existing=[there(birth_date=BORN)]).unchanged


def test_a_row_that_fits_two_persons_is_rejected_and_both_are_named():
    result = plan(
        row(birth_year=1990), existing=[there("p1", birth_date=BORN), there("p2", birth_date=date(1990, 9, 9))]
    )
    assert [r.text() for r in result.rejected] == ["fits 2 persons: p1, p2"]
    exact = plan(row(birth_date=BORN), existing=[there("p1", birth_date=BORN), there("p2", birth_year=1990)])
    assert [c.id for c in exact.unchanged] == ["p1"]


def test_two_rows_for_one_person_there_are_rejected():
    rows = row(2, birth_date=BORN), row(3, birth_date=date(1990, 9, 9))
    result = plan(*rows, existing=[there(birth_year=1990)])
    assert [(r.row, r.params) for r in result.rejected] == [(3, {"row": 2})]


def test_a_namesake_of_another_age_is_a_new_person_with_a_warning():
    result = plan(row(birth_date=BORN), existing=[there(birth_date=date(1970, 1, 1))])
    assert len(result.creates) == 1
    assert [w.params for w in result.warnings] == [{"ids": "p1"}]


births = st.one_of(
    st.just({}),
    st.builds(lambda y: {"birth_year": y}, st.integers(1989, 1991)),
    st.builds(lambda y: {"birth_date": date(y, 4, 5)}, st.integers(1989, 1991)),
)


@given(births, births)
def test_being_the_same_person_goes_both_ways(one, other):
    first, second = Known.of({"full_name": "An", **one}, "a"), Known.of({"full_name": "AN", **other}, "a")
    assert same_person(first, second) == same_person(second, first)
    assert same_person(first, first)


@given(st.lists(st.tuples(st.sampled_from(["An", "Ba"]), st.sampled_from(["cb1", "cb2"]), births), max_size=8))
def test_what_was_imported_is_unchanged_when_imported_again(people):
    """Whatever list goes in without a rejection, the same list after it writes nothing."""
    rows = [row(n, org, full_name=name, **born) for n, (name, org, born) in enumerate(people, 2)]
    distinct = [
        r
        for n, r in enumerate(rows)
        if not any(same_person(Known.of(r.facts, r.org_id), Known.of(o.facts, o.org_id)) for o in rows[:n])
    ]
    first = plan(*distinct, existing=[])
    store = [
        Existing(id=f"p{n}", org_id=c.row.org_id, facts={k: v for k, v in c.facts.items() if v is not None})
        for n, c in enumerate(first.creates)
    ]
    again = plan(*distinct, existing=store)
    assert (again.creates, again.updates, again.rejected) == ((), (), ())
