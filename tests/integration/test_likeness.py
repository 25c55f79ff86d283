"""Who is entered twice is shown before a second one is made, and nothing sensitive is kept to find them by."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.clock import SetClock
from engine.core.commands import Move, SetFacts, Start
from engine.likeness import Alike, folded
from engine.service import Service
from engine.steps import Answer, By
from engine.store.open import open_store
from engine.store.ports import Store
from tests.world import START, found_office

CLERK = By(officer="tu_clerk")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A database in a file, so that its bytes can be looked at."""
    return open_store(f"sqlite:///{tmp_path / 'k.db'}")


@pytest.fixture
def service(store: Store) -> Service:
    """The office of the tests."""
    return found_office(store, SetClock(START), ("candidate",))


def start(service: Service, id: str, org: str = "cb1", **facts: object) -> Answer:
    """Enters somebody."""
    return service.start(
        Start(workflow="candidate", org=org, id=id, facts={"full_name": "Nguyễn Thị Hoà", **facts}), CLERK
    )


def ids(found: object) -> list[str]:
    """Returns the subjects named."""
    assert isinstance(found, list | tuple)
    return [a.subject for a in found if isinstance(a, Alike)]


def test_the_same_name_and_birth_date_elsewhere_is_told_without_any_fact(service: Service) -> None:
    start(service, "u1", birth_date="2001-05-20")
    assert ids(start(service, "x", birth_date="2001-05-21").similar) == [], "another day, another person"
    facts = {"full_name": "nguyen  thị HÒA", "birth_date": "20/05/2001"}
    [one] = service.likeness.of_facts("candidate", facts)
    assert (one.subject, one.org, one.state, one.by) == ("u1", "cb1", "source", (("full_name", "birth_date"),))
    answer = start(service, "u2", org="cb3", birth_date="2001-05-20")
    assert answer.allowed, "it is shown and never stands in the way"
    assert ids(answer.similar) == ["u1"]
    assert ids(service.likeness.of_subject("u1")) == ["u2"]
    assert "Hoà" not in repr(answer.similar)


def test_a_name_alone_is_no_sign_and_an_unknown_fact_is_like_no_other(service: Service) -> None:
    start(service, "u1")
    assert ids(start(service, "u2").similar) == []


def test_the_id_number_is_found_by_a_digest_and_stands_nowhere_plain(
    service: Service, store: Store, tmp_path: Path
) -> None:
    start(service, "u1", id_number="038 201 004 567")
    [one] = service.likeness.of_facts("candidate", {"id_number": "038201004567"})
    assert (one.subject, one.by) == ("u1", (("id_number",),))
    store.close()
    for path in tmp_path.iterdir():
        assert b"038201004567" not in path.read_bytes()
        assert b"038 201 004 567" not in path.read_bytes()


def test_a_corrected_fact_is_compared_as_it_is_now(service: Service) -> None:
    start(service, "u1", id_number="111")
    service.set_facts(SetFacts(subject="u1", facts={"id_number": "222"}), CLERK)
    assert ids(service.likeness.of_facts("candidate", {"id_number": "111"})) == []
    assert ids(service.likeness.of_facts("candidate", {"id_number": "222"})) == ["u1"]
    service.set_facts(SetFacts(subject="u1", facts={"id_number": None}), CLERK)
    assert ids(service.likeness.of_facts("candidate", {"id_number": "222"})) == []


def test_two_of_one_transaction_see_each_other(service: Service) -> None:
    facts = {"full_name": "Lê An", "id_number": "9"}
    commands = [Start(workflow="candidate", org="cb1", id=id, facts=facts) for id in ("a", "b")]
    first, second = service.start_many(commands, CLERK)
    assert (ids(first.similar), ids(second.similar)) == ([], ["a"])


def test_who_stands_already_is_learnt_when_the_workflow_that_compares_is_loaded(store: Store) -> None:
    from dataclasses import replace

    from engine.library import find_sources

    sources = find_sources(["candidate"])
    blind = [
        replace(s, text=s.text.replace("alike:\n  - id_number\n  - [full_name, birth_date]\n", "")) for s in sources
    ]
    service = found_office(store, SetClock(START), sources=blind)
    start(service, "u1", id_number="7")
    service.load(sources)
    assert ids(service.likeness.of_facts("candidate", {"id_number": "7"})) == ["u1"]


@pytest.mark.parametrize(
    ("one", "other"), [("Nguyễn Thị Hoà", "NGUYỄN  THỊ HÒA"), ("Đặng Văn Đô", "dang van do"), ("038-201", "038 201")]
)
def test_writing_alike_is_the_same(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_who_was_erased_is_found_no_more(service: Service, store: Store) -> None:
    start(service, "u1", id_number="555")
    service.move(
        Move(subject="u1", trigger="drop", facts={"drop_reason": "moved"}, reason="Chuyển đi"),
        By(officer="tu_secretary"),
    )
    service.persons.erase("u1", "Theo yêu cầu", "Điều 16", By(officer="tu_secretary"))
    assert ids(service.likeness.of_facts("candidate", {"id_number": "555"})) == []
