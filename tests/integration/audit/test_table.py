"""The tables of docs/reference/trail.md are those of the attack lab: each row has its test, and each attack its row."""

from __future__ import annotations

import re
from pathlib import Path

from tests.integration.audit import test_attacks, test_waiting

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "trail.md"
HELD = {name: held for name, (_, held, _) in test_attacks.ATTACKS.items()}
NAMED = {name: kind for name, (_, _, kind) in test_attacks.ATTACKS.items()} | {
    name: kind for name, (kind, _) in test_waiting.ATTACKS.items()
}


def _table(heading: str) -> dict[str, list[str]]:
    """Returns the rows of the table under a line that begins so: the first cell -> the others."""
    lines = iter(PAGE.read_text(encoding="utf-8").splitlines())
    next(line for line in lines if line.startswith(heading))
    rows: list[list[str]] = []
    for line in lines:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            break
    assert len({row[0] for row in rows}) == len(rows), "two rows of one name"
    return {row[0]: row[1:] for row in rows[1:]}


def _tests() -> set[str]:
    return {n for module in (test_attacks, test_waiting) for n in vars(module) if n.startswith("test_")}


def test_every_attack_of_the_lab_stands_in_the_table_with_its_name_and_what_catches_it() -> None:
    caught = _table("| attack | named as |")
    for name, kind in NAMED.items():
        assert f"`{kind}`" in caught[name][0], name
        assert ("checkpoint" in caught[name][1]) == HELD.get(name, False), name


def test_every_row_of_the_table_is_an_attack_of_the_lab_or_names_its_test() -> None:
    caught, apart = _table("| attack | named as |"), _table("| attack | test in `test_attacks.py` |")
    assert set(caught) == set(NAMED) | set(apart)
    assert not set(NAMED) & set(apart)
    for name, (test,) in apart.items():
        assert callable(getattr(test_attacks, test.strip("`"), None)), name
        kind = re.fullmatch("`(.+)`", caught[name][0])
        assert kind is None or kind[1] in Path(test_attacks.__file__).read_text(encoding="utf-8"), name


def test_what_cannot_be_caught_names_the_test_that_shows_it_or_says_why_there_is_none() -> None:
    for name, (why, shown) in _table("| what | why |").items():
        assert why, name
        assert shown.strip("`") in _tests() or shown.removeprefix("none: ") != shown, name
    shown_beside = {
        n for n, (_, t) in _table("| what | why |").items() if t == "`test_what_cannot_be_caught_beside_the_trail`"
    }
    assert shown_beside == set(test_waiting.UNSEEN)
