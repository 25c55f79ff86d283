"""Numbers of a range: each is given once, spoiled ones never, and no two subjects share one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.core.batch import Numbers
from engine.core.numbering import Range, range_of
from engine.core.values import Value

SPEC = Numbers(given="given", first="first", last="last", before="before", spoiled="spoiled", digits=3)


def make(first: int | None, last: int | None, before: str = "", used: tuple[str, ...] = ()) -> Range:
    facts: dict[str, Value] = {"before": before, "given": {f"u{n}": text for n, text in enumerate(used)}}
    facts.update({k: v for k, v in (("first", first), ("last", last)) if v is not None})
    return range_of(SPEC, facts)


def test_the_next_number_leaves_out_what_was_given_or_spoiled() -> None:
    facts: dict[str, Value] = {"first": 7, "last": 10, "given": {"u": "007"}, "spoiled": {"008": "torn"}}
    assert range_of(SPEC, facts).next_free() == "009"


@given(st.integers(1, 30), st.integers(0, 30), st.sets(st.integers(1, 60)), st.integers(1, 70))
def test_giving_until_the_end_gives_every_free_number_once(first: int, n: int, spoiled: set[int], most: int) -> None:
    texts = {f"{k:03d}": "torn" for k in spoiled}
    given: dict[str, str] = {}
    for turn in range(most):
        facts: dict[str, Value] = {"first": first, "last": first + n, "given": dict(given), "spoiled": dict(texts)}
        number = range_of(SPEC, facts).next_free()
        if number is None:
            break
        given[f"u{turn}"] = number
    free = [f"{k:03d}" for k in range(first, first + n + 1) if k not in spoiled]
    assert list(given.values()) == free[:most]


def test_there_is_no_next_number_without_a_range_or_past_its_end() -> None:
    assert make(None, None).next_free() is None
    assert make(1, None).next_free() is None
    assert make(1, 1, used=("001",)).next_free() is None


def test_only_a_number_as_it_is_printed_has_a_place() -> None:
    range_ = make(1, 99, "A-")
    assert [range_.place(t) for t in ("A-007", "A-7", "007", "A-0007", "A-100", "A-x")] == [
        7,
        None,
        None,
        None,
        None,
        None,
    ]


def test_ranges_that_overlap_meet_and_others_do_not() -> None:
    assert make(1, 9).meets(make(9, 12), other_ended=False) == "009"
    assert make(1, 9).meets(make(10, 12), other_ended=False) is None
    assert make(1, 9, "A-").meets(make(1, 9, "B-"), other_ended=False) is None


def test_of_a_range_that_has_ended_only_what_it_used_counts() -> None:
    ended = make(1, 9, used=("001", "002"))
    assert make(3, 9).meets(ended, other_ended=True) is None
    assert make(2, 9).meets(ended, other_ended=True) == "002"
    assert make(None, None, used=("002",)).meets(ended, other_ended=True) == "002"
    assert make(None, None, used=("005",)).meets(make(1, 9), other_ended=False) == "005"
