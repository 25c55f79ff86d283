"""What lists say of subjects follows every change in its own transaction, on every store."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from engine.clock import SetClock
from engine.core.commands import Move, SetFacts, Start, Undo
from engine.core.errors import BadInput
from engine.core.places import FindingsError
from engine.doors.lists import Asked
from engine.library import find_sources
from engine.listing import LISTED
from engine.service import Service
from engine.steps import By
from engine.store.ports import Store
from engine.store.rows import ListingSearch
from engine.store.sql import SqlStore
from engine.verifying import verify
from tests.world import START, found_office

HEAD, CLERK = By(officer="xa1_secretary"), By(officer="cb1_clerk")
EVERYBODY = Asked(workflow="candidate", states=("source", "elite", "closed"))


def begun(store: Store, *ids: str) -> Service:
    """Returns the service of an office with these people at one branch."""
    service = found_office(store, SetClock(START), ("candidate", "probation"))
    for id in ids:
        facts = {"full_name": f"Nguyễn Thị {id}", "religion": "none", "sex": "female", "introduced_by": "doan1"}
        service.start(Start(workflow="candidate", org="cb1", id=id, facts=facts), CLERK)
    return service


def found(service: Service, by: By = CLERK, **given: Any) -> list[str]:
    """Returns who is listed."""
    page = service.lists.page(replace(EVERYBODY, **given), by, limit=10)
    return [r.case.subject.id for r in page.rows]


def test_a_list_follows_starts_facts_steps_and_undo(store: Store) -> None:
    service = begun(store, "An", "Bình")
    assert found(service, text="nguyenx thij binhf") == ["Bình"]
    service.set_facts(SetFacts(subject="An", facts={"full_name": "Trần Thị Yến", "is_pupil": True}), CLERK)
    assert found(service) == ["Bình", "An"], "by the given name"
    assert found(service, text="nguyen") == ["Bình"]
    assert found(service, marks=("is_pupil=yes",)) == ["An"]
    service.move(Move(subject="An", trigger="drop", facts={"drop_reason": "moved"}, reason="Đi xa"), HEAD)
    assert found(service, states=("source",)) == ["Bình"]
    service.undo(Undo(subject="An", reason="Nhầm"), HEAD)
    assert found(service, states=("source",)) == ["Bình", "An"]
    assert [(c.state, c.count) for c in service.lists.board("candidate", HEAD, soon=START.date())] == [("source", 2)]
    assert verify(service).problems == []


def test_nothing_of_a_step_that_was_refused_or_failed_is_listed(store: Store) -> None:
    service = begun(store, "An")
    again = Start(workflow="candidate", org="cb1", id="An", facts={"full_name": "Lê An"})
    with pytest.raises(BadInput):
        service.start(again, CLERK)
    many = [Start(workflow="candidate", org="cb1", id="Bình", facts={"full_name": "Lê Bình"}), again]
    with pytest.raises(BadInput):
        service.start_many(many, CLERK)
    refused = service.move(Move(subject="An", trigger="drop", facts={"drop_reason": "moved"}), HEAD)
    assert not refused.allowed
    assert found(service, states=("source",)) == ["An"]
    assert found(service, text="lê") == []


def test_who_is_named_in_a_fact_of_seen_by_lists_the_subject_too(store: Store) -> None:
    service = begun(store, "An")
    union, other = By(officer="doan1_secretary"), By(officer="xa2_secretary")
    assert found(service, union) == ["An"]
    service.set_facts(SetFacts(subject="An", facts={"introduced_by": None}), CLERK)
    assert found(service, union) == []
    assert found(service, other) == []


def test_an_erased_person_is_found_by_nothing_any_more(store: Store) -> None:
    service = begun(store, "An", "Bình")
    service.move(Move(subject="An", trigger="drop", facts={"drop_reason": "moved"}, reason="Đi xa"), HEAD)
    service.persons.erase("An", "Theo đơn", "Luật", HEAD)
    with service.work() as work:
        rows = list(work.tx.listings(["An"]))
        assert {(r.words.strip(), r.sort) for r in rows} == {("", "~")}
        assert "female" in rows[0].marks, "what stays for statistics may still be counted"
    assert found(service, text="nguyen") == ["Bình"]
    assert verify(service).problems == []


def test_nothing_sensitive_stands_in_a_list(store: Store) -> None:
    service = begun(store, "An")
    service.set_facts(SetFacts(subject="An", facts={"religion": "Bí mật", "id_number": "012345678901"}), CLERK)
    with service.work() as work:
        told = repr([*work.tx.listings(["An"]), *work.tx.dues(["An"])])
    assert "012345678901" not in told
    assert "mat" not in told


def test_verifying_finds_a_list_that_was_altered_past_the_door(store: Store) -> None:
    service = begun(store, "An", "Bình")
    with service.work(write=True) as work:
        row = work.tx.listings(["An"])[0]
        work.tx.put_listings(["An"], [replace(row, place="cb3", home="cb3")], [])
    problems = verify(service).problems
    assert [(p.kind, p.params.get("subject")) for p in problems] == [("projection", "An")]


def test_verifying_finds_that_somebody_is_not_found_by_their_name(store: Store) -> None:
    if not isinstance(store, SqlStore):
        return  # there the lists themselves are looked through
    service = begun(store, "An", "Bình")
    with store.connection() as past:
        past.begin(write=True)
        past.run("DELETE FROM terms WHERE subject = 'An' AND term = 'nguyen'", ())
        past.commit()
    assert [(p.kind, p.params.get("subject")) for p in verify(service).problems] == [("projection", "An")]


def test_a_database_that_knew_no_lists_has_them_after_the_workflows_are_loaded(store: Store) -> None:
    service = begun(store, "An", "Bình")
    with service.work(write=True) as work:
        work.tx.put_listings(["An", "Bình"], [], [])
        work.tx.put_setting(LISTED, "")
    assert found(service) == []
    assert verify(service).problems == [], "what was never listed is not damaged"
    service.load(find_sources(["candidate"]))
    assert found(service) == ["An", "Bình"]
    with service.work() as work:
        wanted = ListingSearch(workflow="candidate", marks=("sex=female",))
        assert len(work.tx.list_subjects(wanted, limit=9)) == 2


def test_a_workflow_file_that_lists_what_is_sensitive_is_refused(store: Store) -> None:
    service = found_office(store, SetClock(START), ("candidate",))
    source = find_sources(["candidate"])[0]
    for wrong in ("search: [religion]", "by: [id_number]", "by: [birth_date]", "missing: {papers: [nowhere]}"):
        text = re.sub(r"^listing:\n(  .*\n)+", f"listing:\n  {wrong}\n", source.text, count=1, flags=re.M)
        with pytest.raises(FindingsError):
            service.load([replace(source, text=text)])
