"""Lists of subjects: each found once by who reads it, in order, narrowed; counted; and the days of their notices."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from operator import attrgetter
from random import Random
from typing import Any

import pytest

from engine.store import sql_listings
from engine.store.memory_listings import meets
from engine.store.ports import Store, Transaction
from engine.store.rows import NO_DUE, ORDERED_BY, DueRow, ListingRow, ListingSearch, SavedRow, StandRow, StateCount
from engine.store.sql import SqlStore


def row(subject: str, place: str = "a", rank: int = 0, **given: Any) -> ListingRow:
    """Returns a row."""
    fields: dict[str, Any] = {
        "workflow": "loan",
        "home": "a",
        "state": "asked",
        "sort": f"sort {subject}",
        "words": f" {subject} ",
        "marks": " ",
        "entered_on": "2026-01-01",
        "due": NO_DUE,
    }
    if rank == 0:
        fields["home"] = place
    return ListingRow(subject=subject, place=place, rank=rank, **(fields | given))


def due(subject: str, rule: str, day: str, org: str = "a", workflow: str = "loan") -> DueRow:
    """Returns a day."""
    return DueRow(subject=subject, rule=rule, workflow=workflow, org=org, due=day)


def put(store: Store, *rows: ListingRow, dues: Sequence[DueRow] = ()) -> None:
    """Puts rows of subjects that stand nowhere yet."""
    with store.transaction() as unit:
        unit.put_listings({r.subject for r in rows}, rows, dues, new=True)


def listed(unit: Transaction, limit: int = 100, after: tuple[str, str] | None = None, **given: Any) -> list[str]:
    """Returns the subjects of a page."""
    wanted = ListingSearch(**({"workflow": "loan"} | given))
    return [r.subject for r in unit.list_subjects(wanted, after=after, limit=limit)]


def many(orgs: Sequence[str]) -> tuple[str, ...]:
    """Returns these units among many, for whom lists are read another way."""
    return (*orgs, *(f"empty{n}" for n in range(60)))


def test_a_subject_read_from_several_units_is_given_once(store: Store) -> None:
    put(store, row("s1", "a"), row("s1", "b", 1), row("s1", "c", 2), row("s2", "c"), row("s3", "d"))
    with store.transaction(write=False) as unit:
        for widen in (tuple, many):
            assert listed(unit, orgs=widen(["a"])) == ["s1"]
            assert listed(unit, orgs=widen(["b"])) == ["s1"]
            assert listed(unit, orgs=widen(["b", "c"])) == ["s1", "s2"]
            assert listed(unit, orgs=widen(["c", "d"])) == ["s1", "s2", "s3"]
            assert listed(unit, orgs=widen(["x"])) == []
        assert listed(unit) == ["s1", "s2", "s3"]
        assert listed(unit, orgs=()) == []
        assert listed(unit, workflow="visit") == []


def test_each_order_pages_by_its_last_place(store: Store) -> None:
    put(
        store,
        row("s1", sort="b", due="2026-03-01", entered_on="2025-01-01"),
        row("s2", sort="a", due="2026-02-01", entered_on="2026-01-01"),
        row("s3", sort="a"),
    )
    with store.transaction(write=False) as unit:
        assert listed(unit) == ["s2", "s3", "s1"]
        assert listed(unit, 2) == ["s2", "s3"]
        assert listed(unit, 2, ("a", "s2")) == ["s3", "s1"]
        assert listed(unit, after=("a", "s3"), orgs=("a",)) == ["s1"]
        assert listed(unit, order="due") == ["s2", "s1", "s3"]
        assert listed(unit, after=("2026-02-01", "s2"), order="due") == ["s1", "s3"]
        assert listed(unit, order="entered", orgs=many(["a"])) == ["s1", "s2", "s3"]


def test_a_list_is_narrowed_by_state_words_marks_and_days(store: Store) -> None:
    put(
        store,
        row("s1", words=" nguyen van an ", marks=" sex=f missing ", due="2026-02-01"),
        row("s2", words=" tran an ", state="given", marks=" sex=m ", due="2026-03-01"),
        row("s3", words=" nguyen binh ", state="lost", marks=" sex=f "),
    )
    with store.transaction(write=False) as unit:
        assert listed(unit, states=("given",)) == ["s2"]
        assert listed(unit, states=("given", "lost")) == ["s2", "s3"]
        assert listed(unit, states=()) == []
        assert listed(unit, words=("an",)) == ["s1", "s2"]
        assert listed(unit, words=("ngu", "an")) == ["s1"]
        assert listed(unit, words=("guyen",)) == []
        assert listed(unit, marks=("sex=f",)) == ["s1", "s3"]
        assert listed(unit, marks=("sex=f", "missing")) == ["s1"]
        assert listed(unit, marks=("sex",)) == []
        assert listed(unit, until="2026-02-01") == ["s1"]
        assert listed(unit, since="2026-02-02", until="2026-12-31") == ["s2"]


def test_signs_that_mean_something_to_a_database_find_only_themselves(store: Store) -> None:
    put(store, row("s1", words=" a%b "), row("s2", words=" axb "))
    with store.transaction(write=False) as unit:
        assert listed(unit, words=("a%",)) == ["s1"]
        assert listed(unit, words=("a_b",)) == []
        assert listed(unit, words=("'; drop table listings; --",)) == []


def test_subjects_are_counted_by_state_once_each(store: Store) -> None:
    put(
        store,
        row("s1", due="2026-01-31", entered_on="2025-06-01"),
        row("s1", "b", 1, due="2026-01-31", entered_on="2025-06-01"),
        row("s2", "b", due="2026-02-01"),
        row("s3", "b", due="2026-02-09", state="given"),
    )
    asked = StateCount(state="asked", count=2, oldest="2025-06-01", late=1, soon=1)
    with store.transaction(write=False) as unit:
        for orgs in (None, ("a", "b"), many(["a", "b"])):
            found = unit.count_listed("loan", orgs, today="2026-02-01", soon="2026-02-08")
            assert list(found) == [asked, StateCount(state="given", count=1, oldest="2026-01-01", late=0, soon=0)]


def test_how_many_stand_where_follows_every_change(store: Store) -> None:
    put(store, row("s1"), row("s1", "b", 1), row("s2"), row("s3", "b"))
    with store.transaction() as unit:
        unit.put_listings(["s1", "s3"], [row("s1", state="given")], [])
    with store.transaction(write=False) as unit:
        assert list(unit.stands()) == [
            StandRow(workflow="loan", place="a", home="a", state=state, count=1) for state in ("asked", "given")
        ]
        found = unit.count_listed("loan", None, today="2026-01-01", soon="2026-01-01")
        assert [(c.state, c.count) for c in found] == [("asked", 1), ("given", 1)]


def test_the_rows_of_a_subject_are_replaced_and_nobody_elses(store: Store) -> None:
    put(
        store,
        row("s1"),
        row("s1", "b", 1),
        row("s2"),
        dues=[due("s1", "r", "2026-01-01"), due("s2", "r", "2026-01-02")],
    )
    with store.transaction() as unit:
        unit.put_listings(["s1", "s9"], [row("s1", "c", sort="z")], [due("s1", "q", "2026-05-01")])
        assert list(unit.listings(["s1", "s2", "s9"])) == [row("s1", "c", sort="z"), row("s2")]
        assert list(unit.dues(["s1", "s2"])) == [due("s1", "q", "2026-05-01"), due("s2", "r", "2026-01-02")]
    with store.transaction() as unit:
        unit.put_listings(["s1", "s2"], [], [])
        assert [*unit.listings(["s1", "s2"]), *unit.dues(["s1", "s2"])] == []


def test_nothing_of_it_is_left_after_an_error(store: Store) -> None:
    put(store, row("s1"), dues=[due("s1", "r", "2026-01-01")])
    try:
        with store.transaction() as unit:
            unit.put_listings(["s1"], [row("s1", "b")], [])
            raise KeyError("x")
    except KeyError:
        pass
    with store.transaction(write=False) as unit:
        assert list(unit.listings(["s1"])) == [row("s1")]
        assert list(unit.dues(["s1"])) == [due("s1", "r", "2026-01-01")]


def test_days_are_found_by_rule_unit_and_day_earliest_first(store: Store) -> None:
    days = [
        due("s2", "r", "2026-01-02", "b"),
        due("s1", "q", "2026-01-02"),
        due("s1", "r", "2026-01-01"),
        due("s3", "r", "2026-09-01"),
        due("s4", "r", "2026-01-01", workflow="visit"),
    ]
    put(store, dues=days)
    with store.transaction(write=False) as unit:
        found = unit.find_dues("loan", ["r", "q"], until="2026-01-31", limit=9)
        assert [(d.subject, d.rule) for d in found] == [("s1", "r"), ("s1", "q"), ("s2", "r")]
        assert [d.subject for d in unit.find_dues("loan", ["r"], until="2026-01-31", limit=1)] == ["s1"]
        for orgs in (("b",), many(["b"])):
            assert [d.subject for d in unit.find_dues("loan", ["r"], orgs=orgs, until="2026-12-31", limit=9)] == ["s2"]
        assert unit.find_dues("loan", [], until="2026-12-31", limit=9) == []


def test_pages_put_together_are_the_whole_list_whoever_reads_it(store: Store) -> None:
    """Compared with what plain Python makes of the same rows."""
    random = Random(7)
    rows: list[ListingRow] = []
    for n in range(300):
        at = random.sample("abcdef", random.randint(1, 3))
        state, sort = random.choice(["asked", "given"]), random.choice("xyz")
        rows += [
            row(f"s{n:03}", p, k, home=at[0], state=state, sort=sort, words=f" w{n % 7} ") for k, p in enumerate(at)
        ]
    put(store, *rows)
    with store.transaction(write=False) as unit:
        for orgs, states, words in product(
            [None, ("a",), ("b", "c"), many("abc")], [None, ("asked",), ("asked", "given")], [(), ("w3",)]
        ):
            read = [r for r in rows if (orgs is None or r.place in orgs) and (states is None or r.state in states)]
            wanted = sorted({(r.sort, r.subject) for r in read if all(f" {w}" in r.words for w in words)})
            got: list[tuple[str, str]] = []
            search = ListingSearch(workflow="loan", orgs=orgs, states=states, words=words)
            while page := unit.list_subjects(search, after=got[-1] if got else None, limit=17):
                got += [(r.sort, r.subject) for r in page]
            assert got == wanted


@pytest.mark.parametrize("bounds", [(0, 3, 0), (0, 3, 1000), (1000, 3, 1000)])
def test_a_narrowed_list_is_the_same_by_whatever_it_is_read(
    store: Store, monkeypatch: pytest.MonkeyPatch, bounds: tuple[int, int, int]
) -> None:
    """With so small bounds each way of reading is gone: in order to a bound or the end, and by what is rare."""
    rare, walked, most = bounds
    monkeypatch.setattr(sql_listings, "RARE", rare)
    monkeypatch.setattr(sql_listings, "WALKED", walked)
    monkeypatch.setattr(sql_listings, "COUNTED", {"words": most, "marks": most, "due": most})
    random = Random(11)
    rows: list[ListingRow] = []
    for n in range(120):
        at = random.sample("abcdef", random.randint(1, 3))
        kept = {
            "state": random.choice(["asked", "given"]),
            "sort": random.choice("xyz"),
            "words": f" w{n % 5} v{n % 3} wide ",
            "marks": f" m={n % 4} m ",
            "due": random.choice(["2026-01-01", "2026-02-01", NO_DUE]),
            "entered_on": random.choice(["2025-01-01", "2025-06-01"]),
        }
        rows += [row(f"s{n:03}", p, k, home=at[0], **kept) for k, p in enumerate(at)]
    put(store, *rows)
    narrowed: list[dict[str, Any]] = [
        {"words": ("w1", "v")},
        {"words": ("w",), "marks": ("m=2",), "states": ("given",)},
        {"words": ("none",)},
        {"marks": ("m",), "until": "2026-01-15"},
        {"until": "2026-02-01", "since": "2026-01-15", "words": ("wi",)},
    ]
    with store.transaction(write=False) as unit:
        for asked, orgs, order in product(narrowed, [None, many("abc"), many("")], ("name", "due", "entered")):
            search = ListingSearch(workflow="loan", orgs=orgs, order=order, **asked)
            key = attrgetter(ORDERED_BY[order], "subject")
            read = [r for r in rows if (r.rank == 0 if orgs is None else r.place in orgs) and meets(r, search)]
            got: list[tuple[str, str]] = []
            while page := unit.list_subjects(search, after=got[-1] if got else None, limit=7):
                got += [key(r) for r in page]
            assert got == sorted({key(r) for r in read})


def test_words_and_marks_follow_the_rows_and_what_does_not_is_named(store: Store) -> None:
    both: dict[str, Any] = {"words": " an binh ", "marks": " m=1 "}
    put(store, row("s1", **both), row("s1", "b", 1, **both), row("s2", words=" an "))
    with store.transaction() as unit:
        unit.put_listings(["s1"], [row("s1", words=" an ", marks=" ")], [])
        assert list(unit.terms_astray(["s1", "s2", "s3"])) == []
    if isinstance(store, SqlStore):
        with store.connection() as past:
            past.begin(write=True)
            assert past.rows("SELECT term, words FROM terms WHERE subject = 's1'", ()) == [("an", " an ")]
            past.run("DELETE FROM terms WHERE subject = 's2'", ())
            past.commit()
        with store.transaction(write=False) as unit:
            assert list(unit.terms_astray(["s1", "s2", "s3"])) == ["s2"]


def test_kept_views_are_an_officers_own(store: Store) -> None:
    one = SavedRow(id="v1", officer="an", page="list", sealed=b"\x00x", made_at="2026-01-01T00:00:00.000000Z")
    other = SavedRow(id="v2", officer="binh", page="list", sealed=b"y", made_at="2026-01-01T00:00:00.000000Z")
    with store.transaction() as unit:
        unit.put_saved([one, other])
        assert list(unit.saved("an")) == [one]
    with store.transaction() as unit:
        unit.delete_saved([one])
        assert list(unit.saved("an")) == []
        assert list(unit.saved("binh")) == [other]
